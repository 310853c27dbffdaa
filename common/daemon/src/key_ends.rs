//! The task that brings the ends of stolen signing keys into force here: whenever another revocation list is, copies of ledgers that go on
//! under such a key are cut back to the named place. New records under it are refused by [`crate::identity::CertifiedKeys`].

use std::sync::Arc;

use ccpor_certs::Revocations;
use ccpor_ledger::{OriginId, Position};
use ccpor_registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::reading::blocking;

/// Follows the list until `stop`. `compare_anew` is called after a ledger was cut back: what connections compared is no longer so.
pub async fn enforce(
    registry: Arc<Registry>,
    revocations: Revocations,
    compare_anew: impl Fn(),
    stop: CancellationToken,
) {
    let mut changes = revocations.changes();
    loop {
        changes.mark_unchanged();
        for (origin, key, from) in ends(&revocations) {
            let (held, whose) = (Arc::clone(&registry), origin.clone());
            match blocking(move || held.end_key(&whose, &key, from)).await {
                Ok(Ok(0)) => {}
                Ok(Ok(_)) => compare_anew(),
                Ok(Err(error)) => {
                    tracing::error!(%origin, %error, "the end of a signing key is not in force here")
                }
                Err(problem) => {
                    tracing::error!(%origin, %problem, "the end of a signing key is not in force here")
                }
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

fn ends(revocations: &Revocations) -> Vec<(OriginId, [u8; 32], Position)> {
    revocations.asked(|list| {
        let rules = list.record_keys.iter();
        rules
            .filter_map(|rule| {
                let (epoch, seq) = rule.from;
                let origin = OriginId::new(&rule.origin.path()).ok()?;
                Some((origin, rule.public_key()?, Position { epoch, seq }))
            })
            .collect()
    })
}
