//! What a seed makes of a world: how many machines, how much is filed, and which few of all troubles befall it. Few kinds at a
//! time find more than all at once.

use crate::dice::Dice;
use crate::machine::{COURTS, HUBS};

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A connection breaks, and both ends learn it, or one learns it later.
    Cut,
    /// What one side, or both, send does not arrive for a while.
    Silence,
    /// All links of a machine fall silent one after the other, and come back in another order.
    Swizzle,
    /// A link becomes slow, or stops being slow.
    Slow,
    /// The power of a machine fails, and comes back.
    PowerCut,
    /// A program is stopped as an operator does it, and started again.
    Restart,
    /// Runs and filings find the disk full.
    FullDisk,
    /// A ledger cannot be read for a moment.
    Unreadable,
    /// A bit turns over in a record on a disk.
    Flip,
    /// The disk of a court's node is replaced by an old copy of itself.
    OldNode,
    /// The disk of the hub is replaced by an old copy of itself.
    OldHub,
    /// A court's node is copied, and both copies run.
    Clone,
    /// A clock jumps ahead or back.
    Clock,
    /// A court's certificate is revoked.
    Revoke,
    /// Frames that went over a link before are sent again on another connection.
    Replay,
    /// A machine changes a record that it passes on.
    Tamper,
}

impl Trouble {
    const ALL: [Self; 16] = [
        Self::Cut,
        Self::Silence,
        Self::Swizzle,
        Self::Slow,
        Self::PowerCut,
        Self::Restart,
        Self::FullDisk,
        Self::Unreadable,
        Self::Flip,
        Self::OldNode,
        Self::OldHub,
        Self::Clone,
        Self::Clock,
        Self::Revoke,
        Self::Replay,
        Self::Tamper,
    ];

    /// Whether records can come to be on one disk alone: only one such disaster at a time leaves somebody who has them and may
    /// give them back.
    fn is_disaster(self) -> bool {
        matches!(
            self,
            Self::Flip | Self::OldNode | Self::OldHub | Self::Clone | Self::Revoke
        )
    }
}

/// A world to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Everything that happens by chance follows from it.
    pub seed: u64,
    /// Courts, each with one node.
    pub courts: usize,
    /// Hubs; every node dials each of them.
    pub hubs: usize,
    /// How often something is filed.
    pub filings: u64,
    /// What may befall it.
    pub troubles: Vec<Trouble>,
    /// How long it is troubled, in milliseconds.
    pub troubled_ms: u64,
    /// Whether the hubs sign receipts: half of a small world's time goes into signatures, and receipts decide nothing.
    pub with_receipts: bool,
    /// Which courts' nodes do not hold which other courts' orders at first, by choice.
    pub left_out: Vec<(usize, usize)>,
}

impl Plan {
    /// The world of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let courts = if dice.one_in(4) { COURTS } else { COURTS - 1 };
        let hubs = if dice.one_in(5) { HUBS } else { 1 };
        let mut troubles: Vec<Trouble> = Vec::new();
        for _ in 0..dice.between(1, 6) {
            let one = Trouble::ALL[dice.index(Trouble::ALL.len())];
            let clashes = one.is_disaster() && troubles.iter().any(|other| other.is_disaster());
            // Two hubs need a rule of their own for courts that came back from an old copy; there is none yet.
            let too_much = hubs > 1 && matches!(one, Trouble::OldNode | Trouble::Clone);
            if !clashes && !too_much && !troubles.contains(&one) {
                troubles.push(one);
            }
        }
        if troubles.is_empty() {
            troubles.push(Trouble::Cut);
        }
        troubles.sort_unstable();
        let mut plan = Self {
            seed,
            courts,
            hubs,
            filings: dice.between(2, 12),
            troubles,
            troubled_ms: dice.between(3_000, 12_000),
            with_receipts: dice.one_in(4),
            left_out: Vec::new(),
        };
        if dice.one_in(4) {
            let pairs = (0..courts).flat_map(|node| (0..courts).map(move |court| (node, court)));
            plan.left_out = pairs
                .filter(|(node, court)| node != court && dice.one_in(2))
                .collect();
        }
        plan
    }
}
