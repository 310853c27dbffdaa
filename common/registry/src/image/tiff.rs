//! Walks the page directories of a TIFF and checks that every strip lies within the file; it decodes none.

use ccpor_domain::Media;

use super::verdict::{ImageRefused, Inspected, MAX_PAGES, MAX_TOTAL_PIXELS, page_size};

/// Directories walked at most: pages, and previews beside them.
const MAX_DIRECTORIES: usize = 2 * MAX_PAGES as usize;
/// Strips or tiles of one page at most: one for each row and plane of the largest page allowed.
const MAX_STRIPS: u64 = 4 * 12_000;

/// Checks the chain of directories of a TIFF (TIFF 6.0, section 2; BigTIFF).
pub(super) fn inspect(bytes: &[u8]) -> Result<Inspected, ImageRefused> {
    let file = File::new(bytes)?;
    let mut next = file.first_directory()?;
    let mut visited = Vec::new();
    let mut first = None;
    let (mut pages, mut pixels) = (0_u32, 0_u64);
    while next != 0 {
        if visited.contains(&next) {
            return Err(damaged("its pages run in a circle"));
        }
        visited.push(next);
        if visited.len() > MAX_DIRECTORIES {
            return Err(ImageRefused::TooManyPages { limit: MAX_PAGES });
        }
        let directory = file.directory(next)?;
        next = directory.next;
        let page = file.page(&directory)?;
        page_size(Media::Tiff, page.width, page.height)?;
        pixels += u64::from(page.width) * u64::from(page.height);
        if pixels > MAX_TOTAL_PIXELS {
            return Err(ImageRefused::TooManyPixels {
                limit: MAX_TOTAL_PIXELS,
            });
        }
        if page.preview {
            continue;
        }
        pages += 1;
        if pages > MAX_PAGES {
            return Err(ImageRefused::TooManyPages { limit: MAX_PAGES });
        }
        first.get_or_insert((page.width, page.height));
    }
    let (width, height) = first.ok_or(damaged("it has no page"))?;
    Ok(Inspected {
        media: Media::Tiff,
        pages,
        width: Some(width),
        height: Some(height),
    })
}

struct Page {
    width: u32,
    height: u32,
    preview: bool,
}

/// A directory: where its entries begin, how many there are, and where the next directory is (0 for none).
struct Directory {
    entries: u64,
    count: u64,
    next: u64,
}

/// The values of one tag: their type and where they lie.
#[derive(Clone, Copy)]
struct Field {
    kind: u16,
    count: u64,
    at: u64,
}

struct File<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// BigTIFF: offsets are 8 bytes instead of 4.
    wide: bool,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, ImageRefused> {
        let big_endian = bytes.starts_with(b"MM");
        let file = Self {
            bytes,
            big_endian,
            wide: false,
        };
        let wide = file.number(2, 2)? == 43;
        Ok(Self { wide, ..file })
    }

    fn first_directory(&self) -> Result<u64, ImageRefused> {
        if self.wide {
            self.number(8, 8)
        } else {
            self.number(4, 4)
        }
    }

    fn directory(&self, at: u64) -> Result<Directory, ImageRefused> {
        let (head, entry, offset) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(at, head)?;
        // A directory of a page has some twenty entries; the bound keeps a hostile one from costing time.
        if count == 0 || count > 4096 {
            return Err(damaged("a page directory is not one"));
        }
        let entries = at + head;
        let next = self.number(entries + count * entry, offset)?;
        Ok(Directory { entries, count, next })
    }

    fn page(&self, directory: &Directory) -> Result<Page, ImageRefused> {
        let side = |tag| -> Result<u32, ImageRefused> {
            let field = self
                .field(directory, tag)?
                .ok_or(damaged("a page has no width or no height"))?;
            Ok(u32::try_from(self.value(field, 0)?).unwrap_or(u32::MAX))
        };
        let (width, height) = (side(256)?, side(257)?);
        let subfile = match self.field(directory, 254)? {
            Some(field) => self.value(field, 0)?,
            None => 0,
        };
        self.check_picture_data(directory)?;
        Ok(Page {
            width,
            height,
            preview: subfile & 1 == 1,
        })
    }

    /// Strips, tiles, or the single stream of the old JPEG form: what is named must be within the file.
    fn check_picture_data(&self, directory: &Directory) -> Result<(), ImageRefused> {
        const CUT: &str = "it is cut off: picture data lies beyond its end";
        for (offsets, lengths) in [(273, 279), (324, 325), (513, 514)] {
            let (Some(offsets), Some(lengths)) =
                (self.field(directory, offsets)?, self.field(directory, lengths)?)
            else {
                continue;
            };
            if offsets.count == 0 || offsets.count != lengths.count || offsets.count > MAX_STRIPS {
                return Err(damaged("a page's picture data is not described"));
            }
            for index in 0..offsets.count {
                let end = self
                    .value(offsets, index)?
                    .checked_add(self.value(lengths, index)?);
                if end.is_none_or(|end| end > self.bytes.len() as u64) {
                    return Err(damaged(CUT));
                }
            }
            return Ok(());
        }
        Err(damaged("a page has no picture data"))
    }

    fn field(&self, directory: &Directory, tag: u64) -> Result<Option<Field>, ImageRefused> {
        let (size, inline) = if self.wide { (20, 8) } else { (12, 4) };
        for index in 0..directory.count {
            let entry = directory.entries + index * size;
            if self.number(entry, 2)? != tag {
                continue;
            }
            let kind = u16::try_from(self.number(entry + 2, 2)?).unwrap_or(u16::MAX);
            let count = self.number(entry + 4, inline)?;
            let place = entry + 4 + inline;
            let bytes = count.saturating_mul(width_of(kind).ok_or(damaged("a page directory is not one"))?);
            let at = if bytes <= inline {
                place
            } else {
                self.number(place, inline)?
            };
            return Ok(Some(Field { kind, count, at }));
        }
        Ok(None)
    }

    fn value(&self, field: Field, index: u64) -> Result<u64, ImageRefused> {
        if index >= field.count {
            return Err(damaged("a page directory is not one"));
        }
        let width = width_of(field.kind).ok_or(damaged("a page directory is not one"))?;
        let at = field
            .at
            .checked_add(index * width)
            .ok_or(damaged("it is cut off"))?;
        self.number(at, width)
    }

    /// Reads an unsigned number of `width` bytes (1 to 8) in the file's byte order.
    fn number(&self, at: u64, width: u64) -> Result<u64, ImageRefused> {
        const CUT: &str = "it is cut off";
        let start = usize::try_from(at).map_err(|_| damaged(CUT))?;
        let end = start.checked_add(width as usize).ok_or(damaged(CUT))?;
        let bytes = self.bytes.get(start..end).ok_or(damaged(CUT))?;
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Ok(if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        })
    }
}

/// Bytes of one value of the whole-number types (BYTE, SHORT, LONG, IFD, LONG8, IFD8); other types have no place
/// in the tags read here.
fn width_of(kind: u16) -> Option<u64> {
    match kind {
        1 => Some(1),
        3 => Some(2),
        4 | 13 => Some(4),
        16 | 18 => Some(8),
        _ => None,
    }
}

fn damaged(what: &'static str) -> ImageRefused {
    ImageRefused::Damaged {
        media: Media::Tiff,
        what,
    }
}
