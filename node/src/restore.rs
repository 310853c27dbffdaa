//! `ccpor-node restore --from-hub`: the court's own ledger back from the hub's copy, before the daemon is started.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ccpor_daemon::identity;
use ccpor_daemon::reading::blocking;
use ccpor_registry::LedgerState;

use crate::config::Settings;
use crate::daemon::{NodeFailed, open_registry};
use crate::hubs;

/// How long the hub may take to answer at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// How often it is tried, and the pause between.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// The ledger as it stands afterwards.
pub(crate) struct Restored {
    ledger: LedgerState,
    /// Nothing was missing: the hubs lack the last records, and hold nothing else.
    was_ahead: bool,
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LedgerState {
            origin,
            head,
            records,
            orders,
            ..
        } = &self.ledger;
        let epoch = head.map_or(0, |head| head.position.epoch);
        if self.was_ahead {
            write!(
                f,
                "nothing is to be restored: the ledger of {origin} here holds all that the hub holds, and more: "
            )?;
        } else {
            write!(f, "the ledger of {origin} is whole again: ")?;
        }
        write!(
            f,
            "{records} records, {orders} orders, epoch {epoch}; start the node with: ccpor-node run"
        )
    }
}

/// Fetches what the hubs hold and is not here. Every one of them has to answer: another may hold orders that the first one lacks,
/// and the ledger goes on after the last of them. May be repeated without harm.
pub(crate) async fn from_hub(settings: &Settings) -> Result<Restored, NodeFailed> {
    let registry = open_registry(settings).await?;
    let identity = identity::open(&settings.data.identity_directory())?;
    let hubs = hubs::connect(settings, &identity, &registry)?;
    if hubs.links().is_empty() {
        return Err(NodeFailed::NotRestored("hub.connect is false".into()));
    }
    let mut was_ahead = false;
    // Mending and restoring end the connection, so that the ledgers are compared anew: the next step waits for the next one.
    for _ in 0..ATTEMPTS {
        for link in hubs.links() {
            link.connected(CONNECT_WITHIN)
                .await
                .map_err(NodeFailed::NotRestored)?;
        }
        for link in hubs.links() {
            link.mend(&registry).await;
        }
        // Each asks the others as well; one that lacks what is here cannot say how it goes on.
        was_ahead = true;
        for link in hubs.links() {
            if link.is_behind(&registry).await {
                continue;
            }
            was_ahead = false;
            if link.restore(&registry).await.is_some() {
                break;
            }
        }
        if registry.halted().is_none() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    drop(hubs);
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
        .map(|ledger| Restored { ledger, was_ahead })
        .ok_or_else(|| NodeFailed::NotRestored("there is no ledger".into()))
}
