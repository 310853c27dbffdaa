//! Damage that happens while a ledger is open: every bit of it is found by a scrub, the rest is served, filing goes on, and a
//! peer's records mend it in place.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

use ccpor_ledger::{Ledger, RunLimit, SignedRecord, verify_directory};
use proptest::prelude::*;

use crate::court::{Court, all, body, filled};

/// Goes through the whole ledger; gives the number of records that were looked at.
fn scrub(ledger: &Ledger) -> u64 {
    let (mut after, mut looked_at) = (None, 0);
    let few = RunLimit {
        records: 7,
        bytes: 1 << 20,
    };
    while let Some(piece) = ledger.scrub(after, few).unwrap() {
        assert!(Some(piece.last) > after, "it moves on");
        (after, looked_at) = (Some(piece.last), looked_at + piece.records);
    }
    looked_at
}

/// Flips one bit in the file's own bytes, as a failing disk does: the open ledger reads the same file.
fn rot(court: &Court, segment: u64, byte: u64) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(court.segment(segment))
        .unwrap();
    let mut held = [0];
    file.read_exact_at(&mut held, byte).unwrap();
    file.write_all_at(&[held[0] ^ 0x10], byte).unwrap();
}

fn mend(ledger: &Ledger, records: &[SignedRecord]) {
    while let Some(gap) = ledger.gap() {
        let held = |record: &&SignedRecord| gap.holds(record.outline().unwrap().position);
        let missing: Vec<_> = records.iter().filter(held).cloned().collect();
        ledger.repair(&missing).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_rots_in_an_open_ledger_is_found_and_mended_in_place(
        places in prop::collection::btree_set((1_u64..4, 0_usize..10_000), 1..12),
        small in any::<bool>(),
    ) {
        let court = Court::with_segments(if small { 2 << 10 } else { 64 << 20 });
        filled(&court, 24);
        let ledger = court.open();
        let writer = court.writer(&ledger);
        let records = all(&ledger);
        prop_assert_eq!(scrub(&ledger), records.len() as u64);
        prop_assert!(ledger.wounds().is_empty());
        let mut rotten = BTreeSet::new();
        for (segment, place) in places {
            let Ok(bytes) = std::fs::read(court.segment(segment)) else { continue };
            // The header of a segment is read at opening only.
            let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            let byte = 256 + place % (end - 256);
            if rotten.insert((segment, byte)) {
                rot(&court, segment, byte as u64);
            }
        }
        scrub(&ledger);
        let unreadable: Vec<_> = records
            .iter()
            .map(|record| record.outline().unwrap().position)
            .filter(|position| ledger.read(*position).is_err())
            .collect();
        prop_assert_eq!(ledger.wounds(), unreadable.clone(), "found by the scrub before anybody read them");
        prop_assert_eq!(unreadable.is_empty(), rotten.is_empty());
        // Filing goes on: the end of the ledger is certain.
        writer.append_wait(body(900)).unwrap();
        mend(&ledger, &records);
        prop_assert!(ledger.wounds().is_empty() && ledger.gap().is_none());
        writer.append_wait(body(901)).unwrap();
        let held = all(&ledger);
        prop_assert_eq!(&held[..records.len()], &records[..]);
        prop_assert_eq!(held.len(), records.len() + 2);
        drop(writer);
        drop(ledger);
        verify_directory(court.root.path(), &court.verify_options()).unwrap();
    }
}
