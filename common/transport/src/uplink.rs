//! The connection from a node (or hub) to a hub: dials, talks, waits longer after each failure, dials again, until it is
//! told to stop. Local work never waits for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::IdentityDir;
use ccpor_certs::tls::Expect;
use ccpor_sync::{Backoff, CloseReason, Side, backoff};
use quinn::{Connection, Endpoint};
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::ask::{AskError, ask};
use crate::conversation::{AbortOnDrop, code};
use crate::endpoint::{self, EndpointError};
use crate::images::{FetchError, fetch};
use crate::limits::{FAREWELL, HANDSHAKE};
use crate::link::{LinkBoard, LinkState};
use crate::peer::{Attendance, Shared, identify};
use crate::services::{Permissions, Services, Wanted};
use crate::trouble::Trouble;

/// A link that lasted this long starts the waiting times anew; a shorter one counts as a failed attempt.
const LASTED: Duration = Duration::from_secs(10);

/// The name given to TLS, which asks for one; the identity in the certificate is what is checked.
const SERVER_NAME: &str = "ccpor";

/// How a link to a hub is kept.
#[derive(Clone, Debug)]
pub struct UplinkConfig {
    /// Addresses of the hub, `host:port`, tried in turn.
    pub addresses: Vec<String>,
    /// Whom to accept there.
    pub expect: Expect,
    /// What may pass.
    pub permissions: Permissions,
    /// Waiting times between attempts.
    pub backoff: Backoff,
}

impl UplinkConfig {
    /// A link to any hub at these addresses, with the usual waiting times.
    pub fn new(addresses: Vec<String>, permissions: Permissions) -> Self {
        Self {
            addresses,
            expect: Expect::Hub,
            permissions,
            backoff: backoff::RECONNECT,
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
        endpoint::client(&identity, config.expect.clone())?;
        let (current, connections) = watch::channel(None);
        let (board, stop) = (LinkBoard::new(), CancellationToken::new());
        let dialler = Dialler {
            shared: Shared::new(services.clone(), identity.revocations()),
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

    /// Ends the connection; the link dials again by itself and both sides compare all ledgers anew.
    pub fn again(&self) {
        if let Some(connection) = self.connection() {
            let reason = CloseReason::Leaving;
            connection.close(code(reason), reason.to_string().as_bytes());
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

impl Dialler {
    async fn keep_dialling(self) {
        let mut failures = 0_u32;
        for round in 0_usize.. {
            let begun = Instant::now();
            let trouble = self.attempt(round).await;
            if self.stop.is_cancelled() {
                self.board.down(trouble, 0);
                return;
            }
            failures = if begun.elapsed() >= LASTED {
                1
            } else {
                failures.saturating_add(1)
            };
            let wait = Duration::from_millis(self.config.backoff.wait(failures, rand::random()).0);
            self.report(&trouble, failures, wait);
            self.board.down(trouble, failures);
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Dials once and talks as long as it lasts.
    async fn attempt(&self, round: usize) -> Trouble {
        let leaving = Trouble::Closed {
            reason: CloseReason::Leaving,
            by_peer: false,
        };
        let dialled = tokio::select! {
            dialled = self.dial(round) => dialled,
            () = self.stop.cancelled() => return leaving,
        };
        let (endpoint, attendance) = match dialled {
            Ok(dialled) => dialled,
            Err(trouble) => return trouble,
        };
        let trouble = self.shared.attend(attendance).await;
        if self.stop.is_cancelled() {
            // The close has to leave before the program does.
            let _ = timeout(FAREWELL, endpoint.wait_idle()).await;
        }
        trouble
    }

    async fn dial(&self, round: usize) -> Result<(Endpoint, Attendance), Trouble> {
        let address = self.address(round).await?;
        self.board.trying(address);
        let setup = |failure: EndpointError| Trouble::Address(failure.to_string());
        let config = endpoint::client(&self.identity, self.config.expect.clone()).map_err(setup)?;
        let endpoint = endpoint::dialling(address).map_err(setup)?;
        let connecting = endpoint
            .connect_with(config, address, SERVER_NAME)
            .map_err(|why| Trouble::Address(why.to_string()))?;
        let connection = timeout(HANDSHAKE, connecting)
            .await
            .map_err(|_| Trouble::NoAnswer)??;
        let peer = identify(&connection).inspect_err(|_| {
            connection.close(
                code(CloseReason::NotWelcome),
                CloseReason::NotWelcome.to_string().as_bytes(),
            );
        })?;
        let (send, receive) = connection.open_bi().await?;
        let attendance = Attendance {
            connection,
            send,
            receive,
            side: Side::Dialler,
            peer,
            permissions: self.config.permissions.clone(),
            board: self.board.clone(),
            current: Arc::clone(&self.current),
            stop: self.stop.clone(),
        };
        Ok((endpoint, attendance))
    }

    /// The next of all addresses that the configured names stand for.
    async fn address(&self, round: usize) -> Result<SocketAddr, Trouble> {
        let mut found = Vec::new();
        let mut failure = None;
        for name in &self.config.addresses {
            match timeout(HANDSHAKE, lookup_host(name)).await {
                Ok(Ok(addresses)) => found.extend(addresses),
                Ok(Err(why)) => failure = Some(Trouble::from(why)),
                Err(_) => failure = Some(Trouble::Address("the name server does not answer".to_owned())),
            }
        }
        let none = || failure.unwrap_or_else(|| Trouble::Address("none is configured".to_owned()));
        let turn = round.checked_rem(found.len()).unwrap_or_default();
        found.get(turn).copied().ok_or_else(none)
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
