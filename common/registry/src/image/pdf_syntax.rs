//! Reads the values of a PDF (dictionaries, arrays, names, references) in place, on a bounded supply of work; it
//! knows nothing of documents, and allocates nothing.

use std::cell::Cell;

/// Steps left. Overlapping values in a hostile file could otherwise be read again and again.
pub(super) struct Fuel(Cell<u64>);

impl Fuel {
    pub(super) fn new(steps: u64) -> Self {
        Self(Cell::new(steps))
    }

    fn burn(&self, steps: usize) -> Option<()> {
        let left = self.0.get().checked_sub(steps as u64);
        self.0.set(left.unwrap_or(0));
        left.map(drop)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.get() == 0
    }
}

/// One value; containers are given as the bytes within their brackets, to be read when wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Dictionary(&'a [u8]),
    Array(&'a [u8]),
    /// Without the slash, escapes (`#41`) as they stand.
    Name(&'a [u8]),
    Integer(u64),
    /// The object's number; its generation plays no part in finding it.
    Reference(u32),
    Keyword(&'a [u8]),
    /// A string, a real or negative number.
    Other,
}

/// A place in some bytes from which values are read.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    fuel: &'a Fuel,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, fuel: &'a Fuel) -> Self {
        Self { bytes, at, fuel }
    }

    /// The next value, or `None` at the end, at a stray closing bracket, or when the fuel is used up.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        if self.fuel.is_empty() {
            return None;
        }
        self.skip_space()?;
        match self.peek()? {
            b'<' if self.peek_second() == Some(b'<') => self.bracketed(2).map(Value::Dictionary),
            b'[' => self.bracketed(1).map(Value::Array),
            b'<' => self.skip_hex_string().map(|()| Value::Other),
            b'(' => self.skip_string().map(|()| Value::Other),
            b'/' => {
                self.at += 1;
                self.regular().map(Value::Name)
            }
            byte if is_regular(byte) => self.number_or_keyword(),
            _ => None,
        }
    }

    /// The value of `key` in a dictionary's inner bytes, read from this cursor on.
    pub(super) fn find(mut self, key: &[u8]) -> Option<Value<'a>> {
        loop {
            let Value::Name(name) = self.value()? else {
                return None;
            };
            let value = self.value()?;
            if name_is(name, key) {
                return Some(value);
            }
        }
    }

    fn number_or_keyword(&mut self) -> Option<Value<'a>> {
        let word = self.regular()?;
        let Some(number) = parse(word) else {
            let numeric = word
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'));
            return Some(if numeric {
                Value::Other
            } else {
                Value::Keyword(word)
            });
        };
        // `12 0 R`: look two words ahead.
        let mut ahead = *self;
        let generation = ahead.skip_space().and_then(|()| ahead.regular()).and_then(parse);
        let letter = generation
            .and_then(|_| ahead.skip_space())
            .and_then(|()| ahead.regular());
        if letter == Some(b"R") {
            self.at = ahead.at;
            return u32::try_from(number).ok().map(Value::Reference);
        }
        Some(Value::Integer(number))
    }

    /// The bytes between an opening bracket `width` bytes wide and the one that closes it.
    fn bracketed(&mut self, width: usize) -> Option<&'a [u8]> {
        let start = self.at + width;
        let mut depth = 0_u32;
        loop {
            self.skip_space()?;
            match (self.peek()?, self.peek_second()) {
                (b'<', Some(b'<')) => (self.at, depth) = (self.at + 2, depth + 1),
                (b'[', _) => (self.at, depth) = (self.at + 1, depth + 1),
                (b'<', _) => self.skip_hex_string()?,
                (b'(', _) => self.skip_string()?,
                (b'>', Some(b'>')) | (b']', _) => {
                    let end = self.at;
                    self.at += if self.peek() == Some(b']') { 1 } else { 2 };
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return self.bytes.get(start..end);
                    }
                }
                _ => self.at += 1,
            }
            self.fuel.burn(1)?;
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        let mut depth = 0_u32;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            self.fuel.burn(1)?;
            match byte {
                b'\\' => self.at += 1,
                b'(' => depth += 1,
                b')' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn skip_hex_string(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let length = memchr::memchr(b'>', rest);
        // A string that never ends costs its search too.
        self.fuel.burn(length.unwrap_or(rest.len()))?;
        self.at += length? + 1;
        Some(())
    }

    pub(super) fn skip_space(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'%' => {
                    let rest = self.bytes.get(self.at..)?;
                    self.at += memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                }
                _ if is_space(byte) => self.at += 1,
                _ => break,
            }
        }
        self.fuel.burn(self.at - start)
    }

    /// A run of regular characters: a name, a number or a word. May be empty (the name `/`).
    fn regular(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest
            .iter()
            .position(|&byte| !is_regular(byte))
            .unwrap_or(rest.len());
        self.at += length;
        self.fuel.burn(length + 1)?;
        rest.get(..length)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn peek_second(&self) -> Option<u8> {
        self.bytes.get(self.at + 1).copied()
    }
}

/// Whether a raw name (with `#xx` escapes) is `key`.
pub(super) fn name_is(raw: &[u8], key: &[u8]) -> bool {
    let mut rest = raw;
    for &wanted in key {
        let Some((&first, tail)) = rest.split_first() else {
            return false;
        };
        let hex = |byte: u8| char::from(byte).to_digit(16);
        let escaped = match (first, tail) {
            (b'#', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        if escaped.unwrap_or(u32::from(first)) != u32::from(wanted) {
            return false;
        }
        rest = if escaped.is_some() {
            tail.get(2..).unwrap_or_default()
        } else {
            tail
        };
    }
    rest.is_empty()
}

/// White space (ISO 32000-1, 7.2.2).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte)
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
        )
}

/// A whole number of at most ten digits.
pub(super) fn parse(word: &[u8]) -> Option<u64> {
    let digits = (1..=10).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    digits.then(|| {
        word.iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    })
}
