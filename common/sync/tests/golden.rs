//! The bytes of every frame of every protocol version, which may never change: compared with committed ones.
//!
//! What a new [`ccpor_sync::WIRE_VERSION`] adds has a file of its own; `CCPOR_BLESS=1` writes the newest version's anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::BTreeSet;

use ccpor_ledger::{Hash, Head, OriginId, Position, SignedHeartbeat, SignedReceipt, SignedRecord};
use ccpor_sync::{
    Ack, CloseReason, Divergence, DivergenceKind, Frame, Hello, OriginHead, RefusalCode, Run, WIRE_VERSION,
    Welcome, decode, encode,
};

#[test]
fn every_frame_has_its_golden_bytes() {
    for version in 1..=WIRE_VERSION {
        let written: String = added_by(version)
            .iter()
            .map(|(name, frame)| {
                let bytes = encode(frame).unwrap();
                assert_eq!(decode(&bytes[4..]).as_ref(), Ok(frame), "{name}");
                format!("{name} {}\n", hex(&bytes))
            })
            .collect();
        let path = format!(
            "{}/tests/golden/frames-v{version}.txt",
            env!("CARGO_MANIFEST_DIR")
        );
        if std::env::var_os("CCPOR_BLESS").is_some() && version == WIRE_VERSION {
            std::fs::write(&path, &written).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        for (is, was) in written.lines().zip(golden.lines()) {
            assert_eq!(is, was);
        }
        assert_eq!(written.lines().count(), golden.lines().count());
    }
}

#[test]
fn every_kind_of_frame_is_among_them_under_its_number() {
    let mut seen = BTreeSet::new();
    for (name, frame) in (1..=WIRE_VERSION).flat_map(added_by) {
        let bytes = encode(&frame).unwrap();
        let number = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
        assert_eq!(number, number_of(&frame), "{name}");
        seen.insert(number);
    }
    assert_eq!(seen, (0..KINDS).collect());
}

/// How many kinds of frames there are.
const KINDS: u32 = 12;

/// The number of each kind on the wire. A new kind is added here, counted above, and given its golden bytes.
fn number_of(frame: &Frame) -> u32 {
    match frame {
        Frame::Hello(_) => 0,
        Frame::Welcome(_) => 1,
        Frame::Run(_) => 2,
        Frame::Ack(_) => 3,
        Frame::Have(_) => 4,
        Frame::Resume { .. } => 5,
        Frame::Diverged(_) => 6,
        Frame::Refused { .. } => 7,
        Frame::Heartbeats(_) => 8,
        Frame::Ping(_) => 9,
        Frame::Pong(_) => 10,
        Frame::Close(_) => 11,
    }
}

/// The frames and reasons that a version added to the one before.
fn added_by(version: u16) -> Vec<(String, Frame)> {
    match version {
        1 => first_frames(),
        2 => vec![refused(RefusalCode::NotChosen)],
        later => panic!("version {later} has no golden bytes yet"),
    }
}

fn refused(code: RefusalCode) -> (String, Frame) {
    let origin = alameda();
    (format!("refused-{code:?}"), Frame::Refused { origin, code })
}

fn first_frames() -> Vec<(String, Frame)> {
    let mut frames: Vec<(String, Frame)> = [greetings(), runs(), heads(), signs_of_life()]
        .into_iter()
        .flatten()
        .map(|(name, frame)| (name.to_owned(), frame))
        .collect();
    for code in [
        RefusalCode::NotYours,
        RefusalCode::BadRecord,
        RefusalCode::CannotStore,
    ] {
        frames.push(refused(code));
    }
    for reason in CloseReason::ALL {
        assert_eq!(CloseReason::from_code(u64::from(reason.code())), Some(reason));
        frames.push((format!("close-{reason:?}"), Frame::Close(reason)));
    }
    frames
}

fn greetings() -> Vec<(&'static str, Frame)> {
    let yurok = OriginId::new("tribal/yurok/node/1").unwrap();
    let heads = vec![at(alameda(), 2), at(yurok, 9)];
    let receive_window = 14_942_208;
    let hello = Hello {
        oldest: 1,
        newest: 1,
        receive_window,
        heads: heads.clone(),
    };
    let welcome = Welcome {
        version: 1,
        receive_window,
        heads,
    };
    vec![
        ("hello", Frame::Hello(hello)),
        ("welcome", Frame::Welcome(welcome)),
    ]
}

fn runs() -> Vec<(&'static str, Frame)> {
    let record = |byte: u8| SignedRecord {
        bytes: vec![byte; 5],
        signature: [byte; 64],
    };
    let run = |after, last, records| {
        Frame::Run(Run {
            origin: alameda(),
            after,
            last,
            records,
        })
    };
    let receipt = SignedReceipt {
        bytes: vec![3; 4],
        signature: [4; 64],
    };
    let ack = |receipt| {
        Frame::Ack(Ack {
            origin: alameda(),
            head: head(4),
            receipt,
        })
    };
    vec![
        (
            "run",
            run(Some(head(2).position), head(4), vec![record(1), record(2)]),
        ),
        ("run-from-the-first", run(None, head(1), vec![record(1)])),
        ("ack", ack(Some(receipt))),
        ("ack-of-a-node", ack(None)),
    ]
}

fn heads() -> Vec<(&'static str, Frame)> {
    let resume = |head| Frame::Resume {
        origin: alameda(),
        head,
    };
    let found = |kind| Divergence {
        origin: alameda(),
        kind,
        ours: Some(head(4)),
        theirs: None,
    };
    vec![
        ("have", Frame::Have(at(alameda(), 4))),
        ("resume", resume(Some(head(4)))),
        ("resume-from-the-first", resume(None)),
        (
            "diverged-writer-behind",
            Frame::Diverged(found(DivergenceKind::WriterBehind)),
        ),
        ("diverged-forked", Frame::Diverged(found(DivergenceKind::Forked))),
    ]
}

fn signs_of_life() -> Vec<(&'static str, Frame)> {
    let heartbeat = SignedHeartbeat {
        bytes: vec![5; 3],
        signature: [6; 64],
    };
    vec![
        (
            "heartbeats",
            Frame::Heartbeats(vec![heartbeat.clone(), heartbeat]),
        ),
        ("ping", Frame::Ping(7)),
        ("pong", Frame::Pong(7)),
    ]
}

fn alameda() -> OriginId {
    OriginId::new("court/alameda/node/1").unwrap()
}

fn head(seq: u8) -> Head {
    Head {
        position: Position {
            epoch: 1,
            seq: u64::from(seq),
        },
        hash: Hash([seq; 32]),
    }
}

fn at(origin: OriginId, seq: u8) -> OriginHead {
    OriginHead {
        origin,
        head: head(seq),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
