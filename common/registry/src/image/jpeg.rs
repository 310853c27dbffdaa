//! Walks the segments of a JPEG up to its picture data and looks for its end; it never decodes a block.

use ccpor_domain::Media;

use super::verdict::{ImageRefused, Inspected, page_size};

/// Checks the segments, the frame header and the end of a JPEG (ITU-T T.81, annex B).
pub(super) fn inspect(bytes: &[u8]) -> Result<Inspected, ImageRefused> {
    // After the start-of-image marker.
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut size = None;
    loop {
        let marker = take_marker(&mut rest)?;
        match marker {
            // Markers without a length, which have no business here, except the end.
            0x01 | 0xd0..=0xd7 => {}
            0xd8 => return Err(damaged("it begins twice")),
            0xd9 => return Err(damaged("it has no picture data")),
            _ => {
                let segment = take_segment(&mut rest)?;
                match marker {
                    0xc0..=0xc2 => size = Some(frame(segment)?),
                    // The other frame kinds: 0xc4, 0xc8 and 0xcc are tables and an extension.
                    0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                        return Err(ImageRefused::Unsupported {
                            media: Media::Jpeg,
                            what: "it is lossless, hierarchical or arithmetic coded",
                        });
                    }
                    0xda => break,
                    _ => {}
                }
            }
        }
    }
    let (width, height) = size.ok_or(damaged("it has no header before its picture data"))?;
    // Coded data never holds FF D9: within it every FF is followed by a zero or a restart marker.
    if memchr::memmem::rfind(rest, b"\xff\xd9").is_none() {
        return Err(damaged("it is cut off"));
    }
    Ok(Inspected {
        media: Media::Jpeg,
        pages: 1,
        width: Some(width),
        height: Some(height),
    })
}

fn take_marker(rest: &mut &[u8]) -> Result<u8, ImageRefused> {
    let (first, mut tail) = rest.split_first().ok_or(damaged("it is cut off"))?;
    if *first != 0xff {
        return Err(damaged("a segment does not begin where it should"));
    }
    // A marker may be led by any number of filling FF bytes.
    loop {
        let (byte, after) = tail.split_first().ok_or(damaged("it is cut off"))?;
        tail = after;
        match byte {
            0xff => {}
            0x00 => return Err(damaged("a segment does not begin where it should")),
            _ => {
                *rest = tail;
                return Ok(*byte);
            }
        }
    }
}

fn take_segment<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], ImageRefused> {
    let (length, _) = rest.split_first_chunk::<2>().ok_or(damaged("it is cut off"))?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (segment, tail) = rest.split_at_checked(length).ok_or(damaged("it is cut off"))?;
    let segment = segment
        .get(2..)
        .ok_or(damaged("a segment is shorter than its own length"))?;
    *rest = tail;
    Ok(segment)
}

fn frame(segment: &[u8]) -> Result<(u32, u32), ImageRefused> {
    let &[_precision, h0, h1, w0, w1, components, ..] = segment else {
        return Err(damaged("its header is cut off"));
    };
    if !matches!(components, 1..=4) || segment.len() != 6 + 3 * usize::from(components) {
        return Err(damaged("its header is not one"));
    }
    let (width, height) = (
        u16::from_be_bytes([w0, w1]).into(),
        u16::from_be_bytes([h0, h1]).into(),
    );
    page_size(Media::Jpeg, width, height)?;
    Ok((width, height))
}

fn damaged(what: &'static str) -> ImageRefused {
    ImageRefused::Damaged {
        media: Media::Jpeg,
        what,
    }
}
