//! The bar that says up to when an answer holds. A page with results needs one to be made at all, so that "no match" cannot
//! be said without its moment.

use ccpor_api::message::{Freshness, NotCurrent};
use ccpor_api::{Code, Problem};

use crate::called::called;
use crate::moment;
use crate::words::{Words, fill};

/// Up to when an answer holds, ready to be shown.
pub(crate) struct AsOf {
    /// Whether every court is current.
    pub(crate) complete: bool,
    /// `As of 02:14:07 PST (2 s)`.
    pub(crate) line: String,
    /// Who answered, and who was asked as well.
    pub(crate) source: String,
    /// Courts whose newest orders may be missing, the longest silent first.
    pub(crate) silent: Vec<Silent>,
    /// Courts that are not in the answer at all.
    pub(crate) not_covered: Vec<String>,
    courts: Vec<(String, String)>,
}

/// A court that is not current.
pub(crate) struct Silent {
    pub(crate) court: String,
    pub(crate) age: String,
}

impl AsOf {
    /// The bar of an answer; a problem when the answer does not say up to when it holds.
    pub(crate) fn of(freshness: Option<&Freshness>, w: &Words) -> Result<Self, Problem> {
        let fresh = freshness.ok_or_else(|| {
            Problem::new(
                Code::Internal,
                "the answer does not say up to when it holds, so it is not shown",
            )
        })?;
        // Of what is left out and was never held, it is enough to say that it is not included.
        let is_silent =
            |court: &&NotCurrent| court.age_ms.is_some() || !fresh.left_out.contains(&court.court);
        let mut silent: Vec<&NotCurrent> = fresh.not_current.iter().filter(is_silent).collect();
        silent.sort_by_key(|court| std::cmp::Reverse(court.age_ms.unwrap_or(u64::MAX)));
        Ok(Self {
            complete: fresh.complete && silent.is_empty() && fresh.not_covered.is_empty(),
            line: line(fresh, w),
            source: source(fresh, w),
            silent: silent
                .into_iter()
                .map(|court| Silent {
                    court: called(&court.court),
                    age: court.age_ms.map_or_else(|| w.never_heard.to_owned(), moment::age),
                })
                .collect(),
            not_covered: fresh.not_covered.iter().map(|court| called(court)).collect(),
            courts: fresh
                .courts
                .iter()
                .map(|court| {
                    let age = court.age_ms.map_or_else(|| w.never_heard.to_owned(), moment::age);
                    let at = moment::clock(&court.as_of, &fresh.answered_at);
                    (
                        court.court.clone(),
                        fill(w.court_as_of, &[("at", &at), ("age", &age)]),
                    )
                })
                .collect(),
        })
    }

    /// Up to when one court is in the answer.
    pub(crate) fn of_court(&self, court: &str) -> &str {
        self.courts
            .iter()
            .find(|(known, _)| known == court)
            .map_or("", |(_, line)| line.as_str())
    }
}

fn line(fresh: &Freshness, w: &Words) -> String {
    if fresh.as_of.is_empty() {
        return w.as_of_no_moment.to_owned();
    }
    let at = moment::clock(&fresh.as_of, &fresh.answered_at);
    let age = moment::between(&fresh.as_of, &fresh.answered_at).unwrap_or(0);
    fill(w.as_of, &[("at", &at), ("age", &moment::age(age))])
}

fn source(fresh: &Freshness, w: &Words) -> String {
    let mut text = fill(w.answered_by, &[("machine", &fresh.served_by)]);
    if !fresh.also_asked.is_empty() {
        text.push_str(" · ");
        text.push_str(&fill(w.asked_as_well, &[("machine", &fresh.also_asked)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[test]
    fn an_answer_without_its_moment_is_not_shown() {
        assert!(AsOf::of(None, Language::English.words()).is_err());
    }

    #[test]
    fn the_courts_that_are_not_current_are_named_the_longest_silent_first() {
        let silent = |court: &str, age_ms| NotCurrent {
            court: court.into(),
            age_ms,
            ..NotCurrent::default()
        };
        let fresh = Freshness {
            as_of: "2026-12-02T10:14:07.000Z".into(),
            answered_at: "2026-12-02T10:14:09.400Z".into(),
            not_current: vec![
                silent("court/los-angeles", Some(2_460_000)),
                silent("tribal/yurok", None),
            ],
            ..Freshness::default()
        };
        let bar = AsOf::of(Some(&fresh), Language::English.words()).unwrap();
        assert!(!bar.complete);
        assert!(
            bar.line.contains("02:14:07 PST") && bar.line.contains("2 s"),
            "{}",
            bar.line
        );
        let named: Vec<&str> = bar.silent.iter().map(|court| court.court.as_str()).collect();
        assert_eq!(named, ["Yurok", "Los Angeles"]);
    }
}
