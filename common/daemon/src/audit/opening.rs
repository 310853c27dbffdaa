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

/// The directory of audit trails in a machine's data.
const DIRECTORY: &str = "audit";
/// The auditors' public key in it.
const AUDITORS: &str = "auditors.json";
/// How often the reserve and the keys' ages are looked at.
const TEND_EVERY: Duration = Duration::from_secs(60);

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
    let directory = data.join(DIRECTORY);
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
    let mut ticks = tokio::time::interval(TEND_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let trail = Arc::clone(&trail);
        if let Err(problem) = blocking(move || trail.tend(ccpor_registry::now())).await {
            tracing::error!(%problem, "the audit trail was not tended");
        }
    }
}
