//! Walks the chunks of a PNG and checks each against its checksum; it never inflates one.

use ccpor_domain::Media;

use super::verdict::{ImageRefused, Inspected, page_size};

const SIGNATURE_LEN: usize = 8;

/// Checks header, order, checksums and end of a PNG (ISO/IEC 15948, clauses 5 and 11).
pub(super) fn inspect(bytes: &[u8]) -> Result<Inspected, ImageRefused> {
    let mut rest = bytes.get(SIGNATURE_LEN..).unwrap_or_default();
    let (width, height) = header(&take_chunk(&mut rest)?)?;
    page_size(Media::Png, width, height)?;
    let mut data = false;
    loop {
        let chunk = take_chunk(&mut rest)?;
        match chunk.name {
            b"IHDR" => return Err(damaged("it has two headers")),
            b"IDAT" => data = true,
            // What follows the end is not shown by any reader and is no reason to turn a court's paper away.
            b"IEND" if data => {
                return Ok(Inspected {
                    media: Media::Png,
                    pages: 1,
                    width: Some(width),
                    height: Some(height),
                });
            }
            b"IEND" => return Err(damaged("it has no picture data")),
            _ => {}
        }
    }
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    data: &'a [u8],
}

fn take_chunk<'a>(rest: &mut &'a [u8]) -> Result<Chunk<'a>, ImageRefused> {
    const CUT: &str = "it is cut off";
    let (length, after) = rest.split_first_chunk::<4>().ok_or(damaged(CUT))?;
    let length = u32::from_be_bytes(*length) as usize;
    let (name, after_name) = after.split_first_chunk::<4>().ok_or(damaged(CUT))?;
    let (data, tail) = after_name.split_at_checked(length).ok_or(damaged(CUT))?;
    let (sum, tail) = tail.split_first_chunk::<4>().ok_or(damaged(CUT))?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(name);
    hasher.update(data);
    if hasher.finalize() != u32::from_be_bytes(*sum) {
        return Err(damaged("a part of it does not match its checksum"));
    }
    *rest = tail;
    Ok(Chunk { name, data })
}

fn header(chunk: &Chunk<'_>) -> Result<(u32, u32), ImageRefused> {
    let &[
        w0,
        w1,
        w2,
        w3,
        h0,
        h1,
        h2,
        h3,
        depth,
        colour,
        compression,
        filter,
        interlace,
    ] = chunk.data
    else {
        return Err(damaged("its header is not one"));
    };
    let depth_fits = match colour {
        0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
        3 => matches!(depth, 1 | 2 | 4 | 8),
        2 | 4 | 6 => matches!(depth, 8 | 16),
        _ => false,
    };
    if chunk.name != b"IHDR" || !depth_fits || compression != 0 || filter != 0 || interlace > 1 {
        return Err(damaged("its header is not one"));
    }
    Ok((
        u32::from_be_bytes([w0, w1, w2, w3]),
        u32::from_be_bytes([h0, h1, h2, h3]),
    ))
}

fn damaged(what: &'static str) -> ImageRefused {
    ImageRefused::Damaged {
        media: Media::Png,
        what,
    }
}
