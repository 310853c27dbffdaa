//! What must hold for any bytes whatever: shared by the tests here and by the fuzz targets in `fuzz/`.

use ccpor_ledger::OriginId;
use ccpor_sync::{
    Action, Choice, Event, LENGTH_PREFIX, LoadFailed, Millis, OriginSet, Session, SessionConfig, Side,
    StoreRefused, decode, encode, frame_length, limits,
};

/// Bytes are one frame in its one form, or refused.
pub(crate) fn frame(bytes: &[u8]) {
    if let Ok(frame) = decode(bytes) {
        let again = encode(&frame).expect("what was read can be written");
        assert_eq!(again.get(LENGTH_PREFIX..), Some(bytes), "one frame has one form");
    }
}

/// A peer says anything, from the first byte on, to a hub that listens or to a node that dialled. The session stays within its
/// bounds, ends at the first break of the protocol, and says nothing after its end.
pub(crate) fn handshake(bytes: &[u8]) {
    let Some((first, said)) = bytes.split_first() else {
        return;
    };
    let side = if first % 2 == 0 {
        Side::Listener
    } else {
        Side::Dialler
    };
    let own = OriginId::new("court/alameda/node/1").expect("a name");
    let config = SessionConfig {
        side,
        own: (side == Side::Dialler).then(|| own.clone()),
        accepts: OriginSet::AllBut(own.clone()),
        takes: Choice::All,
        offers: OriginSet::Only(own),
        receive_window: 0,
    };
    let mut actions = Vec::new();
    let mut session = Session::open(config, Millis(0), Vec::new(), Vec::new(), &mut actions);
    let (mut rest, mut now) = (said, Millis(0));
    while let Some((prefix, behind)) = rest.split_first_chunk::<LENGTH_PREFIX>() {
        now = now + 1;
        let length = frame_length(*prefix).ok();
        let frame = length.and_then(|length| behind.split_at_checked(length));
        let heard = match frame.map(|(frame, behind)| (decode(frame), behind)) {
            Some((Ok(frame), behind)) => {
                rest = behind;
                Event::Received(frame)
            }
            Some((Err(_), _)) | None => {
                rest = &[];
                Event::Garbage
            }
        };
        session.step(now, heard, &mut actions);
        answer(&mut session, now, &mut actions);
        assert!(session.bytes_pending() <= 2 * limits::RECEIVE_LEAST);
    }
    session.step(now + 1_000_000, Event::Tick, &mut actions);
    answer(&mut session, now + 1_000_000, &mut actions);
    assert!(session.is_closed(), "who says nothing more is gone");
    assert_eq!(session.deadline(), None);
}

/// Answers what the session asks of its ledgers, as if none of them could be used, and checks that nothing follows its end.
fn answer(session: &mut Session, now: Millis, actions: &mut Vec<Action>) {
    while !actions.is_empty() {
        let asked = std::mem::take(actions);
        let close = asked
            .iter()
            .position(|action| matches!(action, Action::Close { .. }));
        assert!(
            close.is_none_or(|close| close + 1 == asked.len()),
            "nothing follows the end"
        );
        for action in asked {
            let answer = match action {
                Action::Compare { origin, .. } => Event::Compared {
                    origin,
                    answer: Err(LoadFailed::Unreadable),
                },
                Action::Load { origin, .. } => Event::Loaded {
                    origin,
                    answer: Ok(None),
                },
                Action::Store(run) => Event::Stored {
                    origin: run.origin,
                    runs: 1,
                    answer: Err(StoreRefused::BadRecord),
                },
                Action::Send(frame) => {
                    assert!(encode(&frame).is_ok(), "what is sent can be written");
                    continue;
                }
                Action::KeepReceipt { .. }
                | Action::TakeHeartbeats(_)
                | Action::Up { .. }
                | Action::Diverged { .. }
                | Action::Refused { .. }
                | Action::Unreadable { .. }
                | Action::HeardOf(_)
                | Action::Close { .. } => continue,
            };
            session.step(now, answer, actions);
        }
    }
}
