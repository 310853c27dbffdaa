//! Words: every distinct word of every name once, with its sounds; ids stand for words elsewhere.

use std::collections::HashMap;

use crate::sound::Sounds;
use crate::spelling::Word;

/// Stands for a word; valid in the [`Words`] that gave it.
pub(crate) type WordId = u32;

/// What is kept of one word.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// See [`code_of`].
    pub(crate) code: u64,
    start: u32,
    /// A set of the letters A to Z, to reject quickly what cannot be near.
    pub(crate) letters: u32,
    pub(crate) sounds: Sounds,
    /// Sixteen bits of the word's hash, never 0; the same in every build.
    pub(crate) mark: u16,
    pub(crate) len: u8,
}

/// A word under one of its sounds, with enough to pass it over without looking at its row.
#[derive(Clone, Copy)]
pub(crate) struct Sounding {
    pub(crate) word: WordId,
    pub(crate) letters: u32,
    pub(crate) len: u8,
}

/// The distinct words.
#[derive(Default)]
pub(crate) struct Words {
    rows: Vec<Row>,
    /// Letters of the words that are too long for a code.
    text: Vec<u8>,
    /// Open addressing over `rows`; `u32::MAX` is free.
    slots: Vec<u32>,
    /// One bit for each hash that occurs: most words asked for in vain are not looked up.
    present: Vec<u64>,
    by_sound: HashMap<u32, Vec<Sounding>>,
}

const FREE: u32 = u32::MAX;
/// Letters that fit a code, five bits each.
pub(crate) const LETTERS_OF_CODE: usize = 12;

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
            + self.by_sound.capacity() * (size_of::<(u32, Vec<Sounding>)>() + 1)
            + self
                .by_sound
                .values()
                .map(|list| list.capacity() * size_of::<Sounding>())
                .sum::<usize>()
    }

    /// The row of a word.
    pub(crate) fn row(&self, id: WordId) -> Option<&Row> {
        self.rows.get(id as usize)
    }

    /// The word of an id.
    pub(crate) fn word(&self, id: WordId) -> Word {
        self.row(id).map_or(Word::EMPTY, |row| self.word_of(row))
    }

    /// The word of a row.
    pub(crate) fn word_of(&self, row: &Row) -> Word {
        let len = usize::from(row.len);
        if len <= LETTERS_OF_CODE {
            return decode(row.code, len);
        }
        let start = row.start as usize;
        Word::new(self.text.get(start..start + len).unwrap_or_default())
    }

    /// Words that have a key of sound.
    pub(crate) fn sounding(&self, key: u32) -> &[Sounding] {
        self.by_sound.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The id of a word, if it occurs.
    pub(crate) fn find(&self, word: &Word) -> Option<WordId> {
        let code = code_of(word.letters());
        let hash = spread(code);
        if !self.may_occur(hash) {
            return None;
        }
        self.probe(hash, code, word).ok()
    }

    /// The id of a word of up to [`LETTERS_OF_CODE`] letters by its code, if it occurs.
    pub(crate) fn find_code(&self, code: u64) -> Option<WordId> {
        let hash = spread(code);
        if !self.may_occur(hash) {
            return None;
        }
        self.probe(hash, code, &Word::EMPTY).ok()
    }

    /// Whether a code may occur; never wrong when it says no.
    pub(crate) fn may_occur_code(&self, code: u64) -> bool {
        self.may_occur(spread(code))
    }

    /// Reads the places of codes one after the other without waiting, so that memory brings them in side by side.
    pub(crate) fn touch_codes(&self, codes: &[u64]) {
        let mask = self.slots.len().wrapping_sub(1);
        let slot = |code: &u64| self.slots.get((spread(*code) >> 32) as usize & mask).copied();
        std::hint::black_box(codes.iter().filter_map(slot).fold(0, |sum, id| sum ^ id));
        self.touch(codes.iter().filter_map(slot));
    }

    /// The same for rows.
    pub(crate) fn touch(&self, ids: impl Iterator<Item = WordId>) {
        std::hint::black_box(
            ids.filter_map(|id| self.row(id))
                .fold(0, |sum, row| sum ^ row.code),
        );
    }

    /// The id of a word, made if it is new.
    pub(crate) fn intern(&mut self, word: &Word) -> WordId {
        if (self.rows.len() + 1) * 3 >= self.slots.len() * 2 {
            self.grow();
        }
        let code = code_of(word.letters());
        let hash = spread(code);
        match self.probe(hash, code, word) {
            Ok(id) => id,
            Err(slot) => self.add(word, code, hash, slot),
        }
    }

    fn add(&mut self, word: &Word, code: u64, hash: u64, slot: usize) -> WordId {
        let id = self.rows.len() as WordId;
        let sounds = Sounds::of(word.as_str());
        let (letters, len) = (letter_set(word.letters()), word.len() as u8);
        let mark = ((hash >> 8) as u16).max(1);
        self.rows.push(Row {
            code,
            start: self.text.len() as u32,
            letters,
            sounds,
            mark,
            len,
        });
        if word.len() > LETTERS_OF_CODE {
            self.text.extend_from_slice(word.letters());
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = id;
        }
        self.mark(hash);
        for key in sounds.keys() {
            self.by_sound.entry(key).or_default().push(Sounding {
                word: id,
                letters,
                len,
            });
        }
        id
    }

    /// The id of the word, or the slot where it belongs. There is always a free slot.
    fn probe(&self, hash: u64, code: u64, word: &Word) -> Result<WordId, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let id = self.slots.get(at).copied().unwrap_or(FREE);
            let Some(row) = self.row(id) else { return Err(at) };
            if row.code == code && (code >> 63 == 0 || self.word_of(row) == *word) {
                return Ok(id);
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(1024);
        self.slots = vec![FREE; size];
        self.present = vec![0; size / 8];
        for id in 0..self.rows.len() as WordId {
            let code = self.row(id).map_or(0, |row| row.code);
            let hash = spread(code);
            if let Err(slot) = self.probe(hash, code, &self.word(id))
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
        (hash >> 32) as usize & (self.present.len() * 64).wrapping_sub(1)
    }
}

/// A word of up to twelve letters as a number, five bits for a letter, the last letter lowest: unlike for
/// unlike words. A longer word has a hash with the highest bit set, which two words may share.
pub(crate) fn code_of(letters: &[u8]) -> u64 {
    if letters.len() <= LETTERS_OF_CODE {
        return letters.iter().fold(0, |code, b| code << 5 | letter_code(*b));
    }
    hash_of(letters) | 1 << 63
}

/// The five bits of a letter, 1 to 26.
pub(crate) fn letter_code(b: u8) -> u64 {
    u64::from(b & 31)
}

fn decode(code: u64, len: usize) -> Word {
    let mut letters = [0_u8; LETTERS_OF_CODE];
    let mut code = code;
    for place in letters.iter_mut().take(len).rev() {
        *place = (code & 31) as u8 | 64;
        code >>= 5;
    }
    Word::new(letters.get(..len).unwrap_or_default())
}

/// A hash of a code.
fn spread(code: u64) -> u64 {
    let hash = (code ^ code >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

/// A set of the letters A to Z.
pub(crate) fn letter_set(letters: &[u8]) -> u32 {
    letters.iter().fold(0, |set, b| set | 1 << (b & 31))
}

/// A hash of bytes that is the same in every run and every build of an index.
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, part: u64| (hash.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (eights, rest) = bytes.as_chunks::<8>();
    let hash = eights.iter().fold(bytes.len() as u64, |hash, part| {
        mix(hash, u64::from_le_bytes(*part))
    });
    let tail = rest.iter().fold(0_u64, |tail, b| tail << 8 | u64::from(*b));
    let hash = mix(hash, tail);
    (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_interned_once_and_found() {
        let mut words = Words::default();
        let spelt = |n: usize| {
            let letters: Vec<u8> = n.to_string().bytes().map(|b| b - b'0' + b'A').collect();
            // Long ones too, which do not fit a code.
            Word::new(&letters.repeat(1 + n % 5))
        };
        assert_eq!(words.find(&spelt(7)), None);
        let ids: Vec<_> = (0..5000).map(|n| words.intern(&spelt(n))).collect();
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(words.intern(&spelt(n)), *id);
            assert_eq!(words.find(&spelt(n)), Some(*id));
            assert!(words.word(*id) == spelt(n));
        }
        assert_eq!(words.find(&Word::new(b"GARCIA")), None);
    }

    proptest! {
        #[test]
        fn codes_are_unlike_for_unlike_words(a in "[A-Z]{1,12}", b in "[A-Z]{1,12}") {
            prop_assert_eq!(a == b, code_of(a.as_bytes()) == code_of(b.as_bytes()));
            prop_assert!(decode(code_of(a.as_bytes()), a.len()) == Word::new(a.as_bytes()));
        }
    }
}
