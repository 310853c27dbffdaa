//! Enrolment and renewal at the hub: on a port of their own, since whoever comes has no certificate yet, or one that ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_certs::authority::RenewalTerms;
use ccpor_certs::enrolment::{Enrolling, OnRefusal};
use ccpor_certs::{Authority, IdentityDir};
use ccpor_daemon::audit::Recorder;
use ccpor_daemon::lifetime::{self, ListenFailed};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::EnrolmentSettings;

/// Why enrolment cannot be offered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolmentFailed {
    #[error("the issuing authority {path} cannot be opened: {reason}")]
    Authority { path: String, reason: String },
    #[error(transparent)]
    Listen(#[from] ListenFailed),
}

/// The running service.
pub(crate) struct Enrolment {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

/// A hub that has just started may have been restored from an old copy. For so long it issues nothing unless a node has said which
/// revocation list it has.
const NODES_COME_WITHIN: Duration = Duration::from_secs(60);

/// Opens the authority; none when none is configured.
pub(crate) fn authority(settings: &EnrolmentSettings) -> Result<Option<Arc<Authority>>, EnrolmentFailed> {
    if settings.authority.as_os_str().is_empty() {
        tracing::info!("no issuing authority is configured: this hub enrols nobody");
        return Ok(None);
    }
    let opened = Authority::open(&settings.authority).map_err(|error| EnrolmentFailed::Authority {
        path: settings.authority.display().to_string(),
        reason: error.to_string(),
    })?;
    Ok(Some(Arc::new(opened)))
}

/// Opens the port for enrolment. `heard` tells that a node has said which revocation list it has.
pub(crate) async fn start(
    settings: &EnrolmentSettings,
    authority: Arc<Authority>,
    identity: &IdentityDir,
    heard: CancellationToken,
    recorder: &Arc<Recorder>,
    stop: &CancellationToken,
) -> Result<Enrolment, EnrolmentFailed> {
    let listener = lifetime::listen(&settings.listen).await?;
    let address = listener.local_addr().map_err(ListenFailed::from_io)?;
    let (identity, stop) = (identity.clone(), stop.clone());
    let (started, alone) = (Instant::now(), has_no_nodes(&authority));
    let enrolling = Enrolling {
        authority,
        terms: RenewalTerms {
            grace_days: settings.renew_days_after_end,
            ..RenewalTerms::default()
        },
        refused: on_record(recorder),
        open: Arc::new(move || alone || heard.is_cancelled() || started.elapsed() >= NODES_COME_WITHIN),
    };
    let serving = tokio::spawn(async move {
        let served = ccpor_certs::enrolment::serve(listener, enrolling, &identity, stop);
        if let Err(error) = served.await {
            tracing::error!(%error, "nobody can enrol until the hub is restarted");
        }
    });
    Ok(Enrolment { address, serving })
}

fn on_record(recorder: &Arc<Recorder>) -> OnRefusal {
    let recorder = Arc::clone(recorder);
    Arc::new(move |from, proven, why| {
        let (recorder, proven) = (Arc::clone(&recorder), proven.map(|identity| identity.path()));
        Box::pin(async move { recorder.not_enrolled(from, proven, why.as_str()).await })
    })
}

/// Whether no node was ever enrolled: then nobody can know of a revocation that this hub does not.
fn has_no_nodes(authority: &Authority) -> bool {
    let issued = authority.list().unwrap_or_default();
    issued.iter().all(|one| !one.identity.is_node())
}

impl Enrolment {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stopped(self) {
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "enrolment ended by a fault");
        }
    }
}
