//! The feed: a file becomes rows, one after the other, whatever its format. It holds one row at a time and files nothing.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::csv::{HeaderRefused, Table};
use super::fault::{Fault, Reason};
use super::fields::Findings;
use super::lines::{Lines, MOST_LINE_BYTES};
use super::records::Records;
use super::row::{self, House, Row};

/// The most names of unknown fields that are kept apart.
const MOST_UNKNOWN: usize = 100;
/// The longest such name that is kept, in characters.
const LONGEST_NAME: usize = 64;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line.
    Ndjson,
    /// A header and cells, separated by comma, tab or semicolon.
    Csv,
}

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum FeedFailed {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Header(#[from] HeaderRefused),
}

/// One row of the file.
#[derive(Debug)]
pub(super) struct Found {
    /// The line on which it begins.
    pub(super) line: u64,
    /// The row, or what is wrong with it.
    pub(super) row: Result<Box<Row>, Vec<Fault>>,
}

/// Reads rows.
pub(super) struct Feed<R> {
    source: Source<R>,
    house: House,
    unknown: Unknown,
}

enum Source<R> {
    Ndjson(Lines<R>),
    Csv(Records<R>, Table),
}

type Object = Map<String, Value>;

/// A line and the object on it, or why there is none.
type Placed = (u64, Result<Object, Reason>);

impl<R: BufRead> Feed<R> {
    /// Begins to read; of CSV the header.
    ///
    /// # Errors
    /// [`FeedFailed`].
    pub(super) fn open(input: R, format: Format, house: House) -> Result<Self, FeedFailed> {
        let mut lines = Lines::new(input);
        let source = match format {
            Format::Ndjson => Source::Ndjson(lines),
            Format::Csv => {
                let header = loop {
                    match lines.next()? {
                        Some(line) if line.is_blank() => {}
                        Some(line) => break line.bytes.ok_or(HeaderRefused::Unreadable)?,
                        None => break Vec::new(),
                    }
                };
                let table = Table::of_header(&header)?;
                Source::Csv(Records::new(lines, table.separator()), table)
            }
        };
        Ok(Self {
            source,
            house,
            unknown: Unknown::default(),
        })
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// [`FeedFailed::Io`].
    pub(super) fn next(&mut self) -> Result<Option<Found>, FeedFailed> {
        let Some((line, object)) = self.object()? else {
            return Ok(None);
        };
        let row = object
            .map_err(|reason| vec![Fault::line(reason)])
            .and_then(|object| self.read(line, object));
        Ok(Some(Found { line, row }))
    }

    /// The bytes of the file read so far.
    pub(super) fn bytes(&self) -> u64 {
        match &self.source {
            Source::Ndjson(lines) => lines.bytes(),
            Source::Csv(records, _) => records.bytes(),
        }
    }

    /// The unknown fields met so far.
    pub(super) fn into_unknown(self) -> Unknown {
        self.unknown
    }

    fn object(&mut self) -> Result<Option<Placed>, FeedFailed> {
        match &mut self.source {
            Source::Ndjson(lines) => loop {
                let Some(line) = lines.next()? else {
                    return Ok(None);
                };
                if !line.is_blank() {
                    return Ok(Some((line.number, object_of(line.bytes.as_deref()))));
                }
            },
            Source::Csv(records, table) => loop {
                let Some((line, record)) = records.next()? else {
                    return Ok(None);
                };
                match record.and_then(|record| table.row(&record)) {
                    Ok(None) => {}
                    Ok(Some(object)) => return Ok(Some((line, Ok(object)))),
                    Err(reason) => return Ok(Some((line, Err(reason)))),
                }
            },
        }
    }

    fn read(&mut self, line: u64, object: Object) -> Result<Box<Row>, Vec<Fault>> {
        let mut findings = Findings::default();
        let row = row::read(object, &self.house, &mut findings);
        for name in findings.unknown {
            self.unknown.note(&name, line);
        }
        row.map(Box::new).ok_or_else(|| match &self.source {
            Source::Ndjson(_) => findings.faults,
            Source::Csv(_, table) => findings
                .faults
                .into_iter()
                .map(|fault| table.in_columns(fault))
                .collect(),
        })
    }
}

/// The object of a line. What is told of an error is its column alone.
fn object_of(line: Option<&[u8]>) -> Result<Object, Reason> {
    let line = line.ok_or(Reason::LineTooLong {
        most: MOST_LINE_BYTES,
    })?;
    let text = std::str::from_utf8(line).map_err(|_| Reason::NotUtf8)?;
    serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => Reason::Shape("one JSON object with the fields of an order"),
        false => Reason::NotJson {
            column: error.column(),
        },
    })
}

/// Unknown fields, each told once. Bounded, since their names come from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unknown {
    names: BTreeMap<String, Seen>,
    /// Fields beyond those that are kept by name.
    pub(super) others: u64,
}

/// Where an unknown field was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// How often.
    pub(super) count: u64,
    /// The first line with it.
    pub(super) first: u64,
}

impl Unknown {
    fn note(&mut self, name: &str, line: u64) {
        let printable = |character: char| if character.is_control() { '?' } else { character };
        let name: String = name.chars().take(LONGEST_NAME).map(printable).collect();
        if let Some(seen) = self.names.get_mut(&name) {
            seen.count += 1;
        } else if self.names.len() < MOST_UNKNOWN {
            self.names.insert(
                name,
                Seen {
                    count: 1,
                    first: line,
                },
            );
        } else {
            self.others += 1;
        }
    }

    /// The fields by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Seen)> {
        self.names.iter().map(|(name, seen)| (name.as_str(), *seen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> House {
        House {
            court: Some("court/alameda".parse().unwrap()),
            ..House::default()
        }
    }

    type Sources = Vec<(u64, Result<String, Vec<Fault>>)>;

    fn all(input: &str, format: Format) -> (Sources, Unknown) {
        let mut feed = Feed::open(input.as_bytes(), format, house()).unwrap();
        let mut found = Vec::new();
        while let Some(Found { line, row }) = feed.next().unwrap() {
            found.push((line, row.map(|row| row.source_id)));
        }
        (found, feed.into_unknown())
    }

    const GOOD: &str =
        r#"{"source_id": 1, "case_number": "A", "issued": "2026-01-02", "restrained": {"last": "DOE"}"#;

    #[test]
    fn good_lines_pass_beside_bad_ones() {
        let long = "x".repeat(MOST_LINE_BYTES + 1);
        let input = format!(
            "\u{feff}{GOOD}}}\r\n\n[]\n{long}\nnull\n{{\"a\": \n \t\n{GOOD}, \"person_id\": 7, \"x\": null}}"
        );
        let (found, unknown) = all(&input, Format::Ndjson);
        let refused = |line, reason| (line, Err(vec![Fault::line(reason)]));
        let object = Reason::Shape("one JSON object with the fields of an order");
        assert_eq!(
            found,
            [
                (1, Ok("1".to_owned())),
                refused(3, object.clone()),
                refused(
                    4,
                    Reason::LineTooLong {
                        most: MOST_LINE_BYTES
                    }
                ),
                refused(5, object),
                refused(6, Reason::NotJson { column: 6 }),
                (8, Ok("1".to_owned())),
            ]
        );
        assert_eq!(
            unknown.iter().collect::<Vec<_>>(),
            [("person_id", Seen { count: 1, first: 8 })]
        );
    }

    #[test]
    fn csv_faults_name_columns() {
        let input = "\u{feff}source_id;case_number;issued;restrained_last;protected1_dob;address\r\n\
                     1;A;2026-01-02;DOE;;\r\n;;;;;\r\n2;B;2026-02-30;DOE;1990;\"1 Elm\r\nSt\"\r\n3;C;2026-01-02;;;\r\n";
        let (found, unknown) = all(input, Format::Csv);
        let lines: Vec<_> = found
            .iter()
            .map(|(line, row)| {
                let fields = row.as_ref().map_err(|faults| {
                    faults
                        .iter()
                        .map(|fault| fault.field.as_str())
                        .collect::<Vec<_>>()
                });
                (*line, fields.map(String::as_str))
            })
            .collect();
        assert_eq!(
            lines,
            [
                (2, Ok("1")),
                (4, Err(vec!["issued", "protected1_dob"])),
                (6, Err(vec!["restrained.name"])),
            ]
        );
        assert_eq!(
            unknown.iter().collect::<Vec<_>>(),
            [("address", Seen { count: 1, first: 4 })]
        );
    }

    #[test]
    fn unknown_names_are_bounded() {
        let mut unknown = Unknown::default();
        for name in 0..1_000 {
            unknown.note(&format!("{name}\n{}", "x".repeat(500)), 1);
        }
        assert_eq!((unknown.iter().count(), unknown.others), (MOST_UNKNOWN, 900));
        assert!(
            unknown
                .iter()
                .all(|(name, _)| name.chars().count() == LONGEST_NAME && !name.contains('\n'))
        );
    }
}
