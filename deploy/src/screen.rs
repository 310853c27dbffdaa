//! The two outputs of the program: data on stdout, talk on stderr. Nothing that came from elsewhere reaches a terminal with
//! its control characters; this file must not know what it prints.

use std::io::{self, IsTerminal, Write};

use ccpor_daemon::exit::Exit;
use serde::Serialize;

use crate::failure::Failure;

/// Words that stand out on a terminal, so that an eye that scans finds them. Longer ones first.
const STANDING_OUT: &[&str] = &[
    "NO MATCH FOUND",
    "NOT CURRENT",
    "NOT COVERED",
    "NOT SERVED",
    "NOT ACTIVE",
    "CANCELLED",
    "TERMINATED",
    "EXPIRED",
    "ACTIVE",
    "SERVED",
    "WARN",
];
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// How output is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// For programs: JSON on stdout, problem documents on stderr.
    pub(crate) json: bool,
    quiet: bool,
    colour: bool,
}

impl Screen {
    /// Colour only on a terminal, and not when it is declined (<https://no-color.org>).
    pub(crate) fn new(json: bool, quiet: bool, no_color: bool) -> Self {
        let declined = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            json,
            quiet,
            colour: !declined && io::stdout().is_terminal(),
        }
    }

    /// Text for people on stdout.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut shown = harmless(text);
        if self.colour {
            shown = standing_out(&shown);
        }
        written(io::stdout().lock(), shown.as_bytes())
    }

    /// One JSON document on stdout.
    pub(crate) fn document<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| unprintable(&error))?;
        bytes.push(b'\n');
        written(io::stdout().lock(), &bytes)
    }

    /// A remark on stderr; left out when quiet.
    pub(crate) fn remark(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
        }
    }

    /// A remark on stderr that is made even when quiet: without it something is lost.
    pub(crate) fn insist(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
    }

    /// A failure on stderr, quiet or not.
    pub(crate) fn failure(&self, failure: &Failure) {
        let text = if self.json {
            failure.in_json()
        } else {
            failure.in_words()
        };
        let text = harmless(text.trim_end());
        if !text.is_empty() {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Whether a progress bar may be drawn.
    pub(crate) fn draws_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

/// What kept bytes from being written; a reader that went away is no failure.
pub(crate) fn output_failed(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::ReaderGone;
    }
    Failure::own(
        Exit::Failed,
        format!("the output could not be written: {error}"),
        "Make room, or write elsewhere.",
    )
}

/// JSON that could not be made.
pub(crate) fn unprintable(error: &serde_json::Error) -> Failure {
    Failure::own(
        Exit::Failed,
        format!("the answer could not be written as JSON: {error}"),
        "Report this as a fault.",
    )
}

fn written(mut output: impl Write, bytes: &[u8]) -> Result<(), Failure> {
    output
        .write_all(bytes)
        .and_then(|()| output.flush())
        .map_err(|error| output_failed(&error))
}

/// The text without characters that a terminal obeys: a name from another court must not move the cursor, or turn the
/// direction of the line.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .map(|character| if obeyed(character) { '\u{fffd}' } else { character })
        .collect()
}

fn obeyed(character: char) -> bool {
    // Unicode Bidi_Control.
    let turns_direction = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && character != '\n') || turns_direction
}

fn standing_out(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_letter = false;
    while let Some(character) = rest.chars().next() {
        let word = STANDING_OUT
            .iter()
            .find(|word| !after_letter && begins_with_word(rest, word));
        let taken = word.map_or(character.len_utf8(), |word| word.len());
        let (piece, behind) = rest.split_at(taken);
        match word {
            Some(_) => shown.extend([BOLD, piece, PLAIN]),
            None => shown.push_str(piece),
        }
        after_letter = piece.chars().next_back().is_some_and(char::is_alphanumeric);
        rest = behind;
    }
    shown
}

fn begins_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|behind| !behind.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(
            harmless("DOE\x1b[2J, JOHN\r\nX\u{202e}Y"),
            "DOE\u{fffd}[2J, JOHN\u{fffd}\nX\u{fffd}Y"
        );
        assert_eq!(harmless("Muñoz 王"), "Muñoz 王");
    }

    #[test]
    fn whole_words_stand_out_and_parts_of_words_do_not() {
        assert_eq!(
            standing_out("1/1 ACTIVE  RADIOACTIVE INACTIVE"),
            "1/1 \x1b[1mACTIVE\x1b[0m  RADIOACTIVE INACTIVE"
        );
        assert_eq!(standing_out("NOT SERVED"), "\x1b[1mNOT SERVED\x1b[0m");
        assert_eq!(standing_out("ñ SERVED,"), "ñ \x1b[1mSERVED\x1b[0m,");
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = output_failed(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(gone, Failure::ReaderGone));
        assert_eq!(
            output_failed(&io::Error::from(io::ErrorKind::StorageFull)).exit(),
            Exit::Failed
        );
    }
}
