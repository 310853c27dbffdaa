//! The hub's side of enrolment: takes connections from machines that have no certificate yet, or one that ended, redeems
//! invitations and renews. It holds few connections, waits for none of them long, and keeps the authority's troubles to itself.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::NoClientAuth;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::messages::{
    ALPN, Asked, MOST_REQUEST, Refusal, RefusalCode, Reply, Request, read_frame, write_frame,
};
use crate::authority::{Authority, RedeemRefusal, RenewRefusal, RenewalTerms};
use crate::current::Current;
use crate::folder::IdentityDir;
use crate::identity::Identity;
use crate::renewal_request::RenewalRequest;
use crate::tls;

/// Connections served at the same time; further ones wait in the listener's queue.
const MOST_CONNECTIONS: usize = 32;
/// The longest wait for a peer's next step.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest difference between the two machines' clocks, in seconds; smaller than the slack that certificates have
/// at the beginning of their lives.
const CLOCK_TOLERANCE: i64 = 300;

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Only a hub enrols.
    #[error("enrolment is served by a hub, and this identity is {0}")]
    NotAHub(Box<Identity>),
    /// Hub and authority are of two registries.
    #[error("the hub's certificate was issued by another authority than the one that is to enrol machines")]
    OtherAuthority,
    /// The certificate cannot be used.
    #[error("the hub's certificate cannot be used for enrolment ({0})")]
    Tls(#[from] rustls::Error),
}

/// What is served, and to whom not.
#[derive(Clone)]
pub struct Enrolling {
    /// Who issues.
    pub authority: Arc<Authority>,
    /// How late a machine may come for a renewal.
    pub terms: RenewalTerms,
    /// Whether anything is issued now. A hub that has just started may have been restored from an old copy, and does not know yet who
    /// was revoked meanwhile.
    pub open: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Told of every machine that is refused, before it is; see [`OnRefusal`].
    pub refused: OnRefusal,
}

/// Records that whoever came from an address is refused, by name when its request proved who it is. The answer leaves when it is done.
pub type OnRefusal = Arc<
    dyn Fn(SocketAddr, Option<Identity>, RefusalCode) -> Pin<Box<dyn Future<Output = ()> + Send>>
        + Send
        + Sync,
>;

impl Enrolling {
    /// Issues from the first moment on, under the usual terms.
    pub fn at_once(authority: Arc<Authority>) -> Enrolling {
        Enrolling {
            authority,
            terms: RenewalTerms::default(),
            open: Arc::new(|| true),
            refused: Arc::new(|_, _, _| Box::pin(async {})),
        }
    }
}

/// Serves enrolment on `listener` with the certificate of `hub` until `stop` is cancelled, then finishes what was begun.
pub async fn serve(
    listener: TcpListener,
    enrolling: Enrolling,
    hub: &IdentityDir,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let acceptor = acceptor(&enrolling.authority, hub)?;
    let (slots, running) = (Arc::new(Semaphore::new(MOST_CONNECTIONS)), TaskTracker::new());
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = next_connection(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((permit, socket, from)) => {
                let (acceptor, enrolling) = (acceptor.clone(), enrolling.clone());
                running.spawn(async move {
                    if let Err(reason) = converse(socket, &acceptor, enrolling, from).await {
                        tracing::warn!(%from, reason, "enrolment connection ended without an answer");
                    }
                    drop(permit);
                });
            }
            Err(failed) => {
                // Out of file descriptors, most likely: accepting again at once would only turn in a circle.
                tracing::warn!(%failed, "enrolment cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    running.close();
    running.wait().await;
    Ok(())
}

/// The hub's chain with the root at its end, because the machine has nothing but the root's fingerprint.
fn acceptor(authority: &Authority, hub: &IdentityDir) -> Result<TlsAcceptor, ServeError> {
    if !hub.identity().is_hub() {
        return Err(ServeError::NotAHub(Box::new(hub.identity().clone())));
    }
    let root = authority.roots().certificates();
    if !hub
        .roots()
        .certificates()
        .iter()
        .any(|trusted| root.contains(trusted))
    {
        return Err(ServeError::OtherAuthority);
    }
    let anybody = tls::server_builder(hub.clock())?.with_client_cert_verifier(Arc::new(NoClientAuth));
    // Follows the hub's own renewals.
    let presented = Arc::new(Current::with_chain_end(hub, root)?);
    let config = tls::server_settings(anybody, presented, vec![ALPN.to_vec()]);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn next_connection(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let permit = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (socket, from) = listener.accept().await?;
    Ok((permit, socket, from))
}

/// One handshake, one request, one reply, each within the time allowed.
async fn converse(
    socket: TcpStream,
    acceptor: &TlsAcceptor,
    enrolling: Enrolling,
    from: SocketAddr,
) -> Result<(), String> {
    let slow = |_| "the peer was too slow".to_owned();
    let mut stream = timeout(PATIENCE, acceptor.accept(socket))
        .await
        .map_err(slow)?
        .map_err(|e| e.to_string())?;
    let asked = timeout(PATIENCE, read_frame(&mut stream, MOST_REQUEST))
        .await
        .map_err(slow)?;
    let asked = asked.map_err(|e| e.to_string())?;
    let refused = Arc::clone(&enrolling.refused);
    let (proven, reply) = match Asked::read(&asked) {
        Some(_) if !(enrolling.open)() => (None, Reply::Refused(Refusal::not_yet())),
        Some(Asked::Enrol(request)) => (None, answer(request, enrolling.authority, from).await),
        Some(Asked::Renew(request)) => renewed(request, enrolling.authority, enrolling.terms, from).await,
        None => (None, Reply::Refused(Refusal::malformed())),
    };
    if let Reply::Refused(refusal) = &reply {
        refused(from, proven, refusal.code).await;
    }
    let reply = serde_json::to_vec(&reply).map_err(|e| e.to_string())?;
    let sent = timeout(PATIENCE, async {
        write_frame(&mut stream, &reply).await?;
        stream.shutdown().await?;
        Ok::<_, super::messages::FrameError>(())
    });
    sent.await.map_err(slow)?.map_err(|e| e.to_string())
}

async fn answer(request: Request, authority: Arc<Authority>, from: SocketAddr) -> Reply {
    let ours = authority.clock().now();
    if request.clock.since(ours).abs() > CLOCK_TOLERANCE {
        tracing::warn!(%from, theirs = %request.clock, "enrolment refused: the machine's clock is wrong");
        return Reply::Refused(Refusal::clock(request.clock, ours));
    }
    let Some((tls, record)) = request.requests() else {
        return Reply::Refused(Refusal::malformed());
    };
    // Signing is quick, but the book of invitations waits for the disk.
    let redeeming =
        tokio::task::spawn_blocking(move || authority.redeem(&request.token, &tls, record.as_deref()));
    match redeeming.await {
        Ok(Ok(grant)) => {
            tracing::info!(%from, identity = %grant.identity, "machine enrolled");
            Reply::Granted(grant)
        }
        Ok(Err(refused)) => {
            match &refused {
                RedeemRefusal::Authority(cause) => {
                    tracing::error!(%from, %cause, "the authority cannot issue")
                }
                other => tracing::warn!(%from, reason = %other, "enrolment refused"),
            }
            Reply::Refused(Refusal::from(&refused))
        }
        Err(_) => Reply::Refused(Refusal::unavailable()),
    }
}

/// The answer, and who was refused, when the request proved that.
async fn renewed(
    request: RenewalRequest,
    authority: Arc<Authority>,
    terms: RenewalTerms,
    from: SocketAddr,
) -> (Option<Identity>, Reply) {
    let ours = authority.clock().now();
    let Some((claims, theirs)) = request.claims() else {
        return (None, Reply::Refused(Refusal::malformed()));
    };
    // The name is only claimed until the request is proven.
    if theirs.since(ours).abs() > CLOCK_TOLERANCE {
        tracing::warn!(%from, %claims, %theirs, "renewal refused: the machine's clock is wrong");
        return (None, Reply::Refused(Refusal::clock(theirs, ours)));
    }
    match tokio::task::spawn_blocking(move || authority.renew(&request, &terms)).await {
        Ok(Ok(grant)) => {
            tracing::info!(%from, identity = %grant.identity, "certificate renewed");
            (None, Reply::Granted(grant))
        }
        Ok(Err(refused)) => {
            match &refused {
                RenewRefusal::Authority(cause) => {
                    tracing::error!(%from, %claims, %cause, "the authority cannot renew")
                }
                other => tracing::warn!(%from, %claims, reason = %other, "renewal refused"),
            }
            let proven = match &refused {
                RenewRefusal::NotProven(_) => None,
                RenewRefusal::Revoked(_)
                | RenewRefusal::Approval(..)
                | RenewRefusal::TooLate(_)
                | RenewRefusal::Superseded(_)
                | RenewRefusal::Keys
                | RenewRefusal::Authority(_) => Some(claims),
            };
            (proven, Reply::Refused(Refusal::from(&refused)))
        }
        Err(_) => (None, Reply::Refused(Refusal::unavailable())),
    }
}
