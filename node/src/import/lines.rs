//! The lines of a file, one after the other, in bounded memory: numbered, without their ends. It knows no format.

use std::io::{self, BufRead, Read};

/// The longest line that is taken, in bytes: as much as one event may take.
pub(super) const MOST_LINE_BYTES: usize = 1 << 20;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// Its bytes; none when there were more than [`MOST_LINE_BYTES`].
    pub(super) bytes: Option<Vec<u8>>,
}

impl Line {
    /// Whether it holds nothing but white space.
    pub(super) fn is_blank(&self) -> bool {
        self.bytes
            .as_ref()
            .is_some_and(|bytes| bytes.iter().all(u8::is_ascii_whitespace))
    }
}

/// Reads lines.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            number: 0,
            bytes: 0,
        }
    }

    /// The bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::InvalidData`] for a file in UTF-16.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        // Room for the end of the line and the mark before the first.
        let most = MOST_LINE_BYTES + 2 + UTF8_MARK.len();
        if self.piece(most, &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.number == 1 {
            without_mark(&mut bytes)?;
        }
        let mut whole = bytes.ends_with(b"\n") || bytes.len() < most;
        if !whole {
            self.skip_rest()?;
        }
        for end in [b'\n', b'\r'] {
            if bytes.last() == Some(&end) {
                bytes.pop();
            }
        }
        whole &= bytes.len() <= MOST_LINE_BYTES;
        Ok(Some(Line {
            number: self.number,
            bytes: whole.then_some(bytes),
        }))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            if self.piece(64 * 1024, &mut bytes)? == 0 || bytes.ends_with(b"\n") {
                return Ok(());
            }
        }
    }

    fn piece(&mut self, most: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
        let read = Read::take(&mut self.input, most as u64).read_until(b'\n', bytes)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

fn without_mark(bytes: &mut Vec<u8>) -> io::Result<()> {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is in UTF-16; save it as UTF-8",
        ));
    }
    if bytes.starts_with(UTF8_MARK) {
        bytes.drain(..UTF8_MARK.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<(u64, Option<String>)> {
        let mut lines = Lines::new(input);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((
                line.number,
                line.bytes.map(|bytes| String::from_utf8(bytes).unwrap()),
            ));
        }
        assert_eq!(lines.bytes(), input.len() as u64);
        found
    }

    #[test]
    fn ends_and_marks_are_taken_off() {
        let line = |number, text: &str| (number, Some(text.to_owned()));
        assert_eq!(
            all(b"\xEF\xBB\xBFa\r\n\r\n b \nc"),
            [line(1, "a"), line(2, ""), line(3, " b "), line(4, "c")]
        );
        assert_eq!(all(b""), []);
        assert_eq!(all(b"\n"), [line(1, "")]);
        assert!(Lines::new(&b"\xFF\xFEa\0"[..]).next().is_err());
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let longest = "x".repeat(MOST_LINE_BYTES);
        for (length, taken) in [
            (MOST_LINE_BYTES, true),
            (MOST_LINE_BYTES + 1, false),
            (3 * MOST_LINE_BYTES, false),
        ] {
            let input = format!("a\r\n{}\r\nb", "x".repeat(length));
            let found = all(input.as_bytes());
            assert_eq!(found.len(), 3);
            assert_eq!(found[1], (2, taken.then(|| longest.clone())));
            assert_eq!(found[2].1.as_deref(), Some("b"));
        }
    }
}
