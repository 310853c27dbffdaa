//! Court days: every day on which a court sits, so neither a weekend, nor a judicial holiday, nor a day on which this court is
//! closed. What the law counts in court days or business days is counted here.

use std::collections::BTreeMap;

use jiff::civil::Weekday;

use crate::court::Court;
use crate::date::{Date, TimeOfDay};

/// One judicial holiday of the State (Code Civ. Proc. 135; Gov. Code 6700).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// Its name.
    pub name: &'static str,
    /// When it falls.
    pub falls: Falls,
    /// The first year in which courts are closed on it.
    pub from: i16,
    /// The last year, when it is no holiday any more.
    pub until: Option<i16>,
    /// Whether the line was not read in a published source, so that an administrator should check it against the court's own
    /// calendar; a difference is put right by a closure in the settings.
    pub unverified: bool,
}

/// The rule by which a holiday falls on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Falls {
    /// On a day of a month; a Saturday's is kept on the Friday before, a Sunday's on the Monday after (Cal. Rules of Court 1.11).
    On(u8, u8),
    /// On the so-many-eth such weekday of a month, counted from 1.
    Nth(u8, u8, Weekday),
    /// On the last such weekday of a month.
    Last(u8, Weekday),
    /// On the day after the so-many-eth such weekday of a month.
    AfterNth(u8, u8, Weekday),
}

const fn holiday(name: &'static str, falls: Falls, from: i16, until: Option<i16>) -> Holiday {
    Holiday {
        name,
        falls,
        from,
        until,
        unverified: true,
    }
}

/// The judicial holidays built in. None of the lines was checked against the published statute.
pub const HOLIDAYS: &[Holiday] = &[
    holiday("New Year's Day", Falls::On(1, 1), 1, None),
    holiday(
        "Martin Luther King Jr. Day",
        Falls::Nth(1, 3, Weekday::Monday),
        1984,
        None,
    ),
    holiday("Lincoln Day", Falls::On(2, 12), 1, None),
    holiday("Presidents' Day", Falls::Nth(2, 3, Weekday::Monday), 1, None),
    holiday("Cesar Chavez Day", Falls::On(3, 31), 2001, None),
    holiday("Memorial Day", Falls::Last(5, Weekday::Monday), 1, None),
    holiday("Juneteenth", Falls::On(6, 19), 2022, None),
    holiday("Independence Day", Falls::On(7, 4), 1, None),
    holiday("Labor Day", Falls::Nth(9, 1, Weekday::Monday), 1, None),
    holiday(
        "Native American Day",
        Falls::Nth(9, 4, Weekday::Friday),
        2022,
        None,
    ),
    holiday("Columbus Day", Falls::Nth(10, 2, Weekday::Monday), 1, Some(2021)),
    holiday("Veterans Day", Falls::On(11, 11), 1, None),
    holiday("Thanksgiving Day", Falls::Nth(11, 4, Weekday::Thursday), 1, None),
    holiday(
        "Day after Thanksgiving",
        Falls::AfterNth(11, 4, Weekday::Thursday),
        1,
        None,
    ),
    holiday("Christmas Day", Falls::On(12, 25), 1, None),
];

/// When a court's business closes unless the settings say otherwise.
const CLOSES: TimeOfDay = TimeOfDay::SEVENTEEN;

/// The days on which one court sits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourtCalendar {
    closed: Vec<Date>,
    closes: TimeOfDay,
}

impl Default for CourtCalendar {
    /// The State's holidays alone; business closes at 17:00.
    fn default() -> Self {
        Self {
            closed: Vec::new(),
            closes: CLOSES,
        }
    }
}

impl CourtCalendar {
    /// A calendar with further days on which the court is closed, and the time at which its business closes.
    #[must_use]
    pub fn new(mut closed: Vec<Date>, closes: Option<TimeOfDay>) -> Self {
        closed.sort_unstable();
        closed.dedup();
        Self {
            closed,
            closes: closes.unwrap_or(CLOSES),
        }
    }

    /// When the court's business closes on a court day.
    #[must_use]
    pub fn closes(&self) -> TimeOfDay {
        self.closes
    }

    /// Whether the court sits on this day.
    #[must_use]
    pub fn is_court_day(&self, date: Date) -> bool {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && holiday_on(date).is_none() && self.closed.binary_search(&date).is_err()
    }

    /// The so-many-eth court day after a day, which itself is not counted. The last day of the calendar when there is none.
    #[must_use]
    pub fn court_day_after(&self, date: Date, count: u16) -> Date {
        let (mut day, mut left) = (date, count);
        while left > 0 && day < Date::LAST {
            day = day.plus_days(1);
            left -= u16::from(self.is_court_day(day));
        }
        day
    }
}

/// The calendars of all courts: those with settings of their own, and the State's holidays for every other one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendars {
    courts: BTreeMap<String, CourtCalendar>,
    every_other: CourtCalendar,
}

impl Calendars {
    /// Calendars by the stable name of the court, `court/kern` or `tribal/yurok`.
    #[must_use]
    pub fn new(courts: BTreeMap<String, CourtCalendar>) -> Self {
        Self {
            courts,
            every_other: CourtCalendar::default(),
        }
    }

    /// The calendar of a court by its stable name.
    #[must_use]
    pub fn named(&self, court: &str) -> &CourtCalendar {
        self.courts.get(court).unwrap_or(&self.every_other)
    }

    /// The calendar of the court of an order.
    #[must_use]
    pub fn of(&self, court: &Court) -> &CourtCalendar {
        if self.courts.is_empty() {
            return &self.every_other;
        }
        let kind = if court.tribal { "tribal" } else { "court" };
        self.named(&format!("{kind}/{}", court.slug))
    }
}

/// The State's judicial holiday that is kept on this day.
#[must_use]
pub fn holiday_on(date: Date) -> Option<&'static Holiday> {
    HOLIDAYS.iter().find(|holiday| holiday.is_kept_on(date))
}

impl Holiday {
    fn is_kept_on(&self, date: Date) -> bool {
        let (day, weekday) = (date.day(), date.weekday());
        match self.falls {
            Falls::On(..) => match weekday {
                Weekday::Saturday | Weekday::Sunday => self.falls_on(date),
                Weekday::Friday => self.falls_on(date) || self.falls_on(date.plus_days(1)),
                Weekday::Monday => self.falls_on(date) || self.falls_on(date.day_before()),
                _ => self.falls_on(date),
            },
            Falls::Nth(month, nth, on) => self.is_in(date, month) && weekday == on && day.div_ceil(7) == nth,
            Falls::Last(month, on) => {
                self.is_in(date, month) && weekday == on && date.plus_days(7).month() != month
            }
            Falls::AfterNth(month, nth, on) => {
                let before = date.day_before();
                self.is_in(before, month) && before.weekday() == on && before.day().div_ceil(7) == nth
            }
        }
    }

    fn falls_on(&self, date: Date) -> bool {
        matches!(self.falls, Falls::On(month, day) if self.is_in(date, month) && date.day() == day)
    }

    fn is_in(&self, date: Date, month: u8) -> bool {
        date.month() == month
            && date.year() >= self.from
            && self.until.is_none_or(|until| date.year() <= until)
    }
}
