//! A machine that dies in the middle of a write: what was acknowledged stays, what was not goes or stays whole.

use std::fs;

use ccpor_ledger::{Ledger, SignedRecord, verify_directory};
use proptest::prelude::*;

use crate::court::{Court, all, body, filled, flip};

/// Where each frame of a segment begins, and where the last one ends: read from lengths alone.
fn frames(segment: &[u8]) -> Vec<usize> {
    let mut at = 256;
    let mut frames = vec![at];
    while let Some(length) = segment.get(at..at + 4) {
        let length = u32::from_le_bytes(length.try_into().unwrap());
        if length == 0 {
            break;
        }
        at += 80 + usize::try_from(length).unwrap();
        frames.push(at);
    }
    frames
}

fn is_prefix(ledger: &Ledger, records: &[SignedRecord], least: usize) {
    let held = all(ledger);
    assert!(
        held.len() >= least,
        "{} of {least} acknowledged records",
        held.len()
    );
    assert_eq!(held, records[..held.len()]);
    assert_eq!(ledger.damage(), None);
}

/// Every record of `filled` is a batch of its own, so all but the last are acknowledged whatever happens to the last.
#[test]
fn cut_at_every_byte_of_the_last_frame() {
    let court = Court::new();
    let records = filled(&court, 4);
    let segment = fs::read(court.segment(1)).unwrap();
    let frames = frames(&segment);
    let (last, end) = (frames[frames.len() - 2], frames[frames.len() - 1]);
    for keep in last..=end {
        for fill in [0, 3_000] {
            // The zeros that were written ahead are there or not.
            let mut bytes = segment[..keep].to_vec();
            bytes.resize(keep + fill, 0);
            fs::write(court.segment(1), &bytes).unwrap();
            court.forget_mark();
            let ledger = court.open();
            is_prefix(&ledger, &records, records.len() - 1);
            let whole = keep == end;
            assert_eq!(
                ledger.records(),
                u64::try_from(records.len() - usize::from(!whole)).unwrap()
            );
            let torn_bytes = segment[last..keep]
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            assert_eq!(
                ledger.opened().cut_bytes,
                if whole {
                    0
                } else {
                    u64::try_from(torn_bytes).unwrap()
                }
            );
        }
    }
}

/// After the cut the ledger goes on, and an independent reader finds nothing wrong.
#[test]
fn a_cut_ledger_goes_on() {
    let court = Court::new();
    let records = filled(&court, 4);
    let segment = fs::read(court.segment(1)).unwrap();
    let end = *frames(&segment).last().unwrap();
    fs::write(court.segment(1), &segment[..end - 10]).unwrap();
    court.forget_mark();
    let ledger = court.open();
    let writer = court.writer(&ledger);
    let appended = writer.append_wait(body(99)).unwrap();
    assert_eq!(
        Some(appended.head.position),
        records
            .last()
            .unwrap()
            .outline()
            .map(|outline| outline.position)
            .ok()
    );
    drop((writer, ledger));
    let ledger = court.open();
    assert_eq!((ledger.records(), ledger.opened().cut_bytes), (5, 0));
    verify_directory(court.root.path(), &court.verify_options()).unwrap();
}

/// A batch of several records is written at once; a power cut may leave any of its sectors old.
fn batch_court() -> (Court, Vec<SignedRecord>, Vec<u8>) {
    let court = Court::new();
    let replica = court.replica();
    let records = filled(&court, 12);
    let ledger = replica.open();
    for range in [0..4, 4..8, 8..13] {
        ledger.append_run(&records[range]).unwrap();
    }
    drop(ledger);
    let segment = fs::read(replica.segment(1)).unwrap();
    (replica, records, segment)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn torn_sectors_of_the_last_batch(old in prop::collection::vec(any::<bool>(), 16), sector in 16..600_usize) {
        let (court, records, mut segment) = batch_court();
        let begin = frames(&segment)[8];
        let end = *frames(&segment).last().unwrap();
        for (index, _) in old.iter().enumerate().filter(|(_, old)| **old) {
            let from = (begin / sector + index) * sector;
            let (from, to) = (from.max(begin), (from + sector).min(end));
            if from < to {
                segment[from..to].fill(0);
            }
        }
        fs::write(court.segment(1), &segment).unwrap();
        court.forget_mark();
        is_prefix(&court.open(), &records, 8);
        // Found again unchanged: the first opening has settled it.
        let again = court.open();
        is_prefix(&again, &records, 8);
        prop_assert_eq!(again.opened().cut_bytes, 0);
    }
}

/// The same bytes broken after the mark was set are damage: acknowledged records are never cut away.
#[test]
fn behind_the_mark_nothing_is_cut() {
    let (court, records, segment) = batch_court();
    let frames = frames(&segment);
    for (broken, offset) in frames.iter().copied().enumerate().take(13).skip(8) {
        fs::write(court.segment(1), &segment).unwrap();
        flip(&court.segment(1), (offset + 100) * 8);
        let ledger = court.open();
        assert_eq!(ledger.opened().cut_bytes, 0);
        let damage = ledger.damage().unwrap();
        assert_eq!(damage.position.seq, u64::try_from(broken + 1).unwrap());
        assert_eq!(damage.offset, u64::try_from(offset).unwrap());
        for (index, record) in records.iter().enumerate() {
            let read = ledger.read(record.outline().unwrap().position);
            assert_eq!(
                read.is_ok(),
                index != broken,
                "record {index} with {broken} broken"
            );
        }
    }
}

/// Without a mark, a later batch still proves that an earlier one had been durable.
#[test]
fn an_earlier_batch_is_never_cut() {
    let (court, records, segment) = batch_court();
    let frames = frames(&segment);
    for (broken, offset) in frames.iter().copied().enumerate().take(8) {
        fs::write(court.segment(1), &segment).unwrap();
        flip(&court.segment(1), (offset + 100) * 8);
        court.forget_mark();
        let ledger = court.open();
        assert_eq!(ledger.opened().cut_bytes, 0);
        let damage = ledger.damage().unwrap();
        assert_eq!(damage.position.seq, u64::try_from(broken + 1).unwrap());
        assert!(ledger.append_run(&records[..1]).is_err());
    }
}

#[test]
fn leftovers_of_an_interrupted_new_segment_are_removed() {
    let court = Court::with_segments(2 << 10);
    let records = filled(&court, 20);
    fs::write(court.dir().join("00000099.segment.new"), b"half").unwrap();
    let ledger = court.open();
    is_prefix(&ledger, &records, 21);
    assert!(!court.dir().join("00000099.segment.new").exists());
}
