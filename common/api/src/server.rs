//! The server: accepts connections, shakes hands, serves HTTP/1.1 and HTTP/2 on them, and stops without breaking calls.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Body;
use axum::http::Request;
use ccpor_certs::listener::Finding;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic_health::server::HealthReporter;

use crate::backend::{Arrival, Backend, Caller, Knock};
use crate::face::Face;
use crate::limits::Limits;
use crate::message::registry_server::RegistryServer;
use crate::operations::Operations;
use crate::people::People;
use crate::problem::{Code, Problem};

/// The protocols of the port, for the ALPN of the TLS configuration: gRPC needs the first.
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The TLS configuration as it stands now; asked for each connection, so that a new certificate needs no restart. A handshake that
/// fails leaves in the finding whom it refused, when that is known.
///
/// It must ask for a client certificate but not require one: a caller without one gets a problem that says so.
pub type TlsNow = Arc<dyn Fn(&Finding) -> Arc<rustls::ServerConfig> + Send + Sync>;

/// Reads the caller from a client certificate that TLS has verified, or says why it is nobody here (revoked, no identity).
pub type CallerOf = Arc<dyn Fn(&CertificateDer<'_>) -> Result<Caller, Problem> + Send + Sync>;

/// Waits until a client certificate that TLS has verified is no longer accepted; for ever when it stays so.
pub type TurnedAway =
    Arc<dyn Fn(&CertificateDer<'_>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// For a server whose callers are never revoked.
#[must_use]
pub fn nobody_is_turned_away() -> TurnedAway {
    Arc::new(|_| Box::pin(std::future::pending()))
}

/// What to serve.
#[derive(Clone)]
pub struct Serving {
    /// See [`TlsNow`].
    pub tls: TlsNow,
    /// See [`CallerOf`].
    pub caller_of: CallerOf,
    /// See [`TurnedAway`]: such a caller's connection ends at once, with the calls on it.
    pub turned_away: TurnedAway,
    /// The registry.
    pub backend: Arc<dyn Backend>,
    /// The people who log on here; none on a machine for programs alone.
    pub people: Option<Arc<dyn People>>,
    /// Pages for people, who come without a certificate: they get every path that is not of the interfaces. None: no such path.
    pub pages: Option<axum::Router>,
    /// The bounds.
    pub limits: Limits,
}

/// The interface could not be put together; a fault of the program.
#[derive(Debug, thiserror::Error)]
#[error("the programming interface could not be set up: {0}")]
pub struct ServeFailed(#[from] tonic_reflection::server::Error);

/// Serves until `stop`; then takes no new connection, lets running calls finish for `limits.drain`, and returns.
///
/// # Errors
/// [`ServeFailed`], before anything is accepted.
pub async fn serve(
    listener: TcpListener,
    serving: Serving,
    stop: CancellationToken,
) -> Result<(), ServeFailed> {
    let limits = Arc::new(serving.limits.clone());
    let operations = Operations::new(serving.backend.clone(), serving.people.clone(), limits.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    let face = Face::new(operations.clone(), health, serving.pages.clone())?;
    let door = Arc::new(Door {
        face,
        operations: operations.clone(),
        serving,
        limits: limits.clone(),
    });
    let slots = Arc::new(Semaphore::new(limits.connections));
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    tasks.spawn(report_health(reporter, operations, limits.clone(), stop.clone()));
    while let Some(accepted) = accepted(&listener, &slots, &stop).await {
        let (door, stop, cut) = (door.clone(), stop.clone(), cut.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = door.serve_connection(accepted, stop) => {}
            }
        });
    }
    tasks.close();
    if tokio::time::timeout(limits.drain, tasks.wait()).await.is_err() {
        tracing::warn!("calls were still running at the end of the time to finish; they are cut off");
        cut.cancel();
    }
    Ok(())
}

/// A connection, the address it came from, and its place among those that are served at a time.
struct Accepted {
    socket: TcpStream,
    source: String,
    slot: OwnedSemaphorePermit,
}

/// The next connection; none when it is time to stop.
async fn accepted(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<Accepted> {
    let next = async {
        let slot = slots.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((socket, address)) => {
                    let source = address.to_string();
                    return Some(Accepted { socket, source, slot });
                }
                Err(error) => {
                    // Out of file descriptors, or a connection that went away while waiting: the next one may do.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        next = next => next,
    }
}

async fn report_health(
    reporter: HealthReporter,
    operations: Operations,
    limits: Arc<Limits>,
    stop: CancellationToken,
) {
    let every = async {
        loop {
            let ready = operations.readiness().await.iter().all(|check| check.ok);
            set_health(&reporter, ready).await;
            tokio::time::sleep(limits.readiness_every).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => set_health(&reporter, false).await,
        () = every => {}
    }
}

async fn set_health(reporter: &HealthReporter, ready: bool) {
    use tonic::server::NamedService as _;
    let status = if ready {
        tonic_health::ServingStatus::Serving
    } else {
        tonic_health::ServingStatus::NotServing
    };
    // The empty name is the machine as a whole, by the gRPC health checking protocol.
    for service in ["", RegistryServer::<crate::grpc::GrpcFace>::NAME] {
        reporter.set_service_status(service, status).await;
    }
}

struct Door {
    face: Face,
    operations: Operations,
    serving: Serving,
    limits: Arc<Limits>,
}

impl Door {
    async fn serve_connection(self: Arc<Self>, accepted: Accepted, stop: CancellationToken) {
        let Accepted { socket, source, slot } = accepted;
        // Small answers must not wait for the acknowledgement of earlier ones.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let finding = Finding::default();
        let tls = tokio::select! {
            () = stop.cancelled() => return,
            shaken = self.shaken(socket, &finding) => shaken,
        };
        let Some(tls) = tls else {
            return self.turned_away_in_handshake(source, &finding).await;
        };
        let visitor = Arc::new(Visitor::new(&tls, source.clone(), self.serving.caller_of.clone()));
        if let Ok(caller) = visitor.caller(&self.limits) {
            self.knocked(source, Some(caller), Arrival::LoggedOn).await;
        }
        let revoked = visitor.revoked(&self.serving.turned_away);
        let door = self.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (door, visitor) = (door.clone(), visitor.clone());
            async move {
                let caller = visitor.caller(&door.limits);
                let request = request.map(Body::new);
                Ok::<_, Infallible>(door.face.answer(&visitor.source, caller, request).await)
            }
        });
        let builder = self.builder();
        let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(tls), service));
        let served = async {
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            }
        };
        let ended = tokio::select! {
            biased;
            () = revoked => return tracing::warn!("the connection of a revoked caller is cut off"),
            ended = served => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(error, "a connection ended early");
        }
        drop(slot);
    }

    /// The connection with its handshake done; none when it failed.
    async fn shaken(&self, socket: TcpStream, finding: &Finding) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from((self.serving.tls)(finding));
        match tokio::time::timeout(self.limits.handshake, acceptor.accept(socket)).await {
            Ok(Ok(tls)) => return Some(tls),
            Ok(Err(error)) => tracing::info!(%error, "a TLS handshake failed"),
            Err(_elapsed) => tracing::info!("a TLS handshake was not finished in time"),
        }
        None
    }

    async fn turned_away_in_handshake(&self, source: String, finding: &Finding) {
        let known = finding.known();
        let caller = known.map(|known| Caller {
            identity: known.peer.identity.path(),
            oris: known.peer.oris.clone(),
            source: source.clone(),
            ..Caller::default()
        });
        let arrival = Arrival::NoHandshake(known.cloned());
        self.knocked(source, caller, arrival).await;
    }

    async fn knocked(&self, source: String, caller: Option<Caller>, arrival: Arrival) {
        let knock = Knock {
            source,
            caller,
            arrival,
        };
        self.operations.knocked(knock).await;
    }

    fn builder(&self) -> auto::Builder<TokioExecutor> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let header_bytes = usize::try_from(self.limits.header_bytes).unwrap_or(usize::MAX);
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read)
            .max_headers(64)
            .max_buf_size(header_bytes.max(8192));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams_per_connection)
            .max_header_list_size(self.limits.header_bytes)
            .keep_alive_interval(self.limits.header_read)
            .keep_alive_timeout(self.limits.handshake);
        builder
    }
}

/// Who is at the other end of a connection. The certificate is read anew after a while, so that a caller whose certificate
/// was revoked in the meantime is refused on a connection that is still open.
struct Visitor {
    source: String,
    certificate: Option<CertificateDer<'static>>,
    caller_of: CallerOf,
    read: Mutex<Option<(Instant, Result<Caller, Problem>)>>,
}

impl Visitor {
    fn new(tls: &TlsStream<TcpStream>, source: String, caller_of: CallerOf) -> Self {
        let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = chain.first().map(|leaf| leaf.clone().into_owned());
        Self {
            source,
            certificate,
            caller_of,
            read: Mutex::new(None),
        }
    }

    /// Ends when the caller is no longer accepted.
    fn revoked(&self, turned_away: &TurnedAway) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match &self.certificate {
            Some(certificate) => turned_away(certificate),
            None => Box::pin(std::future::pending()),
        }
    }

    fn caller(&self, limits: &Limits) -> Result<Caller, Problem> {
        let Some(certificate) = &self.certificate else {
            return Err(Problem::new(
                Code::NotAuthenticated,
                "the connection came without a client certificate",
            ));
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, caller)) = read
            .as_ref()
            .filter(|(when, _)| when.elapsed() < limits.caller_for)
        {
            return caller.clone();
        }
        let caller = (self.caller_of)(certificate).map(|caller| Caller {
            source: self.source.clone(),
            ..caller
        });
        *read = Some((Instant::now(), caller.clone()));
        caller
    }
}
