//! What a test arranges in a world, the faults that befall it, and what must be true of it.

use ccpor_ledger::{OriginId, SignedRecord};
use ccpor_sync::{DivergenceKind, OriginSet, Session};

use crate::world::{FORGED, HONEST, Place, What, World};

pub(crate) fn is_forged(record: &SignedRecord) -> bool {
    record.bytes[40] == FORGED
}

impl World {
    pub(crate) fn origin(&self, node: usize) -> OriginId {
        crate::name(node)
    }

    pub(crate) fn file(&mut self, node: usize, records: usize) {
        let origin = crate::name(node);
        for _ in 0..records {
            self.machines[node].copies.append(&origin, HONEST);
        }
        self.moved(node, &origin);
    }

    /// Gives `machine` the first `records` of the writer's ledger.
    pub(crate) fn seed_copy(&mut self, machine: usize, origin: &OriginId, records: usize) {
        let first = self.writers(origin)[..records].to_vec();
        self.machines[machine].copies.set(origin, first);
    }

    pub(crate) fn forge_tail(&mut self, machine: usize, origin: &OriginId, records: usize) {
        self.has_second_chain = true;
        for _ in 0..records {
            self.machines[machine].copies.append(origin, FORGED);
        }
    }

    pub(crate) fn roll_back(&mut self, machine: usize, origin: &OriginId, records: usize) {
        self.has_second_chain = true;
        let first = self.copy(machine, origin)[..records].to_vec();
        self.machines[machine].copies.set(origin, first);
    }

    pub(crate) fn recovering(&mut self, machine: usize) {
        self.machines[machine].recovering = true;
    }

    pub(crate) fn offers_instead(&mut self, machine: usize, offers: OriginSet) {
        self.machines[machine].offers = Some(offers);
    }

    pub(crate) fn slow_link(&mut self, link: usize, bytes_per_second: u64) {
        self.links[link].bytes_per_second = bytes_per_second;
    }

    /// From now on nothing that `end` sends arrives.
    pub(crate) fn cut_one_way(&mut self, link: usize, end: usize) {
        self.links[link].blocked_until[end] = u64::MAX / 2;
    }

    pub(crate) fn is_up(&self, link: usize, end: usize) -> bool {
        self.links[link].sessions[end]
            .as_ref()
            .is_some_and(Session::is_up)
    }

    pub(crate) fn copy(&self, machine: usize, origin: &OriginId) -> &[SignedRecord] {
        self.machines[machine].copies.records(origin)
    }

    pub(crate) fn divergences(&self, origin: &OriginId) -> Vec<(usize, DivergenceKind)> {
        self.diverged
            .iter()
            .filter(|(_, of, _)| of == origin)
            .map(|(machine, _, kind)| (*machine, *kind))
            .collect()
    }

    pub(crate) fn faulty(&self) -> bool {
        self.plan.faults && self.now < self.heals_at
    }

    pub(crate) fn fault(&mut self) {
        if !self.faulty() {
            return;
        }
        let link = self.dice.below(self.links.len() as u64) as usize;
        let connection = self.links[link].connection;
        match self.dice.below(4) {
            0 => [0, 1].into_iter().for_each(|end| {
                self.lost(Place {
                    link,
                    end,
                    connection,
                })
            }),
            1 => {
                let end = self.dice.below(2) as usize;
                self.lost(Place {
                    link,
                    end,
                    connection,
                });
                self.later(
                    300,
                    What::Lost(Place {
                        link,
                        end: 1 - end,
                        connection,
                    }),
                );
            }
            _ => {
                let end = self.dice.below(2) as usize;
                let length = self.dice.below(15_000);
                self.links[link].blocked_until[end] = (self.now + length).min(self.heals_at);
            }
        }
        let next = 100 + self.dice.below(3_000);
        self.later(next, What::Fault);
    }

    pub(crate) fn writers(&self, origin: &OriginId) -> &[SignedRecord] {
        let writer = self
            .machines
            .iter()
            .find(|machine| machine.own.as_ref() == Some(origin))
            .expect("a writer");
        writer.copies.records(origin)
    }

    /// Every copy is a prefix of its writer's ledger; the chain makes one comparison enough.
    pub(crate) fn check_prefix(&self, machine: usize, origin: &OriginId) {
        let copy = self.copy(machine, origin);
        let writers = self.writers(origin);
        if !self.has_second_chain {
            assert!(
                copy.len() <= writers.len(),
                "a copy is longer than its writer's ledger"
            );
            assert_eq!(
                copy.last(),
                copy.len().checked_sub(1).and_then(|last| writers.get(last))
            );
        }
    }

    pub(crate) fn check_converged(&self) {
        self.check_converged_except(&[]);
    }

    pub(crate) fn check_converged_except(&self, left_out: &[OriginId]) {
        for node in 0..self.plan.nodes {
            let origin = crate::name(node);
            if left_out.contains(&origin) {
                continue;
            }
            let written = self.copy(node, &origin).len();
            for (number, machine) in self.machines.iter().enumerate() {
                assert_eq!(
                    machine.copies.records(&origin).len(),
                    written,
                    "{origin} at machine {number}"
                );
                assert!(
                    machine
                        .copies
                        .records(&origin)
                        .iter()
                        .all(|record| !is_forged(record))
                );
                let as_of = machine.book.as_of(&origin).expect("heard of by now").millis();
                let held_then = self.machines[node].closed[&as_of];
                assert!(
                    written as u64 >= held_then && as_of + 10_000 > self.now,
                    "fresh again: {as_of}"
                );
            }
        }
    }
}
