//! What people and programs may know about a link: who, since when, how fast, and what is wrong with it.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use ccpor_certs::{Identity, Moment, Peer};
use ccpor_ledger::OriginId;
use ccpor_sync::{Divergence, RefusalCode};
use tokio::sync::watch;

use crate::limits::TROUBLED_ORIGINS_MOST;
use crate::transport::Transport;
use crate::trouble::Trouble;

/// The state of one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    /// Since when both sides have greeted each other; `None` while the link is down.
    pub up_since: Option<SystemTime>,
    /// Who is at the other end, or was when the link was last up.
    pub peer: Option<Identity>,
    /// Serial number of the peer's certificate, lower-case hexadecimal.
    pub peer_serial: Option<String>,
    /// When the peer's certificate ends.
    pub peer_ends: Option<Moment>,
    /// The address in use or tried last.
    pub address: Option<SocketAddr>,
    /// What carries the link, or carried it when it was last up.
    pub transport: Option<Transport>,
    /// Time to the other machine and back, as QUIC measures it.
    pub round_trip: Option<Duration>,
    /// Attempts that failed one after another; 0 while the link is up.
    pub failed_attempts: u32,
    /// What went wrong last.
    pub last_trouble: Option<Trouble>,
    /// Origins of this connection that need an operator, in the order found.
    pub troubled_origins: Vec<OriginTrouble>,
}

/// An origin that does not replicate over a link that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginTrouble {
    /// Its ledgers differ in a way that sending cannot heal.
    Diverged(Divergence),
    /// Its records were refused.
    Refused {
        /// The origin.
        origin: OriginId,
        /// Why.
        code: RefusalCode,
        /// Whether the peer refused ours, or we the peer's.
        by_peer: bool,
    },
    /// Our own copy cannot be read.
    Unreadable(OriginId),
}

impl OriginTrouble {
    /// The origin concerned.
    pub fn origin(&self) -> &OriginId {
        match self {
            Self::Diverged(found) => &found.origin,
            Self::Refused { origin, .. } | Self::Unreadable(origin) => origin,
        }
    }
}

/// The pen with which a connection writes its state.
#[derive(Clone, Debug)]
pub(crate) struct LinkBoard(watch::Sender<LinkState>);

impl LinkBoard {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(LinkState::default()))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<LinkState> {
        self.0.subscribe()
    }

    pub(crate) fn read(&self) -> LinkState {
        self.0.borrow().clone()
    }

    pub(crate) fn trying(&self, address: SocketAddr) {
        self.0.send_modify(|state| state.address = Some(address));
    }

    pub(crate) fn up(&self, peer: &Peer, address: SocketAddr, transport: Transport) {
        self.0.send_modify(|state| {
            *state = LinkState {
                up_since: Some(SystemTime::now()),
                peer: Some(peer.identity.clone()),
                peer_serial: Some(peer.serial.clone()),
                peer_ends: Some(peer.not_after),
                address: Some(address),
                transport: Some(transport),
                last_trouble: state.last_trouble.take(),
                ..LinkState::default()
            };
        });
    }

    pub(crate) fn down(&self, trouble: Trouble, failed_attempts: u32) {
        self.0.send_modify(|state| {
            state.up_since = None;
            state.round_trip = None;
            state.failed_attempts = failed_attempts;
            state.last_trouble = Some(trouble);
        });
    }

    pub(crate) fn round_trip(&self, round_trip: Duration) {
        self.0
            .send_if_modified(|state| state.round_trip.replace(round_trip) != Some(round_trip));
    }

    pub(crate) fn troubled(&self, trouble: OriginTrouble) {
        self.0.send_modify(|state| {
            state
                .troubled_origins
                .retain(|known| known.origin() != trouble.origin());
            if state.troubled_origins.len() < TROUBLED_ORIGINS_MOST {
                state.troubled_origins.push(trouble);
            }
        });
    }
}
