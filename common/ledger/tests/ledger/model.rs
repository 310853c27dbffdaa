//! Random use of a ledger and a copy of it against the simplest thing that could be right: a vector of bodies.

use std::sync::Arc;

use ccpor_ledger::{Body, Head, Ledger, Position, RunLimit, Standing, verify_directory};
use proptest::prelude::*;

use crate::court::{Court, all, head_of};

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<usize>),
    Reopen,
    /// Send the copy what it lacks, at most so many records and bytes at once.
    Export(usize, usize),
    ReopenCopy,
    /// Snapshot the files and go on with the snapshot, as after a power cut.
    Snapshot,
    Read(usize),
    Compare(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(prop_oneof![0..700_usize, Just(3_000)], 1..8).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        2 => (1..20_usize, 1..4_000_usize).prop_map(|(records, bytes)| Step::Export(records, bytes)),
        1 => Just(Step::ReopenCopy),
        1 => Just(Step::Snapshot),
        2 => any::<usize>().prop_map(Step::Read),
        2 => any::<usize>().prop_map(Step::Compare),
    ]
}

/// A body that says which it is.
fn body(number: usize, length: usize) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.resize(8 + length, u8::try_from(number % 251).unwrap());
    body
}

fn event(signed: &ccpor_ledger::SignedRecord) -> Option<Vec<u8>> {
    match signed.decode().unwrap().body {
        Body::Event(bytes) => Some(bytes),
        Body::EpochStart(_) | Body::KeyHandover(_) => None,
    }
}

fn events(ledger: &Ledger) -> Vec<Vec<u8>> {
    all(ledger).iter().filter_map(event).collect()
}

/// Sends everything that `to` lacks.
fn export(from: &Ledger, to: &Ledger, limit: RunLimit) {
    loop {
        let after = to.head().map(|head| head.position);
        let run = from.run(after, limit).unwrap();
        if run.is_empty() {
            return;
        }
        assert!(run.len() <= limit.records);
        let bytes: usize = run.iter().map(|signed| signed.bytes.len() + 64).sum();
        assert!(run.len() == 1 || bytes <= limit.bytes);
        assert_eq!(to.append_run(&run).unwrap(), head_of(run.last().unwrap()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, ..ProptestConfig::default() })]

    #[test]
    fn a_ledger_is_a_vector_that_survives(steps in prop::collection::vec(step(), 1..30)) {
        let mut court = Court::with_segments(4 << 10);
        let peer = court.replica();
        let mut model: Vec<Vec<u8>> = Vec::new();
        let mut ledger = court.open();
        let mut writer = court.writer(&ledger);
        let mut copy = peer.open();
        for step in steps {
            match step {
                Step::Append(lengths) => {
                    for length in lengths {
                        let body = body(model.len(), length);
                        writer.append_wait(body.clone()).unwrap();
                        model.push(body);
                    }
                }
                Step::Reopen => {
                    drop((writer, ledger));
                    ledger = court.open();
                    prop_assert_eq!(ledger.opened().cut_bytes, 0);
                    writer = court.writer(&ledger);
                }
                Step::Snapshot => {
                    let snapshot = court.copy();
                    drop((writer, ledger));
                    court = snapshot;
                    ledger = court.open();
                    prop_assert_eq!(ledger.opened().cut_bytes, 0);
                    writer = court.writer(&ledger);
                }
                Step::Export(records, bytes) => export(&ledger, &copy, RunLimit { records, bytes }),
                Step::ReopenCopy => {
                    drop(copy);
                    copy = peer.open();
                }
                Step::Read(which) => {
                    // The epoch's start is number 1.
                    let index = which % (model.len() + 1);
                    let position = Position { epoch: 1, seq: u64::try_from(index + 1).unwrap() };
                    let signed = ledger.read(position).unwrap();
                    signed.verify(&court.key().public()).unwrap();
                    prop_assert_eq!(event(&signed), index.checked_sub(1).map(|index| model[index].clone()));
                    prop_assert_eq!(ledger.hash_at(position).unwrap(), Some(signed.hash()));
                }
                Step::Compare(which) => compare(&ledger, &copy, which),
            }
            prop_assert_eq!(ledger.records(), u64::try_from(model.len() + 1).unwrap());
        }
        export(&ledger, &copy, crate::court::ALL);
        prop_assert_eq!(events(&ledger), model.clone());
        prop_assert_eq!(all(&ledger), all(&copy));
        prop_assert_eq!(ledger.standing(&copy.head().unwrap()).unwrap(), Standing::Same);
        writer.close();
        for dir in [court.root.path(), peer.root.path()] {
            let report = verify_directory(dir, &court.verify_options()).unwrap();
            prop_assert_eq!(report.origins[0].records, ledger.records());
            prop_assert_eq!(report.origins[0].head, ledger.head());
        }
    }
}

fn compare(ledger: &Arc<Ledger>, copy: &Arc<Ledger>, which: usize) {
    let records = all(ledger);
    let peer = head_of(&records[which % records.len()]);
    let own = ledger.head().unwrap();
    let expected = if peer == own {
        Standing::Same
    } else {
        Standing::PeerBehind
    };
    assert_eq!(ledger.standing(&peer).unwrap(), expected);
    let forged = Head {
        hash: ccpor_ledger::Hash([1; 32]),
        ..peer
    };
    assert_eq!(ledger.standing(&forged).unwrap(), Standing::Diverged);
    match copy.head() {
        None => assert_eq!(copy.standing(&own).unwrap(), Standing::PeerAhead),
        Some(head) if head == own => assert_eq!(copy.standing(&own).unwrap(), Standing::Same),
        Some(_) => assert_eq!(copy.standing(&own).unwrap(), Standing::PeerAhead),
    }
}
