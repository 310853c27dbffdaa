//! Sound: keys that are equal for words that sound alike, by ear of English and of Spanish; no comparison of letters.

use rphonetic::DoubleMetaphone;

/// Letters of a Double Metaphone code that are kept; longer than the customary four, so that long names stay apart.
const CODE_LENGTH: usize = 10;

/// Keys of one word, 0 where there is none: Double Metaphone primary and alternate, and the Spanish ear's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sounds {
    pub(crate) primary: u32,
    pub(crate) alternate: u32,
    pub(crate) ear: u32,
}

impl Sounds {
    /// The keys of a word of the letters A to Z.
    pub(crate) fn of(word: &str) -> Self {
        if word.len() < 2 {
            return Self::default();
        }
        let codes = DoubleMetaphone::new(Some(CODE_LENGTH)).double_metaphone(word);
        let primary = key(1, codes.primary().as_bytes());
        let alternate = key(1, codes.alternate().as_bytes());
        let mut ear = Vec::with_capacity(word.len());
        spanish_ear(word.as_bytes(), &mut ear);
        Self {
            primary,
            alternate: if alternate == primary { 0 } else { alternate },
            ear: key(2, &ear),
        }
    }

    /// Whether the words sound alike by any of the keys.
    pub(crate) fn alike(&self, other: &Self) -> bool {
        let both = |a: u32, b: u32| a != 0 && a == b;
        both(self.ear, other.ear)
            || both(self.primary, other.primary)
            || both(self.primary, other.alternate)
            || both(self.alternate, other.primary)
            || both(self.alternate, other.alternate)
    }

    /// The keys that exist.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u32> {
        [self.primary, self.alternate, self.ear]
            .into_iter()
            .filter(|key| *key != 0)
    }
}

/// FNV-1a, which spreads such short codes well; a code of one sound or none is no key.
fn key(kind: u8, code: &[u8]) -> u32 {
    if code.len() < 2 {
        return 0;
    }
    let mix = |hash: u32, b: &u8| (hash ^ u32::from(*b)).wrapping_mul(0x0100_0193);
    code.iter().fold(mix(0x811c_9dc5, &kind), mix).max(1)
}

/// What a Spanish ear keeps of a word: B and V are one, S, Z and soft C are one, H is silent, LL is Y,
/// J, X and soft G are one, QU and K are hard C; runs of vowels count as one vowel.
fn spanish_ear(word: &[u8], out: &mut Vec<u8>) {
    let at = |i: usize| word.get(i).copied().unwrap_or(0);
    let mut i = 0;
    while i < word.len() {
        let (here, next) = (at(i), at(i + 1));
        let soft = matches!(next, b'E' | b'I' | b'Y');
        let (sound, step) = match (here, next) {
            (b'S', b'C') if at(i + 2) == b'H' => (b'X', 3),
            (b'C', b'H') | (b'S', b'H') => (b'X', 2),
            (b'P', b'H') => (b'F', 2),
            (b'T', b'H') => (b'T', 2),
            (b'T' | b'D', b'Z') => (b'S', 2),
            (b'L', b'L') if is_vowel(at(i + 2)) => (b'a', 2),
            (b'C', b'K') | (b'C', b'C') => (b'K', 2),
            (b'Q', b'U') => (b'K', 2),
            (b'G', b'U') if matches!(at(i + 2), b'E' | b'I') => (b'G', 2),
            (b'G', b'U') | (b'H', b'U') if is_vowel(at(i + 2)) => (b'W', 2),
            (b'G', b'N') => (b'N', 2),
            (b'G', b'H') => (b'G', 2),
            (b'C', _) if soft => (b'S', 1),
            (b'G', _) if soft => (b'J', 1),
            (b'J' | b'X', _) => (b'J', 1),
            (b'C' | b'K' | b'Q', _) => (b'K', 1),
            (b'Z' | b'S', _) => (b'S', 1),
            (b'V' | b'B', _) => (b'B', 1),
            (b'H', _) => (0, 1),
            (vowel, _) if is_vowel(vowel) => (b'a', 1),
            (other, _) => (other, 1),
        };
        if sound != 0 && out.last() != Some(&sound) {
            out.push(sound);
        }
        i += step;
    }
    if out.len() > 2 && out.last() == Some(&b'a') {
        out.pop();
    }
}

fn is_vowel(b: u8) -> bool {
    matches!(b, b'A' | b'E' | b'I' | b'O' | b'U' | b'Y')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(a: &str, b: &str) -> bool {
        Sounds::of(a).alike(&Sounds::of(b))
    }

    #[test]
    fn english_and_spanish_homophones() {
        for (a, b) in [
            ("SMITH", "SMYTH"),
            ("VASQUEZ", "BAZKES"),
            ("HERNANDEZ", "ERNANDES"),
            ("JIMENEZ", "XIMENES"),
            ("GUADALUPE", "WADALUPE"),
            ("VILLA", "VIYA"),
            ("QUIROZ", "KIROS"),
            ("STEPHEN", "STEVEN"),
            ("PHILLIPS", "FILIPS"),
            ("CATHERINE", "KATHRYN"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
        assert!(!alike("GARCIA", "LOPEZ"));
        assert!(!alike("A", "A"));
    }
}
