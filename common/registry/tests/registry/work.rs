//! What is left to do: after any acts, in any order, and after the registry was opened again, the lists are those that a plain model
//! finds by reading every order of the court.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ccpor_domain::{
    Date, Ending, EndingKind, Expiry, Order, OrderId, Service, ServiceMode, Status, WarningCode, check,
    standing,
};
use ccpor_registry::{Everything, Registry, Seeing, Sight, Story, now};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::court::{file, open_court, order, request};

/// One thing that a clerk does; the number names an order by the sequence of filing.
#[derive(Clone, Copy, Debug)]
enum Deed {
    File { ends_in: u16, known: bool },
    Serve(usize),
    Attempt(usize),
    End(usize),
    Prolong(usize),
    Look,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (prop::sample::select(vec![1_u16, 89, 91, 400]), any::<bool>())
            .prop_map(|(ends_in, known)| Deed::File { ends_in, known }),
        1 => any::<usize>().prop_map(Deed::Serve),
        1 => any::<usize>().prop_map(Deed::Attempt),
        1 => any::<usize>().prop_map(Deed::End),
        1 => any::<usize>().prop_map(Deed::Prolong),
        2 => Just(Deed::Look),
    ]
}

fn today() -> Date {
    now().in_pacific().0
}

fn paper(ends_in: u16, known: bool, number: usize) -> Order {
    let mut order = order("DOE", "JOHN", &format!("FL-{number}"));
    order.issued = Some(today());
    order.expires = Expiry::OnDate {
        date: today().plus_days(ends_in),
        time: None,
    };
    if known {
        order.restrained.race = vec!["W".into()];
    }
    order
}

/// The lists as identifiers: unserved, expiring, incomplete.
type Lists = [BTreeSet<OrderId>; 3];

fn listed(registry: &Registry, sight: &dyn Sight) -> Lists {
    let (work, _) = registry.left_to_do(sight).into_parts();
    let work = work.unwrap();
    assert!(!work.more);
    [work.unserved, work.expiring, work.incomplete].map(|list| list.iter().map(|story| story.order).collect())
}

/// The same by reading every order that was filed.
fn model(registry: &Registry, filed: &[OrderId]) -> Lists {
    let mut lists = Lists::default();
    for id in filed {
        let story = registry.show(*id, None).into_parts().0.unwrap();
        let held = standing(&story.state, now(), registry.calendars());
        if !matches!(held.status, Status::Active | Status::NotYetEffective) {
            continue;
        }
        let end = held.ends.moment().unwrap().0 - now().0;
        let missing = |story: &Story| {
            let found = check(&story.state.order);
            story.state.images.is_empty() || found.iter().any(|one| one.code == WarningCode::Missing)
        };
        for (list, belongs) in lists.iter_mut().zip([
            !held.served,
            end > 0 && end <= 90 * 24 * 3_600_000,
            missing(&story),
        ]) {
            if belongs {
                list.insert(*id);
            }
        }
    }
    lists
}

fn done(registry: &Registry, filed: &mut Vec<OrderId>, deed: Deed, number: usize) {
    let key = format!("deed-{number:06}");
    let which = |place: usize| filed.get(place % filed.len().max(1)).copied();
    let serve = |order, mode| {
        let service = Service {
            mode,
            ..Service::default()
        };
        registry.serve(request(&key), order, service).unwrap();
    };
    match deed {
        Deed::File { ends_in, known } => {
            let made = file(registry, &key, paper(ends_in, known, number)).unwrap();
            filed.push(made.order);
        }
        Deed::Serve(place) => {
            if let Some(order) = which(place) {
                serve(order, ServiceMode::Personal);
            }
        }
        Deed::Attempt(place) => {
            if let Some(order) = which(place) {
                serve(order, ServiceMode::FailedAttempt);
            }
        }
        Deed::End(place) => {
            if let Some(order) = which(place) {
                let ending = Ending {
                    kind: EndingKind::Terminated,
                    date: None,
                    time: None,
                };
                // One that has ended already is not ended again.
                let _refused = registry.end(request(&key), order, ending);
            }
        }
        Deed::Prolong(place) => {
            if let Some(order) = which(place) {
                let _refused = registry.amend(request(&key), order, None, paper(400, true, number));
            }
        }
        Deed::Look => assert_eq!(listed(registry, &Everything), model(registry, filed)),
    }
}

#[test]
fn what_is_left_to_do_is_what_a_model_finds_by_reading_every_order() {
    let config = Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    };
    let worlds = prop::collection::vec(deed(), 1..40);
    TestRunner::new(config)
        .run(&worlds, |deeds| {
            let directory = tempfile::tempdir().unwrap();
            let (registry, _) = open_court(directory.path(), "alameda", 1);
            let mut filed = Vec::new();
            for (number, deed) in deeds.into_iter().enumerate() {
                done(&registry, &mut filed, deed, number);
            }
            let before = listed(&registry, &Everything);
            prop_assert_eq!(&before, &model(&registry, &filed));
            registry.close();
            drop(registry);
            let (again, _) = open_court(directory.path(), "alameda", 1);
            prop_assert_eq!(&listed(&again, &Everything), &before);
            again.close();
            Ok(())
        })
        .unwrap();
}

/// Eyes that see no order that was sealed.
#[derive(Debug)]
struct Clerk;

impl Sight for Clerk {
    fn see(&self, story: Story, _now: Option<&Story>) -> Seeing {
        if story.state.sealed.is_some() {
            return Seeing::Hidden;
        }
        Seeing::Shown(Box::new(story))
    }

    fn person(&self, _: &ccpor_matching::CardPerson, _: &Story) -> ccpor_registry::SeenPerson {
        ccpor_registry::SeenPerson::Named
    }
}

#[test]
fn what_a_clerk_does_not_see_is_not_listed_as_work() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    let filed = file(&registry, "sealed-0001", paper(30, false, 1)).unwrap().order;
    registry.seal(request("seal-00001"), filed, true).unwrap();
    assert_eq!(listed(&registry, &Clerk), Lists::default());
    assert!(
        listed(&registry, &Everything)
            .iter()
            .all(|list| list.contains(&filed))
    );
    registry.close();
}

/// Flips a bit in the middle of what is written, as a failing disk does: the running program reads the same file.
fn rot(directory: &Path) {
    let segment = directory.join("ledger/court.alameda.node.1/00000001.segment");
    let bytes = std::fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(&[bytes[end / 2] ^ 4], u64::try_from(end / 2).unwrap())
        .unwrap();
}

#[test]
fn work_says_when_a_record_is_damaged_or_an_order_cannot_be_read() {
    for seen_before in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let (registry, _) = open_court(directory.path(), "alameda", 1);
        for number in 0..6 {
            let key = format!("filed-{number:04}");
            file(&registry, &key, paper(30, false, number)).unwrap();
        }
        let look = || registry.left_to_do(&Everything).into_parts().0.unwrap();
        if seen_before {
            let work = look();
            assert_eq!(
                (work.unserved.len(), work.unreadable, work.damaged),
                (6, 0, false)
            );
        }
        rot(directory.path());
        let work = look();
        assert!(work.unserved.len() < 6);
        // What was read before is looked for; what was not is not known to be there.
        assert_eq!((work.unreadable > 0, work.damaged), (seen_before, !seen_before));
        registry.close();
    }
}
