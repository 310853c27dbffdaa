//! Sets of origins that fit in a word: who may write what is asked on every run.

use ccpor_ledger::OriginId;

/// The origins that one side of a connection may send records of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginSet {
    /// No origin.
    None,
    /// One origin: what a hub takes from a court's node.
    Only(OriginId),
    /// Every origin but one: what a node takes from a hub, its own ledger excepted.
    AllBut(OriginId),
    /// Every origin: hub to hub, and recovery.
    All,
}

impl OriginSet {
    /// Whether records of `origin` are within the set.
    pub fn contains(&self, origin: &OriginId) -> bool {
        match self {
            Self::None => false,
            Self::Only(only) => only == origin,
            Self::AllBut(but) => but != origin,
            Self::All => true,
        }
    }
}
