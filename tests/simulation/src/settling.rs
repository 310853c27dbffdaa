//! After the healing: within a bounded time everybody holds the same of every court, and is fresh. An operator does what the
//! runbook says for a court that stays halted.

use ccpor_ledger::{Hash, OriginId};

use crate::copy::Copy;
use crate::machine::{Machine, origin};
use crate::plan::Trouble;
use crate::world::{World, say};

/// How long after the healing, or after an operator's help, everything must be level: the longest pause between two attempts to
/// connect, a way back, and such a pause again.
const SETTLES_WITHIN_MS: u64 = 75_000;

/// When an operator looks at what stays halted.
const OPERATOR_AFTER_MS: u64 = 40_000;

/// How old a court's word may be at the end; it is renewed every eight seconds.
const FRESH_MS: u64 = 20_000;

impl World {
    /// Lets everything happen up to the healing and beyond, until all is level.
    ///
    /// # Panics
    /// Something that must hold does not.
    pub fn run(&mut self) {
        self.run_until(self.heals_at);
        if self.has(Trouble::Clock) {
            // What a wrong clock promised counts until something is filed behind it.
            self.settle(Self::is_equal);
            (0..self.machines.len()).for_each(|machine| self.file(machine));
            self.run_until(self.now + FRESH_MS + 2_000);
        }
        self.settle(Self::is_level);
        say!(self, "level");
        self.model.check_numbers();
        self.check_kept();
        self.check_reconciled();
    }

    /// Lets everything happen until all is as it should be.
    fn settle(&mut self, is_settled: fn(&Self) -> Result<(), String>) {
        let (mut since, mut is_helped) = (self.now, false);
        while let Err(why) = is_settled(self) {
            assert!(
                self.now < since + SETTLES_WITHIN_MS,
                "I4: {why}, {SETTLES_WITHIN_MS} ms after everything healed"
            );
            if self.now >= since + OPERATOR_AFTER_MS && !is_helped {
                is_helped = true;
                self.follow_runbook();
                since = self.now;
            }
            self.run_until(self.now + 500);
        }
    }

    /// Whether all is equal and everybody is fresh.
    pub(crate) fn is_level(&self) -> Result<(), String> {
        self.is_equal()?;
        for court in (0..self.plan.courts).filter(|court| !self.revoked.contains(&origin(*court))) {
            let of = origin(court);
            let others = |(number, machine): &(usize, &Machine)| {
                self.takes_part(machine)
                    && machine.own().as_ref() != Some(&of)
                    && !self.leaves_out(*number, &of)
            };
            for (_, machine) in self.machines.iter().enumerate().filter(others) {
                let as_of = machine.up.as_ref().and_then(|up| up.book.as_of(&of));
                let as_of = as_of.map_or(0, ccpor_ledger::Hlc::millis);
                // A moment that is still to come was heard by a clock that was set back since, and says nothing.
                if as_of + FRESH_MS < self.now || as_of > self.now {
                    return Err(format!("{} is not current about {of}: {as_of}", machine.name));
                }
            }
        }
        Ok(())
    }

    /// Whether the digests are equal at node, hub and every replica, and nothing is damaged, halted or down.
    pub(crate) fn is_equal(&self) -> Result<(), String> {
        let hub = &self.machines[self.plan.courts];
        let machines = self.machines.iter().enumerate();
        for (number, machine) in machines.filter(|(_, machine)| self.takes_part(machine)) {
            let Some(up) = &machine.up else {
                return Err(format!("{} is down", machine.name));
            };
            if let Some(why) = &up.halted {
                return Err(format!("{} is halted: {why}", machine.name));
            }
            for of in (0..self.plan.courts).map(origin) {
                if self.leaves_out(number, &of) {
                    self.check_left_out(number, &of)?;
                } else if digest(machine, &of) != digest(hub, &of) {
                    return Err(format!("{} and {} differ about {of}", machine.name, hub.name));
                }
                if machine.ledgers.get(&of).is_some_and(Copy::is_damaged) {
                    return Err(format!("{} has damage in {of}", machine.name));
                }
            }
        }
        Ok(())
    }

    fn takes_part(&self, machine: &Machine) -> bool {
        !machine.is_gone && machine.own().is_none_or(|own| !self.revoked.contains(&own))
    }

    /// "A node is lost": a court whose ledger the hub's copy contradicts is reconciled with it; one whose ledger is damaged besides
    /// lays it aside, keeps it, and starts with an empty one.
    fn follow_runbook(&mut self) {
        for number in 0..self.machines.len() {
            let machine = &self.machines[number];
            let is_halted = machine.up.as_ref().is_some_and(|up| up.halted.is_some());
            let Some(own) = machine.own().filter(|_| is_halted && self.takes_part(machine)) else {
                continue;
            };
            // What only this machine had, or what nobody can read any more, is not in the ledger that goes on.
            self.model.doubled.insert(own.clone());
            if self.reconcile(number) {
                continue;
            }
            say!(
                self,
                "the operator of {} lays its ledger aside",
                self.machines[number].name
            );
            self.stop(number);
            let copy = self.machines[number].copy(&own);
            let mut empty = Copy::new(own.clone());
            empty.gave_up_damage = copy.is_damaged();
            empty.aside.clone_from(&copy.aside);
            empty.aside.extend(copy.entries().iter().map(|entry| entry.hash));
            *copy = empty;
            self.start(number);
        }
    }

    /// What was acknowledged is at every machine, or, of two contradicting filings, kept where it was filed.
    fn check_kept(&self) {
        for court in 0..self.plan.courts {
            let of = origin(court);
            if self.revoked.contains(&of) {
                continue;
            }
            let everywhere = chain(&self.machines[self.plan.courts], &of);
            let disks = self
                .machines
                .iter()
                .filter_map(|machine| machine.ledgers.get(&of));
            let is_replaced = self.has(Trouble::OldNode) || disks.clone().any(|copy| copy.gave_up_damage);
            let kept: Vec<Hash> = disks
                .flat_map(|copy| {
                    copy.aside
                        .iter()
                        .copied()
                        .chain(copy.entries().iter().map(|entry| entry.hash))
                })
                .collect();
            self.model.check_kept(&of, &everywhere, &kept, is_replaced);
        }
    }
}

fn chain(machine: &Machine, of: &OriginId) -> Vec<Hash> {
    let copy = machine.ledgers.get(of);
    copy.map_or_else(Vec::new, |copy| {
        copy.entries().iter().map(|entry| entry.hash).collect()
    })
}

/// Equal digests mean equal ledgers: the last hash pins every record before it.
fn digest(machine: &Machine, of: &OriginId) -> Option<(usize, Hash)> {
    let entries = machine.ledgers.get(of)?.entries();
    Some((entries.len(), entries.last()?.hash))
}
