//! Opening the audit trail of this machine by its settings, and tending it while the daemon runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ccpor_audit::{AuditorsFailed, AuditorsPublic, LEAST_KEEP_DAYS, Trail, TrailConfig, TrailFailed};
use ccpor_certs::IdentityDir;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::recorder::Recorder;
use crate::identity::{self, CertifiedKeys, IdentityFailed};
use crate::reading::blocking;

/// How the audit trail is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// The auditors' public key. Empty: `auditors.json` in the directory `audit` of the data, if it is there.
    pub auditors: PathBuf,
    /// Days for which what was asked can be read by the auditors; at least a year.
    pub keep_days: u32,
    /// Whether questions are answered from the reserve while the disk is full; else they are refused.
    pub emergency_answers: bool,
    /// Room that is held back for that, in megabytes.
    pub reserve_mb: u64,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            auditors: PathBuf::new(),
            keep_days: 3 * LEAST_KEEP_DAYS + 1,
            emergency_answers: false,
            reserve_mb: 16,
        }
    }
}

/// Why a daemon cannot record who asks. It does not run then.
#[derive(Debug, thiserror::Error)]
pub enum AuditFailed {
    /// The trail does not open.
    #[error(transparent)]
    Trail(#[from] TrailFailed),
    /// The auditors' public key cannot be used.
    #[error("audit.auditors: {0}. Copy the public file of `ccpor audit keys init` there again")]
    Auditors(#[from] AuditorsFailed),
    /// The machine's record-signing key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityFailed),
    /// A fault of the program.
    #[error("the audit trail was not opened by a fault of the program: {0}")]
    Fault(String),
}

/// The name of the directory.
const DIRECTORY: &str = "audit";
/// The auditors' public key in it.
const AUDITORS: &str = "auditors.json";
/// How often it is looked whether there is room for the reserve again.
const RESERVE_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for keys whose time is over.
const KEYS_EVERY: Duration = Duration::from_secs(3_600);

/// Opens the trail of this machine, and tends it until `stop`.
///
/// # Errors
/// [`AuditFailed`]: without a trail nothing may be answered.
pub async fn open(
    settings: &AuditSettings,
    data: &Path,
    identity: &IdentityDir,
    stop: CancellationToken,
) -> Result<Arc<Recorder>, AuditFailed> {
    let directory = directory(data);
    let auditors = auditors(settings, &directory)?;
    if auditors.is_none() {
        tracing::warn!(
            "no auditors' key is set: who asks is recorded, but not whom for. Make one with `ccpor audit keys init` and put its \
             public file into the directory audit of the data as auditors.json"
        );
    }
    let (key, chain) = identity::record_key(identity)?;
    let config = TrailConfig {
        directory,
        identity: identity.identity().path(),
        key: Arc::new(key),
        chain,
        trust: Arc::new(CertifiedKeys::of(identity)),
        auditors,
        keep_days: settings.keep_days,
        reserve_bytes: settings.reserve_mb.saturating_mul(1 << 20),
    };
    let opened = blocking(move || Trail::open(config, ccpor_registry::now())).await;
    let (trail, opening) = opened.map_err(|problem| AuditFailed::Fault(problem.to_string()))??;
    if let Some(damage) = opening.damage {
        tracing::error!(%damage, "the audit trail was damaged; see the runbook \"the audit trail\"");
    }
    let trail = Arc::new(trail);
    tokio::spawn(tend(Arc::clone(&trail), stop));
    Ok(Arc::new(Recorder::new(
        trail,
        identity.identity().path(),
        settings.emergency_answers,
    )))
}

/// The directory of audit trails in a machine's data.
#[must_use]
pub fn directory(data: &Path) -> PathBuf {
    data.join(DIRECTORY)
}

fn auditors(settings: &AuditSettings, directory: &Path) -> Result<Option<AuditorsPublic>, AuditorsFailed> {
    if !settings.auditors.as_os_str().is_empty() {
        return AuditorsPublic::read(&settings.auditors).map(Some);
    }
    let usual = directory.join(AUDITORS);
    if usual.exists() {
        return AuditorsPublic::read(&usual).map(Some);
    }
    Ok(None)
}

async fn tend(trail: Arc<Trail>, stop: CancellationToken) {
    let (mut reserve, mut keys) = (every(RESERVE_EVERY), every(KEYS_EVERY));
    loop {
        let trail = Arc::clone(&trail);
        let tended = tokio::select! {
            _ = reserve.tick() => blocking(move || trail.hold_reserve()).await,
            _ = keys.tick() => blocking(move || destroy_old_keys(&trail)).await,
            () = stop.cancelled() => return,
        };
        if let Err(problem) = tended {
            tracing::error!(%problem, "the audit trail was not tended");
        }
    }
}

fn every(span: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(span);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}

fn destroy_old_keys(trail: &Trail) {
    if let Err(error) = trail.destroy_old_keys(ccpor_registry::now()) {
        tracing::error!(%error, "audit keys whose time is over were not destroyed; it is tried again in an hour");
    }
}
