//! One JSON object of a line, read field by field: each taken once, each fault kept with its path, what nobody took told
//! at the end. It knows no order.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::fault::{Fault, Reason};

/// What came to light while a line was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Findings {
    /// What is wrong with it.
    pub(super) faults: Vec<Fault>,
    /// Fields that hold something and that no one knows, without their place in lists: `protected[].address`.
    pub(super) unknown: Vec<String>,
}

/// An object being read.
pub(super) struct Fields<'a> {
    map: Map<String, Value>,
    path: String,
    findings: &'a mut Findings,
}

impl<'a> Fields<'a> {
    /// Reads the object of a line. What `read` leaves becomes an unknown field.
    pub(super) fn read<T>(
        map: Map<String, Value>,
        findings: &'a mut Findings,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut fields = Self {
            map,
            path: String::new(),
            findings,
        };
        let value = read(&mut fields);
        fields.tell_unknown();
        value
    }

    /// Refuses a field of this object.
    pub(super) fn refuse(&mut self, name: &str, reason: impl Into<Reason>) {
        let field = self.at(name);
        self.findings.faults.push(Fault::new(field, reason));
    }

    /// Whether a fault stands against this field, or something in it.
    pub(super) fn is_refused(&self, name: &str) -> bool {
        let field = self.at(name);
        let inside = |fault: &Fault| match fault.field.strip_prefix(&field) {
            Some(rest) => rest.is_empty() || rest.starts_with(['.', '[']),
            None => false,
        };
        self.findings.faults.iter().any(inside)
    }

    /// Whether the field holds something.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(says_something)
    }

    /// The field whatever it is; none when it is absent, null or blank.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(says_something)
    }

    /// Puts a value in the place of a field.
    pub(super) fn put(&mut self, name: &str, value: Value) {
        self.map.insert(name.to_owned(), value);
    }

    /// Another name for a field. Both may be there when they say the same.
    pub(super) fn alias(&mut self, name: &'static str, other: &str) {
        let Some(value) = self.take(other) else { return };
        match self.map.get(name).filter(|held| says_something(held)) {
            None => self.put(name, value),
            Some(held) if *held == value => {}
            Some(_) => self.refuse(other, Reason::Disagrees { other: name }),
        }
    }

    /// A text, trimmed; empty when it is missing. A number stands for its digits.
    pub(super) fn text(&mut self, name: &str) -> String {
        let Some(value) = self.take(name) else {
            return String::new();
        };
        self.text_of(name, value).unwrap_or_default()
    }

    /// A text in its one written form.
    pub(super) fn parsed<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: Into<Reason>>,
    {
        let text = self.text(name);
        if text.is_empty() {
            return None;
        }
        text.parse()
            .map_err(|error: T::Err| self.refuse(name, error))
            .ok()
    }

    /// A word of a closed list, or the value that stands for its absence.
    pub(super) fn word<T>(&mut self, name: &str) -> T
    where
        T: FromStr<Err: Into<Reason>> + Default,
    {
        self.parsed(name).unwrap_or_default()
    }

    /// A number in a range; from a text, too.
    pub(super) fn number(&mut self, name: &str, least: u32, most: u32) -> Option<f64> {
        let number = match self.take(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        let number = number.filter(|number| (f64::from(least)..=f64::from(most)).contains(number));
        if number.is_none() {
            self.refuse(name, Reason::Number { least, most });
        }
        number
    }

    /// A whole number in a range.
    pub(super) fn whole<T: TryFrom<u32>>(&mut self, name: &str, least: u32, most: u32) -> Option<T> {
        let number = self.number(name, least, most)?;
        let whole = (number.fract() == 0.0).then(|| rounded(number)).flatten();
        if whole.is_none() {
            self.refuse(name, Reason::Number { least, most });
        }
        whole
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let said = match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            Value::Number(number) if number.as_u64() == Some(1) => Some(true),
            Value::Number(number) if number.as_u64() == Some(0) => Some(false),
            Value::String(text) => flag_of(&text),
            _ => None,
        };
        if said.is_none() {
            self.refuse(name, Reason::Shape("true or false"));
        }
        said
    }

    /// Texts: a list, or one text in which they are separated by one of `separators`.
    pub(super) fn texts(&mut self, name: &str, separators: &[char]) -> Vec<String> {
        let texts = match self.take(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let said = items
                    .into_iter()
                    .enumerate()
                    .filter(|(_, item)| says_something(item));
                said.filter_map(|(place, item)| self.text_of(&format!("{name}[{place}]"), item))
                    .collect()
            }
            Some(value) => {
                let text = self.text_of(name, value).unwrap_or_default();
                text.split(separators)
                    .map(|part| part.trim().to_owned())
                    .collect()
            }
        };
        texts.into_iter().filter(|text| !text.is_empty()).collect()
    }

    /// An object in this one; none when it is missing.
    pub(super) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        match self.take(name)? {
            Value::Object(map) => Some(self.inner(name, map, read)),
            _ => {
                self.refuse(name, Reason::Shape("an object"));
                None
            }
        }
    }

    /// The things in a list, or a thing that stands alone; in a text they are separated by semicolons. Gaps are passed over.
    pub(super) fn items(&mut self, name: &str) -> Vec<(String, Value)> {
        let items = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(Value::String(text)) => text
                .split(';')
                .map(|part| Value::String(part.trim().to_owned()))
                .collect(),
            Some(alone) => vec![alone],
        };
        let placed = items
            .into_iter()
            .enumerate()
            .map(|(place, item)| (format!("{name}[{place}]"), item));
        placed.filter(|(_, item)| says_something(item)).collect()
    }

    /// The objects in a list, or one that stands alone.
    pub(super) fn each<T>(&mut self, name: &str, mut read: impl FnMut(&mut Fields<'_>) -> T) -> Vec<T> {
        let items = self.items(name);
        items
            .into_iter()
            .filter_map(|(name, item)| match item {
                Value::Object(map) => Some(self.inner(&name, map, &mut read)),
                _ => {
                    self.refuse(&name, Reason::Shape("an object"));
                    None
                }
            })
            .collect()
    }

    /// Reads `map` as the object at `name` of this one.
    pub(super) fn inner<T>(
        &mut self,
        name: &str,
        map: Map<String, Value>,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> T {
        let path = self.at(name);
        let mut fields = Fields {
            map,
            path,
            findings: self.findings,
        };
        let value = read(&mut fields);
        fields.tell_unknown();
        value
    }

    /// The text of a value that is one.
    pub(super) fn text_of(&mut self, name: &str, value: Value) -> Option<String> {
        let text = match value {
            Value::String(text) => trimmed(text),
            Value::Number(number) => number.to_string(),
            _ => {
                self.refuse(name, Reason::Shape("a text"));
                return None;
            }
        };
        let unfit = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
        if text.chars().any(unfit) {
            self.refuse(name, Reason::ControlCharacters);
            return None;
        }
        Some(text)
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn tell_unknown(&mut self) {
        let path = without_places(&self.path);
        let left = std::mem::take(&mut self.map)
            .into_iter()
            .filter(|(_, value)| says_something(value));
        for (name, _) in left {
            let field = if path.is_empty() {
                name
            } else {
                format!("{path}.{name}")
            };
            self.findings.unknown.push(field);
        }
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Trims without a copy where there is nothing to trim.
fn trimmed(text: String) -> String {
    let kept = text.trim();
    if kept.len() == text.len() {
        text
    } else {
        kept.to_owned()
    }
}

fn flag_of(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "1" => Some(true),
        "false" | "no" | "n" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// `protected[3].aliases[0]` is `protected[].aliases[]`.
fn without_places(path: &str) -> String {
    path.chars()
        .filter(|character| !character.is_ascii_digit())
        .collect()
}

/// The nearest whole number, where the type has it.
pub(super) fn rounded<T: TryFrom<u32>>(number: f64) -> Option<T> {
    let nearest = number.round();
    if !(0.0..=f64::from(u32::MAX)).contains(&nearest) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in the range, just looked at"
    )]
    T::try_from(nearest as u32).ok()
}
