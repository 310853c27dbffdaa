//! The vault with real files: what is sealed is read back, moved nowhere, destroyed for good, and restored on another machine.

use std::path::{Path, PathBuf};

use ccpor_domain::{Ciphertext, OrderId, SheetId};
use proptest::prelude::*;

use super::vault::{CannotRead, Vault, VaultFailed};

struct Court {
    folder: tempfile::TempDir,
}

impl Court {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("safe")).unwrap();
        Self { folder }
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("confidential")
    }

    fn safe(&self) -> PathBuf {
        self.folder.path().join("safe")
    }
}

const ORDER: OrderId = OrderId([1; 16]);
const SHEET: SheetId = SheetId([2; 16]);

fn files(directory: &Path) -> Vec<Vec<u8>> {
    std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_sealed_is_read_back_and_a_changed_byte_is_not(text in prop::collection::vec(any::<u8>(), 0..2_000), place in any::<prop::sample::Index>()) {
        let court = Court::new();
        let (vault, _) = Vault::make(&court.keys(), &court.safe()).unwrap();
        let sealed = vault.seal(ORDER, SHEET, &text).unwrap();
        let read = vault.read(ORDER, SHEET, &sealed).unwrap();
        prop_assert_eq!(&read[..], &text[..]);
        // Lengths come in steps: the length alone tells little.
        prop_assert_eq!((sealed.0.len() - 12 - 16) % 256, 0);
        prop_assert_eq!(vault.seal(ORDER, SHEET, &text).unwrap(), sealed.clone());
        let mut changed = sealed.0;
        let place = place.index(changed.len());
        changed[place] ^= 1;
        prop_assert!(matches!(vault.read(ORDER, SHEET, &Ciphertext(changed)), Err(CannotRead::Damaged)));
    }
}

#[test]
fn a_sheet_cannot_be_shown_as_another_ones_or_another_orders() {
    let court = Court::new();
    let (vault, _) = Vault::make(&court.keys(), &court.safe()).unwrap();
    let sealed = vault.seal(ORDER, SHEET, b"12 Elm Street").unwrap();
    let other = SheetId([3; 16]);
    vault.seal(ORDER, other, b"another").unwrap();
    assert!(matches!(
        vault.read(OrderId([9; 16]), SHEET, &sealed),
        Err(CannotRead::Damaged)
    ));
    assert!(matches!(
        vault.read(ORDER, other, &sealed),
        Err(CannotRead::Damaged)
    ));
    for bytes in [vec![], vec![0; 11], vec![0; 40]] {
        assert!(vault.read(ORDER, SHEET, &Ciphertext(bytes)).is_err());
    }
}

#[test]
fn a_destroyed_sheet_is_gone_in_both_places_and_a_copy_that_is_not_there_keeps_the_key() {
    let court = Court::new();
    let (vault, code) = Vault::make(&court.keys(), &court.safe()).unwrap();
    let sealed = vault.seal(ORDER, SHEET, b"12 Elm Street").unwrap();
    let away = court.folder.path().join("away");
    std::fs::rename(court.safe(), &away).unwrap();
    assert!(matches!(vault.destroy(SHEET), Err(VaultFailed::Recovery(_))));
    assert!(vault.read(ORDER, SHEET, &sealed).is_ok());
    assert!(matches!(
        vault.seal(ORDER, SheetId([4; 16]), b"x"),
        Err(VaultFailed::Recovery(_))
    ));
    std::fs::rename(&away, court.safe()).unwrap();
    assert!(vault.destroy(SHEET).unwrap() && !vault.destroy(SHEET).unwrap());
    assert!(matches!(
        vault.read(ORDER, SHEET, &sealed),
        Err(CannotRead::NoKey)
    ));
    assert!(files(&court.safe()).is_empty());
    // Nor does the recovery code bring it back.
    let new = court.folder.path().join("new");
    let (restored, sheets) = Vault::restore(&new, &court.safe(), &code).unwrap();
    assert_eq!(sheets, 0);
    assert!(matches!(
        restored.read(ORDER, SHEET, &sealed),
        Err(CannotRead::NoKey)
    ));
}

/// A kill between the writing of the court's own copy and its naming.
#[test]
fn a_key_that_a_kill_left_half_named_is_used_again_and_destroyed_with_the_sheet() {
    let court = Court::new();
    let (vault, _) = Vault::make(&court.keys(), &court.safe()).unwrap();
    let sealed = vault.seal(ORDER, SHEET, b"12 Example Street").unwrap();
    let own = court.keys().join(format!("{SHEET}.key"));
    let half_named = court.keys().join(format!("{SHEET}.key.new"));
    let killed = || std::fs::rename(&own, &half_named).unwrap();

    killed();
    assert_eq!(vault.seal(ORDER, SHEET, b"12 Example Street").unwrap(), sealed);
    assert!(own.exists() && !half_named.exists());

    killed();
    assert!(vault.destroy(SHEET).unwrap());
    assert!(files(&court.safe()).is_empty());
    assert_eq!(files(&court.keys()).len(), 1, "the court's key alone is left");
}

/// A kill between the overwriting of a key and the removing of its file.
#[test]
fn a_key_that_a_kill_left_half_destroyed_is_none_and_keeps_no_other_from_being_restored() {
    let court = Court::new();
    let (vault, code) = Vault::make(&court.keys(), &court.safe()).unwrap();
    let kept = SheetId([3; 16]);
    let sealed = [SHEET, kept].map(|sheet| vault.seal(ORDER, sheet, b"12 Example Street").unwrap());
    for directory in [court.keys(), court.safe()] {
        std::fs::write(directory.join(format!("{SHEET}.key")), [0; 60]).unwrap();
    }
    assert!(matches!(
        vault.read(ORDER, SHEET, &sealed[0]),
        Err(CannotRead::NoKey)
    ));

    let elsewhere = court.folder.path().join("another-machine");
    let (restored, sheets) = Vault::restore(&elsewhere, &court.safe(), &code).unwrap();
    assert_eq!(sheets, 1);
    assert_eq!(
        &restored.read(ORDER, kept, &sealed[1]).unwrap()[..],
        b"12 Example Street"
    );
    assert!(vault.destroy(SHEET).unwrap());
    assert!(files(&court.safe()).len() == 1 && files(&court.keys()).len() == 2);
}

#[test]
fn the_code_and_the_copy_bring_everything_back_and_another_code_nothing() {
    let court = Court::new();
    let (vault, code) = Vault::make(&court.keys(), &court.safe()).unwrap();
    let sealed = vault.seal(ORDER, SHEET, b"12 Elm Street").unwrap();
    let new = court.folder.path().join("new");
    let line = code.line();
    let typed = line.parse().unwrap();
    let (restored, sheets) = Vault::restore(&new, &court.safe(), &typed).unwrap();
    assert_eq!(sheets, 1);
    assert_eq!(
        restored.read(ORDER, SHEET, &sealed).unwrap().as_slice(),
        b"12 Elm Street"
    );
    assert!(matches!(
        Vault::restore(&new, &court.safe(), &typed),
        Err(VaultFailed::Exists(_))
    ));
    let other = Court::new();
    let (_, wrong) = Vault::make(&other.keys(), &other.safe()).unwrap();
    let third = court.folder.path().join("third");
    assert!(matches!(
        Vault::restore(&third, &court.safe(), &wrong),
        Err(VaultFailed::OtherCode(_))
    ));
    assert!(!third.exists(), "a wrong code leaves nothing behind");
    assert!(matches!(
        Vault::open(&third, &court.safe()),
        Err(VaultFailed::None)
    ));
}

#[test]
fn no_key_and_no_text_lies_open_in_any_file_but_the_courts_own() {
    let court = Court::new();
    let (vault, code) = Vault::make(&court.keys(), &court.safe()).unwrap();
    vault.seal(ORDER, SHEET, b"12 Elm Street, Fresno").unwrap();
    let all: Vec<Vec<u8>> = files(&court.keys())
        .into_iter()
        .chain(files(&court.safe()))
        .collect();
    assert_eq!(all.len(), 3);
    let holds = |needle: &[u8]| {
        let hits = all
            .iter()
            .filter(|file| file.windows(needle.len()).any(|part| part == needle));
        hits.count()
    };
    assert_eq!((holds(b"Elm Street"), holds(code.0.as_slice())), (0, 1));
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(court.keys()).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    }
}
