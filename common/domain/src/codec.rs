//! The one binary form of an event: the bytes that are signed, chained and kept. It never repairs what it reads.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian, legacy};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;

use crate::event::Event;

/// The most bytes one event may take: 1 MiB.
pub const MAX_EVENT_BYTES: usize = 1 << 20;

/// An event that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeRefused {
    /// Its bytes would be refused by every reader.
    #[error(
        "the event takes {bytes} bytes, more than {MAX_EVENT_BYTES}: shorten its texts or send attachments as images"
    )]
    TooLarge {
        /// What it would take.
        bytes: usize,
    },
    /// The format cannot express it; no event of this version is such.
    #[error("the event has no binary form")]
    NoForm,
}

/// Bytes that are not an event in its one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeRefused {
    /// Longer than any event.
    #[error("{bytes} bytes are more than an event may take")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Not an event known to this version: damaged, or written by a newer one.
    #[error(
        "the bytes are not an event known to this version: they are damaged, or a newer version wrote them"
    )]
    Malformed,
    /// An event, and then more.
    #[error("{bytes} bytes follow the event")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// An event in another form than the one this crate writes.
    #[error("the bytes are not the one form of their event")]
    NotCanonical,
}

/// The canonical bytes of an event, for the ledger.
///
/// # Errors
/// [`EncodeRefused`] when they would be more than [`MAX_EVENT_BYTES`].
pub fn encode(event: &Event) -> Result<Vec<u8>, EncodeRefused> {
    let bytes = bincode::serde::encode_to_vec(event, CANONICAL).map_err(|_| EncodeRefused::NoForm)?;
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(EncodeRefused::TooLarge { bytes: bytes.len() });
    }
    Ok(bytes)
}

/// The event in `bytes`, which must be exactly what [`encode`] writes.
///
/// # Errors
/// [`DecodeRefused`]; nothing is read past the limit and nothing is reserved for lengths that the bytes only claim.
pub fn decode(bytes: &[u8]) -> Result<Event, DecodeRefused> {
    let event = decode_known(bytes)?;
    let mut rest = Rest(bytes);
    match bincode::serde::encode_into_writer(&event, &mut rest, CANONICAL) {
        Ok(()) if rest.0.is_empty() => Ok(event),
        _ => Err(DecodeRefused::NotCanonical),
    }
}

/// Bytes that are to be written once more: the first other one is refused.
struct Rest<'a>(&'a [u8]);

impl Writer for Rest<'_> {
    fn write(&mut self, again: &[u8]) -> Result<(), EncodeError> {
        let rest = self.0.strip_prefix(again);
        self.0 = rest.ok_or(EncodeError::Other("another form"))?;
        Ok(())
    }
}

/// The event in bytes that [`decode`] has read before, and that are known to be the same: it does not look again whether
/// they are its one form, which is most of the work.
///
/// # Errors
/// As [`decode`], but for [`DecodeRefused::NotCanonical`].
pub fn decode_known(bytes: &[u8]) -> Result<Event, DecodeRefused> {
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(DecodeRefused::TooLarge { bytes: bytes.len() });
    }
    let (event, used): (Event, usize) =
        bincode::serde::decode_from_slice(bytes, CANONICAL).map_err(|_| DecodeRefused::Malformed)?;
    if used != bytes.len() {
        return Err(DecodeRefused::Trailing {
            bytes: bytes.len().saturating_sub(used),
        });
    }
    Ok(event)
}

/// Little-endian, fixed-width integers: the variable-width default has several forms for one number.
const CANONICAL: Configuration<LittleEndian, Fixint, Limit<MAX_EVENT_BYTES>> =
    legacy().with_limit::<MAX_EVENT_BYTES>();
