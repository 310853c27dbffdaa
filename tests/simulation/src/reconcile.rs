//! An operator reconciles a court that filed on an old copy of its ledger: what only it has goes to a shelf, the ledger is taken back
//! to what the hub has as well, and once the hub's records are back, what is on the shelf is recorded once more.

use std::convert::Infallible;

use ccpor_ledger::{Body, shared};

use crate::world::{World, say};

/// Begins what was recorded once more.
const AGAIN: &[u8] = b"again: ";

impl World {
    /// Takes the branch of a court out of its ledger and starts it anew. False when the hub's copy contradicts nothing that can be
    /// read here.
    pub(crate) fn reconcile(&mut self, number: usize) -> bool {
        let hub = self.plan.courts;
        let Some(own) = self.machines[number].own() else {
            return false;
        };
        let copy = self.machines[number].copy(&own);
        if copy.is_damaged() || copy.is_busy() {
            return false;
        }
        let records = copy.readable();
        let theirs: Vec<_> = self.machines[hub]
            .copy(&own)
            .entries()
            .iter()
            .map(|entry| entry.hash)
            .collect();
        let count = records.len() as u64;
        let holds = |number: u64| Ok::<_, Infallible>(theirs.contains(&records[number as usize - 1].hash()));
        let Ok(both) = shared(count, holds);
        if both == count || theirs.len() as u64 <= both {
            return false;
        }
        say!(
            self,
            "the operator of {} reconciles it: {} records are a branch",
            self.machines[number].name,
            count - both
        );
        self.stop(number);
        let (common, branch) = records.split_at(both as usize);
        let again = branch
            .iter()
            .filter_map(|record| match record.decode().expect("is read").body {
                Body::Event(body) if body.starts_with(AGAIN) => Some(body),
                Body::Event(body) => Some([AGAIN, &body].concat()),
                Body::EpochStart(_) | Body::KeyHandover(_) => None,
            });
        let again: Vec<Vec<u8>> = again.collect();
        self.reconciled
            .extend(again.iter().map(|body| (own.clone(), body.clone())));
        self.machines[number].shelf.extend(again);
        let last = common
            .last()
            .map(|record| record.outline().expect("is read").position);
        self.machines[number].copy(&own).set_aside(last);
        self.start(number);
        true
    }

    /// Whatever an operator took out of a ledger is in it again, at the hub as well.
    pub(crate) fn check_reconciled(&mut self) {
        let hub = self.plan.courts;
        for (origin, body) in std::mem::take(&mut self.reconciled) {
            if self.revoked.contains(&origin) {
                continue;
            }
            let held = self.machines[hub].copy(&origin).readable();
            let is_there = held.iter().any(
                |record| matches!(record.decode().expect("is read").body, Body::Event(held) if held == body),
            );
            assert!(
                is_there,
                "an order of {origin} was taken out and not recorded once more"
            );
        }
    }
}
