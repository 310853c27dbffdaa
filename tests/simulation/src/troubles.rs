//! What befalls a world: cuts, silence, power failures, old copies, twins, wrong clocks, liars; and the healing.

use std::collections::BTreeMap;

use ccpor_ledger::SignedRecord;
use ccpor_sync::{CloseReason, Event, Frame};

use crate::copy::Copy;
use crate::driver::head_of;
use crate::link::{DIALLER, LISTENER, Link, Place};
use crate::machine::{Machine, Role, court_key};
use crate::plan::Trouble;
use crate::world::{What, World, say};

impl World {
    /// The next piece of trouble, and when the one after it comes.
    pub(crate) fn trouble(&mut self) {
        if !self.is_troubled() {
            return;
        }
        let one = self.plan.troubles[self.dice.index(self.plan.troubles.len())];
        self.befall(one);
        let pause = self.dice.between(100, 2_500);
        self.later(pause, What::Trouble);
    }

    /// Lets a trouble befall some machine or link.
    pub(crate) fn befall(&mut self, trouble: Trouble) {
        let link = self.dice.index(self.links.len());
        let machine = self.dice.index(self.machines.len());
        let court = self.dice.index(self.plan.courts);
        match trouble {
            Trouble::Cut => self.break_off(link),
            Trouble::Silence => self.silence(link),
            Trouble::Swizzle => self.swizzle(machine),
            Trouble::Slow => self.slow_down(link),
            Trouble::PowerCut => self.cut_power(machine),
            Trouble::Restart => self.restart(machine),
            Trouble::FullDisk | Trouble::Unreadable | Trouble::Tamper => {}
            Trouble::Flip => self.flip(machine),
            Trouble::OldNode => self.old_copy(court),
            Trouble::OldHub => self.old_copy(self.plan.courts),
            Trouble::Clone => self.clone_machine(court),
            Trouble::Clock => self.set_clock_wrong(machine),
            Trouble::Revoke => self.revoke(court),
            Trouble::Replay => self.replay(link),
        }
    }

    fn break_off(&mut self, link: usize) {
        let connection = self.links[link].connection;
        let first = self.dice.index(2);
        say!(self, "the connection of link {link} breaks");
        self.lost(Place {
            link,
            end: first,
            connection,
        });
        let later = if self.dice.one_in(2) {
            0
        } else {
            self.dice.below(3_000)
        };
        let end = 1 - first;
        self.later(
            later,
            What::Lost(Place {
                link,
                end,
                connection,
            }),
        );
    }

    fn silence(&mut self, link: usize) {
        let length = self.dice.below(15_000);
        let until = (self.now + length).min(self.heals_at);
        let ends = self.dice.between(1, 4);
        say!(self, "link {link} falls silent for {length} ms (ends {ends:02b})");
        for end in [DIALLER, LISTENER] {
            if ends & (1 << end) != 0 {
                self.links[link].silent_until[end] = until;
            }
        }
    }

    fn swizzle(&mut self, machine: usize) {
        say!(
            self,
            "the links of {} fall silent and come back in some order",
            self.machines[machine].name
        );
        for link in 0..self.links.len() {
            if self.links[link].machines.contains(&machine) {
                let until = (self.now + self.dice.below(6_000)).min(self.heals_at);
                self.links[link].silent_until = [until; 2];
            }
        }
    }

    fn slow_down(&mut self, link: usize) {
        let (bytes_per_ms, delay_ms) = match self.dice.one_in(3) {
            true => (10_000, 3),
            false => (self.dice.between(1, 20), self.dice.between(3, 900)),
        };
        say!(self, "link {link}: {bytes_per_ms} bytes/ms, {delay_ms} ms");
        (self.links[link].bytes_per_ms, self.links[link].delay_ms) = (bytes_per_ms, delay_ms);
    }

    /// A program starts.
    pub(crate) fn start(&mut self, number: usize) {
        if self.machines[number].up.is_some() || self.machines[number].is_gone {
            return;
        }
        let own = self.machines[number].own();
        let made = self.machines[number].start();
        for (own, record) in own
            .iter()
            .flat_map(|own| made.iter().map(move |record| (own, record)))
        {
            self.model.made(own, record);
        }
        say!(self, "{} starts", self.machines[number].name);
        if self.machines[number].life == 1 {
            let (beat, look) = (self.dice.below(3_000), self.dice.below(1_000));
            self.later(beat, What::Beat(number));
            self.later(look, What::Look(number));
        }
        for link in 0..self.links.len() {
            if self.links[link].machines[DIALLER] == number {
                self.links[link].failures = 0;
                self.links[link].is_dialling = true;
                let soon = self.dice.below(20);
                self.later(soon, What::Dial(link));
            }
        }
    }

    /// The power of a machine fails; what follows is when it comes back.
    fn cut_power(&mut self, number: usize) {
        if self.machines[number].up.is_none() {
            return;
        }
        self.lose_power(number);
        let down = self.dice.below(3_000);
        self.later(down, What::Start(number));
    }

    pub(crate) fn lose_power(&mut self, number: usize) {
        say!(self, "the power of {} fails", self.machines[number].name);
        for copy in self.machines[number].ledgers.values_mut() {
            copy.crash(&mut self.dice);
        }
        self.end_program(number);
    }

    fn end_program(&mut self, number: usize) {
        self.machines[number].up = None;
        self.model.stopped(number);
        let links = &self.links;
        self.trays
            .retain(|(place, _), _| links[place.link].machines[place.end] != number);
        self.hang_up(number);
    }

    fn restart(&mut self, number: usize) {
        if self.machines[number].up.is_none() {
            return;
        }
        self.stop(number);
        self.choose_anew(number);
        let down = self.dice.below(1_000);
        self.later(down, What::Start(number));
    }

    /// A program is stopped in order: what is on its way to the disk gets there, and the peers are told.
    pub(crate) fn stop(&mut self, number: usize) {
        say!(self, "{} is stopped", self.machines[number].name);
        for link in 0..self.links.len() {
            let connection = self.links[link].connection;
            for end in [DIALLER, LISTENER] {
                if self.links[link].machines[end] == number {
                    self.tell(
                        Place {
                            link,
                            end,
                            connection,
                        },
                        Event::Leave(CloseReason::Leaving),
                    );
                }
            }
        }
        for copy in self.machines[number].ledgers.values_mut() {
            if copy.is_busy() {
                copy.commit();
            }
            copy.note_durable();
        }
        self.end_program(number);
    }

    /// A bit turns over on a disk, in a record that somebody else can give back.
    fn flip(&mut self, number: usize) {
        let origins: Vec<_> = self.machines[number].ledgers.keys().cloned().collect();
        if origins.is_empty() {
            return;
        }
        let origin = origins[self.dice.index(origins.len())].clone();
        // Somebody has to have what was there: of each ledger only one copy is ever hit.
        let hit = self.flipped.get(&origin).copied();
        if hit.is_some_and(|hit| hit != number) {
            return;
        }
        let gives_back = |machine: &Machine| match self.machines[number].role {
            Role::Court(_) => machine.is_hub(),
            Role::Hub(_) => machine.own().as_ref() == Some(&origin),
        };
        let head = self.machines[number].ledgers[&origin].head();
        let is_held = self
            .machines
            .iter()
            .filter(|machine| gives_back(machine))
            .any(|machine| {
                let theirs = machine.ledgers.get(&origin);
                theirs.is_some_and(|copy| copy.head() == head && !copy.is_damaged())
            });
        if is_held
            && let Some(at) = self.machines[number]
                .ledgers
                .get_mut(&origin)
                .and_then(|copy| copy.flip(&mut self.dice))
        {
            self.flipped.insert(origin.clone(), number);
            say!(
                self,
                "{}: a bit of record {at} of {origin} turns over",
                self.machines[number].name
            );
        }
    }

    /// First a copy of a disk is made; later it takes the place of the disk.
    fn old_copy(&mut self, number: usize) {
        let held = self.backups.iter().position(|(of, _)| *of == number);
        let Some(held) = held else {
            say!(
                self,
                "a copy of the disk of {} is made",
                self.machines[number].name
            );
            let ledgers = backup(&self.machines[number]);
            self.backups.push((number, ledgers));
            return;
        };
        let (_, ledgers) = self.backups.swap_remove(held);
        if self.machines[number].up.is_some() {
            self.lose_power(number);
        }
        say!(
            self,
            "the disk of {} is replaced by an old copy",
            self.machines[number].name
        );
        self.machines[number].ledgers = ledgers;
        self.machines[number].receipts.clear();
        self.model.doubled.extend(self.machines[number].own());
        self.model.replaced(number, &self.machines[number]);
        let down = self.dice.below(3_000);
        self.later(down, What::Start(number));
    }

    /// A court's node is copied, and both run under one name.
    fn clone_machine(&mut self, court: usize) {
        if self.machines.len() > self.plan.courts + self.plan.hubs {
            return;
        }
        let mut twin = Machine::new(Role::Court(court));
        twin.name.push('\'');
        twin.ledgers = backup(&self.machines[court]);
        twin.clock_error = self.machines[court].clock_error;
        twin.set_clock(self.now);
        let number = self.machines.len();
        say!(self, "{} is cloned", self.machines[court].name);
        self.model.doubled.extend(twin.own());
        self.model.replaced(number, &twin);
        self.machines.push(twin);
        for hub in self.plan.courts..self.plan.courts + self.plan.hubs {
            self.links.push(Link::new(number, hub));
        }
        self.start(number);
        for _ in 0..self.dice.below(4) {
            let at = self.dice.below(8_000);
            self.later(at, What::File(number));
        }
    }

    fn set_clock_wrong(&mut self, number: usize) {
        let most = [5_000, 3_600_000, 86_400_000, 31_536_000_000][self.dice.index(4)];
        let by = self.dice.below(2 * most) as i64 - most as i64;
        say!(
            self,
            "the clock of {} is wrong by {by} ms",
            self.machines[number].name
        );
        self.machines[number].clock_error = by;
        self.machines[number].set_clock(self.now);
    }

    fn revoke(&mut self, court: usize) {
        let own = crate::machine::origin(court);
        if !self.revoked.is_empty() || self.dice.one_in(2) {
            return;
        }
        say!(self, "the certificate of court-{court} is revoked");
        self.revoked.insert(own);
        for link in 0..self.links.len() {
            if self.machines[self.links[link].machines[DIALLER]].role == Role::Court(court) {
                self.cut(link);
            }
        }
    }

    /// A frame that went over a link before arrives once more, mostly where it arrived then.
    fn replay(&mut self, link: usize) {
        let recorded = &self.links[link].recorded;
        if recorded.is_empty() {
            return;
        }
        let (end, bytes) = recorded[self.dice.index(recorded.len())].clone();
        let on = if self.dice.one_in(8) {
            self.dice.index(self.links.len())
        } else {
            link
        };
        let place = Place {
            link: on,
            end: 1 - end,
            connection: self.links[on].connection,
        };
        say!(self, "a frame of link {link} arrives again on link {on}");
        self.later(0, What::Arrive(place, bytes));
    }

    /// What a machine that lies sends instead of a frame; none when it sends the truth.
    pub(crate) fn tampered(&mut self, place: Place, frame: &Frame) -> Option<Frame> {
        let lies = self.has(Trouble::Tamper) && self.is_troubled();
        let Frame::Run(run) = frame else { return None };
        if !lies || !self.dice.one_in(4) {
            return None;
        }
        let mut run = run.clone();
        let last = run.records.last_mut()?;
        let mut record = last.decode().expect("a record of a ledger");
        if let ccpor_ledger::Body::Event(body) = &mut record.body {
            body.push(0xF0);
        }
        let forged = match self.dice.one_in(2) {
            // Signed with the key of somebody who may not, or not signed anew at all.
            true => record.sign(&court_key(crate::machine::COURTS - 1)),
            false => record.encode().map(|bytes| SignedRecord {
                bytes,
                signature: last.signature,
            }),
        };
        // The last court's own records would be signed as they ought to be.
        *last = forged
            .ok()
            .filter(|_| run.origin != crate::machine::origin(crate::machine::COURTS - 1))?;
        run.last = head_of(last);
        say!(
            self,
            "{} changes record {} of {}",
            self.machines[self.machine_at(place)].name,
            run.last.position,
            run.origin
        );
        Some(Frame::Run(run))
    }

    /// Nothing goes wrong from now on; what is down comes back, clocks are set, and of two twins one is switched off.
    pub(crate) fn heal(&mut self) {
        say!(self, "everything heals");
        self.heals_at = self.now;
        for machine in &mut self.machines {
            machine.clock_error = 0;
            machine.set_clock(self.now);
        }
        for link in &mut self.links {
            link.silent_until = [0; 2];
            (link.bytes_per_ms, link.delay_ms) = (10_000, 3);
        }
        let first_twin = self.plan.courts + self.plan.hubs;
        for twin in first_twin..self.machines.len() {
            let original = self
                .machines
                .iter()
                .position(|machine| machine.role == self.machines[twin].role);
            let off = if self.dice.one_in(2) {
                twin
            } else {
                original.expect("it was cloned")
            };
            if self.machines[off].up.is_some() {
                self.stop(off);
            }
            self.machines[off].is_gone = true;
        }
        if !self.left_out.is_empty() && self.dice.one_in(2) {
            self.choose_all();
        }
        for number in 0..self.machines.len() {
            self.start(number);
        }
        if self.has(Trouble::Tamper) || self.has(Trouble::Replay) {
            // A liar is found and replaced: its connections end.
            (0..self.links.len()).for_each(|link| self.cut(link));
        }
    }
}

fn backup(machine: &Machine) -> BTreeMap<ccpor_ledger::OriginId, Copy> {
    let ledgers = machine.ledgers.iter();
    ledgers
        .map(|(origin, copy)| (origin.clone(), copy.backup()))
        .collect()
}
