//! Counts the pages of a PDF and tells an encrypted or cut-off one; it renders nothing and runs nothing in it.
//!
//! The objects are found by going through the file rather than through its table of contents: many scanners write
//! tables that are wrong, every reader repairs them in this way, and no offset of the file's own choosing is ever
//! followed. Only object streams are unpacked, together up to [`MAX_UNPACKED`].

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use ccpor_domain::Media;
use memchr::memmem;

use super::pdf_syntax::{Cursor, Fuel, Value, is_space, name_is, parse};
use super::verdict::{ImageRefused, Inspected, MAX_PAGES};

/// Bytes of object streams unpacked at most, all together. A scan of 200 pages has some 100 KiB.
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;
/// Objects at most. A scan of 200 pages has about a thousand.
const MAX_OBJECTS: usize = 300_000;

/// Checks end, protection and page tree of a PDF (ISO 32000-1, 7.5 and 7.7.3).
pub(super) fn inspect(bytes: &[u8]) -> Result<Inspected, ImageRefused> {
    // Some scanners fill up the last block with zeros, which count as space; readers look at the last 1,024 bytes.
    let end = bytes
        .iter()
        .rposition(|&byte| !is_space(byte))
        .map_or(0, |last| last + 1);
    if memmem::find(
        bytes.get(end.saturating_sub(1024)..end).unwrap_or_default(),
        b"%%EOF",
    )
    .is_none()
    {
        return Err(damaged("it is cut off"));
    }
    let fuel = Fuel::new(16 * bytes.len() as u64 + 1024 * 1024);
    let mut document = Document::new(bytes, &fuel);
    let counted = document.scan().and_then(|()| document.count_pages());
    if fuel.is_empty() {
        return Err(unsupported("it is built in too complicated a way"));
    }
    Ok(Inspected {
        media: Media::Pdf,
        pages: counted?,
        width: None,
        height: None,
    })
}

/// Where an object's value begins: 0 is the file, n the n-th unpacked object stream.
#[derive(Clone, Copy)]
struct Place {
    source: usize,
    at: usize,
}

struct Document<'a> {
    bytes: &'a [u8],
    fuel: &'a Fuel,
    objects: BTreeMap<u32, Place>,
    unpacked: Vec<Vec<u8>>,
    unpacked_bytes: u64,
    root: Option<u32>,
    /// An object stream was packed in a way not read here; objects may be missing.
    opaque: bool,
}

impl<'a> Document<'a> {
    fn new(bytes: &'a [u8], fuel: &'a Fuel) -> Self {
        Self {
            bytes,
            fuel,
            objects: BTreeMap::new(),
            unpacked: Vec::new(),
            unpacked_bytes: 0,
            root: None,
            opaque: false,
        }
    }

    /// Finds all objects; of several with one number the last wins, as in a file saved with changes.
    fn scan(&mut self) -> Result<(), ImageRefused> {
        let (objects, trailers) = (memmem::Finder::new(b"obj"), memmem::Finder::new(b"trailer"));
        for at in trailers.find_iter(self.bytes) {
            if let Some(Value::Dictionary(trailer)) = Cursor::new(self.bytes, at + 7, self.fuel).value() {
                self.trailer(trailer)?;
            }
        }
        let mut at = 0;
        while let Some(hit) = self.bytes.get(at..).and_then(|rest| objects.find(rest)) {
            let hit = at + hit;
            at = hit + 3;
            if self.fuel.is_empty() {
                break;
            }
            if let Some(number) = number_before(self.bytes, hit) {
                at = self.object(number, at)?;
            }
        }
        Ok(())
    }

    /// Notes an object and returns where to look for the next.
    fn object(&mut self, number: u32, at: usize) -> Result<usize, ImageRefused> {
        let bytes = self.bytes;
        let mut cursor = Cursor::new(bytes, at, self.fuel);
        let Some(value) = cursor.value() else {
            return Ok(at);
        };
        self.note(number, Place { source: 0, at })?;
        let Value::Dictionary(dictionary) = value else {
            return Ok(cursor.at);
        };
        let mut after = cursor;
        if after.value() != Some(Value::Keyword(b"stream")) {
            return Ok(cursor.at);
        }
        let (data, end) = self.stream(dictionary, after.at);
        match self.get(dictionary, b"Type") {
            Some(Value::Name(name)) if name_is(name, b"XRef") => self.trailer(dictionary)?,
            Some(Value::Name(name)) if name_is(name, b"ObjStm") => self.object_stream(dictionary, data)?,
            _ => {}
        }
        Ok(end)
    }

    /// The bytes of a stream that begins after the keyword at `at`, and where it ends.
    fn stream(&self, dictionary: &[u8], at: usize) -> (&'a [u8], usize) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let data = rest
            .strip_prefix(b"\r\n")
            .or(rest.strip_prefix(b"\n"))
            .or(rest.strip_prefix(b"\r"));
        let data = data.unwrap_or(rest);
        let start = self.bytes.len() - data.len();
        if let Some(Value::Integer(length)) = self.get(dictionary, b"Length") {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if let Some((data, after)) = data.split_at_checked(length)
                && after
                    .get(..16)
                    .unwrap_or(after)
                    .trim_ascii_start()
                    .starts_with(b"endstream")
            {
                return (data, start + length);
            }
        }
        let length = memmem::find(data, b"endstream").unwrap_or(data.len());
        (data.get(..length).unwrap_or_default(), start + length)
    }

    fn object_stream(&mut self, dictionary: &[u8], data: &[u8]) -> Result<(), ImageRefused> {
        let (Some(Value::Integer(count)), Some(Value::Integer(first)), Some(unpacked)) = (
            self.get(dictionary, b"N"),
            self.get(dictionary, b"First"),
            self.unpack(dictionary, data)?,
        ) else {
            self.opaque = true;
            return Ok(());
        };
        self.unpacked_bytes += unpacked.len() as u64;
        let source = self.unpacked.len() + 1;
        let mut found = Vec::new();
        let mut header = Cursor::new(&unpacked, 0, self.fuel);
        for _ in 0..count {
            let (Some(Value::Integer(number)), Some(Value::Integer(offset))) =
                (header.value(), header.value())
            else {
                break;
            };
            if found.len() > MAX_OBJECTS {
                break;
            }
            let at = usize::try_from(first.saturating_add(offset)).unwrap_or(usize::MAX);
            found.push((u32::try_from(number).unwrap_or(u32::MAX), Place { source, at }));
        }
        self.unpacked.push(unpacked);
        found
            .into_iter()
            .try_for_each(|(number, place)| self.note(number, place))
    }

    /// The content of an object stream, `None` when it is packed in an unusual way or broken.
    fn unpack(&self, dictionary: &[u8], data: &[u8]) -> Result<Option<Vec<u8>>, ImageRefused> {
        if self.get(dictionary, b"DecodeParms").is_some() {
            return Ok(None);
        }
        let filter = match self.get(dictionary, b"Filter") {
            Some(Value::Array(names)) => Cursor::new(names, 0, self.fuel).value(),
            other => other,
        };
        let left = MAX_UNPACKED.saturating_sub(self.unpacked_bytes);
        let mut unpacked = Vec::new();
        match filter {
            None => unpacked.extend_from_slice(data),
            Some(Value::Name(name)) if name_is(name, b"FlateDecode") => {
                let inflated = flate2::read::ZlibDecoder::new(data)
                    .take(left + 1)
                    .read_to_end(&mut unpacked);
                if inflated.is_err() {
                    return Ok(None);
                }
            }
            Some(_) => return Ok(None),
        }
        if unpacked.len() as u64 > left {
            return Err(unsupported("it unpacks to far more than it is"));
        }
        Ok(Some(unpacked))
    }

    fn trailer(&mut self, dictionary: &[u8]) -> Result<(), ImageRefused> {
        if self
            .get(dictionary, b"Encrypt")
            .is_some_and(|value| value != Value::Keyword(b"null"))
        {
            return Err(ImageRefused::Encrypted);
        }
        if let Some(Value::Reference(root)) = self.get(dictionary, b"Root") {
            self.root = Some(root);
        }
        Ok(())
    }

    /// Walks the page tree from the catalogue and counts its leaves.
    fn count_pages(&self) -> Result<u32, ImageRefused> {
        let catalogue = self.root.and_then(|root| self.dictionary(Value::Reference(root)));
        let pages = catalogue.and_then(|catalogue| self.get(catalogue, b"Pages"));
        let tree = pages.and_then(|pages| self.dictionary(pages));
        let mut waiting = vec![tree.ok_or_else(|| self.without_pages())?];
        let mut visited = BTreeSet::new();
        let mut count = 0;
        while let Some(node) = waiting.pop() {
            let is_page =
                matches!(self.get(node, b"Type"), Some(Value::Name(name)) if name_is(name, b"Page"));
            let kids = self.get(node, b"Kids").and_then(|kids| self.resolve(kids));
            if let (false, Some(Value::Array(kids))) = (is_page, kids) {
                let mut kids = Cursor::new(kids, 0, self.fuel);
                while let Some(kid) = kids.value() {
                    let new = match kid {
                        Value::Reference(number) => visited.insert(number),
                        _ => true,
                    };
                    waiting.extend(new.then(|| self.dictionary(kid)).flatten());
                    if waiting.len() > MAX_OBJECTS {
                        return Err(unsupported("it is built in too complicated a way"));
                    }
                }
                continue;
            }
            count += 1;
            if count > MAX_PAGES {
                return Err(ImageRefused::TooManyPages { limit: MAX_PAGES });
            }
        }
        if count == 0 {
            Err(self.without_pages())
        } else {
            Ok(count)
        }
    }

    fn without_pages(&self) -> ImageRefused {
        if self.opaque {
            unsupported("its list of pages is packed in an unusual way")
        } else {
            damaged("it has no page")
        }
    }

    fn note(&mut self, number: u32, place: Place) -> Result<(), ImageRefused> {
        self.objects.insert(number, place);
        if self.objects.len() > MAX_OBJECTS {
            return Err(unsupported("it is built in too complicated a way"));
        }
        Ok(())
    }

    fn dictionary<'b>(&'b self, value: Value<'b>) -> Option<&'b [u8]> {
        match self.resolve(value)? {
            Value::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// The value itself, or what it refers to (one step: a reference to a reference is not allowed in a PDF).
    fn resolve<'b>(&'b self, value: Value<'b>) -> Option<Value<'b>> {
        let Value::Reference(number) = value else {
            return Some(value);
        };
        let place = self.objects.get(&number)?;
        let source = match place.source.checked_sub(1) {
            None => self.bytes,
            Some(index) => self.unpacked.get(index)?,
        };
        Cursor::new(source, place.at, self.fuel).value()
    }

    fn get<'b>(&'b self, dictionary: &'b [u8], key: &[u8]) -> Option<Value<'b>> {
        Cursor::new(dictionary, 0, self.fuel).find(key)
    }
}

/// The object number before the word `obj` at `hit`, as in `12 0 obj`.
fn number_before(bytes: &[u8], hit: usize) -> Option<u32> {
    // Two numbers of ten digits and a little space at most.
    let head = bytes.get(hit.saturating_sub(32)..hit)?;
    let (head, generation) = last_word(head)?;
    parse(generation)?;
    let (_, number) = last_word(head)?;
    u32::try_from(parse(number)?).ok()
}

/// The last run of digits and what stands before it; at least one space must follow the digits.
fn last_word(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = head.iter().rposition(|&byte| !is_space(byte))? + 1;
    if end == head.len() {
        return None;
    }
    let head = head.get(..end)?;
    let start = head
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |at| at + 1);
    Some((head.get(..start)?, head.get(start..)?))
}

fn damaged(what: &'static str) -> ImageRefused {
    ImageRefused::Damaged {
        media: Media::Pdf,
        what,
    }
}

fn unsupported(what: &'static str) -> ImageRefused {
    ImageRefused::Unsupported {
        media: Media::Pdf,
        what,
    }
}
