//! Accounts from a CSV file: `name,full_name,role,of`. Every line is judged before any account is made; a line that is refused keeps
//! no other from being made. It reads no file itself.

use ccpor_access::Role;
use serde::Deserialize;

use crate::book::{AddRefused, Book, NewAccount};
use crate::secret::Secret;

/// The most characters of a person's name.
const LONGEST_NAME: usize = 200;

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, the heading being 1.
    pub number: u64,
    /// The name to log on with as it is written; empty when the line cannot be read.
    pub name: String,
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
    /// The court is another one than this machine's.
    #[error("this is the machine of {own}: accounts of {other} are made at its own")]
    OtherCourt {
        /// The court of this machine.
        own: String,
        /// The court that the line names.
        other: String,
    },
    /// A spreadsheet would take the person's name for a formula.
    #[error("the person's name begins as a formula does, with '=', '+', '-' or '@': write the name alone")]
    Formula,
    /// The person's name is no name.
    #[error("the person's name has more than {LONGEST_NAME} characters, or signs that cannot be printed")]
    FullName,
}

/// Why a file gives no accounts at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileRefused {
    /// The heading is not the one expected.
    #[error("the first line of the file must be: name,full_name,role,of")]
    Heading,
    /// This line has bytes that are no text: the names in it could not be told.
    #[error("line {0} is not text in UTF-8: save the file as CSV in UTF-8")]
    NotText(u64),
}

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
/// [`FileRefused`] when it is no such file.
pub fn read(csv: &[u8], book: &Book, own: Option<&str>, now: i64) -> Result<Vec<Line>, FileRefused> {
    text(csv)?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(csv);
    let heading = reader.headers().map_err(|_| FileRefused::Heading)?;
    if heading.iter().ne(["name", "full_name", "role", "of"]) {
        return Err(FileRefused::Heading);
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
        let name = row.as_ref().map_or_else(String::new, |row| row.name.clone());
        let account = row
            .ok_or(LineRefused::Malformed)
            .and_then(|row| judged(row, book, own, &lines, now));
        lines.push(Line {
            number,
            name,
            account,
        });
    }
    Ok(lines)
}

/// Reads a file as [`read`] does and makes every account that can be made; each comes with its set-up code, which is shown once.
///
/// # Errors
/// As of [`read`].
pub fn make(
    csv: &[u8],
    book: &mut Book,
    own: Option<&str>,
    now: i64,
) -> Result<Vec<(Line, Option<Secret>)>, FileRefused> {
    let lines = read(csv, book, own, now)?;
    let made = lines.into_iter().map(|line| match &line.account {
        Ok(account) => match book.add(account.clone(), now) {
            Ok(code) => (line, Some(code)),
            // Earlier lines may have taken the last room.
            Err(refused) => {
                let account = Err(LineRefused::Refused(refused));
                (Line { account, ..line }, None)
            }
        },
        Err(_) => (line, None),
    });
    Ok(made.collect())
}

/// A file of another encoding is refused as a whole: what it says may look right and be a wrong name.
fn text(csv: &[u8]) -> Result<(), FileRefused> {
    let Err(error) = std::str::from_utf8(csv) else {
        return Ok(());
    };
    let good = csv.get(..error.valid_up_to()).unwrap_or_default();
    let lines = good.iter().filter(|byte| **byte == b'\n').count();
    Err(FileRefused::NotText(
        u64::try_from(lines).unwrap_or(u64::MAX).saturating_add(1),
    ))
}

fn judged(
    row: Row,
    book: &Book,
    own: Option<&str>,
    before: &[Line],
    now: i64,
) -> Result<NewAccount, LineRefused> {
    let role: Role = row.role.parse()?;
    if row.full_name.starts_with(['=', '+', '-', '@']) {
        return Err(LineRefused::Formula);
    }
    if row.full_name.chars().count() > LONGEST_NAME || row.full_name.chars().any(char::is_control) {
        return Err(LineRefused::FullName);
    }
    let new = NewAccount {
        name: row.name.to_lowercase(),
        full_name: row.full_name,
        role,
        of: match own.filter(|_| role.is_of_a_court()) {
            Some(own) if row.of.is_empty() || row.of == own => own.to_owned(),
            Some(own) => {
                return Err(LineRefused::OtherCourt {
                    own: own.to_owned(),
                    other: row.of,
                });
            }
            None => row.of,
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
