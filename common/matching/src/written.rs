//! Dates and ages as people write them; American order, and the other where only that is possible.

use crate::date::{Born, PartialDate};

/// A two-digit year without a day to count from lies in the hundred years up to this one.
pub(crate) const LAST_TWO_DIGIT_YEAR: i16 = 2030;
/// Earliest birth year that is taken for one.
pub(crate) const FIRST_YEAR: i16 = 1900;

/// Digits with slashes or hyphens between, or a year, or eight digits that are a day.
pub(crate) fn looks_like_date(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['/', '-']).collect();
    let digits = parts
        .iter()
        .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    match parts.as_slice() {
        _ if !digits => false,
        [whole] => match whole.len() {
            4 => whole
                .parse()
                .is_ok_and(|year: i16| (FIRST_YEAR..=2056).contains(&year)),
            8 => read_date(whole, LAST_TWO_DIGIT_YEAR).is_some(),
            _ => false,
        },
        [a, b] => a.len().max(b.len()) == 4 && a.len().min(b.len()) <= 2,
        [a, b, c] => b.len() <= 2 && a.len() + c.len() <= 6,
        _ => false,
    }
}

/// `3/12/1985`, `3-12-85`, `1985-03-12`, `19850312`, `03121985`, `198503`, `031285`, `3/1985`, `1985`.
pub(crate) fn read_date(value: &str, last_year: i16) -> Option<PartialDate> {
    let parts: Vec<&str> = value
        .split(['/', '-', '.', ' '])
        .filter(|part| !part.is_empty())
        .collect();
    if !parts
        .iter()
        .all(|part| part.len() <= 8 && part.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let number = |text: &str| text.parse::<i16>().ok();
    let cut =
        |text: &'_ str, from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<i16>().ok());
    match parts.as_slice() {
        [whole] => match whole.len() {
            4 => known_year(number(whole)?).map(PartialDate::year),
            6 => match known_year(cut(whole, 0, 4)?) {
                Some(year) if (1..=12).contains(&cut(whole, 4, 6)?) => month_of(year, cut(whole, 4, 6)?),
                _ => day_of(
                    full_year(cut(whole, 4, 6)?, last_year),
                    cut(whole, 0, 2)?,
                    cut(whole, 2, 4)?,
                ),
            },
            8 => known_year(cut(whole, 0, 4)?)
                .and_then(|year| day_of(year, cut(whole, 4, 6)?, cut(whole, 6, 8)?))
                .or_else(|| {
                    day_of(
                        known_year(cut(whole, 4, 8)?)?,
                        cut(whole, 0, 2)?,
                        cut(whole, 2, 4)?,
                    )
                }),
            _ => None,
        },
        [a, b] if a.len() == 4 => month_of(known_year(number(a)?)?, number(b)?),
        [a, b] if b.len() == 4 => month_of(known_year(number(b)?)?, number(a)?),
        [a, b, c] if a.len() == 4 => day_of(known_year(number(a)?)?, number(b)?, number(c)?),
        [a, b, c] if c.len() == 4 => day_of(known_year(number(c)?)?, number(a)?, number(b)?),
        [a, b, c] if c.len() <= 2 => day_of(full_year(number(c)?, last_year), number(a)?, number(b)?),
        _ => None,
    }
}

fn known_year(year: i16) -> Option<i16> {
    (FIRST_YEAR..=2056).contains(&year).then_some(year)
}

/// The latest year up to `last` that ends so.
fn full_year(two_digits: i16, last: i16) -> i16 {
    last - (last - two_digits).rem_euclid(100)
}

fn month_of(year: i16, month: i16) -> Option<PartialDate> {
    let date = PartialDate {
        year,
        month: Some(u8::try_from(month).ok()?),
        day: None,
    };
    date.is_possible().then_some(date)
}

/// Month first, as is usual in America; day first when only that is possible.
fn day_of(year: i16, month: i16, day: i16) -> Option<PartialDate> {
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    PartialDate::full(year, month, day).or_else(|| PartialDate::full(year, day, month))
}

/// `41` or `40-45`.
pub(crate) fn read_age(value: &str) -> Option<Born> {
    let (from, to) = value.split_once('-').unwrap_or((value, value));
    let (from, to) = (from.trim().parse::<u8>().ok()?, to.trim().parse::<u8>().ok()?);
    if from > to || to > 120 {
        return None;
    }
    let within = if from == to { 1 } else { (to - from).div_ceil(2) };
    Some(Born::Age {
        years: from + (to - from) / 2,
        within,
        at: None,
    })
}

/// `41yo`, `41y`, `41yoa`.
pub(crate) fn read_short_age(word: &str) -> Option<Born> {
    let word = word.to_ascii_lowercase();
    let years = ["yoa", "y/o", "yo", "y"]
        .iter()
        .find_map(|end| word.strip_suffix(end))?;
    if years.is_empty() { None } else { read_age(years) }
}
