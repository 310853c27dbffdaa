//! The one binary form of an entry: the bytes that are signed, chained and kept. It never repairs what it reads.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian, legacy};
use serde::Serialize;

use crate::entry::{Act, Entry};

/// The version that every entry of this format begins with.
const VERSION: u16 = 1;
/// The most bytes one entry may take.
pub const MAX_ENTRY_BYTES: usize = 64 << 10;

/// An entry that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit entry is longer than {MAX_ENTRY_BYTES} bytes: report this as a fault")]
pub struct EncodeRefused;

/// Bytes that are not an entry in its one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the bytes are not an audit entry known to this version: a newer version wrote them; update this program"
)]
pub struct DecodeRefused;

/// The canonical bytes of an entry.
///
/// # Errors
/// [`EncodeRefused`] when they would be more than [`MAX_ENTRY_BYTES`].
pub fn encode(entry: &Entry) -> Result<Vec<u8>, EncodeRefused> {
    written(entry)
}

/// As [`encode`] of an [`Entry::Act`], of an act that is kept.
///
/// # Errors
/// As [`encode`].
pub(crate) fn encode_act(act: &Act) -> Result<Vec<u8>, EncodeRefused> {
    written(&Kept::Act(act))
}

/// An [`Entry`] of which this has the first variant alone: the same bytes.
#[derive(Serialize)]
enum Kept<'a> {
    Act(&'a Act),
}

fn written(entry: &impl Serialize) -> Result<Vec<u8>, EncodeRefused> {
    let bytes = bincode::serde::encode_to_vec((VERSION, entry), CANONICAL).map_err(|_| EncodeRefused)?;
    if bytes.len() > MAX_ENTRY_BYTES {
        return Err(EncodeRefused);
    }
    Ok(bytes)
}

/// The entry in `bytes`, which must be exactly what [`encode`] writes.
///
/// # Errors
/// [`DecodeRefused`] for anything else.
pub fn decode(bytes: &[u8]) -> Result<Entry, DecodeRefused> {
    let decoded = bincode::serde::decode_from_slice::<(u16, Entry), _>(bytes, CANONICAL);
    let ((version, entry), _) = decoded.map_err(|_| DecodeRefused)?;
    match encode(&entry) {
        Ok(again) if version == VERSION && again == bytes => Ok(entry),
        _ => Err(DecodeRefused),
    }
}

/// Little-endian, fixed-width integers: one form for each number.
const CANONICAL: Configuration<LittleEndian, Fixint, Limit<MAX_ENTRY_BYTES>> =
    legacy().with_limit::<MAX_ENTRY_BYTES>();
