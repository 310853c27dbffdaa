//! Accounts from a CSV file: `name,full_name,role,of`. Every line is judged before any account is made.

use ccpor_access::Role;
use serde::Deserialize;

use crate::book::{AddRefused, Book, NewAccount};

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, the heading being 1.
    pub number: u64,
    /// The account, or why it cannot be made.
    pub account: Result<NewAccount, LineRefused>,
}

/// Why a line gives no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineRefused {
    /// It cannot be read.
    #[error("the line cannot be read: write four fields, name,full_name,role,of")]
    Malformed,
    /// There is no such role.
    #[error(transparent)]
    Role(#[from] ccpor_access::NotARole),
    /// The account cannot be added.
    #[error(transparent)]
    Refused(#[from] AddRefused),
    /// An earlier line has the name.
    #[error("line {0} has the same name")]
    Twice(u64),
}

/// The heading is not the one expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the first line of the file must be: name,full_name,role,of")]
pub struct HeadingRefused;

#[derive(Deserialize)]
struct Row {
    name: String,
    full_name: String,
    role: String,
    #[serde(default)]
    of: String,
}

/// Reads a file and judges every line against the accounts that there are. Where a court's role names no court, it is `own`.
///
/// # Errors
/// [`HeadingRefused`] when it is no such file.
pub fn read(csv: &[u8], book: &Book, own: Option<&str>, now: i64) -> Result<Vec<Line>, HeadingRefused> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(csv);
    let heading = reader.headers().map_err(|_| HeadingRefused)?;
    if heading.iter().ne(["name", "full_name", "role", "of"]) {
        return Err(HeadingRefused);
    }
    let heading = heading.clone();
    let mut lines: Vec<Line> = Vec::new();
    for record in reader.records() {
        let number = match &record {
            Ok(record) => record.position().map_or(0, csv::Position::line),
            Err(error) => error.position().map_or(0, csv::Position::line),
        };
        let row = record.ok().filter(|record| record.len() <= 4);
        let row = row.and_then(|record| record.deserialize::<Row>(Some(&heading)).ok());
        let account = row
            .ok_or(LineRefused::Malformed)
            .and_then(|row| judged(row, book, own, &lines, now));
        lines.push(Line { number, account });
    }
    Ok(lines)
}

fn judged(
    row: Row,
    book: &Book,
    own: Option<&str>,
    before: &[Line],
    now: i64,
) -> Result<NewAccount, LineRefused> {
    let role: Role = row.role.parse()?;
    let new = NewAccount {
        name: row.name.to_lowercase(),
        full_name: row.full_name,
        role,
        of: match own {
            Some(own) if row.of.is_empty() && role.is_of_a_court() => own.to_owned(),
            _ => row.of,
        },
    };
    book.may_add(&new, now)?;
    let same = |line: &&Line| {
        line.account
            .as_ref()
            .is_ok_and(|earlier| earlier.name == new.name)
    };
    match before.iter().find(same) {
        Some(earlier) => Err(LineRefused::Twice(earlier.number)),
        None => Ok(new),
    }
}
