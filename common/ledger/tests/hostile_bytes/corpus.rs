//! The seeds of the fuzz targets: signed records of every kind, and segments. `CCPOR_WRITE_CORPUS=1` writes them; what the fuzz targets
//! find is added beside them by hand.

use std::path::Path;

use ccpor_ledger::{
    Body, EpochReason, EpochStart, Hash, Head, Heartbeat, Hlc, OriginId, RECORD_VERSION, Receipt, Record,
    SignedRecord, bytes,
};

use crate::body::{ORIGIN, key};

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

fn origin() -> OriginId {
    OriginId::new(ORIGIN).unwrap()
}

/// A ledger of a start, some events, and the start of a second epoch.
fn ledger() -> Vec<SignedRecord> {
    let mut records: Vec<SignedRecord> = Vec::new();
    let start = |reason, previous| {
        Body::EpochStart(EpochStart {
            reason,
            previous,
            signing_key: *key().public().as_bytes(),
            chain: vec![vec![0x30, 0x01, 0x02]],
        })
    };
    for number in 0..6_u64 {
        let previous = records.last().map(|last| Head {
            position: last.outline().unwrap().position,
            hash: last.hash(),
        });
        let (epoch, seq) = if number < 4 {
            (1, number + 1)
        } else {
            (2, number - 3)
        };
        let body = match seq {
            1 if epoch == 1 => start(EpochReason::Created, None),
            1 => start(EpochReason::Restored, previous),
            _ => Body::Event(vec![0xE0; 30]),
        };
        let record = Record {
            version: RECORD_VERSION,
            origin: origin(),
            epoch,
            seq,
            prev: previous.map_or(Hash::ZERO, |head| head.hash),
            hlc: Hlc::from_millis(1_793_000_000_000 + number),
            key_id: key().public().id(),
            body,
        };
        records.push(record.sign(&key()).unwrap());
    }
    records
}

/// Signed bytes with the signature before them.
pub(crate) fn records() -> Vec<Seed> {
    let joined = |signature: &[u8], bytes: &[u8]| [signature, bytes].concat();
    let of = |record: &SignedRecord| joined(&record.signature, &record.bytes);
    let ledger = ledger();
    let last = Head {
        position: ledger[5].outline().unwrap().position,
        hash: ledger[5].hash(),
    };
    let handover = Record {
        body: Body::KeyHandover([9; 32]),
        ..ledger[1].decode().unwrap()
    };
    let heartbeat = Heartbeat {
        origin: origin(),
        head: Some(last),
        closed: Hlc::from_millis(1_793_000_000_010),
    };
    let heartbeat = heartbeat.sign(&key()).unwrap();
    let receipt = Receipt {
        hub: "hub/1".into(),
        origin: origin(),
        head: last,
        received: Hlc::from_millis(1_793_000_000_011),
    };
    let receipt = receipt.sign(&key()).unwrap();
    vec![
        ("first-start", of(&ledger[0])),
        ("event", of(&ledger[1])),
        ("second-start", of(&ledger[4])),
        ("handover", of(&handover.sign(&key()).unwrap())),
        ("heartbeat", joined(&heartbeat.signature, &heartbeat.bytes)),
        ("receipt", joined(&receipt.signature, &receipt.bytes)),
    ]
}

/// Whole segments, and such as a crash leaves.
pub(crate) fn segments() -> Vec<Seed> {
    let empty = bytes::begin(&origin());
    let frames = |records: &[SignedRecord]| {
        let (frames, _) = bytes::batch(empty.len(), records);
        [&empty[..], &frames].concat()
    };
    let (whole, ledger) = (frames(&ledger()), ledger());
    let mut torn = whole.clone();
    torn.truncate(whole.len() - 20);
    let mut ahead = whole.clone();
    ahead.extend([0; 200]);
    let (mut hole, middle) = (whole.clone(), whole.len() / 2);
    hole[middle..middle + 40].fill(0);
    vec![
        ("empty", empty.clone()),
        ("whole", whole),
        ("torn", torn),
        ("zeros-ahead", ahead),
        ("hole", hole),
        ("without-a-start", frames(&ledger[1..3])),
    ]
}
