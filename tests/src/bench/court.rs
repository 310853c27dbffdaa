//! A court with real certificates and a registry opened in this process, filled with invented orders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ccpor_certs::{Authority, Identity, IdentityDir};
use ccpor_daemon::identity::{CertifiedKeys, record_key};
use ccpor_deploy::population::{Filing, Population};
use ccpor_domain::{Actor, CourtRef, Order};
use ccpor_ledger::OriginId;
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Request, Source};

use crate::world::Outcome;

/// An authority below `directory`.
pub(super) fn authority(directory: &Path) -> Outcome<Authority> {
    Ok(Authority::init(&directory.join("authority"))?)
}

/// Certificates and keys for `path`, without the detour of an invitation.
pub(super) fn identity(authority: &Authority, path: &str, directory: &Path) -> Outcome<IdentityDir> {
    let identity: Identity = path.parse()?;
    let folder: PathBuf = directory.join(path.replace('/', "-")).join("identity");
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    Ok(authority.issue(&identity, &["127.0.0.1".into()], &[], &folder)?)
}

/// The registry of this identity, beside its certificates.
pub(crate) fn open(identity: &IdentityDir) -> Outcome<Arc<Registry>> {
    let name = identity.identity().path();
    let (key, chain) = record_key(identity)?;
    let hub = identity.identity().is_hub();
    let directory = identity
        .path()
        .parent()
        .ok_or("the identity lies nowhere")?
        .to_owned();
    let (own, receipts) = if hub {
        (None, Some(key))
    } else {
        (
            Some(OwnLedger {
                origin: OriginId::new(&name)?,
                key,
                chain,
                handing_over: None,
            }),
            None,
        )
    };
    let (registry, _) = Registry::open(RegistryConfig {
        directory,
        identity: name,
        source: if hub { Source::Hub } else { Source::Node },
        own,
        receipts,
        trust: Arc::new(CertifiedKeys::of(identity)),
        stale_after_ms: 60_000,
        index_cache_bytes: 64 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    })?;
    Ok(registry)
}

/// Invented orders of Alameda, each with its number.
pub(super) fn orders(count: u64) -> Outcome<Vec<Order>> {
    Ok(filings(count)?.map(|filing| filing.order).collect())
}

/// Invented filings of Alameda.
pub(super) fn filings(count: u64) -> Outcome<impl Iterator<Item = Filing> + Send> {
    let court: CourtRef = "court/alameda".parse()?;
    Ok(Population::new(7).for_court(&court, count))
}

/// Files all of them with 64 writers.
pub(super) fn fill(registry: &Registry, filings: impl Iterator<Item = Filing> + Send) -> Outcome<()> {
    let next = AtomicU64::new(0);
    let filings = std::sync::Mutex::new(filings);
    let failed = std::sync::Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                loop {
                    let Some(filing) = filings.lock().ok().and_then(|mut filings| filings.next()) else {
                        return;
                    };
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = registry.file(request(number), Some(filing.source_id), filing.order) {
                        if let Ok(mut failed) = failed.lock() {
                            *failed = Some(error.to_string());
                        }
                        return;
                    }
                }
            });
        }
    });
    match failed.into_inner().ok().flatten() {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// A request with a key of its own.
pub(super) fn request(number: u64) -> Request {
    let by = Actor {
        identity: "system/alameda-cms".into(),
        ..Actor::default()
    };
    Request {
        key: format!("bench-{number:012}"),
        by,
        reason: String::new(),
    }
}
