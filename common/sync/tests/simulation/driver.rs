//! What a driver does for a session in a world: reads, compares, stores, passes news on; slowly, and not always.

use ccpor_ledger::{Head, Heartbeat, Hlc, OriginId, Position, RunLimit, SignedHeartbeat};
use ccpor_sync::{Event, LoadFailed, Moved, StoreRefused};

use crate::copies::head_of;
use crate::world::{KEY, Place, What, World};

impl World {
    pub(crate) fn compare(&mut self, place: Place, origin: OriginId, peer: Head) {
        let machine = self.links[place.link].ends[place.end];
        let answer = if self.faulty() && self.dice.one_in(30) {
            Err(LoadFailed::Unreadable)
        } else {
            Ok(self.machines[machine].copies.standing(&origin, &peer))
        };
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, Event::Compared { origin, answer }));
    }

    pub(crate) fn load(&mut self, place: Place, origin: OriginId, after: Option<Position>, limit: RunLimit) {
        let machine = self.links[place.link].ends[place.end];
        let answer = if self.faulty() && self.dice.one_in(30) {
            Err(LoadFailed::Damaged)
        } else {
            let limit = RunLimit {
                records: limit.records.min(1 + self.dice.below(2_000) as usize),
                ..limit
            };
            let run = self.machines[machine].copies.load(&origin, after, limit);
            Ok(run.last().map(head_of).map(|last| (run, last)))
        };
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, Event::Loaded { origin, answer }));
    }

    /// Stores the run at the front, sometimes with those that follow it without a hole. Runs of a connection that died
    /// are still stored: they were handed over.
    pub(crate) fn store(&mut self, place: Place, origin: OriginId) {
        let Some(desk) = self.desks.get_mut(&(place, origin.clone())) else {
            return;
        };
        let Some(first) = desk.pop_front() else { return };
        let (mut last, mut records, mut runs) = (first.last, first.records, 1);
        while self.dice.one_in(2)
            && desk.front().is_some_and(|next| next.after == Some(last.position))
            && let Some(next) = desk.pop_front()
        {
            last = next.last;
            records.extend(next.records);
            runs += 1;
        }
        let machine = self.links[place.link].ends[place.end];
        let answer = if self.faulty() && self.dice.one_in(20) {
            Err(StoreRefused::CannotStore)
        } else {
            self.machines[machine].copies.store(&origin, records)
        };
        if answer.is_ok() {
            self.check_prefix(machine, &origin);
            self.moved(machine, &origin);
        }
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, Event::Stored { origin, runs, answer }));
    }

    pub(crate) fn moved(&mut self, machine: usize, origin: &OriginId) {
        let Some(head) = self.machines[machine].copies.head(origin) else {
            return;
        };
        self.machines[machine].book.applied(origin, head.position);
        self.news(machine, &Moved::Head(origin.clone(), head));
    }

    pub(crate) fn news(&mut self, machine: usize, moved: &Moved) {
        for link in 0..self.links.len() {
            for end in [0, 1] {
                if self.links[link].ends[end] == machine {
                    let place = Place {
                        link,
                        end,
                        connection: self.links[link].connection,
                    };
                    self.tell(place, Event::Moved(moved.clone()));
                }
            }
        }
    }

    pub(crate) fn beat(&mut self, node: usize) {
        let origin = crate::name(node);
        let held = self.copy(node, &origin).len() as u64;
        let closed = Hlc::from_millis(self.now);
        self.machines[node].closed.insert(self.now, held);
        let head = self.machines[node].copies.head(&origin);
        let signed = Heartbeat { origin, head, closed }.sign(&KEY).expect("signs");
        self.take_beat(node, signed);
        self.later(2_000, What::Beat(node));
    }

    pub(crate) fn take_beat(&mut self, machine: usize, signed: SignedHeartbeat) {
        let beat = signed.decode().expect("our own");
        let held = self.machines[machine]
            .beats
            .get(&beat.origin)
            .and_then(|held| held.decode().ok());
        if held.is_some_and(|held| held.closed >= beat.closed) {
            return;
        }
        let received = Hlc::from_millis(self.now);
        self.machines[machine].book.heartbeat(&beat, received);
        self.machines[machine].beats.insert(beat.origin, signed.clone());
        self.news(machine, &Moved::Heartbeat(signed));
    }
}
