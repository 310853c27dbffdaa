//! How connections come and go: dialling with growing pauses, one live connection an identity, frames on their way, the end.

use ccpor_ledger::OriginId;
use ccpor_sync::{
    Action, CloseReason, Event, Frame, Millis, Moved, OriginSet, Session, SessionConfig, Side, backoff,
    decode, encode, limits,
};

use crate::link::{DIALLER, LISTENER, Place};
use crate::machine::Machine;
use crate::plan::Trouble;
use crate::world::{What, World, say};

/// How long a newcomer waits until a dead holder of its place is given up.
const PROBE_MS: u64 = 1_500;

impl World {
    pub(crate) fn dial(&mut self, link: usize) {
        self.links[link].is_dialling = false;
        let [dialler, listener] = self.links[link].machines;
        let is_running = |machine: &Machine| machine.up.is_some() && !machine.is_gone;
        if !is_running(&self.machines[dialler]) || self.links[link].ends[DIALLER].session.is_some() {
            return;
        }
        if self.links[link].is_silent(self.now) || !is_running(&self.machines[listener]) {
            self.dial_again(link);
            return;
        }
        self.links[link].connection += 1;
        self.links[link].ends[LISTENER].session = None;
        let place = Place {
            link,
            end: DIALLER,
            connection: self.links[link].connection,
        };
        let delay = self.links[link].delay_ms;
        self.later(delay, What::Accept(place.other()));
        self.open(place);
    }

    pub(crate) fn dial_again(&mut self, link: usize) {
        if !std::mem::replace(&mut self.links[link].is_dialling, true) {
            self.links[link].failures += 1;
            let wait = backoff::RECONNECT.wait(self.links[link].failures, self.dice.next());
            self.later(wait.0, What::Dial(link));
        }
    }

    /// The listener decides whether to let the dialler in.
    pub(crate) fn accept(&mut self, place: Place) {
        let now = self.now;
        let link = &self.links[place.link];
        let [dialler, listener] = link.machines;
        if link.connection != place.connection || link.ends[DIALLER].session.is_none() {
            return;
        }
        let delay = link.delay_ms;
        let own = self.machines[dialler].own();
        let is_revoked = own.as_ref().is_some_and(|own| self.revoked.contains(own));
        if self.machines[listener].up.is_none() || is_revoked {
            say!(
                self,
                "{} turns {} away",
                self.machines[listener].name,
                self.machines[dialler].name
            );
            self.later(delay, What::Lost(place.other()));
            return;
        }
        let role = self.machines[dialler].role;
        let holder = (0..self.links.len()).find(|other| {
            let [dials, listens] = self.links[*other].machines;
            *other != place.link
                && listens == listener
                && self.machines[dials].role == role
                && self.links[*other].ends[LISTENER].session.is_some()
        });
        if let Some(holder) = holder {
            if self.links[holder].is_alive(now) {
                say!(
                    self,
                    "a second {} is turned away: the first one lives",
                    self.machines[dialler].name
                );
                self.later(delay, What::Lost(place.other()));
                return;
            }
            // Nobody answers there any more: the newcomer has the place, after a while.
            self.links[holder].ends[LISTENER].session = None;
            self.later(PROBE_MS, What::Accept(place));
            return;
        }
        self.open(place);
    }

    fn open(&mut self, place: Place) {
        let number = self.machine_at(place);
        let peer = self.machine_at(place.other());
        let config = self.config(number, peer, place.end);
        let machine = &self.machines[number];
        say!(
            self,
            "{} talks to {} (connection {})",
            machine.name,
            self.machines[peer].name,
            place.connection
        );
        let mut actions = Vec::new();
        let (heads, beats) = (machine.heads(), machine.heartbeats());
        let session = Session::open(config, Millis(self.now), heads, beats, &mut actions);
        self.links[place.link].begin(place.end, session, self.now);
        self.act(place, actions);
    }

    /// What may pass, from who the two are.
    fn config(&self, number: usize, peer: usize, end: usize) -> SessionConfig {
        let own = self.machines[number].own();
        let (accepts, offers) = match (&own, self.machines[peer].own()) {
            (Some(own), _) => (OriginSet::AllBut(own.clone()), OriginSet::Only(own.clone())),
            (None, Some(court)) => (OriginSet::Only(court.clone()), OriginSet::AllBut(court)),
            (None, None) => (OriginSet::All, OriginSet::All),
        };
        SessionConfig {
            side: if end == DIALLER {
                Side::Dialler
            } else {
                Side::Listener
            },
            own,
            accepts,
            takes: self.choice(number),
            offers,
            receive_window: limits::RECEIVE_MOST,
        }
    }

    pub(crate) fn session(&mut self, place: Place) -> Option<&mut Session> {
        let link = &mut self.links[place.link];
        match link.connection == place.connection {
            true => link.ends[place.end].session.as_mut(),
            false => None,
        }
    }

    /// Tells a session something, after the news that came before it.
    pub(crate) fn tell(&mut self, place: Place, event: Event) {
        if self.session(place).is_none() {
            return;
        }
        let news = self.links[place.link].ends[place.end].news.take();
        let (now, mut actions) = (Millis(self.now), Vec::new());
        let Some(session) = self.session(place) else {
            return;
        };
        for moved in news {
            session.step(now, Event::Moved(moved), &mut actions);
        }
        session.step(now, event, &mut actions);
        self.act(place, actions);
    }

    pub(crate) fn tell_news(&mut self, place: Place) {
        if self.session(place).is_none() {
            return;
        }
        if !self.links[place.link].ends[place.end].news.is_empty() {
            self.tell(place, Event::Tick);
        }
    }

    /// Something changed at a machine: every session there is told, soon.
    pub(crate) fn news(&mut self, machine: usize, moved: &Moved) {
        for link in 0..self.links.len() {
            for end in [DIALLER, LISTENER] {
                let (connection, of) = (self.links[link].connection, self.links[link].machines[end]);
                let this = &mut self.links[link].ends[end];
                if of != machine || this.session.is_none() {
                    continue;
                }
                let was_empty = this.news.is_empty();
                this.news.put(moved.clone());
                if was_empty {
                    let place = Place {
                        link,
                        end,
                        connection,
                    };
                    let delay = self.dice.below(3);
                    self.later(delay, What::News(place));
                }
            }
        }
    }

    fn act(&mut self, place: Place, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(frame) => self.send(place, &frame),
                Action::Close { reason, by_peer } => self.closed(place, reason, by_peer),
                action => self.carry_out(place, action),
            }
        }
        let now = self.now;
        let Some(deadline) = self.session(place).and_then(|session| session.deadline()) else {
            return;
        };
        let at = deadline.0.max(now + 1);
        let planned = &mut self.links[place.link].ends[place.end].tick;
        if *planned > at || *planned <= now {
            *planned = at;
            self.later(at - now, What::Tick(place));
        }
    }

    fn send(&mut self, place: Place, frame: &Frame) {
        let tampered = self.tampered(place, frame);
        let frame = tampered.as_ref().unwrap_or(frame);
        if tampered.is_none() {
            self.check_word(place, frame);
        }
        let bytes = encode(frame).expect("every frame fits");
        let is_run = matches!(frame, Frame::Run(_));
        let now = self.now;
        let (records, link) = (self.has(Trouble::Replay), &mut self.links[place.link]);
        if records && link.recorded.len() < 64 {
            link.recorded.push((place.end, bytes.clone()));
        }
        let arrives = link.arrival(now, place.end, bytes.len(), is_run);
        self.later(arrives - now, What::Arrive(place.other(), bytes));
    }

    /// What a machine says that it holds, it holds.
    fn check_word(&mut self, place: Place, frame: &Frame) {
        let number = self.machine_at(place);
        let said: Vec<(&OriginId, ccpor_ledger::Head)> = match frame {
            Frame::Hello(hello) => hello.heads.iter().map(|at| (&at.origin, at.head)).collect(),
            Frame::Welcome(welcome) => welcome.heads.iter().map(|at| (&at.origin, at.head)).collect(),
            Frame::Ack(ack) => vec![(&ack.origin, ack.head)],
            Frame::Have(at) => vec![(&at.origin, at.head)],
            Frame::Run(run) => vec![(&run.origin, run.last)],
            Frame::Resume { .. }
            | Frame::Diverged(_)
            | Frame::Refused { .. }
            | Frame::Heartbeats(_)
            | Frame::Ping(_)
            | Frame::Pong(_)
            | Frame::Close(_) => return,
        };
        self.model.check(number, &self.machines[number], self.now);
        for (origin, head) in said {
            self.model.vouched(number, &self.machines[number], origin, head);
        }
    }

    pub(crate) fn arrive(&mut self, place: Place, bytes: &[u8]) {
        if self.session(place).is_none() {
            return;
        }
        let frame = decode(&bytes[4..]).expect("what was encoded decodes");
        if self.is_told && !matches!(frame, Frame::Ping(_) | Frame::Pong(_) | Frame::Heartbeats(_)) {
            let (from, to) = (self.machine_at(place.other()), self.machine_at(place));
            say!(
                self,
                "{} -> {}: {}",
                self.machines[from].name,
                self.machines[to].name,
                in_short(&frame)
            );
        }
        self.tell(place, Event::Received(frame));
    }

    fn closed(&mut self, place: Place, reason: CloseReason, by_peer: bool) {
        say!(
            self,
            "{} closes: {reason:?}",
            self.machines[self.machine_at(place)].name
        );
        if !by_peer {
            self.closes.push((self.machine_at(place), reason));
        }
        let expected = matches!(
            reason,
            CloseReason::Silent | CloseReason::NoGreeting | CloseReason::Leaving
        );
        let provoked = self.has(Trouble::Replay) || self.has(Trouble::Tamper);
        assert!(
            expected || provoked || by_peer,
            "an honest world closed with {reason:?}"
        );
        self.lost(place);
        let link = &self.links[place.link];
        let delay = link.delay_ms + link.silent_until[place.end].saturating_sub(self.now);
        self.later(delay + 5, What::Lost(place.other()));
    }

    /// An end learns that its connection is over.
    pub(crate) fn lost(&mut self, place: Place) {
        if self.session(place).is_none() {
            return;
        }
        let link = &mut self.links[place.link];
        let lasted = self.now - link.ends[place.end].opened_at;
        link.ends[place.end].session = None;
        self.give_up_way_back(place);
        if place.end == DIALLER {
            if lasted >= 10_000 {
                self.links[place.link].failures = 0;
            }
            self.dial_again(place.link);
        }
    }

    /// Both ends of a link's connection learn that it is over.
    pub(crate) fn cut(&mut self, link: usize) {
        let connection = self.links[link].connection;
        for end in [DIALLER, LISTENER] {
            self.lost(Place {
                link,
                end,
                connection,
            });
        }
    }

    /// Everything that a machine talks over is gone with its program.
    pub(crate) fn hang_up(&mut self, machine: usize) {
        for link in 0..self.links.len() {
            let connection = self.links[link].connection;
            for end in [DIALLER, LISTENER] {
                if self.links[link].machines[end] == machine {
                    self.links[link].ends[end].session = None;
                    let there = Place {
                        link,
                        end,
                        connection,
                    }
                    .other();
                    // The other side may learn it at once, or by silence.
                    if self.dice.one_in(2) {
                        self.later(20, What::Lost(there));
                    }
                }
            }
        }
    }
}

fn in_short(frame: &Frame) -> String {
    match frame {
        Frame::Run(run) => format!(
            "Run of {} records of {} up to {}",
            run.records.len(),
            run.origin,
            run.last.position
        ),
        Frame::Ack(ack) => format!("Ack of {} up to {}", ack.origin, ack.head.position),
        Frame::Hello(hello) => format!("Hello {}", heads(&hello.heads)),
        Frame::Welcome(welcome) => format!("Welcome {}", heads(&welcome.heads)),
        frame => format!("{frame:?}"),
    }
}

fn heads(heads: &[ccpor_sync::OriginHead]) -> String {
    let one = |at: &ccpor_sync::OriginHead| format!("{} {}", at.origin, at.head.position);
    heads.iter().map(one).collect::<Vec<_>>().join(", ")
}
