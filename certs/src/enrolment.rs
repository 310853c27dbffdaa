//! Stub.
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use crate::authority::Authority;
use crate::folder::IdentityDir;
/// Why enrolment did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct EnrolError;
/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct ServeError;
/// Serves enrolment until `stop` is cancelled. `hub` is the hub's own identity directory.
pub async fn serve(_listener: TcpListener, _authority: Arc<Authority>, _hub: Arc<IdentityDir>, _stop: CancellationToken) -> Result<(), ServeError> { todo!() }
/// Enrols this machine with the invitation's text and makes the identity directory `dir`.
pub async fn enroll(_invitation: &str, _dir: &Path) -> Result<IdentityDir, EnrolError> { todo!() }
