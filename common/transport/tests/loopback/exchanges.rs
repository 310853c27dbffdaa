//! Images and questions between connected machines.

use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_transport::{AskError, FetchError, Wanted};

use crate::memory::Memory;
use crate::realm::{Realm, anywhere, dial, land, origin, until_up};

#[tokio::test(flavor = "multi_thread")]
async fn a_wanted_image_comes_and_goes_on_where_it_stopped() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    let image: Vec<u8> = (0..3_000_000_u32).map(|byte| (byte % 251) as u8).collect();
    let (name, small) = (node.put_image(&image), node.put_image(b"small"));
    let len = image.len() as u64;
    hub.want_image(
        Wanted {
            origin: origin("alameda"),
            blake3: name,
            len,
        },
        &image[..1_000_000],
    );
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let link = dial(&realm.court("alameda"), &node, landing.local_addr().unwrap());
    hub.until("the image", |hub| hub.image(&name).is_some()).await;
    assert_eq!(hub.image(&name), Some(image));
    assert_eq!(hub.image_bytes_received(), 2_000_000, "only what was missing");
    // One that a record named later: the news of the record is the notice.
    hub.want_image(
        Wanted {
            origin: origin("alameda"),
            blake3: small,
            len: 5,
        },
        &[],
    );
    node.file(&origin("alameda"), 1);
    hub.until("the small image", |hub| hub.image(&small).is_some())
        .await;
    drop(link);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_the_image_are_thrown_away() {
    let realm = Realm::new();
    let (hub, node) = (Memory::hub(), Memory::node());
    let name = *blake3::hash(b"the image").as_bytes();
    hub.put_wrong_image(name, b"the wrong");
    let landing = land(&realm.hub_identity(), &hub, anywhere());
    let link = dial(&realm.court("alameda"), &node, landing.local_addr().unwrap());
    until_up(&link).await;
    let wanted = Wanted {
        origin: origin("yolo"),
        blake3: name,
        len: 9,
    };
    let outcome = link.fetch_image(wanted.clone()).await;
    assert!(matches!(outcome, Err(FetchError::Wrong)), "{outcome:?}");
    assert_eq!((node.image(&name), node.image_part(&name)), (None, None));
    let unknown = Wanted {
        blake3: [9; 32],
        ..wanted.clone()
    };
    assert!(matches!(
        link.fetch_image(unknown).await,
        Err(FetchError::NotThere)
    ));
    let longer = Wanted { len: 10, ..wanted };
    assert!(
        matches!(link.fetch_image(longer).await, Err(FetchError::Wrong)),
        "not the length that was signed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_in_both_directions() {
    let realm = Realm::new();
    let landing = land(&realm.hub_identity(), &Memory::hub(), anywhere());
    let link = dial(
        &realm.court("alameda"),
        &Memory::node(),
        landing.local_addr().unwrap(),
    );
    let within = Duration::from_secs(10);
    until_up(&link).await;
    assert_eq!(
        link.ask(b"hello", within).await.unwrap(),
        b"court/alameda/node/1: hello"
    );
    assert_eq!(link.ask(b"refuse me", within).await, Err(AskError::Refused));
    assert_eq!(link.ask(&vec![0; 2 << 20], within).await, Err(AskError::TooLong));
    assert_eq!(
        link.ask(b"say nothing", Duration::from_millis(50)).await,
        Err(AskError::TimedOut)
    );
    let node = Identity::court("alameda", 1).unwrap();
    assert_eq!(
        landing.ask(&node, b"hello", within).await.unwrap(),
        b"hub/1: hello"
    );
    let nobody = Identity::court("yolo", 1).unwrap();
    assert_eq!(
        landing.ask(&nobody, b"hello", within).await,
        Err(AskError::NotConnected)
    );
    link.stop().await;
}
