//! Changed bytes anywhere: found or harmless, never served, never a panic.

use std::fs;

use ccpor_ledger::{
    AppendError, DamageKind, Ledger, OpenError, OriginId, ReadError, SignedRecord, verify_directory,
};
use proptest::prelude::*;

use crate::court::{ALL, Court, at, body, filled, flip, write_old};

/// Whatever is read is what was written, and the ledger says so if something is missing. Gives how many records are whole.
fn honest(ledger: &Ledger, records: &[SignedRecord]) -> usize {
    let mut whole = 0;
    for record in records {
        match ledger.read(record.outline().unwrap().position) {
            Ok(read) => {
                assert_eq!(&read, record);
                whole += 1;
            }
            Err(ReadError::Damaged(damage)) => assert_eq!(damage.origin, *ledger.origin()),
            Err(ReadError::NoRecord { .. }) => {
                assert!(ledger.damage().is_some() || ledger.opened().cut_bytes > 0)
            }
            Err(fault) => panic!("{fault}"),
        }
    }
    let mut after = None;
    while let Ok(run) = ledger.run(after, ALL) {
        let Some(last) = run.last() else { break };
        assert!(run.iter().all(|read| records.contains(read)));
        after = Some(last.outline().unwrap().position);
    }
    whole
}

#[test]
fn one_bit_of_every_byte() {
    let court = Court::new();
    let records = filled(&court, 5);
    let original = fs::read(court.segment(1)).unwrap();
    let end = original.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for byte in 0..end + 40 {
        let mut bytes = original.clone();
        bytes.truncate(end + 100);
        bytes[byte] ^= 1 << (byte % 8);
        write_old(&court.segment(1), &bytes);
        let ledger = court.open();
        let whole = honest(&ledger, &records);
        match byte {
            0..256 => assert_eq!(
                ledger.damage().map(|damage| damage.kind),
                Some(DamageKind::Header)
            ),
            _ if byte < end => assert!(
                ledger.damage().is_some() && whole == records.len() - 1,
                "byte {byte}"
            ),
            _ => assert!(
                ledger.opened().cut_bytes > 0 && whole == records.len(),
                "byte {byte}"
            ),
        }
        drop(ledger);
        write_old(&court.segment(1), &bytes);
        let fault = verify_directory(court.root.path(), &court.verify_options()).unwrap_err();
        assert_eq!(fault.origin.as_ref(), Some(&court.origin), "byte {byte}");
        assert!(fault.offset <= u64::try_from(byte).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    /// Any files of a ledger of several segments, with any piece of them overwritten, cut or repeated.
    #[test]
    fn any_piece_of_any_file(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        length in 1..300_usize,
        kind in 0..4,
        fill in any::<u8>(),
    ) {
        let court = Court::with_segments(2 << 10);
        let records = filled(&court, 15);
        let mut files: Vec<_> = fs::read_dir(court.dir()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| !path.ends_with("lock"));
        files.sort();
        let path = which.get(&files);
        let mut bytes = fs::read(path).unwrap();
        let from = place.index(bytes.len());
        let to = (from + length).min(bytes.len());
        let piece = bytes[from..to].to_vec();
        match kind {
            0 => bytes[from..to].fill(fill),
            1 => bytes.truncate(from),
            2 => drop(bytes.splice(from..from, piece)),
            _ => drop(bytes.drain(from..to)),
        }
        write_old(path, &bytes);
        let ledger = court.open();
        honest(&ledger, &records);
        if ledger.damage().is_none() && ledger.opened().cut_bytes == 0 {
            // Found when read, or the change was to a table, a mark or zeros.
            prop_assert_eq!(ledger.records(), 16);
        }
    }
}

#[test]
fn a_damaged_ledger_serves_what_is_whole_and_takes_nothing() {
    let court = Court::new();
    let records = filled(&court, 9);
    flip(&court.segment(1), 2_000 * 8);
    let ledger = court.open();
    let damage = ledger.damage().unwrap();
    assert_eq!(damage.kind, DamageKind::Frame);
    assert_eq!(
        ledger.head(),
        Some(crate::court::head_of(records.last().unwrap()))
    );
    let writer = court.writer(&ledger);
    assert_eq!(
        writer.append_wait(body(1)),
        Err(AppendError::Damaged(damage.clone()))
    );
    let before = ledger.run(None, ALL).unwrap();
    assert_eq!(before, records[..before.len()]);
    let Err(ReadError::Damaged(told)) = ledger.run(Some(at(1, damage.position.seq - 1)), ALL) else {
        panic!("the damage is passed over")
    };
    assert_eq!(told, damage);
    let behind = ledger.run(Some(at(1, damage.position.seq + 1)), ALL).unwrap();
    assert_eq!(behind, records[before.len() + 2..]);
}

#[test]
fn damage_in_a_sealed_segment_does_not_stop_the_court() {
    let court = Court::with_segments(2 << 10);
    let records = filled(&court, 30);
    flip(&court.segment(2), 1_000 * 8);
    let ledger = court.open();
    assert_eq!(
        ledger.damage(),
        None,
        "a sealed segment is not scanned at opening"
    );
    assert_eq!(honest(&ledger, &records), records.len() - 1);
    court.writer(&ledger).append_wait(body(1)).unwrap();
}

#[test]
fn lost_files_are_told() {
    for lost in ["00000001.segment", "00000002.segment"] {
        let court = Court::with_segments(2 << 10);
        let records = filled(&court, 30);
        fs::remove_file(court.dir().join(lost)).unwrap();
        let ledger = court.open();
        assert_eq!(ledger.damage().unwrap().kind, DamageKind::MissingFile);
        assert!(honest(&ledger, &records) > 0);
    }
    let court = Court::with_segments(2 << 10);
    let records = filled(&court, 30);
    let last = (1..)
        .take_while(|number| court.segment(*number).exists())
        .last()
        .unwrap();
    fs::remove_file(court.segment(last)).unwrap();
    let ledger = court.open();
    assert_eq!(ledger.damage().unwrap().kind, DamageKind::MissingEnd);
    assert!(honest(&ledger, &records) > 0);
}

#[test]
fn other_files_are_refused() {
    let court = Court::new();
    filled(&court, 1);
    let other = OriginId::new("court/kern/node/1").unwrap();
    let result = Ledger::open(court.dir(), other.clone(), court.trust());
    assert!(matches!(result, Err(OpenError::OtherOrigin { found, .. }) if found == court.origin));
    let open = court.open();
    assert!(matches!(court.try_open(), Err(OpenError::InUse { .. })));
    drop(open);
    court.open();
}
