//! Runs from a peer: proven ones are kept, everything else is refused as a whole.

use std::sync::Arc;

use ccpor_ledger::{
    AppendRefusal, Body, ChainFault, EpochReason, EpochStart, Hash, Head, Hlc, KeyRefused, Ledger, OriginId,
    PinnedKeys, RECORD_VERSION, Record, RunFault, SignedRecord, SigningKey, Standing, WriterOptions,
    prove_run,
};

use crate::court::{ALL, Court, all, at, body, filled, head_of};

fn refusal(result: Result<Head, AppendRefusal>) -> RunFault {
    match result {
        Err(AppendRefusal::Unproven(fault)) => fault,
        other => panic!("not refused as unproven: {other:?}"),
    }
}

fn event(prev: &SignedRecord, key: &SigningKey, change: impl FnOnce(&mut Record)) -> SignedRecord {
    let before = prev.decode().unwrap();
    let mut record = Record {
        seq: before.seq + 1,
        prev: prev.hash(),
        hlc: Hlc(before.hlc.0 + 1),
        body: Body::Event(b"forged".to_vec()),
        ..before
    };
    change(&mut record);
    record.sign(key).unwrap()
}

fn start(origin: &OriginId, key: &SigningKey, previous: Option<&SignedRecord>, epoch: u32) -> SignedRecord {
    let previous_head = previous.map(head_of);
    let signing_key = *key.public().as_bytes();
    Record {
        version: RECORD_VERSION,
        origin: origin.clone(),
        epoch,
        seq: 1,
        prev: previous_head.map_or(Hash::ZERO, |head| head.hash),
        hlc: previous.map_or(Hlc(1), |before| Hlc(before.outline().unwrap().hlc.0 + 1)),
        key_id: key.public().id(),
        body: Body::EpochStart(EpochStart {
            reason: EpochReason::Restored,
            previous: previous_head,
            signing_key,
            chain: vec![],
        }),
    }
    .sign(key)
    .unwrap()
}

#[test]
fn what_does_not_follow_is_refused_and_nothing_is_kept() {
    let court = Court::new();
    let records = filled(&court, 6);
    let ledger = court.replica();
    let ledger = ledger.open();
    ledger.append_run(&records[..3]).unwrap();
    let hole = refusal(ledger.append_run(&records[4..]));
    assert_eq!(
        hole,
        ChainFault::NotNext {
            at: at(1, 5),
            expected: at(1, 4)
        }
        .into()
    );
    let again = refusal(ledger.append_run(&records[2..]));
    assert_eq!(
        again,
        ChainFault::NotNext {
            at: at(1, 3),
            expected: at(1, 4)
        }
        .into()
    );
    let inside = [records[3].clone(), records[5].clone()];
    let inside = refusal(ledger.append_run(&inside));
    assert_eq!(
        inside,
        ChainFault::NotNext {
            at: at(1, 6),
            expected: at(1, 5)
        }
        .into()
    );
    assert_eq!(refusal(ledger.append_run(&[])), RunFault::Empty);
    assert_eq!(ledger.head(), Some(head_of(&records[2])));
    ledger.append_run(&records[3..]).unwrap();
    assert_eq!(all(&ledger), records);
}

#[test]
fn forgeries_are_refused() {
    let court = Court::new();
    let records = filled(&court, 3);
    let replica = court.replica();
    let ledger = replica.open();
    ledger.append_run(&records).unwrap();
    let (last, key) = (&records[3], court.key());
    let try_one = |forged: SignedRecord| refusal(ledger.append_run(&[forged]));

    let stranger = SigningKey::generate().unwrap();
    assert!(matches!(
        try_one(event(last, &stranger, |_| {})),
        RunFault::Signature { .. }
    ));
    let mut changed = event(last, &key, |_| {});
    *changed.bytes.last_mut().unwrap() ^= 1;
    assert!(matches!(try_one(changed), RunFault::Signature { .. }));
    let mut short = event(last, &key, |_| {});
    short.bytes.pop();
    assert!(matches!(try_one(short), RunFault::Form { index: 0, .. }));
    let mut long = event(last, &key, |_| {});
    long.bytes.push(0);
    assert!(matches!(try_one(long), RunFault::Form { index: 0, .. }));
    let other = event(last, &key, |record| {
        record.origin = OriginId::new("court/kern/node/1").unwrap()
    });
    assert_eq!(try_one(other), ChainFault::OtherOrigin { at: at(1, 5) }.into());
    let stale = event(last, &key, |record| record.hlc = last.outline().unwrap().hlc);
    assert_eq!(try_one(stale), ChainFault::NotLater { at: at(1, 5) }.into());
    let named = event(last, &key, |record| record.key_id = stranger.public().id());
    assert!(matches!(
        try_one(named),
        RunFault::Chain(ChainFault::OtherKey { .. })
    ));
    let forked = event(last, &key, |record| record.prev = Hash([9; 32]));
    assert_eq!(
        try_one(forked),
        ChainFault::OtherPredecessor { at: at(1, 5) }.into()
    );
    let version = event(last, &key, |record| record.version = 2);
    assert!(matches!(try_one(version), RunFault::Form { .. }));
    assert_eq!(ledger.head(), Some(head_of(last)));
    ledger.append_run(&[event(last, &key, |_| {})]).unwrap();
}

/// The chain pins the bytes of every record of a run, but only the last signature is checked: documented, and shown here.
#[test]
fn a_run_is_proven_by_its_chain_and_its_last_signature() {
    let court = Court::new();
    let records = filled(&court, 1);
    let key = court.key();
    let mut second = event(&records[1], &key, |_| {});
    second.signature[5] ^= 1;
    let third = event(&second, &key, |_| {});
    let trust = court.trust();
    let run = [records.clone(), vec![second.clone(), third]].concat();
    prove_run(&court.origin, None, &run, trust.as_ref()).unwrap();
    assert!(matches!(
        prove_run(&court.origin, None, &run[..3], trust.as_ref()),
        Err(RunFault::Signature { .. })
    ));
    // What the chain pins cannot be changed, signature or not.
    let mut run = run;
    run[2].signature[5] ^= 1;
    assert!(matches!(
        prove_run(&court.origin, None, &run, trust.as_ref()),
        Err(RunFault::Chain(_))
    ));
    // And the independent check looks at every signature.
    let replica = court.replica();
    let ledger = replica.open();
    run[2].signature[5] ^= 1;
    ledger.append_run(&run).unwrap();
    drop(ledger);
    let fault = ccpor_ledger::verify_directory(replica.root.path(), &court.verify_options()).unwrap_err();
    assert_eq!(
        (fault.what, fault.position),
        (ccpor_ledger::FaultKind::Signature, Some(at(1, 3)))
    );
}

#[test]
fn epochs_begin_with_an_admitted_key() {
    let court = Court::new();
    let records = filled(&court, 2);
    let (key, next) = (court.key(), SigningKey::from_seed(&[8; 32]).unwrap());
    let last = &records[2];
    let replica = court.replica();
    let trust = PinnedKeys::new().with(&court.origin, key.public().as_bytes());
    let both = Arc::new(trust.with(&court.origin, next.public().as_bytes()));

    let ledger = replica.open();
    ledger.append_run(&records).unwrap();
    let stranger = start(&court.origin, &next, Some(last), 2);
    let refused = RunFault::Key {
        at: at(2, 1),
        refused: KeyRefused::Unknown,
    };
    assert_eq!(refusal(ledger.append_run(&[stranger])), refused);
    drop(ledger);

    let ledger = Ledger::open(replica.dir(), court.origin.clone(), both.clone()).unwrap();
    let try_run = |run: &[SignedRecord]| refusal(ledger.append_run(run));
    let early = start(&court.origin, &next, Some(&records[1]), 2);
    assert_eq!(
        try_run(&[early]),
        ChainFault::OtherPredecessor { at: at(2, 1) }.into()
    );
    let same = start(&court.origin, &next, Some(last), 1);
    assert_eq!(
        try_run(&[same]),
        ChainFault::NotNext {
            at: at(1, 1),
            expected: at(2, 1)
        }
        .into()
    );
    let unannounced = event(last, &key, |record| (record.epoch, record.seq) = (2, 1));
    assert_eq!(
        try_run(&[unannounced]),
        ChainFault::MisplacedStart { at: at(2, 1) }.into()
    );

    // One run over the change of keys: an event of the old epoch, the start, an event of the new one.
    let third = event(last, &key, |_| {});
    let begin = start(&court.origin, &next, Some(&third), 2);
    let wrong_key = event(&begin, &key, |record| record.key_id = key.public().id());
    assert!(matches!(
        try_run(&[third.clone(), begin.clone(), wrong_key]),
        RunFault::Signature { .. }
    ));
    let mut bad_end = third.clone();
    bad_end.signature[0] ^= 1;
    let bad_begin = start(&court.origin, &next, Some(&bad_end), 2);
    assert!(
        matches!(try_run(&[bad_end, bad_begin]), RunFault::Signature { at: place, .. } if place == at(1, 4))
    );
    let fourth = event(&begin, &next, |_| {});
    ledger
        .append_run(&[third, begin.clone(), fourth.clone()])
        .unwrap();
    assert_eq!(ledger.epoch_key(1).unwrap(), key.public());
    assert_eq!(ledger.epoch_key(2).unwrap(), next.public());
    drop(ledger);
    let ledger = Ledger::open(replica.dir(), court.origin.clone(), both).unwrap();
    assert_eq!(
        ledger.end().map(|end| (end.head, end.key)),
        Some((head_of(&fourth), next.public()))
    );
    assert_eq!(ledger.standing(&head_of(&begin)).unwrap(), Standing::PeerBehind);
    let unused = Head {
        position: at(1, 5),
        ..head_of(&begin)
    };
    assert_eq!(ledger.standing(&unused).unwrap(), Standing::Diverged);
}

#[test]
fn the_writer_begins_epochs_when_needed() {
    let court = Court::new();
    let records = filled(&court, 2);
    let ledger = court.open();
    let options = WriterOptions {
        new_epoch: Some(EpochReason::Restored),
        ..WriterOptions::default()
    };
    let writer = court.writer_with(&ledger, options);
    let first = writer.append_wait(body(5)).unwrap();
    assert_eq!(first.head.position, at(2, 2));
    drop(writer);
    let writer = court.writer(&ledger);
    assert_eq!(writer.append_wait(body(6)).unwrap().head.position, at(2, 3));
    let peer = court.replica();
    let replica = peer.open();
    replica.append_run(&ledger.run(None, ALL).unwrap()).unwrap();
    assert_eq!(replica.read(at(1, 3)).unwrap(), records[2]);
    drop((writer, ledger));
    let report = ccpor_ledger::verify_directory(court.root.path(), &court.verify_options()).unwrap();
    assert_eq!((report.origins[0].epochs, report.origins[0].records), (2, 6));
}

#[test]
fn numbers_run_out_with_an_error() {
    let court = Court::new();
    let key = court.key();
    let trust = court.trust();
    let last_epoch = start(&court.origin, &key, None, u32::MAX);
    let end = prove_run(
        &court.origin,
        None,
        std::slice::from_ref(&last_epoch),
        trust.as_ref(),
    )
    .unwrap()
    .end;
    let beyond = start(&court.origin, &key, Some(&last_epoch), 1);
    let result = prove_run(&court.origin, Some(&end), &[beyond], trust.as_ref());
    assert_eq!(
        result,
        Err(ChainFault::UsedUp {
            after: at(u32::MAX, 1)
        }
        .into())
    );
    let mut end = end;
    end.head.position.seq = u64::MAX;
    let beyond = event(&last_epoch, &key, |record| record.seq = 2);
    let result = prove_run(&court.origin, Some(&end), &[beyond], trust.as_ref());
    assert_eq!(
        result,
        Err(ChainFault::UsedUp {
            after: at(u32::MAX, u64::MAX)
        }
        .into())
    );
}

/// What travels between machines keeps its bytes in the encoding that frames use, and stays readable in JSON.
#[test]
fn signed_things_travel_unchanged() {
    let court = Court::new();
    let records = filled(&court, 2);
    let config = bincode::config::legacy();
    for signed in &records {
        let bytes = bincode::serde::encode_to_vec(signed, config).unwrap();
        assert_eq!(bytes.len(), 8 + signed.bytes.len() + 64);
        let (again, used): (SignedRecord, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
        assert_eq!((&again, used), (signed, bytes.len()));
        let head = head_of(signed);
        let bytes = bincode::serde::encode_to_vec(head, config).unwrap();
        assert_eq!(bytes.len(), 4 + 8 + 32);
    }
}
