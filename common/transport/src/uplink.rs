//! The connection from a node (or hub) to a hub: dials, talks, waits longer after each failure, dials again, until it is
//! told to stop. Local work never waits for it.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::IdentityDir;
use ccpor_certs::tls::Expect;
use ccpor_sync::{Backoff, CloseReason, Side, backoff};
use quinn::Connection;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::ask::{AskError, ask};
use crate::conversation::AbortOnDrop;
use crate::dial::{Dialled, addresses, close, dial};
use crate::endpoint::{self, EndpointError};
use crate::images::{FetchError, fetch, fetch_into};
use crate::limits::FAREWELL;
use crate::link::{LinkBoard, LinkState};
use crate::peer::{Attendance, Shared};
use crate::platform::{Platform, System};
use crate::services::{ImageSink, Permissions, Services, Wanted};
use crate::transport::{Transport, TransportChoice};
use crate::trouble::Trouble;

/// A link that lasted this long starts the waiting times anew; a shorter one counts as a failed attempt.
const LASTED: Duration = Duration::from_secs(10);

/// Pauses between two looks whether UDP passes again, while TCP carries a link that prefers QUIC. Once QUIC carried it for the longest
/// of them, they begin anew: where UDP passes now and then, the link is not to be taken to and fro.
const LOOK_FOR_QUIC: Backoff = Backoff {
    first_ms: 5_000,
    most_ms: 300_000,
};

/// How a link to a hub is kept.
#[derive(Clone, Debug)]
pub struct UplinkConfig {
    /// Addresses of the hub, `host:port`, tried in turn.
    pub addresses: Vec<String>,
    /// Whom to accept there.
    pub expect: Expect,
    /// What may pass.
    pub permissions: Permissions,
    /// What it may be carried by.
    pub transport: TransportChoice,
    /// Waiting times between attempts.
    pub backoff: Backoff,
    /// The machine that it runs on.
    pub platform: Arc<dyn Platform>,
}

impl UplinkConfig {
    /// A link to any hub at these addresses, by whatever passes, with the usual waiting times.
    pub fn new(addresses: Vec<String>, permissions: Permissions) -> Self {
        Self {
            addresses,
            expect: Expect::Hub,
            permissions,
            transport: TransportChoice::Auto,
            backoff: backoff::RECONNECT,
            platform: Arc::new(System),
        }
    }
}

/// Bytes of a connection since it was opened, as payload of UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// To the hub.
    pub sent: u64,
    /// From the hub.
    pub received: u64,
}

/// Starts links.
pub struct Uplink;

/// A running link. Dropped without [`UplinkHandle::stop`], it ends without a farewell.
pub struct UplinkHandle {
    board: LinkBoard,
    current: watch::Receiver<Option<Connection>>,
    services: Services,
    stop: CancellationToken,
    task: AbortOnDrop<()>,
}

struct Dialler {
    identity: IdentityDir,
    config: UplinkConfig,
    shared: Shared,
    board: LinkBoard,
    current: Arc<watch::Sender<Option<Connection>>>,
    stop: CancellationToken,
}

impl Uplink {
    /// Keeps a link to a hub from now on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The identity directory gives no usable TLS settings. That the hub cannot be reached is no error: it is tried again.
    pub fn start(
        identity: IdentityDir,
        services: Services,
        config: UplinkConfig,
    ) -> Result<UplinkHandle, EndpointError> {
        endpoint::client(&identity, config.expect.clone(), Transport::Quic)?;
        let (current, connections) = watch::channel(None);
        let (board, stop) = (LinkBoard::new(), CancellationToken::new());
        let dialler = Dialler {
            shared: Shared::new(services.clone(), identity.revocations(), &config.platform),
            board: board.clone(),
            stop: stop.clone(),
            current: Arc::new(current),
            identity,
            config,
        };
        let task = AbortOnDrop(tokio::spawn(dialler.keep_dialling()));
        Ok(UplinkHandle {
            board,
            current: connections,
            services,
            stop,
            task,
        })
    }
}

impl UplinkHandle {
    /// The state of the link, now and as it changes.
    pub fn status(&self) -> watch::Receiver<LinkState> {
        self.board.watch()
    }

    /// The bytes of the present connection; none while the link is down.
    pub fn traffic(&self) -> Option<Traffic> {
        let stats = self.connection()?.stats();
        Some(Traffic {
            sent: stats.udp_tx.bytes,
            received: stats.udp_rx.bytes,
        })
    }

    /// Puts a question to the hub.
    ///
    /// # Errors
    /// No answer came; see [`AskError`].
    pub async fn ask(&self, question: &[u8], within: Duration) -> Result<Vec<u8>, AskError> {
        let connection = self.connection().ok_or(AskError::NotConnected)?;
        ask(&connection, question, within).await
    }

    /// Fetches one image from the hub now.
    ///
    /// # Errors
    /// The image could not be had; see [`FetchError`].
    pub async fn fetch_image(&self, wanted: Wanted) -> Result<(), FetchError> {
        let connection = self.connection().ok_or(FetchError::NotConnected)?;
        fetch(&connection, &self.services, wanted).await
    }

    /// Fetches one image from the hub now, to somewhere else than the image store.
    ///
    /// # Errors
    /// The image could not be had; see [`FetchError`].
    pub async fn fetch_image_into(&self, wanted: Wanted, sink: Box<dyn ImageSink>) -> Result<(), FetchError> {
        let connection = self.connection().ok_or(FetchError::NotConnected)?;
        fetch_into(&connection, sink, wanted).await
    }

    /// Ends the connection; the link dials again by itself and both sides compare all ledgers anew.
    pub fn again(&self) {
        if let Some(connection) = self.connection() {
            close(&connection, CloseReason::Leaving);
        }
    }

    /// Says farewell to the hub and ends the link.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = timeout(FAREWELL * 4, &mut self.task.0).await;
    }

    fn connection(&self) -> Option<Connection> {
        self.current.borrow().clone()
    }
}

const LEAVING: Trouble = Trouble::Closed {
    reason: CloseReason::Leaving,
    by_peer: false,
};

/// What is known of what passes.
struct Passing {
    /// What worked last, which is tried first.
    first: Transport,
    /// Looks for QUIC since it last carried the link for long.
    looks: u32,
}

/// How an attempt ended.
enum Ended {
    By(Trouble),
    /// TCP carried the link, and UDP passes again.
    ForQuic,
}

impl Dialler {
    async fn keep_dialling(self) {
        let mut failures = 0_u32;
        let mut passing = Passing {
            first: self.preferred(),
            looks: 0,
        };
        for round in 0_usize.. {
            let begun = Instant::now();
            let trouble = match self.attempt(round, &mut passing).await {
                Ended::By(trouble) => trouble,
                Ended::ForQuic => {
                    failures = 0;
                    passing.first = Transport::Quic;
                    info!("UDP to the hub passes again: the link goes back to QUIC");
                    self.board.down(LEAVING, 0);
                    continue;
                }
            };
            if self.stop.is_cancelled() {
                self.board.down(trouble, 0);
                return;
            }
            if passing.first == Transport::Quic
                && begun.elapsed() >= Duration::from_millis(LOOK_FOR_QUIC.most_ms)
            {
                passing.looks = 0;
            }
            failures = if begun.elapsed() >= LASTED {
                1
            } else {
                failures.saturating_add(1)
            };
            let wait = Duration::from_millis(
                self.config
                    .backoff
                    .wait(failures, self.config.platform.chance())
                    .0,
            );
            self.report(&trouble, failures, wait);
            self.board.down(trouble, failures);
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Dials once and talks as long as it lasts.
    async fn attempt(&self, round: usize, passing: &mut Passing) -> Ended {
        let dialled = tokio::select! {
            dialled = self.dial(round, &mut passing.first) => dialled,
            () = self.stop.cancelled() => return Ended::By(LEAVING),
        };
        let (address, dialled) = match dialled {
            Ok(dialled) => dialled,
            Err(trouble) => return Ended::By(trouble),
        };
        let Dialled {
            endpoint,
            connection,
            carrier,
            peer,
        } = dialled;
        let (send, receive) = match connection.open_bi().await {
            Ok(stream) => stream,
            Err(failure) => return Ended::By(failure.into()),
        };
        let for_quic =
            carrier.transport() == Transport::Tcp && self.config.transport == TransportChoice::Auto;
        let stop = self.stop.child_token();
        let mut attending = pin!(self.shared.attend(Attendance {
            connection,
            carrier,
            send,
            receive,
            side: Side::Dialler,
            peer,
            permissions: self.config.permissions.clone(),
            board: self.board.clone(),
            current: Arc::clone(&self.current),
            stop: stop.clone(),
        }));
        let ended = tokio::select! {
            trouble = &mut attending => Ended::By(trouble),
            () = self.quic_passes(address, &mut passing.looks), if for_quic => {
                stop.cancel();
                attending.await;
                Ended::ForQuic
            }
        };
        if stop.is_cancelled() {
            // The close has to leave before the program does.
            let _ = timeout(FAREWELL, endpoint.wait_idle()).await;
        }
        ended
    }

    /// Dials the next address by what is allowed; by the other transport when nobody answers and both are.
    async fn dial(&self, round: usize, first: &mut Transport) -> Result<(SocketAddr, Dialled), Trouble> {
        let found = addresses(&self.config.addresses).await?;
        let turn = round.checked_rem(found.len()).unwrap_or_default();
        let none = || Trouble::Address("none is configured".to_owned());
        let address = found.get(turn).copied().ok_or_else(none)?;
        self.board.trying(address);
        let by = |over| self.dial_by(address, over);
        let dialled = match by(*first).await {
            Err(Trouble::NoAnswer) if self.config.transport == TransportChoice::Auto => {
                *first = first.other();
                by(*first).await.inspect_err(|_| *first = self.preferred())
            }
            dialled => dialled,
        };
        Ok((address, dialled?))
    }

    async fn dial_by(&self, address: SocketAddr, over: Transport) -> Result<Dialled, Trouble> {
        let UplinkConfig { expect, platform, .. } = &self.config;
        dial(&self.identity, expect.clone(), address, over, platform.as_ref()).await
    }

    fn preferred(&self) -> Transport {
        match self.config.transport {
            TransportChoice::Auto | TransportChoice::Quic => Transport::Quic,
            TransportChoice::Tcp => Transport::Tcp,
        }
    }

    /// Waits until the hub answers over UDP.
    async fn quic_passes(&self, address: SocketAddr, looks: &mut u32) {
        loop {
            *looks = looks.saturating_add(1);
            sleep(Duration::from_millis(
                LOOK_FOR_QUIC.wait(*looks, self.config.platform.chance()).0,
            ))
            .await;
            if let Ok(dialled) = self.dial_by(address, Transport::Quic).await {
                close(&dialled.connection, CloseReason::Leaving);
                return;
            }
        }
    }

    /// The first failure and then every tenth: a hub that is down for a day must not fill the log.
    fn report(&self, trouble: &Trouble, failures: u32, wait: Duration) {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        if failures % 10 == 1 {
            warn!(failures, wait_ms, "link down: {trouble}; {}", trouble.remedy());
        } else {
            info!(failures, wait_ms, "link down: {trouble}");
        }
    }
}
