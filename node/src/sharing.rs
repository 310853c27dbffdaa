//! Tells the hub what this court shares, and keeps what the other courts do.

use std::sync::Arc;
use std::time::Duration;

use ccpor_daemon::reading::blocking;
use ccpor_daemon::sharing::Sharing;
use tokio_util::sync::CancellationToken;

use crate::uplink::Link;

/// How often the hub is asked anew.
const EVERY: Duration = Duration::from_secs(10);
/// How long it may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Tells one of so many hubs on each new connection and asks it from time to time, until `stop`.
pub(crate) async fn follow(mut link: Link, hubs: usize, sharing: Arc<Sharing>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = link.up() => {}
            () = stop.cancelled() => return,
        }
        let hub = link.hub().unwrap_or_default();
        if let Some(answer) = link.ask(sharing.question(), WITHIN).await {
            let sharing = Arc::clone(&sharing);
            match blocking(move || sharing.take(&hub, hubs, &answer)).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => tracing::warn!(reason, "what the courts share is not taken"),
                Err(_fault) => {}
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = link.down() => {}
            () = stop.cancelled() => return,
        }
    }
}
