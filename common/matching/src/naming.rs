//! Naming customs: takes the parts of a name as written and gives the words that are compared, each with its
//! place (given, middle, surname); particles, suffixes and placeholders are settled here and nowhere else.

use crate::spelling::{Word, each_word};

/// Surname words beyond this are dropped.
const MOST_SURNAMES: usize = 4;
/// Given words, and middle words, beyond this are dropped.
const MOST_GIVEN: usize = 3;

/// Where a word stands in the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Given,
    Middle,
    Surname,
    /// The surname before it without its particles: CRUZ after DELACRUZ. Another way to write it, not one more.
    Core,
}

/// Which one of the family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Suffix {
    #[default]
    None,
    Junior,
    Senior,
    Second,
    Third,
    Fourth,
}

/// A name taken apart.
#[derive(Clone, Default)]
pub(crate) struct Naming {
    /// The words, given first, then middle, then surnames.
    pub(crate) words: Vec<(Place, Word)>,
    pub(crate) suffix: Suffix,
}

impl Naming {
    /// Takes a name apart, keeping the room already reserved.
    pub(crate) fn read(&mut self, first: &str, middle: &str, last: &str, suffix: &str) {
        self.words.clear();
        self.suffix = Suffix::None;
        each_word(suffix, |word| {
            self.note_suffix(&word);
        });
        self.read_given(first, Place::Given);
        self.read_given(middle, Place::Middle);
        self.read_surnames(last);
        if !self.words.iter().any(|(place, _)| *place == Place::Given) {
            // A middle name without a first is the first.
            self.words
                .iter_mut()
                .filter(|(place, _)| *place == Place::Middle)
                .take(1)
                .for_each(|w| w.0 = Place::Given);
        }
    }

    fn note_suffix(&mut self, word: &Word) -> bool {
        let Some(suffix) = suffix_of(word) else {
            return false;
        };
        self.suffix = suffix;
        true
    }

    fn read_given(&mut self, text: &str, place: Place) {
        let start = self.words.len();
        each_word(text, |word| {
            let taken = self.words.len() - start;
            if taken >= MOST_GIVEN || is_placeholder(&word) || (taken == 0 && is_title(&word)) {
                return;
            }
            // MARIA DE LOS ANGELES is MARIA ANGELES; DE alone (DE ANDRE) stays.
            if taken > 0 && matches!(word.letters(), b"DE" | b"DEL" | b"LA" | b"LAS" | b"LOS" | b"Y") {
                return;
            }
            if (taken > 0 || place == Place::Middle) && self.note_suffix(&word) {
                return;
            }
            self.words.push((place, word));
        });
    }

    fn read_surnames(&mut self, text: &str) {
        let start = self.words.len();
        let mut particles = Word::EMPTY;
        let mut taken = 0;
        let mut bound = false;
        each_word(text, |word| {
            if is_placeholder(&word) || ((taken > 0 || !particles.is_empty()) && self.note_suffix(&word)) {
                return;
            }
            if matches!(word.letters(), b"Y" | b"E") && taken > 0 {
                return;
            }
            if is_particle(&word) {
                bound |= binds_fast(&word);
                particles.append(word.letters());
                return;
            }
            if taken < MOST_SURNAMES {
                self.push_surname(particles, &word, bound);
                taken += 1;
            }
            particles = Word::EMPTY;
            bound = false;
        });
        if !particles.is_empty() && self.words.len() - start < 2 * MOST_SURNAMES {
            // LE, DO, SAN or VAN may be the whole surname.
            self.words.push((Place::Surname, particles));
        }
    }

    fn push_surname(&mut self, particles: Word, word: &Word, bound: bool) {
        if particles.is_empty() {
            self.words.push((Place::Surname, *word));
            return;
        }
        let mut whole = particles;
        whole.append(word.letters());
        self.words.push((Place::Surname, whole));
        if !bound {
            self.words.push((Place::Core, *word));
        }
    }
}

fn suffix_of(word: &Word) -> Option<Suffix> {
    Some(match word.letters() {
        b"JR" | b"JNR" => Suffix::Junior,
        b"SR" | b"SNR" => Suffix::Senior,
        b"II" => Suffix::Second,
        b"III" => Suffix::Third,
        b"IV" => Suffix::Fourth,
        _ => return None,
    })
}

/// What is written where a name is not known.
fn is_placeholder(word: &Word) -> bool {
    matches!(
        word.letters(),
        b"NMN"
            | b"NMI"
            | b"NFN"
            | b"FNU"
            | b"LNU"
            | b"NLN"
            | b"UNK"
            | b"UNKNOWN"
            | b"XXX"
            | b"XXXX"
            | b"NA"
            | b"AKA"
    )
}

fn is_title(word: &Word) -> bool {
    matches!(word.letters(), b"MR" | b"MRS" | b"MS" | b"DR" | b"SRA" | b"SRTA")
}

/// Words that stand before a surname and are as often left out or written together with it.
pub(crate) fn is_particle(word: &Word) -> bool {
    PARTICLES.contains(&word.as_str()) || binds_fast(word)
}

/// Particles that nobody leaves out, only writes apart or together: MC DONALD, O BRIEN, D ANGELO.
fn binds_fast(word: &Word) -> bool {
    matches!(word.letters(), b"MC" | b"MAC" | b"O" | b"D" | b"L" | b"FITZ")
}

/// Spanish, Portuguese, Italian, French, Dutch, German and Arabic particles.
pub(crate) const PARTICLES: [&str; 32] = [
    "DE", "LA", "LAS", "LOS", "DEL", "DELA", "DELAS", "DELOS", "VAN", "VON", "DER", "DEN", "VANDER",
    "VANDEN", "DI", "DA", "DO", "DOS", "DAS", "DU", "LE", "EL", "AL", "BIN", "IBN", "BEN", "ABU", "ST",
    "SAN", "SANTA", "TER", "ZU",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(first: &str, middle: &str, last: &str) -> String {
        let mut naming = Naming::default();
        naming.read(first, middle, last, "");
        let words: Vec<_> = naming
            .words
            .iter()
            .map(|(place, word)| format!("{}{}", ["g:", "m:", "s:", "c:"][*place as usize], word.as_str()))
            .collect();
        format!("{} {:?}", words.join(" "), naming.suffix)
    }

    #[test]
    fn names_come_apart() {
        assert_eq!(
            shown("José", "L.", "García López Jr."),
            "g:JOSE m:L s:GARCIA s:LOPEZ Junior"
        );
        assert_eq!(shown("Ana", "NMN", "de la Cruz"), "g:ANA s:DELACRUZ c:CRUZ None");
        assert_eq!(
            shown("Sean", "", "O'Brien-Mc Donald"),
            "g:SEAN s:OBRIEN s:MCDONALD None"
        );
        assert_eq!(shown("Tri", "", "Le"), "g:TRI s:LE None");
        assert_eq!(
            shown("Maria de los Angeles", "", "Ruiz y Paz"),
            "g:MARIA g:ANGELES s:RUIZ s:PAZ None"
        );
    }
}
