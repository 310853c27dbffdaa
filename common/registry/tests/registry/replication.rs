//! Two courts and a hub exchange runs as the sessions do: what one filed, all find, each with its freshness.

use ccpor_ledger::RunLimit;
use ccpor_registry::Registry;
use ccpor_sync::{Ledgers, StoreRefused};

use crate::court::{file, found, key, open_court, open_hub, order, origin};

const ALL: RunLimit = RunLimit {
    records: 1_000,
    bytes: 1 << 20,
};

/// Sends everything of `court` that `to` does not have.
fn pass_on(from: &Registry, to: &Registry, court: &str) -> Result<(), StoreRefused> {
    let origin = origin(court);
    let after = to
        .heads()
        .into_iter()
        .find(|(held, _)| *held == origin)
        .map(|(_, head)| head.position);
    let run = from.load(&origin, after, ALL).unwrap();
    if run.is_empty() {
        return Ok(());
    }
    let stored = to.store(&origin, run)?;
    if let Some(receipt) = stored.receipt {
        from.receipt(receipt);
    }
    Ok(())
}

/// Lookups follow the ledgers a moment later; this waits for it without guessing how long it takes.
fn until(mut reached: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !reached() {
        assert!(start.elapsed().as_secs() < 20, "it did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn an_order_filed_at_a_court_is_found_at_the_hub_and_at_another_court() {
    let (a, b, h) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    let (kern, _) = open_court(b.path(), "kern", 2);
    let hub = open_hub(h.path());
    alameda.trust_hub("hub/1", key(9).public());
    let filed = file(&alameda, "key-0001", order("GARCIA", "JOSE", "HF26-1")).unwrap();
    pass_on(&alameda, &hub, "alameda").unwrap();
    pass_on(&hub, &kern, "alameda").unwrap();
    until(|| found(&kern, "GARCIA", "JOSE") == [filed.order]);
    until(|| found(&hub, "GARCIA", "JOSE") == [filed.order]);
    let receipt = alameda.newest_receipt().unwrap();
    assert_eq!(receipt.head, filed.head);
    let (story, _) = kern.show(filed.order, None).into_parts();
    assert_eq!(story.unwrap().origin, origin("alameda"));
    // The same run once more changes nothing.
    let run = alameda.load(&origin("alameda"), None, ALL).unwrap();
    let heads = kern.heads();
    kern.store(&origin("alameda"), run).unwrap();
    assert_eq!(kern.heads(), heads);
    for registry in [&alameda, &kern, &hub] {
        registry.close();
    }
}

#[test]
fn freshness_follows_heartbeats_that_are_covered_by_records() {
    let (a, h) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    let hub = open_hub(h.path());
    assert!(hub.freshness(None).courts.is_empty());
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    pass_on(&alameda, &hub, "alameda").unwrap();
    // What was passed on is applied by a thread of the hub's.
    until(|| {
        hub.freshness(None)
            .courts
            .iter()
            .any(|court| court.as_of.is_some())
    });
    file(&alameda, "key-0002", order("ROE", "JANE", "HF26-2")).unwrap();
    let ahead = alameda.sign_heartbeat().unwrap().unwrap();
    let promised = i64::try_from(ahead.decode().unwrap().closed.millis()).unwrap();
    assert!(hub.heartbeat(ahead.clone()), "it verifies and is new");
    assert!(!hub.heartbeat(ahead), "it is not new any more");
    let as_of = hub.freshness(None).courts[0].as_of.unwrap();
    assert!(
        as_of.0 < promised,
        "its second order is not here yet, so its promise does not count"
    );
    pass_on(&alameda, &hub, "alameda").unwrap();
    until(|| {
        hub.freshness(None).courts[0]
            .as_of
            .is_some_and(|as_of| as_of.0 >= promised)
    });
    assert!(hub.freshness(None).complete());
    let late = hub.freshness(Some(0));
    assert_eq!(late.complete(), late.not_current().count() == 0);
    alameda.close();
    hub.close();
}

#[test]
fn a_forged_or_foreign_run_is_refused() {
    let (a, b, h) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    // This one calls itself Alameda, but signs with a key that nobody vouches for.
    let (forger, _) = open_court(b.path(), "kern", 2);
    let hub = open_hub(h.path());
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    file(&forger, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    let forged = forger.load(&origin("kern"), None, ALL).unwrap();
    assert!(hub.store(&origin("alameda"), forged).is_err());
    let mut run = alameda.load(&origin("alameda"), None, ALL).unwrap();
    let middle = run[1].bytes.len() / 2;
    run[1].bytes[middle] ^= 1;
    assert!(hub.store(&origin("alameda"), run).is_err());
    assert!(hub.heads().is_empty());
    // A node takes no records of its own court from others in an ordinary session.
    let own = alameda.load(&origin("alameda"), None, ALL).unwrap();
    assert_eq!(
        alameda.store(&origin("alameda"), own),
        Err(StoreRefused::BadRecord)
    );
    for registry in [&alameda, &forger, &hub] {
        registry.close();
    }
}
