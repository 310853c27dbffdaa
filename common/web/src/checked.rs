//! What there is to look at before an order is filed: with which orders in force of any court it clashes, and what is missing or
//! looks wrong, beside the fields of the form. Nothing of it keeps an order out.

use ccpor_api::Problem;
use ccpor_api::message::CheckOrderAnswer;

use crate::as_of::AsOf;
use crate::called::called;
use crate::words::Words;

/// Something to look at beside a field.
pub(crate) struct Note {
    /// The field of the form; empty when the form has none for it.
    pub(crate) field: String,
    pub(crate) words: String,
    pub(crate) rule: String,
    pub(crate) refused: bool,
}

/// What the registry said of a draft.
pub(crate) struct Checked {
    pub(crate) as_of: AsOf,
    pub(crate) clashes: Vec<Clashing>,
    pub(crate) unreadable: usize,
}

/// An order that the draft clashes with, and how.
pub(crate) struct Clashing {
    pub(crate) words: String,
    pub(crate) law: String,
    pub(crate) number: String,
    pub(crate) court: String,
    pub(crate) case_number: String,
}

impl Checked {
    /// What the registry said; of the order that the draft takes the place of, it says nothing.
    pub(crate) fn of(answer: &CheckOrderAnswer, replaced: &str, w: &Words) -> Result<Self, Problem> {
        let clashes = answer.clashes.iter().filter(|clash| clash.order_id != replaced);
        let clashes = clashes.map(|clash| {
            let order = answer
                .orders
                .iter()
                .find(|order| order.order_id == clash.order_id)
                .cloned()
                .unwrap_or_default();
            Clashing {
                words: clash.words.clone(),
                law: clash.law.clone(),
                court: if order.court_name.is_empty() {
                    called(&order.court)
                } else {
                    order.court_name
                },
                number: order.registry_number,
                case_number: order.case_number,
            }
        });
        Ok(Self {
            clashes: clashes.collect(),
            as_of: AsOf::of(answer.freshness.as_ref(), w)?,
            unreadable: answer.not_readable.len(),
        })
    }
}

/// What is missing or looks wrong in a draft.
pub(crate) fn warnings(answer: &CheckOrderAnswer) -> impl Iterator<Item = Note> {
    let open = answer
        .warnings
        .iter()
        .filter(|warning| !is_filled_in(&warning.field));
    open.map(|warning| Note {
        field: field_of(&warning.field),
        words: warning.message.clone(),
        rule: warning.rule.clone(),
        refused: false,
    })
}

/// The fields that keep an order from being filed.
pub(crate) fn refused(problem: &Problem) -> impl Iterator<Item = Note> {
    problem.fields.iter().map(|field| Note {
        field: field_of(&field.path),
        words: field.reason.clone(),
        rule: String::new(),
        refused: true,
    })
}

/// What the machine adds to each order from its settings when it is filed.
fn is_filled_in(path: &str) -> bool {
    matches!(
        path.strip_prefix("order.").unwrap_or(path),
        "court.name" | "court.address" | "court.phone" | "court.ori"
    )
}

/// The field of the form for a field of an order: `order.protected[0].person.dob` is `p1_dob`.
pub(crate) fn field_of(path: &str) -> String {
    let path = path.strip_prefix("order.").unwrap_or(path);
    let last = path.rsplit('.').next().unwrap_or_default();
    let rest = path
        .strip_prefix("protected[")
        .or_else(|| path.strip_prefix("protected."));
    if let Some(rest) = rest {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let number = digits.parse::<usize>().map_or(1, |place| place + 1);
        let field = if last == "name" { "last" } else { last };
        return format!("p{number}_{field}");
    }
    match path {
        "protected" => "p1_last",
        "restrained.name" | "restrained.name.last" | "restrained" => "last",
        "restrained.name.first" => "first",
        "restrained.height_inches" => "feet",
        "restrained.weight_pounds" => "weight",
        "restrained.identifiers" => "dl",
        "expires.date" | "expires" => "expires",
        "present_at_hearing" => "present",
        "hearing" | "hearing.date" => "hearing_date",
        "hearing.time" => "hearing_time",
        "hearing.department" => "hearing_department",
        "terms" => "term_conduct",
        "case_number" | "issued" | "form" | "statute" | "other_text" | "court.judge" | "court.department"
        | "restrained.dob" | "restrained.sex" | "restrained.race" | "restrained.hair" | "restrained.eye"
        | "restrained.marks" => last,
        // The form has no field for it: it is said all the same.
        _ => "",
    }
    .to_owned()
}

/// What people call a field of an order.
pub(crate) fn field_words(path: &str, w: &Words) -> String {
    let field = field_of(path);
    if field.is_empty() {
        path.rsplit('.').next().unwrap_or(path).replace('_', " ")
    } else {
        w.field(&field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_field_stands_beside_it() {
        for (path, field) in [
            ("order.restrained.name", "last"),
            ("restrained.race", "race"),
            ("order.protected[1].person.dob", "p2_dob"),
            ("protected", "p1_last"),
            ("hearing.date", "hearing_date"),
            ("case_number", "case_number"),
        ] {
            assert_eq!(field_of(path), field, "{path}");
        }
    }
}
