//! Examples of forms and orders: what is not typed is not changed.

use super::*;

fn read(body: &str) -> Fields {
    Fields::read(body.as_bytes()).unwrap()
}

fn whole() -> Order {
    let term = |kind: &str, text: &str| Term {
        kind: kind.into(),
        text: text.into(),
        pco: vec![4],
        ..Term::default()
    };
    let protected = |last: &str, relationship: &str| Protected {
        person: Some(Person {
            name: Some(Name {
                last: last.into(),
                middle: "Q".into(),
                ..Name::default()
            }),
            sex: "female".into(),
            ..Person::default()
        }),
        relationship: relationship.into(),
        role: "additional".into(),
        ..Protected::default()
    };
    Order {
        form: "DV-130 (CLETS)".into(),
        family: "domestic_violence".into(),
        fcn: "1234567890123".into(),
        issued: "2026-11-20".into(),
        issued_time: "10:30".into(),
        other_text: "First line\nsecond line".into(),
        court: Some(Court {
            slug: "alameda".into(),
            name: "Superior Court".into(),
            ..Court::default()
        }),
        restrained: Some(Person {
            name: Some(Name {
                last: "Doe".into(),
                first: "John".into(),
                ..Name::default()
            }),
            aliases: vec![Name::default()],
            race: vec!["W".into(), "H".into()],
            height_inches: Some(73),
            identifiers: vec![Identifier {
                kind: "cii".into(),
                value: "9".into(),
                ..Identifier::default()
            }],
            ..Person::default()
        }),
        protected: ["A", "B", "C", "D", "E"]
            .map(|last| protected(last, "schoolmate"))
            .into(),
        terms: vec![
            term("no_contact", ""),
            term("other", "words"),
            term("custody", "With A"),
            Term {
                distance_yards: Some(100),
                places: vec!["home".into(), "establishment".into()],
                ..term("stay_away", "")
            },
        ],
        ..Order::default()
    }
}

/// What a browser sends of a form that was opened with these fields.
fn sent(fields: &Fields) -> Fields {
    let text = fields.get("other_text").replace('\n', "\r\n");
    let without = PROTECTED.map(|prefix| format!("{prefix}_relationship"));
    let fields = without
        .iter()
        .fold(fields.clone(), |all, name| all.with(name, ""));
    fields.with("other_text", &text)
}

#[test]
fn a_form_becomes_an_order_of_the_clerks_own_court() {
    let body = "form=DV-130&case_number=FL-1&issued=2026-11-20&expires=2029-11-20&last=Doe&first=John&feet=6&inches=1\
        &p1_last=Doe&p1_first=Jane&p2_last=&term_no_contact=on&term_stay_away=on&yards=100&place_home=on&custody=With+Jane";
    let made = order(&read(body), Order::default(), "tribal/yurok");
    let court = made.court.unwrap();
    assert_eq!((court.slug.as_str(), court.tribal), ("yurok", true));
    assert_eq!(made.restrained.unwrap().height_inches, Some(73));
    assert_eq!(made.protected.len(), 1);
    let kinds: Vec<&str> = made.terms.iter().map(|term| term.kind.as_str()).collect();
    assert_eq!(kinds, ["no_contact", "stay_away", "custody"]);
    assert_eq!(made.terms[1].places, ["home"]);
    assert_eq!(made.expires.unwrap().kind, "on_date");
}

#[test]
fn a_form_that_is_sent_as_it_was_opened_changes_nothing_of_the_order() {
    let before = whole();
    let after = order(&sent(&fields_of(&before)), before.clone(), "court/alameda");
    assert_eq!(after, before);
}

#[test]
fn one_changed_field_changes_that_one_alone() {
    let before = whole();
    let opened = sent(&fields_of(&before));
    let after = order(
        &opened.clone().with("yards", "50"),
        before.clone(),
        "court/alameda",
    );
    let mut expected = before.clone();
    expected.terms[3].distance_yards = Some(50);
    expected.terms[3].places = vec!["establishment".into(), "home".into()];
    assert_eq!(after, expected);
    let after = order(
        &opened.clone().with("p2_last", "").with("term_no_contact", ""),
        before.clone(),
        "court/alameda",
    );
    assert_eq!(after.protected.len(), 4);
    assert!(after.terms.iter().all(|term| term.kind != "no_contact"));
    // Another form: what the order is follows from it.
    let after = order(&opened.with("form", "DV-110"), before, "court/alameda");
    assert_eq!([after.form.as_str(), after.family.as_str()], ["DV-110", ""]);
}
