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
pub(crate) fn pass_on(from: &Registry, to: &Registry, court: &str) -> Result<(), StoreRefused> {
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
fn a_machine_taken_back_to_an_old_copy_cannot_vouch_for_the_whole_ledger() {
    let (a, copy, h) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let hub = open_hub(h.path());
    let (old, _) = open_court(copy.path(), "alameda", 1);
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    // Both begin alike: what the old copy lacks is what was filed since.
    file(&old, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    pass_on(&old, &hub, "alameda").unwrap();
    file(&old, "key-0002", order("ROE", "JANE", "HF26-2")).unwrap();
    let before = old.sign_heartbeat().unwrap().unwrap();
    file(&old, "key-0003", order("POE", "JACK", "HF26-3")).unwrap();
    pass_on(&old, &hub, "alameda").unwrap();
    assert!(
        hub.heartbeat(before),
        "a late heartbeat of the same ledger counts"
    );
    // A twin with other records in the same places speaks of another ledger.
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    file(&alameda, "key-0009", order("ZOE", "ANNE", "HF26-9")).unwrap();
    let twin = alameda.sign_heartbeat().unwrap().unwrap();
    assert!(!hub.heartbeat(twin), "its records are not the ones held here");
    // A machine that lost the third order closes a moment at which that order was already filed.
    let held = hub.load(&origin("alameda"), None, ALL).unwrap();
    let (second, third) = (held[2].outline().unwrap(), held[3].outline().unwrap());
    let head = ccpor_ledger::Head {
        position: second.position,
        hash: held[2].hash(),
    };
    let word = |closed| {
        let heartbeat = ccpor_ledger::Heartbeat {
            origin: origin("alameda"),
            head: Some(head),
            closed,
        };
        heartbeat.sign(&key(1)).unwrap()
    };
    assert!(!hub.heartbeat(word(ccpor_ledger::Hlc(third.hlc.0 + (1 << 30)))));
    for registry in [&alameda, &old, &hub] {
        registry.close();
    }
}

#[test]
fn what_a_court_promised_by_a_clock_that_was_set_back_does_not_keep_its_later_words_out() {
    let (a, h) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    let hub = open_hub(h.path());
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    pass_on(&alameda, &hub, "alameda").unwrap();
    let (_, head) = hub.heads().pop().unwrap();
    let tomorrow = ccpor_ledger::Hlc::from_millis(now_ms() + 86_400_000);
    let ahead = ccpor_ledger::Heartbeat {
        origin: origin("alameda"),
        head: Some(head),
        closed: tomorrow,
    };
    assert!(hub.heartbeat(ahead.sign(&key(1)).unwrap()));
    assert!(
        hub.heartbeats().is_empty(),
        "who hears it later must not count it up to then"
    );
    let right = || alameda.sign_heartbeat().unwrap().unwrap();
    let first = right();
    assert!(hub.heartbeat(first.clone()), "tomorrow is still to come");
    assert!(!hub.heartbeat(first), "it is not new any more");
    // The same of records that were lost with the machine whose clock ran ahead.
    let lost = ccpor_ledger::Head {
        position: ccpor_ledger::Position {
            seq: head.position.seq + 3,
            ..head.position
        },
        hash: ccpor_ledger::Hash([7; 32]),
    };
    let ahead = ccpor_ledger::Heartbeat {
        head: Some(lost),
        ..ahead
    };
    assert!(hub.heartbeat(ahead.sign(&key(1)).unwrap()));
    assert!(hub.heartbeat(right()), "nobody waits for what was lost");
    file(&alameda, "key-0002", order("ROE", "JANE", "HF26-2")).unwrap();
    pass_on(&alameda, &hub, "alameda").unwrap();
    assert!(hub.heartbeat(right()));
    alameda.close();
    hub.close();
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

#[test]
fn a_court_whose_clock_runs_ahead_looks_out_of_date_as_any_other_when_it_is_silent() {
    let (a, h) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    let hub = open_hub(h.path());
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    pass_on(&alameda, &hub, "alameda").unwrap();
    let (_, head) = hub.heads().remove(0);
    let now = ccpor_ledger::Hlc::from_millis(u64::try_from(ccpor_registry::now().0).unwrap());
    let heartbeat = ccpor_ledger::Heartbeat {
        origin: origin("alameda"),
        head: Some(head),
        closed: ccpor_ledger::Hlc::from_millis(now.millis() + 86_400_000),
    };
    assert!(hub.heartbeat(heartbeat.sign(&key(1)).unwrap()));
    until(|| {
        hub.freshness(None).courts[0]
            .as_of
            .is_some_and(|as_of| as_of.0 >= now.millis() as i64)
    });
    // A moment later it was not heard again, and that shows: the clock of a day ahead bought it nothing.
    until(|| hub.freshness(Some(0)).not_current().count() == 1);
    alameda.close();
    hub.close();
}

#[test]
fn a_court_whose_clock_runs_ahead_carries_no_other_with_it() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    let (kern, _) = open_court(b.path(), "kern", 2);
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    pass_on(&alameda, &kern, "alameda").unwrap();
    let (_, end) = alameda.heads().remove(0);
    let tomorrow = u64::try_from(ccpor_registry::now().0).unwrap() + 86_400_000;
    let start = ccpor_ledger::EpochStart {
        reason: ccpor_ledger::EpochReason::Restored,
        previous: Some(end),
        signing_key: *key(1).public().as_bytes(),
        chain: Vec::new(),
    };
    let record = ccpor_ledger::Record {
        version: ccpor_ledger::RECORD_VERSION,
        origin: origin("alameda"),
        epoch: 2,
        seq: 1,
        prev: end.hash,
        hlc: ccpor_ledger::Hlc::from_millis(tomorrow),
        key_id: key(1).public().id(),
        body: ccpor_ledger::Body::EpochStart(start),
    };
    let run = vec![record.sign(&key(1)).unwrap()];
    kern.store(&origin("alameda"), run).unwrap();
    file(&kern, "key-0001", order("ROE", "JANE", "HF26-2")).unwrap();
    let filed = kern.load(&origin("kern"), None, ALL).unwrap();
    let hlc = filed.last().unwrap().outline().unwrap().hlc;
    assert!(hlc.millis() < tomorrow, "Kern's own clock did not move: {hlc}");
    alameda.close();
    kern.close();
}

#[test]
fn a_court_that_may_have_lost_records_does_not_vouch_for_itself() {
    let a = tempfile::tempdir().unwrap();
    let (alameda, _) = open_court(a.path(), "alameda", 1);
    file(&alameda, "key-0001", order("DOE", "JOHN", "HF26-1")).unwrap();
    assert!(alameda.freshness(None).complete());
    alameda.halt("the hub holds more of this court's ledger");
    assert!(!alameda.freshness(None).complete());
    alameda.close();
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
