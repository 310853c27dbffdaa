//! Words: every distinct word of every name once, with its counts and sounds; ids stand for words elsewhere.

use std::collections::HashMap;

use crate::sound::Sounds;
use crate::spelling::Word;

/// Stands for a word; valid in the [`Words`] that gave it.
pub(crate) type WordId = u32;

/// What is kept of one word.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    start: u32,
    pub(crate) len: u8,
    /// Sixteen bits of the word's hash, never 0; the same in every build.
    pub(crate) mark: u16,
    /// A set of the letters A to Z, to reject quickly what cannot be near.
    pub(crate) letters: u32,
    pub(crate) sounds: Sounds,
}

/// The distinct words.
#[derive(Default)]
pub(crate) struct Words {
    rows: Vec<Row>,
    text: Vec<u8>,
    /// Open addressing over `rows`; `u32::MAX` is free.
    slots: Vec<u32>,
    /// One bit for each hash that occurs: most words asked for in vain are not looked up.
    present: Vec<u64>,
    by_sound: HashMap<u32, Vec<WordId>>,
}

const FREE: u32 = u32::MAX;

impl Words {
    /// How many distinct words.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.text.capacity()
            + self.slots.capacity() * 4
            + self.present.capacity() * 8
            + self.by_sound.capacity() * (size_of::<(u32, Vec<WordId>)>() + 1)
            + self
                .by_sound
                .values()
                .map(|list| list.capacity() * 4)
                .sum::<usize>()
    }

    /// The row of a word.
    pub(crate) fn row(&self, id: WordId) -> Option<&Row> {
        self.rows.get(id as usize)
    }

    /// The letters of a word.
    pub(crate) fn letters(&self, id: WordId) -> &[u8] {
        self.row(id).map(|row| self.text_of(row)).unwrap_or_default()
    }

    /// The letters of a row.
    pub(crate) fn text_of(&self, row: &Row) -> &[u8] {
        let start = row.start as usize;
        self.text
            .get(start..start + usize::from(row.len))
            .unwrap_or_default()
    }

    /// Words that have a key of sound.
    pub(crate) fn sounding(&self, key: u32) -> &[WordId] {
        self.by_sound.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The id of a word, if it occurs.
    pub(crate) fn find(&self, letters: &[u8]) -> Option<WordId> {
        let hash = hash_of(letters);
        if self.slots.is_empty() || !self.may_occur(hash) {
            return None;
        }
        self.probe(hash, letters).ok()
    }

    /// The id of a word, made if it is new.
    pub(crate) fn intern(&mut self, word: &Word) -> WordId {
        if (self.rows.len() + 1) * 3 >= self.slots.len() * 2 {
            self.grow();
        }
        let hash = hash_of(word.letters());
        match self.probe(hash, word.letters()) {
            Ok(id) => id,
            Err(slot) => self.add(word, hash, slot),
        }
    }

    fn add(&mut self, word: &Word, hash: u64, slot: usize) -> WordId {
        let id = self.rows.len() as WordId;
        let sounds = Sounds::of(word.as_str());
        self.rows.push(Row {
            start: self.text.len() as u32,
            len: word.len() as u8,
            mark: mark_of(hash),
            letters: letter_set(word.letters()),
            sounds,
        });
        self.text.extend_from_slice(word.letters());
        if let Some(free) = self.slots.get_mut(slot) {
            *free = id;
        }
        self.mark(hash);
        for key in sounds.keys() {
            self.by_sound.entry(key).or_default().push(id);
        }
        id
    }

    /// The id of the word, or the slot where it belongs. There is always a free slot.
    fn probe(&self, hash: u64, letters: &[u8]) -> Result<WordId, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get(at) {
                Some(&id) if id != FREE => {
                    if self.letters(id) == letters {
                        return Ok(id);
                    }
                }
                _ => return Err(at),
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(1024);
        self.slots = vec![FREE; size];
        self.present = vec![0; size / 8];
        for id in 0..self.rows.len() as WordId {
            let hash = hash_of(self.letters(id));
            if let Err(slot) = self.probe(hash, self.letters(id))
                && let Some(free) = self.slots.get_mut(slot)
            {
                *free = id;
            }
            self.mark(hash);
        }
    }

    fn mark(&mut self, hash: u64) {
        let bit = self.bit_of(hash);
        if let Some(bits) = self.present.get_mut(bit / 64) {
            *bits |= 1 << (bit % 64);
        }
    }

    fn may_occur(&self, hash: u64) -> bool {
        let bit = self.bit_of(hash);
        self.present
            .get(bit / 64)
            .is_some_and(|bits| bits >> (bit % 64) & 1 == 1)
    }

    fn bit_of(&self, hash: u64) -> usize {
        (hash >> 24) as usize & (self.present.len() * 64 - 1)
    }
}

/// The mark of a word with this hash.
pub(crate) fn mark_of(hash: u64) -> u16 {
    ((hash >> 8) as u16).max(1)
}

/// A set of the letters A to Z.
pub(crate) fn letter_set(letters: &[u8]) -> u32 {
    letters
        .iter()
        .fold(0, |set, b| set | 1 << (b.wrapping_sub(b'A') & 31))
}

/// A hash of letters that is the same in every run and every build of an index.
pub(crate) fn hash_of(letters: &[u8]) -> u64 {
    let mix = |hash: u64, part: u64| (hash.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (eights, rest) = letters.as_chunks::<8>();
    let hash = eights.iter().fold(letters.len() as u64, |hash, part| {
        mix(hash, u64::from_le_bytes(*part))
    });
    let tail = rest.iter().fold(0_u64, |tail, b| tail << 8 | u64::from(*b));
    let hash = mix(hash, tail);
    (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_interned_once_and_found() {
        let mut words = Words::default();
        assert_eq!(words.find(b"GARCIA"), None);
        let ids: Vec<_> = (0..5000)
            .map(|n| words.intern(&Word::new(format!("W{n}").as_bytes())))
            .collect();
        for (n, id) in ids.iter().enumerate() {
            let text = format!("W{n}");
            assert_eq!(words.intern(&Word::new(text.as_bytes())), *id);
            assert_eq!(words.find(text.as_bytes()), Some(*id));
            assert_eq!(words.letters(*id), text.as_bytes());
        }
        assert_eq!(words.len(), 5000);
        assert_eq!(words.find(b"GARCIA"), None);
    }
}
