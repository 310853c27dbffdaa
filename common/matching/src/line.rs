//! The dispatcher's line: reads what is typed in one line into a query and echoes what was understood.
//! It looks nobody up, and its errors never repeat what was typed.

use std::fmt;

use crate::card::{IdKind, NumberKind, Sex};
use crate::date::{Born, PartialDate};
use crate::naming::Naming;
use crate::query::Query;
use crate::written::{FIRST_YEAR, LAST_TWO_DIGIT_YEAR, looks_like_date, read_age, read_date, read_short_age};

/// Characters of a line; nobody types more, and what comes by machine has fields.
const LONGEST_LINE: usize = 1000;
/// Why a line was not understood. It never repeats the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Nothing but blanks.
    #[error("the line is empty: give a name (LAST, FIRST), a number, or fields like NAM/ DOB/ OLN/")]
    Empty,
    /// More than a thousand characters.
    #[error("the line is too long: give at most 1000 characters")]
    TooLong,
    /// A date that the calendar does not have, or that nobody alive was born on.
    #[error("the date of birth is impossible: give it as 3/12/1985, 19850312 or 1985")]
    ImpossibleDate,
    /// An age that is none.
    #[error("the age is not understood: give it as AGE/41 or AGE/40-45")]
    ImpossibleAge,
    /// SEX/ with something else than M, F, X, U.
    #[error("the sex is not understood: give M, F, X or U")]
    UnknownSex,
    /// No letters and no number: nobody is asked for.
    #[error("nobody is named: give a surname or a number besides the rest")]
    NobodyNamed,
}

/// A query in words, for the echo above an answer.
#[derive(Clone, Copy, Debug)]
pub struct Understood<'a>(&'a Query);

/// What a field code stands for.
#[derive(Clone, Copy)]
enum Field {
    Name,
    Birth,
    Age,
    Sex,
    Id(IdKind),
    Number(NumberKind),
    /// Known codes that the search has no use for: race, height and the like.
    Unused,
}

impl Query {
    /// Reads a dispatcher's line: `NAM/GARCIA LOPEZ,JOSE.DOB/19850312.SEX/M`, `garcia lopez, jose 3/12/85`,
    /// a case number, a registry number, `FCN/…`, `OLN/…`, `CII/…`, `FBI/…`, `LIC/…`, `VIN/…`, `SOC/…`, `OCA/…`.
    /// Two-digit years are those from 1931 to 2030; see [`Query::parse_line_on`].
    ///
    /// # Errors
    /// [`LineError`] says what is missing or impossible, without repeating the line.
    pub fn parse_line(line: &str) -> Result<Self, LineError> {
        read_line(line, LAST_TWO_DIGIT_YEAR)
    }

    /// The same on a day that is known: a two-digit year is the latest not after it, and an age is counted from it.
    ///
    /// # Errors
    /// As [`Query::parse_line`].
    pub fn parse_line_on(line: &str, today: PartialDate) -> Result<Self, LineError> {
        read_line(line, today.year.clamp(FIRST_YEAR, 9999)).map(|query| query.as_of(today))
    }

    /// What was understood, to be echoed back to the person who asked.
    pub fn understood(&self) -> Understood<'_> {
        Understood(self)
    }
}

fn read_line(line: &str, last_year: i16) -> Result<Query, LineError> {
    if line.chars().nth(LONGEST_LINE).is_some() {
        return Err(LineError::TooLong);
    }
    let line: String = line
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = line.trim();
    if line.is_empty() {
        return Err(LineError::Empty);
    }
    let mut query = Query::default();
    let fields = split_fields(line);
    if fields.is_empty() {
        read_plain(line, last_year, &mut query)?;
    }
    for (field, value) in fields {
        read_field(field, value, last_year, &mut query)?;
    }
    let mut naming = Naming::default();
    naming.read(&query.first, &query.middle, &query.last, "");
    if naming.words.is_empty() && query.ids.is_empty() && query.numbers.is_empty() {
        return Err(LineError::NobodyNamed);
    }
    Ok(query)
}

fn field_of(code: &str) -> Option<Field> {
    Some(match code {
        "NAM" | "NAME" => Field::Name,
        "DOB" => Field::Birth,
        "AGE" => Field::Age,
        "SEX" => Field::Sex,
        "OLN" | "DL" | "CDL" => Field::Id(IdKind::DriverLicense),
        "CII" | "SID" => Field::Id(IdKind::Cii),
        "FBI" | "UCN" => Field::Id(IdKind::Fbi),
        "SOC" | "SSN" => Field::Id(IdKind::SocialSecurity),
        "LIC" => Field::Id(IdKind::Plate),
        "VIN" => Field::Id(IdKind::Vin),
        "MNU" => Field::Id(IdKind::Other),
        "FCN" => Field::Number(NumberKind::Fcn),
        "OCA" => Field::Number(NumberKind::LeaCase),
        "CAS" | "CASE" | "DKT" => Field::Number(NumberKind::Case),
        "REG" => Field::Number(NumberKind::Registry),
        "RAC" | "HGT" | "WGT" | "EYE" | "HAI" | "OLS" | "OLY" | "LIS" | "LIY" | "ORI" | "PUR" => {
            Field::Unused
        }
        _ => return None,
    })
}

/// Cuts a line at its field codes: `NAM/…`, at the beginning or after a point, a blank or a semicolon.
fn split_fields(line: &str) -> Vec<(Field, &str)> {
    let mut found: Vec<(Field, usize, usize)> = Vec::new();
    for (slash, _) in line.match_indices('/') {
        let before = line.get(..slash).unwrap_or_default();
        let start = before.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| {
            at + before
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)
        });
        let code = before.get(start..).unwrap_or_default().to_ascii_uppercase();
        let free = before.get(..start).unwrap_or_default().chars().next_back();
        if matches!(free, None | Some('.' | ' ' | ';' | ','))
            && let Some(field) = field_of(&code)
        {
            found.push((field, start, slash + 1));
        }
    }
    let ends = found
        .iter()
        .skip(1)
        .map(|(_, start, _)| *start)
        .chain([line.len()]);
    let ends: Vec<usize> = ends.collect();
    let value = |from: usize, to: usize| {
        line.get(from..to)
            .unwrap_or_default()
            .trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ';' | ','))
    };
    found
        .iter()
        .zip(ends)
        .map(|((field, _, from), to)| (*field, value(*from, to)))
        .collect()
}

fn read_field(field: Field, value: &str, last_year: i16, query: &mut Query) -> Result<(), LineError> {
    if value.is_empty() {
        return Ok(());
    }
    match field {
        Field::Name => read_name(value, query),
        Field::Birth => {
            query.dob = Some(Born::On(
                read_date(value, last_year).ok_or(LineError::ImpossibleDate)?,
            ))
        }
        Field::Age => query.dob = Some(read_age(value).ok_or(LineError::ImpossibleAge)?),
        Field::Sex => query.sex = read_sex(value)?,
        Field::Id(kind) => query.ids.push((kind, value.to_owned())),
        Field::Number(kind) => query.numbers.push((kind, value.to_owned())),
        Field::Unused => {}
    }
    Ok(())
}

/// `LAST,FIRST MIDDLE` or `FIRST MIDDLE LAST`.
fn read_name(value: &str, query: &mut Query) {
    if let Some((last, rest)) = value.split_once(',') {
        query.last = last.trim().to_owned();
        let mut given = rest
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty());
        query.first = given.next().unwrap_or_default().to_owned();
        query.middle = given.collect::<Vec<_>>().join(" ");
        return;
    }
    let words: Vec<&str> = value.split_whitespace().collect();
    // Of many words the first is the given name and the last two are surnames, as in JOSE LUIS GARCIA LOPEZ.
    let (first, middle, last): (&[&str], &[&str], &[&str]) = match words.as_slice() {
        [last] => (&[], &[], std::slice::from_ref(last)),
        [first, middle, last] if !is_particle(middle) => (
            std::slice::from_ref(first),
            std::slice::from_ref(middle),
            std::slice::from_ref(last),
        ),
        [first, middle, last @ ..] if last.len() >= 2 && !is_particle(middle) => {
            (std::slice::from_ref(first), std::slice::from_ref(middle), last)
        }
        [first, last @ ..] => (std::slice::from_ref(first), &[], last),
        [] => (&[], &[], &[]),
    };
    query.first = first.join(" ");
    query.middle = middle.join(" ");
    query.last = last.join(" ");
}

fn is_particle(word: &str) -> bool {
    crate::naming::is_particle(&crate::spelling::Word::new(word.to_ascii_uppercase().as_bytes()))
}

/// A line without field codes: a number, or a name with a date, an age, a sex.
fn read_plain(line: &str, last_year: i16, query: &mut Query) -> Result<(), LineError> {
    if read_number(line, query) {
        return Ok(());
    }
    let mut name: Vec<&str> = Vec::new();
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_matches(|c: char| matches!(c, ',' | ';' | '.' | '(' | ')'));
        if bare.eq_ignore_ascii_case("dob") || bare.eq_ignore_ascii_case("born") {
            continue;
        }
        if bare.eq_ignore_ascii_case("age") {
            let age = words.next().and_then(read_age);
            query.dob = Some(age.ok_or(LineError::ImpossibleAge)?);
        } else if let Some(age) = read_short_age(bare) {
            query.dob = Some(age);
        } else if looks_like_date(bare) {
            query.dob = Some(Born::On(
                read_date(bare, last_year).ok_or(LineError::ImpossibleDate)?,
            ));
        } else if query.dob.is_some() && matches!(bare, "m" | "M" | "f" | "F" | "x" | "X") {
            query.sex = read_sex(bare)?;
        } else {
            name.push(word);
        }
    }
    read_name(name.join(" ").trim_end_matches([',', ';']), query);
    Ok(())
}

/// A line that is one word with digits: a registry number, a licence, or a number of some file.
fn read_number(line: &str, query: &mut Query) -> bool {
    let plain = line
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '#' | '/'));
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let letters = line.chars().filter(char::is_ascii_alphabetic).count();
    let shape: Vec<usize> = line.split('-').map(str::len).collect();
    if plain && shape == [4, 4, 4, 1] {
        query.numbers.push((NumberKind::Registry, line.to_owned()));
        return true;
    }
    if !plain || digits < 4 || looks_like_date(line) {
        return false;
    }
    let kinds = [NumberKind::Case, NumberKind::Fcn, NumberKind::LeaCase];
    query.numbers.extend(kinds.map(|kind| (kind, line.to_owned())));
    let starts_with_letter = line.starts_with(|c: char| c.is_ascii_alphabetic());
    match (starts_with_letter && letters == 1, digits) {
        (true, 7) => query.ids.push((IdKind::DriverLicense, line.to_owned())),
        (true, 8) => query.ids.push((IdKind::Cii, line.to_owned())),
        _ => {}
    }
    true
}

fn read_sex(value: &str) -> Result<Option<Sex>, LineError> {
    match value.to_ascii_uppercase().as_str() {
        "M" | "MALE" => Ok(Some(Sex::Male)),
        "F" | "FEMALE" => Ok(Some(Sex::Female)),
        "X" => Ok(Some(Sex::Nonbinary)),
        "U" => Ok(None),
        _ => Err(LineError::UnknownSex),
    }
}

impl fmt::Display for Understood<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.0;
        let mut between = "";
        let given: Vec<&str> = [&query.first, &query.middle, &query.suffix]
            .into_iter()
            .map(String::as_str)
            .filter(|p| !p.is_empty())
            .collect();
        if !query.last.is_empty() || !given.is_empty() {
            write!(f, "name {}, {}", query.last, given.join(" "))?;
            between = "; ";
        }
        match query.dob {
            Some(Born::On(date)) => {
                write!(f, "{between}born {:04}", date.year)?;
                date.month.map_or(Ok(()), |month| write!(f, "-{month:02}"))?;
                date.day.map_or(Ok(()), |day| write!(f, "-{day:02}"))?;
                between = "; ";
            }
            Some(Born::Age { years, within, .. }) => {
                write!(f, "{between}age {years} give or take {within}")?;
                between = "; ";
            }
            None => {}
        }
        if let Some(sex) = query.sex {
            let letter = match sex {
                Sex::Male => "M",
                Sex::Female => "F",
                Sex::Nonbinary => "X",
            };
            write!(f, "{between}sex {letter}")?;
            between = "; ";
        }
        let ids = query
            .ids
            .iter()
            .map(|(kind, text)| (crate::reason::id_name(*kind), text));
        let numbers = query
            .numbers
            .iter()
            .map(|(kind, text)| (crate::reason::number_name(*kind), text));
        for (kind, text) in ids.chain(numbers) {
            write!(f, "{between}{kind} {text}")?;
            between = " or ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn echo(line: &str) -> String {
        Query::parse_line(line).map_or_else(|error| error.to_string(), |query| query.understood().to_string())
    }

    #[test]
    fn lines_with_fields() {
        assert_eq!(
            echo("NAM/GARCIA LOPEZ,JOSE.DOB/19850312.SEX/M"),
            "name GARCIA LOPEZ, JOSE; born 1985-03-12; sex M"
        );
        assert_eq!(
            echo("nam/o'brien, sean p. dob/03121985"),
            "name o'brien, sean p; born 1985-03-12"
        );
        assert_eq!(echo("OLN/D1234567.OLS/CA"), "driver's license number D1234567");
        assert_eq!(echo("LIC/8ABC123"), "license plate 8ABC123");
        assert_eq!(echo("FCN/0012345678901"), "file control number 0012345678901");
        assert_eq!(
            echo("NAM/DOE,JANE.AGE/40-44"),
            "name DOE, JANE; age 42 give or take 2"
        );
    }

    #[test]
    fn plain_lines() {
        assert_eq!(
            echo("garcia lopez, jose 3/12/85"),
            "name garcia lopez, jose; born 1985-03-12"
        );
        assert_eq!(
            echo("Jose Luis Garcia Lopez 1985-03-12 m"),
            "name Garcia Lopez, Jose Luis; born 1985-03-12; sex M"
        );
        assert_eq!(echo("maria de la cruz 1990"), "name de la cruz, maria; born 1990");
        assert_eq!(
            echo("smith, john 41yo"),
            "name smith, john; age 41 give or take 1"
        );
        assert_eq!(echo("smith, john 25/12/70"), "name smith, john; born 1970-12-25");
        assert_eq!(echo("AB12-CD34-EF56-7"), "registry number AB12-CD34-EF56-7");
        assert!(echo("ST23DV38658-0808137").starts_with("case number ST23DV38658-0808137"));
        assert!(echo("D1234567").contains("driver's license number D1234567"));
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        assert_eq!(Query::parse_line(" \u{7} "), Err(LineError::Empty));
        assert_eq!(Query::parse_line(&"A".repeat(10_000)), Err(LineError::TooLong));
        assert_eq!(
            Query::parse_line("NAM/DOE,JOHN.DOB/19851399"),
            Err(LineError::ImpossibleDate)
        );
        assert_eq!(
            Query::parse_line("doe, john 13/32/85"),
            Err(LineError::ImpossibleDate)
        );
        assert_eq!(
            Query::parse_line("NAM/DOE,JOHN.SEX/Q"),
            Err(LineError::UnknownSex)
        );
        assert_eq!(
            Query::parse_line("NAM/DOE,JOHN.AGE/500"),
            Err(LineError::ImpossibleAge)
        );
        assert_eq!(Query::parse_line("3/12/85"), Err(LineError::NobodyNamed));
        assert_eq!(Query::parse_line("🙂🙂"), Err(LineError::NobodyNamed));
    }

    #[test]
    fn years_of_two_digits_count_back_from_the_day() {
        let on = |line: &str| Query::parse_line_on(line, PartialDate::full(2026, 11, 1).unwrap()).unwrap();
        assert_eq!(
            on("doe, jane 3/12/26").dob,
            PartialDate::full(2026, 3, 12).map(Born::On)
        );
        assert_eq!(
            on("doe, jane 3/12/27").dob,
            PartialDate::full(1927, 3, 12).map(Born::On)
        );
        assert!(matches!(
            on("doe, jane age 41").dob,
            Some(Born::Age {
                years: 41,
                at: Some(_),
                ..
            })
        ));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "(\\PC|[\u{0}-\u{20}]|NAM/|DOB/|AGE/|[0-9/,.-]){0,60}") {
            if let Ok(query) = Query::parse_line(&line) {
                let _ = query.understood().to_string();
            }
        }
    }
}
