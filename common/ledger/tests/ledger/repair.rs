//! Damage mended from a peer, and ends set aside: nothing lost, nothing used twice, nothing deleted.

use std::fs;

use ccpor_ledger::{DamageKind, Gap, RepairRefusal, SignedRecord, verify_directory};

use crate::court::{ALL, Court, all, at, body, filled, flip, head_of};

/// Of the whole ledger, what belongs into the gap.
fn held_by(gap: &Gap, records: &[SignedRecord]) -> Vec<SignedRecord> {
    let belongs = |record: &&SignedRecord| gap.holds(record.outline().unwrap().position);
    records.iter().filter(belongs).cloned().collect()
}

#[test]
fn any_damaged_record_is_put_back() {
    for segment_bytes in [2 << 10, 64 << 20] {
        let court = Court::with_segments(segment_bytes);
        let records = filled(&court, 20);
        let originals: Vec<_> = (1..)
            .map(|number| court.segment(number))
            .take_while(|path| path.exists())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        let mut mended = 0;
        for (path, original) in &originals {
            let end = original.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            for byte in (256..end).step_by(97) {
                flip(path, byte * 8 + 3);
                let ledger = court.open();
                let broken = records
                    .iter()
                    .position(|r| ledger.read(r.outline().unwrap().position).is_err())
                    .unwrap();
                if let Some(gap) = ledger.gap() {
                    assert_eq!(held_by(&gap, &records), records[broken..=broken]);
                }
                let wrong = (broken + 1) % records.len();
                assert!(ledger.repair(&records[wrong..=wrong]).is_err());
                let repaired = ledger.repair(&records[broken..=broken]).unwrap();
                assert!(fs::metadata(repaired.kept_in).unwrap().len() > 0);
                assert_eq!(ledger.damage(), None);
                assert_eq!(all(&ledger), records);
                assert!(matches!(
                    ledger.repair(&records[broken..=broken]),
                    Err(RepairRefusal::NotDamaged)
                ));
                mended += 1;
            }
        }
        assert!(mended > 30);
        court.writer(&court.open()).append_wait(body(1)).unwrap();
        verify_directory(court.root.path(), &court.verify_options()).unwrap();
    }
}

#[test]
fn a_gap_of_several_records_needs_them_all() {
    let court = Court::new();
    let records = filled(&court, 9);
    let path = court.segment(1);
    let mut bytes = fs::read(&path).unwrap();
    bytes[1_000..1_800].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let ledger = court.open();
    let missing: Vec<usize> = (0..10)
        .filter(|i| ledger.read(records[*i].outline().unwrap().position).is_err())
        .collect();
    let (first, last) = (missing[0], *missing.last().unwrap());
    assert!(last > first);
    assert_eq!(held_by(&ledger.gap().unwrap(), &records), records[first..=last]);
    assert!(matches!(
        ledger.repair(&records[first..last]),
        Err(RepairRefusal::DoesNotFit { .. })
    ));
    ledger.repair(&records[first..=last]).unwrap();
    assert_eq!(all(&ledger), records);
}

#[test]
fn a_lost_end_is_put_back_from_the_mark() {
    let court = Court::new();
    let records = filled(&court, 9);
    let path = court.segment(1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..1_500]).unwrap();
    let ledger = court.open();
    assert!(ledger.damage().is_some());
    let held = usize::try_from(ledger.records()).unwrap();
    assert_eq!(held_by(&ledger.gap().unwrap(), &records), records[held..]);
    assert!(ledger.repair(&records[held..9]).is_err(), "not up to the mark");
    ledger.repair(&records[held..]).unwrap();
    assert_eq!((all(&ledger), ledger.damage()), (records, None));
    drop(ledger);
    verify_directory(court.root.path(), &court.verify_options()).unwrap();
}

#[test]
fn headers_are_written_anew() {
    let court = Court::with_segments(2 << 10);
    let records = filled(&court, 20);
    let (first, second) = (
        fs::read(court.segment(1)).unwrap(),
        fs::read(court.segment(2)).unwrap(),
    );
    flip(&court.segment(1), 99);
    flip(&court.segment(2), 99);
    let ledger = court.open();
    assert_eq!(ledger.damage().unwrap().kind, DamageKind::Header);
    assert_eq!(all(&ledger), records, "the records are whole");
    assert_eq!(ledger.gap(), None, "a header hides no record");
    assert_eq!(ledger.repair_headers().unwrap(), 2);
    assert_eq!(ledger.damage(), None);
    assert_eq!(
        (
            fs::read(court.segment(1)).unwrap(),
            fs::read(court.segment(2)).unwrap()
        ),
        (first, second)
    );
}

#[test]
fn the_wrong_branch_of_a_fork_is_set_aside() {
    for keep in [0, 1, 5, 9, 14] {
        let court = Court::with_segments(2 << 10);
        filled(&court, 9);
        let clone = court.copy();
        let canonical = {
            let ledger = court.open();
            let writer = court.writer(&ledger);
            for number in 100..110 {
                writer.append_wait(body(number)).unwrap();
            }
            all(&ledger)
        };
        let ledger = clone.open();
        let writer = clone.writer(&ledger);
        for number in 200..205 {
            writer.append_wait(body(number)).unwrap();
        }
        writer.close();
        drop(writer);
        let own = all(&ledger);
        // Keeping less than the common part is allowed; keeping more leaves the fork.
        let after = (keep > 0).then(|| own[keep - 1].outline().unwrap().position);
        let aside = ledger.set_aside(after).unwrap();
        assert_eq!(aside.records, u64::try_from(own.len() - keep).unwrap());
        assert_eq!(aside.head, keep.checked_sub(1).map(|index| head_of(&own[index])));
        assert_eq!(all(&ledger), own[..keep]);
        assert!(keep == own.len() || fs::read_dir(&aside.kept_in).unwrap().count() > 0);
        let follows = ledger.append_run(&canonical[keep..]);
        assert_eq!(follows.is_ok(), keep <= 10);
        // No number of the branch is used again.
        let next = clone.writer(&ledger).append_wait(body(300)).unwrap();
        assert_eq!(next.head.position, at(2, 2));
        assert!(ledger.run_at_hand(Some(at(2, 1)), ALL).is_some());
        all(&ledger);
        drop(ledger);
        verify_directory(clone.root.path(), &clone.verify_options()).unwrap();
        let again = clone.open();
        assert_eq!(again.damage(), None);
        assert_eq!(
            clone.writer(&again).append_wait(body(301)).unwrap().head.position,
            at(2, 3)
        );
    }
}

#[test]
fn a_damaged_end_can_be_set_aside_and_fetched_again() {
    let court = Court::new();
    let records = filled(&court, 9);
    flip(&court.segment(1), 2_000 * 8);
    let ledger = court.open();
    let damage = ledger.damage().unwrap();
    let keep = usize::try_from(damage.position.seq - 1).unwrap();
    ledger.set_aside(Some(at(1, damage.position.seq - 1))).unwrap();
    assert_eq!(ledger.damage(), None);
    ledger.append_run(&records[keep..]).unwrap();
    assert_eq!(all(&ledger), records);
}
