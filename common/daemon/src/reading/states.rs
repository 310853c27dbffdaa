//! The state of every court's ledger and of this machine, for operators.

use std::path::Path;
use std::sync::Arc;

use ccpor_api::Problem;
use ccpor_api::message::{Check, CourtState, CourtsAnswer, Link, StatusAnswer};
use ccpor_registry::Registry;

use crate::certificate::Certificate;

use super::{Reader, blocking, freshness, position};

/// Every court as this machine knows it. `reachable` tells whether a link to an origin is up.
#[must_use]
pub fn courts(registry: &Registry, reachable: impl Fn(&str) -> bool) -> CourtsAnswer {
    let fresh = registry.freshness(None);
    let receipt = registry.newest_receipt();
    let mut courts: Vec<CourtState> = registry
        .ledgers()
        .into_iter()
        .map(|ledger| {
            let known = fresh.courts.iter().find(|court| court.origin == ledger.origin);
            let receipt = receipt.as_ref().filter(|receipt| receipt.origin == ledger.origin);
            let unconfirmed = match (receipt, ledger.head) {
                (Some(receipt), Some(head)) if receipt.head.position.epoch == head.position.epoch => {
                    head.position.seq.saturating_sub(receipt.head.position.seq)
                }
                (Some(_), _) | (None, None) => 0,
                (None, Some(_)) => ledger.records,
            };
            let own = registry.own() == Some(&ledger.origin);
            CourtState {
                court: ledger.origin.court().to_owned(),
                origin: ledger.origin.to_string(),
                head: ledger.head.map(|head| position(&ledger.origin, head)),
                receipt: receipt.map(|receipt| position(&receipt.origin, receipt.head)),
                receipt_hub: receipt.map(|receipt| receipt.hub.clone()).unwrap_or_default(),
                receipt_at: receipt
                    .map(|receipt| moment(receipt.received.millis()))
                    .unwrap_or_default(),
                unconfirmed: if own { unconfirmed } else { 0 },
                orders: ledger.orders,
                as_of: known
                    .and_then(|court| court.as_of)
                    .map(|at| at.to_string())
                    .unwrap_or_default(),
                age_ms: known
                    .and_then(|court| court.age_ms)
                    .and_then(|age| u64::try_from(age).ok()),
                reachable: own || reachable(ledger.origin.as_str()),
                current: known.is_some_and(|court| court.current),
                reason: ledger
                    .damage
                    .unwrap_or_else(|| known.map(|court| court.reason.clone()).unwrap_or_default()),
                ..CourtState::default()
            }
        })
        .collect();
    // Of others it is known that they exist, and no more.
    let is_held = |origin: &str| courts.iter().any(|court| court.origin == origin);
    let unheld: Vec<CourtState> = fresh
        .courts
        .iter()
        .filter(|court| !is_held(court.origin.as_str()))
        .map(|court| CourtState {
            court: court.origin.court().to_owned(),
            origin: court.origin.to_string(),
            reachable: reachable(court.origin.as_str()),
            reason: court.reason.clone(),
            ..CourtState::default()
        })
        .collect();
    courts.extend(unheld);
    courts.sort_by(|a, b| a.origin.cmp(&b.origin));
    CourtsAnswer {
        courts,
        freshness: Some(freshness(&fresh)),
    }
}

/// The state of this machine.
///
/// # Errors
/// A [`Problem`] when it could not be read by a fault of the program.
pub async fn status(
    reader: &Reader,
    certificate: &Certificate,
    version: &str,
    links: Vec<Link>,
) -> Result<StatusAnswer, Problem> {
    let checks = readiness(reader, certificate);
    let registry = Arc::clone(reader.registry());
    let mut status = StatusAnswer {
        identity: certificate.identity().identity().path(),
        version: version.to_owned(),
        started_at: reader.started().to_string(),
        ready: checks.iter().all(|check| check.ok),
        checks,
        links,
        certificate_not_after: certificate.on_disk().peer().not_after.to_string(),
        ..StatusAnswer::default()
    };
    blocking(move || {
        let fresh = registry.freshness(None);
        let counts = registry.counts();
        let own = registry.own().and_then(|own| {
            let ledger = registry
                .ledgers()
                .into_iter()
                .find(|ledger| ledger.origin == *own)?;
            ledger.head.map(|head| position(own, head))
        });
        status.kind = fresh.source.as_str().to_owned();
        status.head = own;
        status.orders = counts.orders;
        status.records = counts.records;
        status.disk_free_bytes = disk_free_bytes(registry.directory());
        status.freshness = Some(freshness(&fresh));
        status
    })
    .await
}

/// Less free space than this is told as not ready, while there is still time to make room.
const LITTLE_SPACE_BYTES: u64 = 256 << 20;

/// The named checks behind "ready". An expired identity is never ready: others refuse this machine, whatever else works.
#[must_use]
pub fn readiness(reader: &Reader, certificate: &Certificate) -> Vec<Check> {
    let registry = reader.registry();
    let damaged: Vec<String> = registry
        .ledgers()
        .into_iter()
        .filter(|ledger| ledger.damage.is_some())
        .map(|ledger| ledger.origin.to_string())
        .collect();
    let free = disk_free_bytes(registry.directory());
    let unreconciled = registry.unreconciled();
    vec![
        check("ledgers-whole", damaged.is_empty(), || {
            if damaged.is_empty() {
                "every ledger is whole".into()
            } else {
                format!("damaged: {}", damaged.join(", "))
            }
        }),
        check("index-follows", registry.follows(), || {
            "lookups include what the ledgers hold; when not, restart to make the index anew".into()
        }),
        check("takes-filings", registry.halted().is_none(), || {
            registry.halted().unwrap_or_default()
        }),
        check(
            "branches-reconciled",
            matches!(unreconciled, Ok(0)),
            || match unreconciled {
                Ok(0) => "nothing that was filed on an old copy waits".into(),
                Err(error) => {
                    format!("the shelf of branches cannot be read: {error}; check who owns the directory")
                }
                Ok(waiting) => format!(
                    "{waiting} branches of this court's ledger wait: see what `ccpor-node reconcile list` says"
                ),
            },
        ),
        check("disk-space", free >= LITTLE_SPACE_BYTES, || {
            format!("{} MiB free", free >> 20)
        }),
        certificate.check(),
    ]
}

fn check(name: &str, ok: bool, words: impl FnOnce() -> String) -> Check {
    Check {
        name: name.to_owned(),
        ok,
        words: words(),
        ..Check::default()
    }
}

fn moment(millis: u64) -> String {
    i64::try_from(millis)
        .map(|millis| ccpor_domain::UtcMillis(millis).to_string())
        .unwrap_or_default()
}

/// Free space where `directory` lies, in bytes; 0 when the system does not say.
#[must_use]
pub fn disk_free_bytes(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(0, |space| space.f_bavail.saturating_mul(space.f_frsize))
}
