//! What the clerk is told, and what alone stops a filing.

use ccpor_domain::*;

use crate::sample::{self, date};

fn codes(order: &Order) -> Vec<(String, WarningCode)> {
    check(order)
        .into_iter()
        .map(|warning| (warning.field.into_owned(), warning.code))
        .collect()
}

fn has(order: &Order, field: &str, code: WarningCode) -> bool {
    codes(order).iter().any(|(f, c)| f == field && *c == code)
}

#[test]
fn a_complete_order_has_no_warnings() {
    assert_eq!(codes(&sample::order()), []);
}

#[test]
fn an_empty_order_is_told_everything_and_blocked_by_four_things() {
    let empty = Order::default();
    let missing = legal_core(&empty).unwrap_err();
    assert_eq!(missing.fields, CoreField::ALL);
    assert_eq!(
        missing.to_string(),
        "the order cannot be filed without restrained.name, court, case_number, issued; everything else can follow"
    );
    for field in [
        "form",
        "family",
        "protected",
        "terms",
        "expires",
        "restrained.dob",
        "restrained.sex",
        "court.address",
    ] {
        assert!(has(&empty, field, WarningCode::Missing), "{field}");
    }
}

#[test]
fn an_emergency_order_has_only_the_officers_case_number() {
    let order = Order {
        form: "EPO-001".into(),
        case_number: " ".into(),
        ..sample::order()
    };
    let emergency = Order {
        family: Family::NotStated,
        stage: Stage::NotStated,
        ..order.clone()
    };
    assert!(legal_core(&emergency).is_ok());
    assert_eq!(legal_core(&order).unwrap_err().fields, [CoreField::CaseNumber]);
}

#[test]
fn durations_beyond_the_law() {
    let lasting = |form: &str, statute: &str, end: &str| Order {
        form: form.into(),
        family: Family::NotStated,
        stage: Stage::NotStated,
        statute: statute.into(),
        expires: Expiry::OnDate {
            date: date(end),
            time: None,
        },
        ..sample::order()
    };
    for (form, statute, last, beyond) in [
        ("DV-130", "", "2031-10-01", "2031-10-02"),
        ("WV-130", "", "2029-10-01", "2029-10-02"),
        ("DV-110", "", "2026-10-26", "2026-10-27"),
        ("EPO-001", "", "2026-10-08", "2026-10-09"),
        ("CR-160", "Pen. Code § 273.5 (j)", "2041-10-01", "2041-10-02"),
        ("CR-160", "136.2(i)(1)", "2036-10-01", "2036-10-02"),
    ] {
        assert!(
            !has(&lasting(form, statute, last), "expires", WarningCode::BeyondLaw),
            "{form} {statute} {last}"
        );
        assert!(
            has(&lasting(form, statute, beyond), "expires", WarningCode::BeyondLaw),
            "{form} {statute} {beyond}"
        );
    }
    // Before judgment an order stands while the court has the case; a renewal may be permanent.
    assert!(!has(
        &lasting("CR-160", "136.2(a)", "2060-01-01"),
        "expires",
        WarningCode::BeyondLaw
    ));
    assert!(!has(
        &lasting("DV-730", "", "2060-01-01"),
        "expires",
        WarningCode::BeyondLaw
    ));
}

#[test]
fn single_faults_are_found() {
    type Fault = fn(&mut Order);
    let faults: [(Fault, &str, WarningCode); 12] = [
        (|o| o.form = "ZZ-999".into(), "form", WarningCode::UnknownForm),
        (|o| o.form = "EPO-002".into(), "form", WarningCode::UnknownForm),
        (|o| o.form = "DV-200".into(), "form", WarningCode::Contradiction),
        (
            |o| o.family = Family::ElderAbuse,
            "family",
            WarningCode::Contradiction,
        ),
        (
            |o| o.stage = Stage::Temporary,
            "stage",
            WarningCode::Contradiction,
        ),
        (|o| o.fcn = "123".into(), "fcn", WarningCode::Unlikely),
        (
            |o| o.restrained.eye = "BR0".into(),
            "restrained.eye",
            WarningCode::UnknownCode,
        ),
        (
            |o| o.restrained.dob = o.issued.map(|d| d.plus_days(1)),
            "restrained.dob",
            WarningCode::Unlikely,
        ),
        (
            |o| o.protected[1].person.name = Name::default(),
            "protected[1].person.name",
            WarningCode::Missing,
        ),
        (
            |o| o.terms[2].distance_yards = None,
            "terms[2].distance_yards",
            WarningCode::Missing,
        ),
        (
            |o| o.terms[0].pco = vec![10],
            "terms[0].pco",
            WarningCode::UnknownCode,
        ),
        (|o| drop(o.terms.pop()), "terms", WarningCode::Missing),
    ];
    for (fault, field, code) in faults {
        let mut order = sample::order();
        fault(&mut order);
        assert!(has(&order, field, code), "{field} {code}: {:?}", codes(&order));
    }
    let backwards = Order {
        expires: Expiry::OnDate {
            date: date("2026-09-30"),
            time: None,
        },
        ..sample::order()
    };
    assert!(has(&backwards, "expires", WarningCode::Contradiction));
}

#[test]
fn a_warning_never_repeats_what_is_in_the_record() {
    let mut order = sample::order();
    order.restrained.hair = "SECRET".into();
    order.form = "SECRET-1".into();
    order.restrained.identifiers[0] = Identifier {
        kind: IdentifierKind::SsnLast4,
        value: "SECRET".into(),
        issuer: String::new(),
    };
    let told = check(&order);
    assert!(told.len() >= 3);
    assert!(
        told.iter()
            .all(|warning| !warning.message.contains("SECRET") && !warning.field.contains("SECRET"))
    );
}

#[test]
fn a_proof_of_service_is_looked_at_and_never_refused() {
    let order = sample::order();
    let fields = |service: &Service, order: &Order| -> Vec<String> {
        check_service(order, service)
            .into_iter()
            .map(|warning| warning.field.into_owned())
            .collect()
    };
    let bare = Service {
        mode: ServiceMode::Personal,
        ..Service::default()
    };
    assert_eq!(
        fields(&bare, &order),
        [
            "service.date",
            "service.time",
            "service.served_by",
            "service.agency"
        ]
    );
    let in_court = Service {
        mode: ServiceMode::InCourt,
        ..Service::default()
    };
    assert!(
        fields(&in_court, &order).is_empty(),
        "presence in court needs no proof"
    );
    let whole = sample::service();
    assert!(fields(&whole, &order).is_empty(), "{:?}", fields(&whole, &order));
    let before = Service {
        date: Some("2026-09-30".parse().unwrap()),
        ..whole.clone()
    };
    assert_eq!(fields(&before, &order), ["service.date"]);
    let mailed = Service {
        mode: ServiceMode::Mail,
        ..whole
    };
    assert!(fields(&mailed, &order).is_empty());
    let temporary = Order {
        stage: Stage::Temporary,
        ..order
    };
    assert_eq!(fields(&mailed, &temporary), ["service.mode"]);
}

#[test]
fn custody_outlives_an_expired_order() {
    let mut order = sample::order();
    order.terms.push(sample::term(TermKind::Custody));
    order.expires = Expiry::OnDate {
        date: "2026-10-02".parse().unwrap(),
        time: None,
    };
    let state = OrderState::start(Filed {
        act: sample::act(1, "2026-10-01T10:00:00Z"),
        order_id: sample::order_id(),
        source_id: None,
        order,
    });
    let at = |moment: &str| standing(&state, moment.parse().unwrap(), &Calendars::default());
    assert!(!at("2026-10-02T10:00:00Z").custody_remains, "it is in force");
    assert!(at("2026-10-04T10:00:00Z").custody_remains);
    assert!(radio_block(&state, &at("2026-10-04T10:00:00Z"), 1, 1).contains("CUSTODY TERMS MAY STILL STAND"));
}
