//! One order with every field filled, and events about it. The people are invented.

use ccpor_domain::*;

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn time(text: &str) -> TimeOfDay {
    text.parse().unwrap()
}

pub(crate) fn moment(text: &str) -> UtcMillis {
    text.parse().unwrap()
}

pub(crate) fn act(request: u8, at: &str) -> Act {
    Act {
        request: RequestId([request; 16]),
        at: moment(at),
        by: Actor {
            identity: "court/kern/node/1".into(),
            ori: Some("CA015015J".into()),
            person: Some("clerk7".into()),
        },
        reason: "entered from the signed order".into(),
    }
}

pub(crate) fn order_id() -> OrderId {
    OrderId::derive("court/kern/node/1", "BFL-26-001234/DV-130")
}

fn restrained() -> Person {
    Person {
        name: Name {
            first: "John".into(),
            middle: "Q".into(),
            last: "Doe".into(),
            suffix: "Jr".into(),
        },
        aliases: vec![Name::new("Johnny", "Doe")],
        dob: Some(date("1985-03-12")),
        age_estimate: Some(41),
        sex: Sex::Male,
        race: vec!["W".into()],
        height_inches: Some(73),
        weight_pounds: Some(190),
        eye: "BRO".into(),
        hair: "BLK".into(),
        skin: "MED".into(),
        marks: "tattoo left forearm".into(),
        identifiers: vec![
            Identifier {
                kind: IdentifierKind::DriverLicense,
                value: "D0000001".into(),
                issuer: "CA".into(),
            },
            Identifier {
                kind: IdentifierKind::Cii,
                value: "A00000001".into(),
                issuer: String::new(),
            },
        ],
        vehicles: vec![Vehicle {
            plate: "1ABC234".into(),
            state: "CA".into(),
            vin: "1M8GDM9AXKP042788".into(),
            make: "FORD".into(),
            model: "F150".into(),
            year: Some(2019),
            color: "WHI".into(),
        }],
        cautions: vec!["00".into(), "70".into()],
        language: "Spanish".into(),
    }
}

pub(crate) fn protected(first: &str, role: ProtectedRole) -> Protected {
    Protected {
        person: Person {
            name: Name::new(first, "Doe"),
            ..Person::default()
        },
        role,
        relationship: Relationship::FormerSpouse,
        minor_confidential: false,
        safe_at_home: role == ProtectedRole::Primary,
    }
}

pub(crate) fn term(kind: TermKind) -> Term {
    Term {
        kind,
        pco: vec![kind.usual_pco()],
        ..Term::default()
    }
}

pub(crate) fn order() -> Order {
    Order {
        family: Family::DomesticViolence,
        stage: Stage::AfterHearing,
        form: "DV-130".into(),
        statute: "Fam. Code 6300".into(),
        court: Court {
            slug: "kern".into(),
            tribal: false,
            name: "Kern Superior Court".into(),
            address: "1215 Truxtun Avenue, Bakersfield".into(),
            phone: "661-555-0100".into(),
            department: "12".into(),
            judge: "Hon. A. Judge".into(),
            ori: "CA015015J".into(),
        },
        case_number: "BFL-26-001234".into(),
        agency_case_number: "26-0001".into(),
        fcn: "2320000000001".into(),
        issued: Some(date("2026-10-01")),
        issued_time: Some(time("14:30")),
        effective: Some(date("2026-10-01")),
        effective_time: Some(time("14:30")),
        hearing: Some(Hearing {
            date: Some(date("2026-10-01")),
            time: Some(time("13:30")),
            department: "12".into(),
            room: "3".into(),
            judge: "Hon. A. Judge".into(),
            attended: "protected person".into(),
        }),
        expires: Expiry::OnDate {
            date: date("2029-10-01"),
            time: None,
        },
        restrained: restrained(),
        present_at_hearing: Some(false),
        protected: vec![
            protected("Jane", ProtectedRole::Primary),
            protected("Jill", ProtectedRole::Additional),
            protected("Jack", ProtectedRole::Additional),
        ],
        establishment: Some("none".into()),
        terms: vec![
            term(TermKind::Conduct),
            term(TermKind::NoContact),
            Term {
                kind: TermKind::StayAway,
                pco: vec![4],
                distance_yards: Some(100),
                places: vec![Place::Person, Place::Home, Place::Work],
                text: "stay away 100 yards".into(),
            },
            term(TermKind::MoveOut),
            term(TermKind::Firearms),
        ],
        other_text: "exchange of children at the sheriff's lobby".into(),
        previous: Some(OrderId([1; 16])),
        lineage: Some(OrderId([2; 16])),
        foreign: Some(ForeignOrder {
            jurisdiction: "NV".into(),
            order_number: "T-1".into(),
            valid_on_face: Some(true),
            registered: Some(date("2026-10-02")),
        }),
        brady: Some(Brady {
            indicator: BradyIndicator::Unknown,
            reason: "not reviewed".into(),
        }),
    }
}

pub(crate) fn filed() -> Filed {
    Filed {
        act: act(1, "2026-10-01T21:45:00Z"),
        order_id: order_id(),
        source_id: Some("cms-77".into()),
        order: order(),
    }
}

pub(crate) fn amended(request: u8, order: Order) -> Event {
    Event::Amended(Amended {
        act: act(request, "2026-10-02T17:00:00Z"),
        order_id: order_id(),
        order,
    })
}

pub(crate) fn service() -> Service {
    Service {
        mode: ServiceMode::Personal,
        date: Some(date("2026-10-02")),
        time: Some(time("22:15")),
        served_by: "Deputy B. Server".into(),
        badge: "1234".into(),
        agency: "Kern SO".into(),
        agency_ori: "CA0150000".into(),
        place: "1000 Main Street".into(),
        note: "copy handed over".into(),
    }
}

pub(crate) fn served(request: u8, at: &str, service: Service) -> Event {
    Event::Served(Served {
        act: act(request, at),
        order_id: order_id(),
        service,
    })
}

pub(crate) fn image() -> ImageRef {
    ImageRef {
        blake3: ImageDigest([7; 32]),
        sha256: ImageDigest([8; 32]),
        length: 123_456,
        media: Media::Tiff,
        pages: 6,
        title: "DV-130, signed".into(),
    }
}

pub(crate) fn attached(request: u8) -> Event {
    Event::ImageAttached(ImageAttached {
        act: act(request, "2026-10-01T21:46:00Z"),
        order_id: order_id(),
        image: image(),
    })
}

pub(crate) fn ended(request: u8, at: &str, kind: EndingKind, on: Option<(&str, Option<&str>)>) -> Event {
    let ending = Ending {
        kind,
        date: on.map(|(day, _)| date(day)),
        time: on.and_then(|(_, minute)| minute).map(time),
    };
    Event::Ended(Ended {
        act: act(request, at),
        order_id: order_id(),
        ending,
    })
}

/// One event of each variant, with the name of its golden file.
pub(crate) fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("filed", Event::Filed(filed())),
        (
            "filed_empty_order",
            Event::Filed(Filed {
                order: Order::default(),
                source_id: None,
                ..filed()
            }),
        ),
        (
            "amended",
            amended(
                2,
                Order {
                    expires: Expiry::Never,
                    ..order()
                },
            ),
        ),
        ("served", served(3, "2026-10-03T05:20:00Z", service())),
        ("image_attached", attached(4)),
        (
            "violated",
            Event::Violated(Violated {
                act: act(10, "2027-01-06T18:00:00Z"),
                order_id: order_id(),
                violation: Violation {
                    date: Some(date("2027-01-05")),
                    time: Some(time("23:10")),
                    agency: "Kern County Sheriff".into(),
                    agency_ori: "CA0150000".into(),
                    report: "27-000123".into(),
                    note: "called eleven times".into(),
                },
            }),
        ),
        (
            "confided",
            Event::Confided(Confided {
                act: act(11, "2026-10-02T21:20:00Z"),
                order_id: order_id(),
                sheet: SheetId([7; 16]),
                what: Confidence::Added(Ciphertext(vec![0, 1, 254, 255])),
            }),
        ),
        (
            "confidence_destroyed",
            Event::Confided(Confided {
                act: act(12, "2027-01-07T18:00:00Z"),
                order_id: order_id(),
                sheet: SheetId([7; 16]),
                what: Confidence::Destroyed,
            }),
        ),
        (
            "sealed",
            Event::Sealing(Sealing {
                act: act(9, "2027-01-05T18:00:00Z"),
                order_id: order_id(),
                sealed: true,
            }),
        ),
        (
            "terminated",
            ended(
                5,
                "2027-02-01T18:00:00Z",
                EndingKind::Terminated,
                Some(("2027-02-01", Some("09:30"))),
            ),
        ),
        (
            "cancelled",
            ended(5, "2027-02-01T18:00:00Z", EndingKind::CancelledEntryError, None),
        ),
        (
            "superseded",
            ended(
                5,
                "2027-02-01T18:00:00Z",
                EndingKind::Superseded { by: OrderId([9; 16]) },
                Some(("2027-02-01", None)),
            ),
        ),
    ]
}
