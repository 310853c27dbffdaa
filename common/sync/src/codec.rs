//! Frames to bytes and back: a 4-byte big-endian length, then bincode 2 in the legacy configuration with a limit.
//!
//! What was signed travels as the bytes that were signed; it is never taken apart and put together again.

use bincode::config::{self, Configuration, Fixint, Limit, LittleEndian};
use thiserror::Error;

use crate::frame::Frame;
use crate::limits::MAX_FRAME;

/// Bytes of the length in front of every frame.
pub const LENGTH_PREFIX: usize = 4;

const WIRE: Configuration<LittleEndian, Fixint, Limit<MAX_FRAME>> =
    config::legacy().with_limit::<MAX_FRAME>();

/// Why a frame could not be written.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The frame is longer than [`MAX_FRAME`].
    #[error("a frame of {bytes} bytes is longer than the {MAX_FRAME} that the protocol allows")]
    TooLong {
        /// Bytes of the frame.
        bytes: usize,
    },
    /// The frame cannot be expressed.
    #[error("the frame cannot be expressed on the wire")]
    Inexpressible,
}

/// Why bytes from a peer are no frame.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The announced length is longer than [`MAX_FRAME`] or zero.
    #[error("a frame of {bytes} bytes was announced; the protocol allows 1 to {MAX_FRAME}")]
    Length {
        /// The announced length.
        bytes: usize,
    },
    /// The bytes are no frame of this version, or more follow the frame's end.
    #[error("the bytes are no frame of protocol version {}", crate::frame::WIRE_VERSION)]
    Malformed,
}

/// The bytes of `frame` with their length in front.
///
/// # Errors
/// The frame is longer than [`MAX_FRAME`] bytes.
pub fn encode(frame: &Frame) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = vec![0; LENGTH_PREFIX];
    bytes.reserve(size_hint(frame));
    bincode::serde::encode_into_std_write(frame, &mut bytes, WIRE).map_err(|_| EncodeError::Inexpressible)?;
    let length = bytes.len() - LENGTH_PREFIX;
    let too_long = EncodeError::TooLong { bytes: length };
    if length > MAX_FRAME {
        return Err(too_long);
    }
    let prefix = u32::try_from(length).map_err(|_| too_long)?.to_be_bytes();
    if let Some(place) = bytes.get_mut(..LENGTH_PREFIX) {
        place.copy_from_slice(&prefix);
    }
    Ok(bytes)
}

/// The length of the frame that follows `prefix`, in bytes.
///
/// # Errors
/// The length is zero or longer than [`MAX_FRAME`]; nothing may be allocated for it.
pub fn frame_length(prefix: [u8; LENGTH_PREFIX]) -> Result<usize, DecodeError> {
    let announced = u32::from_be_bytes(prefix);
    let bytes = usize::try_from(announced).unwrap_or(usize::MAX);
    if bytes == 0 || bytes > MAX_FRAME {
        return Err(DecodeError::Length { bytes });
    }
    Ok(bytes)
}

/// The frame in `bytes`, which hold one whole frame without its length.
///
/// # Errors
/// The bytes are not exactly one frame.
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    if bytes.is_empty() || bytes.len() > MAX_FRAME {
        return Err(DecodeError::Length { bytes: bytes.len() });
    }
    match bincode::serde::decode_from_slice::<Frame, _>(bytes, WIRE) {
        Ok((frame, used)) if used == bytes.len() => Ok(frame),
        Ok(_) | Err(_) => Err(DecodeError::Malformed),
    }
}

/// Room to reserve: exact enough that a run is written without growing its buffer.
fn size_hint(frame: &Frame) -> usize {
    match frame {
        Frame::Run(run) => {
            256 + run
                .records
                .iter()
                .map(|record| record.bytes.len() + 72)
                .sum::<usize>()
        }
        Frame::Hello(hello) => 64 + hello.heads.len() * 128,
        Frame::Welcome(welcome) => 64 + welcome.heads.len() * 128,
        Frame::Heartbeats(beats) => 16 + beats.len() * 256,
        Frame::Ack(_) => 512,
        Frame::Have(_)
        | Frame::Resume { .. }
        | Frame::Diverged(_)
        | Frame::Refused { .. }
        | Frame::Ping(_)
        | Frame::Pong(_)
        | Frame::Close(_) => 256,
    }
}
