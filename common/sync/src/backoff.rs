//! How long to wait before dialling again: a pure function of the number of failures and one random number.

use crate::millis::Millis;

/// Bounds of the waiting time between two attempts to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Milliseconds that the first wait is drawn from.
    pub first_ms: u64,
    /// Milliseconds that no wait ever passes.
    pub most_ms: u64,
}

/// What nodes use towards a hub.
///
/// A thousand nodes that lose the hub together come back spread over the whole range, because every wait is drawn
/// from the full interval ("full jitter", AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
pub const RECONNECT: Backoff = Backoff {
    first_ms: 100,
    most_ms: 30_000,
};

impl Backoff {
    /// The wait before the next attempt.
    ///
    /// `failures` counts the attempts that failed one after another (1 after the first), `random` is evenly
    /// distributed over all `u64`. The result lies between a quarter of `first_ms` and `most_ms`; the floor
    /// keeps an unlucky draw from becoming a tight loop.
    pub fn wait(&self, failures: u32, random: u64) -> Millis {
        let doublings = failures.saturating_sub(1).min(32);
        let ceiling = self.first_ms.saturating_mul(1_u64 << doublings).min(self.most_ms);
        let floor = (self.first_ms / 4).min(ceiling);
        let span = u128::from(ceiling - floor) + 1;
        let drawn = (u128::from(random) * span) >> 64;
        Millis(floor + u64::try_from(drawn).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_until_the_cap() {
        let longest = |failures| RECONNECT.wait(failures, u64::MAX).0;
        assert_eq!(longest(1), 100);
        assert_eq!(longest(2), 200);
        assert_eq!(longest(9), 25_600);
        assert_eq!(longest(10), 30_000);
        assert_eq!(longest(u32::MAX), 30_000);
    }

    proptest! {
        #[test]
        fn every_wait_lies_between_floor_and_cap(failures: u32, random: u64) {
            let wait = RECONNECT.wait(failures, random).0;
            prop_assert!((25..=30_000).contains(&wait));
        }
    }
}
