//! Moments: milliseconds of UTC, and the one road between them and the days and hours of California.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::date::{Date, TimeOfDay};
use crate::text::text_in_json;

/// The zone in which the dates of every order of this registry are read.
static PACIFIC: TimeZone = jiff::tz::get!("America/Los_Angeles");

/// The last moment that the calendar can express, to the second: 9999-12-30T22:00:00Z. Whatever is later counts as this.
const LATEST_MILLIS: i64 = 253_402_207_200_000;

/// A text that is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a moment: write RFC 3339 with an offset, as in 2026-10-02T22:15:00Z")]
pub struct MomentRefused;

/// Milliseconds since 1970-01-01T00:00:00Z. JSON: `"2026-10-02T22:15:00.000Z"` (RFC 3339).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// The start of that minute in California; without a time, the start of that day.
    ///
    /// Where clocks are put forward over the minute, the same moment before the gap; where they are put back over it,
    /// the earlier one (the "compatible" rule of RFC 5545).
    #[must_use]
    pub fn pacific(date: Date, time: Option<TimeOfDay>) -> Self {
        let civil = jiff::civil::Date::from(date).to_datetime(time.unwrap_or(TimeOfDay::MIDNIGHT).into());
        match civil.to_zoned(PACIFIC.clone()) {
            Ok(zoned) => Self(zoned.timestamp().as_millisecond()),
            Err(_) => Self(LATEST_MILLIS),
        }
    }

    /// The first moment after that day in California: midnight at its end.
    #[must_use]
    pub fn pacific_end_of(date: Date) -> Self {
        if date >= Date::LAST {
            return Self(LATEST_MILLIS);
        }
        Self::pacific(date.plus_days(1), None)
    }

    /// The day and minute in California.
    #[must_use]
    pub fn in_pacific(self) -> (Date, TimeOfDay) {
        let zoned = self.zoned();
        let date = Date::try_from(zoned.date()).unwrap_or(Date::LAST);
        let time = TimeOfDay::new(zoned.hour().cast_unsigned(), zoned.minute().cast_unsigned());
        (date, time.unwrap_or(TimeOfDay::MIDNIGHT))
    }

    /// Hours, minutes and seconds in California with the zone's short name, as people on the radio say it:
    /// `02:14:07 PST`.
    #[must_use]
    pub fn pacific_clock(self) -> String {
        self.zoned().strftime("%H:%M:%S %Z").to_string()
    }

    fn zoned(self) -> Zoned {
        self.timestamp().to_zoned(PACIFIC.clone())
    }

    /// The nearest moment that the calendar can express (years -9999 to 9999).
    fn timestamp(self) -> Timestamp {
        let earliest = Timestamp::MIN.as_millisecond();
        let clamped = self.0.clamp(earliest, LATEST_MILLIS);
        Timestamp::from_millisecond(clamped).unwrap_or(Timestamp::MAX)
    }
}

impl From<UtcMillis> for i64 {
    fn from(moment: UtcMillis) -> Self {
        moment.0
    }
}

impl From<i64> for UtcMillis {
    fn from(millis: i64) -> Self {
        Self(millis)
    }
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl FromStr for UtcMillis {
    type Err = MomentRefused;

    fn from_str(text: &str) -> Result<Self, MomentRefused> {
        let timestamp: Timestamp = text.trim().parse().map_err(|_| MomentRefused)?;
        Ok(Self(timestamp.as_millisecond()))
    }
}

text_in_json!(UtcMillis, i64);
