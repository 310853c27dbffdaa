//! Enrolment at the hub: invitations are redeemed on a port of its own, since whoever comes has no certificate yet.

use std::net::SocketAddr;
use std::sync::Arc;

use ccpor_certs::{Authority, IdentityDir};
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

/// Opens the port for enrolment; none when no authority is configured.
pub(crate) async fn start(
    settings: &EnrolmentSettings,
    identity: &IdentityDir,
    stop: &CancellationToken,
) -> Result<Option<Enrolment>, EnrolmentFailed> {
    if settings.authority.as_os_str().is_empty() {
        tracing::info!("no issuing authority is configured: this hub enrols nobody");
        return Ok(None);
    }
    let authority = Authority::open(&settings.authority).map_err(|error| EnrolmentFailed::Authority {
        path: settings.authority.display().to_string(),
        reason: error.to_string(),
    })?;
    let listener = lifetime::listen(&settings.listen).await?;
    let address = listener.local_addr().map_err(ListenFailed::from_io)?;
    let (identity, stop) = (identity.clone(), stop.clone());
    let serving = tokio::spawn(async move {
        let served = ccpor_certs::enrolment::serve(listener, Arc::new(authority), &identity, stop);
        if let Err(error) = served.await {
            tracing::error!(%error, "nobody can enrol until the hub is restarted");
        }
    });
    Ok(Some(Enrolment { address, serving }))
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
