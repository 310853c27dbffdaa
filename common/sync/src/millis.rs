//! The machine's only clock: a count of milliseconds that the driver passes in; it never reads a clock itself.

use std::ops::Add;

/// Milliseconds on a clock that never goes back; its zero is the driver's choice and means nothing to the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// Milliseconds passed since `earlier`; 0 when `earlier` lies ahead.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for Millis {
    type Output = Self;

    fn add(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}
