//! What the look at an image accepts, what it refuses, and that no bytes whatever bring it down.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod image_samples;

use ccpor_domain::Media;
use ccpor_registry::image::{
    ImageRefused, Inspected, MAX_IMAGE_BYTES, MAX_PAGES, MAX_SIDE, inspect, media_of,
};
use image_samples::{jpeg, packed_pdf, pdf, png, raw_tiff, tiff, with_table, zlib};
use proptest::prelude::*;

fn pages(bytes: &[u8]) -> u32 {
    inspect(bytes).unwrap().pages
}

fn damaged(bytes: &[u8]) -> bool {
    matches!(inspect(bytes), Err(ImageRefused::Damaged { .. }))
}

#[test]
fn each_kind_is_told_by_its_content() {
    let size = (Some(120), Some(160));
    for (bytes, media) in [(png(1), Media::Png), (jpeg(1), Media::Jpeg)] {
        let Inspected {
            media: found,
            pages,
            width,
            height,
        } = inspect(&bytes).unwrap();
        assert_eq!((found, pages, (width, height)), (media, 1, size));
        assert_eq!(media_of(&bytes), Some(media));
    }
    let seen = inspect(&tiff(3)).unwrap();
    assert_eq!(
        seen,
        Inspected {
            media: Media::Tiff,
            pages: 3,
            width: Some(20),
            height: Some(30)
        }
    );
    let seen = inspect(&pdf(2)).unwrap();
    assert_eq!(
        seen,
        Inspected {
            media: Media::Pdf,
            pages: 2,
            width: None,
            height: None
        }
    );
    assert_eq!(pages(&packed_pdf(7)), 7);
}

#[test]
fn a_false_type_is_named_for_what_it_is() {
    let cases: [(&[u8], &str); 7] = [
        (b"MZ\x90\x00 order.pdf %PDF-1.7", "a Windows program"),
        (b"<!DOCTYPE html><title>DV-130</title>", "a web page"),
        (b"\xef\xbb\xbf\n <html>", "a web page"),
        (b"PK\x03\x04word/document.xml", "an Office document"),
        (b"\x00\x00\x00\x18ftypheic", "an HEIC photograph"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00", "nothing but zeros"),
        (b"  \n%PDF-1.7\n%%EOF", "does not begin like any"),
    ];
    for (bytes, words) in cases {
        let refused = inspect(bytes).unwrap_err();
        assert!(matches!(refused, ImageRefused::NotAnImage { .. }));
        assert!(refused.to_string().contains(words), "{refused}");
    }
    assert_eq!(inspect(b""), Err(ImageRefused::Empty));
}

#[test]
fn too_many_bytes_are_refused_before_anything_else() {
    let bytes = vec![0; MAX_IMAGE_BYTES as usize + 1];
    assert_eq!(
        inspect(&bytes),
        Err(ImageRefused::TooLarge {
            limit: MAX_IMAGE_BYTES
        })
    );
}

#[test]
fn every_truncation_is_refused() {
    for bytes in [png(1), jpeg(1), tiff(2), pdf(2), packed_pdf(2)] {
        for length in 0..bytes.len() - 6 {
            let cut = inspect(&bytes[..length]);
            assert!(cut.is_err(), "{length} of {} bytes: {cut:?}", bytes.len());
        }
    }
}

#[test]
fn a_flipped_bit_in_a_png_is_found() {
    let sound = png(1);
    for at in (0..sound.len()).step_by(97) {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        assert!(inspect(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn a_pixel_flood_is_refused_by_its_header() {
    let flood =
        |refused: ImageRefused| assert!(matches!(refused, ImageRefused::PageTooLarge { .. }), "{refused}");
    let mut bytes = png(1);
    bytes[16..20].copy_from_slice(&(MAX_SIDE + 1).to_be_bytes());
    let sum = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    flood(inspect(&bytes).unwrap_err());

    let mut bytes = jpeg(1);
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    flood(inspect(&bytes).unwrap_err());

    let entries = [
        (256, 4, 1, u32::MAX),
        (257, 4, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 4),
    ];
    flood(inspect(&raw_tiff(&entries, 0)).unwrap_err());
}

#[test]
fn the_pages_of_a_tiff_are_bounded_together() {
    let pages = MAX_PAGES;
    assert_eq!(inspect(&tiff(pages)).unwrap().pages, pages);
    assert_eq!(
        inspect(&tiff(pages + 100)),
        Err(ImageRefused::TooManyPages { limit: MAX_PAGES })
    );

    // 100 directories of 12,000 x 12,000 pixels over the same four bytes.
    let mut bytes = b"MM\x00\x2a\x00\x00\x00\x08".to_vec();
    let entries = [
        (256, 4, 1, MAX_SIDE),
        (257, 4, 1, MAX_SIDE),
        (273, 4, 1, 8),
        (279, 4, 1, 4),
    ];
    for page in 1..=100_u32 {
        let directory = raw_tiff(&entries, if page == 100 { 0 } else { 8 + page * 54 });
        bytes.extend(&directory[8..]);
    }
    assert!(matches!(inspect(&bytes), Err(ImageRefused::TooManyPixels { .. })));
}

#[test]
fn a_tiff_whose_pages_run_in_a_circle_is_refused() {
    let entries = [(256, 4, 1, 10), (257, 4, 1, 10), (273, 4, 1, 8), (279, 4, 1, 4)];
    assert_eq!(pages(&raw_tiff(&entries, 0)), 1);
    assert!(damaged(&raw_tiff(&entries, 8)));
    // Picture data beyond the end, and none at all.
    let beyond = [
        (256, 4, 1, 10),
        (257, 4, 1, 10),
        (273, 4, 1, 8),
        (279, 4, 1, 40_000),
    ];
    assert!(damaged(&raw_tiff(&beyond, 0)));
    assert!(damaged(&raw_tiff(&beyond[..2], 0)));
    // A preview is no page.
    let mut preview = vec![(254, 4, 1, 1)];
    preview.extend(entries);
    assert!(damaged(&raw_tiff(&preview, 0)));
}

#[test]
fn an_encrypted_pdf_is_refused() {
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]>>",
        "<</Type/Page>>",
        "<</Filter/Standard>>",
    ];
    let objects = objects.map(str::to_owned);
    assert_eq!(pages(&with_table(&objects, "")), 1);
    assert_eq!(
        inspect(&with_table(&objects, "/Encrypt 4 0 R")),
        Err(ImageRefused::Encrypted)
    );
    assert_eq!(
        inspect(&with_table(&objects, "/#45ncr#79pt 4 0 R")),
        Err(ImageRefused::Encrypted)
    );
}

#[test]
fn a_pdf_saved_again_counts_its_pages_as_they_are_now() {
    let mut bytes = pdf(3);
    bytes
        .extend(b"2 0 obj <</Type/Pages /Kids [3 0 R (no page) 4 0 R 4 0 R 77 0 R null] /Count 9>> endobj\n");
    bytes.extend(b"trailer <</Root 1 0 R/Prev 9>>\nstartxref\n0\n%%EOF\n\0\0\0\0");
    assert_eq!(pages(&bytes), 2);
}

#[test]
fn a_pdf_with_too_many_or_no_pages_is_refused() {
    assert_eq!(pages(&pdf(MAX_PAGES)), MAX_PAGES);
    assert_eq!(
        inspect(&pdf(MAX_PAGES + 1)),
        Err(ImageRefused::TooManyPages { limit: MAX_PAGES })
    );
    assert!(damaged(&pdf(0)));
    assert!(damaged(b"%PDF-1.7\n%%EOF\n"));
    // A page tree that contains itself.
    let objects = [
        "<</Pages 2 0 R>>",
        "<</Kids[2 0 R 2 0 R 3 0 R]>>",
        "<</Kids[2 0 R]>>",
    ]
    .map(str::to_owned);
    assert!(damaged(&with_table(&objects, "")));
}

#[test]
fn a_pdf_that_unpacks_without_end_is_refused_in_time() {
    let bomb = zlib(&vec![b' '; 33 * 1024 * 1024]);
    let mut bytes = b"%PDF-1.7\n1 0 obj<</Type/ObjStm/N 1/First 1/Filter/FlateDecode>>stream\n".to_vec();
    bytes.extend(bomb);
    bytes.extend(b"\nendstream endobj\n%%EOF");
    assert!(matches!(inspect(&bytes), Err(ImageRefused::Unsupported { .. })));
}

#[test]
fn a_pdf_made_to_cost_time_is_refused_in_time() {
    for piece in [
        "1 0 obj<<",
        "1 0 obj[",
        "1 0 obj(",
        "1 0 obj<",
        "trailer<</A[",
        "1 0 obj<</A 1 0 obj<<",
        "obj 0 1 0 obj %",
    ] {
        let bytes = format!("%PDF-1.7\n{}%%EOF", piece.repeat(20_000));
        assert!(inspect(bytes.as_bytes()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_change_to_a_sound_image_brings_the_look_down(
        which in 0_usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in any::<prop::sample::Index>(),
        keep_length in any::<bool>(),
    ) {
        let mut bytes = [png(2), jpeg(2), tiff(3), pdf(3), packed_pdf(3)][which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if !keep_length {
            bytes.truncate(cut.index(bytes.len()));
        }
        // The catch would hide a panic in a reader, so none may happen at all.
        let silent = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| std::process::abort()));
        let seen = inspect(&bytes);
        std::panic::set_hook(silent);
        if let Ok(seen) = seen {
            prop_assert!((1..=MAX_PAGES).contains(&seen.pages));
        }
    }

    #[test]
    fn no_bytes_after_a_true_beginning_bring_it_down(
        beginning in prop::sample::select(vec![
            &b"%PDF-1.7\n"[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II\x2a\x00", b"MM\x00\x2a",
            b"II\x2b\x00\x08\x00\x00\x00", b"MM\x00\x2b\x00\x08\x00\x00",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [beginning, &rest].concat();
        let _ = inspect(&bytes);
    }

    #[test]
    fn no_arrangement_of_pdf_words_brings_it_down(
        words in prop::collection::vec(prop::sample::select(vec![
            "<<", ">>", "[", "]", "(", ")", "<", ">", "\\", "/Type", "/Page", "/Pages", "/Kids", "/ObjStm", "/N", "/First",
            "/Length", "/Filter", "/FlateDecode", "1 0 obj", "2 0 obj", "1 0 R", "2 0 R", "endobj", "stream\n", "endstream",
            "trailer", "/Root", "/XRef", "/Catalog", "0", "7", "4294967295", "9999999999", "99999999999", "-1", "%\n", "/",
        ]), 0..120),
    ) {
        let bytes = format!("%PDF-1.7\n{}\n%%EOF", words.join(" "));
        let _ = inspect(bytes.as_bytes());
    }
}
