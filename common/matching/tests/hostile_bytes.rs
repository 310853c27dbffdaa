//! Any bytes: the committed corpus of the fuzz targets, and bytes and texts of proptest's making.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod hostile;

use std::path::Path;

use proptest::prelude::*;

/// Every file of a target's corpus; their number.
fn replay(target: &str, body: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut replayed = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        body(&std::fs::read(file.unwrap().path()).unwrap());
        replayed += 1;
    }
    replayed
}

#[test]
fn the_corpus_of_lines_is_read() {
    assert!(replay("line", hostile::line) >= 20);
}

#[test]
fn the_corpus_of_names_is_searched() {
    assert!(replay("find", hostile::find) >= 10);
}

/// Text as people and programs send it: words, separators of the line's grammar, digits, and anything at all.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[A-Za-z' -]{0,12}",
        "[0-9/.-]{0,12}",
        Just("NAM/".to_owned()),
        Just(".DOB/".to_owned()),
        Just(".OLN/".to_owned()),
        Just(",".to_owned()),
        Just("\0".to_owned()),
        "\\PC{0,6}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(text in any_text()) {
        hostile::line(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_a_line_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        hostile::line(&bytes);
    }

    #[test]
    fn any_name_that_is_put_in_is_found(text in any_text()) {
        hostile::find(text.as_bytes());
    }
}
