//! Terms of an order as rows write them: objects, codes such as `stay_away_100yd`, or words. Nothing is refused for being
//! unknown: it is kept as the words of the order.

use ccpor_domain::{Place, Term, TermKind};
use serde_json::Value;

use super::fault::Reason;
use super::fields::{Fields, rounded};

/// Codes that other systems use, the kind they mean, and whether the code says no more than the kind does.
const CODES: &[(&str, TermKind, bool)] = &[
    ("no_harass", TermKind::Conduct, true),
    ("no_harassment", TermKind::Conduct, true),
    ("personal_conduct", TermKind::Conduct, true),
    ("no_firearms", TermKind::Firearms, true),
    ("surrender_firearms", TermKind::Firearms, false),
    ("no_ammunition", TermKind::Ammunition, true),
    ("no_body_armor", TermKind::BodyArmor, true),
    ("animal_protection", TermKind::Animals, true),
    ("child_custody", TermKind::Custody, true),
    ("child_visitation", TermKind::Visitation, true),
    ("gps_monitor", TermKind::ElectronicMonitoring, false),
    ("gps_monitoring", TermKind::ElectronicMonitoring, false),
    ("property_control", TermKind::Property, true),
    // Narrower than "no contact": kept as words, so that no one reads more into it than the court ordered.
    ("no_electronic_contact", TermKind::Other, false),
    ("batterer_program", TermKind::Other, false),
];

/// The terms in the fields `terms` and `conditions`, each a list or words separated by semicolons.
pub(super) fn read(fields: &mut Fields<'_>) -> Vec<Term> {
    let mut terms = Vec::new();
    for list in ["terms", "conditions"] {
        for (name, item) in fields.items(list) {
            match item {
                Value::Object(map) => terms.push(fields.inner(&name, map, of_object)),
                words => terms.extend(fields.text_of(&name, words).map(|words| of_words(&words))),
            }
        }
    }
    terms
}

fn of_object(fields: &mut Fields<'_>) -> Term {
    let pco = fields.texts("pco", &[',', ';', ' ']);
    let pco: Vec<Option<u8>> = pco.iter().map(|code| code.parse().ok()).collect();
    if pco.contains(&None) {
        fields.refuse("pco", Reason::Number { least: 0, most: 255 });
    }
    let places = fields.texts("places", &[',', ';']);
    let places = places.iter().map(|place| {
        place
            .parse::<Place>()
            .map_err(|error| fields.refuse("places", error))
    });
    let places = places.filter_map(Result::ok).collect();
    Term {
        kind: fields.word("kind"),
        pco: pco.into_iter().flatten().collect(),
        distance_yards: fields.whole("distance_yards", 0, u32::from(u16::MAX)),
        places,
        text: fields.text("text"),
    }
}

/// The term that a code or some words mean.
pub(super) fn of_words(words: &str) -> Term {
    let code = folded(words);
    let with = |kind, whole: bool| Term {
        kind,
        text: if whole { String::new() } else { plain(words) },
        ..Term::default()
    };
    if let Some(&(_, kind, whole)) = CODES.iter().find(|(known, _, _)| *known == code) {
        return with(kind, whole);
    }
    if let Some(distance) = code.strip_prefix("stay_away").and_then(distance) {
        let text = if distance.exact {
            String::new()
        } else {
            plain(words)
        };
        return Term {
            kind: TermKind::StayAway,
            distance_yards: Some(distance.yards),
            text,
            ..Term::default()
        };
    }
    match code.parse() {
        // "other" alone says nothing but that there is something.
        Ok(kind) if kind != TermKind::Other => with(kind, true),
        _ => with(TermKind::Other, false),
    }
}

struct Distance {
    yards: u16,
    /// Whether the order's own words are this number of yards.
    exact: bool,
}

/// `_100yd`, `100_feet`, `50m`.
fn distance(text: &str) -> Option<Distance> {
    let text = text.trim_start_matches('_');
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(unit_at)?;
    let number: f64 = digits.parse().ok()?;
    let (yards, exact) = match unit.trim_start_matches('_') {
        "yd" | "yds" | "yard" | "yards" => (number, true),
        "ft" | "foot" | "feet" => (number / 3.0, false),
        "m" | "meter" | "meters" => (number / 0.9144, false),
        _ => return None,
    };
    Some(Distance {
        yards: rounded(yards)?,
        exact,
    })
}

fn folded(words: &str) -> String {
    let fold = |character: char| match character {
        ' ' | '-' => '_',
        other => other.to_ascii_lowercase(),
    };
    words.trim().chars().map(fold).collect()
}

/// A code as words: `batterer_program` is `batterer program`. Words stay as they are.
fn plain(words: &str) -> String {
    if words.contains(' ') {
        words.to_owned()
    } else {
        words.replace('_', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_terms() {
        for (words, kind, yards, text) in [
            ("no_contact", TermKind::NoContact, None, ""),
            ("No Contact", TermKind::NoContact, None, ""),
            ("stay_away", TermKind::StayAway, None, ""),
            ("stay_away_100yd", TermKind::StayAway, Some(100), ""),
            (
                "stay_away_300_feet",
                TermKind::StayAway,
                Some(100),
                "stay away 300 feet",
            ),
            ("stay_away_50m", TermKind::StayAway, Some(55), "stay away 50m"),
            ("stay_away_99999yd", TermKind::Other, None, "stay away 99999yd"),
            (
                "stay_away_from_work",
                TermKind::Other,
                None,
                "stay away from work",
            ),
            ("no_harass", TermKind::Conduct, None, ""),
            (
                "surrender_firearms",
                TermKind::Firearms,
                None,
                "surrender firearms",
            ),
            ("no_body_armor", TermKind::BodyArmor, None, ""),
            ("move_out", TermKind::MoveOut, None, ""),
            ("child_custody", TermKind::Custody, None, ""),
            ("peaceful_contact", TermKind::PeacefulContact, None, ""),
            ("animal_protection", TermKind::Animals, None, ""),
            ("record_communications", TermKind::RecordCommunications, None, ""),
            ("property_control", TermKind::Property, None, ""),
            (
                "no_electronic_contact",
                TermKind::Other,
                None,
                "no electronic contact",
            ),
            ("batterer_program", TermKind::Other, None, "batterer program"),
            ("gps_monitor", TermKind::ElectronicMonitoring, None, "gps monitor"),
            (
                "Shall not use the pool.",
                TermKind::Other,
                None,
                "Shall not use the pool.",
            ),
            ("other", TermKind::Other, None, "other"),
        ] {
            let term = of_words(words);
            assert_eq!(
                (term.kind, term.distance_yards, term.text.as_str()),
                (kind, yards, text),
                "{words}"
            );
        }
    }
}
