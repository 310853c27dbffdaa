//! The count: how many orders of which court stand how, counted from their tallies, and which of them have faults. Numbers by court,
//! form, state and month; who may see which of them is for the reader to decide. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ccpor_domain::{Form, OrderId, Status, UtcMillis};

use crate::fault::FaultKind;
use crate::tally::{Kept, Line, Month, Tally};

/// The most orders with faults that are named of one court; all of them are counted.
const NAMED: usize = 1_000;

/// What matters about orders for who may have them counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The place of their court in [`Counted::courts`].
    pub court: u16,
    /// Whether their court sealed them.
    pub sealed: bool,
    /// Whether they are registered orders of another jurisdiction.
    pub registered: bool,
    /// Whether they are over.
    pub over: bool,
}

/// How orders stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Of which group.
    pub group: Group,
    /// The number of the form; none for one that the table lacks.
    pub form: Option<&'static str>,
    /// In force, or why not.
    pub status: Status,
    /// Whether they were served.
    pub served: bool,
}

/// An order with faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faulty {
    /// The order.
    pub order: OrderId,
    /// Of which group; nothing but the court is known of one that cannot be read.
    pub group: Group,
    /// What is worst about it.
    pub worst: FaultKind,
}

/// What was counted at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// When.
    pub at: UtcMillis,
    /// The courts, by their places.
    pub courts: Vec<String>,
    /// Orders by how they stand.
    pub cells: BTreeMap<Cell, u64>,
    /// Orders by the month in which they were filed.
    pub filed: BTreeMap<(Group, Month), u64>,
    /// Served orders in force by the days from their issue to their service.
    pub days_to_service: BTreeMap<(Group, u16), u64>,
    /// Orders by kind of fault.
    pub faults: BTreeMap<(Group, FaultKind), u64>,
    /// The orders with faults, by court, the worst first and then the newest: of each court no more than a thousand.
    pub faulty: Vec<Faulty>,
    /// How many orders with faults are left out of these.
    pub unnamed: BTreeMap<Group, u64>,
}

impl Counted {
    /// Counts the lines of a book.
    pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a Line>, courts: Vec<String>, at: UtcMillis) -> Self {
        let mut counted = Self {
            at,
            courts,
            ..Self::default()
        };
        let mut faulty: Vec<(Reverse<Month>, Faulty)> = Vec::new();
        for line in lines {
            let (group, filed) = match &line.kept {
                Kept::Whole(tally) => {
                    counted.add(tally);
                    (group(tally), tally.filed)
                }
                Kept::Unreadable(court) => (unknown(*court), Month::default()),
                Kept::NotArrived => continue,
            };
            let kinds = line.faults();
            for kind in FaultKind::ALL.into_iter().filter(|kind| kinds.has(*kind)) {
                *counted.faults.entry((group, kind)).or_default() += 1;
            }
            faulty.extend(kinds.worst().map(|worst| {
                let order = line.order;
                (Reverse(filed), Faulty { order, group, worst })
            }));
        }
        faulty.sort_unstable_by_key(|(filed, one)| (one.group.court, one.worst, *filed, one.order));
        let mut named: BTreeMap<u16, usize> = BTreeMap::new();
        faulty.retain(|(_, one)| {
            let count = named.entry(one.group.court).or_default();
            *count += 1;
            let is_named = *count <= NAMED;
            if !is_named {
                *counted.unnamed.entry(one.group).or_default() += 1;
            }
            is_named
        });
        counted.faulty = faulty.into_iter().map(|(_, one)| one).collect();
        counted
    }

    fn add(&mut self, tally: &Tally) {
        let group = group(tally);
        let cell = Cell {
            group,
            form: tally.form.map(|form: &Form| form.number),
            status: tally.status,
            served: tally.served,
        };
        *self.cells.entry(cell).or_default() += 1;
        *self.filed.entry((group, tally.filed)).or_default() += 1;
        if let Some(days) = tally.days_to_service.filter(|_| tally.status == Status::Active) {
            *self.days_to_service.entry((group, days)).or_default() += 1;
        }
    }

    /// The name of a group's court.
    #[must_use]
    pub fn court(&self, group: &Group) -> &str {
        let court = self.courts.get(usize::from(group.court));
        court.map_or("", String::as_str)
    }
}

fn group(tally: &Tally) -> Group {
    Group {
        court: tally.court,
        sealed: tally.sealed,
        registered: tally.registered,
        over: !matches!(tally.status, Status::Active | Status::NotYetEffective),
    }
}

const fn unknown(court: u16) -> Group {
    Group {
        court,
        sealed: false,
        registered: false,
        over: false,
    }
}
