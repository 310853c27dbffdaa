//! Room: small containers that a question works in and that cost nothing to empty; they know nothing of persons.

use crate::words::WordId;

/// A small map from ids that is emptied at no cost.
pub(crate) struct Remembered<T> {
    slots: Vec<(u32, u32, T)>,
    turn: u32,
    count: usize,
}

impl<T: Copy + Default> Default for Remembered<T> {
    fn default() -> Self {
        Self {
            slots: vec![(0, 0, T::default()); 1024],
            turn: 1,
            count: 0,
        }
    }
}

impl<T: Copy + Default> Remembered<T> {
    pub(crate) fn clear(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        self.count = 0;
        if self.turn == 0 || self.slots.len() > 1 << 18 {
            *self = Self::default();
        }
    }

    fn probe(&self, id: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = (id.wrapping_mul(0x9e37_79b1) >> 8) as usize & mask;
        while let Some((turn, other, _)) = self.slots.get(at) {
            if *turn != self.turn || *other == id {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }

    pub(crate) fn get(&self, id: u32) -> Option<T> {
        let (turn, _, value) = self.slots.get(self.probe(id))?;
        (*turn == self.turn).then_some(*value)
    }

    /// Remembers a value; `false` when there is one already, which stays.
    pub(crate) fn put(&mut self, id: u32, value: T) -> bool {
        if (self.count + 1) * 2 > self.slots.len() {
            let bigger = vec![(0, 0, T::default()); self.slots.len() * 2];
            for (turn, id, value) in std::mem::replace(&mut self.slots, bigger) {
                if turn == self.turn {
                    self.set(id, value);
                }
            }
        }
        let at = self.probe(id);
        match self.slots.get_mut(at) {
            Some(slot) if slot.0 != self.turn => *slot = (self.turn, id, value),
            _ => return false,
        }
        self.count += 1;
        true
    }

    fn set(&mut self, id: u32, value: T) {
        let at = self.probe(id);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = (self.turn, id, value);
        }
    }
}

/// The words near what was asked, one bit each.
#[derive(Default)]
pub(crate) struct NearWords {
    bits: Vec<u64>,
    filled: Vec<u32>,
}

impl NearWords {
    /// Puts other words in, of a vocabulary of this size.
    pub(crate) fn fill(&mut self, words: usize, ids: impl Iterator<Item = WordId>) {
        for place in self.filled.drain(..) {
            if let Some(bits) = self.bits.get_mut(place as usize) {
                *bits = 0;
            }
        }
        self.bits.resize(words / 64 + 1, 0);
        for id in ids {
            if let Some(bits) = self.bits.get_mut(id as usize / 64) {
                *bits |= 1 << (id % 64);
                self.filled.push(id / 64);
            }
        }
    }

    pub(crate) fn has(&self, id: WordId) -> bool {
        self.bits
            .get(id as usize / 64)
            .is_some_and(|bits| bits >> (id % 64) & 1 == 1)
    }
}

/// A short list held in place.
pub(crate) struct Vec8<T> {
    items: [Option<T>; 8],
}

impl<T: Copy> FromIterator<T> for Vec8<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut items = [None; 8];
        items
            .iter_mut()
            .zip(iter)
            .for_each(|(place, item)| *place = Some(item));
        Self { items }
    }
}

impl<T: Copy> Vec8<T> {
    /// The items.
    pub(crate) fn iter(&self) -> impl Iterator<Item = T> {
        self.items.iter().copied().map_while(|item| item)
    }
}
