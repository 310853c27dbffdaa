//! Spelling: turns text in any script, case or punctuation into words of the letters A to Z; it knows no names.

/// Letters of a word beyond this are dropped.
pub(crate) const LONGEST_WORD: usize = 31;
/// Characters of a text beyond this are not read, so hostile input costs no more than a long name.
const LONGEST_TEXT: usize = 300;

/// A word of the letters A to Z, held in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    letters: [u8; LONGEST_WORD],
    len: u8,
}

impl Word {
    /// The empty word.
    pub(crate) const EMPTY: Self = Self {
        letters: [0; LONGEST_WORD],
        len: 0,
    };

    /// A word of letters already folded; what is too long is cut.
    pub(crate) fn new(letters: &[u8]) -> Self {
        let mut word = Self::EMPTY;
        word.append(letters);
        word
    }

    /// Adds letters at the end, as far as there is room.
    pub(crate) fn append(&mut self, letters: &[u8]) {
        let room = self.letters.get_mut(usize::from(self.len)..).unwrap_or_default();
        let taken = room.len().min(letters.len());
        if let (Some(room), Some(letters)) = (room.get_mut(..taken), letters.get(..taken)) {
            room.copy_from_slice(letters);
            self.len += taken as u8;
        }
    }

    /// The letters.
    pub(crate) fn letters(&self) -> &[u8] {
        self.letters.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// How many letters.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The letters as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.letters()).unwrap_or_default()
    }
}

/// Gives each word of a text to `each`, in order.
pub(crate) fn each_word(text: &str, mut each: impl FnMut(Word)) {
    let mut word = Word::EMPTY;
    let mut finish = |word: &mut Word| {
        if let Some(done) = finished(word) {
            each(done);
        }
        *word = Word::EMPTY;
    };
    for c in text.chars().take(LONGEST_TEXT) {
        if c.is_ascii() {
            if !push_ascii(&mut word, c as u8) {
                finish(&mut word);
            }
            continue;
        }
        if is_joined_through(c) {
            continue;
        }
        match deunicode::deunicode_char(c).filter(|_| !is_picture(c)) {
            None => finish(&mut word),
            Some(latin) => {
                for b in latin.bytes() {
                    if !push_ascii(&mut word, b) {
                        finish(&mut word);
                    }
                }
            }
        }
    }
    finish(&mut word);
}

/// Adds one ASCII character to the word; `false` when the character ends the word.
fn push_ascii(word: &mut Word, b: u8) -> bool {
    match b {
        b'A'..=b'Z' | b'0'..=b'9' => word.append(&[b]),
        b'a'..=b'z' => word.append(&[b.to_ascii_uppercase()]),
        // O'BRIEN is OBRIEN and J.R. is JR; an escaped quote must not cut the name either.
        b'\'' | b'`' | b'.' | b'"' | b'\\' => {}
        _ => return false,
    }
    true
}

/// Characters that stand within a word without being part of it: accents set apart, typographic
/// apostrophes, joiners and marks of writing direction.
fn is_joined_through(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{b4}' | '\u{b7}' | '\u{2b0}'..='\u{2ff}' | '\u{ad}' | '\u{feff}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{fe00}'..='\u{fe0f}')
}

/// Emoji and dingbats, which the transliteration would put in English words.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '\u{e000}'..='\u{f8ff}')
}

/// The word as a name has it: digits that a scanner read for letters become the letters; a word of
/// digits alone is none, except ordinals (2ND, 3RD), which say which one of the family it is.
fn finished(word: &Word) -> Option<Word> {
    let letters = word.letters();
    if letters.is_empty() || letters.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match letters {
        b"2ND" => return Some(Word::new(b"II")),
        b"3RD" => return Some(Word::new(b"III")),
        b"4TH" => return Some(Word::new(b"IV")),
        _ => {}
    }
    let mut out = *word;
    for letter in &mut out.letters {
        *letter = match *letter {
            b'0' => b'O',
            b'1' => b'I',
            b'2' => b'Z',
            b'3' => b'E',
            b'4' => b'A',
            b'5' => b'S',
            b'6' => b'G',
            b'7' => b'T',
            b'8' => b'B',
            b'9' => b'G',
            other => other,
        };
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        each_word(text, |word| out.push(word.as_str().to_owned()));
        out
    }

    #[test]
    fn accents_case_and_punctuation_fold() {
        assert_eq!(words("Muñoz-Gómez"), ["MUNOZ", "GOMEZ"]);
        assert_eq!(words("o’brien"), ["OBRIEN"]);
        assert_eq!(words("Jose\u{301} A."), ["JOSE", "A"]);
        assert_eq!(words("GARC1A 22"), ["GARCIA"]);
        assert_eq!(words("Łukasz Straße"), ["LUKASZ", "STRASSE"]);
    }

    #[test]
    fn other_scripts_are_transliterated() {
        assert_eq!(words("Петров"), ["PETROV"]);
        assert!(!words("محمد").is_empty());
        assert!(words("\u{202e}\u{0}\u{7f} \u{fffd}").is_empty());
    }

    #[test]
    fn long_input_is_cut() {
        assert_eq!(words(&"A".repeat(10_000)).first().unwrap().len(), LONGEST_WORD);
    }
}
