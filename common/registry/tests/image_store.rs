//! The image store from outside: what it keeps, what it never serves, and what is left after it goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod image_samples;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_domain::Media;
use ccpor_registry::image::{
    BeginError, BeginFetchError, FetchError, FinishError, ImageRefused, ImageStore, MAX_IMAGE_BYTES,
    ReadError, Stored, WriteError,
};
use image_samples::{jpeg, pdf, png, tiff};
use sha2::{Digest, Sha256};

fn store(directory: &Path) -> ImageStore {
    ImageStore::open(directory).unwrap()
}

fn keep(store: &ImageStore, bytes: &[u8]) -> Stored {
    let mut incoming = store.begin(MAX_IMAGE_BYTES, Some(bytes.len() as u64)).unwrap();
    for piece in bytes.chunks(1000) {
        incoming.write(piece).unwrap();
    }
    incoming.finish().unwrap()
}

fn place(directory: &Path, hash: &[u8; 32]) -> PathBuf {
    let name = blake3::Hash::from_bytes(*hash).to_hex();
    directory.join(&name[..2]).join(&name[2..])
}

fn files_in(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn what_is_kept_comes_back_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let images = [
        (pdf(2), Media::Pdf, 2),
        (png(1), Media::Png, 1),
        (jpeg(1), Media::Jpeg, 1),
        (tiff(4), Media::Tiff, 4),
    ];
    let mut hashes = Vec::new();
    for (bytes, media, pages) in &images {
        let stored = keep(&store(directory.path()), bytes);
        assert_eq!((stored.media, stored.pages, stored.new), (*media, *pages, true));
        assert_eq!(stored.length, bytes.len() as u64);
        assert_eq!(stored.blake3, *blake3::hash(bytes).as_bytes());
        assert_eq!(stored.sha256, <[u8; 32]>::from(Sha256::digest(bytes)));
        hashes.push((stored.blake3, stored.length));
    }
    let store = store(directory.path());
    for ((hash, length), (bytes, media, _)) in hashes.iter().zip(&images) {
        let mut reader = store.open_image(hash).unwrap();
        assert_eq!((reader.media(), reader.length()), (Some(*media), *length));
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(&read, bytes);
        assert_eq!((store.has(hash), store.size(hash)), (true, Some(*length)));
    }
    hashes.sort();
    assert_eq!(store.list().unwrap(), hashes);
    assert!(matches!(store.open_image(&[7; 32]), Err(ReadError::Missing)));
}

#[test]
fn the_same_image_twice_is_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let (first, second) = (keep(&store, &png(1)), keep(&store, &png(1)));
    assert_eq!((first.new, second.new), (true, false));
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(files_in(&directory.path().join("incoming")), 0);
}

#[test]
fn an_endless_upload_stops_at_the_limit_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    assert!(matches!(
        store.begin(MAX_IMAGE_BYTES, Some(1 << 30)),
        Err(BeginError::Refused(ImageRefused::TooLarge { .. }))
    ));
    // One that does not say how long it is, and begins like an image.
    let mut incoming = store.begin(u64::MAX, None).unwrap();
    let mut stream = (&b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"[..])
        .chain(std::io::repeat(0))
        .take(1 << 30);
    let mut piece = vec![0; 64 * 1024];
    let refused = loop {
        let read = stream.read(&mut piece).unwrap();
        if let Err(refused) = incoming.write(&piece[..read]) {
            break refused;
        }
        assert!(incoming.length() <= MAX_IMAGE_BYTES);
    };
    assert!(matches!(
        refused,
        WriteError::Refused(ImageRefused::TooLarge {
            limit: MAX_IMAGE_BYTES
        })
    ));
    assert!(incoming.length() <= MAX_IMAGE_BYTES + piece.len() as u64);
    assert_eq!(files_in(&directory.path().join("incoming")), 0);
    assert!(matches!(incoming.write(b"x"), Err(WriteError::Over)));
    assert!(matches!(incoming.finish(), Err(FinishError::Over)));
}

#[test]
fn a_false_type_is_refused_at_its_first_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let mut incoming = store.begin(MAX_IMAGE_BYTES, None).unwrap();
    let refused =
        incoming.write(b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00 and a gigabyte more");
    assert!(matches!(
        refused,
        Err(WriteError::Refused(ImageRefused::NotAnImage { .. }))
    ));
    // Too short to be judged on the way: at the end.
    let mut incoming = store.begin(MAX_IMAGE_BYTES, None).unwrap();
    incoming.write(b"<html>").unwrap();
    assert!(matches!(
        incoming.finish(),
        Err(FinishError::Refused(ImageRefused::NotAnImage { .. }))
    ));
    let incoming = store.begin(MAX_IMAGE_BYTES, None).unwrap();
    assert!(matches!(
        incoming.finish(),
        Err(FinishError::Refused(ImageRefused::Empty))
    ));
    assert_eq!(files_in(&directory.path().join("incoming")), 0);
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn an_upload_that_stops_early_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let bytes = png(3);
    let mut incoming = store.begin(MAX_IMAGE_BYTES, Some(bytes.len() as u64)).unwrap();
    incoming.write(&bytes[..100]).unwrap();
    assert!(matches!(
        incoming.finish(),
        Err(FinishError::LengthDiffers { received: 100, .. })
    ));
    let mut incoming = store.begin(MAX_IMAGE_BYTES, None).unwrap();
    incoming.write(&bytes[..100]).unwrap();
    assert!(matches!(
        incoming.finish(),
        Err(FinishError::Refused(ImageRefused::Damaged { .. }))
    ));
    let mut incoming = store.begin(MAX_IMAGE_BYTES, None).unwrap();
    incoming.write(&bytes[..100]).unwrap();
    drop(incoming);
    assert_eq!(files_in(&directory.path().join("incoming")), 0);
}

#[test]
fn what_a_crash_leaves_is_cleared_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let kept = keep(&store(directory.path()), &pdf(1));
    fs::write(directory.path().join("incoming/.tmpA1b2"), b"half an upload").unwrap();
    let bytes = png(9);
    let hash = *blake3::hash(&bytes).as_bytes();
    let mut fetching = store(directory.path())
        .begin_expected(hash, bytes.len() as u64)
        .unwrap();
    fetching.write(&bytes[..50]).unwrap();
    std::mem::forget(fetching);
    let store = store(directory.path());
    assert_eq!(files_in(&directory.path().join("incoming")), 0);
    assert_eq!(
        store.begin_expected(hash, bytes.len() as u64).unwrap().offset(),
        50
    );
    assert!(store.open_image(&kept.blake3).is_ok());
    assert!(!store.has(&hash));
}

#[test]
fn any_flipped_bit_is_found_set_aside_and_repaired() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let bytes = jpeg(5);
    let hash = keep(&store, &bytes).blake3;
    for (round, at) in (0..bytes.len()).step_by(331).enumerate() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (round % 8);
        fs::write(place(directory.path(), &hash), &changed).unwrap();
        assert!(matches!(store.open_image(&hash), Err(ReadError::Damaged)));
        assert!(matches!(store.open_image(&hash), Err(ReadError::Missing)));
        assert!(!store.has(&hash));
        assert_eq!(store.quarantined().unwrap(), round + 1);
        let aside = directory.path().join(format!(
            "quarantine/{}-{round}",
            blake3::Hash::from_bytes(hash).to_hex()
        ));
        assert_eq!(fs::read(&aside).unwrap(), changed);
        assert!(
            fs::read_to_string(format!("{}.reason", aside.display()))
                .unwrap()
                .contains("BLAKE3")
        );
        let mut fetching = store.begin_expected(hash, bytes.len() as u64).unwrap();
        fetching.write(&bytes).unwrap();
        assert!(fetching.finish().unwrap().new);
        assert_eq!(store.open_image(&hash).unwrap().as_bytes(), bytes);
    }
}

#[test]
fn a_file_cut_off_or_grown_is_damaged_too() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let bytes = tiff(2);
    let hash = keep(&store, &bytes).blake3;
    for length in [
        0,
        1,
        bytes.len() - 1,
        bytes.len() + 1,
        MAX_IMAGE_BYTES as usize + 2,
    ] {
        let mut changed = bytes.clone();
        changed.resize(length, 0);
        fs::write(place(directory.path(), &hash), &changed).unwrap();
        assert!(matches!(store.open_image(&hash), Err(ReadError::Damaged)));
        // Uploading the same image again repairs it as well.
        assert!(keep(&store, &bytes).new);
    }
    fs::write(place(directory.path(), &hash), b"damaged and not yet noticed").unwrap();
    assert!(keep(&store, &bytes).new);
    assert_eq!(store.open_image(&hash).unwrap().into_bytes(), bytes);
}

#[test]
fn fetching_goes_on_where_it_stopped() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (here, there) = (store(here.path()), store(there.path()));
    let bytes = tiff(150);
    let hash = keep(&there, &bytes).blake3;
    let length = bytes.len() as u64;
    let mut rounds = 0;
    loop {
        let mut fetching = here.begin_expected(hash, length).unwrap();
        assert!(matches!(
            here.begin_expected(hash, length),
            Err(BeginFetchError::Busy)
        ));
        let offset = fetching.offset() as usize;
        let image = there.open_image(&hash).unwrap();
        let Some(piece) = image.as_bytes()[offset..].chunks(40_000).next() else {
            assert!(fetching.finish().unwrap().new);
            break;
        };
        fetching.write(piece).unwrap();
        if piece.len() == 40_000 {
            assert!(matches!(fetching.finish(), Err(FetchError::Incomplete { .. })));
        }
        rounds += 1;
    }
    assert!(rounds > 2);
    assert_eq!(here.open_image(&hash).unwrap().as_bytes(), bytes);
}

#[test]
fn fetched_bytes_of_another_image_are_discarded() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let bytes = png(1);
    let hash = *blake3::hash(&bytes).as_bytes();
    let length = bytes.len() as u64;
    let mut wrong = bytes.clone();
    wrong[60] ^= 1;
    let mut fetching = store.begin_expected(hash, length).unwrap();
    fetching.write(&wrong).unwrap();
    assert!(matches!(fetching.finish(), Err(FetchError::HashDiffers)));
    let mut fetching = store.begin_expected(hash, length).unwrap();
    assert_eq!(fetching.offset(), 0);
    fetching.write(&bytes).unwrap();
    assert!(matches!(fetching.write(b"more"), Err(FetchError::TooLong)));
    assert!(matches!(fetching.write(b"more"), Err(FetchError::TooLong)));
    assert!(fetching.finish().is_err());
    assert!(!store.has(&hash));
    assert_eq!(files_in(&directory.path().join("partial")), 0);
    assert!(matches!(
        store.begin_expected(hash, MAX_IMAGE_BYTES + 1),
        Err(BeginFetchError::Refused(ImageRefused::TooLarge { .. }))
    ));
}

#[test]
fn many_at_once_keep_one_of_each() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(store(directory.path()));
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let store = Arc::clone(&store);
            scope.spawn(move || {
                for number in 0..8 {
                    let hash = keep(&store, &png((number + thread) % 8)).blake3;
                    assert!(store.open_image(&hash).is_ok());
                }
            });
        }
    });
    assert_eq!(store.list().unwrap().len(), 8);
    assert_eq!(files_in(&directory.path().join("incoming")), 0);
}

/// On a file system of 512 KiB, filled to the brim. Needs root to mount it.
#[test]
fn a_full_disk_loses_nothing_and_recovers_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
        .arg(directory.path())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        assert!(
            std::env::var("CCPOR_TESTS").as_deref() != Ok("strict"),
            "mounting a small file system needs root"
        );
        eprintln!("skipped: mounting a small file system needs root");
        return;
    }
    let outcome = std::panic::catch_unwind(|| fill_to_the_brim(directory.path()));
    assert!(
        std::process::Command::new("umount")
            .arg(directory.path())
            .status()
            .unwrap()
            .success()
    );
    outcome.unwrap();
}

fn fill_to_the_brim(directory: &Path) {
    let store = store(directory);
    let kept = keep(&store, &png(1));
    let filler = directory.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    drop(file);
    let bytes = tiff(20);
    let taken = store
        .begin(MAX_IMAGE_BYTES, None)
        .map(|mut incoming| incoming.write(&bytes));
    assert!(matches!(
        taken,
        Err(BeginError::DiskFull) | Ok(Err(WriteError::DiskFull))
    ));
    let hash = *blake3::hash(&bytes).as_bytes();
    let fetched = store
        .begin_expected(hash, bytes.len() as u64)
        .map(|mut fetching| fetching.write(&bytes));
    assert!(matches!(
        fetched,
        Err(BeginFetchError::DiskFull) | Ok(Err(FetchError::DiskFull))
    ));
    assert_eq!(
        files_in(&directory.join("incoming")) + files_in(&directory.join("partial")),
        0
    );
    assert!(store.open_image(&kept.blake3).is_ok());
    fs::remove_file(filler).unwrap();
    assert!(keep(&store, &bytes).new);
}
