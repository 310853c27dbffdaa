//! Tells the hub where programs reach this node, and keeps the hub's list of all machines for whoever asks for it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_daemon::reading::blocking;
use ccpor_daemon::topology::Kept;
use tokio_util::sync::CancellationToken;

use crate::uplink::Link;

/// How often the hub is asked for a newer list.
const EVERY: Duration = Duration::from_secs(60);
/// How long it may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Asks on each new connection and then from time to time, until `stop`.
pub(crate) async fn follow(mut link: Link, kept: Arc<Kept>, public: String, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = link.up() => {}
            () = stop.cancelled() => return,
        }
        if let Some(answer) = link.ask(kept.question(&public), WITHIN).await {
            let kept = Arc::clone(&kept);
            match blocking(move || kept.take(&answer)).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => tracing::warn!(reason, "the hub's list of machines is not taken"),
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
