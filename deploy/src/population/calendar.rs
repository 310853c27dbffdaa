//! Days as numbers, for arithmetic that is done a million times over; the rest of the program knows only dates.

use ccpor_domain::Date;

/// Days since 1 January 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(pub(super) i32);

impl Day {
    /// The day of a date (days_from_civil of H. Hinnant, chrono-compatible date algorithms).
    pub(super) fn of(date: Date) -> Self {
        let (month, day) = (i32::from(date.month()), i32::from(date.day()));
        let year = i32::from(date.year()) - i32::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self(era * 146_097 + day_of_era - 719_468)
    }

    /// The date of a day (civil_from_days of the same).
    pub(super) fn date(self) -> Date {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        Date::new(year as i16, month as u8, day as u8).unwrap_or(Date::LAST)
    }

    pub(super) fn plus(self, days: u32) -> Self {
        Self(self.0 + days as i32)
    }

    pub(super) fn minus(self, days: u32) -> Self {
        Self(self.0 - days as i32)
    }

    /// The next day on which courts sit (no Saturday or Sunday), or the day itself.
    pub(super) fn court_day(self) -> Self {
        match self.weekday() {
            5 => Self(self.0 + 2),
            6 => Self(self.0 + 1),
            _ => self,
        }
    }

    /// The last day on which courts sat, or the day itself.
    pub(super) fn last_court_day(self) -> Self {
        Self(self.0 - (self.weekday() - 4).max(0))
    }

    /// 0 for Monday.
    fn weekday(self) -> i32 {
        // 1 January 1970 was a Thursday.
        (self.0 + 3).rem_euclid(7)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for number in (-20_000..40_000).step_by(13) {
            let date = Day(number).date();
            assert_eq!(Day::of(date).0, number);
        }
        assert_eq!(Day(0).date().to_string(), "1970-01-01");
        assert_eq!(Day(11_016).date().to_string(), "2000-02-29");
        // 22 November 2026 is a Sunday.
        let sunday = Day::of("2026-11-22".parse().unwrap());
        assert_eq!(sunday.court_day().date().to_string(), "2026-11-23");
        assert_eq!(sunday.last_court_day().date().to_string(), "2026-11-20");
    }
}
