//! When an order begins and ends: what its face says, and what the law says when the face is silent. Nothing here knows
//! whether a court ended it early.

use crate::closed::closed;
use crate::court_calendar::{Calendars, CourtCalendar};
use crate::date::{Date, TimeOfDay};
use crate::family::{Family, Nature, Stage};
use crate::moment::UtcMillis;
use crate::order::{Expiry, Order};

closed! {
    /// The rule that gave an order its end.
    pub enum EndRule: "rule" {
        /// The date written on the order; without a time, midnight at the end of that day (form DV-130, item 4).
        OnFace = "on_face",
        /// A temporary order is in force to its hearing (Fam. Code 242, 245).
        HearingDay = "hearing_day",
        /// No hearing is recorded: the last day on which one may be set, 25 days (Fam. Code 242(a)).
        TemporaryLimit = "temporary_limit",
        /// No date on its face: three years from issue (Fam. Code 6345(c)).
        ThreeYears = "three_years",
        /// The 7th calendar day after issue, where the 5th court day comes later (Fam. Code 6256).
        SevenDays = "seven_days",
        /// A gun violence order made without a hearing: 21 days (Pen. Code 18125(b), 18155).
        TwentyOneDays = "twenty_one_days",
        /// The 5th court day after issue, at the close of the court's business (Fam. Code 6256).
        FiveCourtDays = "five_court_days",
    }
}

impl EndRule {
    /// The section of law.
    #[must_use]
    pub const fn law(self) -> &'static str {
        match self {
            Self::OnFace => "date on the order; Fam. Code 6345",
            Self::HearingDay => "Fam. Code 242, 245",
            Self::TemporaryLimit => "Fam. Code 242(a)",
            Self::ThreeYears => "Fam. Code 6345(c); Code Civ. Proc. 527.6(j)(2), 527.8(l)(2), 527.85(k)(2)",
            Self::SevenDays | Self::FiveCourtDays => "Fam. Code 6256",
            Self::TwentyOneDays => "Pen. Code 18125(b), 18155",
        }
    }

    /// The rule in words for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OnFace => "date on the order",
            Self::HearingDay => "hearing day",
            Self::TemporaryLimit => "25 days from issue, no hearing recorded",
            Self::ThreeYears => "3 years from issue, no date on the order",
            Self::SevenDays => "7 days from issue",
            Self::FiveCourtDays => "5th court day from issue",
            Self::TwentyOneDays => "21 days from issue",
        }
    }
}

/// When an order ends if no court ends it early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Not at all.
    Never,
    /// Then.
    At {
        /// The last day.
        date: Date,
        /// The time on that day; none is midnight at its end.
        time: Option<TimeOfDay>,
        /// Why then.
        rule: EndRule,
    },
    /// Neither the record nor a rule says. It counts as in force: whoever enforces it must ask the court.
    NotStated,
}

impl End {
    /// The first moment at which the order is no longer in force; none when no such moment is known.
    #[must_use]
    pub fn moment(self) -> Option<UtcMillis> {
        match self {
            Self::Never | Self::NotStated => None,
            Self::At {
                date,
                time: Some(time),
                ..
            } => Some(UtcMillis::pacific(date, Some(time))),
            Self::At { date, time: None, .. } => Some(UtcMillis::pacific_end_of(date)),
        }
    }
}

/// When the order ends, and by which rule.
#[must_use]
pub fn ends(order: &Order, calendars: &Calendars) -> End {
    match order.expires {
        Expiry::Never => End::Never,
        Expiry::OnDate { date, time } => {
            // The form's box "midnight" is the end of the day; read as its start it would end the order a day early.
            let time = time.filter(|&time| time != TimeOfDay::MIDNIGHT);
            End::At {
                date,
                time,
                rule: EndRule::OnFace,
            }
        }
        Expiry::NotStated => by_law(order, calendars).unwrap_or(End::NotStated),
    }
}

/// The first moment at which the order is in force: as stated, or when it was made (Fam. Code 6224: effective when made).
/// None when the record has neither day.
#[must_use]
pub fn begins(order: &Order) -> Option<UtcMillis> {
    match (order.effective, order.issued) {
        (Some(date), _) => Some(UtcMillis::pacific(date, order.effective_time)),
        (None, Some(date)) => Some(UtcMillis::pacific(date, order.issued_time)),
        (None, None) => None,
    }
}

/// The close of business on the 5th court day, or the end of the 7th calendar day, whichever comes first (Fam. Code 6256).
fn emergency(issued: Date, calendar: &CourtCalendar) -> End {
    let (fifth, seventh) = (calendar.court_day_after(issued, 5), issued.plus_days(7));
    if fifth <= seventh {
        End::At {
            date: fifth,
            time: Some(calendar.closes()),
            rule: EndRule::FiveCourtDays,
        }
    } else {
        End::At {
            date: seventh,
            time: None,
            rule: EndRule::SevenDays,
        }
    }
}

/// The end that the law gives to an order whose face is silent; none where it gives none.
fn by_law(order: &Order, calendars: &Calendars) -> Option<End> {
    let family = order.resolved_family();
    let end = |date, rule| {
        Some(End::At {
            date,
            time: None,
            rule,
        })
    };
    let after_issue = |days, rule| end(order.issued?.plus_days(days), rule);
    match (family.nature(), order.resolved_stage()) {
        // As issued elsewhere, or as long as the criminal court has the case.
        (Nature::Foreign | Nature::Criminal | Nature::NotStated, _) => None,
        (Nature::Emergency, _) => Some(emergency(order.issued?, calendars.of(&order.court))),
        (Nature::Civil, Stage::Emergency) if family == Family::GunViolence => {
            after_issue(21, EndRule::TwentyOneDays)
        }
        (Nature::Civil, Stage::Emergency) => Some(emergency(order.issued?, calendars.of(&order.court))),
        (Nature::Civil, Stage::Temporary | Stage::Continued) => {
            if let Some(hearing) = order.hearing.as_ref().and_then(|hearing| hearing.date) {
                return end(hearing, EndRule::HearingDay);
            }
            match family {
                Family::GunViolence => after_issue(21, EndRule::TwentyOneDays),
                _ => after_issue(25, EndRule::TemporaryLimit),
            }
        }
        // One to five years, as the court says: no rule fills the gap.
        (Nature::Civil, _) if family == Family::GunViolence => None,
        (Nature::Civil, Stage::NotStated | Stage::AfterHearing | Stage::Renewed | Stage::Modified) => {
            end(order.issued?.plus_years(3), EndRule::ThreeYears)
        }
    }
}
