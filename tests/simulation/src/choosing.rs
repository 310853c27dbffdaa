//! What the operators of nodes choose to hold: which courts are left out where, and when that changes. Whether the protocol keeps
//! to it is looked at where records and promises arrive.

use std::collections::BTreeSet;

use ccpor_ledger::{Hash, OriginId};
use ccpor_sync::Choice;

use crate::machine::origin;
use crate::world::{World, say};

impl World {
    /// What the operator of a machine chose.
    pub(crate) fn choice(&self, machine: usize) -> Choice {
        if !self.left_out.iter().any(|(of, _)| *of == machine) {
            return Choice::All;
        }
        let courts = (0..self.plan.courts).map(origin);
        let taken: BTreeSet<String> = courts
            .filter(|of| !self.leaves_out(machine, of))
            .map(|of| of.court().to_owned())
            .collect();
        Choice::Courts(taken.into())
    }

    pub(crate) fn leaves_out(&self, machine: usize, of: &OriginId) -> bool {
        !self.left_out.is_empty() && self.left_out.contains(&(machine, of.clone()))
    }

    /// An operator leaves one court out, or takes it again, while the program is not running.
    pub(crate) fn choose_anew(&mut self, machine: usize) {
        if self.plan.left_out.is_empty() || machine >= self.plan.courts {
            return;
        }
        let of = origin(self.dice.index(self.plan.courts));
        if self.machines[machine].own().as_ref() == Some(&of) {
            return;
        }
        let key = (machine, of);
        let is_left_out = !self.left_out.remove(&key);
        say!(
            self,
            "the operator of {} leaves {} out: {is_left_out}",
            self.machines[machine].name,
            key.1
        );
        if is_left_out {
            self.left_out.insert(key);
        }
    }

    /// In the end every court may be wanted everywhere, so that what was left out has to come.
    pub(crate) fn choose_all(&mut self) {
        let machines: BTreeSet<usize> = self.left_out.iter().map(|(machine, _)| *machine).collect();
        for machine in machines {
            if self.machines[machine].up.is_some() {
                self.stop(machine);
            }
        }
        self.left_out.clear();
    }

    /// A machine that leaves a court out holds of it what it held before, and knows that there is one.
    pub(crate) fn check_left_out(&self, machine: usize, of: &OriginId) -> Result<(), String> {
        let hashes = |number: usize| -> Vec<Hash> {
            let copy = self.machines[number].ledgers.get(of);
            copy.map_or_else(Vec::new, |copy| {
                copy.entries().iter().map(|entry| entry.hash).collect()
            })
        };
        let (held, everywhere) = (hashes(machine), hashes(self.plan.courts));
        let name = &self.machines[machine].name;
        if !everywhere.starts_with(&held) {
            return Err(format!("{name} holds of {of} what nobody else does"));
        }
        let up = self.machines[machine].up.as_ref();
        let is_known = up.is_some_and(|up| up.book.all().any(|(known, _)| known == of));
        if !everywhere.is_empty() && !is_known {
            return Err(format!("{name} is silent about {of}"));
        }
        Ok(())
    }
}
