//! Signing keys over the life of a ledger: handed over by one to the next, and ended at a place when one was stolen.

use std::sync::Arc;

use ccpor_ledger::{
    Body, KeyRefused, KeyTrust, Ledger, OriginId, PinnedKeys, Position, RunLimit, SigningKey, VerifyOptions,
    Writer, WriterOptions, prove_run, verify_directory,
};

use crate::court::{Court, at, clock};

/// A new key takes over by two records that name each other: the old key's last one, and the new key's first.
#[test]
fn a_new_key_takes_over_with_the_word_of_the_old_one() {
    let court = Court::new();
    let (old, new) = (court.key(), SigningKey::from_seed(&[42; 32]).unwrap());
    let trust = PinnedKeys::new()
        .with(&court.origin, old.public().as_bytes())
        .with(&court.origin, new.public().as_bytes());
    let open = || {
        Ledger::open(court.dir(), court.origin.clone(), Arc::new(trust.clone()))
            .map(Arc::new)
            .unwrap()
    };
    let write = |ledger: &Arc<Ledger>, key: &SigningKey, handing_over: Option<&SigningKey>| {
        let again = |key: &SigningKey| SigningKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
        let options = WriterOptions {
            handing_over: handing_over.map(|key| Arc::new(again(key))),
            ..WriterOptions::default()
        };
        let writer =
            Writer::start_with(Arc::clone(ledger), again(key), Vec::new(), clock(), options).unwrap();
        writer.append_wait(b"an order".to_vec()).unwrap();
        writer.close();
    };
    let ledger = open();
    write(&ledger, &old, None);
    write(&ledger, &new, Some(&old));
    // Started again, it hands over nothing twice.
    write(&ledger, &new, Some(&old));
    drop(ledger);
    let ledger = open();
    let records = ledger
        .run(
            None,
            RunLimit {
                records: 100,
                bytes: 1 << 20,
            },
        )
        .unwrap();
    let bodies: Vec<_> = records
        .iter()
        .map(|record| record.decode().unwrap().body)
        .collect();
    let [
        Body::EpochStart(_),
        Body::Event(_),
        Body::KeyHandover(next),
        Body::EpochStart(start),
        Body::Event(_),
        Body::Event(_),
    ] = bodies.as_slice()
    else {
        panic!("{bodies:?}")
    };
    assert_eq!(
        (next, &start.signing_key),
        (new.public().as_bytes(), new.public().as_bytes())
    );
    assert_eq!(start.previous.unwrap().hash, records[2].hash());
    records[..3]
        .iter()
        .for_each(|record| record.verify(&old.public()).unwrap());
    records[3..]
        .iter()
        .for_each(|record| record.verify(&new.public()).unwrap());
    // Everybody else takes the whole as one run, and the independent check finds nothing.
    let options = VerifyOptions {
        trust: Arc::new(trust.clone()),
        hub_keys: [].into(),
    };
    drop(ledger);
    let report = verify_directory(court.dir().parent().unwrap(), &options);
    assert!(report.is_ok(), "{report:?}");
    prove_run(&court.origin, None, &records, &trust).unwrap();
}

/// A key that ends at a place proves runs before it and none that reach it.
#[test]
fn a_key_counts_up_to_the_place_where_it_ends() {
    struct Ends(PinnedKeys, Position);
    impl KeyTrust for Ends {
        fn admit(&self, origin: &OriginId, key: &[u8; 32], chain: &[Vec<u8>]) -> Result<(), KeyRefused> {
            self.0.admit(origin, key, chain)
        }
        fn still_good(&self, _: &OriginId, _: &[u8; 32], at: Position) -> Result<(), KeyRefused> {
            if at < self.1 {
                Ok(())
            } else {
                Err(KeyRefused::Revoked)
            }
        }
    }
    let court = Court::new();
    let ledger = court.open();
    let writer = court.writer(&ledger);
    for number in 0..4 {
        writer.append_wait(vec![number]).unwrap();
    }
    writer.close();
    let records = ledger
        .run(
            None,
            RunLimit {
                records: 100,
                bytes: 1 << 20,
            },
        )
        .unwrap();
    let keys = PinnedKeys::new().with(&court.origin, court.key().public().as_bytes());
    for ends in 1..=6 {
        let trust = Ends(keys.clone(), at(1, ends));
        for length in 1..=records.len() {
            let proven = prove_run(&court.origin, None, &records[..length], &trust);
            let expected = u64::try_from(length).unwrap() < ends;
            assert_eq!(
                proven.is_ok(),
                expected,
                "{length} records, the key ends at {ends}: {proven:?}"
            );
        }
    }
}
