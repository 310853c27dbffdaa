//! Turns the catalogues of words, one file a language, into one struct with a field for each word: a page cannot use a word
//! that is missing in a language.

use std::collections::BTreeMap;
use std::path::Path;

/// The languages: file and name of the constant. The first is the one that the others are compared with.
const LANGUAGES: [(&str, &str); 2] = [("en", "ENGLISH"), ("es", "SPANISH")];

type Catalogue = BTreeMap<String, String>;

/// Writes `words.rs` from `en.txt` and `es.txt`.
pub(crate) fn write(folder: &Path, target: &Path) -> Result<(), String> {
    let mut catalogues = Vec::new();
    for (language, constant) in LANGUAGES {
        let file = folder.join(language).with_extension("txt");
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        catalogues.push((language, constant, read(&text, language)?));
    }
    let Some((_, _, first)) = catalogues.first() else {
        return Err("no language".to_owned());
    };
    let mut code = String::from("/// Every word of the pages in one language.\npub struct Words {\n");
    for (key, text) in first {
        code.push_str(&format!(
            "    /// `{}`\n    pub {key}: &'static str,\n",
            text.replace('`', "'")
        ));
    }
    code.push_str("}\n\n");
    for (language, constant, words) in &catalogues {
        same(first, words, language)?;
        code.push_str(&format!("pub(crate) static {constant}: Words = Words {{\n"));
        for (key, text) in words {
            code.push_str(&format!("    {key}: {text:?},\n"));
        }
        code.push_str("};\n\n");
    }
    std::fs::write(target, code).map_err(|error| format!("{}: {error}", target.display()))
}

/// `key = words` on each line; `#` begins a remark.
fn read(text: &str, language: &str) -> Result<Catalogue, String> {
    let mut words = Catalogue::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("words/{language}.txt, line {}", number + 1);
        let (key, said) = line
            .split_once(" = ")
            .ok_or(format!("{place}: expected: key = words"))?;
        let shaped = key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !shaped || key.is_empty() || said.trim().is_empty() {
            return Err(format!("{place}: expected: key = words"));
        }
        if words.insert(key.to_owned(), said.trim().to_owned()).is_some() {
            return Err(format!("{place}: {key} stands there twice"));
        }
    }
    Ok(words)
}

/// Both have the same keys with the same places to fill in.
fn same(first: &Catalogue, other: &Catalogue, language: &str) -> Result<(), String> {
    if let Some(key) = first.keys().find(|key| !other.contains_key(*key)) {
        return Err(format!("words/{language}.txt lacks {key}"));
    }
    if let Some(key) = other.keys().find(|key| !first.contains_key(*key)) {
        return Err(format!(
            "words/{language}.txt has {key}, which the first language lacks"
        ));
    }
    let differs =
        |(key, text): &(&String, &String)| other.get(*key).is_none_or(|said| places(said) != places(text));
    match first.iter().find(differs) {
        Some((key, _)) => Err(format!(
            "words/{language}.txt: {key} has other places to fill in than the first language"
        )),
        None => Ok(()),
    }
}

/// The places to fill in: `{court}`, sorted.
fn places(text: &str) -> Vec<&str> {
    let mut places: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    places.sort_unstable();
    places
}
