//! Rows as courts write them, good and bad, and what becomes of each.

use ccpor_domain::{
    BradyIndicator, CourtRef, Date, Ending, EndingKind, Expiry, Family, IdentifierKind, OrderId, Place,
    ProtectedRole, Relationship, ServiceMode, Sex, Stage, TermKind, TimeOfDay,
};
use serde_json::{Map, Value, json};

use super::fields::Findings;
use super::row::{House, Row, read};

fn house() -> House {
    let court: CourtRef = "court/alameda".parse().unwrap();
    let usual = ccpor_domain::Court {
        name: "Superior Court of Alameda".to_owned(),
        ..Default::default()
    };
    House {
        court: Some(court),
        usual,
        ..House::default()
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn good(value: Value, house: &House) -> (Row, Vec<String>) {
    let mut findings = Findings::default();
    let row = read(object(value), house, &mut findings);
    (
        row.unwrap_or_else(|| panic!("{:?}", findings.faults)),
        findings.unknown,
    )
}

/// The core of a row, with other fields over it; a null takes one away.
fn with(fields: Value) -> Value {
    let mut row = object(
        json!({"source_id": "17", "case_number": "RG26-1", "issued": "2026-01-31",
        "restrained": {"first": "JOHN", "last": "DOE"}}),
    );
    row.extend(object(fields));
    Value::Object(row)
}

#[test]
fn a_whole_native_row() {
    let (row, unknown) = good(
        with(json!({
            "court": "Alameda", "form": "DV-130", "family": "domestic_violence", "stage": "after_hearing",
            "issued_time": "15:15", "expires": {"kind": "on_date", "date": "2031-01-31", "time": "00:00"},
            "hearing": {"date": "2026-01-31", "department": "12"}, "present_at_hearing": false,
            "restrained": {"first": "John", "last": "de la Cruz", "suffix": "JR", "dob": "1985-03-12", "sex": "m", "race": ["white", "H"],
                "height_cm": 180, "weight_kg": 81.6, "eye": "brown", "hair": "BAL", "dl": 1234567, "dl_state": "CA", "cii": "A1",
                "identifiers": [{"kind": "plate", "value": "7ABC123", "issuer": "CA"}], "cautions": "00;25",
                "aliases": [{"first": "Jack", "last": "Cruz"}, "CRUZ, JUAN CARLOS", "Shorty"],
                "vehicles": [{"make": "Ford", "year": "2019"}]},
            "protected": [{"first": "Jane", "last": "Doe", "relationship": "former spouse", "safe_at_home": true},
                {"person": {"name": {"first": "Kim", "last": "Doe"}}, "role": "primary"}, {"last": "Roe"}],
            "terms": [{"kind": "stay_away", "distance_yards": 100, "places": ["home", "work"], "pco": ["04"]}, "no_contact"],
            "conditions": ["surrender_firearms"], "brady": "yes", "foreign": {"jurisdiction": "NV", "registered": "2026-02-01"},
            "service": [{"mode": "failed_attempt", "date": "2026-02-01"},
                {"mode": "personal", "date": "2026-02-02", "time": "10:00", "served_by": "Dep. Ortiz", "agency": "Kern SO"}],
            "served": true, "other_text": " Pay. ", "ended": {"kind": "terminated", "date": "2026-06-01"}})),
        &house(),
    );
    assert_eq!(unknown, Vec::<String>::new());
    let order = &row.order;
    assert_eq!(
        (order.court.slug.as_str(), order.court.name.as_str()),
        ("alameda", "Superior Court of Alameda")
    );
    assert_eq!(
        (order.family, order.stage),
        (Family::DomesticViolence, Stage::AfterHearing)
    );
    let date = Date::new(2031, 1, 31).unwrap();
    assert_eq!(
        order.expires,
        Expiry::OnDate {
            date,
            time: Some(TimeOfDay::MIDNIGHT)
        }
    );
    let person = &order.restrained;
    assert_eq!(
        (person.sex, person.height_inches, person.weight_pounds),
        (Sex::Male, Some(71), Some(180))
    );
    assert_eq!(
        (person.race.join("+"), person.eye.as_str(), person.hair.as_str()),
        ("W+H".to_owned(), "BRO", "BAL")
    );
    let names: Vec<String> = person
        .aliases
        .iter()
        .map(ccpor_domain::Name::last_first)
        .collect();
    assert_eq!(names, ["Cruz, Jack", "CRUZ, JUAN CARLOS", "Shorty"]);
    let numbers: Vec<_> = person
        .identifiers
        .iter()
        .map(|number| (number.kind, number.value.as_str(), number.issuer.as_str()))
        .collect();
    assert_eq!(
        numbers,
        [
            (IdentifierKind::DriverLicense, "1234567", "CA"),
            (IdentifierKind::Cii, "A1", ""),
            (IdentifierKind::Plate, "7ABC123", "CA"),
        ]
    );
    assert_eq!(
        (person.cautions.join("+"), person.vehicles[0].year),
        ("00+25".to_owned(), Some(2019))
    );
    let roles: Vec<_> = order
        .protected
        .iter()
        .map(|one| (one.person.name.last.as_str(), one.role, one.relationship))
        .collect();
    assert_eq!(
        roles,
        [
            ("Doe", ProtectedRole::Primary, Relationship::FormerSpouse),
            ("Doe", ProtectedRole::Primary, Relationship::NotStated),
            ("Roe", ProtectedRole::Additional, Relationship::NotStated),
        ]
    );
    assert!(order.protected[0].safe_at_home);
    assert_eq!(
        order.terms.iter().map(|term| term.kind).collect::<Vec<_>>(),
        [TermKind::StayAway, TermKind::NoContact, TermKind::Firearms]
    );
    assert_eq!(
        (&order.terms[0].places[..], &order.terms[0].pco[..]),
        (&[Place::Home, Place::Work][..], &[4][..])
    );
    assert_eq!(
        order.brady.as_ref().map(|brady| brady.indicator),
        Some(BradyIndicator::Yes)
    );
    assert_eq!(order.other_text, "Pay.");
    let services: Vec<_> = row
        .services
        .iter()
        .map(|(name, service)| (name.as_str(), service.mode))
        .collect();
    assert_eq!(
        services,
        [
            ("service-1", ServiceMode::FailedAttempt),
            ("service-2", ServiceMode::Personal)
        ]
    );
    assert!(!row.said_served);
    let ended = Ending {
        kind: EndingKind::Terminated,
        date: Date::new(2026, 6, 1).ok(),
        time: None,
    };
    assert_eq!(row.ending, Some(ended));
}

#[test]
fn a_row_of_the_synthetic_corpus() {
    let corpus = json!({"order_id": 0, "person_id": 812, "case_no": "AL26CV01234-0000001", "court": "Alameda", "order_type": "CH-130 CHRO",
        "issued": "2026-01-31", "expires": "2029-01-30", "served": true,
        "restrained": {"first": "JOHN", "middle": "", "last": "DOE", "suffix": "", "dob": "1985-03-12", "sex": "M", "race": "O",
            "height_cm": 180, "weight_kg": 82, "hair": "BAL", "eye": "BRO", "dl": "", "cii": "A01234567",
            "aliases": [{"first": "JACK", "middle": "", "last": "DOE", "dob": "1985-03-12"}]},
        "protected": [{"first": "JANE", "last": "DOE", "dob": "1990-01-01", "sex": "F"}],
        "conditions": ["no_contact", "stay_away_100yd"]});
    let (row, unknown) = good(corpus.clone(), &house());
    assert_eq!(unknown, ["restrained.aliases[].dob", "person_id"]);
    assert_eq!((row.source_id.as_str(), row.order.form.as_str()), ("0", "CH-130"));
    assert_eq!(
        (row.order.restrained.race.join("+"), row.order.terms.len()),
        ("O".to_owned(), 2)
    );
    assert!(row.said_served && row.services.is_empty());
    let (row, _) = good(
        corpus,
        &House {
            served_as: Some(ServiceMode::Personal),
            ..house()
        },
    );
    assert!(!row.said_served);
    assert_eq!(
        (row.services[0].0.as_str(), row.services[0].1.mode),
        ("served", ServiceMode::Personal)
    );
}

#[test]
fn what_is_said_of_service_is_not_stretched() {
    for (fields, said, services) in [
        (json!({}), false, 0),
        (json!({"served": false}), false, 0),
        (json!({"served": "yes"}), true, 0),
        (json!({"served": true, "present_at_hearing": true}), false, 0),
        (
            json!({"served": true, "service": {"mode": "failed_attempt"}}),
            true,
            1,
        ),
        (
            json!({"served": false, "service": [{"mode": "failed_attempt"}]}),
            false,
            1,
        ),
        (
            json!({"served": true, "service": [null, {"mode": "mail"}]}),
            false,
            1,
        ),
    ] {
        let (row, _) = good(with(fields.clone()), &house());
        assert_eq!(
            (row.said_served, row.services.len()),
            (said, services),
            "{fields}"
        );
    }
}

#[test]
fn the_court_may_be_named_in_many_ways() {
    let date = json!({"date": "2031-01-31"});
    for court in [
        json!("court/alameda"),
        json!("ALAMEDA"),
        json!("Superior Court of California, County of Alameda"),
        json!(null),
        json!({"slug": "alameda", "department": "12"}),
        json!({"name": "Alameda County Superior Court"}),
    ] {
        let (row, unknown) = good(with(json!({"court": court, "expires": date})), &house());
        assert_eq!((row.order.court.slug.as_str(), unknown.len()), ("alameda", 0));
    }
    let assumed = House {
        assume_court: true,
        ..house()
    };
    let (row, _) = good(
        with(json!({"court": "Northern California Intertribal"})),
        &assumed,
    );
    assert_eq!(
        (row.order.court.slug.as_str(), row.order.court.name.as_str()),
        ("alameda", "Superior Court of Alameda")
    );
    let hoopa = House {
        court: "tribal/hoopa".parse().ok(),
        ..House::default()
    };
    let named = json!({"court": {"slug": "hoopa", "tribal": true, "name": "Hoopa Valley Tribal Court"}});
    assert_eq!(
        good(with(named), &hoopa).0.order.court.name,
        "Hoopa Valley Tribal Court"
    );
    let nobody = House::default();
    assert_eq!(
        good(with(json!({"court": "Kern"})), &nobody).0.order.court.name,
        "Kern"
    );
}

#[test]
fn an_end_may_be_stated_in_many_ways() {
    let date = Date::new(2031, 1, 31).unwrap();
    let time = TimeOfDay::new(17, 0).ok();
    for (fields, expires) in [
        (
            json!({"expires": "2031-01-31"}),
            Expiry::OnDate { date, time: None },
        ),
        (
            json!({"expires": "2031-01-31", "expires_time": "17:00"}),
            Expiry::OnDate { date, time },
        ),
        (
            json!({"expires": {"date": "2031-01-31", "time": "17:00"}}),
            Expiry::OnDate { date, time },
        ),
        (json!({"expires": "Never"}), Expiry::Never),
        (json!({"expires": {"kind": "never"}}), Expiry::Never),
        (json!({"expires": "not_stated"}), Expiry::NotStated),
        (json!({"expires": ""}), Expiry::NotStated),
        (json!({"expires": {}}), Expiry::NotStated),
    ] {
        assert_eq!(
            good(with(fields.clone()), &house()).0.order.expires,
            expires,
            "{fields}"
        );
    }
}

#[test]
fn an_emergency_order_may_have_the_police_number_alone() {
    let fields = json!({"case_number": null, "agency_case_number": "26-0001", "form": "EPO-001"});
    assert_eq!(good(with(fields), &house()).0.order.case_number, "");
}

#[test]
fn bad_rows_are_told_by_field_and_reason() {
    let by = OrderId::default().to_string();
    for (fields, field, reason) in [
        (json!({"source_id": ""}), "source_id", "missing"),
        (json!({"source_id": ["x"]}), "source_id", "wrong_shape"),
        (
            json!({"source_id": "a\u{1f}b"}),
            "source_id",
            "control_characters",
        ),
        (json!({"order_id": "18"}), "order_id", "contradiction"),
        (json!({"case_number": null}), "case_number", "missing"),
        (json!({"issued": null}), "issued", "missing"),
        (json!({"issued": "2026-02-30"}), "issued", "bad_date"),
        (json!({"issued": "31.01.2026"}), "issued", "bad_date"),
        (json!({"issued": true}), "issued", "wrong_shape"),
        (json!({"issued_time": "25:00"}), "issued_time", "bad_time"),
        (json!({"restrained": null}), "restrained.name", "missing"),
        (json!({"restrained": "John Doe"}), "restrained", "wrong_shape"),
        (
            json!({"restrained": {"name": "John Doe"}}),
            "restrained.name",
            "wrong_shape",
        ),
        (
            json!({"restrained": {"last": "DOE", "dob": "1985"}}),
            "restrained.dob",
            "bad_date",
        ),
        (
            json!({"restrained": {"last": "DOE", "sex": "Q"}}),
            "restrained.sex",
            "unknown_word",
        ),
        (
            json!({"restrained": {"last": "DOE", "age_estimate": 1.5}}),
            "restrained.age_estimate",
            "bad_number",
        ),
        (
            json!({"restrained": {"last": "DOE", "height_inches": "tall"}}),
            "restrained.height_inches",
            "bad_number",
        ),
        (
            json!({"restrained": {"last": "DOE", "height_inches": 70, "height_cm": 150}}),
            "restrained.height_cm",
            "contradiction",
        ),
        (
            json!({"restrained": {"last": "DOE", "weight_kg": 1e300}}),
            "restrained.weight_kg",
            "bad_number",
        ),
        (
            json!({"restrained": {"last": "DOE", "race": [{}, {"a": 1}]}}),
            "restrained.race[1]",
            "wrong_shape",
        ),
        (
            json!({"restrained": {"last": "DOE", "ssn_last4": "123-45-6789"}}),
            "restrained.ssn_last4",
            "wrong_shape",
        ),
        (
            json!({"restrained": {"last": "DOE", "identifiers": [{"kind": "shoe", "value": "9"}]}}),
            "restrained.identifiers[0].kind",
            "unknown_word",
        ),
        (
            json!({"restrained": {"last": "DOE", "aliases": [{"last": 1}, [1]]}}),
            "restrained.aliases[1]",
            "wrong_shape",
        ),
        (json!({"protected": "Jane"}), "protected[0]", "wrong_shape"),
        (
            json!({"protected": [{"last": "A"}, {"dob": "x"}]}),
            "protected[1].dob",
            "bad_date",
        ),
        (
            json!({"protected": [{"person": {"dob": "x"}}]}),
            "protected[0].person.dob",
            "bad_date",
        ),
        (
            json!({"protected": [{"role": "boss"}]}),
            "protected[0].role",
            "unknown_word",
        ),
        (
            json!({"protected": [{"safe_at_home": "perhaps"}]}),
            "protected[0].safe_at_home",
            "wrong_shape",
        ),
        (json!({"family": "feud"}), "family", "unknown_word"),
        (json!({"court": "Kern"}), "court", "other_court"),
        (json!({"court": "tribal/alameda"}), "court", "other_court"),
        (json!({"court": "Atlantis"}), "court", "no_such_court"),
        (
            json!({"court_name": "Superior Court of California, County of Kern"}),
            "court_name",
            "other_court",
        ),
        (json!({"expires": "someday"}), "expires", "unknown_word"),
        (json!({"expires": "2026-13-01"}), "expires", "bad_date"),
        (json!({"expires": {"kind": "on_date"}}), "expires", "missing"),
        (json!({"expires_time": "17:00"}), "expires", "missing"),
        (
            json!({"expires": {"kind": "never", "date": "2031-01-31"}}),
            "expires",
            "unknown_word",
        ),
        (json!({"hearing": "soon"}), "hearing", "bad_date"),
        (json!({"hearing": {"time": "9"}}), "hearing.time", "bad_time"),
        (
            json!({"terms": [{"kind": "no_fun"}]}),
            "terms[0].kind",
            "unknown_word",
        ),
        (
            json!({"terms": [{"kind": "stay_away", "distance_yards": 70_000}]}),
            "terms[0].distance_yards",
            "bad_number",
        ),
        (
            json!({"terms": [{"places": ["moon"]}]}),
            "terms[0].places",
            "unknown_word",
        ),
        (json!({"terms": [{"pco": [300]}]}), "terms[0].pco", "bad_number"),
        (json!({"terms": [true]}), "terms[0]", "wrong_shape"),
        (json!({"brady": "maybe"}), "brady", "unknown_word"),
        (json!({"previous": "17"}), "previous", "bad_id"),
        (json!({"served": "perhaps"}), "served", "wrong_shape"),
        (
            json!({"service": [{"date": "2026-02-02"}]}),
            "service[0].mode",
            "missing",
        ),
        (
            json!({"service": [{"mode": "pigeon"}]}),
            "service[0].mode",
            "unknown_word",
        ),
        (
            json!({"served": false, "service": [{"mode": "mail"}]}),
            "served",
            "contradiction",
        ),
        (json!({"ended": "2026-06-01"}), "ended", "wrong_shape"),
        (
            json!({"ended": {"date": "2026-06-01"}}),
            "ended.kind",
            "unknown_word",
        ),
        (json!({"ended": {"kind": "superseded"}}), "ended.by", "missing"),
        (
            json!({"ended": {"kind": "terminated", "by": by}}),
            "ended.kind",
            "unknown_word",
        ),
    ] {
        let mut findings = Findings::default();
        let row = read(object(with(fields.clone())), &house(), &mut findings);
        assert!(row.is_none(), "{fields}");
        let found: Vec<_> = findings
            .faults
            .iter()
            .map(|fault| (fault.field.as_str(), fault.reason.code()))
            .collect();
        assert!(found.contains(&(field, reason)), "{fields} gives {found:?}");
        assert!(found.len() <= 2, "{fields} gives {found:?}");
    }
}

#[test]
fn the_core_alone_is_enough() {
    let (row, unknown) = good(with(json!({"protected": [], "terms": null, "x": ""})), &house());
    assert_eq!(
        (row.services.len(), row.order.terms.len(), unknown.len()),
        (0, 0, 0)
    );
    assert_eq!(
        good(with(json!({"restrained": {"name": "DOE, JOHN"}})), &house())
            .0
            .order
            .restrained
            .name
            .first,
        "JOHN"
    );
}
