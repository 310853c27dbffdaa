//! Numbers: finds orders by licence, CII, FBI, case and other numbers; only hashes of the numbers are kept.

use std::collections::BTreeMap;

use crate::card::{IdKind, NumberKind};

const NONE: u32 = u32::MAX;
/// Numbers of one order beyond this are not indexed.
const MOST_OF_ORDER: usize = 250;
/// The kinds of numbers of orders begin behind those of people.
const OF_ORDERS: u8 = 64;
/// Characters of a number beyond this are not read.
const LONGEST: usize = 64;

/// Whose number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) order: u32,
    /// Index of the person on the card.
    pub(crate) person: u8,
    pub(crate) protected: bool,
}

#[derive(Clone, Copy)]
struct Node {
    key: [u32; 2],
    order: u32,
    /// The next node with the same key.
    next: u32,
    person: u8,
    protected: bool,
}

/// All numbers of all orders.
#[derive(Default)]
pub(crate) struct Numbers {
    nodes: Vec<Node>,
    /// Open addressing: the first node of each key.
    slots: Vec<u32>,
    keys: usize,
    /// Nodes of each order: where they start and how many.
    of_order: Vec<(u32, u8)>,
    free: BTreeMap<u8, Vec<u32>>,
}

/// The key of a number of a person; `None` for what is no number (`UNKNOWN`, `000`).
pub(crate) fn key_of_id(kind: IdKind, number: &str) -> Option<u64> {
    key(kind as u8, number)
}

/// The key of a number of an order.
pub(crate) fn key_of_number(kind: NumberKind, number: &str) -> Option<u64> {
    key(OF_ORDERS + kind as u8, number)
}

/// Blanks, hyphens and case do not matter; O is 0 and I is 1, which are confused by eye and by ear.
fn key(kind: u8, number: &str) -> Option<u64> {
    let mix = |hash: u64, b: u8| (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = mix(0xcbf2_9ce4_8422_2325, kind);
    let (mut count, mut first, mut varied, mut digits) = (0, 0, false, false);
    for c in number.chars().take(LONGEST) {
        let b = match c.to_ascii_uppercase() {
            'O' => b'0',
            'I' => b'1',
            c if c.is_ascii_alphanumeric() => c as u8,
            _ => continue,
        };
        if count == 0 {
            first = b;
        }
        count += 1;
        varied |= b != first;
        digits |= c.is_ascii_digit();
        hash = mix(hash, b);
    }
    // A plate may be letters only, and so is one registry number of 130; every other number has a digit.
    let letters_alone = [IdKind::Plate as u8, OF_ORDERS + NumberKind::Registry as u8].contains(&kind);
    let plausible = count >= 3 && varied && (digits || letters_alone);
    plausible.then_some((hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

impl Numbers {
    /// Makes an order findable by these keys; the order must have none yet.
    pub(crate) fn insert(&mut self, order: u32, mut keys: Vec<(u64, Bearer)>) {
        keys.sort_by_key(|(key, bearer)| (*key, bearer.person));
        keys.dedup_by_key(|(key, bearer)| (*key, bearer.person));
        keys.truncate(MOST_OF_ORDER);
        let count = keys.len() as u8;
        let start = self.room_for(count);
        for (at, (key, bearer)) in keys.into_iter().enumerate() {
            let node = Node {
                key: [(key >> 32) as u32, key as u32],
                order: bearer.order,
                next: NONE,
                person: bearer.person,
                protected: bearer.protected,
            };
            if let Some(place) = self.nodes.get_mut(start as usize + at) {
                *place = node;
            }
            self.link(start + at as u32, key);
        }
        if self.of_order.len() <= order as usize {
            self.of_order.resize(order as usize + 1, (0, 0));
        }
        if let Some(place) = self.of_order.get_mut(order as usize) {
            *place = (start, count);
        }
    }

    fn room_for(&mut self, count: u8) -> u32 {
        if let Some(start) = self.free.get_mut(&count).and_then(Vec::pop) {
            return start;
        }
        let start = self.nodes.len();
        let empty = Node {
            key: [0; 2],
            order: NONE,
            next: NONE,
            person: 0,
            protected: false,
        };
        self.nodes.resize(start + usize::from(count), empty);
        start as u32
    }

    fn link(&mut self, id: u32, key: u64) {
        if (self.keys + 1) * 10 >= self.slots.len() * 8 {
            self.grow();
        }
        let at = self.probe(key);
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let head = std::mem::replace(slot, id);
        if head == NONE {
            self.keys += 1;
        } else if let Some(node) = self.nodes.get_mut(id as usize) {
            node.next = head;
        }
    }

    /// The slot of the key, or the free one where it belongs. There is always a free slot.
    fn probe(&self, key: u64) -> usize {
        let size = self.slots.len();
        let mut at = home(key, size);
        loop {
            match self.slots.get(at) {
                Some(&id) if id != NONE && self.key_at(id) != key => {}
                _ => return at,
            }
            at = if at + 1 == size { 0 } else { at + 1 };
        }
    }

    fn key_at(&self, id: u32) -> u64 {
        self.nodes
            .get(id as usize)
            .map_or(0, |node| u64::from(node.key[0]) << 32 | u64::from(node.key[1]))
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 3 / 2).max(64);
        let heads = std::mem::replace(&mut self.slots, vec![NONE; size]);
        for head in heads.into_iter().filter(|head| *head != NONE) {
            let at = self.probe(self.key_at(head));
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = head;
            }
        }
    }

    /// Takes all numbers of an order out.
    pub(crate) fn remove_order(&mut self, order: u32) {
        let Some(place) = self.of_order.get_mut(order as usize) else {
            return;
        };
        let (start, count) = std::mem::take(place);
        for id in start..start + u32::from(count) {
            self.unlink(id);
        }
        if count > 0 {
            self.free.entry(count).or_default().push(start);
        }
    }

    fn unlink(&mut self, id: u32) {
        let Some(node) = self.nodes.get(id as usize).copied() else {
            return;
        };
        let at = self.probe(self.key_at(id));
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        if *slot == id {
            *slot = node.next;
            if node.next == NONE {
                self.keys -= 1;
                self.close_gap(at);
            }
            return;
        }
        let mut before = *slot;
        while let Some(other) = self.nodes.get_mut(before as usize) {
            if other.next == id {
                other.next = node.next;
                return;
            }
            before = other.next;
        }
    }

    /// Moves what was pushed on by the slot that is free now, so that no probe stops too early.
    fn close_gap(&mut self, gap: usize) {
        let size = self.slots.len();
        let (mut gap, mut at) = (gap, gap);
        loop {
            at = if at + 1 == size { 0 } else { at + 1 };
            let Some(&id) = self.slots.get(at) else { return };
            if id == NONE {
                return;
            }
            let wanted = home(self.key_at(id), size);
            // Distance from home, walking round the end.
            if (at + size - wanted) % size >= (at + size - gap) % size {
                self.slots.swap(gap, at);
                gap = at;
            }
        }
    }

    /// Who bears a number.
    pub(crate) fn find(&self, key: u64) -> impl Iterator<Item = Bearer> {
        let head = if self.slots.is_empty() {
            NONE
        } else {
            self.slots.get(self.probe(key)).copied().unwrap_or(NONE)
        };
        let node = |id: u32| self.nodes.get(id as usize).copied();
        std::iter::successors(node(head), move |at| node(at.next)).map(|node| Bearer {
            order: node.order,
            person: node.person,
            protected: node.protected,
        })
    }

    /// The keys of an order.
    pub(crate) fn of_order(&self, order: u32) -> impl Iterator<Item = (u64, Bearer)> {
        let (start, count) = self.of_order.get(order as usize).copied().unwrap_or((0, 0));
        let nodes = self
            .nodes
            .get(start as usize..start as usize + usize::from(count))
            .unwrap_or_default();
        nodes.iter().map(|node| {
            let key = u64::from(node.key[0]) << 32 | u64::from(node.key[1]);
            (
                key,
                Bearer {
                    order: node.order,
                    person: node.person,
                    protected: node.protected,
                },
            )
        })
    }

    /// Orders up to and including the highest that ever had a number.
    pub(crate) fn orders(&self) -> u32 {
        self.of_order.len() as u32
    }

    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.slots.capacity() * 4 + self.of_order.capacity() * 8
    }
}

/// Where a key belongs in a table of this size.
fn home(key: u64, size: usize) -> usize {
    ((u128::from(key) * size as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_are_read_leniently_but_placeholders_are_none() {
        assert_eq!(
            key_of_id(IdKind::DriverLicense, "D 123-4567"),
            key_of_id(IdKind::DriverLicense, "d1234567")
        );
        assert_eq!(
            key_of_id(IdKind::DriverLicense, "O1234567"),
            key_of_id(IdKind::DriverLicense, "01234567")
        );
        assert_ne!(
            key_of_id(IdKind::DriverLicense, "D1234567"),
            key_of_id(IdKind::Cii, "D1234567")
        );
        for nothing in ["", "UNKNOWN", "0000000", "--", "N/A", "🙂"] {
            assert_eq!(key_of_id(IdKind::Cii, nothing), None);
        }
        // Of the signs of a registry number 22 are letters: one number of 130 has no digit.
        assert!(key_of_number(NumberKind::Registry, "YAEK-WZRW-NEKK-W").is_some());
        assert_eq!(key_of_number(NumberKind::Case, "UNKNOWN"), None);
    }

    proptest! {
        #[test]
        fn behaves_as_a_set_of_pairs(steps in prop::collection::vec((0_u32..20, prop::collection::vec(0_u64..40, 0..4)), 0..120)) {
            let mut numbers = Numbers::default();
            let mut model: BTreeSet<(u64, u32)> = BTreeSet::new();
            for (order, keys) in steps {
                numbers.remove_order(order);
                model.retain(|pair| pair.1 != order);
                let bearer = Bearer { order, person: 0, protected: false };
                // Keys that crowd around few homes.
                let keys: BTreeSet<u64> = keys.into_iter().map(|key| (key % 3) << 62 | key).collect();
                numbers.insert(order, keys.iter().map(|key| (*key, bearer)).collect());
                model.extend(keys.iter().map(|key| (*key, order)));
            }
            for key in (0_u64..40).map(|key| (key % 3) << 62 | key) {
                let found: BTreeSet<u32> = numbers.find(key).map(|bearer| bearer.order).collect();
                let wanted: BTreeSet<u32> = model.iter().filter(|pair| pair.0 == key).map(|pair| pair.1).collect();
                prop_assert_eq!(found, wanted);
            }
        }
    }
}
