//! The bytes of every frame of protocol version 1, which may never change: compared with committed ones.
//!
//! A deliberate change comes with a new [`ccpor_sync::WIRE_VERSION`]; `CCPOR_BLESS=1` writes the file anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

use ccpor_ledger::{Hash, Head, OriginId, Position, SignedHeartbeat, SignedReceipt, SignedRecord};
use ccpor_sync::{
    Ack, CloseReason, Divergence, DivergenceKind, Frame, Hello, OriginHead, RefusalCode, Run, WIRE_VERSION,
    Welcome, decode, encode,
};

#[test]
fn every_frame_has_its_golden_bytes() {
    let written: String = frames()
        .iter()
        .map(|(name, frame)| {
            let bytes = encode(frame).unwrap();
            assert_eq!(decode(&bytes[4..]).as_ref(), Ok(frame), "{name}");
            format!("{name} {}\n", hex(&bytes))
        })
        .collect();
    let path = format!(
        "{}/tests/golden/frames-v{WIRE_VERSION}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("CCPOR_BLESS").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (is, was) in written.lines().zip(golden.lines()) {
        assert_eq!(is, was);
    }
    assert_eq!(written.lines().count(), golden.lines().count());
}

fn frames() -> Vec<(String, Frame)> {
    let origin = OriginId::new("court/alameda/node/1").unwrap();
    let head = |seq| Head {
        position: Position { epoch: 1, seq },
        hash: Hash([seq as u8; 32]),
    };
    let at = |seq| OriginHead {
        origin: origin.clone(),
        head: head(seq),
    };
    let tribal = OriginHead {
        origin: OriginId::new("tribal/yurok/node/1").unwrap(),
        head: head(9),
    };
    let record = |byte: u8| SignedRecord {
        bytes: vec![byte; 5],
        signature: [byte; 64],
    };
    let receipt = SignedReceipt {
        bytes: vec![3; 4],
        signature: [4; 64],
    };
    let heartbeat = SignedHeartbeat {
        bytes: vec![5; 3],
        signature: [6; 64],
    };
    let heads = vec![at(2), tribal];
    let found = |kind| Divergence {
        origin: origin.clone(),
        kind,
        ours: Some(head(4)),
        theirs: None,
    };
    let mut frames = vec![
        (
            "hello",
            Frame::Hello(Hello {
                oldest: 1,
                newest: 1,
                receive_window: 14_942_208,
                heads: heads.clone(),
            }),
        ),
        (
            "welcome",
            Frame::Welcome(Welcome {
                version: 1,
                receive_window: 14_942_208,
                heads,
            }),
        ),
        (
            "run",
            Frame::Run(Run {
                origin: origin.clone(),
                after: Some(head(2).position),
                last: head(4),
                records: vec![record(1), record(2)],
            }),
        ),
        (
            "run-from-the-first",
            Frame::Run(Run {
                origin: origin.clone(),
                after: None,
                last: head(1),
                records: vec![record(1)],
            }),
        ),
        (
            "ack",
            Frame::Ack(Ack {
                origin: origin.clone(),
                head: head(4),
                receipt: Some(receipt),
            }),
        ),
        (
            "ack-of-a-node",
            Frame::Ack(Ack {
                origin: origin.clone(),
                head: head(4),
                receipt: None,
            }),
        ),
        ("have", Frame::Have(at(4))),
        (
            "resume",
            Frame::Resume {
                origin: origin.clone(),
                head: Some(head(4)),
            },
        ),
        (
            "resume-from-the-first",
            Frame::Resume {
                origin: origin.clone(),
                head: None,
            },
        ),
        (
            "diverged-writer-behind",
            Frame::Diverged(found(DivergenceKind::WriterBehind)),
        ),
        ("diverged-forked", Frame::Diverged(found(DivergenceKind::Forked))),
        (
            "heartbeats",
            Frame::Heartbeats(vec![heartbeat.clone(), heartbeat]),
        ),
        ("ping", Frame::Ping(7)),
        ("pong", Frame::Pong(7)),
    ]
    .into_iter()
    .map(|(name, frame)| (name.to_owned(), frame))
    .collect::<Vec<_>>();
    for code in [
        RefusalCode::NotYours,
        RefusalCode::BadRecord,
        RefusalCode::CannotStore,
    ] {
        frames.push((
            format!("refused-{code:?}"),
            Frame::Refused {
                origin: origin.clone(),
                code,
            },
        ));
    }
    for reason in CloseReason::ALL {
        assert_eq!(CloseReason::from_code(u64::from(reason.code())), Some(reason));
        frames.push((format!("close-{reason:?}"), Frame::Close(reason)));
    }
    frames
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
