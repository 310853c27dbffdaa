//! Who broke the protocol, and how long each is not listened to for it: twice as long each time, up to a bound. It closes
//! nothing and reads no clock.

use std::collections::BTreeMap;
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_sync::{Backoff, CloseReason, RefusalCode};
use tokio::time::Instant;

use crate::limits::{FORGIVEN_AFTER, OFFENDERS_MOST};
use crate::link::{LinkState, OriginTrouble};
use crate::trouble::Trouble;

/// The peers that broke the protocol lately.
#[derive(Debug)]
pub(crate) struct HeldOff {
    waits: Backoff,
    offenders: BTreeMap<Identity, Offender>,
}

#[derive(Debug)]
struct Offender {
    offences: u32,
    last: Instant,
    until: Instant,
}

impl HeldOff {
    pub(crate) fn new(waits: Backoff) -> Self {
        Self {
            waits,
            offenders: BTreeMap::new(),
        }
    }

    /// A peer broke the protocol: for how long it is not listened to. Once may be a mishap, and costs it nothing.
    pub(crate) fn offended(&mut self, peer: &Identity, now: Instant) -> Duration {
        self.offenders
            .retain(|_, offender| now.duration_since(offender.last) < FORGIVEN_AFTER);
        let offences = self.offenders.get(peer).map_or(0, |known| known.offences);
        let wait = match offences {
            0 => 0,
            before => self.waits.wait(before, u64::MAX).0,
        };
        let wait = Duration::from_millis(wait);
        if self.offenders.len() < OFFENDERS_MOST || offences > 0 {
            self.offenders.insert(
                peer.clone(),
                Offender {
                    offences: offences.saturating_add(1),
                    last: now,
                    until: now + wait,
                },
            );
        }
        wait
    }

    /// Whether a peer is not listened to now.
    pub(crate) fn holds_off(&self, peer: &Identity, now: Instant) -> bool {
        self.offenders
            .get(peer)
            .is_some_and(|offender| now < offender.until)
    }
}

/// Whether a connection that ended like this was ended because of what the peer sent: what is no frame, what the protocol does not
/// allow, and, on one that did not last, records that prove nothing. A line that fails and a machine that was cloned or restored
/// are no offence.
pub(crate) fn is_offence(ended: &Trouble, state: &LinkState, lasted: Duration) -> bool {
    let by_rule = matches!(
        ended,
        Trouble::Closed {
            reason: CloseReason::Malformed
                | CloseReason::OutOfOrder
                | CloseReason::TooMuch
                | CloseReason::NotYours,
            by_peer: false,
        }
    );
    let is_bad = |trouble: &OriginTrouble| {
        matches!(
            trouble,
            OriginTrouble::Refused {
                code: RefusalCode::BadRecord,
                by_peer: false,
                ..
            }
        )
    };
    by_rule || (lasted < FORGIVEN_AFTER / 60 && state.troubled_origins.iter().any(is_bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Backoff = Backoff {
        first_ms: 1_000,
        most_ms: 5_000,
    };

    #[test]
    fn a_peer_is_held_off_longer_each_time_up_to_a_bound_and_others_are_not() {
        let (mut held, now) = (HeldOff::new(WAITS), Instant::now());
        let [evil, honest] = ["evil", "honest"].map(|name| Identity::court(name, 1).unwrap());
        let waits: Vec<u64> = (0..6).map(|_| held.offended(&evil, now).as_secs()).collect();
        assert_eq!(waits, [0, 1, 2, 4, 5, 5]);
        assert!(held.holds_off(&evil, now + Duration::from_millis(4_999)));
        assert!(!held.holds_off(&evil, now + Duration::from_secs(5)));
        assert!(!held.holds_off(&honest, now));
        assert_eq!(held.offended(&honest, now), Duration::ZERO);
        assert!(!held.holds_off(&honest, now));
    }

    #[test]
    fn what_is_long_past_is_forgiven() {
        let (mut held, now) = (HeldOff::new(WAITS), Instant::now());
        let peer = Identity::court("clumsy", 1).unwrap();
        held.offended(&peer, now);
        assert!(held.offended(&peer, now) > Duration::ZERO);
        assert_eq!(held.offended(&peer, now + FORGIVEN_AFTER), Duration::ZERO);
    }
}
