//! Whether the peer still hears us: pings, their answers, and the moment at which silence means a dead connection.
//!
//! Only proof that something of ours arrived counts. A peer that we hear but that does not hear us is dead to both.

use std::collections::VecDeque;

use crate::limits::{PING_EARLY_MS, PING_EVERY_MS, PINGS_MOST, SILENCE_MOST_MS};
use crate::millis::Millis;

#[derive(Debug)]
pub(crate) struct Pulse {
    heard_back: Millis,
    ping_due: Millis,
    next_token: u64,
    pings: VecDeque<(u64, Millis)>,
    round_trip_ms: Option<u64>,
}

/// A pong that answers no ping under way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnaskedPong;

impl Pulse {
    pub(crate) fn start(now: Millis) -> Self {
        Self {
            heard_back: now,
            ping_due: now,
            next_token: 1,
            pings: VecDeque::new(),
            round_trip_ms: None,
        }
    }

    /// The token of the ping to send now, when one is due; a little early when something else goes out now, so that neither side
    /// is woken for it alone.
    pub(crate) fn ping(&mut self, now: Millis, beside: bool) -> Option<u64> {
        let early = if beside { PING_EARLY_MS } else { 0 };
        if now + early < self.ping_due || self.pings.len() >= PINGS_MOST {
            return None;
        }
        let token = self.next_token;
        self.next_token += 1;
        self.pings.push_back((token, now));
        self.ping_due = now + PING_EVERY_MS;
        Some(token)
    }

    pub(crate) fn pong(&mut self, token: u64, now: Millis) -> Result<(), UnaskedPong> {
        let place = self
            .pings
            .iter()
            .position(|(sent, _)| *sent == token)
            .ok_or(UnaskedPong)?;
        // Pings come back in the order of sending: those before the answered one are settled with it.
        let answered = self.pings.drain(..=place).next_back();
        if let Some((_, sent)) = answered {
            self.round_trip_ms = Some(now.since(sent));
            self.proof(sent);
        }
        Ok(())
    }

    /// Something that we sent at `sent` is known to have arrived.
    pub(crate) fn proof(&mut self, sent: Millis) {
        self.heard_back = self.heard_back.max(sent);
    }

    pub(crate) fn is_dead(&self, now: Millis) -> bool {
        now >= self.dead_at()
    }

    pub(crate) fn deadline(&self) -> Millis {
        if self.pings.len() >= PINGS_MOST {
            self.dead_at()
        } else {
            self.dead_at().min(self.ping_due)
        }
    }

    pub(crate) fn round_trip_ms(&self) -> Option<u64> {
        self.round_trip_ms
    }

    fn dead_at(&self) -> Millis {
        self.heard_back + SILENCE_MOST_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_peer_dies_within_ten_seconds_of_the_cut() {
        let mut pulse = Pulse::start(Millis(0));
        let token = pulse.ping(Millis(0), false).unwrap();
        pulse.pong(token, Millis(3)).unwrap();
        assert_eq!(pulse.round_trip_ms(), Some(3));
        // Cut just after the answer: nothing more comes back.
        let mut now = Millis(3);
        while !pulse.is_dead(now) {
            now = pulse.deadline().max(now);
            pulse.ping(now, false);
        }
        assert!(now.0 <= 10_000, "{now:?}");
    }

    #[test]
    fn an_answer_keeps_it_alive_for_ever() {
        let mut pulse = Pulse::start(Millis(0));
        for _ in 0..100 {
            let now = pulse.deadline();
            assert!(!pulse.is_dead(now));
            let token = pulse.ping(now, false).unwrap();
            pulse.pong(token, now + 40).unwrap();
        }
    }

    #[test]
    fn a_ping_goes_out_beside_something_else_a_little_early() {
        let mut pulse = Pulse::start(Millis(0));
        let token = pulse.ping(Millis(0), false).unwrap();
        pulse.pong(token, Millis(3)).unwrap();
        let early = Millis(PING_EVERY_MS - PING_EARLY_MS);
        assert_eq!(pulse.ping(early, false), None);
        assert_eq!(pulse.ping(Millis(early.0 - 1), true), None);
        assert!(pulse.ping(early, true).is_some());
        assert!(
            pulse.deadline().0 >= early.0 + PING_EVERY_MS,
            "and not once more soon after"
        );
    }

    #[test]
    fn a_pong_that_nobody_asked_for_is_told() {
        let mut pulse = Pulse::start(Millis(0));
        assert_eq!(pulse.pong(7, Millis(1)), Err(UnaskedPong));
        let token = pulse.ping(Millis(1), false).unwrap();
        assert_eq!(pulse.pong(token, Millis(2)), Ok(()));
        assert_eq!(pulse.pong(token, Millis(3)), Err(UnaskedPong));
    }
}
