//! The hybrid logical clock that orders records; it reads the wall clock but never goes back with it, and stores nothing.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Bits of the counter that tells apart what happened within one millisecond.
const COUNTER_BITS: u32 = 16;

/// A moment of the hybrid clock: 48 bits of milliseconds since 1970 UTC, then a 16 bit counter.
///
/// It is close to wall time while clocks are right, and always greater than every moment its clock gave or saw before
/// (Kulkarni et al., "Logical Physical Clocks", 2014). Display and legal expiry use wall time, never this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Hlc(pub u64);

impl Hlc {
    /// Before every moment.
    pub const ZERO: Hlc = Hlc(0);

    /// The first moment of a millisecond since 1970 UTC; times outside 48 bits are clamped.
    pub fn from_millis(millis: u64) -> Hlc {
        Hlc(millis.min(u64::MAX >> COUNTER_BITS) << COUNTER_BITS)
    }

    /// Milliseconds since 1970 UTC.
    pub fn millis(self) -> u64 {
        self.0 >> COUNTER_BITS
    }
}

impl fmt::Display for Hlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.millis(), self.0 & ((1 << COUNTER_BITS) - 1))
    }
}

/// Gives moments that only go forward, whatever the wall clock does. Share one among all who stamp records.
pub struct HybridClock {
    last: AtomicU64,
    wall: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl HybridClock {
    /// A clock over the system's wall time.
    pub fn system() -> HybridClock {
        HybridClock::over(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    /// A clock over any source of milliseconds since 1970 UTC: a simulation's, or a test's.
    pub fn over(wall: impl Fn() -> u64 + Send + Sync + 'static) -> HybridClock {
        HybridClock {
            last: AtomicU64::new(0),
            wall: Box::new(wall),
        }
    }

    /// The next moment: wall time, or one tick after the last moment when the wall clock has not passed it.
    ///
    /// At the very end of the number range the moment repeats instead of going back; a ledger then refuses the record.
    pub fn now(&self) -> Hlc {
        let wall = Hlc::from_millis((self.wall)()).0;
        let next = |last: u64| Some(wall.max(last.saturating_add(1)));
        match self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, next) {
            Ok(last) | Err(last) => Hlc(wall.max(last.saturating_add(1))),
        }
    }

    /// Takes note of a moment that another clock gave: every later [`HybridClock::now`] is greater.
    ///
    /// There is no limit to how far ahead the moment may be; the caller decides whose moments to believe.
    pub fn observe(&self, seen: Hlc) {
        self.last.fetch_max(seen.0, Ordering::AcqRel);
    }
}

impl fmt::Debug for HybridClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HybridClock")
            .field("last", &Hlc(self.last.load(Ordering::Acquire)))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn never_back_and_past_what_was_seen() {
        let wall = Arc::new(AtomicU64::new(1_000));
        let source = Arc::clone(&wall);
        let clock = HybridClock::over(move || source.load(Ordering::Relaxed));
        let first = clock.now();
        assert_eq!(first.millis(), 1_000);
        wall.store(10, Ordering::Relaxed);
        let second = clock.now();
        assert!(second > first);
        clock.observe(Hlc::from_millis(5_000));
        assert!(clock.now() > Hlc::from_millis(5_000));
        wall.store(6_000, Ordering::Relaxed);
        assert_eq!(clock.now(), Hlc::from_millis(6_000));
        clock.observe(Hlc(u64::MAX));
        assert_eq!(clock.now(), Hlc(u64::MAX));
    }

    #[test]
    fn moments_of_many_threads_all_differ() {
        let clock = HybridClock::over(|| 7);
        let mut moments: Vec<Hlc> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..1_000).map(|_| clock.now()).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        moments.sort();
        moments.dedup();
        assert_eq!(moments.len(), 4_000);
    }
}
