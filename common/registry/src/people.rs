//! The people in memory: who is named in which order, for lookups that touch no disk. Kept in step with the
//! ledgers by whoever has the turn to apply.

use std::hash::{BuildHasher, RandomState};

use ccpor_domain::OrderId;
use ccpor_matching::{Hit, Index, Limits, Query};
use hashbrown::HashTable;

use crate::index::{Entry, Place};

/// The searchable people of all orders.
pub(crate) struct People {
    names: Index,
    /// Order of each ordinal.
    orders: Vec<OrderId>,
    /// Ordinal of each order.
    ordinals: Ordinals,
    /// Where its records lie, so that a lookup reads nothing but the records themselves.
    places: Vec<Box<[Place]>>,
}

impl People {
    /// Builds it from all entries of the index.
    pub(crate) fn build(entries: impl Iterator<Item = Entry>) -> Self {
        let (mut orders, mut places) = (Vec::new(), Vec::new());
        let cards = entries.filter_map(|entry| {
            remember(&mut orders, OrderId([0; 16]), entry.ordinal, entry.order);
            remember(&mut places, Box::default(), entry.ordinal, entry.places.into());
            entry.card
        });
        let names = Index::build(cards);
        let mut ordinals = Ordinals::default();
        for ordinal in (0..).take(orders.len()) {
            ordinals.add(ordinal, &orders);
        }
        Self {
            names,
            orders,
            ordinals,
            places,
        }
    }

    /// Takes in what the index now says of one order.
    pub(crate) fn put(&mut self, entry: &Entry) {
        remember(&mut self.orders, OrderId([0; 16]), entry.ordinal, entry.order);
        if self.ordinal(entry.order).is_none() {
            self.ordinals.add(entry.ordinal, &self.orders);
        }
        let places = entry.places.as_slice().into();
        remember(&mut self.places, Box::default(), entry.ordinal, places);
        if let Some(card) = &entry.card {
            self.names.replace(card);
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

    /// The ordinal of an order that is known.
    pub(crate) fn ordinal(&self, order: OrderId) -> Option<u32> {
        self.ordinals.find(order, &self.orders)
    }

    /// Where the records of an order lie; none when it is not known.
    pub(crate) fn places_of(&self, order: OrderId) -> Option<Vec<Place>> {
        self.places(order, self.ordinal(order)?)
    }

    /// Where the records of a hit's order lie; none when its ordinal is that of another order by now.
    pub(crate) fn places(&self, order: OrderId, ordinal: u32) -> Option<Vec<Place>> {
        let ordinal = usize::try_from(ordinal).ok()?;
        let places = self.places.get(ordinal)?;
        (self.orders.get(ordinal) == Some(&order)).then(|| places.to_vec())
    }

    /// So many orders from an ordinal on, with where their records lie.
    pub(crate) fn from(
        &self,
        ordinal: usize,
        most: usize,
    ) -> impl Iterator<Item = (usize, OrderId, &[Place])> {
        let orders = self.orders.get(ordinal..).unwrap_or_default();
        let places = self.places.get(ordinal..).unwrap_or_default();
        let both = orders.iter().zip(places).take(most).enumerate();
        both.map(move |(behind, (order, places))| (ordinal + behind, *order, places.as_ref()))
    }

    /// A value that is equal for the same people of the same orders, whatever ordinals the orders have here.
    pub(crate) fn digest(&self) -> [u8; 16] {
        let name = |ordinal| {
            usize::try_from(ordinal)
                .ok()
                .and_then(|ordinal| self.orders.get(ordinal))
        };
        self.names
            .digest_by(|ordinal| name(ordinal).map_or([0; 16], |order: &OrderId| order.0))
    }

    /// Orders that can be found.
    pub(crate) fn orders(&self) -> usize {
        self.orders.len()
    }
}

/// The ordinals, to be found by their orders. It holds the numbers alone: the orders are looked up where they are kept.
#[derive(Default)]
struct Ordinals {
    table: HashTable<u32>,
    /// With a key of its own: the numbers of orders come from other machines.
    hasher: RandomState,
}

impl Ordinals {
    fn add(&mut self, ordinal: u32, orders: &[OrderId]) {
        let hash = |ordinal: &u32| self.hasher.hash_one(order_of(*ordinal, orders));
        self.table.insert_unique(hash(&ordinal), ordinal, hash);
    }

    fn find(&self, order: OrderId, orders: &[OrderId]) -> Option<u32> {
        let hash = self.hasher.hash_one(Some(&order));
        let found = self
            .table
            .find(hash, |ordinal| order_of(*ordinal, orders) == Some(&order));
        found.copied()
    }
}

fn order_of(ordinal: u32, orders: &[OrderId]) -> Option<&OrderId> {
    orders.get(usize::try_from(ordinal).ok()?)
}

/// Several people matched: orders that name more than one of them with who they are there, and the other hits of each.
pub(crate) struct Matched {
    pub(crate) together: Vec<(OrderId, Vec<(usize, Hit)>)>,
    pub(crate) each: Vec<Vec<(OrderId, Hit)>>,
}

/// Puts a value in the place of its ordinal. New entries that come together are put in the order of their identifiers, so there may be
/// gaps for a while.
fn remember<T: Clone>(values: &mut Vec<T>, gap: T, ordinal: u32, value: T) {
    let Ok(ordinal) = usize::try_from(ordinal) else {
        return;
    };
    if values.len() <= ordinal {
        values.resize(ordinal + 1, gap);
    }
    if let Some(place) = values.get_mut(ordinal) {
        *place = value;
    }
}
