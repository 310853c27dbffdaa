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
        "on October 1, 2026",
        "It protects: Jane Doe; Jill Doe; Jack Doe.",
        "within 24 hours",
        "arrested",
        "(Fam. Code 6383(f)).]",
    ] {
        assert!(english.contains(said), "{said} is not in:\n{english}");
    }
    let spanish = notice_script(&state.order, &held, Language::Spanish);
    assert!(
        spanish.contains("orden de restricción por violencia doméstica, después de la audiencia")
            && spanish.contains("hasta el 1 de octubre de 2029, al final del día")
            && spanish.contains("BFL-26-001234")
            && spanish.contains("arrestado"),
        "{spanish}"
    );
}

#[test]
fn the_notice_names_no_confidential_minor_and_reads_no_gaps() {
    let script = |order: Order, language| {
        let state = OrderState::start(Filed {
            order,
            ..crate::sample::filed()
        });
        let held = standing(&state, moment("2026-10-05T00:00:00Z"), &Calendars::default());
        notice_script(&state.order, &held, language)
    };
    let mut minor = order();
    minor.protected[1].minor_confidential = true;
    let said = script(minor, Language::English);
    assert!(
        said.contains("It protects: Jane Doe; Jack Doe; a minor whose name is confidential."),
        "{said}"
    );
    let bare = script(Order::default(), Language::English);
    assert!(
        bare.starts_with("There is a court order against you: PROTECTIVE ORDER. You are"),
        "{bare}"
    );
    assert!(bare.contains("It names no protected person.") && bare.contains("from: the court that made it."));
    assert!(!bare.contains("24 hours"));
}

#[test]
fn the_officer_is_told_what_the_kind_of_order_asks_and_every_kind_has_a_spanish_name() {
    for family in Family::ALL {
        let order = Order {
            family: *family,
            form: String::new(),
            ..order()
        };
        let state = OrderState::start(Filed {
            order,
            ..crate::sample::filed()
        });
        let held = standing(&state, moment("2026-10-05T00:00:00Z"), &Calendars::default());
        let [english, spanish] = [Language::English, Language::Spanish]
            .map(|language| notice_script(&state.order, &held, language));
        for section in ["527.8(s)(7)", "6403(c)"] {
            assert_eq!(english.contains(section), spanish.contains(section), "{family}");
        }
        let workplace = matches!(family, Family::WorkplaceViolence | Family::SchoolViolence);
        assert_eq!(english.contains("527.8(s)(7)"), workplace, "{family}");
        assert_eq!(
            english.contains("6403(c)"),
            family.nature() == Nature::Foreign,
            "{family}"
        );
        assert!(
            !spanish.contains("ORDER") && !spanish.contains("AFTER HEARING"),
            "{spanish}"
        );
    }
}

proptest! {
    #[test]
    fn no_record_changes_the_shape_of_the_notice(filed in crate::arbitrary::filed(), at in crate::arbitrary::moment()) {
        let state = OrderState::start(filed);
        let held = standing(&state, at, &Calendars::default());
        for language in Language::ALL {
            let said = notice_script(&state.order, &held, *language);
            let shape = 6 + state.order.terms.len().max(1) + usize::from(said.contains("24 h"));
            prop_assert_eq!(said.lines().count(), shape);
        }
    }
}
