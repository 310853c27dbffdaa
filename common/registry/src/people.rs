//! The people in memory: who is named in which order, for lookups that touch no disk. Kept in step with the index by the
//! applying thread alone.

use ccpor_domain::OrderId;
use ccpor_matching::{Card, Hit, Index, Limits, Query};

use crate::index::Entry;

/// The searchable people of all orders.
pub(crate) struct People {
    names: Index,
    /// Order of each ordinal.
    orders: Vec<OrderId>,
}

impl People {
    /// Builds it from all entries of the index.
    pub(crate) fn build(entries: impl Iterator<Item = (OrderId, Entry)>) -> Self {
        let mut orders = Vec::new();
        let cards = entries.filter_map(|(order, entry)| {
            remember(&mut orders, order, entry.ordinal);
            entry.card.map(|card| Card {
                order: entry.ordinal,
                ..card
            })
        });
        let names = Index::build(cards);
        Self { names, orders }
    }

    /// Takes in what the index now says of one order.
    pub(crate) fn put(&mut self, order: OrderId, entry: &Entry) {
        remember(&mut self.orders, order, entry.ordinal);
        if let Some(card) = &entry.card {
            self.names.replace(&Card {
                order: entry.ordinal,
                ..card.clone()
            });
        }
    }

    /// The best matches, with the orders they are in.
    pub(crate) fn lookup(&self, query: &Query, limits: &Limits) -> Vec<(OrderId, Hit)> {
        let hits = self.names.lookup(query, limits);
        hits.into_iter()
            .filter_map(|hit| {
                let order = usize::try_from(hit.order)
                    .ok()
                    .and_then(|ordinal| self.orders.get(ordinal))?;
                Some((*order, hit))
            })
            .collect()
    }

    /// The orders that name several people, and those of each, with the order of each hit.
    pub(crate) fn several(&self, people: &[Query], limits: &Limits) -> Matched {
        let several = self.names.several(people, limits);
        let order = |ordinal: u32| self.orders.get(usize::try_from(ordinal).ok()?).copied();
        let of_each = |hits: Vec<Hit>| {
            hits.into_iter()
                .filter_map(|hit| Some((order(hit.order)?, hit)))
                .collect()
        };
        Matched {
            together: several
                .together
                .into_iter()
                .filter_map(|together| Some((order(together.order)?, together.hits)))
                .collect(),
            each: several.each.into_iter().map(of_each).collect(),
        }
    }

    /// Orders that can be found.
    pub(crate) fn orders(&self) -> usize {
        self.orders.len()
    }
}

/// Several people matched: orders that name more than one of them with who they are there, and the other hits of each.
pub(crate) struct Matched {
    pub(crate) together: Vec<(OrderId, Vec<(usize, Hit)>)>,
    pub(crate) each: Vec<Vec<(OrderId, Hit)>>,
}

fn remember(orders: &mut Vec<OrderId>, order: OrderId, ordinal: u32) {
    let Ok(ordinal) = usize::try_from(ordinal) else {
        return;
    };
    // Entries are read in the order of their keys, not of their numbers.
    if orders.len() <= ordinal {
        orders.resize(ordinal + 1, OrderId([0; 16]));
    }
    if let Some(place) = orders.get_mut(ordinal) {
        *place = order;
    }
}
