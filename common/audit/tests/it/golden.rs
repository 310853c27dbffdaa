//! The bytes of every kind of entry are pinned: trails are read for years. `CCPOR_GOLDEN=write` writes the files of new kinds.

use std::path::PathBuf;

use ccpor_audit::{
    Act, BeganAnew, Entry, KeyBegan, KeyDestroyed, Kind, Operation, Outcome, Reading, Sealed, SealedTo, Tag,
    Who, decode, encode,
};
use ccpor_domain::{OrderId, UtcMillis};
use serde::de::DeserializeOwned;

/// A value of a type whose parts are private, from its JSON form.
fn from_json<T: DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn bytes<const N: usize>(byte: u8) -> Vec<u8> {
    vec![byte; N]
}

fn act() -> Act {
    let tag = |byte| from_json::<Tag>(serde_json::json!(bytes::<16>(byte)));
    let sealed: Sealed = from_json(serde_json::json!({ "nonce": bytes::<12>(3), "bytes": bytes::<80>(4) }));
    Act {
        at: UtcMillis(1_795_633_200_123),
        request: "19a5b3c8f00-2a".into(),
        by: Who {
            identity: "lea/alameda-so".into(),
            agency: "lea/alameda-so".into(),
            ori: "CA0010000".into(),
            user: "jdoe".into(),
            role: "dispatch".into(),
            via: "court/kern/node/1".into(),
            source: "192.0.2.7:51234".into(),
        },
        operation: Operation::LookUp,
        outcome: Outcome::Done,
        orders: vec![OrderId([7; 16]), OrderId([8; 16])],
        image: Some([5; 32]),
        hits: 2,
        took_us: 1_234,
        served_by: "court/alameda/node/1".into(),
        also_asked: "hub/1".into(),
        states_purpose: true,
        states_case: true,
        emergency: true,
        times: 1,
        key: Some(from_json(serde_json::json!(bytes::<16>(2)))),
        told: Some(sealed),
        asked_tags: vec![tag(1), tag(2)],
        shown_tags: vec![tag(3)],
    }
}

fn entries() -> Vec<(String, Entry)> {
    let key = || from_json(serde_json::json!(bytes::<16>(2)));
    let sealed: SealedTo =
        from_json(serde_json::json!({ "secret": bytes::<65>(1), "bytes": bytes::<48>(2) }));
    let at = UtcMillis(1_795_633_200_123);
    let mut entries = vec![
        ("act".to_owned(), Entry::Act(Box::new(act()))),
        (
            "key_began".to_owned(),
            Entry::KeyBegan(KeyBegan {
                at,
                key: key(),
                day: "2026-11-25".into(),
                auditors: "0123456789abcdef".into(),
                file: [6; 32],
            }),
        ),
        (
            "key_destroyed".to_owned(),
            Entry::KeyDestroyed(KeyDestroyed {
                at,
                key: key(),
                day: "2023-11-25".into(),
            }),
        ),
        (
            "began_anew".to_owned(),
            Entry::BeganAnew(BeganAnew {
                at,
                kept_in: "aside-0001".into(),
                records: 12,
            }),
        ),
        (
            "read".to_owned(),
            Entry::Read(Reading {
                at,
                user: "auditor".into(),
                auditors: "0123456789abcdef".into(),
                operation: Operation::AuditSearch,
                reason: "complaint 26-11".into(),
                told: Some(sealed),
                entries: 3,
            }),
        ),
    ];
    let outcomes = [
        Outcome::Refused("not-allowed".into()),
        Outcome::Failed("unavailable".into()),
        Outcome::CutOff,
        Outcome::Begun,
    ];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        entries.push((
            format!("outcome_{number}"),
            Entry::Act(Box::new(Act { outcome, ..act() })),
        ));
    }
    for operation in Operation::ALL {
        let name = format!("operation_{}", operation.as_str().replace('-', "_"));
        entries.push((
            name,
            Entry::Act(Box::new(Act {
                operation: *operation,
                told: None,
                asked_tags: Vec::new(),
                shown_tags: Vec::new(),
                ..act()
            })),
        ));
    }
    entries
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_entry_has_the_bytes_that_were_pinned_and_is_read_from_them() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for (name, entry) in entries() {
        let path = folder.join(format!("{name}.hex"));
        let encoded = encode(&entry).unwrap();
        if !path.exists() && std::env::var("CCPOR_GOLDEN").is_ok_and(|what| what == "write") {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, hex(&encoded) + "\n").unwrap();
        }
        let pinned = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(hex(&encoded), pinned.trim_end(), "{name}");
        assert_eq!(decode(&encoded), Ok(entry), "{name}");
    }
}

#[test]
fn nothing_but_an_entry_in_its_one_form_is_read() {
    let bytes = encode(&Entry::Act(Box::new(act()))).unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode(&longer).is_err());
    let mut newer = bytes.clone();
    newer[0] = 2;
    assert!(decode(&newer).is_err(), "a later version");
    let mut unknown = bytes;
    unknown[2] = 99;
    assert!(decode(&unknown).is_err(), "an entry that is not known");
}

#[test]
fn what_is_recorded_covers_the_operations_of_every_kind() {
    for kind in Kind::ALL {
        assert!(Operation::ALL.iter().any(|operation| operation.kind() == *kind));
    }
}
