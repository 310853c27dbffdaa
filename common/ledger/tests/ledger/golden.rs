//! Bytes that are forever: each kind of signed and stored bytes against a committed file.
//!
//! `CCPOR_WRITE_GOLDEN=1` writes the files; a difference otherwise means that old ledgers could not be read any more.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use ccpor_ledger::{
    Body, EpochReason, EpochStart, Hash, Head, Heartbeat, Hlc, RECORD_VERSION, Receipt, Record, SignedRecord,
    SigningKey,
};

use crate::court::{Court, at, body};

fn check(name: &str, bytes: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.hex"));
    let mut hex = String::new();
    for line in bytes.chunks(32) {
        line.iter().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
        hex.push('\n');
    }
    if std::env::var_os("CCPOR_WRITE_GOLDEN").is_some() {
        fs::write(&path, &hex).unwrap();
    }
    assert_eq!(
        hex,
        fs::read_to_string(&path).unwrap(),
        "{name}: the bytes of this kind have changed"
    );
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

fn start(reason: EpochReason, previous: Option<Head>) -> Record {
    let signing_key = *key().public().as_bytes();
    let chain = vec![vec![0x30, 0x01, 0x02], vec![0x30, 0x03]];
    Record {
        version: RECORD_VERSION,
        origin: Court::new().origin,
        epoch: previous.map_or(1, |head| head.position.epoch + 1),
        seq: 1,
        prev: previous.map_or(Hash::ZERO, |head| head.hash),
        hlc: Hlc::from_millis(1_793_000_000_000),
        key_id: key().public().id(),
        body: Body::EpochStart(EpochStart {
            reason,
            previous,
            signing_key,
            chain,
        }),
    }
}

fn joined(signed: &SignedRecord) -> Vec<u8> {
    [&signed.bytes[..], &signed.signature, &signed.hash().0].concat()
}

#[test]
fn records() {
    let first = start(EpochReason::Created, None).sign(&key()).unwrap();
    check("record-epoch-start-first", &joined(&first));
    let previous = Head {
        position: at(1, 1),
        hash: first.hash(),
    };
    for (name, reason) in [
        ("key-rotated", EpochReason::KeyRotated),
        ("restored", EpochReason::Restored),
        ("cloned", EpochReason::Cloned),
        ("repaired", EpochReason::Repaired),
    ] {
        let record = start(reason, Some(previous));
        let signed = record.sign(&key()).unwrap();
        check(&format!("record-epoch-start-{name}"), &joined(&signed));
        assert_eq!(signed.decode(), Ok(record));
    }
    let event = Record {
        seq: 2,
        prev: first.hash(),
        body: Body::Event(body(3)),
        ..start(EpochReason::Created, None)
    };
    let signed = event.sign(&key()).unwrap();
    check("record-event", &joined(&signed));
    assert_eq!(signed.decode(), Ok(event));
    let handover = Record {
        seq: 2,
        prev: first.hash(),
        body: Body::KeyHandover([0xaa; 32]),
        ..start(EpochReason::Created, None)
    };
    let handed = handover.sign(&key()).unwrap();
    check("record-key-handover", &joined(&handed));
    assert_eq!(handed.decode(), Ok(handover));
    signed.verify(&key().public()).unwrap();
}

#[test]
fn receipt() {
    let head = Head {
        position: at(2, 812),
        hash: Hash([5; 32]),
    };
    let received = Hlc::from_millis(1_793_000_000_123);
    let receipt = Receipt {
        hub: "hub/1".to_owned(),
        origin: Court::new().origin,
        head,
        received,
    };
    let signed = receipt.sign(&key()).unwrap();
    check("receipt", &[&signed.bytes[..], &signed.signature].concat());
    assert_eq!(signed.verify(&key().public()), Ok(receipt));
}

#[test]
fn heartbeat() {
    let head = Some(Head {
        position: at(2, 812),
        hash: Hash([5; 32]),
    });
    for (name, head) in [("heartbeat", head), ("heartbeat-empty", None)] {
        let heartbeat = Heartbeat {
            origin: Court::new().origin,
            head,
            closed: Hlc(99),
        };
        let signed = heartbeat.sign(&key()).unwrap();
        check(name, &[&signed.bytes[..], &signed.signature].concat());
        assert_eq!(signed.verify(&key().public()), Ok(heartbeat));
    }
}

#[test]
fn files() {
    let court = Court::with_segments(1 << 10);
    crate::court::filled(&court, 12);
    let first = fs::read(court.segment(1)).unwrap();
    check("segment-sealed", &first);
    let second = fs::read(court.segment(2)).unwrap();
    check("segment-header", &second[..256]);
    check(
        "offsets",
        &fs::read(court.dir().join("00000001.offsets")).unwrap(),
    );
    let mark = fs::read(court.dir().join("durable")).unwrap();
    assert_eq!(mark.len(), 8192);
    check("durable-mark", &mark[4096..4096 + 112]);
}
