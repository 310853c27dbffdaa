//! Filing, amending, serving, ending: acknowledged acts are visible at once, repeated requests change nothing.

use ccpor_domain::{Ending, EndingKind, OrderId, Service, ServiceMode, Status, standing};
use ccpor_registry::{IntakeRefused, NoStory, now};

use crate::court::{file, found, open_court, order, request};

#[test]
fn a_filed_order_is_found_by_name_case_and_registry_number() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    let done = file(&court, "key-0001", order("GARCIA LOPEZ", "JOSE", "HF26-1")).unwrap();
    assert_eq!(done.version, 1);
    assert!(!done.repeated);
    assert_eq!(found(&court, "GARCIA LOPEZ", "JOSE"), [done.order]);
    assert_eq!(found(&court, "PROTEGIDA", "ALMA"), [done.order]);
    let number = done.order.registry_number().to_string();
    assert_eq!(court.order_named(&number), Some(done.order));
    assert_eq!(court.order_named(&done.order.to_string()), Some(done.order));
    assert!(found(&court, "NIEMAND", "KARL").is_empty());
    court.close();
}

#[test]
fn a_repeated_request_gives_the_first_answer_and_a_reused_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    let first = file(&court, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    let again = file(&court, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    assert!(again.repeated);
    assert_eq!(
        (again.order, again.head, again.recorded),
        (first.order, first.head, first.recorded)
    );
    let other = file(&court, "key-0001", order("ROE", "RICHARD", "HF26-2"));
    assert!(matches!(other, Err(IntakeRefused::KeyReused(id)) if id == first.order));
    assert_eq!(court.counts().orders, 1);
    court.close();
}

#[test]
fn an_order_goes_through_its_life() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    let id = file(&court, "key-0001", order("DOE", "JOHN", "HF26-1"))
        .unwrap()
        .order;
    let served = Service {
        mode: ServiceMode::Personal,
        agency: "KERN SO".into(),
        ..Service::default()
    };
    court.serve(request("key-0002"), id, served.clone()).unwrap();
    assert!(court.serve(request("key-0002"), id, served).unwrap().repeated);
    let amended = court
        .amend(
            request("key-0003"),
            id,
            Some(1),
            order("DOE-SMITH", "JOHN", "HF26-1"),
        )
        .unwrap();
    assert_eq!(amended.version, 2);
    let late = court.amend(request("key-0004"), id, Some(1), order("DOE", "JON", "HF26-1"));
    assert!(matches!(
        late,
        Err(IntakeRefused::VersionMoved {
            expected: 1,
            found: 2,
            ..
        })
    ));
    // The repeated amendment is answered although its version is no longer the newest.
    let again = court
        .amend(
            request("key-0003"),
            id,
            Some(1),
            order("DOE-SMITH", "JOHN", "HF26-1"),
        )
        .unwrap();
    assert!(again.repeated);
    assert_eq!(
        found(&court, "DOE", "JOHN"),
        [id],
        "the name before the amendment still finds it"
    );
    let ending = Ending {
        kind: EndingKind::Terminated,
        date: None,
        time: None,
    };
    court.end(request("key-0005"), id, ending.clone()).unwrap();
    assert!(matches!(
        court.end(request("key-0006"), id, ending),
        Err(IntakeRefused::Step(_))
    ));
    let (story, _) = court.show(id, None).into_parts();
    let story = story.unwrap();
    assert_eq!(story.records.len(), 4);
    assert!(story.unreadable.is_empty());
    let stands = standing(&story.state, now(), &ccpor_domain::Calendars::default());
    assert_eq!(stands.status, Status::Terminated);
    assert!(stands.served);
    court.close();
}

#[test]
fn the_past_is_shown_as_it_was_known() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    let filed = file(&court, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    let before = ccpor_domain::UtcMillis(i64::try_from(filed.recorded.millis()).unwrap());
    // The next record has a later moment, since the clock of a ledger never stands still within a millisecond's tick.
    while now() <= before {
        std::thread::yield_now();
    }
    court
        .amend(
            request("key-0002"),
            filed.order,
            None,
            order("ROE", "JOHN", "HF26-1"),
        )
        .unwrap();
    let (then, _) = court.show(filed.order, Some(before)).into_parts();
    assert_eq!(then.unwrap().state.order.restrained.name.last, "DOE");
    let (earlier, _) = court
        .show(filed.order, Some(ccpor_domain::UtcMillis(before.0 - 1)))
        .into_parts();
    assert_eq!(earlier.unwrap_err(), NoStory::Unknown(filed.order));
    court.close();
}

#[test]
fn what_may_not_be_filed_is_refused_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    let before = court.counts();
    let mut nameless = order("", "", "HF26-1");
    nameless.restrained = ccpor_domain::Person::default();
    assert!(matches!(
        file(&court, "key-0001", nameless),
        Err(IntakeRefused::Core(_))
    ));
    let mut other = order("DOE", "JOHN", "HF26-1");
    other.court.slug = "kern".into();
    assert!(matches!(
        file(&court, "key-0002", other),
        Err(IntakeRefused::OtherCourt { .. })
    ));
    let unknown = court.serve(request("key-0003"), OrderId([7; 16]), Service::default());
    assert!(matches!(
        unknown,
        Err(IntakeRefused::NoStory(NoStory::Unknown(_)))
    ));
    assert_eq!(court.counts().records, before.records);
    court.close();
}

#[test]
fn many_clerks_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    std::thread::scope(|scope| {
        for clerk in 0..8 {
            let court = &court;
            scope.spawn(move || {
                for number in 0..25 {
                    let name = format!("CLERK{clerk}N{number}");
                    file(
                        court,
                        &format!("key-{clerk}-{number}"),
                        order(&name, "ANN", &name),
                    )
                    .unwrap();
                    // Two clerks send the same act at the same time.
                    let shared = file(court, &format!("shared-{number}"), order("SHARED", "SAM", "S-1"));
                    shared.unwrap();
                }
            });
        }
    });
    assert_eq!(court.counts().orders, 8 * 25 + 25);
    let last = OrderId::derive("court/alameda", "key-7-24");
    assert_eq!(found(&court, "CLERK7N24", "ANN").first(), Some(&last));
    court.close();
}

/// Found by cutting the power: a disk that stops answering between two records of an order made the order look older than it
/// is, and an act was refused by a version that no longer stood.
#[test]
fn an_order_with_a_record_that_cannot_be_read_is_shown_but_not_acted_upon() {
    let directory = tempfile::tempdir().unwrap();
    let (court, _) = open_court(directory.path(), "alameda", 1);
    let id = file(&court, "key-0001", order("DOE", "JOHN", "HF26-1"))
        .unwrap()
        .order;
    court
        .amend(
            request("key-0002"),
            id,
            Some(1),
            order("UNMISTAKABLE", "JOHN", "HF26-1"),
        )
        .unwrap();
    let ledger = directory.path().join("ledger/court.alameda.node.1");
    let segment = std::fs::read_dir(ledger)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "segment"))
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let place = bytes
        .windows(12)
        .position(|window| window == b"UNMISTAKABLE")
        .unwrap();
    bytes[place] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let refused = court.amend(request("key-0003"), id, Some(2), order("ROE", "JOHN", "HF26-1"));
    assert!(
        matches!(refused, Err(IntakeRefused::NoStory(NoStory::NotReadable { .. }))),
        "{refused:?}"
    );
    let (story, _) = court.show(id, None).into_parts();
    assert_eq!(story.unwrap().unreadable.len(), 1);
    court.close();
}

#[test]
fn an_order_is_named_by_its_number_when_that_has_no_digit() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    let number = |key: &str| OrderId::derive("court/alameda", key).registry_number();
    let letters_alone = |key: &String| {
        !number(key)
            .to_string()
            .contains(|sign: char| sign.is_ascii_digit())
    };
    let key = (0..10_000)
        .map(|count| format!("letters-{count:05}"))
        .find(letters_alone)
        .unwrap();
    let filed = file(&registry, &key, order("DOE", "JOHN", "FL-1")).unwrap();
    assert_eq!(filed.order.registry_number(), number(&key));
    assert_eq!(registry.order_named(&number(&key).to_string()), Some(filed.order));
    registry.close();
}
