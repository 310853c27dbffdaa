//! The index is never the truth: deleted, damaged, incomplete or ahead of the ledger, it is made anew and nothing is lost.

use std::path::Path;

use ccpor_registry::{NotUsable, Opening};

use crate::court::{file, found, open_court, order};

fn fill(directory: &Path, from: u32, to: u32) {
    let (court, _) = open_court(directory, "alameda", 1);
    for number in from..to {
        file(
            &court,
            &format!("key-{number:04}"),
            order(&name(number), "ANN", &format!("C-{number}")),
        )
        .unwrap();
    }
    court.close();
}

/// Distinct surnames that do not resemble each other.
fn name(number: u32) -> String {
    let letters = [b'B', b'D', b'F', b'G', b'K', b'L', b'M', b'N', b'P', b'R'];
    let letter = |digit: u32| char::from(letters[usize::try_from(number / digit % 10).unwrap()]);
    format!("{0}{0}A{1}{1}O{2}{2}IX", letter(100), letter(10), letter(1))
}

fn all_found(directory: &Path, count: u32) -> Opening {
    let (court, opening) = open_court(directory, "alameda", 1);
    for number in 0..count {
        assert!(
            !found(&court, &name(number), "ANN").is_empty(),
            "order {number} is not found"
        );
    }
    assert_eq!(court.counts().orders, u64::from(count));
    court.close();
    opening
}

#[test]
fn a_clean_start_reads_nothing_again() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0, 20);
    let opening = all_found(directory.path(), 20);
    assert!(opening.rebuilt.is_none());
    assert_eq!(opening.applied_records, 0);
}

#[test]
fn a_deleted_index_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0, 20);
    std::fs::remove_dir_all(directory.path().join("index")).unwrap();
    let opening = all_found(directory.path(), 20);
    assert_eq!(
        opening.applied_records, 21,
        "20 orders and the start of the epoch"
    );
}

#[test]
fn a_damaged_index_is_set_aside_and_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0, 50);
    let file = directory.path().join("index/db");
    let mut bytes = std::fs::read(&file).unwrap();
    for byte in bytes.iter_mut().skip(64).step_by(97) {
        *byte ^= 0x55;
    }
    std::fs::write(&file, bytes).unwrap();
    let opening = all_found(directory.path(), 50);
    // sled finds nothing readable and begins anew, or what it finds is not believed.
    assert!(opening.rebuilt.is_some() || opening.applied_records == 51);
}

#[test]
fn an_empty_index_with_its_old_name_is_filled_from_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0, 10);
    std::fs::write(directory.path().join("index/db"), []).unwrap();
    let opening = all_found(directory.path(), 10);
    assert_eq!(opening.applied_records, 11);
}

#[test]
fn an_index_ahead_of_its_ledger_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0, 5);
    let older = tempfile::tempdir().unwrap();
    copy(&directory.path().join("ledger"), &older.path().join("ledger"));
    fill(directory.path(), 5, 12);
    copy(&directory.path().join("index"), &older.path().join("index"));
    let opening = all_found(older.path(), 5);
    assert!(matches!(opening.rebuilt, Some(NotUsable::AheadOfLedger { .. })));
    assert!(opening.set_aside.is_some_and(|path| path.exists()));
}

#[test]
fn an_index_behind_its_ledger_is_read_on() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path(), 0, 5);
    let older = tempfile::tempdir().unwrap();
    copy(&directory.path().join("index"), &older.path().join("index"));
    fill(directory.path(), 5, 12);
    std::fs::remove_dir_all(directory.path().join("index")).unwrap();
    copy(&older.path().join("index"), &directory.path().join("index"));
    let opening = all_found(directory.path(), 12);
    assert!(opening.rebuilt.is_none());
    assert_eq!(opening.applied_records, 7);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
