//! The story of one order: its records, read from the ledgers where the index says they lie, and folded into a state.

use ccpor_domain::{Event, OrderId, OrderState, UtcMillis};
use ccpor_ledger::{Hash, Hlc, OriginId, Position};
use serde::Serialize;

use crate::index::{Meta, Place};
use crate::shelf::Shelf;

/// One record of an order, in plain facts.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The ledger it lies in.
    pub origin: OriginId,
    /// Its place there.
    pub position: Position,
    /// Hash of the signed record.
    pub hash: Hash,
    /// When it was made, by the clock of its node.
    pub recorded: Hlc,
    /// What happened.
    #[serde(skip)]
    pub event: Event,
}

/// A record that cannot be shown now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The ledger it lies in.
    pub origin: OriginId,
    /// Its place there.
    pub position: Position,
    /// What is wrong, in words for an operator.
    pub reason: String,
}

/// An order with everything that happened to it.
#[derive(Clone, Debug)]
pub struct Story {
    /// The order.
    pub order: OrderId,
    /// The court's node that made it.
    pub origin: OriginId,
    /// Its state after all of `records`.
    pub state: OrderState,
    /// Every record, in the order of the facts.
    pub records: Vec<Told>,
    /// Records that are damaged here; the state lacks what they say.
    pub unreadable: Vec<Unreadable>,
}

/// Why an order cannot be shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStory {
    /// No order of this identifier is known here.
    #[error("no order {0} is known here")]
    Unknown(OrderId),
    /// A record that is needed has not arrived or cannot be read.
    #[error(
        "order {order} is known here, but not all of its records can be read: {reason}. Ask the issuing court or the hub"
    )]
    NotReadable {
        /// The order.
        order: OrderId,
        /// What is wrong.
        reason: String,
    },
}

impl Story {
    /// Reads the records in `places`, leaving out what was recorded after `until`.
    pub(crate) fn read(
        order: OrderId,
        places: &[Place],
        meta: &Meta,
        shelf: &Shelf,
        until: Option<UtcMillis>,
    ) -> Result<Self, NoStory> {
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for place in places {
            let recorded = Hlc(place.hlc);
            if until.is_some_and(|until| i64::try_from(recorded.millis()).is_ok_and(|at| at > until.0)) {
                continue;
            }
            let position = Position {
                epoch: place.epoch,
                seq: place.seq,
            };
            let Some(origin) = meta.origin(place.origin).cloned() else {
                continue;
            };
            match event_at(shelf, &origin, position) {
                Ok((hash, event)) => records.push(Told {
                    origin,
                    position,
                    hash,
                    recorded,
                    event,
                }),
                Err(reason) => unreadable.push(Unreadable {
                    origin,
                    position,
                    reason,
                }),
            }
        }
        // The filing comes first, whatever the clocks of other courts said when they added to it.
        records.sort_by_key(|told| !matches!(told.event, Event::Filed(_)));
        let Some((origin, state)) = fold(&records) else {
            return Err(match unreadable.into_iter().next() {
                Some(first) => NoStory::NotReadable {
                    order,
                    reason: first.reason,
                },
                None if records.is_empty() => NoStory::Unknown(order),
                None => NoStory::NotReadable {
                    order,
                    reason: "it has not arrived yet".into(),
                },
            });
        };
        Ok(Self {
            order,
            origin,
            state,
            records,
            unreadable,
        })
    }
}

/// The state after all records; a record that does not fit its predecessors is kept in the history and changes nothing.
pub(crate) fn fold(records: &[Told]) -> Option<(OriginId, OrderState)> {
    let (first, rest) = records.split_first()?;
    let Event::Filed(filed) = &first.event else {
        return None;
    };
    let mut state = OrderState::start(filed.clone());
    for told in rest {
        // Another node of the same court speaks for it; another court may only add proof of service.
        let own = told.origin.court() == first.origin.court();
        let fitted = if own {
            state.apply(&told.event)
        } else {
            state.apply_linked(&told.event)
        };
        if let Err(error) = fitted {
            tracing::debug!(origin = %told.origin, %error, "a record does not fit the ones before it");
        }
    }
    Some((first.origin.clone(), state))
}

fn event_at(shelf: &Shelf, origin: &OriginId, position: Position) -> Result<(Hash, Event), String> {
    let ledger = shelf.get(origin).ok_or("its ledger is not held here")?;
    let (signed, hash) = ledger
        .read_with_hash(position)
        .map_err(|error| error.to_string())?;
    // It was read whole when the index took it in, and the ledger has just compared its checksum.
    let event = signed.event().map_err(|error| error.to_string())?;
    let event = event.ok_or("the index points to a record of another kind")?;
    let event = ccpor_domain::decode_known(event).map_err(|error| error.to_string())?;
    Ok((hash, event))
}
