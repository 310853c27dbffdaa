//! Warnings on what an order is, who made it, its days and its terms. Looks at no person.

use crate::code::CodeTable;
use crate::date::Date;
use crate::family::{Family, Nature, Stage};
use crate::form::{Form, FormKind};
use crate::order::{Expiry, Order};
use crate::term::{Term, TermKind};
use crate::warning::found::{REQUIRED, WarningCode, Warnings};

const FORMS_TABLE: &str = "table of Judicial Council forms";

/// Family, stage, form, foreign order.
pub(super) fn of_kind(order: &Order, found: &mut Warnings) {
    let no_form = order.form.trim().is_empty();
    match Form::find(&order.form) {
        None if no_form => found.missing_if(
            true,
            "form",
            "the form is not stated: enter its number",
            FORMS_TABLE,
        ),
        None => found.add(
            "form",
            WarningCode::UnknownForm,
            "the form is not in the table: it is kept as written; check its number",
            FORMS_TABLE,
        ),
        Some(form) => of_form(order, form, found),
    }
    found.missing_if(
        order.resolved_family() == Family::NotStated,
        "family",
        "the kind of order is not stated and does not follow from the form: choose it",
        "Fam. Code 6380(c)",
    );
    found.missing_if(
        order.resolved_stage() == Stage::NotStated && order.nature() == Nature::Civil,
        "stage",
        "it is not stated whether the order is temporary or made after hearing: choose it",
        "Fam. Code 242, 6345",
    );
    found.missing_if(
        order.nature() == Nature::Criminal && order.statute.trim().is_empty(),
        "statute",
        "the section ticked on the criminal order is not stated: the longest duration follows from it",
        "Pen. Code 136.2, 273.5(j), 490.8, 646.9(k), 368(l), 1203.097",
    );
    found.missing_if(
        order.resolved_family() == Family::Emergency && order.agency_case_number.trim().is_empty(),
        "agency_case_number",
        "the police agency's case number, which form EPO-001 asks for, is not stated",
        "Fam. Code 6271",
    );
    let to_a_hearing = matches!(order.resolved_stage(), Stage::Temporary | Stage::Continued);
    let heard = order.hearing.as_ref().and_then(|hearing| hearing.date);
    found.missing_if(
        to_a_hearing && heard.is_none() && order.expires == Expiry::NotStated,
        "hearing.date",
        "the day of the hearing, to which a temporary order is in force, is not stated",
        "Fam. Code 242, 245",
    );
    found.missing_if(
        order.nature() == Nature::Foreign && order.foreign.is_none(),
        "foreign",
        "state, tribe or country and number of the order are not stated",
        "Fam. Code 6402, 6404",
    );
}

fn of_form(order: &Order, form: &Form, found: &mut Warnings) {
    if form.kind != FormKind::Order {
        found.add(
            "form",
            WarningCode::Contradiction,
            "an order is not written on this form: enter the form of the order itself",
            FORMS_TABLE,
        );
    }
    if form.unverified {
        found.add(
            "form",
            WarningCode::UnknownForm,
            "the number of this form is unverified: check it",
            FORMS_TABLE,
        );
    }
    let family_differs = order.family != Family::NotStated && order.family != form.family;
    // One form registers orders of every other jurisdiction.
    if family_differs
        && !(order.family.nature() == Nature::Foreign && form.family.nature() == Nature::Foreign)
    {
        found.add(
            "family",
            WarningCode::Contradiction,
            "the kind of order and the form differ: check both",
            FORMS_TABLE,
        );
    }
    let later = |stage| matches!(stage, Stage::AfterHearing | Stage::Renewed | Stage::Modified);
    let stated = order.stage != Stage::NotStated && form.stage != Stage::NotStated;
    if stated
        && order.stage != form.stage
        && !(later(order.stage) && later(form.stage))
        && order.stage != Stage::Modified
    {
        found.add(
            "stage",
            WarningCode::Contradiction,
            "the stage and the form differ: check both",
            FORMS_TABLE,
        );
    }
}

/// Court and numbers.
pub(super) fn of_court(order: &Order, found: &mut Warnings) {
    let court = &order.court;
    for (text, field, message) in [
        (
            &court.department,
            "court.department",
            "the department is not stated",
        ),
        (
            &court.address,
            "court.address",
            "the address of the court is not stated",
        ),
        (
            &court.phone,
            "court.phone",
            "no telephone of the court: officers cannot ask about the order",
        ),
    ] {
        found.missing_if(text.trim().is_empty(), field, message, REQUIRED);
    }
    let ori = court.ori.trim();
    if !ori.is_empty() && !is_ori(ori) {
        found.add(
            "court.ori",
            WarningCode::Unlikely,
            "an ORI has nine letters and digits",
            "NCIC ORI",
        );
    }
    let fcn = order.fcn.trim();
    if !fcn.is_empty() && !is_fcn(fcn) {
        found.add(
            "fcn",
            WarningCode::Unlikely,
            "a file control number has 13 digits",
            "CARPOS FCN",
        );
    }
}

fn is_ori(text: &str) -> bool {
    text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_fcn(text: &str) -> bool {
    text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Issue, effect, hearing, presence.
pub(super) fn of_days(order: &Order, found: &mut Warnings) {
    let stated_end = match order.expires {
        Expiry::OnDate { date, .. } => Some(date),
        Expiry::NotStated | Expiry::Never => None,
    };
    let hearing = order.hearing.as_ref().and_then(|hearing| hearing.date);
    let begins = order.effective.or(order.issued);
    let before = |later: Option<Date>, earlier: Option<Date>| later.zip(earlier).is_some_and(|(a, b)| a < b);
    if before(stated_end, begins) {
        found.add(
            "expires",
            WarningCode::Contradiction,
            "the order ends before it begins: check both days",
            REQUIRED,
        );
    }
    if before(order.effective, order.issued) {
        let message = "the order is in force before it was made: check both days";
        found.add("effective", WarningCode::Contradiction, message, "Fam. Code 6224");
    }
    let temporary = matches!(order.resolved_stage(), Stage::Temporary | Stage::Continued);
    if temporary && order.nature() == Nature::Civil {
        let message = "the day of the hearing is not stated: the order is in force up to it";
        found.missing_if(hearing.is_none(), "hearing.date", message, "Fam. Code 242, 245");
        if before(hearing, order.issued) {
            let message = "the hearing is before the order was made: check both days";
            found.add(
                "hearing.date",
                WarningCode::Contradiction,
                message,
                "Fam. Code 242",
            );
        }
    }
    found.missing_if(
        order.present_at_hearing.is_none() && !temporary && order.nature() != Nature::Emergency,
        "present_at_hearing",
        "it is not stated whether the restrained person was in court: presence is notice",
        "Fam. Code 6380(c)",
    );
}

/// Terms, above all firearms.
pub(super) fn of_terms(order: &Order, found: &mut Warnings) {
    found.missing_if(
        order.terms.is_empty() && order.other_text.trim().is_empty(),
        "terms",
        "no terms are entered: officers need them to enforce the order",
        REQUIRED,
    );
    let bars_arms = |term: &Term| {
        matches!(term.kind, TermKind::Firearms | TermKind::Ammunition) || term.forbids_firearms()
    };
    let expected = !matches!(order.resolved_family(), Family::RetailCrime | Family::NotStated)
        && order.nature() != Nature::Foreign;
    found.missing_if(
        expected && !order.terms.is_empty() && !order.terms.iter().any(bars_arms),
        "terms",
        "no term on firearms is entered",
        "Fam. Code 6380(b), 6389",
    );
    for (place, term) in order.terms.iter().enumerate() {
        of_term(place, term, found);
    }
}

fn of_term(place: usize, term: &Term, found: &mut Warnings) {
    let known = |code: &u8| CodeTable::Condition.find(&format!("{code:02}")).is_some();
    if !term.pco.iter().all(known) {
        let message = "a condition is not one of 1 to 9: it is kept as it is";
        found.add(
            format!("terms[{place}].pco"),
            WarningCode::UnknownCode,
            message,
            "NCIC PCO",
        );
    }
    found.missing_if(
        term.commands_distance() && term.distance_yards.is_none(),
        format!("terms[{place}].distance_yards"),
        "the distance to keep is not stated",
        REQUIRED,
    );
    found.missing_if(
        term.kind == TermKind::Other && term.text.trim().is_empty(),
        format!("terms[{place}].text"),
        "a term of no stated kind has no words",
        REQUIRED,
    );
}
