//! Crashes between the steps of filing an order with its scan, one after the other.

use std::path::Path;
use std::sync::Arc;

use ccpor_api::message::{Court, FileOrderRequest, HandleScanRequest, ListScansRequest, Name, Order, Person};
use ccpor_api::{Caller, Code, ImageBytes};
use ccpor_domain::{Calendars, ImageDigest, OrderId, UtcMillis};
use ccpor_ledger::{OriginId, PinnedKeys, SigningKey};
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Source};

use super::book::{Book, State};
use super::desk::Scans;
use crate::config::CourtSettings;
use crate::intake::Intake;

const NODE: &str = "court/alameda/node/1";
/// The smallest PNG: one white point.
const PNG: &[u8] = b"\x89\x50\x4e\x47\x0d\x0a\x1a\x0a\x00\x00\x00\x0d\x49\x48\x44\x52\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00\x3a\x7e\x9b\x55\x00\x00\x00\x0a\x49\x44\x41\x54\x78\x9c\x63\xf8\x0f\x00\x01\x01\x01\x00\xb1\x38\xf6\x14\x00\x00\x00\x00\x49\x45\x4e\x44\xae\x42\x60\x82";

fn registry(directory: &Path) -> Arc<Registry> {
    let origin = OriginId::new(NODE).unwrap();
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
        calendars: Calendars::default(),
        takes: ccpor_sync::Choice::All,
    };
    Registry::open(config).unwrap().0
}

/// A court whose scans can be opened again, as after a crash.
struct Stand {
    directory: tempfile::TempDir,
    registry: Arc<Registry>,
    intake: Arc<Intake>,
}

impl Stand {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let registry = registry(directory.path());
        let intake = Arc::new(Intake::new(Arc::clone(&registry), CourtSettings::default()));
        Self {
            directory,
            registry,
            intake,
        }
    }

    fn scans(&self) -> Scans {
        Scans::open(
            self.directory.path(),
            Arc::clone(&self.registry),
            Arc::clone(&self.intake),
            NODE.to_owned(),
            false,
        )
        .unwrap()
    }

    fn images(&self, order: OrderId) -> usize {
        let (story, _) = self.registry.show(order, None).into_parts();
        story.map_or(0, |story| story.state.images.len())
    }
}

fn clerk(name: &str) -> Caller {
    Caller {
        identity: NODE.to_owned(),
        person: Some(ccpor_api::Person {
            account: name.to_owned(),
            ..ccpor_api::Person::default()
        }),
        ..Caller::default()
    }
}

fn filing(key: &str, scan: &str) -> FileOrderRequest {
    let order = Order {
        form: "DV-130".to_owned(),
        case_number: "FL-26-1".to_owned(),
        issued: "2026-03-01".to_owned(),
        court: Some(Court {
            slug: "alameda".to_owned(),
            ..Court::default()
        }),
        restrained: Some(Person {
            name: Some(Name {
                first: "Sam".to_owned(),
                last: "Quist".to_owned(),
                ..Name::default()
            }),
            ..Person::default()
        }),
        ..Order::default()
    };
    FileOrderRequest {
        idempotency_key: key.to_owned(),
        order: Some(order),
        scan: scan.to_owned(),
        ..FileOrderRequest::default()
    }
}

fn order_of(key: &str) -> OrderId {
    OrderId::derive("court/alameda", key)
}

async fn added(scans: &Scans) -> String {
    let data: ImageBytes = Box::pin(tokio_stream::iter([Ok(bytes::Bytes::from_static(PNG))]));
    let added = scans.add(&clerk("ana"), "paper.png", data).await.unwrap();
    added.scan.unwrap().blake3
}

fn state(scans: &Scans, scan: &str) -> (String, String) {
    let asked = ListScansRequest {
        blake3: scan.to_owned(),
    };
    let answer = scans.list(&asked).unwrap();
    let lists = [answer.waiting, answer.set_aside, answer.filed];
    let found = lists.into_iter().flatten().next().unwrap();
    (found.state, found.order_id)
}

#[tokio::test]
async fn a_crash_before_the_order_was_filed_leaves_the_scan_waiting_for_any_order() {
    let stand = Stand::new();
    let scans = stand.scans();
    let scan = added(&scans).await;
    let name: ImageDigest = scan.parse().unwrap();
    scans.reserve(name, order_of("key-0001")).await.unwrap();
    let scans = stand.scans();
    scans.complete().await.unwrap();
    assert_eq!(state(&scans, &scan), ("waiting".into(), String::new()));
    let filed = scans
        .file(&clerk("ben"), filing("key-0002", &scan))
        .await
        .unwrap();
    assert_eq!(stand.images(order_of("key-0002")), 1);
    assert_eq!(state(&scans, &scan), ("filed".into(), filed.order_id));
    stand.registry.close();
}

#[tokio::test]
async fn a_crash_after_the_order_was_filed_is_made_good_and_no_second_order_takes_the_scan() {
    for waits_for_the_node in [true, false] {
        let stand = Stand::new();
        let scans = stand.scans();
        let scan = added(&scans).await;
        let name: ImageDigest = scan.parse().unwrap();
        scans.reserve(name, order_of("key-0001")).await.unwrap();
        stand
            .intake
            .file(&clerk("ana"), filing("key-0001", ""))
            .await
            .unwrap();
        let scans = stand.scans();
        // The node goes on by itself, or a second clerk is quicker: the scan goes with the order that is there.
        if waits_for_the_node {
            scans.complete().await.unwrap();
        }
        let second = scans.file(&clerk("ben"), filing("key-0002", &scan)).await;
        assert_eq!(second.unwrap_err().code, Code::StateConflict);
        assert_eq!(
            state(&scans, &scan),
            ("filed".into(), order_of("key-0001").to_string())
        );
        let again = scans
            .file(&clerk("ana"), filing("key-0001", &scan))
            .await
            .unwrap();
        assert!(again.repeated);
        assert_eq!(
            (
                stand.images(order_of("key-0001")),
                stand.images(order_of("key-0002"))
            ),
            (1, 0)
        );
        stand.registry.close();
    }
}

#[tokio::test]
async fn a_crash_between_image_and_book_attaches_nothing_twice() {
    let stand = Stand::new();
    let scans = stand.scans();
    let scan = added(&scans).await;
    scans
        .file(&clerk("ana"), filing("key-0001", &scan))
        .await
        .unwrap();
    // The note as it was before its last step.
    let book = Book::open(&stand.directory.path().join("scans"), UtcMillis(0)).unwrap();
    let name: ImageDigest = scan.parse().unwrap();
    let mut note = book.note(name).unwrap();
    note.state = State::Waiting;
    book.write(name, note).unwrap();
    let scans = stand.scans();
    scans.complete().await.unwrap();
    assert_eq!(state(&scans, &scan).0, "filed");
    assert_eq!(stand.images(order_of("key-0001")), 1);
    stand.registry.close();
}

#[tokio::test]
async fn a_scan_in_somebodys_hands_is_told_to_others_and_can_be_taken_over() {
    let stand = Stand::new();
    let scans = stand.scans();
    let scan = added(&scans).await;
    let act = async |who: &str, act: &str| {
        let asked = HandleScanRequest {
            blake3: scan.clone(),
            act: act.to_owned(),
            ..HandleScanRequest::default()
        };
        scans
            .handle(&clerk(who), asked)
            .await
            .map(|answer| answer.scan.unwrap().held_by)
            .map_err(|problem| problem.detail.into_owned())
    };
    assert_eq!(act("ana", "take").await, Ok("ana".into()));
    assert!(
        act("ben", "take")
            .await
            .unwrap_err()
            .starts_with("ana has this scan in hand since")
    );
    assert_eq!(act("ben", "take_over").await, Ok("ben".into()));
    assert_eq!(act("ana", "release").await, Ok("ben".into()));
    assert_eq!(act("ben", "release").await, Ok(String::new()));
    stand.registry.close();
}
