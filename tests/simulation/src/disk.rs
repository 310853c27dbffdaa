//! One file of a simulated disk: what programs read back, and what a power cut leaves of it. Knows nothing of what is in it.

use crate::dice::Dice;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A file with a live half, which programs see, and a durable half, which survives.
#[derive(Clone, Debug)]
pub(crate) struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Both halves are equal before this byte.
    unsynced_from: usize,
}

impl File {
    /// A file that is durable as it is.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            unsynced_from: bytes.len(),
            durable: bytes.clone(),
            live: bytes,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.live
    }

    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.unsynced_from = self.unsynced_from.min(at);
        self.live.resize(self.live.len().max(at + bytes.len()), 0);
        self.live[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Cuts the end off, durably.
    pub(crate) fn cut(&mut self, length: usize) {
        self.live.truncate(length);
        self.unsynced_from = self.unsynced_from.min(length);
        self.sync();
    }

    pub(crate) fn sync(&mut self) {
        self.durable.truncate(self.unsynced_from);
        self.durable.extend_from_slice(&self.live[self.unsynced_from..]);
        self.unsynced_from = self.live.len();
    }

    /// The power fails: of what was not synced, any sectors may be there, and nothing is where none is.
    pub(crate) fn crash(&mut self, dice: &mut Dice) {
        let style = dice.below(3);
        let first = self.unsynced_from / SECTOR;
        for sector in first..self.live.len().div_ceil(SECTOR) {
            let arrived = match style {
                0 => false,
                1 => true,
                _ => dice.one_in(2),
            };
            let from = (sector * SECTOR).max(self.unsynced_from);
            let to = ((sector + 1) * SECTOR).min(self.live.len());
            if arrived {
                self.durable.resize(self.durable.len().max(to), 0);
                self.durable[from..to].copy_from_slice(&self.live[from..to]);
            }
        }
        self.live.clone_from(&self.durable);
        self.unsynced_from = self.live.len();
    }

    /// A bit turns over where it lies.
    pub(crate) fn flip(&mut self, at: usize, bit: u8) {
        self.live[at] ^= 1 << (bit % 8);
        if let Some(byte) = self.durable.get_mut(at) {
            *byte = self.live[at];
        }
    }

    /// What would be there after a power cut that loses all that it may.
    pub(crate) fn backup(&self) -> Self {
        Self::new(self.durable.clone())
    }
}
