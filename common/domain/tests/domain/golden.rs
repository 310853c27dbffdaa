//! Bytes and words that must never change: a record signed today is read in twenty years. New files are written with
//! `CCPOR_WRITE_GOLDEN=1`; a change of an old one is a break of the format.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use ccpor_domain::*;

use crate::sample;

fn compare(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("CCPOR_WRITE_GOLDEN").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{name} is missing: run once with CCPOR_WRITE_GOLDEN=1 and commit it"));
    assert_eq!(expected, actual, "{name}: the format has changed");
}

fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).fold(String::new(), |mut text, line| {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text.push('\n');
        text
    })
}

#[test]
fn events_keep_their_bytes() {
    for (name, event) in sample::events() {
        let bytes = encode(&event).unwrap();
        compare(&format!("event_{name}.hex"), &hex_lines(&bytes));
        assert_eq!(decode(&bytes).unwrap(), event);
    }
}

#[test]
fn events_keep_their_json() {
    for (name, event) in sample::events() {
        let json = serde_json::to_string_pretty(&event).unwrap() + "\n";
        compare(&format!("event_{name}.json"), &json);
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }
}

/// The place of a word in its line is its stored index.
#[test]
fn closed_lists_only_grow_at_their_end() {
    let mut text = String::new();
    macro_rules! lists {
        ($($list:ident),+) => {$(
            let words: Vec<&str> = $list::ALL.iter().map(|value| value.as_str()).collect();
            writeln!(text, "{}: {}", stringify!($list), words.join(" ")).unwrap();
            for value in $list::ALL {
                assert_eq!(value.as_str().parse::<$list>().unwrap(), *value);
                assert_eq!(serde_json::to_value(value).unwrap(), value.as_str());
            }
            assert!("no such word".parse::<$list>().is_err());
        )+};
    }
    lists!(
        BradyIndicator,
        CodeTable,
        CoreField,
        EndRule,
        Family,
        Follows,
        FormKind,
        IdentifierKind,
        Media,
        Place,
        ProtectedRole,
        Relationship,
        ServiceMode,
        Sex,
        Stage,
        Status,
        StepKind,
        TermKind,
        WarningCode
    );
    compare("words.txt", &text);
}

#[test]
fn identifiers_keep_their_derivation() {
    let order = sample::order_id();
    let request = RequestId::derive("court/kern/node/1", "BFL-26-001234/DV-130");
    let text = format!(
        "order {order}\nrequest {request}\nregistry number {}\n",
        order.registry_number()
    );
    compare("identifiers.txt", &text);
}
