//! Counting: after any acts, in any order, and after the registry was opened again, the count is the one that a plain model makes by
//! reading every order of the court; and damage is counted when it is met.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ccpor_domain::{
    Date, Ending, EndingKind, Expiry, ForeignOrder, Form, Order, OrderId, Service, ServiceMode, Status,
    UtcMillis, standing,
};
use ccpor_registry::{Counted, Counting, FaultKind, Month, Registry, Story, faults, now};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::court::{file, key, open_court, open_hub, order, request};
use crate::replication::pass_on;

/// One thing that a court does; the number names an order by the sequence of filing.
#[derive(Clone, Copy, Debug)]
enum Deed {
    File {
        form: &'static str,
        begins_in: u16,
        ends_in: u16,
        foreign: bool,
    },
    Serve(usize),
    Attempt(usize),
    Seal(usize, bool),
    End(usize, bool),
    Prolong(usize),
    Look,
}

fn deed() -> impl Strategy<Value = Deed> {
    let filing = (
        prop::sample::select(vec!["DV-130", "dv110", "WV-110", "a form of ours"]),
        prop::sample::select(vec![0_u16, 5]),
        prop::sample::select(vec![0_u16, 9, 400]),
        prop::bool::weighted(0.2),
    );
    prop_oneof![
        4 => filing.prop_map(|(form, begins_in, ends_in, foreign)| Deed::File { form, begins_in, ends_in, foreign }),
        1 => any::<usize>().prop_map(Deed::Serve),
        1 => any::<usize>().prop_map(Deed::Attempt),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, sealed)| Deed::Seal(which, sealed)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, cancel)| Deed::End(which, cancel)),
        1 => any::<usize>().prop_map(Deed::Prolong),
        2 => Just(Deed::Look),
    ]
}

fn today() -> Date {
    now().in_pacific().0
}

/// An order of some days ago that begins and ends so many days from then.
fn paper(form: &str, begins_in: u16, ends_in: u16, foreign: bool, number: usize) -> Order {
    let issued = UtcMillis(now().0 - 3 * 24 * 3_600_000).in_pacific().0;
    let mut order = order("DOE", "JOHN", &format!("FL-{number}"));
    order.form = form.to_owned();
    order.issued = Some(issued);
    order.effective = Some(issued.plus_days(begins_in));
    order.expires = Expiry::OnDate {
        date: issued.plus_days(ends_in),
        time: None,
    };
    order.foreign = foreign.then(|| ForeignOrder {
        registered: Some(issued),
        ..ForeignOrder::default()
    });
    order
}

pub(crate) fn count(registry: &Registry) -> Arc<Counted> {
    match registry.count(Duration::ZERO, Duration::from_secs(60)) {
        Counting::Done(answer) => Arc::clone(answer.value()),
        Counting::UnderWay { looked_at, of } => panic!("still counting: {looked_at} of {of}"),
    }
}

/// What is counted, in the words of people: a line for each order in each table.
type Tables = BTreeMap<String, u64>;

fn line(tables: &mut Tables, line: String, count: u64) {
    *tables.entry(line).or_default() += count;
}

fn counted(registry: &Registry) -> Tables {
    let count = count(registry);
    let mut tables = Tables::new();
    for (cell, n) in &count.cells {
        let veil = (cell.group.sealed, cell.group.registered, cell.group.over);
        line(
            &mut tables,
            format!("{:?} {} {} {veil:?}", cell.form, cell.status, cell.served),
            *n,
        );
    }
    for ((_, month), n) in &count.filed {
        line(&mut tables, format!("filed {month}"), *n);
    }
    for ((_, days), n) in &count.days_to_service {
        line(&mut tables, format!("served within {days}"), *n);
    }
    for ((_, kind), n) in &count.faults {
        line(&mut tables, kind.as_str().to_owned(), *n);
    }
    for faulty in &count.faulty {
        line(&mut tables, format!("{} {:?}", faulty.order, faulty.worst), 1);
    }
    tables
}

/// The same by reading every order that was filed.
fn model(registry: &Registry, filed: &[OrderId]) -> Tables {
    let mut tables = Tables::new();
    for id in filed {
        let story = registry.show(*id, None).into_parts().0.unwrap();
        let held = standing(&story.state, now(), registry.calendars());
        let foreign = story.state.order.foreign.is_some();
        let over = !matches!(held.status, Status::Active | Status::NotYetEffective);
        let veil = (story.state.sealed.is_some(), foreign, over);
        let form = Form::find(&story.state.order.form).map(|form| form.number);
        line(
            &mut tables,
            format!("{form:?} {} {} {veil:?}", held.status, held.served),
            1,
        );
        line(&mut tables, format!("filed {}", Month::of(now())), 1);
        if held.status == Status::Active && held.served {
            line(&mut tables, "served within 3".into(), 1);
        }
        for fault in faults(&story, held.status) {
            line(&mut tables, fault.kind.as_str().to_owned(), 1);
        }
        if let Some(worst) = worst(&story, held.status) {
            line(&mut tables, format!("{id} {worst:?}"), 1);
        }
    }
    tables
}

fn worst(story: &Story, status: Status) -> Option<FaultKind> {
    faults(story, status).into_iter().map(|fault| fault.kind).min()
}

fn done(registry: &Registry, filed: &mut Vec<OrderId>, deed: Deed, number: usize) {
    let key = format!("deed-{number:06}");
    let which = |place: usize| filed.get(place % filed.len().max(1)).copied();
    let serve = |order, mode| {
        let service = Service {
            mode,
            date: Some(today()),
            ..Service::default()
        };
        registry.serve(request(&key), order, service).unwrap();
    };
    match deed {
        Deed::File {
            form,
            begins_in,
            ends_in,
            foreign,
        } => {
            let paper = paper(form, begins_in, ends_in, foreign, number);
            filed.push(file(registry, &key, paper).unwrap().order);
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
        // What is sealed, unsealed or over already is refused, and that changes nothing.
        Deed::Seal(place, sealed) => {
            let _refused = which(place).map(|order| registry.seal(request(&key), order, sealed));
        }
        Deed::End(place, cancel) => {
            let kind = if cancel {
                EndingKind::CancelledEntryError
            } else {
                EndingKind::Terminated
            };
            let ending = Ending {
                kind,
                date: None,
                time: None,
            };
            let _refused = which(place).map(|order| registry.end(request(&key), order, ending));
        }
        Deed::Prolong(place) => {
            let paper = paper("DV-130", 0, 800, false, number);
            let _refused = which(place).map(|order| registry.amend(request(&key), order, None, paper));
        }
        Deed::Look => assert_eq!(counted(registry), model(registry, filed)),
    }
}

#[test]
fn the_count_is_what_a_model_makes_by_reading_every_order() {
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
            let before = counted(&registry);
            prop_assert_eq!(&before, &model(&registry, &filed));
            registry.close();
            drop(registry);
            let (again, _) = open_court(directory.path(), "alameda", 1);
            prop_assert_eq!(&counted(&again), &before);
            again.close();
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_count_is_given_out_again_until_it_is_too_old() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    let sum = |count: &Counted| count.cells.values().sum::<u64>();
    registry.sign_heartbeat().unwrap();
    assert_eq!(sum(&count(&registry)), 0);
    let filed_at = now();
    file(&registry, "filed-0001", paper("DV-130", 0, 400, false, 1)).unwrap();
    let minute = Duration::from_secs(60);
    let Counting::Done(kept) = registry.count(minute, minute) else {
        panic!("there is a count");
    };
    assert_eq!(sum(kept.value()), 0);
    // What is given out again says how old it is by now.
    let fresh = kept.freshness();
    let court = &fresh.courts[0];
    assert!(fresh.answered_at >= filed_at);
    assert_eq!(
        court.age_ms,
        court.as_of.map(|as_of| fresh.answered_at.0 - as_of.0)
    );
    assert_eq!(sum(&count(&registry)), 1);
    registry.close();
    // Nobody begins to count in a registry that is closed; the last count stays.
    assert_eq!(sum(&count(&registry)), 1);
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
fn an_order_whose_record_is_found_damaged_is_counted_as_unreadable() {
    let directory = tempfile::tempdir().unwrap();
    let (registry, _) = open_court(directory.path(), "alameda", 1);
    let filed: Vec<OrderId> = (0..6)
        .map(|number| {
            let paper = paper("DV-130", 0, 400, false, number);
            file(&registry, &format!("filed-{number:04}"), paper)
                .unwrap()
                .order
        })
        .collect();
    let unreadable = |count: &Counted| -> Vec<OrderId> {
        let faulty = count.faulty.iter();
        faulty
            .filter(|one| one.worst == FaultKind::Unreadable)
            .map(|one| one.order)
            .collect()
    };
    assert!(unreadable(&count(&registry)).is_empty());
    rot(directory.path());
    // Whoever reads meets the damage; the count follows.
    let lost: Vec<OrderId> = filed
        .iter()
        .filter(|order| registry.show(**order, None).into_parts().0.is_err())
        .copied()
        .collect();
    assert!(!lost.is_empty());
    let after = count(&registry);
    assert_eq!(unreadable(&after), lost);
    let whole: u64 = after.cells.values().sum();
    assert_eq!(whole, u64::try_from(filed.len() - lost.len()).unwrap());
    registry.close();
}

#[test]
fn what_no_hub_has_confirmed_waits_until_a_receipt_comes() {
    let (a, h) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    let hub = open_hub(h.path());
    alameda.trust_hub("hub/1", key(9).public());
    let filed = |number: usize| {
        let paper = paper("DV-130", 0, 400, false, number);
        let key = format!("filed-{number:04}");
        file(&alameda, &key, paper).unwrap().order
    };
    let waiting = |before| {
        let (waiting, more) = alameda.waiting(before).unwrap();
        assert!(!more);
        waiting.into_iter().map(|one| one.order).collect::<Vec<_>>()
    };
    let later = || UtcMillis(now().0 + 1_000);
    let (first, second) = (filed(1), filed(2));
    alameda.seal(request("sealing-0001"), first, true).unwrap();
    // Each once, the longest waiting first; and nothing that was recorded a moment ago waits for long.
    assert_eq!(waiting(later()), [first, second]);
    assert!(waiting(UtcMillis(now().0 - 60_000)).is_empty());
    pass_on(&alameda, &hub, "alameda").unwrap();
    assert!(waiting(later()).is_empty());
    let third = filed(3);
    assert_eq!(waiting(later()), [third]);
    assert!(hub.waiting(later()).unwrap().0.is_empty());
    alameda.close();
    hub.close();
}
