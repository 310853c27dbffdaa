//! One connection's conversation from greeting to close: checks that each frame is allowed now, hands it to sending,
//! receiving or relay, and ends the session at the first break of the protocol. It decides; it does nothing itself.

use ccpor_ledger::{Head, OriginId, SignedHeartbeat};

use crate::action::{Action, Event};
use crate::frame::{
    Ack, CloseReason, Divergence, Frame, Hello, OriginHead, RefusalCode, WIRE_OLDEST, WIRE_VERSION, Welcome,
};
use crate::ledgers::{Beat, Moved};
use crate::limits::{GREETING_MS, ORIGINS_MOST, RECEIVE_LEAST, RECEIVE_MOST};
use crate::millis::Millis;
use crate::origins::{Choice, OriginSet};
use crate::pulse::Pulse;
use crate::receiving::Receiving;
use crate::relay::Relay;
use crate::sending::Sending;

/// Which end of the connection this is. It matters for the greeting alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Opened the connection; greets first.
    Dialler,
    /// Was connected to; answers the greeting.
    Listener,
}

/// What may pass on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionConfig {
    /// Which end this is.
    pub side: Side,
    /// The origin that this program writes, if any. No peer's copy of it may be longer than our own.
    pub own: Option<OriginId>,
    /// The origins that the peer may send.
    pub accepts: OriginSet,
    /// Which of those we want to hold.
    pub takes: Choice,
    /// The origins that we send.
    pub offers: OriginSet,
    /// Unacknowledged bytes of runs that we take; held within [`RECEIVE_LEAST`] and [`RECEIVE_MOST`].
    pub receive_window: usize,
}

/// One side of one connection.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    phase: Phase,
    sending: Sending,
    receiving: Receiving,
    relay: Relay,
    heads: Vec<(OriginId, Head)>,
}

#[derive(Debug)]
enum Phase {
    /// A greeting must come before this time.
    Greeting {
        until: Millis,
    },
    Up(Pulse),
    Closed,
}

impl Session {
    /// Begins a session on a fresh connection. A dialler's greeting is among the actions.
    ///
    /// `heads` and `heartbeats` are what the ledgers hold; whoever calls this must already be listening for changes,
    /// so that none falls between the two.
    pub fn open(
        config: SessionConfig,
        now: Millis,
        heads: Vec<(OriginId, Head)>,
        heartbeats: Vec<SignedHeartbeat>,
        actions: &mut Vec<Action>,
    ) -> Self {
        let receive_window = config.receive_window.clamp(RECEIVE_LEAST, RECEIVE_MOST);
        let config = SessionConfig {
            receive_window,
            ..config
        };
        let mut relay = Relay::new(
            config.offers.clone(),
            config.accepts.clone(),
            config.takes.clone(),
        );
        for heartbeat in heartbeats {
            if let Some(beat) = Beat::of(heartbeat) {
                relay.news(beat);
            }
        }
        let mut session = Self {
            phase: Phase::Greeting {
                until: now + GREETING_MS,
            },
            sending: Sending::new(config.offers.clone(), config.own.clone(), &heads),
            receiving: Receiving::new(
                config.accepts.clone(),
                config.takes.clone(),
                &heads,
                receive_window,
            ),
            relay,
            heads,
            config,
        };
        if session.config.side == Side::Dialler {
            let hello = Hello {
                oldest: WIRE_OLDEST,
                newest: WIRE_VERSION,
                receive_window: session.window_on_the_wire(),
                heads: session.greeted_heads(),
            };
            session.receiving.greeted(&hello.heads);
            actions.push(Action::Send(Frame::Hello(hello)));
        }
        session
    }

    /// Takes an event; what is to be done about it is appended to `actions`.
    pub fn step(&mut self, now: Millis, event: Event, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        let outcome = match event {
            Event::Received(frame) => self.received(now, frame, actions),
            Event::Garbage => Err(CloseReason::Malformed),
            // Heartbeats come in swarms and go out in one frame: what is due is looked at when the swarm is over.
            Event::Moved(Moved::Heartbeat(beat)) => return self.relay.news(beat),
            Event::Moved(Moved::Head(origin, head)) => {
                self.moved(origin, head, actions);
                Ok(())
            }
            Event::Compared { origin, answer } => {
                self.sending.compared(now, &origin, answer, actions);
                Ok(())
            }
            Event::Loaded { origin, answer } => {
                self.sending.loaded(now, &origin, answer, actions);
                Ok(())
            }
            Event::Stored { origin, runs, answer } => {
                if let Some(last) = self.receiving.stored(now, &origin, runs, answer, actions) {
                    self.sending.peer_has(&origin, last, actions);
                }
                Ok(())
            }
            Event::Tick => Ok(()),
            Event::Leave(reason) => Err(reason),
        };
        match outcome.and_then(|()| self.on_time(now, actions)) {
            Ok(()) => {}
            Err(reason) => self.close(reason, actions),
        }
    }

    /// When [`Event::Tick`] is due if nothing else comes before; `None` when the session is over.
    pub fn deadline(&self) -> Option<Millis> {
        match &self.phase {
            Phase::Greeting { until } => Some(*until),
            Phase::Up(pulse) => [
                Some(pulse.deadline()),
                self.relay.deadline(),
                self.sending.deadline(),
                self.receiving.deadline(),
            ]
            .into_iter()
            .flatten()
            .min(),
            Phase::Closed => None,
        }
    }

    /// Whether the greeting is done and the session not over.
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Milliseconds that the last ping took to the peer's program and back.
    pub fn round_trip_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::Up(pulse) => pulse.round_trip_ms(),
            Phase::Greeting { .. } | Phase::Closed => None,
        }
    }

    /// Bytes of runs being read, under way, or not acknowledged.
    pub fn bytes_under_way(&self) -> usize {
        self.sending.bytes_under_way()
    }

    /// Bytes of runs received that are not durable yet.
    pub fn bytes_pending(&self) -> usize {
        self.receiving.bytes_pending()
    }

    fn received(&mut self, now: Millis, frame: Frame, actions: &mut Vec<Action>) -> Result<(), CloseReason> {
        match (&mut self.phase, frame) {
            (_, Frame::Close(reason)) => {
                self.phase = Phase::Closed;
                actions.push(Action::Close {
                    reason,
                    by_peer: true,
                });
                Ok(())
            }
            (Phase::Greeting { .. }, Frame::Hello(hello)) if self.config.side == Side::Listener => {
                self.hello(now, hello, actions)
            }
            (Phase::Greeting { .. }, Frame::Welcome(welcome)) if self.config.side == Side::Dialler => {
                self.welcome(now, welcome, actions)
            }
            (Phase::Greeting { .. } | Phase::Closed, _) => Err(CloseReason::OutOfOrder),
            (Phase::Up(pulse), Frame::Pong(token)) => {
                pulse.pong(token, now).map_err(|_| CloseReason::OutOfOrder)
            }
            (Phase::Up(pulse), Frame::Ack(ack)) => {
                if let Some(settled) = self.sending.acknowledged(now, &ack, actions) {
                    pulse.proof(settled.0);
                    let Ack { origin, receipt, .. } = ack;
                    actions.extend(receipt.map(|receipt| Action::KeepReceipt { origin, receipt }));
                }
                Ok(())
            }
            (Phase::Up(_), frame) => self.talk(frame, actions),
        }
    }

    /// The frames of a connection that is up and that are not about whether the peer hears us.
    fn talk(&mut self, frame: Frame, actions: &mut Vec<Action>) -> Result<(), CloseReason> {
        match frame {
            Frame::Run(run) => self.receiving.run(run, actions),
            Frame::Have(OriginHead { origin, head }) => {
                self.sending.peer_has(&origin, head, actions);
                Ok(())
            }
            Frame::Resume { origin, head } => {
                self.sending.resume(&origin, head, actions);
                Ok(())
            }
            Frame::Diverged(found) => {
                self.diverged(found, actions);
                Ok(())
            }
            Frame::Refused { origin, code } => {
                self.refused(origin, code, actions);
                Ok(())
            }
            Frame::Heartbeats(heartbeats) => self.relay.received(heartbeats, actions),
            Frame::Ping(token) => {
                actions.push(Action::Send(Frame::Pong(token)));
                Ok(())
            }
            Frame::Hello(_) | Frame::Welcome(_) | Frame::Ack(_) | Frame::Pong(_) | Frame::Close(_) => {
                Err(CloseReason::OutOfOrder)
            }
        }
    }

    fn hello(&mut self, now: Millis, hello: Hello, actions: &mut Vec<Action>) -> Result<(), CloseReason> {
        if hello.oldest > WIRE_VERSION || hello.newest < WIRE_OLDEST || hello.oldest > hello.newest {
            return Err(CloseReason::Version);
        }
        let version = hello.newest.min(WIRE_VERSION);
        let peer_window = check_greeting(&hello.heads, hello.receive_window)?;
        let welcome = Welcome {
            version,
            receive_window: self.window_on_the_wire(),
            heads: self.greeted_heads(),
        };
        self.receiving.greeted(&welcome.heads);
        // Known here before the peer can know it.
        actions.push(Action::Up {
            version,
            peer: hello.heads.clone(),
        });
        actions.push(Action::Send(Frame::Welcome(welcome)));
        self.up(now, version, hello.heads, peer_window, actions);
        Ok(())
    }

    fn welcome(
        &mut self,
        now: Millis,
        welcome: Welcome,
        actions: &mut Vec<Action>,
    ) -> Result<(), CloseReason> {
        let version = welcome.version;
        if !(WIRE_OLDEST..=WIRE_VERSION).contains(&version) {
            return Err(CloseReason::Version);
        }
        let peer_window = check_greeting(&welcome.heads, welcome.receive_window)?;
        actions.push(Action::Up {
            version,
            peer: welcome.heads.clone(),
        });
        self.up(now, version, welcome.heads, peer_window, actions);
        Ok(())
    }

    fn up(
        &mut self,
        now: Millis,
        version: u16,
        peer: Vec<OriginHead>,
        peer_window: usize,
        actions: &mut Vec<Action>,
    ) {
        self.phase = Phase::Up(Pulse::start(now));
        self.receiving.begin(version, &peer, actions);
        self.sending.begin(peer, peer_window, actions);
        // What moved between a dialler's greeting and its answer was not told yet.
        for (origin, head) in std::mem::take(&mut self.heads) {
            self.receiving.moved(&origin, head, true, actions);
        }
    }

    fn moved(&mut self, origin: OriginId, head: Head, actions: &mut Vec<Action>) {
        let is_up = self.is_up();
        if !is_up {
            note(&mut self.heads, &origin, head);
        }
        self.sending.moved(&origin, head, actions);
        self.receiving.moved(&origin, head, is_up, actions);
    }

    fn diverged(&mut self, found: Divergence, actions: &mut Vec<Action>) {
        let was_sending = self.sending.stop(&found.origin);
        let was_receiving = self.receiving.stop(&found.origin);
        if was_sending || was_receiving {
            let found = found.seen_from_the_other_side();
            actions.push(Action::Diverged {
                found,
                told_by_peer: true,
            });
        }
    }

    fn refused(&mut self, origin: OriginId, code: RefusalCode, actions: &mut Vec<Action>) {
        let was_going = match code {
            RefusalCode::CannotStore => self.sending.refused(&origin),
            RefusalCode::NotYours | RefusalCode::BadRecord => self.sending.stop(&origin),
            RefusalCode::NotChosen => {
                self.relay.decline(&origin);
                self.sending.stop(&origin)
            }
        };
        if was_going {
            actions.push(Action::Refused {
                origin,
                code,
                by_peer: true,
            });
        }
    }

    /// What is due at `now`, and runs for the room there is.
    fn on_time(&mut self, now: Millis, actions: &mut Vec<Action>) -> Result<(), CloseReason> {
        match &mut self.phase {
            Phase::Closed => Ok(()),
            Phase::Greeting { until } if now >= *until => Err(CloseReason::NoGreeting),
            Phase::Greeting { .. } => Ok(()),
            Phase::Up(pulse) => {
                if pulse.is_dead(now) {
                    return Err(CloseReason::Silent);
                }
                let is_sent = self.relay.flush(now, actions);
                actions.extend(
                    pulse
                        .ping(now, is_sent)
                        .map(|token| Action::Send(Frame::Ping(token))),
                );
                self.sending.retry(now, actions);
                self.receiving.retry(now, actions);
                self.sending.pump(actions);
                Ok(())
            }
        }
    }

    fn close(&mut self, reason: CloseReason, actions: &mut Vec<Action>) {
        self.phase = Phase::Closed;
        actions.push(Action::Send(Frame::Close(reason)));
        actions.push(Action::Close {
            reason,
            by_peer: false,
        });
    }

    /// Our heads of the origins that may pass in either direction, in order of origin.
    fn greeted_heads(&self) -> Vec<OriginHead> {
        let mut heads: Vec<OriginHead> = self
            .heads
            .iter()
            .filter(|(origin, _)| self.config.offers.contains(origin) || self.config.accepts.contains(origin))
            .map(|(origin, head)| OriginHead {
                origin: origin.clone(),
                head: *head,
            })
            .collect();
        heads.sort_by(|a, b| a.origin.cmp(&b.origin));
        heads.dedup_by(|a, b| a.origin == b.origin);
        heads.truncate(ORIGINS_MOST);
        heads
    }

    fn window_on_the_wire(&self) -> u32 {
        u32::try_from(self.config.receive_window).unwrap_or(u32::MAX)
    }
}

/// The peer's receive window, when its greeting keeps the rules.
fn check_greeting(heads: &[OriginHead], receive_window: u32) -> Result<usize, CloseReason> {
    let in_order = heads.is_sorted_by(|a, b| a.origin < b.origin);
    let window = usize::try_from(receive_window).unwrap_or(usize::MAX);
    match (heads.len() <= ORIGINS_MOST, in_order && window >= RECEIVE_LEAST) {
        (false, _) => Err(CloseReason::TooMuch),
        (true, false) => Err(CloseReason::OutOfOrder),
        (true, true) => Ok(window),
    }
}

/// Keeps the newest head of an origin.
fn note(heads: &mut Vec<(OriginId, Head)>, origin: &OriginId, head: Head) {
    match heads.iter_mut().find(|(known, _)| known == origin) {
        Some((_, known)) if known.position >= head.position => {}
        Some((_, known)) => *known = head,
        None => heads.push((origin.clone(), head)),
    }
}
