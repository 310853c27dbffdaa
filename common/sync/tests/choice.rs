//! A machine that holds fewer origins than it may take: what it does not want is refused, not sent and not promised, and its
//! program knows that it exists. Against peers of version 1 as well.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ccpor_ledger::{
    Hash, Head, Heartbeat, Hlc, OriginId, Position, SignedHeartbeat, SignedRecord, SigningKey, Standing,
};
use ccpor_sync::{
    Action, Beat, Choice, Event, Frame, Hello, Millis, Moved, OriginHead, OriginSet, RefusalCode, Session,
    SessionConfig, Side, Stored, Welcome, limits,
};
use proptest::prelude::*;

const COURTS: u8 = 5;

fn origin(number: u8) -> OriginId {
    OriginId::new(&format!("court/county-{number}/node/1")).unwrap()
}

fn head(seq: u64) -> Head {
    Head {
        position: Position { epoch: 1, seq },
        hash: Hash([1; 32]),
    }
}

fn beat(number: u8, closed: u64) -> SignedHeartbeat {
    let beat = Heartbeat {
        origin: origin(number),
        head: Some(head(2)),
        closed: Hlc(closed),
    };
    beat.sign(&SigningKey::from_seed(&[1; 32]).unwrap()).unwrap()
}

fn choice(courts: &BTreeSet<u8>) -> Choice {
    let courts: BTreeSet<String> = courts
        .iter()
        .map(|number| origin(*number).court().to_owned())
        .collect();
    Choice::Courts(courts.into())
}

/// A session, and what it asked for.
struct End {
    session: Session,
    heard_of: BTreeSet<OriginId>,
    stored: BTreeSet<OriginId>,
    promised: BTreeSet<OriginId>,
    refused: BTreeMap<OriginId, RefusalCode>,
    held: BTreeMap<OriginId, Head>,
    sent: VecDeque<Frame>,
    actions: Vec<Action>,
}

impl End {
    fn open(config: SessionConfig, heads: Vec<(OriginId, Head)>, beats: Vec<SignedHeartbeat>) -> Self {
        let held = heads.iter().cloned().collect();
        let mut actions = Vec::new();
        let session = Session::open(config, Millis(0), heads, beats, &mut actions);
        let mut end = Self {
            session,
            heard_of: BTreeSet::new(),
            stored: BTreeSet::new(),
            promised: BTreeSet::new(),
            refused: BTreeMap::new(),
            held,
            sent: VecDeque::new(),
            actions,
        };
        end.carry_out(Millis(0));
        end
    }

    /// The node of court 0.
    fn node(takes: Choice, heads: Vec<(OriginId, Head)>) -> Self {
        let config = SessionConfig {
            side: Side::Dialler,
            own: Some(origin(0)),
            accepts: OriginSet::AllBut(origin(0)),
            takes,
            offers: OriginSet::Only(origin(0)),
            receive_window: limits::RECEIVE_MOST,
        };
        Self::open(config, heads, Vec::new())
    }

    /// A hub that holds two records of every court, and its heartbeat.
    fn hub() -> Self {
        let config = SessionConfig {
            side: Side::Listener,
            own: None,
            accepts: OriginSet::Only(origin(0)),
            takes: Choice::All,
            offers: OriginSet::AllBut(origin(0)),
            receive_window: limits::RECEIVE_MOST,
        };
        let held = (1..COURTS).map(|number| (origin(number), head(2))).collect();
        Self::open(config, held, (1..COURTS).map(|number| beat(number, 1)).collect())
    }

    fn step(&mut self, now: Millis, event: Event) {
        self.session.step(now, event, &mut self.actions);
        self.carry_out(now);
    }

    /// A store that keeps whatever comes, and ledgers whose records are one byte long.
    fn carry_out(&mut self, now: Millis) {
        while !self.actions.is_empty() {
            for action in std::mem::take(&mut self.actions) {
                let answer = match action {
                    Action::Send(frame) => {
                        self.sent.push_back(frame);
                        continue;
                    }
                    Action::Store(run) => {
                        self.stored.insert(run.origin.clone());
                        let kept = Stored {
                            head: run.last,
                            receipt: None,
                        };
                        Event::Stored {
                            origin: run.origin,
                            runs: 1,
                            answer: Ok(kept),
                        }
                    }
                    Action::Load { origin, .. } => {
                        let record = SignedRecord {
                            bytes: vec![1],
                            signature: [1; 64],
                        };
                        let answer = Ok(Some((vec![record], self.held[&origin])));
                        Event::Loaded { origin, answer }
                    }
                    Action::Compare { origin, .. } => {
                        let answer = Ok(Standing::PeerBehind);
                        Event::Compared { origin, answer }
                    }
                    Action::TakeHeartbeats(beats) => {
                        let of = beats.iter().map(|beat| beat.decode().unwrap().origin);
                        self.promised.extend(of);
                        continue;
                    }
                    Action::HeardOf(origins) => {
                        self.heard_of.extend(origins);
                        continue;
                    }
                    Action::Refused {
                        origin,
                        code,
                        by_peer,
                    } => {
                        assert!(by_peer, "who leaves an origin out has no trouble to tell");
                        self.refused.insert(origin, code);
                        continue;
                    }
                    Action::Up { .. } | Action::KeepReceipt { .. } => continue,
                    other => panic!("{other:?}"),
                };
                self.session.step(now, answer, &mut self.actions);
            }
        }
    }
}

/// Lets both talk until neither has more to say. Gives what the hub said.
fn talk(node: &mut End, hub: &mut End, now: Millis) -> Vec<Frame> {
    let mut said = Vec::new();
    while !(node.sent.is_empty() && hub.sent.is_empty()) {
        while let Some(frame) = node.sent.pop_front() {
            hub.step(now, Event::Received(frame));
        }
        // What a hub has sent is on its way, whatever it hears meanwhile.
        for frame in std::mem::take(&mut hub.sent) {
            said.push(frame.clone());
            node.step(now, Event::Received(frame));
        }
    }
    said
}

fn news(hub: &mut End, number: u8, seq: u64) {
    let now = Millis(2_000);
    hub.held.insert(origin(number), head(seq));
    hub.step(now, Event::Moved(Moved::Head(origin(number), head(seq))));
    let heard = Beat::of(beat(number, seq)).unwrap();
    hub.step(now, Event::Moved(Moved::Heartbeat(heard)));
    hub.step(now, Event::Tick);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_chosen_comes_and_what_is_not_is_known_and_never_kept(
        courts in prop::collection::btree_set(1..COURTS, 0..5),
        held in prop::collection::btree_set(1..COURTS, 0..5),
    ) {
        let heads = held.iter().map(|number| (origin(*number), head(1))).collect();
        let (mut node, mut hub) = (End::node(choice(&courts), heads), End::hub());
        talk(&mut node, &mut hub, Millis(0));
        let all: BTreeSet<OriginId> = (1..COURTS).map(origin).collect();
        let chosen: BTreeSet<OriginId> = courts.iter().map(|number| origin(*number)).collect();
        prop_assert_eq!(&node.heard_of, &all);
        prop_assert_eq!(&node.stored, &chosen);
        let left: BTreeMap<OriginId, RefusalCode> =
            all.difference(&chosen).map(|origin| (origin.clone(), RefusalCode::NotChosen)).collect();
        prop_assert_eq!(&hub.refused, &left);
        // From now on nothing of what was refused goes over the line, and the connection lives.
        for number in 1..COURTS {
            news(&mut hub, number, 3);
        }
        let said = talk(&mut node, &mut hub, Millis(2_000));
        for frame in said {
            match frame {
                Frame::Run(run) => prop_assert!(chosen.contains(&run.origin)),
                Frame::Heartbeats(beats) => for beat in beats {
                    prop_assert!(chosen.contains(&beat.decode().unwrap().origin));
                },
                _ => {}
            }
        }
        prop_assert_eq!(&node.promised, &chosen);
        prop_assert_eq!(hub.session.bytes_under_way(), 0);
        prop_assert!(node.session.is_up() && hub.session.is_up());
    }
}

#[test]
fn an_origin_that_is_new_to_the_hub_is_refused_when_it_comes_and_then_known() {
    let (mut node, mut hub) = (End::node(choice(&BTreeSet::new()), Vec::new()), End::hub());
    talk(&mut node, &mut hub, Millis(0));
    for seq in [1, 2, 3] {
        news(&mut hub, COURTS, seq);
        talk(&mut node, &mut hub, Millis(2_000));
    }
    assert!(node.heard_of.contains(&origin(COURTS)) && node.stored.is_empty() && node.promised.is_empty());
    assert_eq!(hub.refused.get(&origin(COURTS)), Some(&RefusalCode::NotChosen));
    assert!(node.session.is_up() && hub.session.is_up());
}

#[test]
fn a_hub_of_version_1_is_told_in_its_own_words() {
    let mut node = End::node(choice(&BTreeSet::from([1])), Vec::new());
    let Some(Frame::Hello(hello)) = node.sent.pop_front() else {
        panic!("no greeting")
    };
    assert_eq!((hello.oldest, hello.newest), (1, 2));
    let welcome = Welcome {
        version: 1,
        receive_window: u32::try_from(limits::RECEIVE_MOST).unwrap(),
        heads: [1, 2]
            .map(|number| OriginHead {
                origin: origin(number),
                head: head(2),
            })
            .to_vec(),
    };
    node.step(Millis(1), Event::Received(Frame::Welcome(welcome)));
    let refused: Vec<_> = node
        .sent
        .iter()
        .filter(|frame| matches!(frame, Frame::Refused { .. }))
        .collect();
    let code = RefusalCode::CannotStore;
    let origin = origin(2);
    assert_eq!(refused, [&Frame::Refused { origin, code }]);
    // It is never asked for again.
    node.sent.clear();
    node.step(Millis(limits::RETRY_ORIGIN_MS + 100), Event::Tick);
    assert!(
        !node
            .sent
            .iter()
            .any(|frame| matches!(frame, Frame::Resume { .. }))
    );
}

#[test]
fn the_version_is_the_newest_that_both_speak() {
    for (oldest, newest, expected) in [
        (1, 1, Some(1)),
        (1, 2, Some(2)),
        (2, 2, Some(2)),
        (1, 9, Some(2)),
        (3, 9, None),
        (0, 0, None),
        (2, 1, None),
    ] {
        let mut hub = End::hub();
        let hello = Hello {
            oldest,
            newest,
            receive_window: u32::try_from(limits::RECEIVE_MOST).unwrap(),
            heads: Vec::new(),
        };
        hub.step_greeting(hello);
        let said = hub.sent.iter().find_map(|frame| match frame {
            Frame::Welcome(welcome) => Some(welcome.version),
            _ => None,
        });
        assert_eq!(said, expected, "{oldest} to {newest}");
    }
}

impl End {
    /// Greets a hub that may turn the dialler away.
    fn step_greeting(&mut self, hello: Hello) {
        self.session
            .step(Millis(1), Event::Received(Frame::Hello(hello)), &mut self.actions);
        self.actions
            .retain(|action| !matches!(action, Action::Close { .. }));
        self.carry_out(Millis(1));
    }
}
