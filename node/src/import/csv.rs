//! CSV brought to the shape of a JSON row: columns have the same names, flattened, so that one reader takes both.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::fault::{Fault, Reason};

/// The columns, for people.
pub(super) const COLUMNS: &str = include_str!("columns.txt");

/// Columns of lists: `protected2_last` is the field `last` of the second protected person. Without a number it is the first.
const LISTS: &[(&str, &[&str])] = &[
    ("protected", &["protected"]),
    ("restrained_alias", &["restrained", "aliases"]),
    ("alias", &["restrained", "aliases"]),
    ("restrained_vehicle", &["restrained", "vehicles"]),
    ("vehicle", &["restrained", "vehicles"]),
    ("restrained_identifier", &["restrained", "identifiers"]),
    ("term", &["terms"]),
    ("service", &["service"]),
];

/// Columns of parts: `hearing_date` is the field `date` of `hearing`.
const PARTS: &[&str] = &["restrained", "hearing", "foreign", "brady", "ended"];

/// Columns that carry the chief field of a part.
const CHIEF: &[(&str, [&str; 2])] = &[
    ("hearing", ["hearing", "date"]),
    ("brady", ["brady", "indicator"]),
];

/// The most things in one list.
const MOST_PLACES: usize = 99;

/// Of each of these groups the header must have one column.
const NEEDED: &[&[&str]] = &[
    &["source_id", "order_id"],
    &["case_number", "case_no", "agency_case_number"],
    &["restrained.last", "restrained.first", "restrained.name"],
    &["issued"],
];

/// A header that does not name the columns. Repeats nothing of it: it may be a row with somebody's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderRefused {
    #[error("the first line does not name the columns: {} is not there. `ccpor-node import --columns` lists them", .0.join(" or "))]
    Lacks(Vec<String>),
    #[error("column {second} has the meaning of column {first} again: remove one of the two")]
    Twice { first: usize, second: usize },
    #[error("the first line is not readable as CSV in UTF-8")]
    Unreadable,
}

/// What the columns of a file mean.
#[derive(Debug)]
pub(super) struct Table {
    separator: u8,
    columns: Vec<Vec<Step>>,
    /// The column of each field of a row.
    names: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Place(usize),
}

impl Table {
    /// Reads the header. The separator is the first of comma, tab and semicolon in it.
    ///
    /// # Errors
    /// [`HeaderRefused`].
    pub(super) fn of_header(bytes: &[u8]) -> Result<Self, HeaderRefused> {
        let separator = bytes
            .iter()
            .copied()
            .find(|byte| b",\t;".contains(byte))
            .unwrap_or(b',');
        let text = std::str::from_utf8(bytes).map_err(|_| HeaderRefused::Unreadable)?;
        let header = cells(text, separator).ok_or(HeaderRefused::Unreadable)?;
        let columns: Vec<Vec<Step>> = header.iter().map(|name| meaning(&folded(name))).collect();
        let paths: Vec<String> = columns.iter().map(|steps| path(steps)).collect();
        for group in NEEDED {
            if !group.iter().any(|needed| paths.iter().any(|path| path == needed)) {
                let names = group.iter().map(|needed| needed.replace('.', "_")).collect();
                return Err(HeaderRefused::Lacks(names));
            }
        }
        for (second, path) in paths.iter().enumerate() {
            let clashes =
                |earlier: &String| !path.is_empty() && (within(earlier, path) || within(path, earlier));
            if let Some(first) = paths.iter().take(second).position(clashes) {
                return Err(HeaderRefused::Twice {
                    first: first + 1,
                    second: second + 1,
                });
            }
        }
        let names = paths
            .into_iter()
            .zip(header.iter().map(|name| name.trim().to_owned()))
            .collect();
        Ok(Self {
            separator,
            columns,
            names,
        })
    }

    /// What separates cells.
    pub(super) fn separator(&self) -> u8 {
        self.separator
    }

    /// The record as a row; none when all its cells are empty.
    ///
    /// # Errors
    /// The reason for which it cannot be read.
    pub(super) fn row(&self, record: &[u8]) -> Result<Option<Map<String, Value>>, Reason> {
        let text = std::str::from_utf8(record).map_err(|_| Reason::NotUtf8)?;
        let cells = cells(text, self.separator).ok_or(Reason::Shape("cells, separated as in the header"))?;
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        let (expected, found) = (self.columns.len(), cells.len());
        if expected != found {
            return Err(Reason::Cells { expected, found });
        }
        let mut row = Map::new();
        for (steps, cell) in self.columns.iter().zip(cells.iter()) {
            if !cell.trim().is_empty() {
                put(&mut row, steps, cell);
            }
        }
        Ok(Some(row))
    }

    /// The fault against the column in the place of the field.
    pub(super) fn in_columns(&self, fault: Fault) -> Fault {
        let column = self.names.iter().rfind(|(path, _)| within(path, &fault.field));
        match column {
            Some((_, name)) => Fault::new(name.clone(), fault.reason),
            None => fault,
        }
    }
}

fn cells(record: &str, separator: u8) -> Option<StringRecord> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(record.len().max(1))
        .from_reader(record.as_bytes());
    let mut cells = StringRecord::new();
    reader
        .read_record(&mut cells)
        .ok()
        .filter(|found| *found)
        .map(|_| cells)
}

fn folded(name: &str) -> String {
    let fold = |character: char| match character {
        ' ' | '-' | '.' => '_',
        other => other.to_ascii_lowercase(),
    };
    name.trim().chars().map(fold).collect()
}

/// Where in a row the cells of a column go.
fn meaning(name: &str) -> Vec<Step> {
    let field = |name: &str| Step::Field(name.to_owned());
    if let Some((_, keys)) = CHIEF.iter().find(|(chief, _)| *chief == name) {
        return keys.iter().map(|key| field(key)).collect();
    }
    for (prefix, keys) in LISTS {
        if let Some((place, rest)) = name.strip_prefix(prefix).and_then(place) {
            let keys = keys.iter().map(|key| field(key));
            return keys.chain([Step::Place(place), field(rest)]).collect();
        }
    }
    for part in PARTS {
        if let Some(rest) = name.strip_prefix(part).and_then(|rest| rest.strip_prefix('_')) {
            return vec![field(part), field(rest)];
        }
    }
    vec![field(name)]
}

/// `2_last` is place 1 and `last`; `_last` is place 0.
fn place(text: &str) -> Option<(usize, &str)> {
    let (digits, rest) = text.split_once('_')?;
    let number = if digits.is_empty() {
        1
    } else {
        digits.parse().ok()?
    };
    (1..=MOST_PLACES)
        .contains(&number)
        .then(|| (number - 1, rest))
        .filter(|_| !rest.is_empty())
}

fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Field(name) if path.is_empty() => path.push_str(name),
            Step::Field(name) => path.extend([".", name]),
            Step::Place(place) => path.push_str(&format!("[{place}]")),
        }
    }
    path
}

/// Whether `path` is `outer`, or in it.
fn within(outer: &str, path: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Puts a cell where it belongs. The header has no two columns of which one is in the other, so nothing is displaced.
fn put(row: &mut Map<String, Value>, steps: &[Step], cell: &str) {
    let Some((Step::Field(first), rest)) = steps.split_first() else {
        return;
    };
    let mut slot = row.entry(first.as_str()).or_insert(Value::Null);
    for step in rest {
        slot = match step {
            Step::Field(name) => {
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                let Some(map) = slot.as_object_mut() else { return };
                map.entry(name.as_str()).or_insert(Value::Null)
            }
            Step::Place(place) => {
                if !slot.is_array() {
                    *slot = Value::Array(Vec::new());
                }
                let Some(list) = slot.as_array_mut() else { return };
                list.resize(list.len().max(place + 1), Value::Null);
                let Some(item) = list.get_mut(*place) else { return };
                item
            }
        };
    }
    *slot = Value::String(cell.to_owned());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CORE: &str = "order_id,case_no,issued,restrained_last";

    #[test]
    fn columns_become_the_fields_of_a_row() {
        let header = format!(
            "{CORE},Hearing,hearing_time,Protected1 Last,protected2_dob,alias_first,term1_kind,conditions,served"
        );
        let table = Table::of_header(header.as_bytes()).unwrap();
        let row = table
            .row(b"7,A-1,2026-01-02,DOE,2026-02-01,,,2001-02-03,JACK,no_contact,\"a;b\",yes")
            .unwrap();
        assert_eq!(
            Value::Object(row.unwrap()),
            json!({"order_id": "7", "case_no": "A-1", "issued": "2026-01-02",
                "restrained": {"last": "DOE", "aliases": [{"first": "JACK"}]}, "hearing": {"date": "2026-02-01"},
                "protected": [null, {"dob": "2001-02-03"}], "terms": [{"kind": "no_contact"}], "conditions": "a;b",
                "served": "yes"})
        );
        assert_eq!(table.row(b",,,,,,,,,,,"), Ok(None));
        assert_eq!(
            table.row(b"7,A-1"),
            Err(Reason::Cells {
                expected: 12,
                found: 2
            })
        );
        assert_eq!(table.row(b"\xFF"), Err(Reason::NotUtf8));
        for (field, column) in [
            ("protected[1].dob", "protected2_dob"),
            ("hearing.date", "Hearing"),
            ("conditions[1]", "conditions"),
            ("restrained.last", "restrained_last"),
            ("restrained.name", "restrained.name"),
            ("", ""),
        ] {
            assert_eq!(table.in_columns(Fault::new(field, Reason::Sex)).field, column);
        }
    }

    #[test]
    fn a_header_must_name_the_columns_once() {
        let of = |header: &str| Table::of_header(header.as_bytes()).err();
        assert_eq!(of(CORE), None);
        assert_eq!(of(&CORE.replace(',', "\t")), None);
        assert_eq!(
            of(&format!("{CORE},DL,dl ,restrained_dl")),
            Some(HeaderRefused::Twice { first: 5, second: 6 })
        );
        assert_eq!(
            of(&format!("{CORE},restrained")),
            Some(HeaderRefused::Twice { first: 4, second: 5 })
        );
        assert_eq!(of(&format!("{CORE},,")), None);
        for row in ["17,DV-1,2026-01-02,DOE", "", "\"", "source_id"] {
            assert!(of(row).is_some(), "{row}");
            assert!(!of(row).unwrap().to_string().contains("DOE"));
        }
    }
}
