//! An edit anywhere in a trail is found: every byte of a small one, and bytes by chance of a larger one.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_audit::Archive;
use ccpor_ledger::{VerifyOptions, verify_directory};
use proptest::prelude::*;

use crate::scene::{Scene, look_up, record};

const NOON: &str = "2026-11-25T20:00:00Z";

fn filled(entries: usize) -> Scene {
    let scene = Scene::new();
    let trail = scene.open(NOON);
    for number in 0..entries {
        record(&trail, &look_up(&trail, NOON, "Roe", &format!("Richard{number}"))).unwrap();
    }
    trail.close();
    scene
}

/// As `ccpor audit verify` checks a directory.
fn is_sound(scene: &Scene) -> bool {
    let options = VerifyOptions {
        trust: Arc::clone(&scene.trust),
        hub_keys: Default::default(),
    };
    verify_directory(scene.path().join("ledger"), &options).is_ok()
        && Archive::open(scene.path()).is_ok_and(|archive| archive.check_keys().is_ok())
}

fn files_with(root: &Path, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found
}

fn set_old(path: &Path) {
    // What was changed lately is looked at again, in case a program just writes it; an edit is not.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(old)
        .unwrap();
}

#[test]
fn every_changed_byte_of_a_small_trail_is_found() {
    let scene = filled(2);
    assert!(is_sound(&scene));
    let segment = files_with(scene.path(), "segment").pop().unwrap();
    let key = files_with(scene.path(), "key").pop().unwrap();
    for path in [segment, key] {
        let whole = fs::read(&path).unwrap();
        // The records, and some of the zeros that were written ahead of them.
        let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for at in 0..(end + 64).min(whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, &changed).unwrap();
            set_old(&path);
            assert!(!is_sound(&scene), "byte {at} of {}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(is_sound(&scene));
}

#[test]
fn a_missing_key_and_a_missing_end_are_found() {
    let scene = filled(5);
    let key = files_with(scene.path(), "key").pop().unwrap();
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(!is_sound(&scene));
    fs::write(&key, kept).unwrap();
    assert!(is_sound(&scene));
    let segment = files_with(scene.path(), "segment").pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut cut = whole.clone();
    cut[end - 300..].fill(0);
    fs::write(&segment, cut).unwrap();
    set_old(&segment);
    assert!(!is_sound(&scene));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn bytes_changed_by_chance_in_a_larger_trail_are_found(places in prop::collection::vec((any::<prop::sample::Index>(), 1..=255u8), 4)) {
        let scene = filled(60);
        let segment = files_with(scene.path(), "segment").pop().unwrap();
        let whole = fs::read(&segment).unwrap();
        let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        for (place, flip) in places {
            let mut changed = whole.clone();
            changed[place.index(end)] ^= flip;
            fs::write(&segment, &changed).unwrap();
            set_old(&segment);
            prop_assert!(!is_sound(&scene));
        }
    }
}
