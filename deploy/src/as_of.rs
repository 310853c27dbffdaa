//! The line that says up to when an answer holds. Whoever renders an answer needs the freshness to do it, so that "no match"
//! cannot be said without its moment.

use std::collections::BTreeSet;

use ccpor_api::message::{Freshness, NotCurrent};
use ccpor_daemon::exit::Exit;
use ccpor_domain::UtcMillis;
use serde::Serialize;

use crate::failure::Failure;
use crate::when;

/// The freshness of an answer; without it the answer is not shown at all.
pub(crate) fn of(freshness: Option<&Freshness>) -> Result<&Freshness, Failure> {
    freshness.ok_or_else(|| {
        Failure::own(
            Exit::Failed,
            "the answer does not say up to when it holds, so it cannot be relied on",
            "Ask another machine, and tell the operator of this one.",
        )
    })
}

/// `AS OF 02:14:07 PST (2 s) · statewide complete · ref 7F3K`, or with the courts that are not current.
pub(crate) fn line(freshness: &Freshness, reference: &str) -> String {
    let mut text = match freshness.as_of.parse::<UtcMillis>() {
        Ok(as_of) => {
            let answered = freshness.answered_at.parse::<UtcMillis>().ok();
            let mut text = format!("AS OF {}", when::clock_time(as_of, answered));
            if let Some(answered) = answered {
                text.push_str(&format!(
                    " ({})",
                    when::age(u64::try_from(answered.0 - as_of.0).unwrap_or(0))
                ));
            }
            text
        }
        Err(_) => "AS OF NO MOMENT: NO COURT IS CURRENT".to_owned(),
    };
    text.push_str(&coverage(freshness));
    if !freshness.also_asked.is_empty() {
        text.push_str(&format!(" · {} asked as well", freshness.also_asked));
    }
    if !reference.is_empty() {
        text.push_str(&format!(" · ref {reference}"));
    }
    text
}

/// The same without the courts that the operator of the machine chose to leave out: what is left is for him to look at.
pub(crate) fn of_what_is_held(freshness: &Freshness) -> Freshness {
    let mut held = freshness.clone();
    let left_out = std::mem::take(&mut held.left_out);
    held.not_current.retain(|court| !left_out.contains(&court.court));
    held.not_covered.retain(|court| !left_out.contains(court));
    held.complete |= held.not_current.is_empty();
    held
}

/// The answer when nothing was found.
pub(crate) fn no_match(freshness: &Freshness, reference: &str) -> String {
    format!("NO MATCH FOUND {}", line(freshness, reference))
}

/// What a person at a terminal should be told besides the answer; none when the answer is complete.
pub(crate) fn remark(freshness: &Freshness) -> Option<String> {
    let silent = freshness.not_current.iter().map(|court| court.court.as_str());
    let missing: BTreeSet<&str> = silent
        .chain(freshness.not_covered.iter().map(String::as_str))
        .collect();
    match missing.len() {
        0 if freshness.complete => None,
        0 => Some("warning: this answer is not complete".to_owned()),
        1 => Some(
            "warning: 1 court is not current in this answer; its newest orders may be missing".to_owned(),
        ),
        more => Some(format!(
            "warning: {more} courts are not current in this answer; their newest orders may be missing"
        )),
    }
}

fn coverage(freshness: &Freshness) -> String {
    let mut text = String::new();
    // Of what is left out and was never held, it is enough to say that it is not covered.
    let is_silent =
        |court: &&NotCurrent| court.age_ms.is_some() || !freshness.left_out.contains(&court.court);
    let mut courts: Vec<&NotCurrent> = freshness.not_current.iter().filter(is_silent).collect();
    if !courts.is_empty() {
        // The longest silent first: that is where most may be missing.
        courts.sort_by_key(|court| std::cmp::Reverse(court.age_ms.unwrap_or(u64::MAX)));
        let names: Vec<String> = courts.into_iter().map(silent).collect();
        text.push_str(&format!(
            " — NOT CURRENT: {}  → call court / retry",
            names.join(", ")
        ));
    } else if freshness.complete && freshness.not_covered.is_empty() {
        text.push_str(" · statewide complete");
    } else if !freshness.complete {
        text.push_str(" · NOT COMPLETE");
    }
    if !freshness.not_covered.is_empty() {
        let names: Vec<String> = freshness.not_covered.iter().map(|court| called(court)).collect();
        text.push_str(&format!(
            " — NOT COVERED: {}  → ask them directly",
            names.join(", ")
        ));
    }
    text
}

fn silent(court: &NotCurrent) -> String {
    match court.age_ms {
        Some(age) => format!("{} ({})", called(&court.court), when::age(age)),
        None => format!("{} (never heard)", called(&court.court)),
    }
}

/// A court as it is called over the radio: `court/los-angeles` is `LOS ANGELES`.
fn called(court: &str) -> String {
    let name = court.split('/').nth(1).unwrap_or(court);
    name.replace('-', " ").to_uppercase()
}

/// The freshness of one line of a batch: without the list of the courts that are current, which is the same on every line.
#[derive(Debug, Serialize)]
pub(crate) struct Compact<'a> {
    as_of: &'a str,
    complete: bool,
    not_current: Vec<CompactCourt<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    not_covered: &'a [String],
    served_by: &'a str,
}

#[derive(Debug, Serialize)]
struct CompactCourt<'a> {
    court: &'a str,
    as_of: &'a str,
    age_ms: Option<u64>,
}

impl<'a> Compact<'a> {
    pub(crate) fn of(freshness: &'a Freshness) -> Self {
        let courts = freshness.not_current.iter();
        Self {
            as_of: &freshness.as_of,
            complete: freshness.complete,
            not_current: courts
                .map(|court| CompactCourt {
                    court: &court.court,
                    as_of: &court.as_of,
                    age_ms: court.age_ms,
                })
                .collect(),
            not_covered: &freshness.not_covered,
            served_by: &freshness.served_by,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn fresh() -> Freshness {
        Freshness {
            as_of: "2026-12-02T10:14:07.000Z".into(),
            complete: true,
            answered_at: "2026-12-02T10:14:09.400Z".into(),
            served_by: "court/alameda/node/1".into(),
            source: "replica".into(),
            ..Freshness::default()
        }
    }

    pub(crate) fn stale() -> Freshness {
        let silent = |court: &str, age_ms| NotCurrent {
            court: court.into(),
            age_ms,
            ..NotCurrent::default()
        };
        Freshness {
            complete: false,
            not_current: vec![
                silent("court/los-angeles", Some(2_460_000)),
                silent("tribal/yurok", Some(11_100_000)),
            ],
            ..fresh()
        }
    }

    #[test]
    fn a_complete_answer_names_its_moment_and_age() {
        assert_eq!(
            line(&fresh(), "Q-7F3K-22"),
            "AS OF 02:14:07 PST (2 s) · statewide complete · ref Q-7F3K-22"
        );
        assert_eq!(remark(&fresh()), None);
    }

    #[test]
    fn no_match_names_every_court_that_is_not_current_the_longest_silent_first() {
        assert_eq!(
            no_match(&stale(), ""),
            "NO MATCH FOUND AS OF 02:14:07 PST (2 s) — NOT CURRENT: YUROK (3 h 05), LOS ANGELES (41 min)  → call court / retry"
        );
        assert!(remark(&stale()).unwrap().contains("2 courts"));
    }

    #[test]
    fn an_answer_of_no_current_court_claims_no_moment() {
        let mut none = stale();
        none.as_of.clear();
        none.not_current[1].age_ms = None;
        none.not_covered = vec!["tribal/hoopa".into()];
        assert_eq!(
            no_match(&none, ""),
            "NO MATCH FOUND AS OF NO MOMENT: NO COURT IS CURRENT — NOT CURRENT: YUROK (never heard), LOS ANGELES (41 min)  \
             → call court / retry — NOT COVERED: HOOPA  → ask them directly"
        );
    }

    #[test]
    fn a_court_that_is_left_out_is_said_once_and_what_was_held_of_it_with_its_age() {
        let mut partly = stale();
        partly.not_current[0].age_ms = None;
        partly.left_out = vec!["court/los-angeles".into(), "tribal/yurok".into()];
        partly.not_covered = partly.left_out.clone();
        assert_eq!(
            line(&partly, ""),
            "AS OF 02:14:07 PST (2 s) — NOT CURRENT: YUROK (3 h 05)  → call court / retry — NOT COVERED: LOS ANGELES, YUROK  \
             → ask them directly"
        );
        assert!(remark(&partly).unwrap().contains("2 courts"));
        partly.not_current.pop();
        assert!(line(&partly, "").contains("NOT COMPLETE — NOT COVERED"));
        assert_eq!(
            remark(&of_what_is_held(&partly)),
            None,
            "who chose it need not be warned of it"
        );
    }

    #[test]
    fn what_claims_to_be_incomplete_without_saying_why_is_not_called_complete() {
        let odd = Freshness {
            complete: false,
            ..fresh()
        };
        assert!(line(&odd, "").ends_with("NOT COMPLETE"));
        assert!(remark(&odd).is_some());
        assert!(of(None).is_err());
    }

    #[test]
    fn the_line_of_a_batch_has_only_what_is_out_of_order() {
        let compact = serde_json::to_value(Compact::of(&stale())).unwrap();
        assert_eq!(compact["not_current"][0]["court"], "court/los-angeles");
        assert_eq!(compact["complete"], false);
        assert!(compact.get("not_covered").is_none() && compact.get("courts").is_none());
    }
}
