//! Heartbeats on their way to the peer: only those newer than what it is known to have, and several in one frame.

use std::collections::BTreeMap;

use ccpor_ledger::{Hlc, OriginId, SignedHeartbeat};

use crate::action::Action;
use crate::frame::{CloseReason, Frame};
use crate::limits::{BEATS_EVERY_MS, BEATS_MOST, ORIGINS_MOST};
use crate::millis::Millis;
use crate::origins::OriginSet;

#[derive(Debug)]
pub(crate) struct Relay {
    offers: OriginSet,
    accepts: OriginSet,
    /// The closed moment that the peer last told us or was told, by origin.
    known: BTreeMap<OriginId, Hlc>,
    waiting: BTreeMap<OriginId, SignedHeartbeat>,
    next_frame: Millis,
}

impl Relay {
    pub(crate) fn new(offers: OriginSet, accepts: OriginSet) -> Self {
        Self {
            offers,
            accepts,
            known: BTreeMap::new(),
            waiting: BTreeMap::new(),
            next_frame: Millis(0),
        }
    }

    /// A heartbeat of our own or from another peer, verified by the store and newer to it than the one before, even if a clock
    /// was set back meanwhile.
    pub(crate) fn news(&mut self, signed: SignedHeartbeat) {
        let Ok(heartbeat) = signed.decode() else { return };
        let is_known = self.known.get(&heartbeat.origin) == Some(&heartbeat.closed);
        if self.offers.contains(&heartbeat.origin) && !is_known {
            self.known.insert(heartbeat.origin.clone(), heartbeat.closed);
            self.waiting.insert(heartbeat.origin, signed);
        }
    }

    /// Heartbeats came in: their names are checked here, their signatures by the store.
    pub(crate) fn received(
        &mut self,
        heartbeats: Vec<SignedHeartbeat>,
        actions: &mut Vec<Action>,
    ) -> Result<(), CloseReason> {
        if heartbeats.len() > BEATS_MOST {
            return Err(CloseReason::TooMuch);
        }
        for signed in &heartbeats {
            let heartbeat = signed.decode().map_err(|_| CloseReason::Malformed)?;
            if !self.accepts.contains(&heartbeat.origin) {
                return Err(CloseReason::NotYours);
            }
            if self.is_newer(&heartbeat.origin, heartbeat.closed) {
                self.waiting.remove(&heartbeat.origin);
                self.known.insert(heartbeat.origin, heartbeat.closed);
            }
        }
        if self.known.len() > ORIGINS_MOST {
            return Err(CloseReason::TooMuch);
        }
        if !heartbeats.is_empty() {
            actions.push(Action::TakeHeartbeats(heartbeats));
        }
        Ok(())
    }

    /// Sends what waits when it is time.
    pub(crate) fn flush(&mut self, now: Millis, actions: &mut Vec<Action>) {
        if self.waiting.is_empty() || now < self.next_frame {
            return;
        }
        self.next_frame = now + BEATS_EVERY_MS;
        let mut frame = Vec::new();
        while frame.len() < BEATS_MOST
            && let Some((_, heartbeat)) = self.waiting.pop_first()
        {
            frame.push(heartbeat);
        }
        actions.push(Action::Send(Frame::Heartbeats(frame)));
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        (!self.waiting.is_empty()).then_some(self.next_frame)
    }

    fn is_newer(&self, origin: &OriginId, closed: Hlc) -> bool {
        self.known.get(origin).is_none_or(|known| *known < closed)
    }
}
