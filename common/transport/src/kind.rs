//! The first byte of a stream: what it is for. Its meaning lies with whoever serves the stream.

/// What a stream is for. The numbers are on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// An image by its hash from an offset.
    Image = 1,
    /// A question with a deadline.
    Ask = 2,
    /// Is anybody there? One byte comes back.
    Probe = 3,
}

impl Kind {
    pub(crate) fn of(byte: u8) -> Option<Self> {
        [Self::Image, Self::Ask, Self::Probe]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}
