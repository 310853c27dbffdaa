//! The records of a CSV file: a line each, or several where a quoted cell holds line ends. A quotation mark that is never
//! closed costs the record that it stands in and no other.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use super::fault::Reason;
use super::lines::{Line, Lines, MOST_LINE_BYTES};

/// The most lines over which one record may go.
const MOST_LINES: usize = 1_000;

/// A record: the number of its first line and its bytes, line ends inside cells included.
pub(super) type Record = (u64, Result<Vec<u8>, Reason>);

/// Reads records.
pub(super) struct Records<R> {
    lines: Lines<R>,
    /// Lines that were read on behalf of a record and turned out not to belong to it.
    waiting: VecDeque<Line>,
    separator: u8,
}

impl<R: BufRead> Records<R> {
    /// Reads on from the line after the header.
    pub(super) fn new(lines: Lines<R>, separator: u8) -> Self {
        Self {
            lines,
            waiting: VecDeque::new(),
            separator,
        }
    }

    /// The bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// The next record that is not blank; none at the end.
    ///
    /// # Errors
    /// As [`Lines::next`].
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(first) = self.line()? else {
                return Ok(None);
            };
            if first.is_blank() {
                continue;
            }
            let number = first.number;
            let Some(bytes) = first.bytes else {
                return Ok(Some((
                    number,
                    Err(Reason::LineTooLong {
                        most: MOST_LINE_BYTES,
                    }),
                )));
            };
            let mut state = Cell::Begins;
            state.run(&bytes, self.separator);
            let whole = if state == Cell::Quoted {
                self.longer(bytes, state)?
            } else {
                Ok(bytes)
            };
            return Ok(Some((number, whole)));
        }
    }

    /// Adds lines to `record` until its quoted cell is closed.
    fn longer(&mut self, mut record: Vec<u8>, mut state: Cell) -> io::Result<Result<Vec<u8>, Reason>> {
        let mut taken = VecDeque::new();
        while state == Cell::Quoted {
            let next = if taken.len() < MOST_LINES {
                self.line()?
            } else {
                None
            };
            let room = MOST_LINE_BYTES.saturating_sub(record.len() + 1);
            let bytes = next
                .as_ref()
                .and_then(|line| line.bytes.as_ref())
                .filter(|bytes| bytes.len() <= room);
            let Some(bytes) = bytes else {
                taken.extend(next);
                let lines = taken.len() + 1;
                taken.append(&mut self.waiting);
                self.waiting = taken;
                return Ok(Err(Reason::QuoteNotClosed { lines }));
            };
            state.run(b"\n", self.separator);
            state.run(bytes, self.separator);
            record.push(b'\n');
            record.extend_from_slice(bytes);
            taken.extend(next);
        }
        Ok(Ok(record))
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        match self.waiting.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next(),
        }
    }
}

/// Where in a record a reader stands (RFC 4180, and a mark inside an unquoted cell is an ordinary character).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Begins,
    Plain,
    Quoted,
    /// After a mark in a quoted cell: the end of the cell, or the first of two marks.
    Mark,
}

impl Cell {
    fn run(&mut self, bytes: &[u8], separator: u8) {
        for &byte in bytes {
            *self = match (*self, byte) {
                (Self::Quoted, b'"') => Self::Mark,
                (Self::Quoted, _) | (Self::Begins | Self::Mark, b'"') => Self::Quoted,
                (_, byte) if byte == separator => Self::Begins,
                _ => Self::Plain,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &str) -> Vec<(u64, Result<String, Reason>)> {
        let mut records = Records::new(Lines::new(input.as_bytes()), b',');
        let mut found = Vec::new();
        while let Some((line, record)) = records.next().unwrap() {
            found.push((line, record.map(|bytes| String::from_utf8(bytes).unwrap())));
        }
        found
    }

    #[test]
    fn cells_may_hold_line_ends() {
        let whole = |line, text: &str| (line, Ok(text.to_owned()));
        assert_eq!(
            all("a,\"x\r\ny \"\"q\"\"\",b\r\n\r\nc,5'11\",d\n\"e\",f"),
            [
                whole(1, "a,\"x\ny \"\"q\"\"\",b"),
                whole(4, "c,5'11\",d"),
                whole(5, "\"e\",f")
            ]
        );
    }

    #[test]
    fn a_mark_that_is_not_closed_costs_one_record() {
        let rest: String = (0..3_000).map(|row| format!("row,{row}\n")).collect();
        let found = all(&format!("a,\"open\n{rest}"));
        assert_eq!(found.len(), 3_001);
        assert_eq!(found[0], (1, Err(Reason::QuoteNotClosed { lines: 1_001 })));
        assert!(found[1..].iter().all(|(_, record)| record.is_ok()));
        assert_eq!(all("a,\"open\nb\n").len(), 2);
    }
}
