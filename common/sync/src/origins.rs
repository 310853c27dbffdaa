//! Sets of origins that fit in a word: who may write what is asked on every run, and what of it a machine wants to hold.

use std::collections::BTreeSet;
use std::sync::Arc;

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

/// Which of the origins that a machine may take it wants to hold: the choice of its operator, by court.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// All of them.
    #[default]
    All,
    /// Those of these courts, `court/alameda`; of none when there are none.
    Courts(Arc<BTreeSet<String>>),
}

impl Choice {
    /// Whether records of `origin` are wanted.
    pub fn takes(&self, origin: &OriginId) -> bool {
        match self {
            Self::All => true,
            Self::Courts(courts) => courts.contains(origin.court()),
        }
    }
}
