//! Any bytes: the committed corpora of the fuzz targets, each cut short and with a bit turned over, and bytes of proptest's making.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod body;
mod corpus;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target)
}

/// Every file of a target's corpus as it is, cut short at every place, and with each byte changed; their number.
fn replay(target: &str, body: fn(&[u8])) -> usize {
    let mut replayed = 0;
    for file in std::fs::read_dir(folder(target)).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        body(&bytes);
        for place in 0..bytes.len() {
            body(&bytes[..place]);
            let mut changed = bytes.clone();
            changed[place] ^= 1 << (place % 8);
            body(&changed);
        }
        replayed += 1;
    }
    replayed
}

#[test]
fn the_corpora_hold_records_of_every_kind_and_segments_as_crashes_leave_them() {
    corpus::check(&folder("record"), &corpus::records());
    corpus::check(&folder("segment"), &corpus::segments());
}

#[test]
fn the_corpus_of_records_is_read_or_refused() {
    assert!(replay("record", body::record) >= 6);
}

#[test]
fn of_the_corpus_of_segments_only_what_is_whole_is_believed() {
    assert!(replay("segment", body::segment) >= 4);
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        body::record(&bytes);
    }

    #[test]
    fn any_bytes_are_a_segment_that_is_believed_as_far_as_it_is_whole(
        seed in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let seeds = corpus::segments();
        let (_, mut bytes) = seeds[seed.index(seeds.len())].clone();
        let at = at.index(bytes.len() + 1);
        let end = (at + noise.len()).min(bytes.len());
        bytes.splice(at..end, noise);
        body::segment(&bytes);
    }
}
