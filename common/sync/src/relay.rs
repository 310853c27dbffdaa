//! Heartbeats on their way to the peer: only those newer than what it is known to have, and several in one frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use ccpor_ledger::{Heartbeat, Hlc, OriginId, SignedHeartbeat};

use crate::action::Action;
use crate::frame::{CloseReason, Frame};
use crate::ledgers::Beat;
use crate::limits::{BEATS_EVERY_MS, BEATS_MOST, ORIGINS_MOST};
use crate::millis::Millis;
use crate::origins::OriginSet;

#[derive(Debug)]
pub(crate) struct Relay {
    offers: OriginSet,
    accepts: OriginSet,
    told: BTreeMap<OriginId, Told>,
    /// How many heartbeats wait.
    waiting: usize,
    next_frame: Millis,
}

/// What the peer knows of one origin.
#[derive(Debug)]
struct Told {
    /// The closed moment that it last told us or was told, or will be.
    closed: Hlc,
    /// The heartbeat that it will be told.
    waiting: Option<Arc<Beat>>,
}

impl Relay {
    pub(crate) fn new(offers: OriginSet, accepts: OriginSet) -> Self {
        Self {
            offers,
            accepts,
            told: BTreeMap::new(),
            waiting: 0,
            next_frame: Millis(0),
        }
    }

    /// A heartbeat of our own or from another peer, verified by the store and newer to it than the one before, even if a clock
    /// was set back meanwhile.
    pub(crate) fn news(&mut self, beat: Arc<Beat>) {
        let (origin, closed) = (&beat.said.origin, beat.said.closed);
        if !self.offers.contains(origin) {
            return;
        }
        match self.told.get_mut(origin) {
            Some(told) if told.closed == closed => {}
            Some(told) => {
                told.closed = closed;
                self.waiting += usize::from(told.waiting.replace(beat).is_none());
            }
            None => {
                let origin = origin.clone();
                let waiting = Some(beat);
                self.told.insert(origin, Told { closed, waiting });
                self.waiting += 1;
            }
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
            self.heard(heartbeat);
        }
        if self.told.len() > ORIGINS_MOST {
            return Err(CloseReason::TooMuch);
        }
        if !heartbeats.is_empty() {
            actions.push(Action::TakeHeartbeats(heartbeats));
        }
        Ok(())
    }

    /// What the peer told us is not told to it, unless we know later.
    fn heard(&mut self, heartbeat: Heartbeat) {
        let closed = heartbeat.closed;
        match self.told.get_mut(&heartbeat.origin) {
            Some(told) if told.closed >= closed => {}
            Some(told) => {
                told.closed = closed;
                self.waiting -= usize::from(told.waiting.take().is_some());
            }
            None => {
                let waiting = None;
                self.told.insert(heartbeat.origin, Told { closed, waiting });
            }
        }
    }

    /// Sends what waits when it is time. True when there was something.
    pub(crate) fn flush(&mut self, now: Millis, actions: &mut Vec<Action>) -> bool {
        if self.waiting == 0 || now < self.next_frame {
            return false;
        }
        self.next_frame = now + BEATS_EVERY_MS;
        let waiting = self.told.values_mut().filter_map(|told| told.waiting.take());
        let frame: Vec<_> = waiting.take(BEATS_MOST).map(|beat| beat.signed.clone()).collect();
        self.waiting -= frame.len();
        actions.push(Action::Send(Frame::Heartbeats(frame)));
        true
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        (self.waiting > 0).then_some(self.next_frame)
    }
}
