//! Births compared: how the date asked for and the date recorded are related, and where related dates are found.

use crate::date::{self, Born, DateCode, PartialDate, UNKNOWN, code, day_number, day_of_number, parts};

/// What is asked about the birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BirthAsked {
    Nothing,
    Day {
        year: i32,
        month: i32,
        day: i32,
    },
    /// A span of days, first and last: a month, a year, or an age.
    Span {
        first: i32,
        last: i32,
    },
}

/// How the recorded date is related to the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BirthAlike {
    /// One of them is not known.
    Unknown,
    Same,
    OneDayOff,
    MonthAndDaySwapped,
    /// One year, or a decade, off.
    YearOff,
    OneDigit,
    DigitsSwapped,
    FewDaysOff,
    SwappedAndYearOff,
    SameMonthAndDay,
    SameYearAndMonth,
    SameYearAndDay,
    SameYear,
    YearBeside,
    Far,
    /// The recorded date lies in the span asked for; or the recorded year has the day asked for.
    InSpan,
    /// It lies within a year, or within three years, of the span.
    BesideSpan,
    NearSpan,
}

impl BirthAsked {
    /// What the query tells; impossible and unknown dates tell nothing, or as much as is possible in them.
    pub(crate) fn of(born: Option<&Born>) -> Self {
        match born {
            None => Self::Nothing,
            Some(Born::On(date)) => Self::on(date),
            Some(Born::Age { at: None, .. }) => Self::Nothing,
            Some(Born::Age {
                years,
                within,
                at: Some(at),
            }) => {
                let (month, day) = (i32::from(at.month.unwrap_or(7)), i32::from(at.day.unwrap_or(1)));
                let (years, within) = (i32::from(*years), i32::from(*within));
                let year = i32::from(at.year);
                Self::Span {
                    first: day_number(year - years - within - 1, month, day) + 1,
                    last: day_number(year - years + within, month, day),
                }
            }
        }
    }

    fn on(date: &PartialDate) -> Self {
        let known = date::code_of(date);
        if known == UNKNOWN {
            return Self::Nothing;
        }
        match parts(known) {
            (year, 0, _) => Self::Span {
                first: day_number(year, 1, 1),
                last: day_number(year, 12, 31),
            },
            (year, month, 0) => Self::Span {
                first: day_number(year, month, 1),
                last: day_number(year, month, 31),
            },
            (year, month, day) => Self::Day { year, month, day },
        }
    }

    /// How a recorded date is related to what is asked.
    pub(crate) fn compare(&self, recorded: DateCode) -> BirthAlike {
        if recorded == UNKNOWN {
            return BirthAlike::Unknown;
        }
        let (year, month, day) = parts(recorded);
        match *self {
            Self::Nothing => BirthAlike::Unknown,
            Self::Day {
                year: y,
                month: m,
                day: d,
            } if month == 0 || day == 0 => match (year - y).abs() {
                0 if month == 0 || month == m => BirthAlike::InSpan,
                0 | 1 => BirthAlike::BesideSpan,
                2 | 3 => BirthAlike::NearSpan,
                _ => {
                    let _ = d;
                    BirthAlike::Far
                }
            },
            Self::Day {
                year: y,
                month: m,
                day: d,
            } => days_alike((y, m, d), (year, month, day)),
            Self::Span { first, last } => {
                let (earliest, latest) = match (month, day) {
                    (0, _) => (day_number(year, 1, 1), day_number(year, 12, 31)),
                    (_, 0) => (day_number(year, month, 1), day_number(year, month, 31)),
                    _ => (day_number(year, month, day), day_number(year, month, day)),
                };
                match (first - latest).max(earliest - last) {
                    ..=0 => BirthAlike::InSpan,
                    1..=366 => BirthAlike::BesideSpan,
                    367..=1097 => BirthAlike::NearSpan,
                    _ => BirthAlike::Far,
                }
            }
        }
    }

    /// Dates so close to the day asked for that all who are recorded with them are worth a look.
    pub(crate) fn neighbours(&self, out: &mut Vec<DateCode>) {
        let Self::Day { year, month, day } = *self else {
            return;
        };
        let number = day_number(year, month, day);
        for near in [number - 1, number + 1] {
            let (y, m, d) = day_of_number(near);
            out.push(code(y, m, d));
        }
        if day <= 12 && day != month {
            out.push(code(year, day, month));
        }
        out.extend([-1, 1, -10, 10].map(|off| code(year + off, month, day)));
        if (month, day) == (2, 28) {
            out.extend([-1, 1, -10, 10].map(|off| code(year + off, 2, 29)));
        }
        out.retain(|near| *near != UNKNOWN);
    }

    /// Marks the dates that speak for the person even when only the surname agrees besides.
    pub(crate) fn mark_telling(&self, dates: &mut DateSet, given_known: bool) {
        dates.add(UNKNOWN);
        match *self {
            Self::Nothing => {
                if !given_known {
                    dates.add_range(UNKNOWN..=DateCode::MAX);
                }
            }
            Self::Span { first, last } => {
                if !given_known {
                    let (from, to) = (day_of_number(first - 366).0, day_of_number(last + 366).0);
                    dates.add_range(date::years(from, to));
                }
            }
            Self::Day { year, month, day } => {
                dates.add(code(year, 0, 0));
                dates.add(code(year, month, 0));
                for other in year - 60..=year + 60 {
                    dates.add(code(other, month, day));
                }
                for d in 1..=31 {
                    dates.add(code(year, month, d));
                }
                for m in 1..=12 {
                    dates.add(code(year, m, day));
                }
                if day <= 12 {
                    for off in [-10, -1, 0, 1, 10] {
                        dates.add(code(year + off, day, month));
                    }
                }
                for near in -3..=3 {
                    let (y, m, d) = day_of_number(day_number(year, month, day) + near);
                    dates.add(code(y, m, d));
                }
                if !given_known {
                    dates.add_range(date::years(year, year));
                }
            }
        }
    }

    /// The years in which the person may be recorded when only year or age is asked; `None` for a full date.
    pub(crate) fn span_codes(&self) -> Option<std::ops::RangeInclusive<DateCode>> {
        let Self::Span { first, last } = *self else {
            return None;
        };
        Some(date::years(day_of_number(first).0, day_of_number(last).0))
    }
}

/// A set of date codes, one bit each.
pub(crate) struct DateSet {
    bits: Box<[u64; 1024]>,
}

impl Default for DateSet {
    fn default() -> Self {
        Self {
            bits: Box::new([0; 1024]),
        }
    }
}

impl DateSet {
    /// Empties the set.
    pub(crate) fn clear(&mut self) {
        self.bits.fill(0);
    }

    /// Adds one code.
    pub(crate) fn add(&mut self, code: u16) {
        if let Some(bits) = self.bits.get_mut(usize::from(code >> 6)) {
            *bits |= 1 << (code & 63);
        }
    }

    /// Adds codes.
    pub(crate) fn add_range(&mut self, codes: std::ops::RangeInclusive<u16>) {
        codes.for_each(|code| self.add(code));
    }

    /// Whether the code is in.
    pub(crate) fn has(&self, code: u16) -> bool {
        self.bits
            .get(usize::from(code >> 6))
            .is_some_and(|bits| bits >> (code & 63) & 1 == 1)
    }
}

/// Relation of two full dates. Both orders of the arguments give the same answer.
fn days_alike(a: (i32, i32, i32), b: (i32, i32, i32)) -> BirthAlike {
    if a == b {
        return BirthAlike::Same;
    }
    if a.0 != b.0
        && [(a.1, a.2), (b.1, b.2)]
            .iter()
            .all(|day| matches!(day, (2, 28 | 29)))
        && a.2 != b.2
    {
        // Who was born on a leap day has no birthday in other years but the day before.
        return days_alike((a.0, 2, 28), (b.0, 2, 28));
    }
    let (same_y, same_m, same_d) = (a.0 == b.0, a.1 == b.1, a.2 == b.2);
    let years = (a.0 - b.0).abs();
    let swapped = a.1 == b.2 && a.2 == b.1;
    if same_y && swapped {
        return BirthAlike::MonthAndDaySwapped;
    }
    let days = (day_number(a.0, a.1, a.2) - day_number(b.0, b.1, b.2)).abs();
    if days == 1 {
        return BirthAlike::OneDayOff;
    }
    if same_m && same_d && (years == 1 || years == 10) {
        return BirthAlike::YearOff;
    }
    let mut digits = 0;
    let mut turned = 0;
    for (x, y, width) in [(a.0, b.0, 4), (a.1, b.1, 2), (a.2, b.2, 2)] {
        let (differ, turn) = digits_differ(x, y, width);
        digits += differ;
        turned += i32::from(turn);
    }
    match (digits, turned) {
        (1, _) => return BirthAlike::OneDigit,
        (2, 1) => return BirthAlike::DigitsSwapped,
        _ => {}
    }
    if days <= 3 {
        BirthAlike::FewDaysOff
    } else if swapped && (years == 1 || years == 10) {
        BirthAlike::SwappedAndYearOff
    } else if same_m && same_d {
        BirthAlike::SameMonthAndDay
    } else if same_y && same_m {
        BirthAlike::SameYearAndMonth
    } else if same_y && same_d {
        BirthAlike::SameYearAndDay
    } else if same_y {
        BirthAlike::SameYear
    } else if years <= 2 {
        BirthAlike::YearBeside
    } else {
        BirthAlike::Far
    }
}

/// How many decimal digits differ, and whether the difference is two neighbours that changed places.
fn digits_differ(a: i32, b: i32, width: u32) -> (i32, bool) {
    let digit = |n: i32, place: u32| n / 10_i32.pow(place) % 10;
    let differ = (0..width)
        .filter(|place| digit(a, *place) != digit(b, *place))
        .count() as i32;
    let turned = differ == 2
        && (1..width).any(|p| {
            digit(a, p) == digit(b, p - 1) && digit(a, p - 1) == digit(b, p) && digit(a, p) != digit(a, p - 1)
        });
    (differ, turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(asked: (i16, u8, u8), recorded: (i32, i32, i32)) -> BirthAlike {
        let born = Born::On(PartialDate::full(asked.0, asked.1, asked.2).unwrap());
        BirthAsked::of(Some(&born)).compare(code(recorded.0, recorded.1, recorded.2))
    }

    #[test]
    fn slips_of_the_pen_are_told_apart() {
        assert_eq!(alike((1985, 3, 12), (1985, 3, 12)), BirthAlike::Same);
        assert_eq!(alike((1985, 3, 1), (1985, 2, 28)), BirthAlike::OneDayOff);
        assert_eq!(
            alike((1985, 3, 12), (1985, 12, 3)),
            BirthAlike::MonthAndDaySwapped
        );
        assert_eq!(alike((1985, 3, 12), (1995, 3, 12)), BirthAlike::YearOff);
        assert_eq!(alike((1985, 3, 12), (1985, 3, 17)), BirthAlike::OneDigit);
        assert_eq!(alike((1985, 3, 12), (1958, 3, 12)), BirthAlike::DigitsSwapped);
        assert_eq!(alike((1985, 3, 12), (1985, 3, 21)), BirthAlike::DigitsSwapped);
        assert_eq!(alike((1985, 3, 12), (1972, 3, 12)), BirthAlike::SameMonthAndDay);
        assert_eq!(alike((1985, 3, 12), (1961, 8, 30)), BirthAlike::Far);
        assert_eq!(alike((1985, 3, 12), (1985, 0, 0)), BirthAlike::InSpan);
    }

    #[test]
    fn an_age_is_a_span() {
        let at = PartialDate::full(2026, 11, 1);
        let asked = BirthAsked::of(Some(&Born::Age {
            years: 41,
            within: 0,
            at,
        }));
        assert_eq!(asked.compare(code(1985, 11, 1)), BirthAlike::InSpan);
        assert_eq!(asked.compare(code(1984, 11, 2)), BirthAlike::InSpan);
        assert_eq!(asked.compare(code(1984, 11, 1)), BirthAlike::BesideSpan);
        assert_eq!(asked.compare(code(1960, 11, 1)), BirthAlike::Far);
    }
}
