//! One question to the hub's enrolment port and its answer, over TLS without a certificate of one's own. Whom to believe to be the
//! hub is the caller's to say.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::ServerName;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::messages::{ALPN, FrameError, MOST_REPLY, Refusal, Reply, read_frame, write_frame};
use crate::authority::Grant;
use crate::clock::Clock;
use crate::folder::IdentityDirError;
use crate::identity::Identity;
use crate::invitation::{InvitationError, host_of};
use crate::keys::KeyError;
use crate::renewal::RenewalError;
use crate::tls;

/// The longest wait for the hub's next step.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a machine was not enrolled, or its certificate not renewed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The text is no invitation.
    #[error(transparent)]
    Invitation(#[from] InvitationError),
    /// There is an identity already.
    #[error("{0} holds an identity already, and it is never overwritten: use it, or move it away first")]
    AlreadyEnrolled(PathBuf),
    /// The disk or its permissions.
    #[error(
        "{path} cannot be read or written ({cause}): check the disk and the permissions of the directory above it"
    )]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// No key could be made or read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate request could not be made.
    #[error("the certificate request could not be made ({0})")]
    Request(#[from] rcgen::Error),
    /// Nobody there.
    #[error(
        "the hub does not answer at {address} ({cause}): check the network and the firewall, then run the same command again"
    )]
    Unreachable {
        /// host:port.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// Too slow.
    #[error("the hub at {0} did not answer in time: run the same command again")]
    TimedOut(String),
    /// The server there is not the one in the invitation.
    #[error("no trusted connection to {address}: {reason}")]
    Untrusted {
        /// host:port.
        address: String,
        /// In words.
        reason: String,
    },
    /// The hub said no.
    #[error("the hub refused: {0}")]
    Refused(Refusal),
    /// The answer did not arrive.
    #[error(
        "the hub's answer was lost on the way ({0}): run the same command again, the keys made here are kept"
    )]
    AnswerLost(String),
    /// The answer does not fit the question.
    #[error("the hub's answer does not fit what was asked ({0}): tell the registry's operators")]
    WrongAnswer(String),
    /// There is nobody to ask.
    #[error(
        "{0} was issued by hand, and no hub is noted in its directory: renew it at the authority, or name the hub's enrolment address"
    )]
    NoHub(Box<Identity>),
    /// The renewal failed on this machine.
    #[error(transparent)]
    Renewal(#[from] Box<RenewalError>),
    /// The new directory does not pass its own check.
    #[error(transparent)]
    Identity(#[from] Box<IdentityDirError>),
}

/// One connection, one request, one reply. `servers` says whom to believe to be the hub.
pub(super) async fn ask(
    address: &str,
    servers: Arc<dyn ServerCertVerifier>,
    clock: &Clock,
    request: &impl Serialize,
) -> Result<Grant, EnrolError> {
    let late = |_| EnrolError::TimedOut(address.to_owned());
    let mut stream = connect(address, servers, clock).await?;
    let request =
        Zeroizing::new(serde_json::to_vec(request).map_err(|e| EnrolError::WrongAnswer(e.to_string()))?);
    let lost = |failed: FrameError| match failed {
        FrameError::TooLarge => EnrolError::WrongAnswer(failed.to_string()),
        FrameError::Connection(_) => EnrolError::AnswerLost(failed.to_string()),
    };
    timeout(PATIENCE, write_frame(&mut stream, &request))
        .await
        .map_err(late)?
        .map_err(lost)?;
    let reply = timeout(PATIENCE, read_frame(&mut stream, MOST_REPLY))
        .await
        .map_err(late)?
        .map_err(lost)?;
    match serde_json::from_slice(&reply) {
        Ok(Reply::Granted(grant)) => Ok(grant),
        Ok(Reply::Refused(mut refusal)) => {
            // For a terminal: a line of bounded length without control characters.
            refusal.message = refusal
                .message
                .chars()
                .filter(|c| !c.is_control())
                .take(500)
                .collect();
            Err(EnrolError::Refused(refusal))
        }
        Err(_) => Err(EnrolError::WrongAnswer(
            "it cannot be read: the two programs are of different versions".into(),
        )),
    }
}

async fn connect(
    address: &str,
    servers: Arc<dyn ServerCertVerifier>,
    clock: &Clock,
) -> Result<TlsStream<TcpStream>, EnrolError> {
    let unreachable = |cause| EnrolError::Unreachable {
        address: address.to_owned(),
        cause,
    };
    let late = |_| EnrolError::TimedOut(address.to_owned());
    let socket = timeout(PATIENCE, TcpStream::connect(address))
        .await
        .map_err(late)?
        .map_err(unreachable)?;
    socket.set_nodelay(true).map_err(unreachable)?;
    let untrusted = |failed: &rustls::Error| EnrolError::Untrusted {
        address: address.to_owned(),
        reason: tls::in_words(failed),
    };
    let config = tls::anonymous_client(clock, servers, &[ALPN]).map_err(|failed| untrusted(&failed))?;
    let host = host_of(address).and_then(|host| ServerName::try_from(host.to_owned()).ok());
    let host = host.ok_or(InvitationError::Damaged)?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(host, socket);
    timeout(PATIENCE, connecting)
        .await
        .map_err(late)?
        .map_err(|failed| {
            match failed
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            {
                Some(reason) => untrusted(reason),
                None => unreachable(failed),
            }
        })
}
