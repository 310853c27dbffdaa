//! Whose turn it is among the origins that wait: one after another in a circle, so that none is forgotten.

use std::collections::BTreeSet;
use std::ops::Bound;

use ccpor_ledger::OriginId;

#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: BTreeSet<OriginId>,
    last: Option<OriginId>,
}

impl Turns {
    /// Has `origin` wait or not.
    pub(crate) fn keep(&mut self, origin: &OriginId, waits: bool) {
        if !waits {
            self.waiting.remove(origin);
        } else if !self.waiting.contains(origin) {
            self.waiting.insert(origin.clone());
        }
    }

    /// The first that waits after the one that had its turn last. It goes on waiting until told otherwise.
    pub(crate) fn next(&mut self) -> Option<OriginId> {
        let after_last = self.last.as_ref().and_then(|last| {
            self.waiting
                .range((Bound::Excluded(last), Bound::Unbounded))
                .next()
        });
        let origin = after_last.or_else(|| self.waiting.first())?.clone();
        self.last = Some(origin.clone());
        Some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_get_their_turn_in_a_circle() {
        let names = ["court/alameda/node/1", "court/inyo/node/1", "court/yolo/node/1"]
            .map(|name| OriginId::new(name).unwrap());
        let mut turns = Turns::default();
        assert_eq!(turns.next(), None);
        for name in &names {
            turns.keep(name, true);
        }
        let seen: Vec<OriginId> = (0..6).filter_map(|_| turns.next()).collect();
        assert_eq!(seen, [names.clone(), names.clone()].concat());
        turns.keep(&names[0], false);
        assert_eq!(turns.next(), Some(names[1].clone()));
    }
}
