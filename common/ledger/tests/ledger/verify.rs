//! The independent verifier: says what is there, finds what is wrong, and knows receipts.

use std::fs;

use ccpor_ledger::{
    BadReceipt, FaultKind, Hash, Head, Hlc, KeyRefused, OriginId, PinnedKeys, Receipt, ReceiptBook,
    ReceiptBookError, SigningKey, VerifyOptions, verify_directory,
};

use crate::court::{Court, at, filled, flip, head_of, write_old};

fn hub() -> SigningKey {
    SigningKey::from_seed(&[9; 32]).unwrap()
}

fn receipt(court: &Court, hub: &str, head: Head) -> Receipt {
    Receipt {
        hub: hub.to_owned(),
        origin: court.origin.clone(),
        head,
        received: Hlc::from_millis(5),
    }
}

#[test]
fn the_report_counts_what_is_there() {
    let court = Court::with_segments(2 << 10);
    let records = filled(&court, 30);
    let book = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
    for (name, index) in [("hub/1", 3), ("hub/1", 20), ("hub/2", 30)] {
        let signed = receipt(&court, name, head_of(&records[index]))
            .sign(&hub())
            .unwrap();
        assert!(book.keep(&signed, &hub().public()).unwrap());
    }
    book.flush().unwrap();
    let options = VerifyOptions {
        hub_keys: [("hub/1".to_owned(), hub().public())].into(),
        ..court.verify_options()
    };
    let report = verify_directory(court.root.path(), &options).unwrap();
    let origin = &report.origins[0];
    assert_eq!(origin.origin, court.origin);
    assert_eq!((origin.epochs, origin.records), (1, 31));
    assert_eq!(origin.head, Some(head_of(&records[30])));
    assert_eq!((origin.receipts, origin.unchecked_receipts), (3, 1));
    assert!(report.bytes > 5_000);
}

#[test]
fn keys_and_places_are_judged() {
    let court = Court::new();
    filled(&court, 3);
    let stranger = VerifyOptions {
        trust: std::sync::Arc::new(PinnedKeys::new()),
        hub_keys: [].into(),
    };
    let fault = verify_directory(court.root.path(), &stranger).unwrap_err();
    assert_eq!(
        (fault.what, fault.position),
        (FaultKind::Key(KeyRefused::Unknown), Some(at(1, 1)))
    );
    let missing = court.root.path().join("nowhere");
    let fault = verify_directory(missing, &stranger).unwrap_err();
    assert!(matches!(fault.what, FaultKind::Unreadable(_)));
    // Another court's directory under this one's name.
    let kern = OriginId::new("court/kern/node/1").unwrap();
    fs::rename(court.dir(), court.root.path().join(kern.file_name())).unwrap();
    let fault = verify_directory(court.root.path(), &court.verify_options()).unwrap_err();
    assert_eq!(fault.origin, Some(kern));
}

#[test]
fn a_rolled_back_ledger_is_found_by_mark_and_by_receipt() {
    let court = Court::new();
    let records = filled(&court, 9);
    let bytes = fs::read(court.segment(1)).unwrap();
    // Cut at the last record: read from the lengths.
    let mut at_frame = 256;
    let mut last = at_frame;
    while bytes[at_frame..at_frame + 4] != [0; 4] {
        last = at_frame;
        at_frame += 80
            + usize::try_from(u32::from_le_bytes(
                bytes[at_frame..at_frame + 4].try_into().unwrap(),
            ))
            .unwrap();
    }
    write_old(&court.segment(1), &bytes[..last]);
    let fault = verify_directory(court.root.path(), &court.verify_options()).unwrap_err();
    assert_eq!(
        (fault.what, fault.position),
        (FaultKind::MissingEnd, Some(at(1, 10)))
    );
    court.forget_mark();
    verify_directory(court.root.path(), &court.verify_options()).unwrap();
    let book = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
    let signed = receipt(&court, "hub/1", head_of(&records[9]))
        .sign(&hub())
        .unwrap();
    book.keep(&signed, &hub().public()).unwrap();
    let fault = verify_directory(court.root.path(), &court.verify_options()).unwrap_err();
    assert_eq!(
        (fault.what, fault.position),
        (FaultKind::ReceiptNotInChain, Some(at(1, 10)))
    );
}

#[test]
fn every_flipped_bit_of_receipts_is_found_or_makes_no_difference() {
    let court = Court::new();
    let records = filled(&court, 3);
    let book = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
    for index in [1, 2, 3] {
        let signed = receipt(&court, "hub/1", head_of(&records[index]))
            .sign(&hub())
            .unwrap();
        book.keep(&signed, &hub().public()).unwrap();
    }
    let path = court.dir().join("receipts");
    let bytes = fs::read(&path).unwrap();
    for byte in 0..bytes.len() {
        flip(&path, byte * 8 + byte % 8);
        let fault = verify_directory(court.root.path(), &court.verify_options()).unwrap_err();
        assert_eq!(
            (fault.what, fault.file.as_path()),
            (FaultKind::Receipt, path.as_path())
        );
        let again = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
        assert!(again.skipped_bytes() > 0 && again.latest().len() == 1);
        write_old(&path, &bytes);
    }
}

#[test]
fn the_book_keeps_the_furthest_and_survives() {
    let court = Court::new();
    fs::create_dir_all(court.dir()).unwrap();
    let head = |seq| Head {
        position: at(1, seq),
        hash: Hash([1; 32]),
    };
    let signed = |hub_name: &str, seq| receipt(&court, hub_name, head(seq)).sign(&hub()).unwrap();
    let key = hub().public();
    let book = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
    assert!(book.keep(&signed("hub/1", 5), &key).unwrap());
    assert!(!book.keep(&signed("hub/1", 4), &key).unwrap());
    assert!(!book.keep(&signed("hub/1", 5), &key).unwrap());
    assert!(book.keep(&signed("hub/2", 9), &key).unwrap());
    let stranger = SigningKey::generate().unwrap();
    let forged = book.keep(&signed("hub/1", 99), &stranger.public());
    assert!(matches!(
        forged,
        Err(ReceiptBookError::Bad(BadReceipt::Signature(_)))
    ));
    // More than the file may hold is written anew with the latest only.
    for seq in 10..9_000 {
        if seq % 64 == 0 || seq > 8_990 {
            book.keep(&signed("hub/1", seq), &key).unwrap();
        }
    }
    drop(book);
    let book = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
    let latest: Vec<_> = book
        .latest()
        .into_iter()
        .map(|(receipt, _)| (receipt.hub, receipt.head.position.seq))
        .collect();
    assert_eq!(latest, [("hub/1".to_owned(), 8_999), ("hub/2".to_owned(), 9)]);
    assert_eq!(book.furthest().unwrap().0.head, head(8_999));
    assert!(fs::metadata(court.dir().join("receipts")).unwrap().len() < 1_000);
}

#[test]
fn of_two_hubs_that_hold_as_much_the_first_to_confirm_it_counts() {
    let court = Court::new();
    fs::create_dir_all(court.dir()).unwrap();
    let head = Head {
        position: at(1, 5),
        hash: Hash([1; 32]),
    };
    let book = ReceiptBook::open(court.dir(), court.origin.clone()).unwrap();
    for (name, received) in [("hub/1", 900), ("hub/2", 40), ("hub/3", 700)] {
        let receipt = Receipt {
            received: Hlc::from_millis(received),
            ..receipt(&court, name, head)
        };
        assert!(
            book.keep(&receipt.sign(&hub()).unwrap(), &hub().public())
                .unwrap()
        );
    }
    let (first, _) = book.furthest().unwrap();
    assert_eq!(
        (first.hub.as_str(), first.received),
        ("hub/2", Hlc::from_millis(40))
    );
}
