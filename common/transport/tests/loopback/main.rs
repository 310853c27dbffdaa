//! The driver with real QUIC on loopback and real certificates: convergence, reconnection, vanished machines; refusals,
//! images and questions in files of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod crowds;
mod exchanges;
mod memory;
mod realm;
mod refusals;
mod relay;
mod tunnel;

use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_sync::CloseReason;
use ccpor_transport::{Permissions, Trouble, Uplink, UplinkConfig};
use memory::Memory;
use realm::{Realm, anywhere, dial, land, land_again, origin, trouble, until, until_up};
use relay::Relay;

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_and_a_new_filing_reach_the_hub_and_the_other_node() {
    let realm = Realm::new();
    let (hub, alameda, yolo) = (Memory::hub(), Memory::node(), Memory::node());
    alameda.file(&origin("alameda"), 5_000);
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let first = dial(&realm.court("alameda"), &alameda, address);
    let second = dial(&realm.court("yolo"), &yolo, address);
    yolo.until("the backlog at the other node", |yolo| {
        yolo.len(&origin("alameda")) == 5_000
    })
    .await;
    yolo.file(&origin("yolo"), 1);
    alameda
        .until("the filing at the other node", |alameda| {
            alameda.len(&origin("yolo")) == 1
        })
        .await;
    alameda.until("a receipt", |alameda| alameda.receipts() > 0).await;
    alameda.beat(&origin("alameda"), 77);
    yolo.until("the heartbeat", |yolo| {
        yolo.closed(&origin("alameda")) == Some(77)
    })
    .await;
    let state = until_up(&first).await;
    assert_eq!(state.peer, Some(Identity::hub(1).unwrap()));
    assert_eq!((state.failed_attempts, state.last_trouble), (0, None));
    assert_eq!(
        landing
            .peers()
            .iter()
            .filter(|(_, state)| state.up_since.is_some())
            .count(),
        2
    );
    first.stop().await;
    second.stop().await;
    landing.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_comes_back_after_the_hub_was_restarted() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    let identity = realm.hub_identity();
    let landing = land(&identity, &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let link = dial(&realm.court("alameda"), &node, address);
    until_up(&link).await;
    let (state, ()) = tokio::join!(
        until(&link, "down", |state| state.up_since.is_none()),
        landing.stop()
    );
    assert_eq!(
        state.last_trouble,
        Some(Trouble::Closed {
            reason: CloseReason::Leaving,
            by_peer: true
        })
    );
    node.file(&origin("alameda"), 3);
    let landing = land_again(&identity, &hub, address).await;
    hub.until("what was filed meanwhile", |hub| hub.len(&origin("alameda")) == 3)
        .await;
    until_up(&link).await;
    landing.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_address_is_told_and_tried_again() {
    let realm = Realm::new();
    let silent = std::net::UdpSocket::bind(anywhere()).unwrap();
    let link = dial(
        &realm.court("alameda"),
        &Memory::node(),
        silent.local_addr().unwrap(),
    );
    assert_eq!(trouble(&link).await, Trouble::NoAnswer);
    let config = UplinkConfig::new(
        vec!["not an address".to_owned()],
        Permissions::node(origin("alameda")),
    );
    let link = Uplink::start(realm.court("colusa"), Memory::node().services(), config).unwrap();
    assert!(matches!(trouble(&link).await, Trouble::Address(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_machine_of_one_identity_is_turned_away_while_the_first_lives() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let address = landing.local_addr().unwrap();
    let identity = realm.court("alameda");
    let first = dial(&identity, &Memory::node(), address);
    until_up(&first).await;
    let clone = dial(&identity, &Memory::node(), address);
    assert_eq!(
        trouble(&clone).await,
        Trouble::Closed {
            reason: CloseReason::AlreadyConnected,
            by_peer: true
        }
    );
    assert_eq!(first.status().borrow().last_trouble, None);
    first.stop().await;
    until_up(&clone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_vanished_gives_its_place_to_the_one_that_comes_back() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let address = landing.local_addr().unwrap();
    let identity = realm.court("alameda");
    let relay = Relay::start(address).await;
    let vanished = dial(&identity, &node, relay.address);
    until_up(&vanished).await;
    drop(relay);
    node.file(&origin("alameda"), 1);
    let back = dial(&identity, &node, address);
    until_up(&back).await;
    hub.until("what was filed meanwhile", |hub| hub.len(&origin("alameda")) == 1)
        .await;
    let connected = landing
        .peers()
        .into_iter()
        .filter(|(_, state)| state.up_since.is_some())
        .count();
    assert_eq!(connected, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_falls_silent_is_down_to_both_sides_within_ten_seconds() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let relay = Relay::start(landing.local_addr().unwrap()).await;
    let link = dial(&realm.court("alameda"), &Memory::node(), relay.address);
    until_up(&link).await;
    let mut changes = landing.changes();
    changes.mark_unchanged();
    drop(relay);
    let cut = std::time::Instant::now();
    until(&link, "down", |state| state.up_since.is_none()).await;
    if landing.peers()[0].1.up_since.is_some() {
        changes.changed().await.unwrap();
    }
    assert!(
        cut.elapsed() < Duration::from_millis(10_500),
        "{:?}",
        cut.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_can_be_cut_off() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let link = dial(
        &realm.court("alameda"),
        &Memory::node(),
        landing.local_addr().unwrap(),
    );
    until_up(&link).await;
    let serial = landing.peers()[0].1.peer_serial.clone().unwrap();
    assert!(landing.disconnect(&serial));
    assert_eq!(
        trouble(&link).await,
        Trouble::Closed {
            reason: CloseReason::NotWelcome,
            by_peer: true
        }
    );
    assert!(!landing.disconnect("00"));
}
