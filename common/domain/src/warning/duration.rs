//! Warnings on how long an order lasts: a table of the longest durations that the law allows, by kind and by section.

use crate::court_calendar::Calendars;
use crate::date::Date;
use crate::expiry::{End, ends};
use crate::family::{Family, Stage};
use crate::order::{Expiry, Order};
use crate::warning::found::{REQUIRED, WarningCode, Warnings};

/// Warns of an end that nobody stated, or that is later than the law allows.
pub(super) fn of_order(order: &Order, found: &mut Warnings) {
    if order.expires == Expiry::NotStated {
        let (message, rule) = match ends(order, &Calendars::default()) {
            End::At { rule, .. } => (
                format!("no expiration date: it counts as {}", rule.words()),
                rule.law(),
            ),
            End::Never | End::NotStated => (
                "no expiration date, and no rule gives one: it counts as in force; ask the court".to_owned(),
                REQUIRED,
            ),
        };
        found.add("expires", WarningCode::Missing, message, rule);
        return;
    }
    let Some(issued) = order.issued else { return };
    let Some(longest) = line_of(order, issued) else {
        return;
    };
    let too_long = match order.expires {
        Expiry::OnDate { date, .. } => date > longest.last_day(issued),
        Expiry::Never => true,
        Expiry::NotStated => false,
    };
    if too_long {
        let message = "the order lasts longer than the law allows for its kind: check the expiration date";
        found.add("expires", WarningCode::BeyondLaw, message, longest.law);
    }
}

/// The longest duration of one kind of order, counted from its day of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongestDuration {
    /// The family.
    pub family: Family,
    /// The stages; empty for every one.
    pub stages: &'static [Stage],
    /// For criminal orders the section ticked on the form, without blanks and in lower case; empty for every one.
    pub section: &'static str,
    /// Years.
    pub years: u8,
    /// Days beyond the years.
    pub days: u16,
    /// The section that sets it.
    pub law: &'static str,
    /// The first day of issue that it is for: year, month, day; none where no source says.
    pub from: Option<(i16, u8, u8)>,
    /// The first day of issue that it is no more for.
    pub until: Option<(i16, u8, u8)>,
    /// Whether the figure was not read in a published source, so that an administrator should check it.
    pub unverified: bool,
}

impl LongestDuration {
    fn is_of(&self, order: &Order, section: &str, issued: Date) -> bool {
        let day = <(i16, u8, u8)>::from(issued);
        self.family == order.resolved_family()
            && (self.stages.is_empty() || self.stages.contains(&order.resolved_stage()))
            && section.contains(self.section)
            && self.from.is_none_or(|from| from <= day)
            && self.until.is_none_or(|until| day < until)
    }

    fn last_day(&self, issued: Date) -> Date {
        issued.plus_years(self.years).plus_days(self.days)
    }
}

const TEMPORARY: &[Stage] = &[Stage::Temporary];
const AFTER_HEARING: &[Stage] = &[Stage::AfterHearing];
const FINAL: &[Stage] = &[Stage::AfterHearing, Stage::Renewed];

const fn longest(
    family: Family,
    stages: &'static [Stage],
    years: u8,
    days: u16,
    law: &'static str,
) -> LongestDuration {
    LongestDuration {
        family,
        stages,
        section: "",
        years,
        days,
        law,
        from: None,
        until: None,
        unverified: false,
    }
}

impl LongestDuration {
    const fn section(self, section: &'static str) -> Self {
        Self { section, ..self }
    }

    const fn from(self, year: i16, month: u8, day: u8) -> Self {
        Self {
            from: Some((year, month, day)),
            ..self
        }
    }

    const fn until(self, year: i16, month: u8, day: u8) -> Self {
        Self {
            until: Some((year, month, day)),
            ..self
        }
    }

    const fn unverified(self) -> Self {
        Self {
            unverified: true,
            ..self
        }
    }
}

/// How long an order may last, by its kind and by the day on which it was issued. Orders before judgment (Pen. Code 136.2(a)) stand
/// while the court has the case, and renewed domestic violence orders may be permanent: they have no line. What is `unverified` is
/// only warned of like everything else; it refuses nothing.
pub const LONGEST_DURATIONS: &[LongestDuration] = &[
    longest(Family::Emergency, &[], 0, 7, "Fam. Code 6256"),
    longest(
        Family::GunViolence,
        &[Stage::Emergency, Stage::Temporary],
        0,
        21,
        "Pen. Code 18125(b), 18155",
    ),
    longest(Family::GunViolence, FINAL, 5, 0, "Pen. Code 18175, 18190"),
    longest(Family::DomesticViolence, TEMPORARY, 0, 25, "Fam. Code 242(a)"),
    longest(Family::DomesticViolence, AFTER_HEARING, 5, 0, "Fam. Code 6345(a)"),
    longest(
        Family::CivilHarassment,
        TEMPORARY,
        0,
        25,
        "Code Civ. Proc. 527.6(g)",
    ),
    longest(Family::CivilHarassment, FINAL, 5, 0, "Code Civ. Proc. 527.6(j)"),
    longest(
        Family::WorkplaceViolence,
        TEMPORARY,
        0,
        25,
        "Code Civ. Proc. 527.8",
    ),
    longest(Family::WorkplaceViolence, FINAL, 3, 0, "Code Civ. Proc. 527.8(l)"),
    longest(Family::SchoolViolence, TEMPORARY, 0, 25, "Code Civ. Proc. 527.85"),
    longest(Family::SchoolViolence, FINAL, 3, 0, "Code Civ. Proc. 527.85(k)"),
    longest(
        Family::ElderAbuse,
        TEMPORARY,
        0,
        25,
        "Welf. & Inst. Code 15657.03",
    )
    .unverified(),
    longest(
        Family::ElderAbuse,
        AFTER_HEARING,
        5,
        0,
        "Welf. & Inst. Code 15657.03",
    )
    .unverified(),
    longest(Family::Juvenile, TEMPORARY, 0, 25, "Welf. & Inst. Code 213.5").unverified(),
    longest(Family::Juvenile, AFTER_HEARING, 3, 0, "Welf. & Inst. Code 213.5").unverified(),
    longest(Family::CriminalDomestic, &[], 15, 0, "Pen. Code 273.5(j)")
        .section("273.5")
        .from(2025, 1, 1),
    longest(Family::CriminalDomestic, &[], 10, 0, "Pen. Code 273.5(j)")
        .section("273.5")
        .until(2025, 1, 1)
        .unverified(),
    longest(Family::CriminalDomestic, &[], 10, 0, "Pen. Code 136.2(i)(1)").section("136.2(i)"),
    longest(Family::CriminalOther, &[], 10, 0, "Pen. Code 136.2(i)(1)").section("136.2(i)"),
    longest(Family::CriminalDomestic, &[], 10, 0, "Pen. Code 646.9(k)")
        .section("646.9")
        .unverified(),
    longest(Family::CriminalOther, &[], 10, 0, "Pen. Code 646.9(k)")
        .section("646.9")
        .unverified(),
    longest(Family::CriminalDomestic, &[], 10, 0, "Pen. Code 368(l)")
        .section("368")
        .unverified(),
    longest(Family::CriminalOther, &[], 10, 0, "Pen. Code 368(l)")
        .section("368")
        .unverified(),
    longest(Family::RetailCrime, &[], 2, 0, "Pen. Code 490.8")
        .from(2025, 1, 1)
        .unverified(),
];

/// None where the law sets no limit, or where it follows from what the record does not say.
fn line_of(order: &Order, issued: Date) -> Option<&'static LongestDuration> {
    let section: String = order
        .statute
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    let mut lines = LONGEST_DURATIONS.iter();
    lines.find(|line| line.is_of(order, &section, issued))
}
