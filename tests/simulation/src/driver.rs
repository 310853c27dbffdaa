//! What a driver does for a session, and a program for its clients: compares, reads, proves, writes, waits for the disk, and
//! only then answers. Everything takes its time.

use ccpor_ledger::{Head, OriginId, Position, RunLimit, SignedHeartbeat, SignedRecord};
use ccpor_sync::{Action, Beat, Event, LoadFailed, Moved, StoreRefused, Stored};

use crate::link::{DIALLER, Place};
use crate::machine::Trust;
use crate::plan::Trouble;
use crate::world::{Then, What, World, say};

/// Milliseconds between two heartbeats of a court.
const BEAT_MS: u64 = 8_000;

impl World {
    /// Does what a session asks for, other than to send and to close.
    pub(crate) fn carry_out(&mut self, place: Place, action: Action) {
        let number = self.machine_at(place);
        let soon = self.dice.below(4);
        match action {
            Action::Compare { origin, peer } => self.later(soon, What::Compare(place, origin, peer)),
            Action::Load { origin, after, limit } => {
                self.later(soon, What::Load(place, origin, after, limit))
            }
            Action::HeardOf(origins) => {
                if let Some(up) = &mut self.machines[number].up {
                    origins.iter().for_each(|origin| up.book.know(origin));
                }
            }
            Action::Store(run) => {
                assert!(
                    !self.leaves_out(number, &run.origin),
                    "{} is to store what it does not want",
                    self.machines[number].name
                );
                let key = (place, run.origin.clone());
                self.later(soon, What::Store(place, run.origin.clone()));
                self.trays.entry(key).or_default().push_back(run);
            }
            Action::KeepReceipt { origin, receipt } => {
                self.links[place.link].ends[place.end]
                    .receipts
                    .insert(origin, receipt);
                self.later(soon, What::Filing(place));
            }
            Action::TakeHeartbeats(heartbeats) => {
                self.links[place.link].ends[place.end].heard.extend(heartbeats);
                self.later(soon, What::Filing(place));
            }
            Action::Diverged { found, told_by_peer } => {
                say!(
                    self,
                    "{}: {found} (told by the peer: {told_by_peer})",
                    self.machines[number].name
                );
                self.divergences
                    .insert((number, found.origin.clone(), found.kind.into()));
                if self.machines[number].own().as_ref() == Some(&found.origin) {
                    self.links[place.link].ends[place.end].is_diverged = true;
                }
            }
            Action::Refused {
                origin,
                code,
                by_peer,
            } => {
                say!(
                    self,
                    "{}: {origin} refused ({code:?}, by the peer: {by_peer})",
                    self.machines[number].name
                );
            }
            Action::Unreadable { origin, why } => {
                say!(
                    self,
                    "{}: {origin} cannot be sent: {why}",
                    self.machines[number].name
                );
            }
            Action::Up { .. } => {
                if place.end == DIALLER {
                    say!(self, "{} is up", self.machines[number].name);
                }
            }
            Action::Send(_) | Action::Close { .. } => {}
        }
    }

    pub(crate) fn compare(&mut self, place: Place, origin: OriginId, peer: Head) {
        let answer = match self.fails(Trouble::Unreadable) {
            true => Err(LoadFailed::Unreadable),
            false => {
                let machine = self.machine_at(place);
                self.machines[machine].copy(&origin).standing(&peer)
            }
        };
        self.answer(place, Event::Compared { origin, answer });
    }

    pub(crate) fn load(&mut self, place: Place, origin: OriginId, after: Option<Position>, limit: RunLimit) {
        let machine = self.machine_at(place);
        let answer = match self.fails(Trouble::Unreadable) {
            true => Err(LoadFailed::Unreadable),
            false => {
                // A ledger gives at least one record and as many as it likes.
                let records = if self.dice.one_in(4) {
                    1 + self.dice.index(4)
                } else {
                    limit.records
                };
                self.machines[machine]
                    .copy(&origin)
                    .load(after, RunLimit { records, ..limit })
            }
        };
        let answer = answer.map(|run| {
            let last = run.last().map(head_of)?;
            Some((run, last))
        });
        self.answer(place, Event::Loaded { origin, answer });
    }

    fn answer(&mut self, place: Place, event: Event) {
        let delay = self.dice.below(4);
        self.later(delay, What::Answer(place, event));
    }

    /// Stores the run at the front of a tray, sometimes with those that follow it without a hole. Runs of a connection that died
    /// are still stored: they were handed over.
    pub(crate) fn store(&mut self, place: Place, origin: OriginId) {
        let number = self.machine_at(place);
        if self.machines[number].copy(&origin).is_busy() {
            self.later(1, What::Store(place, origin));
            return;
        }
        let Some((records, runs)) = self.take_together(place, &origin) else {
            return;
        };
        let full = self.fails(Trouble::FullDisk);
        let trust = Trust {
            revoked: &self.revoked,
            // What it sent before stays valid: a hub takes it from another one, and a node from its hub.
            at_hub: self.machines[number].is_hub() && !self.machines[self.machine_at(place.other())].is_hub(),
        };
        let judged = match () {
            // What the own court signed and this machine lost comes back by a restore, not by an ordinary session.
            () if self.machines[number].own().as_ref() == Some(&origin) => Err(StoreRefused::BadRecord),
            () if full => Err(StoreRefused::CannotStore),
            () => self.machines[number].copy(&origin).judge(records, &trust),
        };
        match judged {
            Ok(Some((new, proven))) => {
                self.machines[number].copy(&origin).write(&new, proven.end);
                self.write_out(number, origin, Then::Stored(place, runs));
            }
            Ok(None) => self.stored(place, runs, origin),
            Err(refused) => {
                say!(
                    self,
                    "{} does not keep {runs} runs of {origin}: {refused}",
                    self.machines[number].name
                );
                let answer = Err(refused);
                self.answer(place, Event::Stored { origin, runs, answer });
            }
        }
    }

    fn take_together(&mut self, place: Place, origin: &OriginId) -> Option<(Vec<SignedRecord>, usize)> {
        let tray = self.trays.get_mut(&(place, origin.clone()))?;
        let first = tray.pop_front()?;
        let (mut last, mut records, mut runs) = (first.last, first.records, 1);
        while self.dice.one_in(2)
            && tray.front().is_some_and(|next| next.after == Some(last.position))
            && let Some(next) = tray.pop_front()
        {
            last = next.last;
            records.extend(next.records);
            runs += 1;
        }
        Some((records, runs))
    }

    /// A batch is on its way to the disk.
    fn write_out(&mut self, number: usize, origin: OriginId, then: Then) {
        let life = self.machines[number].life;
        let is_slow = self.is_troubled() && self.dice.one_in(12);
        let takes = if is_slow { 600 } else { 1 + self.dice.below(6) };
        self.later(takes, What::Durable(number, life, origin, then));
    }

    pub(crate) fn durable(&mut self, number: usize, life: u64, origin: &OriginId, then: Then) {
        if self.machines[number].life != life || self.machines[number].up.is_none() {
            return;
        }
        self.machines[number].copy(origin).commit();
        let Some(head) = self.machines[number].copy(origin).head() else {
            return;
        };
        say!(
            self,
            "{} holds {origin} up to {}",
            self.machines[number].name,
            head.position
        );
        self.news(number, &Moved::Head(origin.clone(), head));
        match then {
            Then::Filed(records) => {
                for record in records {
                    self.model.acknowledged(origin, &record, self.now);
                }
            }
            Then::Stored(place, runs) => {
                self.machines[number].recorded(origin);
                self.stored(place, runs, origin.clone());
            }
        }
    }

    fn stored(&mut self, place: Place, runs: usize, origin: OriginId) {
        let number = self.machine_at(place);
        let machine = &mut self.machines[number];
        let Some(head) = machine.copy(&origin).head() else {
            return;
        };
        self.model.check(number, machine, self.now);
        self.model.vouched(number, machine, &origin, head);
        let receipt = match self.plan.with_receipts {
            true => machine.receipt_for(&origin, head),
            false => None,
        };
        let answer = Ok(Stored { head, receipt });
        self.answer(place, Event::Stored { origin, runs, answer });
    }

    /// Receipts and heartbeats that came in are looked at.
    pub(crate) fn work_off_filing(&mut self, place: Place) {
        let number = self.machine_at(place);
        if self.links[place.link].connection != place.connection || self.machines[number].up.is_none() {
            return;
        }
        let end = &mut self.links[place.link].ends[place.end];
        let (receipts, heard) = (std::mem::take(&mut end.receipts), std::mem::take(&mut end.heard));
        for receipt in receipts.values() {
            self.machines[number].keep_receipt(receipt);
        }
        for signed in heard {
            if self.machines[number].hear(&signed) {
                self.news(number, &beat_of(signed));
            }
        }
    }

    /// A client files some orders at a court's node.
    pub(crate) fn file(&mut self, number: usize) {
        let machine = &mut self.machines[number];
        let (Some(own), Some(up)) = (machine.own(), &machine.up) else {
            return;
        };
        if up.halted.is_some() || !up.is_writing || machine.is_gone {
            return;
        }
        if machine.copy(&own).is_busy() {
            self.later(1, What::File(number));
            return;
        }
        let count = self.dice.between(1, 4);
        let bodies = (0..count).map(|_| vec![self.dice.below(256) as u8; self.dice.between(8, 300) as usize]);
        let bodies = bodies.collect();
        self.record(number, bodies);
    }

    /// A court records some bodies.
    pub(crate) fn record(&mut self, number: usize, bodies: Vec<Vec<u8>>) {
        let machine = &mut self.machines[number];
        let (Some(own), Some(scribe)) = (machine.own(), machine.scribe()) else {
            return;
        };
        let copy = machine.copy(&own);
        let Ok(mut end) = scribe.takes_up(copy.end()) else {
            return;
        };
        let mut records = Vec::new();
        for body in bodies {
            records.extend(scribe.event(body, &mut end));
        }
        for record in &records {
            self.model.made(&own, record);
        }
        let name = &self.machines[number].name;
        say!(
            self,
            "{name} files {} orders up to {}",
            records.len(),
            end.head.position
        );
        self.machines[number].copy(&own).write(&records, end);
        #[cfg(feature = "planted")]
        if ccpor_ledger::planted::is(ccpor_ledger::planted::Planted::FiledBeforeDurable) {
            self.machines[number].copy(&own).publish();
            records
                .iter()
                .for_each(|record| self.model.acknowledged(&own, record, self.now));
        }
        self.write_out(number, own, Then::Filed(records));
    }

    /// A court says that nothing earlier is still to come.
    pub(crate) fn beat(&mut self, number: usize) {
        let machine = &mut self.machines[number];
        let Some(own) = machine.own() else { return };
        if machine.is_gone {
            return;
        }
        if machine.copy(&own).is_busy() {
            self.later(1, What::Beat(number));
            return;
        }
        if let Some(signed) = machine.beat() {
            self.news(number, &beat_of(signed));
        }
        self.later(BEAT_MS, What::Beat(number));
    }

    /// Whether something that can fail does, now.
    fn fails(&mut self, trouble: Trouble) -> bool {
        self.is_troubled() && self.has(trouble) && self.dice.one_in(8)
    }
}

fn beat_of(signed: SignedHeartbeat) -> Moved {
    Moved::Heartbeat(Beat::of(signed).expect("was verified"))
}

pub(crate) fn head_of(record: &SignedRecord) -> Head {
    Head {
        position: record.outline().expect("a record of a ledger").position,
        hash: record.hash(),
    }
}
