//! `ccpor-node restore --from-hub`: the court's own ledger back from the hub's copy, before the daemon is started.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ccpor_daemon::identity;
use ccpor_daemon::reading::blocking;
use ccpor_registry::LedgerState;

use crate::config::Settings;
use crate::daemon::{NodeFailed, open_registry};
use crate::uplink;

/// How long the hub may take to answer at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(60);

/// How often it is tried, and the pause between.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// The ledger as it stands afterwards.
pub(crate) struct Restored(LedgerState);

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = self.0.head.map_or(0, |head| head.position.epoch);
        write!(
            f,
            "the ledger of {} is whole again: {} records, {} orders, epoch {epoch}; start the node with: ccpor-node run",
            self.0.origin, self.0.records, self.0.orders
        )
    }
}

/// Fetches what the hub holds and is not here. May be repeated without harm.
pub(crate) async fn from_hub(settings: &Settings) -> Result<Restored, NodeFailed> {
    let registry = open_registry(settings).await?;
    let identity = identity::open(&settings.data.identity_directory())?;
    let link = uplink::connect(&settings.hub, settings.sharing, &identity, Arc::clone(&registry))?;
    let link = link.ok_or_else(|| NodeFailed::NotRestored("hub.connect is false".into()))?;
    // Mending and restoring end the connection, so that the ledgers are compared anew: the next step waits for the next one.
    for _ in 0..ATTEMPTS {
        link.connected(CONNECT_WITHIN)
            .await
            .map_err(NodeFailed::NotRestored)?;
        link.mend(&registry).await;
        link.restore(&registry).await;
        if registry.halted().is_none() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    drop(link);
    let closing = Arc::clone(&registry);
    let closed = blocking(move || closing.close()).await;
    closed.map_err(|problem| NodeFailed::Fault(problem.to_string()))?;
    if let Some(reason) = registry.halted() {
        return Err(NodeFailed::NotRestored(reason));
    }
    let own = registry.own().cloned();
    let state = registry
        .ledgers()
        .into_iter()
        .find(|ledger| Some(&ledger.origin) == own.as_ref());
    state
        .map(Restored)
        .ok_or_else(|| NodeFailed::NotRestored("there is no ledger".into()))
}
