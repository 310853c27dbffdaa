//! Passing the revocation list on between hubs that are not connected with each other: whichever has the newer one, this node brings
//! it to the others. It believes nobody: a list counts by its signature and its number.

use std::time::Duration;

use ccpor_certs::Revocations;
use ccpor_daemon::reading::blocking;
use ccpor_daemon::revocation;
use tokio_util::sync::CancellationToken;

use crate::hubs::Hubs;
use crate::uplink::Link;

/// How often a hub is asked without need.
const EVERY: Duration = Duration::from_secs(60);
/// How long it may take to answer.
const WITHIN: Duration = Duration::from_secs(5);

/// Passes lists on until `stop`. With one hub alone there is nobody to pass them to: it offers its list itself.
pub(crate) fn start(hubs: &Hubs, revocations: &Revocations, stop: &CancellationToken) {
    if hubs.links().len() < 2 {
        return;
    }
    for link in hubs.links() {
        tokio::spawn(follow(link.clone(), revocations.clone(), stop.clone()));
    }
}

async fn follow(mut link: Link, revocations: Revocations, stop: CancellationToken) {
    let mut changes = revocations.changes();
    loop {
        tokio::select! {
            () = link.up() => {}
            () = stop.cancelled() => return,
        }
        changes.mark_unchanged();
        let question = revocation::question(revocations.signed().as_deref());
        if let Some(answer) = link.ask(question, WITHIN).await
            && let Some((_, Some(newer))) = revocation::read(&answer)
        {
            let (revocations, newer) = (revocations.clone(), newer.to_vec());
            if let Ok(Err(error)) = blocking(move || revocations.offer(&newer)).await {
                tracing::warn!(%error, "a hub's revocation list is not taken");
            }
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = tokio::time::sleep(EVERY) => {}
            () = link.down() => {}
            () = stop.cancelled() => return,
        }
    }
}
