//! Dates of birth as far as they are known; arithmetic on them, no clock.

use serde::{Deserialize, Serialize};

/// A date of which the day, or the day and the month, may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartialDate {
    /// Year of the Gregorian calendar.
    pub year: i16,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
}

/// What the caller knows about a birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Born {
    /// On a date, or in a month or a year.
    On(PartialDate),
    /// `years` old, give or take `within`, at the moment `at`; without a moment it says nothing
    /// (see [`crate::Query::as_of`]).
    Age {
        /// Completed years.
        years: u8,
        /// Years of doubt on both sides.
        within: u8,
        /// The day of the observation.
        at: Option<PartialDate>,
    },
}

impl PartialDate {
    /// A full date; `None` when the calendar has no such day.
    pub fn full(year: i16, month: u8, day: u8) -> Option<Self> {
        let date = Self {
            year,
            month: Some(month),
            day: Some(day),
        };
        date.is_possible().then_some(date)
    }

    /// A year alone.
    pub fn year(year: i16) -> Self {
        Self {
            year,
            month: None,
            day: None,
        }
    }

    /// Whether the calendar has such a day (a day without a month is impossible).
    pub fn is_possible(&self) -> bool {
        match (self.month, self.day) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(month), None) => (1..=12).contains(&month),
            (Some(month), Some(day)) => {
                (1..=12).contains(&month) && day >= 1 && day <= days_in(self.year, month)
            }
        }
    }
}

/// Days of a month of the Gregorian calendar; 31 for a month that is none.
pub(crate) fn days_in(year: i16, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
