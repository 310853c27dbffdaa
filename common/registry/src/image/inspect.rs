//! Tells from the content what an image is and whether it is acceptable; it decodes no pixel and keeps nothing.

use ccpor_domain::Media;

use super::verdict::{ImageRefused, Inspected, MAX_IMAGE_BYTES};
use super::{jpeg, pdf, png, tiff};

/// Looks at a whole image held in memory. The name it came under plays no part.
///
/// Memory beyond `bytes` is bounded (32 MiB for packed objects of a PDF, nothing for the others), time is linear
/// in the length. A panic in a reader would be a defect of this code; it is caught and reads as damage, so that no
/// upload can take the process down.
///
/// # Errors
/// [`ImageRefused`] says what is wrong in words for the sender.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, ImageRefused> {
    if bytes.is_empty() {
        return Err(ImageRefused::Empty);
    }
    if bytes.len() as u64 > MAX_IMAGE_BYTES {
        return Err(ImageRefused::TooLarge {
            limit: MAX_IMAGE_BYTES,
        });
    }
    let media = sniff(bytes)?;
    std::panic::catch_unwind(|| match media {
        Media::Pdf => pdf::inspect(bytes),
        Media::Png => png::inspect(bytes),
        Media::Jpeg => jpeg::inspect(bytes),
        Media::Tiff => tiff::inspect(bytes),
    })
    .unwrap_or(Err(ImageRefused::Damaged {
        media,
        what: "its structure cannot be read",
    }))
}

/// The kind of an image by its first bytes (16 are enough), `None` when it is none of the four.
#[must_use]
pub fn media_of(beginning: &[u8]) -> Option<Media> {
    // The sign must stand at byte 0: a PDF header further in is how a file is made to be two kinds at once.
    const SIGNS: [(&[u8], Media); 6] = [
        (b"%PDF-", Media::Pdf),
        (b"\x89PNG\r\n\x1a\n", Media::Png),
        (b"\xff\xd8\xff", Media::Jpeg),
        (b"II\x2a\x00", Media::Tiff),
        (b"MM\x00\x2a", Media::Tiff),
        (b"II\x2b\x00\x08\x00\x00\x00", Media::Tiff),
    ];
    if beginning.starts_with(b"MM\x00\x2b\x00\x08\x00\x00") {
        return Some(Media::Tiff);
    }
    SIGNS
        .iter()
        .find(|(sign, _)| beginning.starts_with(sign))
        .map(|(_, media)| *media)
}

/// How many bytes [`sniff`] wants to see before its answer is final.
pub(super) const SNIFF_BYTES: usize = 16;

/// The kind by the first bytes, or a refusal that names what it looks like instead.
pub(super) fn sniff(beginning: &[u8]) -> Result<Media, ImageRefused> {
    media_of(beginning).ok_or_else(|| ImageRefused::NotAnImage {
        looks_like: looks_like(beginning),
    })
}

fn looks_like(beginning: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 14] = [
        (b"MZ", "is a Windows program"),
        (b"\x7fELF", "is a program"),
        (b"PK\x03\x04", "is a ZIP archive or an Office document"),
        (b"\xd0\xcf\x11\xe0", "is an old Office document"),
        (b"{\\rtf", "is a text document"),
        (b"GIF8", "is a GIF"),
        (b"BM", "is a BMP bitmap"),
        (b"RIFF", "is a WebP picture or a sound"),
        (b"8BPS", "is a Photoshop file"),
        (b"%!PS", "is PostScript"),
        (b"\x1f\x8b", "is a packed archive"),
        (b"Rar!", "is a packed archive"),
        (b"7z\xbc\xaf", "is a packed archive"),
        (b"\x00\x00\x00\x0cjP", "is a JPEG 2000"),
    ];
    if let Some((_, name)) = KNOWN.iter().find(|(sign, _)| beginning.starts_with(sign)) {
        return name;
    }
    if beginning.get(4..8) == Some(b"ftyp") {
        return "is a video or an HEIC photograph";
    }
    let text = beginning
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(beginning)
        .trim_ascii_start();
    if text.starts_with(b"<") {
        return "is a web page or XML";
    }
    if beginning.iter().all(|&byte| byte == 0) {
        return "is nothing but zeros";
    }
    "does not begin like any of them"
}
