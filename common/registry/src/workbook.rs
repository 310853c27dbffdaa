//! The book in memory of a court's own orders in force: what is known of each without reading it again. It reads nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use ccpor_domain::{Date, OrderId, UtcMillis};
use ccpor_ledger::Position;

/// The own orders in force, as far as the own ledger was read.
#[derive(Debug, Default)]
pub(crate) struct WorkBook {
    pub(crate) read: Option<Position>,
    pub(crate) open: BTreeMap<OrderId, Leaf>,
    /// Orders of which something changed that could not be read; they are tried again.
    pub(crate) unreadable: BTreeSet<OrderId>,
    /// Whether the reading stands before a record that is damaged, or one was passed over.
    pub(crate) damaged: bool,
    /// Whether a record was passed over because it is not understood.
    pub(crate) passed_over: bool,
}

/// One of them. Whether it was served at another court since is looked up when it is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaf {
    pub(crate) issued: Option<Date>,
    pub(crate) ends: Option<UtcMillis>,
    pub(crate) unserved: bool,
    pub(crate) incomplete: bool,
}
