//! The templates: no word of a language stands in one, nothing inline that the policy forbids, and no word of the catalogue is
//! left over.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::BTreeSet;
use std::path::Path;

fn folder(name: &str, ending: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A text without everything between `open` and `close`.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, inside)) = rest.split_once(open) {
        kept.push_str(before);
        rest = inside.split_once(close).map_or("", |(_, after)| after);
    }
    kept + rest
}

#[test]
fn no_template_holds_a_bare_word() {
    for (name, text) in folder("templates", "html") {
        let plain = without(&without(&text, "{{", "}}"), "{%", "%}");
        for attribute in ["aria-label=\"", "alt=\"", "placeholder=\"", "title=\""] {
            for (place, _) in plain.match_indices(attribute) {
                let value = plain[place + attribute.len()..].split('"').next().unwrap();
                assert!(
                    !value.chars().any(char::is_alphabetic),
                    "{name}: {attribute}{value}"
                );
            }
        }
        let said = without(&plain, "<", ">").replace("CCPOR", "");
        let words: String = said.chars().filter(|c| c.is_alphabetic()).collect();
        assert_eq!(words, "", "{name}");
    }
}

#[test]
fn nothing_in_a_template_is_inline_or_of_another_host() {
    for (name, text) in folder("templates", "html") {
        for forbidden in [
            " style=",
            " onclick",
            " onload",
            "<style",
            "javascript:",
            "http:",
            "https:",
            "<iframe",
        ] {
            assert!(!text.contains(forbidden), "{name} has {forbidden}");
        }
        for script in text.split("<script").skip(1) {
            assert!(
                script.starts_with(" src=\"/assets/") && script.contains("></script>"),
                "{name}"
            );
        }
        // Every form that changes something carries the token.
        for form in text.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let posts = form.split('>').next().unwrap().contains("method=\"post\"");
            assert_eq!(posts, form.contains("token.html"), "{name}: {form}");
        }
    }
}

#[test]
fn every_word_of_the_catalogue_is_said_somewhere() {
    let catalogue = folder("words", "txt");
    let english = &catalogue[0].1;
    let keys: BTreeSet<&str> = english
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = ").map(|(key, _)| key))
        .collect();
    let all: String = folder("templates", "html")
        .into_iter()
        .chain(folder("src", "rs"))
        .map(|(_, text)| text)
        .collect();
    let used = |key: &str| {
        all.match_indices(key).any(|(place, _)| {
            let after = all[place + key.len()..].chars().next();
            let whole = after.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
            whole
                && ["w.", "words().", "self."]
                    .iter()
                    .any(|before| all[..place].ends_with(before))
        })
    };
    let left: Vec<&str> = keys.into_iter().filter(|key| !used(key)).collect();
    assert!(left.is_empty(), "{left:?}");
}
