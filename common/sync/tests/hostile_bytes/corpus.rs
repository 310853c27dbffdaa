//! The seeds of the fuzz targets: a frame of every kind, and conversations. `CCPOR_WRITE_CORPUS=1` writes them; what the fuzz targets
//! find is added beside them by hand.

use std::path::Path;

use ccpor_ledger::{
    Body, Hash, Head, Heartbeat, Hlc, OriginId, Position, RECORD_VERSION, Receipt, Record, SignedRecord,
    SigningKey,
};
use ccpor_sync::{
    Ack, CloseReason, Divergence, DivergenceKind, Frame, Hello, OriginHead, RefusalCode, Run, WIRE_OLDEST,
    WIRE_VERSION, Welcome, encode, limits,
};

/// A seed with its name.
pub(crate) type Seed = (&'static str, Vec<u8>);

/// Every seed is in the folder, byte for byte.
pub(crate) fn check(folder: &Path, seeds: &[Seed]) {
    for (name, bytes) in seeds {
        let path = folder.join(name);
        if std::env::var_os("CCPOR_WRITE_CORPUS").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
        assert!(
            std::fs::read(&path).unwrap() == *bytes,
            "{} has changed",
            path.display()
        );
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}

fn origin(court: &str) -> OriginId {
    OriginId::new(&format!("court/{court}/node/1")).unwrap()
}

fn head(seq: u64) -> Head {
    Head {
        position: Position { epoch: 1, seq },
        hash: Hash([seq as u8; 32]),
    }
}

fn record(court: &str, seq: u64) -> SignedRecord {
    let record = Record {
        version: RECORD_VERSION,
        origin: origin(court),
        epoch: 1,
        seq,
        prev: Hash([3; 32]),
        hlc: Hlc::from_millis(1_793_000_000_000 + seq),
        key_id: key().public().id(),
        body: Body::Event(vec![0xE0; 40]),
    };
    record.sign(&key()).unwrap()
}

fn kinds() -> Vec<(&'static str, Frame)> {
    let heads = vec![OriginHead {
        origin: origin("kern"),
        head: head(2),
    }];
    let run = |court: &str| {
        let records = vec![record(court, 3), record(court, 4)];
        let last = Head {
            position: Position { epoch: 1, seq: 4 },
            hash: records[1].hash(),
        };
        Frame::Run(Run {
            origin: origin(court),
            after: Some(Position { epoch: 1, seq: 2 }),
            last,
            records,
        })
    };
    let receipt = Receipt {
        hub: "hub/1".into(),
        origin: origin("alameda"),
        head: head(4),
        received: Hlc::from_millis(1_793_000_000_009),
    };
    let heartbeat = Heartbeat {
        origin: origin("kern"),
        head: Some(head(4)),
        closed: Hlc::from_millis(1_793_000_000_010),
    };
    vec![
        (
            "hello",
            Frame::Hello(Hello {
                oldest: WIRE_OLDEST,
                newest: WIRE_VERSION,
                receive_window: u32::try_from(limits::RECEIVE_LEAST).unwrap(),
                heads: heads.clone(),
            }),
        ),
        (
            "welcome",
            Frame::Welcome(Welcome {
                version: WIRE_VERSION,
                receive_window: u32::try_from(limits::RECEIVE_MOST).unwrap(),
                heads,
            }),
        ),
        ("run", run("kern")),
        ("run-of-another", run("alameda")),
        (
            "ack",
            Frame::Ack(Ack {
                origin: origin("alameda"),
                head: head(4),
                receipt: Some(receipt.sign(&key()).unwrap()),
            }),
        ),
        (
            "have",
            Frame::Have(OriginHead {
                origin: origin("alameda"),
                head: head(9),
            }),
        ),
        (
            "resume",
            Frame::Resume {
                origin: origin("alameda"),
                head: None,
            },
        ),
        (
            "diverged",
            Frame::Diverged(Divergence {
                origin: origin("kern"),
                kind: DivergenceKind::Forked,
                ours: Some(head(4)),
                theirs: Some(head(5)),
            }),
        ),
        (
            "refused",
            Frame::Refused {
                origin: origin("alameda"),
                code: RefusalCode::CannotStore,
            },
        ),
        (
            "heartbeats",
            Frame::Heartbeats(vec![heartbeat.sign(&key()).unwrap()]),
        ),
        ("ping", Frame::Ping(7)),
        ("pong", Frame::Pong(7)),
        ("close", Frame::Close(CloseReason::Leaving)),
    ]
}

/// A frame of every kind, without its length.
pub(crate) fn frames() -> Vec<Seed> {
    let bytes = |frame: &Frame| encode(frame).unwrap().split_off(ccpor_sync::LENGTH_PREFIX);
    kinds()
        .iter()
        .map(|(name, frame)| (*name, bytes(frame)))
        .collect()
}

/// What a peer says from the first byte on; the first byte of a seed chooses the side that listens to it.
pub(crate) fn conversations() -> Vec<Seed> {
    const TO_LISTENER: u8 = 0;
    const TO_DIALLER: u8 = 1;
    let kinds = kinds();
    let say = |side: u8, names: &[&str]| {
        let mut said = vec![side];
        for name in names {
            let (_, frame) = kinds.iter().find(|(kind, _)| kind == name).unwrap();
            said.extend(encode(frame).unwrap());
        }
        said
    };
    let mut cut_off = say(TO_LISTENER, &["hello", "run"]);
    cut_off.truncate(cut_off.len() - 9);
    let mut too_long = say(TO_LISTENER, &["hello"]);
    too_long.extend(u32::MAX.to_be_bytes());
    vec![
        (
            "node-sends-a-run-twice",
            say(TO_LISTENER, &["hello", "run", "run", "ping", "close"]),
        ),
        (
            "hub-sends-a-run",
            say(TO_DIALLER, &["welcome", "run", "heartbeats", "pong"]),
        ),
        ("run-before-the-greeting", say(TO_LISTENER, &["run"])),
        ("two-greetings", say(TO_LISTENER, &["hello", "hello"])),
        (
            "records-of-another",
            say(TO_LISTENER, &["hello", "run-of-another"]),
        ),
        (
            "everything",
            say(
                TO_LISTENER,
                &["hello", "have", "resume", "ack", "diverged", "refused", "run"],
            ),
        ),
        ("cut-off", cut_off),
        ("too-long", too_long),
    ]
}
