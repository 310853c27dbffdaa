//! Lookups and acts over an entry of the index that cannot be read.

use std::path::Path;

use ccpor_domain::{Actor, Date, Expiry, Name, Order, Person};
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};

use super::*;
use crate::freshness::Source;
use crate::intake::Request;
use crate::registry::{OwnLedger, RegistryConfig};

/// A reader who may see orders, and may not find them by the people they name.
#[derive(Debug)]
struct Nobody;

impl Sight for Nobody {
    fn see(&self, story: Story, _: Option<&Story>) -> Seeing {
        Seeing::Shown(Box::new(story))
    }

    fn person(&self, _: &CardPerson, _: &Story) -> SeenPerson {
        SeenPerson::Hidden
    }
}

fn open(directory: &Path) -> Arc<Registry> {
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
        trust: Arc::new(trust),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: ccpor_domain::Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    Registry::open(config).unwrap().0
}

fn request(key: &str) -> Request {
    Request {
        key: key.into(),
        by: Actor::default(),
        reason: String::new(),
    }
}

fn order(last: &str) -> Order {
    Order {
        form: "DV-130".into(),
        case_number: "23FL1".into(),
        issued: Some(Date::new(2026, 3, 1).unwrap()),
        expires: Expiry::OnDate {
            date: Date::new(2029, 3, 1).unwrap(),
            time: None,
        },
        restrained: Person {
            name: Name::new("ANN", last),
            ..Person::default()
        },
        ..Order::default()
    }
}

/// As things stand now, asked for in a way that needs the index on the disk.
fn question(last: &str, sight: Option<Arc<dyn Sight>>) -> Question {
    Question {
        query: Query {
            last: last.into(),
            first: "ANN".into(),
            limit: 10,
            ..Query::default()
        },
        at: Some(now()),
        sight,
        ..Question::default()
    }
}

/// What stands in the place of a block that cannot be read, and of one that lacks its orders.
const SPOILED: [&[u8]; 2] = [b"\xff", b"\0"];

/// A court whose index on the disk has one order, in a block that is spoiled.
fn spoiled(directory: &Path, bytes: &[u8]) -> (Arc<Registry>, OrderId) {
    let court = open(directory);
    let filed = court.file(request("1"), None, order("GRANDE")).unwrap();
    court.close();
    drop(court);
    let court = open(directory);
    assert_eq!(court.lookup(&question("GRANDE", None)).value().found.len(), 1);
    court.view().index.put_bytes(0, bytes);
    (court, filed.order)
}

#[test]
fn an_entry_that_cannot_be_read_is_said_to_be_and_shows_nobody() {
    for bytes in SPOILED {
        let directory = tempfile::tempdir().unwrap();
        let (court, filed) = spoiled(directory.path(), bytes);
        let hidden: Arc<dyn Sight> = Arc::new(Nobody);
        let answer = court.lookup(&question("GRANDE", Some(Arc::clone(&hidden))));
        let [found] = answer.value().found.as_slice() else {
            panic!("an order that may concern the reader was left out in silence");
        };
        assert_eq!((found.order, &found.person), (filed, &None));
        let reason = found.story.as_ref().unwrap_err();
        assert!(
            reason.contains("made anew") && !reason.contains("GRANDE"),
            "{reason}"
        );
        // It was made anew from the ledger.
        assert!(
            court
                .lookup(&question("GRANDE", Some(hidden)))
                .value()
                .found
                .is_empty()
        );
        let shown = court.lookup(&question("GRANDE", None));
        assert!(shown.value().found.first().unwrap().story.is_ok());
        court.close();
    }
}

#[test]
fn an_act_on_an_order_whose_entry_cannot_be_read_is_done_and_shown() {
    for bytes in SPOILED {
        let directory = tempfile::tempdir().unwrap();
        let (court, filed) = spoiled(directory.path(), bytes);
        court
            .amend(request("2"), filed, Some(1), order("PEQUENO"))
            .unwrap();
        assert!(court.follows());
        for last in ["GRANDE", "PEQUENO"] {
            let answer = court.lookup(&question(last, None));
            let [found] = answer.value().found.as_slice() else {
                panic!("the order is not found under {last}");
            };
            let (story, _) = found.story.as_ref().unwrap();
            assert_eq!((story.order, story.state.version), (filed, 2));
        }
        court.close();
    }
}

#[test]
fn the_scrub_finds_a_spoiled_block_and_the_index_is_made_anew() {
    for bytes in SPOILED {
        let directory = tempfile::tempdir().unwrap();
        let (court, _) = spoiled(directory.path(), bytes);
        for made_anew in [true, false] {
            let mut pass = court.scrub();
            while court.scrub_on(&mut pass).is_some() {}
            assert_eq!(pass.so_far().index_made_anew, made_anew);
        }
        assert_eq!(court.lookup(&question("GRANDE", None)).value().found.len(), 1);
        court.close();
    }
}
