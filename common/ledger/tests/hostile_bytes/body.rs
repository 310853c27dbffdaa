//! What must hold for any bytes whatever: shared by the tests here and by the fuzz targets in `fuzz/`.

use ccpor_ledger::{
    OriginId, PinnedKeys, SIGNATURE_BYTES, SignedHeartbeat, SignedReceipt, SignedRecord, SigningKey, bytes,
    prove_run,
};

/// The court whose records the seeds are.
pub(crate) const ORIGIN: &str = "court/alameda/node/1";

/// The key that signed them.
pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).expect("a key")
}

/// A record, a heartbeat or a receipt: read in its one form or refused, and believed only with its court's signature.
pub(crate) fn record(input: &[u8]) {
    let Some((signature, body)) = input.split_first_chunk::<SIGNATURE_BYTES>() else {
        return;
    };
    let signed = SignedRecord {
        bytes: body.to_vec(),
        signature: *signature,
    };
    if let Ok(record) = signed.decode() {
        let outline = signed.outline().expect("what can be read has an outline");
        assert_eq!(outline.position, record.position());
        let again = record.sign(&key()).expect("what was read can be written");
        assert_eq!(again.bytes, signed.bytes, "one record has one form");
    }
    let origin = OriginId::new(ORIGIN).expect("a name");
    let trust = PinnedKeys::new().with(&origin, key().public().as_bytes());
    if prove_run(&origin, None, std::slice::from_ref(&signed), &trust).is_ok() {
        assert!(
            signed.verify(&key().public()).is_ok(),
            "only what the court signed is proven"
        );
    }
    let heartbeat = SignedHeartbeat {
        bytes: body.to_vec(),
        signature: *signature,
    };
    let receipt = SignedReceipt {
        bytes: body.to_vec(),
        signature: *signature,
    };
    let _read_or_refused = (heartbeat.decode(), receipt.decode());
}

/// A segment file as a crash, or somebody, left it: what is believed of it is whole, in order and within the file.
pub(crate) fn segment(input: &[u8]) {
    let origin = OriginId::new(ORIGIN).expect("a name");
    let examined = bytes::examine(&origin, input, None);
    let mut last = None;
    for (position, place) in examined.records {
        assert!(last < Some(position), "in the order of their numbers");
        last = Some(position);
        assert!(place.end <= input.len(), "within the file");
        assert!(bytes::read(input, place).is_some(), "what is believed is whole");
    }
}
