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
        found.add("expires", WarningCode::Missing, &message, rule);
        return;
    }
    let (Some(longest), Some(issued)) = (longest(order), order.issued) else {
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

/// The longest duration from issue.
struct Longest {
    years: u8,
    days: u16,
    law: &'static str,
}

impl Longest {
    const fn years(years: u8, law: &'static str) -> Option<Self> {
        Some(Self { years, days: 0, law })
    }

    const fn days(days: u16, law: &'static str) -> Option<Self> {
        Some(Self { years: 0, days, law })
    }

    fn last_day(&self, issued: Date) -> Date {
        issued.plus_years(self.years).plus_days(self.days)
    }
}

/// None where the law sets no limit, or where it follows from what the record does not say.
fn longest(order: &Order) -> Option<Longest> {
    let first = matches!(order.resolved_stage(), Stage::AfterHearing);
    match (order.resolved_family(), order.resolved_stage()) {
        (Family::Emergency, _) => Longest::days(7, "Fam. Code 6256"),
        (Family::GunViolence, Stage::Emergency | Stage::Temporary) => {
            Longest::days(21, "Pen. Code 18125(b), 18155")
        }
        (Family::GunViolence, Stage::AfterHearing | Stage::Renewed) => {
            Longest::years(5, "Pen. Code 18175, 18190")
        }
        (
            Family::DomesticViolence
            | Family::CivilHarassment
            | Family::ElderAbuse
            | Family::WorkplaceViolence
            | Family::SchoolViolence
            | Family::Juvenile,
            Stage::Temporary,
        ) => Longest::days(25, "Fam. Code 242(a)"),
        (Family::DomesticViolence, _) if first => Longest::years(5, "Fam. Code 6345(a)"),
        (Family::CivilHarassment, Stage::AfterHearing | Stage::Renewed) => {
            Longest::years(5, "Code Civ. Proc. 527.6(j)")
        }
        (Family::ElderAbuse, _) if first => Longest::years(5, "Welf. & Inst. Code 15657.03"),
        (Family::WorkplaceViolence, Stage::AfterHearing | Stage::Renewed) => {
            Longest::years(3, "Code Civ. Proc. 527.8(l)")
        }
        (Family::SchoolViolence, Stage::AfterHearing | Stage::Renewed) => {
            Longest::years(3, "Code Civ. Proc. 527.85(k)")
        }
        (Family::Juvenile, _) if first => Longest::years(3, "Welf. & Inst. Code 213.5"),
        (Family::CriminalDomestic | Family::CriminalOther | Family::RetailCrime, _) => {
            by_section(&order.statute)
        }
        _ => None,
    }
}

/// Criminal orders: by the section ticked on the form. Before judgment (136.2(a)) an order stands while the court has the case.
fn by_section(statute: &str) -> Option<Longest> {
    let compact: String = statute
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    let table = [
        ("273.5", Longest::years(15, "Pen. Code 273.5(j)")),
        ("136.2(i)", Longest::years(10, "Pen. Code 136.2(i)(1)")),
        ("646.9", Longest::years(10, "Pen. Code 646.9(k)")),
        ("368", Longest::years(10, "Pen. Code 368(l)")),
        ("490.8", Longest::years(2, "Pen. Code 490.8")),
    ];
    table
        .into_iter()
        .find(|(section, _)| compact.contains(section))
        .and_then(|(_, longest)| longest)
}
