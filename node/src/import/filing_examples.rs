//! Imports from text to a real ledger in a temporary directory, and to a desk that refuses as it is told.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use ccpor_domain::{Actor, Ending, Order, OrderId, OrderState, Service, ServiceMode};
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Source};

use super::desk::{Desk, Done, Refused};
use super::direct::Direct;
use super::fault::Fault;
use super::feed::{Feed, Format};
use super::filing;
use super::key::Keys;
use super::row::House;
use super::tally::{Counts, Tally};

const COURT: &str = "court/alameda";

fn open(directory: &Path) -> Direct {
    let origin = OriginId::new("court/alameda/node/1").unwrap();
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    let trust = PinnedKeys::new().with(&origin, key.public().as_bytes());
    let config = RegistryConfig {
        directory: directory.to_owned(),
        identity: origin.to_string(),
        source: Source::Node,
        own: Some(OwnLedger {
            origin,
            key,
            chain: Vec::new(),
            handing_over: None,
        }),
        receipts: None,
        trust: std::sync::Arc::new(trust),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    Direct::new(Registry::open(config).unwrap().0, Actor::default())
}

fn import(
    text: &str,
    desk: &dyn Desk,
    served_as: Option<ServiceMode>,
) -> (Counts, Vec<(u64, Fault)>, Option<String>) {
    let house = House {
        court: COURT.parse().ok(),
        served_as,
        ..House::default()
    };
    let feed = Feed::open(text.as_bytes(), Format::Ndjson, house).unwrap();
    let tally = Tally::new(1_000, None);
    let (_, ended) = filing::run(feed, COURT, Some(desk), &tally);
    ended.unwrap();
    let counts = tally.counts();
    let (faults, written) = tally.take_faults();
    written.unwrap();
    (counts, faults, tally.why_stopped())
}

fn row(number: usize, more: &str) -> String {
    format!(
        "{{\"source_id\": {number}, \"case_number\": \"RG26-{number}\", \"issued\": \"2026-01-31\", \"restrained\": {{\"last\": \"DOE\"}}{more}}}\n"
    )
}

fn rows(count: usize, more: &str) -> String {
    (0..count).map(|number| row(number, more)).collect()
}

fn state(desk: &Direct, number: usize) -> OrderState {
    let order = Keys::of(COURT, &format!("RG26-{number}"), &number.to_string()).order();
    desk.registry().show(order, None).into_parts().0.unwrap().state
}

#[test]
fn a_second_import_files_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "{}{}not json\n",
        rows(200, ", \"service\": {\"mode\": \"personal\"}"),
        row(7, ", \"statute\": \"6320\"")
    );
    {
        let desk = open(directory.path());
        let (counts, faults, _) = import(&text, &desk, None);
        assert_eq!(
            (counts.read, counts.filed, counts.services_recorded),
            (202, 200, 200)
        );
        assert_eq!((counts.differing, counts.refused, counts.not_tried), (1, 1, 0));
        let codes: Vec<_> = faults
            .iter()
            .map(|(line, fault)| (*line, fault.reason.code()))
            .collect();
        assert_eq!(codes, [(201, "differs"), (202, "not_json")]);
        assert_eq!(faults[0].1.reason.order(), Some(state(&desk, 7).order_id));
    }
    // The directory was given back: it opens again, and knows every row.
    let desk = open(directory.path());
    let (counts, _, _) = import(&text, &desk, None);
    assert_eq!(
        (
            counts.filed,
            counts.already_there,
            counts.services_recorded,
            counts.differing
        ),
        (0, 200, 0, 1)
    );
    let state = state(&desk, 7);
    assert_eq!(
        (
            state.steps.len(),
            state.service.len(),
            state.order.statute.as_str()
        ),
        (2, 1, "")
    );
    assert_eq!(state.steps[0].act.reason, "imported");
}

#[test]
fn service_may_come_with_a_later_import() {
    let directory = tempfile::tempdir().unwrap();
    let desk = open(directory.path());
    let (counts, _, _) = import(&row(1, ", \"served\": true"), &desk, None);
    assert_eq!(
        (counts.filed, counts.said_served, counts.services_recorded),
        (1, 1, 0)
    );
    let reason = &state(&desk, 1).steps[0].act.reason;
    assert!(reason.contains("says that the order was served"), "{reason}");
    let (counts, _, _) = import(&row(1, ", \"served\": true"), &desk, Some(ServiceMode::Mail));
    assert_eq!((counts.already_there, counts.services_recorded), (1, 1));
    let personal = ", \"service\": [{\"mode\": \"personal\", \"date\": \"2026-02-01\"}], \"ended\": {\"kind\": \"terminated\"}";
    for expected in [1, 0] {
        let (counts, faults, _) = import(&row(1, personal), &desk, None);
        assert_eq!(
            (counts.services_recorded, counts.endings_recorded, faults.len()),
            (expected, expected, 0)
        );
    }
    let verbal = personal.replace("personal", "verbal");
    let (counts, faults, _) = import(&row(1, &verbal), &desk, None);
    assert_eq!((counts.already_there, faults[0].1.reason.code()), (1, "differs"));
    assert_eq!(state(&desk, 1).service.len(), 2);
}

/// Files until it has had enough.
struct Weary {
    left: AtomicUsize,
    filed: Mutex<Vec<(String, String)>>,
}

impl Desk for Weary {
    fn file(&self, key: String, _: &str, source_id: String, order: Order) -> Result<Done, Refused> {
        std::thread::sleep(Duration::from_micros(50));
        if self
            .left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_err()
        {
            return Err(Refused::Every("the disk is full".to_owned()));
        }
        self.filed.lock().unwrap().push((source_id, order.statute));
        Ok(Done {
            order: OrderId::derive(COURT, &key),
            repeated: false,
        })
    }

    fn serve(&self, _: String, _: OrderId, _: Service) -> Result<Done, Refused> {
        Err(Refused::This("the history of the order is full".to_owned()))
    }

    fn end(&self, _: String, _: OrderId, _: Ending) -> Result<Done, Refused> {
        Err(Refused::Differs)
    }

    fn lanes(&self) -> usize {
        4
    }
}

#[test]
fn a_desk_that_takes_no_more_stops_the_import() {
    let desk = Weary {
        left: AtomicUsize::new(100),
        filed: Mutex::default(),
    };
    let (counts, faults, stopped) = import(&rows(10_000, ""), &desk, None);
    assert_eq!(
        (counts.filed, faults.len(), stopped.as_deref()),
        (100, 0, Some("the disk is full"))
    );
    assert_eq!(counts.read, counts.filed + counts.not_tried);
    assert!(counts.read < 10_000);
}

#[test]
fn what_is_not_recorded_beside_a_filed_order_is_told() {
    let desk = Weary {
        left: AtomicUsize::new(9),
        filed: Mutex::default(),
    };
    let more = ", \"service\": {\"mode\": \"mail\"}, \"ended\": {\"kind\": \"terminated\"}";
    let (counts, faults, _) = import(&row(3, more), &desk, None);
    assert_eq!((counts.filed, counts.refused), (1, 0));
    let told: Vec<_> = faults
        .iter()
        .map(|(line, fault)| (*line, fault.field.as_str(), fault.reason.code()))
        .collect();
    assert_eq!(told, [(1, "service", "refused"), (1, "ended", "differs")]);
}

#[test]
fn rows_of_one_order_are_filed_in_the_order_of_their_lines() {
    let desk = Weary {
        left: AtomicUsize::new(1_000),
        filed: Mutex::default(),
    };
    let same: String = (0..100)
        .map(|turn| row(5, &format!(", \"statute\": \"{turn}\"")))
        .collect();
    let (counts, _, _) = import(&format!("{}{same}", rows(50, "")), &desk, None);
    assert_eq!((counts.read, counts.filed), (150, 150));
    let filed = desk.filed.lock().unwrap();
    let statutes: Vec<&str> = filed
        .iter()
        .filter(|(source, _)| source == "5")
        .map(|(_, statute)| statute.as_str())
        .collect();
    let expected: Vec<String> = std::iter::once(String::new())
        .chain((0..100).map(|turn| turn.to_string()))
        .collect();
    assert_eq!(statutes, expected);
}
