//! One identity, one live connection: who has the place, and who gets it when another comes. It lets nobody in and attends to nobody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccpor_certs::Identity;
use ccpor_sync::CloseReason;
use quinn::Connection;
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::conversation::code;
use crate::link::{LinkBoard, LinkState};
use crate::streams::is_alive;
use crate::trouble::Trouble;

/// Where questions and fetches find the connection of an identity while it is up.
pub(crate) type Current = Arc<watch::Sender<Option<Connection>>>;

/// The places of all identities that are or were connected.
pub(crate) struct Places {
    taken: Mutex<BTreeMap<Identity, Place>>,
    next_ticket: AtomicU64,
    /// Counts up at every arrival and departure.
    changes: watch::Sender<u64>,
}

/// What is known of an identity that is or was connected.
struct Place {
    board: LinkBoard,
    current: Current,
    /// The connection that has the place, from its handshake to its end.
    holder: Option<(u64, Connection)>,
    /// Whether somebody is finding out if the holder still lives.
    contested: bool,
}

/// A place that was taken, with what is told of it.
pub(crate) struct Taken {
    ticket: u64,
    pub(crate) board: LinkBoard,
    pub(crate) current: Current,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self {
            taken: Mutex::default(),
            next_ticket: AtomicU64::new(0),
            changes: watch::Sender::new(0),
        }
    }

    /// Changes whenever a peer comes or goes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Somebody came or went.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Every identity that is or was connected, with the state of its link.
    pub(crate) fn states(&self) -> Vec<(Identity, LinkState)> {
        let places = self.lock();
        let state = |(identity, place): (&Identity, &Place)| (identity.clone(), place.board.read());
        places.iter().map(state).collect()
    }

    /// The connection of an identity while it is up.
    pub(crate) fn connection(&self, peer: &Identity) -> Option<Connection> {
        self.lock().get(peer)?.current.borrow().clone()
    }

    /// The connections that were made with a certificate of this serial number.
    pub(crate) fn made_with(&self, certificate_serial: &str) -> Vec<Connection> {
        let places = self.lock();
        let meant = places
            .values()
            .filter(|place| place.board.read().peer_serial.as_deref() == Some(certificate_serial));
        meant
            .filter_map(|place| place.holder.as_ref().map(|(_, connection)| connection.clone()))
            .collect()
    }

    /// Takes the place of an identity. A newcomer gets it when the holder no longer answers; while the holder does, the newcomer is
    /// turned away: two machines under one identity are a clone, and the one that extends the ledger must not be cut off by the other.
    pub(crate) async fn take(
        &self,
        identity: &Identity,
        connection: &Connection,
    ) -> Result<Taken, CloseReason> {
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        let holder = {
            let mut places = self.lock();
            let place = places.entry(identity.clone()).or_insert_with(Place::empty);
            match &place.holder {
                None => {
                    place.holder = Some((ticket, connection.clone()));
                    return Ok(place.taken(ticket));
                }
                Some(_) if place.contested => return Err(CloseReason::AlreadyConnected),
                Some((_, holder)) => {
                    let holder = holder.clone();
                    place.contested = true;
                    holder
                }
            }
        };
        let lives = holder.close_reason().is_none() && is_alive(&holder).await;
        let mut places = self.lock();
        let place = places.entry(identity.clone()).or_insert_with(Place::empty);
        place.contested = false;
        if lives {
            warn!(peer = %identity, "two machines connect under one identity: the second is turned away");
            return Err(CloseReason::AlreadyConnected);
        }
        debug!(peer = %identity, "the earlier connection is dead and replaced");
        holder.close(
            code(CloseReason::Replaced),
            CloseReason::Replaced.to_string().as_bytes(),
        );
        // A state of its own, so that the dead connection's last words do not overwrite it.
        *place = Place {
            holder: Some((ticket, connection.clone())),
            ..Place::empty()
        };
        Ok(place.taken(ticket))
    }

    /// Gives the place back, unless another has it meanwhile.
    pub(crate) fn leave(&self, identity: &Identity, taken: &Taken, trouble: Trouble) {
        if let Some(place) = self.lock().get_mut(identity)
            && place
                .holder
                .as_ref()
                .is_some_and(|(holder, _)| *holder == taken.ticket)
        {
            place.holder = None;
            place.board.down(trouble, 0);
        }
        self.changed();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Identity, Place>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn empty() -> Self {
        Self {
            board: LinkBoard::new(),
            current: Arc::new(watch::Sender::new(None)),
            holder: None,
            contested: false,
        }
    }

    fn taken(&self, ticket: u64) -> Taken {
        Taken {
            ticket,
            board: self.board.clone(),
            current: Arc::clone(&self.current),
        }
    }
}
