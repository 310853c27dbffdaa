//! What is said to people, in both languages.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::sample::{moment, order};

#[test]
fn every_term_and_every_rule_is_said_in_both_languages() {
    for kind in TermKind::ALL {
        let term = Term {
            kind: *kind,
            distance_yards: Some(100),
            places: Place::ALL.to_vec(),
            ..Term::default()
        };
        let [english, spanish] =
            [Language::English, Language::Spanish].map(|language| term_words(&term, language));
        assert!(
            !english.is_empty() && !spanish.is_empty() && english != spanish,
            "{kind}"
        );
    }
    for rule in Rule::ALL {
        let [english, spanish] =
            [Language::English, Language::Spanish].map(|language| rule_words(*rule, language));
        assert_ne!(english, spanish, "{rule}");
        assert!(!rule.law().is_empty());
    }
}

#[test]
fn the_notice_says_what_where_and_until_when() {
    let state = OrderState::start(Filed {
        act: crate::sample::act(1, "2026-10-02T10:00:00Z"),
        order_id: crate::sample::order_id(),
        source_id: None,
        order: order(),
    });
    let held = standing(&state, moment("2026-10-05T00:00:00Z"), &Calendars::default());
    let english = notice_script(&state.order, &held, Language::English);
    for said in [
        "DV RESTRAINING ORDER AFTER HEARING",
        "Kern Superior Court",
        "BFL-26-001234",
        "1215 Truxtun Avenue",
        "arrested",
    ] {
        assert!(english.contains(said), "{said} is not in:\n{english}");
    }
    let spanish = notice_script(&state.order, &held, Language::Spanish);
    assert!(
        spanish.contains("BFL-26-001234") && spanish.contains("arrestado"),
        "{spanish}"
    );
}

proptest! {
    #[test]
    fn no_record_changes_the_shape_of_the_notice(filed in crate::arbitrary::filed(), at in crate::arbitrary::moment()) {
        let state = OrderState::start(filed);
        let held = standing(&state, at, &Calendars::default());
        for language in Language::ALL {
            let said = notice_script(&state.order, &held, *language);
            prop_assert_eq!(said.lines().count(), 4 + state.order.terms.len().max(1));
        }
    }
}
