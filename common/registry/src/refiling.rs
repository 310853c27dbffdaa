//! What becomes of each record of a branch when its court's ledger goes on from another one. Pure: nothing is read from a disk or
//! recorded here.
//!
//! | the record | becomes |
//! |---|---|
//! | is in the ledger that goes on as well | nothing: it is there |
//! | files an order whose identifier is taken there | the order is filed under another identifier, and what follows about it too |
//! | changes, ends or unseals an order that was changed, ended or sealed there meanwhile | left: a person decides which of the two holds |
//! | does not fit the order as it stands there | left |
//! | anything else | recorded once more, flagged |

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ccpor_domain::{Act, EndingKind, Event, OrderId, OrderState, RequestId};
use ccpor_ledger::{OriginId, Position};

use crate::story::{Told, fold};

/// What becomes of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is recorded once more, flagged, as this event.
    Again(Box<Event>),
    /// It is there already.
    There,
    /// A person decides; why, in words.
    Left(String),
}

/// One record of a branch and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Where it stands in the branch.
    pub position: Position,
    /// The order it is about; none when this version does not understand it.
    pub order: Option<OrderId>,
    /// What it says happened.
    pub what: &'static str,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// A record of a branch: where it stood and what it says, or why it is not understood.
pub(crate) type Deed = (Position, Result<Event, String>);

/// The ledger that goes on: whose it is, and the last place that it shares with the branch.
pub(crate) struct GoesOn<'a> {
    pub(crate) own: &'a OriginId,
    pub(crate) parted: Option<Position>,
}

/// Plans for all `deeds` of a branch in their order. `told_of` gives an order's records in the ledgers that go on, the filing first,
/// or why they cannot be read.
pub(crate) fn plan(
    goes_on: &GoesOn<'_>,
    deeds: &[Deed],
    told_of: impl FnMut(OrderId) -> Result<Vec<Told>, String>,
) -> Vec<Planned> {
    let mut planning = Planning {
        goes_on,
        told_of,
        orders: BTreeMap::new(),
        moved: BTreeMap::new(),
    };
    let of = |(position, deed): &Deed| match deed {
        Ok(event) => Planned {
            position: *position,
            order: Some(event.order_id()),
            what: event.word(),
            verdict: planning.verdict(*position, event).unwrap_or_else(Verdict::Left),
        },
        Err(reason) => Planned {
            position: *position,
            order: None,
            what: "not understood",
            verdict: Verdict::Left(reason.clone()),
        },
    };
    deeds.iter().map(of).collect()
}

/// A plan in the making: the orders as they will stand, and those that are called otherwise.
struct Planning<'a, T> {
    goes_on: &'a GoesOn<'a>,
    told_of: T,
    orders: BTreeMap<OrderId, Known>,
    moved: BTreeMap<OrderId, OrderId>,
}

impl<T: FnMut(OrderId) -> Result<Vec<Told>, String>> Planning<'_, T> {
    fn verdict(&mut self, position: Position, event: &Event) -> Result<Verdict, String> {
        let order = event.order_id();
        let mut flagged = flagged(event, position, &self.moved);
        if matches!(event, Event::Filed(_)) && self.known(order)?.is_taken_by_another(event) {
            let (court, key) = (self.goes_on.own.court(), format!("{order} as of {position}"));
            let (another, request) = (OrderId::derive(court, &key), RequestId::derive(court, &key));
            self.moved.insert(order, another);
            let act = Act {
                request,
                ..flagged.act().clone()
            };
            flagged = flagged.with(act, another);
        }
        Ok(self.known(flagged.order_id())?.take(event, flagged))
    }

    fn known(&mut self, order: OrderId) -> Result<&mut Known, String> {
        match self.orders.entry(order) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(place) => {
                let told = (self.told_of)(order)?;
                Ok(place.insert(Known::of(self.goes_on, told)))
            }
        }
    }
}

/// The event as it is recorded once more: flagged, and about the orders as they are called now.
fn flagged(event: &Event, position: Position, moved: &BTreeMap<OrderId, OrderId>) -> Event {
    let now_called = |order: OrderId| moved.get(&order).copied().unwrap_or(order);
    let act = event.act().refiled(&position.to_string());
    let mut event = event.clone().with(act, now_called(event.order_id()));
    if let Event::Ended(ended) = &mut event
        && let EndingKind::Superseded { by } = &mut ended.ending.kind
    {
        *by = now_called(*by);
    }
    event
}

/// An order as it stands in the ledgers that go on, with what was planned for it so far.
struct Known {
    state: Option<OrderState>,
    /// Whether it is another court's.
    linked: bool,
    /// Whether this court changed, ended or sealed it there, behind the place where the branch begins.
    changed: bool,
    events: Vec<Event>,
}

impl Known {
    fn of(goes_on: &GoesOn<'_>, told: Vec<Told>) -> Self {
        let changes = |told: &Told| {
            told.origin == *goes_on.own
                && goes_on.parted < Some(told.position)
                && !told.event.act().is_refiled()
                && is_change(&told.event)
        };
        let changed = told.iter().any(changes);
        let folded = fold(&told);
        let linked = folded
            .as_ref()
            .is_some_and(|(origin, _)| origin.court() != goes_on.own.court());
        Self {
            state: folded.map(|(_, state)| state),
            linked,
            changed,
            events: told.into_iter().map(|told| told.event).collect(),
        }
    }

    /// Whether this identifier stands for another order there.
    fn is_taken_by_another(&self, filed: &Event) -> bool {
        let is_filing = |event: &&Event| matches!(event, Event::Filed(_));
        let first = self.events.iter().find(is_filing);
        first.is_some_and(|first| !first.says_the_same(filed))
    }

    /// Takes the event in if it fits.
    fn take(&mut self, first: &Event, flagged: Event) -> Verdict {
        if self
            .events
            .iter()
            .any(|told| told.act().request == flagged.act().request && told.says_the_same(first))
        {
            return Verdict::There;
        }
        if self.changed && gives_way(&flagged) {
            return Verdict::Left(
                "the order was changed, ended or sealed in the hub's copy as well, and both cannot hold"
                    .into(),
            );
        }
        let fitted = match (&mut self.state, &flagged) {
            (None, Event::Filed(filed)) => {
                self.state = Some(OrderState::start(filed.clone()));
                Ok(())
            }
            // About an order of another court whose ledger is not here.
            (None, event) if event.may_be_linked() => Ok(()),
            (None, _) => return Verdict::Left("the order it is about is not here".into()),
            (Some(state), event) if self.linked => state.apply_linked(event),
            (Some(state), event) => state.apply(event),
        };
        if let Err(refused) = fitted {
            return Verdict::Left(refused.to_string());
        }
        self.events.push(flagged.clone());
        Verdict::Again(Box::new(flagged))
    }
}

/// Whether an event decides what an order says, instead of adding to it.
fn is_change(event: &Event) -> bool {
    match event {
        Event::Amended(_) | Event::Ended(_) | Event::Sealing(_) => true,
        Event::Filed(_)
        | Event::Served(_)
        | Event::ImageAttached(_)
        | Event::Violated(_)
        | Event::Confided(_) => false,
    }
}

/// Whether an event gives way to a change that was made elsewhere. A seal does not: what is hidden by mistake can be shown again.
fn gives_way(event: &Event) -> bool {
    match event {
        Event::Sealing(sealing) => !sealing.sealed,
        event => is_change(event),
    }
}
