//! Likeness of two words: equal, misspelt, heard alike, shortened; it weighs nothing.

use crate::naming::is_particle;
use crate::sound::Sounds;
use crate::spelling::Word;
use crate::words::{LETTERS_OF_CODE, Row, code_of, letter_code, letter_set};

/// How a recorded word is like the word asked for, least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Alike {
    #[default]
    None,
    /// Both long, three slips.
    Near,
    /// The other's beginning.
    Short,
    /// One is the other's initial.
    Initial,
    /// Equal but for a particle written together with it.
    Core,
    /// Two slips.
    SpeltTwo,
    /// Sounds alike though spelt differently.
    Sounds,
    /// Nicknames of one name.
    SharedNick,
    /// A nickname of a name that is one slip away.
    NickMisspelt,
    /// A nickname, in either direction.
    Nick,
    /// Sounds alike and is spelt nearly so.
    SoundsClose,
    /// One slip: a letter wrong, missing, extra, or two that changed places.
    SpeltOne,
    Same,
}

impl Alike {
    /// Whether it is worth more than chance: an initial, or three slips in a long word, is not.
    pub(crate) fn tells(self) -> bool {
        self == Self::Short || self > Self::Initial
    }
}

/// A word asked for, made ready to be compared with many.
pub(crate) struct Pattern {
    pub(crate) word: Word,
    pub(crate) sounds: Sounds,
    code: u64,
    letters: u32,
    /// For each letter, a bit for each place where it stands.
    places: [u64; 32],
}

impl Pattern {
    /// Makes a word ready.
    pub(crate) fn of(word: Word) -> Self {
        let mut places = [0_u64; 32];
        for (at, b) in word.letters().iter().enumerate() {
            if let Some(bits) = places.get_mut(usize::from(b & 31)) {
                *bits |= 1 << at;
            }
        }
        Self {
            word,
            code: code_of(word.letters()),
            sounds: Sounds::of(word.as_str()),
            letters: letter_set(word.letters()),
            places,
        }
    }

    /// Whether a word with these letters and length may be within a few slips.
    pub(crate) fn may_be_near(&self, letters: u32, len: u8) -> bool {
        let (len, other) = (self.word.len(), usize::from(len));
        let (here, there) = (self.letters & !letters, letters & !self.letters);
        match len.max(other) {
            ..=5 => len.abs_diff(other) <= 2 && !more_than(2, here) && !more_than(2, there),
            _ => len.abs_diff(other) <= 3 && !more_than(3, here) && !more_than(3, there),
        }
    }

    /// How a recorded word is like this one. The letters are asked for only when the row does not settle it.
    pub(crate) fn compare(&self, row: &Row, word: impl Fn() -> Word) -> Alike {
        let (len, other) = (self.word.len(), usize::from(row.len));
        if self.code == row.code && (len <= LETTERS_OF_CODE || self.word == word()) {
            return Alike::Same;
        }
        if len <= 1 || other <= 1 {
            let initial = self.word.letters().first() == word().letters().first();
            return if initial { Alike::Initial } else { Alike::None };
        }
        let (short, long) = if len < other {
            (self.letters, row.letters)
        } else {
            (row.letters, self.letters)
        };
        if self.may_be_near(row.letters, row.len) || short & !long == 0 {
            return self.compare_text(row, word().letters());
        }
        Alike::None
    }

    fn compare_text(&self, row: &Row, text: &[u8]) -> Alike {
        let (longest, apart) = (
            self.word.len().max(text.len()),
            self.word.len().abs_diff(text.len()),
        );
        if apart <= 3 {
            let slips = self.slips(text);
            let sounds = slips <= 4 && self.sounds.alike(&row.sounds);
            let alike = match slips {
                1 if longest >= 4 || sounds => Alike::SpeltOne,
                ..=2 if sounds => Alike::SoundsClose,
                1 => Alike::SpeltTwo,
                2 if longest >= 5 => Alike::SpeltTwo,
                3 | 4 if sounds => Alike::Sounds,
                3 if longest >= 8 => Alike::Near,
                _ => Alike::None,
            };
            if alike != Alike::None {
                return alike;
            }
        }
        self.compare_beginning(text, apart)
    }

    fn compare_beginning(&self, text: &[u8], apart: usize) -> Alike {
        let asked = self.word.letters();
        let (short, long) = if asked.len() < text.len() {
            (asked, text)
        } else {
            (text, asked)
        };
        if short.len() >= 3 && long.starts_with(short) {
            return Alike::Short;
        }
        if (2..=5).contains(&apart) && short.len() >= 3 && long.ends_with(short) {
            let before = long.get(..apart).unwrap_or_default();
            if is_particle(&Word::new(before)) {
                return Alike::Core;
            }
        }
        Alike::None
    }

    /// Fewest insertions, deletions, substitutions and exchanges of neighbours (optimal string alignment),
    /// by H. Hyyrö's bit-parallel method (2003).
    pub(crate) fn slips(&self, text: &[u8]) -> u32 {
        let len = self.word.len();
        if len == 0 {
            return text.len() as u32;
        }
        let last = 1_u64 << (len - 1);
        let (mut vp, mut vn, mut d0, mut before) = (u64::MAX, 0_u64, 0_u64, 0_u64);
        let mut slips = len as u32;
        for b in text {
            let here = self.places.get(usize::from(b & 31)).copied().unwrap_or(0);
            let turned = ((!d0 & here) << 1) & before;
            d0 = ((here & vp).wrapping_add(vp) ^ vp) | here | vn | turned;
            let hp = vn | !(d0 | vp);
            let hn = d0 & vp;
            slips = slips + u32::from(hp & last != 0) - u32::from(hn & last != 0);
            let hp = hp << 1 | 1;
            vp = hn << 1 | !(d0 | hp);
            vn = hp & d0;
            before = here;
        }
        slips
    }
}

/// Whether a set has more members than so many.
fn more_than(members: u32, set: u32) -> bool {
    (0..members).fold(set, |set, _| set & set.wrapping_sub(1)) != 0
}

/// Gives the code of every spelling one slip away from a word (P. Norvig's enumeration); nothing for a word
/// whose misspellings do not all fit a code.
pub(crate) fn each_misspelling(word: &Word, mut each: impl FnMut(u64)) {
    let len = word.len();
    if len >= LETTERS_OF_CODE {
        return;
    }
    let code = code_of(word.letters());
    let low = |letters: usize| (1_u64 << (5 * letters)) - 1;
    for at in 0..=len {
        let rest = len - at;
        let (before, after) = (code >> (5 * rest), code & low(rest));
        for letter in b'A'..=b'Z' {
            each((before << 5 | letter_code(letter)) << (5 * rest) | after);
        }
        if rest == 0 {
            continue;
        }
        let (here, beyond) = (after >> (5 * (rest - 1)), after & low(rest - 1));
        each(before << (5 * (rest - 1)) | beyond);
        for letter in (b'A'..=b'Z').map(letter_code).filter(|letter| *letter != here) {
            each((before << 5 | letter) << (5 * (rest - 1)) | beyond);
        }
        if rest >= 2 {
            let (next, beyond) = (beyond >> (5 * (rest - 2)), beyond & low(rest - 2));
            if next != here {
                each((before << 10 | next << 5 | here) << (5 * (rest - 2)) | beyond);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;
    use proptest::prelude::*;

    fn alike(asked: &str, recorded: &str) -> Alike {
        let mut words = Words::default();
        let id = words.intern(&Word::new(recorded.as_bytes()));
        Pattern::of(Word::new(asked.as_bytes())).compare(words.row(id).unwrap(), || words.word(id))
    }

    #[test]
    fn degrees() {
        assert_eq!(alike("GARCIA", "GARCIA"), Alike::Same);
        assert_eq!(alike("GRACIA", "GARCIA"), Alike::SpeltOne);
        assert_eq!(alike("ERNANDES", "HERNANDEZ"), Alike::SoundsClose);
        assert_eq!(alike("J", "JOSE"), Alike::Initial);
        assert_eq!(alike("HERNANDEZG", "HERNANDEZGARCIA"), Alike::Short);
        assert_eq!(alike("CRUZ", "DELACRUZ"), Alike::Core);
        assert_eq!(alike("GARCIA", "LOPEZ"), Alike::None);
    }

    fn letters_of(mut code: u64) -> Vec<u8> {
        let mut letters = Vec::new();
        while code != 0 {
            letters.insert(0, (code & 31) as u8 + b'A' - 1);
            code >>= 5;
        }
        letters
    }

    /// The textbook recurrence.
    fn slips_by_table(a: &[u8], b: &[u8]) -> u32 {
        let mut d = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                d[i][j] = match (i, j) {
                    (0, n) | (n, 0) => n as u32,
                    _ => {
                        let other = u32::from(a[i - 1] != b[j - 1]);
                        let mut best = (d[i - 1][j] + 1)
                            .min(d[i][j - 1] + 1)
                            .min(d[i - 1][j - 1] + other);
                        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                            best = best.min(d[i - 2][j - 2] + 1);
                        }
                        best
                    }
                };
            }
        }
        d[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn slips_are_those_of_the_table(a in "[A-D]{1,12}", b in "[A-D]{0,12}") {
            prop_assert_eq!(Pattern::of(Word::new(a.as_bytes())).slips(b.as_bytes()), slips_by_table(a.as_bytes(), b.as_bytes()));
        }

        #[test]
        fn every_misspelling_is_one_slip_away(a in "[A-D]{1,9}") {
            let word = Word::new(a.as_bytes());
            let pattern = Pattern::of(word);
            let mut fine = true;
            each_misspelling(&word, |code| fine &= pattern.slips(&letters_of(code)) == 1);
            prop_assert!(fine);
        }
    }
}
