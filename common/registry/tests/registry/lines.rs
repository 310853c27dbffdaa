//! Lines of orders at one court's registry: many who follow one order at once, and what an amendment, a wrong end or a cancelled
//! entry may not do.

use ccpor_domain::{Actor, Ending, EndingKind, Follows, Order, OrderId, Stage};
use ccpor_registry::{IntakeRefused, Registry, Request};

use crate::court::{file, open_court, order, request};

fn temporary(case: &str) -> Order {
    Order {
        stage: Stage::Temporary,
        form: "DV-110".into(),
        ..order("DOE", "JOHN", case)
    }
}

fn is_open(registry: &Registry, id: OrderId) -> bool {
    let (story, _) = registry.show(id, None).into_parts();
    story.unwrap().state.ending.is_none()
}

fn superseded(by: OrderId) -> Ending {
    Ending {
        kind: EndingKind::Superseded { by },
        date: None,
        time: None,
    }
}

#[test]
fn of_many_who_follow_one_order_at_once_exactly_one_does() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    for round in 0..4 {
        let first = file(&registry, &format!("first-{round:04}"), temporary("FL-1"))
            .unwrap()
            .order;
        let callers = 0..8;
        let filed: Vec<OrderId> = std::thread::scope(|threads| {
            let started: Vec<_> = callers
                .map(|caller| {
                    let registry = &registry;
                    threads.spawn(move || {
                        let key = format!("next-{round:02}-{caller:02}");
                        let next = temporary("FL-1");
                        registry.file_following(request(&key), None, next, (first, Follows::Continues))
                    })
                })
                .collect();
            started
                .into_iter()
                .filter_map(|thread| match thread.join().unwrap() {
                    Ok(done) => Some(done.order),
                    Err(IntakeRefused::Follow(_)) => None,
                    Err(other) => panic!("{other}"),
                })
                .collect()
        });
        assert_eq!(filed.len(), 1, "round {round}");
        assert!(!is_open(&registry, first) && is_open(&registry, filed[0]));
    }
    registry.close();
}

#[test]
fn a_line_is_not_changed_by_amendments_and_wrong_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    let first = file(&registry, "first-0001", temporary("FL-1")).unwrap().order;
    let next = registry
        .file_following(
            request("next-00001"),
            None,
            temporary("FL-1"),
            (first, Follows::Continues),
        )
        .unwrap()
        .order;
    // Left out, the line stays; named otherwise, the amendment is refused.
    registry
        .amend(request("amend-0001"), next, None, temporary("FL-1a"))
        .unwrap();
    let (story, _) = registry.show(next, None).into_parts();
    assert_eq!(story.unwrap().state.order.previous, Some(first));
    let moved = Order {
        previous: Some(next),
        ..temporary("FL-1b")
    };
    let refused = registry
        .amend(request("amend-0002"), next, None, moved)
        .unwrap_err();
    assert!(refused.to_string().contains("stays in its line"), "{refused}");
    let unknown = registry
        .end(request("ends-00001"), next, superseded(OrderId([9; 16])))
        .unwrap_err();
    assert!(matches!(unknown, IntakeRefused::NoStory(_)), "{unknown}");
    // Cancelling what followed in error brings nothing back, and says so.
    let cancelled = Ending {
        kind: EndingKind::CancelledEntryError,
        date: None,
        time: None,
    };
    let done = registry.end(request("cancel-001"), next, cancelled).unwrap();
    assert!(done.warnings[0].message.contains("stays ended"));
    registry.close();
}

#[test]
fn an_entry_is_cancelled_by_somebody_else_than_the_person_who_made_it() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    let by = |person: Option<&str>, key: &str| Request {
        by: Actor {
            identity: "court/alameda/node/1".into(),
            person: person.map(Into::into),
            ..Actor::default()
        },
        ..request(key)
    };
    let filed = registry
        .file(by(Some("pquill"), "entered-01"), None, temporary("FL-9"))
        .unwrap()
        .order;
    let ending = |kind| Ending {
        kind,
        date: None,
        time: None,
    };
    let cancelled = ending(EndingKind::CancelledEntryError);
    let refused = registry
        .end(by(Some("pquill"), "cancel-001"), filed, cancelled.clone())
        .unwrap_err();
    assert!(matches!(refused, IntakeRefused::OwnEntry(_)), "{refused}");
    assert!(is_open(&registry, filed));
    registry
        .end(by(Some("rdiaz"), "cancel-002"), filed, cancelled)
        .unwrap();
    assert!(!is_open(&registry, filed));
    // What a court terminates is no entry of anybody's to hide, and a court's system answers for its people itself.
    for (number, person, kind) in [
        (1, Some("pquill"), EndingKind::Terminated),
        (2, None, EndingKind::CancelledEntryError),
    ] {
        let filed = registry
            .file(by(person, &format!("entered-1{number}")), None, temporary("FL-9"))
            .unwrap()
            .order;
        registry
            .end(by(person, &format!("ends-0000{number}")), filed, ending(kind))
            .unwrap();
        assert!(!is_open(&registry, filed));
    }
    registry.close();
}
