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
fn the_corpora_hold_a_frame_of_every_kind_and_conversations_of_both_sides() {
    corpus::check(&folder("frame"), &corpus::frames());
    corpus::check(&folder("handshake"), &corpus::conversations());
}

#[test]
fn the_corpus_of_frames_is_read_or_refused() {
    assert!(replay("frame", body::frame) >= 12);
}

#[test]
fn the_corpus_of_conversations_ends_every_session_well() {
    assert!(replay("handshake", body::handshake) >= 6);
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        body::frame(&bytes);
    }

    #[test]
    fn any_bytes_end_a_session_well(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        body::handshake(&bytes);
    }

    #[test]
    fn any_order_of_good_frames_ends_a_session_well(
        first in any::<u8>(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let frames = corpus::frames();
        let mut said = vec![first];
        for pick in picks {
            let (_, frame) = &frames[pick.index(frames.len())];
            said.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
            said.extend(frame);
        }
        body::handshake(&said);
    }
}
