//! Days and times as they are written on an order: civil, without a zone. Impossible ones cannot be made.

use std::fmt;
use std::str::FromStr;

use crate::text::text_in_json;

/// A date that is not in the calendar, or not written as one. Holds no part of the refused text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateRefused {
    /// The text has another shape.
    #[error("not a date: write YYYY-MM-DD")]
    Shape,
    /// The text has another shape than any of the three partial ones.
    #[error("not a date: write YYYY, YYYY-MM or YYYY-MM-DD")]
    PartialShape,
    /// The calendar has no such day (30 February, month 13, year 0).
    #[error("there is no such day in the calendar: check year, month and day")]
    Impossible,
}

/// A time of day that does not exist, or is not written as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day: write HH:MM between 00:00 and 23:59")]
pub struct TimeRefused;

/// A day of the Gregorian calendar, years 1 to 9999. JSON: `"2026-10-02"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, when the calendar has it.
    ///
    /// # Errors
    /// [`DateRefused::Impossible`].
    pub fn new(year: i16, month: u8, day: u8) -> Result<Self, DateRefused> {
        let (Ok(signed_month), Ok(signed_day)) = (i8::try_from(month), i8::try_from(day)) else {
            return Err(DateRefused::Impossible);
        };
        if year < 1 || jiff::civil::Date::new(year, signed_month, signed_day).is_err() {
            return Err(DateRefused::Impossible);
        }
        Ok(Self { year, month, day })
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The day `days` later; the last day of the calendar when there is none.
    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        use jiff::ToSpan;
        let later = jiff::civil::Date::from(self).saturating_add(i64::from(days).days());
        Self::try_from(later).unwrap_or(Self::LAST)
    }

    /// The same day `years` later; 28 February for a 29 February that the later year lacks.
    #[must_use]
    pub fn plus_years(self, years: u8) -> Self {
        use jiff::ToSpan;
        let later = jiff::civil::Date::from(self).saturating_add(i64::from(years).years());
        Self::try_from(later).unwrap_or(Self::LAST)
    }

    /// The day before; the first day of the calendar has none and is given itself.
    #[must_use]
    pub fn day_before(self) -> Self {
        let before = jiff::civil::Date::from(self).yesterday();
        before
            .ok()
            .and_then(|date| Self::try_from(date).ok())
            .unwrap_or(self)
    }

    pub(crate) fn weekday(self) -> jiff::civil::Weekday {
        jiff::civil::Date::from(self).weekday()
    }

    /// 31 December 9999, where the calendar of this crate ends.
    pub const LAST: Self = Self {
        year: 9999,
        month: 12,
        day: 31,
    };
}

impl From<Date> for jiff::civil::Date {
    fn from(date: Date) -> Self {
        // The constructor admitted nothing that jiff refuses, so the fallback is never taken.
        Self::new(date.year, date.month.cast_signed(), date.day.cast_signed()).unwrap_or(Self::MAX)
    }
}

impl TryFrom<jiff::civil::Date> for Date {
    type Error = DateRefused;

    fn try_from(date: jiff::civil::Date) -> Result<Self, DateRefused> {
        Self::new(
            date.year(),
            date.month().cast_unsigned(),
            date.day().cast_unsigned(),
        )
    }
}

impl From<Date> for (i16, u8, u8) {
    fn from(date: Date) -> Self {
        (date.year, date.month, date.day)
    }
}

impl TryFrom<(i16, u8, u8)> for Date {
    type Error = DateRefused;

    fn try_from((year, month, day): (i16, u8, u8)) -> Result<Self, DateRefused> {
        Self::new(year, month, day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = DateRefused;

    fn from_str(text: &str) -> Result<Self, DateRefused> {
        let partial = PartialDate::from_str(text).map_err(|refused| match refused {
            DateRefused::PartialShape => DateRefused::Shape,
            other => other,
        })?;
        partial.whole().ok_or(DateRefused::Shape)
    }
}

text_in_json!(Date, (i16, u8, u8));

/// A date of which perhaps only the year, or year and month, are known. JSON: `"1985"`, `"1985-03"`, `"1985-03-12"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate {
    year: i16,
    month: Option<u8>,
    day: Option<u8>,
}

impl PartialDate {
    /// The date, when the calendar can have it. A day without a month is refused.
    ///
    /// # Errors
    /// [`DateRefused::Impossible`].
    pub fn new(year: i16, month: Option<u8>, day: Option<u8>) -> Result<Self, DateRefused> {
        if month.is_none() && day.is_some() {
            return Err(DateRefused::Impossible);
        }
        Date::new(year, month.unwrap_or(1), day.unwrap_or(1))?;
        Ok(Self { year, month, day })
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// The month, 1 to 12, when known.
    #[must_use]
    pub const fn month(self) -> Option<u8> {
        self.month
    }

    /// The day of the month, when known.
    #[must_use]
    pub const fn day(self) -> Option<u8> {
        self.day
    }

    /// The day, when all of it is known.
    #[must_use]
    pub fn whole(self) -> Option<Date> {
        Date::new(self.year, self.month?, self.day?).ok()
    }
}

impl From<Date> for PartialDate {
    fn from(date: Date) -> Self {
        Self {
            year: date.year,
            month: Some(date.month),
            day: Some(date.day),
        }
    }
}

impl From<PartialDate> for (i16, Option<u8>, Option<u8>) {
    fn from(date: PartialDate) -> Self {
        (date.year, date.month, date.day)
    }
}

impl TryFrom<(i16, Option<u8>, Option<u8>)> for PartialDate {
    type Error = DateRefused;

    fn try_from((year, month, day): (i16, Option<u8>, Option<u8>)) -> Result<Self, DateRefused> {
        Self::new(year, month, day)
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day {
            write!(f, "-{day:02}")?;
        }
        Ok(())
    }
}

impl FromStr for PartialDate {
    type Err = DateRefused;

    fn from_str(text: &str) -> Result<Self, DateRefused> {
        let mut parts = text.trim().split('-');
        let year = parts
            .next()
            .and_then(|part| digits(part, 4))
            .ok_or(DateRefused::PartialShape)?;
        let mut two_digits = || match parts.next() {
            None => Ok(None),
            Some(part) => digits(part, 2).map(Some).ok_or(DateRefused::PartialShape),
        };
        let (month, day) = (two_digits()?, two_digits()?);
        if parts.next().is_some() {
            return Err(DateRefused::PartialShape);
        }
        let small = |number: Option<i16>| number.and_then(|n| u8::try_from(n).ok());
        Self::new(year, small(month), small(day))
    }
}

text_in_json!(PartialDate, (i16, Option<u8>, Option<u8>));

/// A minute of the day, 00:00 to 23:59. JSON: `"22:15"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
}

impl TimeOfDay {
    /// 00:00.
    pub const MIDNIGHT: Self = Self { hour: 0, minute: 0 };

    /// 17:00.
    pub(crate) const SEVENTEEN: Self = Self { hour: 17, minute: 0 };

    /// The minute, when the day has it.
    ///
    /// # Errors
    /// [`TimeRefused`].
    pub fn new(hour: u8, minute: u8) -> Result<Self, TimeRefused> {
        if hour > 23 || minute > 59 {
            return Err(TimeRefused);
        }
        Ok(Self { hour, minute })
    }

    /// The hour, 0 to 23.
    #[must_use]
    pub const fn hour(self) -> u8 {
        self.hour
    }

    /// The minute, 0 to 59.
    #[must_use]
    pub const fn minute(self) -> u8 {
        self.minute
    }
}

impl From<TimeOfDay> for jiff::civil::Time {
    fn from(time: TimeOfDay) -> Self {
        Self::new(time.hour.cast_signed(), time.minute.cast_signed(), 0, 0).unwrap_or(Self::MIN)
    }
}

impl From<TimeOfDay> for (u8, u8) {
    fn from(time: TimeOfDay) -> Self {
        (time.hour, time.minute)
    }
}

impl TryFrom<(u8, u8)> for TimeOfDay {
    type Error = TimeRefused;

    fn try_from((hour, minute): (u8, u8)) -> Result<Self, TimeRefused> {
        Self::new(hour, minute)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeRefused;

    fn from_str(text: &str) -> Result<Self, TimeRefused> {
        let (hour, minute) = text.trim().split_once(':').ok_or(TimeRefused)?;
        let number = |part| {
            digits(part, 2)
                .and_then(|n| u8::try_from(n).ok())
                .ok_or(TimeRefused)
        };
        Self::new(number(hour)?, number(minute)?)
    }
}

text_in_json!(TimeOfDay, (u8, u8));

/// The number of exactly `count` ASCII digits (at most four, so that it fits).
fn digits(text: &str, count: usize) -> Option<i16> {
    let only_digits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    only_digits.then(|| text.parse().ok()).flatten()
}
