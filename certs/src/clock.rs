//! The time of day as certificates need it, in whole seconds; every other module takes it from here, so that a
//! test can move it. It must not be used for the order of records.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds in a day.
pub(crate) const DAY: i64 = 86_400;

/// A moment in whole seconds since 1970-01-01T00:00:00Z; shown and stored as RFC 3339 text in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// This moment moved by `seconds` (negative: back), stopping at the ends of the number's range.
    pub const fn plus(self, seconds: i64) -> Moment {
        Moment(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment; negative when `earlier` is in fact later.
    pub const fn since(self, earlier: Moment) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same moment for the TLS library; moments before 1970 become 1970.
    pub(crate) fn unix(self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.0).unwrap_or(0)))
    }
}

impl From<UnixTime> for Moment {
    fn from(time: UnixTime) -> Moment {
        Moment(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{} s after 1970", self.0),
        }
    }
}

/// The text is not a moment such as `2026-11-23T14:30:00Z`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a moment in RFC 3339 form, such as 2026-11-23T14:30:00Z")]
pub struct NotAMoment;

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Moment, NotAMoment> {
        let moment: jiff::Timestamp = text.parse().map_err(|_| NotAMoment)?;
        Ok(Moment(moment.as_second()))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the time comes from: the machine, or a hand that a test moves.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Machine,
    Hand(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of this machine.
    pub fn machine() -> Clock {
        Clock(Source::Machine)
    }

    /// A clock that stands at `at` until [`Clock::set`] moves it; every clone shows the same time.
    pub fn standing_at(at: Moment) -> Clock {
        Clock(Source::Hand(Arc::new(AtomicI64::new(at.0))))
    }

    /// Moves a standing clock; the machine's clock is left alone.
    pub fn set(&self, at: Moment) {
        if let Source::Hand(hand) = &self.0 {
            hand.store(at.0, Ordering::SeqCst);
        }
    }

    /// The time now.
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::Hand(hand) => Moment(hand.load(Ordering::SeqCst)),
            Source::Machine => {
                let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Moment(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
            }
        }
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.now().unix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_text() {
        let moment = Moment(1_795_444_200);
        assert_eq!(moment.to_string().parse::<Moment>().unwrap(), moment);
        assert_eq!(
            serde_json::to_string(&Moment(0)).unwrap(),
            "\"1970-01-01T00:00:00Z\""
        );
        assert!("yesterday".parse::<Moment>().is_err());
        assert_eq!(Moment(i64::MAX).plus(1), Moment(i64::MAX));
        assert!(!Moment(i64::MAX).to_string().is_empty());
    }

    #[test]
    fn every_clone_of_a_standing_clock_moves_together() {
        let clock = Clock::standing_at(Moment(100));
        let other = clock.clone();
        clock.set(Moment(200));
        assert_eq!(other.now(), Moment(200));
        assert!(Clock::machine().now() > Moment(1_700_000_000));
    }
}
