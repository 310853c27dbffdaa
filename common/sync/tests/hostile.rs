//! Whatever comes in, a session neither panics nor grows: random bytes, random frames, random answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

use ccpor_ledger::{
    Hash, Head, Heartbeat, Hlc, OriginId, Position, SignedHeartbeat, SignedReceipt, SignedRecord, SigningKey,
    Standing,
};
use ccpor_sync::{
    Ack, Action, Beat, Choice, CloseReason, Divergence, DivergenceKind, Event, Frame, Hello, LoadFailed,
    Millis, Moved, OriginHead, OriginSet, RefusalCode, Run, Session, SessionConfig, Side, StoreRefused,
    Stored, Welcome, decode, encode, frame_length, limits,
};
use proptest::collection::vec as vec_of;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_a_frame_or_refused(bytes in vec_of(any::<u8>(), 0..400)) {
        if let Ok(frame) = decode(&bytes) {
            prop_assert_eq!(&encode(&frame).unwrap()[4..], bytes.as_slice(), "one frame has one form");
        }
    }

    #[test]
    fn a_flipped_byte_is_another_frame_or_refused(frame in frame(), place: prop::sample::Index, flip in 1_u8..) {
        let mut bytes = encode(&frame).unwrap()[4..].to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        prop_assert_ne!(decode(&bytes), Ok(frame));
    }

    #[test]
    fn frames_come_back_as_they_were(frame in frame()) {
        let bytes = encode(&frame).unwrap();
        prop_assert_eq!(frame_length(bytes[..4].try_into().unwrap()), Ok(bytes.len() - 4));
        prop_assert_eq!(decode(&bytes[4..]), Ok(frame));
    }

    #[test]
    fn no_conversation_breaks_a_session(
        listens: bool,
        greets_well in prop::bool::weighted(0.9),
        takes in choice(),
        events in vec_of(event(), 0..60),
    ) {
        let side = if listens { Side::Listener } else { Side::Dialler };
        let config = SessionConfig {
            side,
            own: Some(origin(0)),
            accepts: OriginSet::AllBut(origin(0)),
            takes: takes.clone(),
            offers: OriginSet::Only(origin(0)),
            receive_window: 0,
        };
        let mut actions = Vec::new();
        let mut session = Session::open(config, Millis(0), vec![(origin(0), head(3))], Vec::new(), &mut actions);
        if greets_well {
            session.step(Millis(1), Event::Received(greeting(side)), &mut actions);
            prop_assert!(session.is_up());
        }
        for (at, event) in events.into_iter().enumerate() {
            session.step(Millis(at as u64 * 40), event, &mut actions);
            prop_assert!(session.bytes_pending() <= 2 * limits::RECEIVE_LEAST);
        }
        session.step(Millis(1_000_000), Event::Tick, &mut actions);
        prop_assert!(session.is_closed());
        prop_assert_eq!(session.deadline(), None);
        let closes = actions.iter().filter(|action| matches!(action, Action::Close { .. })).count();
        prop_assert_eq!(closes, 1);
        let is_last = matches!(actions.last(), Some(Action::Close { .. }));
        prop_assert!(is_last, "nothing follows the close");
        for action in &actions {
            if let Action::Store(run) = action {
                prop_assert_ne!(&run.origin, &origin(0), "our own ledger is ours alone");
            }
        }
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_anything_is_allocated() {
    assert!(frame_length([0xFF; 4]).is_err());
    assert!(frame_length([0; 4]).is_err());
    let most = u32::try_from(limits::MAX_FRAME).unwrap();
    assert!(frame_length(most.to_be_bytes()).is_ok());
    assert!(frame_length((most + 1).to_be_bytes()).is_err());
}

#[test]
fn a_largest_record_fits_into_a_frame() {
    let records = vec![SignedRecord {
        bytes: vec![0; ccpor_ledger::MAX_RECORD_BYTES],
        signature: [0; 64],
    }];
    let frame = Frame::Run(Run {
        origin: origin(1),
        after: None,
        last: head(1),
        records,
    });
    assert_eq!(decode(&encode(&frame).unwrap()[4..]), Ok(frame));
}

fn greeting(side: Side) -> Frame {
    let receive_window = u32::try_from(limits::RECEIVE_MOST).unwrap();
    match side {
        Side::Listener => Frame::Hello(Hello {
            oldest: 1,
            newest: 1,
            receive_window,
            heads: Vec::new(),
        }),
        Side::Dialler => Frame::Welcome(Welcome {
            version: 1,
            receive_window,
            heads: Vec::new(),
        }),
    }
}

fn origin(number: u8) -> OriginId {
    OriginId::new(&format!("court/county-{number}/node/1")).unwrap()
}

fn head(seq: u64) -> Head {
    Head {
        position: Position { epoch: 1, seq },
        hash: Hash([1; 32]),
    }
}

fn choice() -> impl Strategy<Value = Choice> {
    let courts = prop::collection::btree_set(
        (0_u8..4).prop_map(|number| origin(number).court().to_owned()),
        0..4,
    );
    prop_oneof![
        Just(Choice::All),
        courts.prop_map(|courts| Choice::Courts(courts.into())),
    ]
}

fn any_origin() -> impl Strategy<Value = OriginId> {
    (0_u8..4).prop_map(origin)
}

fn any_head() -> impl Strategy<Value = Head> {
    (0_u32..3, prop_oneof![0_u64..12, Just(u64::MAX)], 0_u8..2).prop_map(|(epoch, seq, hash)| Head {
        position: Position { epoch, seq },
        hash: Hash([hash; 32]),
    })
}

fn any_heartbeat() -> impl Strategy<Value = SignedHeartbeat> {
    let key = SigningKey::from_seed(&[1; 32]).unwrap();
    (
        any_origin(),
        prop::option::of(any_head()),
        any::<u64>(),
        prop::bool::weighted(0.9),
    )
        .prop_map(move |(origin, head, closed, is_whole)| {
            let mut signed = Heartbeat {
                origin,
                head,
                closed: Hlc(closed),
            }
            .sign(&key)
            .unwrap();
            if !is_whole {
                signed.bytes.truncate(7);
            }
            signed
        })
}

fn frame() -> impl Strategy<Value = Frame> {
    let code = vec![
        RefusalCode::NotYours,
        RefusalCode::BadRecord,
        RefusalCode::CannotStore,
        RefusalCode::NotChosen,
    ];
    let kind = vec![DivergenceKind::WriterBehind, DivergenceKind::Forked];
    let one_head = || (any_origin(), any_head());
    let may_head = || prop::option::of(any_head());
    let divergence = (any_origin(), prop::sample::select(kind), may_head(), may_head());
    prop_oneof![
        2 => greeting_frame(),
        2 => record_frame(),
        1 => one_head().prop_map(|(origin, head)| Frame::Have(OriginHead { origin, head })),
        1 => (any_origin(), may_head()).prop_map(|(origin, head)| Frame::Resume { origin, head }),
        1 => divergence.prop_map(|(origin, kind, ours, theirs)| {
            Frame::Diverged(Divergence { origin, kind, ours, theirs })
        }),
        1 => (any_origin(), prop::sample::select(code)).prop_map(|(origin, code)| Frame::Refused { origin, code }),
        1 => vec_of(any_heartbeat(), 0..4).prop_map(Frame::Heartbeats),
        1 => any::<u64>().prop_map(Frame::Ping),
        1 => (0_u64..4).prop_map(Frame::Pong),
        1 => prop::sample::select(CloseReason::ALL.to_vec()).prop_map(Frame::Close),
    ]
}

fn greeting_frame() -> impl Strategy<Value = Frame> {
    let heads = || {
        vec_of(
            (any_origin(), any_head()).prop_map(|(origin, head)| OriginHead { origin, head }),
            0..4,
        )
    };
    prop_oneof![
        (any::<[u16; 2]>(), any::<u32>(), heads()).prop_map(|([oldest, newest], receive_window, heads)| {
            Frame::Hello(Hello {
                oldest,
                newest,
                receive_window,
                heads,
            })
        }),
        (any::<u16>(), any::<u32>(), heads()).prop_map(|(version, receive_window, heads)| {
            Frame::Welcome(Welcome {
                version,
                receive_window,
                heads,
            })
        }),
    ]
}

fn record_frame() -> impl Strategy<Value = Frame> {
    let record = (vec_of(any::<u8>(), 0..50), any::<u8>()).prop_map(|(bytes, byte)| SignedRecord {
        bytes,
        signature: [byte; 64],
    });
    let receipt = vec_of(any::<u8>(), 0..40).prop_map(|bytes| SignedReceipt {
        bytes,
        signature: [9; 64],
    });
    let run = (
        any_origin(),
        prop::option::of(any_head()),
        any_head(),
        vec_of(record, 0..4),
    );
    prop_oneof![
        run.prop_map(|(origin, after, last, records)| {
            let after = after.map(|head| head.position);
            Frame::Run(Run {
                origin,
                after,
                last,
                records,
            })
        }),
        (any_origin(), any_head(), prop::option::of(receipt)).prop_map(|(origin, head, receipt)| Frame::Ack(
            Ack {
                origin,
                head,
                receipt
            }
        )),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let standing = prop_oneof![
        prop::sample::select(vec![
            Standing::Same,
            Standing::PeerBehind,
            Standing::PeerAhead,
            Standing::Diverged
        ])
        .prop_map(Ok),
        Just(Err(LoadFailed::Damaged)),
    ];
    let loaded = prop_oneof![
        any_head().prop_map(|head| Ok(Some((
            vec![SignedRecord {
                bytes: vec![1],
                signature: [1; 64]
            }],
            head
        )))),
        Just(Ok(None)),
        Just(Err(LoadFailed::Unreadable)),
    ];
    let refusals = vec![
        StoreRefused::Gap,
        StoreRefused::Forked,
        StoreRefused::BadRecord,
        StoreRefused::CannotStore,
    ];
    let stored = prop_oneof![
        any_head().prop_map(|head| Ok(Stored { head, receipt: None })),
        prop::sample::select(refusals).prop_map(Err),
    ];
    prop_oneof![
        6 => frame().prop_filter("goes on", |frame| !matches!(frame, Frame::Close(_))).prop_map(Event::Received),
        2 => (any_origin(), any_head()).prop_map(|(origin, head)| Event::Moved(Moved::Head(origin, head))),
        1 => any_heartbeat().prop_filter_map("can be read", Beat::of).prop_map(|beat| Event::Moved(Moved::Heartbeat(beat))),
        1 => (any_origin(), standing).prop_map(|(origin, answer)| Event::Compared { origin, answer }),
        2 => (any_origin(), loaded).prop_map(|(origin, answer)| Event::Loaded { origin, answer }),
        2 => (any_origin(), 0_usize..4, stored).prop_map(|(origin, runs, answer)| Event::Stored { origin, runs, answer }),
        1 => Just(Event::Tick),
    ]
}
