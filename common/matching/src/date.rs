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

/// A partial date in 16 bits, in the order of the calendar; 0 is "not known at all". A date with a part
/// unknown comes before the days it may mean.
pub(crate) type DateCode = u16;

/// Nothing is known.
pub(crate) const UNKNOWN: DateCode = 0;
/// First and last year that have codes; a birth outside of them is taken as not known.
const FIRST_YEAR: i32 = 1900;
const LAST_YEAR: i32 = 2056;
/// Codes of a year: 13 months of 32 days, the zeros for "not known".
const CODES_OF_YEAR: i32 = 13 * 32;

/// The code of a date as recorded; an impossible day leaves the month, an impossible month leaves the year.
pub(crate) fn code_of(date: &PartialDate) -> DateCode {
    let month = date.month.filter(|month| (1..=12).contains(month));
    let day = date.day.filter(|day| (1..=31).contains(day));
    code(
        i32::from(date.year),
        i32::from(month.unwrap_or(0)),
        i32::from(month.and(day).unwrap_or(0)),
    )
}

/// The code of year, month, day, with 0 for unknown month and day.
pub(crate) fn code(year: i32, month: i32, day: i32) -> DateCode {
    if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
        return UNKNOWN;
    }
    (1 + (year - FIRST_YEAR) * CODES_OF_YEAR + month * 32 + day) as DateCode
}

/// Year, month and day of a code other than [`UNKNOWN`].
pub(crate) fn parts(code: DateCode) -> (i32, i32, i32) {
    let at = i32::from(code) - 1;
    (
        FIRST_YEAR + at.div_euclid(CODES_OF_YEAR),
        at.rem_euclid(CODES_OF_YEAR) / 32,
        at.rem_euclid(CODES_OF_YEAR) % 32,
    )
}

/// The codes of the years from `first` to `last`, both included.
pub(crate) fn years(first: i32, last: i32) -> std::ops::RangeInclusive<DateCode> {
    let (first, last) = (
        first.clamp(FIRST_YEAR, LAST_YEAR),
        last.clamp(FIRST_YEAR, LAST_YEAR),
    );
    code(first, 0, 0)..=code(last, 12, 31)
}

/// Number of a day, counted through the Gregorian calendar (days of the civil calendar, H. Hinnant's method).
pub(crate) fn day_number(year: i32, month: i32, day: i32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year
}

/// The day with a number: the inverse of [`day_number`].
pub(crate) fn day_of_number(number: i32) -> (i32, i32, i32) {
    let era = number.div_euclid(146_097);
    let day = number.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (
        year + era * 400 + i32::from(month <= 2),
        month,
        of_year - (153 * shifted + 2) / 5 + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_the_order_of_the_calendar() {
        let mut last = 0;
        for number in day_number(1900, 1, 1)..=day_number(2056, 12, 31) {
            let (y, m, d) = day_of_number(number);
            assert_eq!(day_number(y, m, d), number);
            assert!(PartialDate::full(y as i16, m as u8, d as u8).is_some());
            assert!(code(y, m, d) > last);
            last = code(y, m, d);
            assert_eq!(parts(last), (y, m, d));
        }
        assert_eq!(code(1899, 1, 1), UNKNOWN);
        assert_eq!(
            code_of(&PartialDate {
                year: 1980,
                month: Some(13),
                day: Some(2)
            }),
            code(1980, 0, 0)
        );
        assert!(years(1980, 1981).contains(&code(1981, 12, 31)));
    }
}
