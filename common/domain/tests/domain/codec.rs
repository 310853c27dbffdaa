//! The binary form: one for each event, and nothing else is taken for one.

use ccpor_domain::*;
use proptest::prelude::*;

use crate::{arbitrary, sample};

#[test]
fn every_truncation_is_refused() {
    for (_, event) in sample::events() {
        let bytes = encode(&event).unwrap();
        for length in 0..bytes.len() {
            assert_eq!(
                decode(&bytes[..length]),
                Err(DecodeRefused::Malformed),
                "cut to {length}"
            );
        }
    }
}

#[test]
fn what_follows_an_event_is_refused() {
    let mut bytes = encode(&Event::Filed(sample::filed())).unwrap();
    bytes.extend([0, 0, 0]);
    assert_eq!(decode(&bytes), Err(DecodeRefused::Trailing { bytes: 3 }));
}

#[test]
fn impossible_values_and_unknown_variants_are_refused() {
    let bytes = encode(&sample::served(3, "2026-10-03T05:20:00Z", sample::service())).unwrap();
    let day = [0xEA, 0x07, 10, 2]; // 2026-10-02
    let place = bytes.windows(4).position(|four| four == day).unwrap();
    let mut impossible = bytes.clone();
    impossible[place + 3] = 32;
    assert_eq!(decode(&impossible), Err(DecodeRefused::Malformed));
    let mut newer = bytes;
    newer[0] = 200;
    assert_eq!(decode(&newer), Err(DecodeRefused::Malformed));
}

#[test]
fn the_limit_is_the_same_on_both_ways() {
    let with_text = |length| {
        let order = Order {
            other_text: "x".repeat(length),
            ..Order::default()
        };
        Event::Filed(Filed {
            order,
            ..sample::filed()
        })
    };
    let fixed = encode(&with_text(0)).unwrap().len();
    let largest = encode(&with_text(MAX_EVENT_BYTES - fixed)).unwrap();
    assert_eq!(largest.len(), MAX_EVENT_BYTES);
    assert!(decode(&largest).is_ok());
    let refused = EncodeRefused::TooLarge {
        bytes: MAX_EVENT_BYTES + 1,
    };
    assert_eq!(encode(&with_text(MAX_EVENT_BYTES - fixed + 1)), Err(refused));
    let long = vec![0; MAX_EVENT_BYTES + 1];
    assert_eq!(
        decode(&long),
        Err(DecodeRefused::TooLarge {
            bytes: MAX_EVENT_BYTES + 1
        })
    );
}

/// A vector of many small things must not meet the limit earlier than a long text does.
#[test]
fn a_large_event_of_many_parts_comes_back() {
    let order = Order {
        terms: vec![Term::default(); 20_000],
        ..sample::order()
    };
    let event = Event::Filed(Filed {
        order,
        ..sample::filed()
    });
    let bytes = encode(&event).unwrap();
    assert_eq!(decode(&bytes).unwrap(), event);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_event_comes_back(event in arbitrary::event()) {
        let bytes = encode(&event).unwrap();
        prop_assert_eq!(decode(&bytes).unwrap(), event.clone());
        let json = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(event) = decode(&bytes) {
            prop_assert_eq!(encode(&event).unwrap(), bytes);
        }
    }

    #[test]
    fn damage_is_refused_or_is_another_event(place in any::<prop::sample::Index>(), flip in 1u8..) {
        for (_, event) in sample::events() {
            let mut bytes = encode(&event).unwrap();
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
            if let Ok(other) = decode(&bytes) {
                prop_assert_ne!(&other, &event);
                prop_assert_eq!(encode(&other).unwrap(), bytes);
            }
        }
    }
}
