//! Applying: what the ledgers say, brought into the index and the people in memory, one record after the other.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};

use ccpor_domain::{Event, OrderId};
use ccpor_ledger::{Head, Hlc, OriginId, Position, SignedRecord};

use crate::card;
use crate::catalogue::KnownImage;
use crate::index::{Entry, IndexFailed, Place};
use crate::view::View;

/// Records of one order that the index takes from one ledger. No order has a thousand; a court that records without an end must neither
/// stop the index nor crowd out what the order's own court says.
const MOST_RECORDS: usize = 1 << 16;

/// What one durable record says.
pub(crate) enum Fact {
    /// An event of the own ledger, as whoever recorded it knows it.
    Own {
        position: Position,
        hlc: Hlc,
        event: Box<Event>,
    },
    /// What this verified record says. It is read when it is applied, so that nothing waits for that before it is durable.
    Record(SignedRecord),
}

/// A fact as it is applied.
struct Read<'a> {
    position: Position,
    hlc: Hlc,
    /// None for a record that concerns the ledger itself, and for one of a kind that this version does not know.
    event: Option<Cow<'a, Event>>,
}

impl Fact {
    fn read(&self, origin: &OriginId) -> Result<Read<'_>, IndexFailed> {
        match self {
            Self::Own { position, hlc, event } => Ok(Read {
                position: *position,
                hlc: *hlc,
                event: Some(Cow::Borrowed(event)),
            }),
            Self::Record(signed) => {
                let outline = signed.outline().map_err(|_| IndexFailed::Entry)?;
                let bytes = signed.event().map_err(|_| IndexFailed::Entry)?;
                let event = bytes.and_then(|bytes| understood(bytes, origin, outline.position));
                Ok(Read {
                    position: outline.position,
                    hlc: outline.hlc,
                    event: event.map(Cow::Owned),
                })
            }
        }
    }
}

fn understood(bytes: &[u8], origin: &OriginId, position: Position) -> Option<Event> {
    let event = ccpor_domain::decode(bytes);
    let event = event.inspect_err(|error| {
        let Position { epoch, seq } = position;
        tracing::warn!(
            %origin, epoch, seq, %error,
            "a record is not understood by this version; it is kept and passed on, but not shown"
        );
    });
    event.ok()
}

/// Facts of one ledger, in its order, that wait to be applied.
pub(crate) struct Batch {
    pub(crate) origin: OriginId,
    pub(crate) facts: Vec<Fact>,
    /// The record of the last fact; none without facts.
    pub(crate) head: Option<Head>,
    /// Called once the facts are visible to lookups, or could not be applied.
    pub(crate) applied: Option<WhenApplied>,
}

impl Batch {
    /// Of records that were verified before.
    pub(crate) fn of(origin: &OriginId, run: Vec<SignedRecord>) -> Result<Self, IndexFailed> {
        let head = run.last().map(SignedRecord::head).transpose();
        Ok(Self {
            origin: origin.clone(),
            head: head.map_err(|_| IndexFailed::Entry)?,
            facts: run.into_iter().map(Fact::Record).collect(),
            applied: None,
        })
    }
}

/// Called once, when the facts of a batch are visible to lookups or could not be applied.
pub(crate) type WhenApplied = Box<dyn FnOnce(Result<(), IndexFailed>) + Send>;

/// Brings the batches into what lookups know, and gives the new applied heads. The index is written later.
pub(crate) fn apply(batches: &[Batch], view: &View) -> Result<Vec<(OriginId, Head)>, IndexFailed> {
    let mut next = view.meta().clone();
    let mut work = Work {
        view,
        entries: BTreeMap::new(),
        orders: next.orders,
        images: Vec::new(),
    };
    let mut heads = Vec::new();
    for batch in batches {
        let number = next.number_of(&batch.origin)?;
        let mut orders = 0;
        for fact in &batch.facts {
            let Read { position, hlc, event } = fact.read(&batch.origin)?;
            if let Some(event) = event {
                let place = Place {
                    hlc: hlc.0,
                    origin: number,
                    epoch: position.epoch,
                    seq: position.seq,
                };
                orders += u64::from(work.event(place, &batch.origin, &event)?);
            }
        }
        if let Some(head) = batch.head {
            next.set_applied(number, head, orders);
            heads.push((batch.origin.clone(), head));
        }
    }
    next.orders = work.orders;
    let Work { entries, images, .. } = work;
    // A reader may meet the new entries before the rest of the state; the ledgers that they name must be known by then.
    view.meta_mut().know(&next);
    let mut people = view.people_mut();
    for entry in entries.values() {
        people.put(entry);
    }
    // Whoever finds somebody finds the entry too.
    view.index.put(entries.into_values().collect());
    drop(people);
    *view.meta_mut() = next;
    for image in images {
        view.catalogue.learn(image);
    }
    Ok(heads)
}

/// Whether nothing more of an order is taken from a ledger.
fn is_full(places: &[Place], origin: u16) -> bool {
    places.len() >= MOST_RECORDS
        && places.iter().filter(|place| place.origin == origin).count() >= MOST_RECORDS
}

/// The entries touched by the records at hand.
struct Work<'a> {
    view: &'a View,
    entries: BTreeMap<OrderId, Entry>,
    /// Orders in the index, the new ones at hand included.
    orders: u64,
    images: Vec<KnownImage>,
}

impl Work<'_> {
    /// Takes in one event; true when it brought a new order.
    fn event(&mut self, place: Place, origin: &OriginId, event: &Event) -> Result<bool, IndexFailed> {
        let entry = self.entry(event.order_id())?;
        if is_full(&entry.places, place.origin) {
            tracing::error!(
                order = %event.order_id(), %origin,
                "this ledger has more records of one order than can be shown: this one is kept and passed on, but not shown"
            );
            return Ok(false);
        }
        // A second pass over the same record changes nothing.
        if !entry.places.contains(&place) {
            entry.places.push(place);
            entry
                .places
                .sort_by_key(|place| (place.hlc, place.origin, place.epoch, place.seq));
        }
        let brings_order = entry.card.is_none() && matches!(event, Event::Filed(_) | Event::Amended(_));
        match event {
            Event::Filed(filed) => {
                let newest = card::of(entry.ordinal, filed.order_id, &filed.order);
                entry.card = Some(card::with_history(newest, entry.card.take()));
            }
            Event::Amended(amended) => {
                let newest = card::of(entry.ordinal, amended.order_id, &amended.order);
                entry.card = Some(card::with_history(newest, entry.card.take()));
            }
            Event::ImageAttached(attached) => {
                let (blake3, length) = (attached.image.blake3.0, attached.image.length);
                if !entry.images.iter().any(|(known, _)| *known == blake3) {
                    entry.images.push((blake3, length));
                }
                self.images.push(KnownImage {
                    blake3,
                    length,
                    origin: origin.clone(),
                    orders: vec![attached.order_id],
                });
            }
            Event::Served(_)
            | Event::Ended(_)
            | Event::Sealing(_)
            | Event::Violated(_)
            | Event::Confided(_) => {}
        }
        Ok(brings_order)
    }

    fn entry(&mut self, order: OrderId) -> Result<&mut Entry, IndexFailed> {
        match self.entries.entry(order) {
            btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            btree_map::Entry::Vacant(vacant) => {
                // The people in memory know every order of the index.
                let known = self.view.people().ordinal(order);
                let entry = match known {
                    // One that is missing is not made again: it would lack what it said before.
                    Some(ordinal) => self.view.index.entry(order, ordinal)?,
                    None => {
                        let ordinal = u32::try_from(self.orders).map_err(|_| IndexFailed::TooManyOrders)?;
                        self.orders += 1;
                        Entry::new(ordinal, order)
                    }
                };
                Ok(vacant.insert(entry))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_crowds_an_order_keeps_no_other_ledger_out() {
        let place = |origin, seq| Place {
            hlc: seq,
            origin,
            epoch: 1,
            seq,
        };
        let most = u64::try_from(MOST_RECORDS).unwrap();
        let mut places: Vec<Place> = (1..most).map(|seq| place(7, seq)).collect();
        assert!(!is_full(&places, 7));
        places.push(place(7, most));
        assert!(is_full(&places, 7) && !is_full(&places, 2));
    }
}
