//! Where nodes and hubs connect to: handshakes within bounds, and each peer attended to until it goes. What they may send follows
//! from their certificates alone.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ccpor_certs::listener::Finding;
use ccpor_certs::{Identity, IdentityDir};
use ccpor_sync::{Backoff, CloseReason, Side, limits as protocol};
use quinn::{Connection, Endpoint};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::ask::{AskError, ask};
use crate::conversation::code;
use crate::endpoint::{self, EndpointError, QuicServer, TunnelServer};
use crate::held_off::{HeldOff, is_offence};
use crate::images::{FetchError, fetch};
use crate::limits::{self, CONNECTIONS_MOST, FAREWELL, HANDSHAKE, HANDSHAKES_MOST, HANDSHAKES_UNPROVEN};
use crate::link::LinkState;
use crate::peer::{Attendance, Carrier, Shared, identify};
use crate::places::Places;
use crate::platform::{Platform, System};
use crate::refusal::{Refusal, Refusals};
use crate::services::{Permissions, Permits, Services, Wanted};
use crate::transport::Transport;
use crate::trouble::Trouble;
use crate::tunnel;

/// How to land.
#[derive(Clone)]
pub struct LandingConfig {
    /// Where to listen, for UDP and for TCP.
    pub listen: SocketAddr,
    /// What may pass to and from whom.
    pub permits: Arc<Permits>,
    /// How long a peer that breaks the protocol again and again is not listened to.
    pub held_off: Backoff,
    /// The machine that it runs on.
    pub platform: Arc<dyn Platform>,
    /// Who is told of those that are refused.
    pub refusals: Refusals,
}

impl LandingConfig {
    /// A hub's rules.
    pub fn hub(listen: SocketAddr) -> Self {
        Self {
            listen,
            permits: Arc::new(Permissions::hub_towards),
            held_off: limits::HELD_OFF,
            platform: Arc::new(System),
            refusals: Arc::new(|_| ()),
        }
    }
}

/// Starts to listen.
pub struct Landing;

/// A running landing. Dropped, it ends without a farewell.
pub struct LandingHandle {
    grounds: Arc<Grounds>,
    endpoint: Endpoint,
}

struct Grounds {
    shared: Shared,
    quic: QuicServer,
    /// What a TCP connection is greeted with, and what is spoken inside it.
    tunnel: TunnelServer,
    inside: QuicServer,
    permits: Arc<Permits>,
    refusals: Refusals,
    places: Places,
    held_off: Mutex<HeldOff>,
    /// Handshakes under way; those of each transport have room of their own, so that neither keeps the other out.
    quic_handshakes: AtomicUsize,
    tcp_handshakes: AtomicUsize,
    connections: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The pause after the system could not accept a TCP connection, as when there are too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

impl Landing {
    /// Listens from now on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The port is taken or the identity directory gives no usable TLS settings.
    pub fn start(
        identity: &IdentityDir,
        services: Services,
        config: LandingConfig,
    ) -> Result<LandingHandle, EndpointError> {
        let quic = QuicServer::of(identity, Transport::Quic)?;
        let (endpoint, listener) =
            endpoint::listening(config.listen, identity, &quic, config.platform.as_ref())?;
        let grounds = Arc::new(Grounds {
            quic,
            tunnel: TunnelServer::of(identity)?,
            inside: QuicServer::of(identity, Transport::Tcp)?,
            shared: Shared::new(services, identity.revocations(), &config.platform),
            permits: config.permits,
            refusals: config.refusals,
            places: Places::new(),
            held_off: Mutex::new(HeldOff::new(config.held_off)),
            quic_handshakes: AtomicUsize::new(0),
            tcp_handshakes: AtomicUsize::new(0),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MOST)),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        grounds.tasks.spawn(Arc::clone(&grounds).accept(endpoint.clone()));
        if let Some(listener) = listener {
            grounds.tasks.spawn(Arc::clone(&grounds).accept_tcp(listener));
        }
        Ok(LandingHandle { grounds, endpoint })
    }
}

impl LandingHandle {
    /// The address in use: tells the port when 0 was asked for.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// Every identity that is or was connected since the start, with the state of its link.
    pub fn peers(&self) -> Vec<(Identity, LinkState)> {
        self.grounds.places.states()
    }

    /// Changes whenever a peer comes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.grounds.places.changes()
    }

    /// Puts a question to a connected peer.
    ///
    /// # Errors
    /// No answer came; see [`AskError`].
    pub async fn ask(&self, peer: &Identity, question: &[u8], within: Duration) -> Result<Vec<u8>, AskError> {
        let connection = self.connection(peer).ok_or(AskError::NotConnected)?;
        ask(&connection, question, within).await
    }

    /// Fetches one image from a connected peer now.
    ///
    /// # Errors
    /// The image could not be had; see [`FetchError`].
    pub async fn fetch_image(&self, peer: &Identity, wanted: Wanted) -> Result<(), FetchError> {
        let connection = self.connection(peer).ok_or(FetchError::NotConnected)?;
        fetch(&connection, &self.grounds.shared.services, wanted).await
    }

    /// Ends a peer's connection; it dials again by itself and both sides compare all ledgers anew.
    pub fn again(&self, peer: &Identity) {
        if let Some(connection) = self.connection(peer) {
            let reason = CloseReason::Leaving;
            connection.close(code(reason), reason.to_string().as_bytes());
        }
    }

    /// Ends every connection of a certificate, as after its revocation. True when there was one.
    pub fn disconnect(&self, certificate_serial: &str) -> bool {
        let connections = self.grounds.places.made_with(certificate_serial);
        for connection in &connections {
            let reason = CloseReason::NotWelcome;
            connection.close(code(reason), reason.to_string().as_bytes());
        }
        !connections.is_empty()
    }

    /// Says farewell to every peer and stops listening.
    pub async fn stop(self) {
        self.grounds.stop.cancel();
        self.grounds.tasks.close();
        let _ = timeout(FAREWELL * 4, self.grounds.tasks.wait()).await;
        self.endpoint.close(
            code(CloseReason::Leaving),
            CloseReason::Leaving.to_string().as_bytes(),
        );
        let _ = timeout(FAREWELL, self.endpoint.wait_idle()).await;
    }

    fn connection(&self, peer: &Identity) -> Option<Connection> {
        self.grounds.places.connection(peer)
    }
}

impl Drop for LandingHandle {
    fn drop(&mut self) {
        self.grounds.stop.cancel();
    }
}

impl Grounds {
    async fn accept(self: Arc<Self>, endpoint: Endpoint) {
        loop {
            let incoming = tokio::select! {
                incoming = endpoint.accept() => incoming,
                () = self.stop.cancelled() => return,
            };
            let Some(incoming) = incoming else { return };
            let handshakes = self.quic_handshakes.load(Ordering::Relaxed);
            if handshakes >= HANDSHAKES_UNPROVEN && !incoming.remote_address_validated() {
                // Whoever answers this does not forge its address; nothing is remembered meanwhile.
                let _ = incoming.retry();
            } else if let Some(permit) = self.room(&self.quic_handshakes) {
                let (grounds, address) = (Arc::clone(&self), incoming.remote_address());
                self.tasks.spawn(async move {
                    let finding = Finding::default();
                    let shaking = async {
                        let config = grounds.quic.settings(&finding)?;
                        Ok((incoming.accept_with(Arc::new(config))?.await?, Carrier::Udp))
                    };
                    let handshakes = &grounds.quic_handshakes;
                    grounds.land(address, handshakes, &finding, shaking).await;
                    drop(permit);
                });
            } else {
                incoming.refuse();
            }
        }
    }

    /// TCP connections, by the same bounds. Their addresses are proven by TCP itself.
    async fn accept_tcp(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => return,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(failure) => {
                    warn!(%failure, "a TCP connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            // Dropped when there is no room: the other side sees the end at once.
            if let Some(permit) = self.room(&self.tcp_handshakes) {
                let grounds = Arc::clone(&self);
                self.tasks.spawn(async move {
                    grounds.land_tcp(stream, address).await;
                    drop(permit);
                });
            }
        }
    }

    /// A place for one more connection, whose handshake begins now; none when there are too many of either.
    fn room(&self, handshakes: &AtomicUsize) -> Option<OwnedSemaphorePermit> {
        if handshakes.load(Ordering::Relaxed) >= HANDSHAKES_MOST {
            return None;
        }
        let permit = Arc::clone(&self.connections).try_acquire_owned().ok()?;
        handshakes.fetch_add(1, Ordering::Relaxed);
        Some(permit)
    }

    /// The connection that comes through a tunnel: one, and no second.
    async fn land_tcp(&self, stream: TcpStream, address: SocketAddr) {
        // Of both handshakes, the one around and the one inside: the first that refuses is the last.
        let (mut inside, finding) = (None, Finding::default());
        let shaking = async {
            tunnel::tune(&stream);
            let own = stream.local_addr()?;
            let shaken = self.tunnel.acceptor(&finding).accept(stream).await;
            let (socket, end) = tunnel::dig(shaken.map_err(Trouble::of_stream)?, own, address);
            let config = self.inside.settings(&finding)?;
            let endpoint = inside.insert(endpoint::tunnelled(socket, Some(config))?);
            let incoming = endpoint.accept().await.ok_or(Trouble::Lost)?;
            let connection = incoming.accept()?.await?;
            endpoint.set_server_config(None);
            Ok((connection, Carrier::Tunnel(end)))
        };
        self.land(address, &self.tcp_handshakes, &finding, shaking).await;
        if let Some(endpoint) = inside {
            // The close has to leave before the tunnel does.
            let _ = timeout(FAREWELL, endpoint.wait_idle()).await;
        }
    }

    async fn land(
        &self,
        address: SocketAddr,
        handshakes: &AtomicUsize,
        finding: &Finding,
        shaking: impl Future<Output = Result<(Connection, Carrier), Trouble>>,
    ) {
        let shaken = timeout(HANDSHAKE, shaking).await;
        handshakes.fetch_sub(1, Ordering::Relaxed);
        let outcome = match shaken {
            Ok(Ok((connection, carrier))) => {
                let peer = identify(&connection).ok();
                (peer, self.receive(connection, carrier).await)
            }
            Ok(Err(trouble)) => (None, Err(trouble)),
            Err(_) => (None, Err(Trouble::NoAnswer)),
        };
        if let (peer, Ok(why) | Err(why)) = &outcome
            && why.is_refusal()
        {
            (self.refusals)(&Refusal::of(address, why, peer.as_ref(), finding));
        }
        match outcome.1 {
            Ok(_ended) => {}
            // A node that looked whether UDP passes, or whether the hub is there.
            Err(Trouble::Closed {
                reason: CloseReason::Leaving,
                by_peer: true,
            }) => debug!(%address, "somebody looked whether this hub answers"),
            // The log was told when it began.
            Err(Trouble::Closed {
                reason: CloseReason::HeldOff,
                by_peer: false,
            }) => debug!(%address, "a peer is held off"),
            Err(trouble) => warn!(%address, "connection refused: {trouble}"),
        }
    }

    /// Attends to whoever is let in, until the connection ends; gives why it did.
    async fn receive(&self, connection: Connection, carrier: Carrier) -> Result<Trouble, Trouble> {
        let turn_away = |reason: CloseReason| {
            connection.close(code(reason), reason.to_string().as_bytes());
            Trouble::Closed {
                reason,
                by_peer: false,
            }
        };
        let peer = identify(&connection).inspect_err(|_| {
            turn_away(CloseReason::NotWelcome);
        })?;
        let permissions = (self.permits)(&peer.identity).ok_or_else(|| turn_away(CloseReason::NotWelcome))?;
        if self.held_off().holds_off(&peer.identity, Instant::now()) {
            return Err(turn_away(CloseReason::HeldOff));
        }
        let within = Duration::from_millis(protocol::GREETING_MS);
        let stream = timeout(within, connection.accept_bi()).await;
        let (send, receive) = stream.map_err(|_| turn_away(CloseReason::NoGreeting))??;
        let identity = peer.identity.clone();
        let place = self
            .places
            .take(&identity, &connection)
            .await
            .map_err(turn_away)?;
        let begun = Instant::now();
        info!(peer = %identity, address = %connection.remote_address(), transport = %carrier.transport(), "connected");
        let up = place.current.subscribe();
        let attendance = Attendance {
            connection,
            carrier,
            send,
            receive,
            side: Side::Listener,
            peer,
            permissions,
            board: place.board.clone(),
            current: Arc::clone(&place.current),
            stop: self.stop.clone(),
        };
        let trouble = {
            let attending = self.shared.attend(attendance);
            tokio::pin!(attending);
            self.announce_when_up(up, &mut attending).await
        };
        info!(peer = %identity, "disconnected: {trouble}");
        self.judge(&identity, &trouble, &place.board.read(), begun.elapsed());
        self.places.leave(&identity, &place, trouble.clone());
        Ok(trouble)
    }

    /// Remembers a peer that broke the protocol.
    fn judge(&self, peer: &Identity, ended: &Trouble, state: &LinkState, lasted: Duration) {
        if !is_offence(ended, state, lasted) {
            return;
        }
        let wait = self.held_off().offended(peer, Instant::now());
        if !wait.is_zero() {
            warn!(%peer, seconds = wait.as_secs(), "breaks the protocol again and again: not listened to for so long");
        }
    }

    /// Attends, and lets watchers know the moment the link is up.
    async fn announce_when_up(
        &self,
        mut up: watch::Receiver<Option<Connection>>,
        attending: &mut (impl Future<Output = Trouble> + Unpin),
    ) -> Trouble {
        tokio::select! {
            trouble = &mut *attending => return trouble,
            _ = up.wait_for(Option::is_some) => {}
        }
        self.places.changed();
        attending.await
    }

    fn held_off(&self) -> MutexGuard<'_, HeldOff> {
        self.held_off.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
