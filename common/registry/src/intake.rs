//! Intake: the acts of this node's own court. Each is checked against the order as it stands, signed and made durable in
//! the court's ledger, shown to lookups, and only then acknowledged. Nothing here knows of other machines.

use ccpor_domain::{
    Act, Actor, Amended, Confided, Confidence, CoreMissing, Event, Filed, FollowRefused, ImageAttached,
    ImageRef, Order, OrderId, OrderState, RequestId, Sealing, Served, Service, SheetId, StepRefused,
    UtcMillis, Violated, Violation, Warning,
};
use ccpor_ledger::{AppendError, Head, Hlc, OriginId};

use crate::index::IndexFailed;
use crate::story::{NoStory, Story, Told};
use crate::turns::Turns;

/// Who asks for an act, and under which key it may be repeated.
#[derive(Clone, Debug)]
pub struct Request {
    /// Chosen by the client; the same key always means the same act.
    pub key: String,
    /// Who.
    pub by: Actor,
    /// Why, in words; may be empty.
    pub reason: String,
}

/// An act is durable and visible here.
#[derive(Clone, Debug)]
pub struct Done {
    /// The order.
    pub order: OrderId,
    /// Its version after the act, from 1.
    pub version: u32,
    /// The ledger that holds the record.
    pub origin: OriginId,
    /// The record's place and hash.
    pub head: Head,
    /// The record's moment.
    pub recorded: Hlc,
    /// Whether an earlier request with the same key had done it.
    pub repeated: bool,
    /// What the court should look at; nothing of it kept the order from being filed (Fam. Code 6380(b)).
    pub warnings: Vec<Warning>,
}

/// Why an act is refused. Nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum IntakeRefused {
    /// This machine writes no ledger.
    #[error("this machine is not a court's node; file at the node of the court that made the order")]
    NotACourt,
    /// The order belongs to another court.
    #[error("order {order} was made by {owner}; only that court may change it")]
    NotOurs {
        /// The order.
        order: OrderId,
        /// Its court's node.
        owner: OriginId,
    },
    /// The order on the paper names another court than this node's.
    #[error(
        "the order names the court {named}, but this node files for {ours}; file it at that court's node"
    )]
    OtherCourt {
        /// The court named.
        named: String,
        /// This node's court.
        ours: String,
    },
    /// The legal core is missing.
    #[error(transparent)]
    Core(#[from] CoreMissing),
    /// The key was used for something else.
    #[error(
        "the key of this request was used before for a different act on order {0}; use a new key for a new act"
    )]
    KeyReused(OrderId),
    /// The order is not known.
    #[error(transparent)]
    NoStory(#[from] NoStory),
    /// The act does not fit the order as it stands.
    #[error(transparent)]
    Step(#[from] StepRefused),
    /// It cannot follow the other order.
    #[error(transparent)]
    Follow(#[from] FollowRefused),
    /// The client amends a version that is no longer the newest.
    #[error(
        "order {order} is at version {found}, not {expected}: somebody else has amended it. Read it again and repeat"
    )]
    VersionMoved {
        /// The order.
        order: OrderId,
        /// What the client had.
        expected: u32,
        /// What stands.
        found: u32,
    },
    /// Whoever entered the order cancels the entry.
    #[error("order {0} was entered by the same person: somebody else of the court must cancel the entry")]
    OwnEntry(OrderId),
    /// The event is too large.
    #[error("the order is too large to be recorded: {0}")]
    TooLarge(String),
    /// The ledger could not take it.
    #[error(transparent)]
    Ledger(#[from] AppendError),
    /// Filing was stopped for a reason that only an operator can remove.
    #[error("nothing can be filed here now: {0}")]
    Halted(String),
    /// The index could not be read.
    #[error(transparent)]
    Index(#[from] IndexFailed),
}

/// What intake needs of the registry; the seam that keeps it free of everything else.
pub(crate) trait Desk {
    /// The ledger that this court writes.
    fn own(&self) -> Option<&OriginId>;
    /// The order as it stands.
    fn story(&self, order: OrderId) -> Result<Option<Story>, IntakeRefused>;
    /// Makes the event durable, then visible; gives its place.
    fn record(&self, event: Event) -> Result<(Head, Hlc), IntakeRefused>;
    /// The moment of entry.
    fn now(&self) -> UtcMillis;
}

/// Files a new order. `source_id` is what the court's own system calls it.
pub(crate) fn file(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    source_id: Option<String>,
    order: Order,
) -> Result<Done, IntakeRefused> {
    let origin = desk.own().ok_or(IntakeRefused::NotACourt)?.clone();
    let _turn = turns.take(OrderId::derive(origin.court(), &request.key));
    file_in_turn(desk, &origin, request, source_id, order)
}

/// As [`file`], by somebody who has the order's turn.
pub(crate) fn file_in_turn(
    desk: &impl Desk,
    origin: &OriginId,
    request: Request,
    source_id: Option<String>,
    order: Order,
) -> Result<Done, IntakeRefused> {
    let order = ours(origin, order)?;
    ccpor_domain::legal_core(&order)?;
    let order_id = OrderId::derive(origin.court(), &request.key);
    if let Some(story) = desk.story(order_id)? {
        let first = story.records.iter().find(|told| {
            matches!(&told.event, Event::Filed(filed) if filed.order == order && filed.source_id == source_id)
        });
        return first
            .map(|told| repeated(&story, told))
            .ok_or(IntakeRefused::KeyReused(order_id));
    }
    let warnings = ccpor_domain::check(&order);
    let act = act(desk, origin, request);
    let (head, recorded) = desk.record(Event::Filed(Filed {
        act,
        order_id,
        source_id,
        order,
    }))?;
    Ok(Done {
        order: order_id,
        version: 1,
        origin: origin.clone(),
        head,
        recorded,
        repeated: false,
        warnings,
    })
}

/// Records a violation that was reported, of an order of any court.
pub(crate) fn violation(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    violation: Violation,
) -> Result<Done, IntakeRefused> {
    let event = |act| {
        Event::Violated(Violated {
            act,
            order_id,
            violation,
        })
    };
    step(desk, turns, request, order_id, event, |_| Ok(()))
}

/// Seals an order of this court, or unseals it.
pub(crate) fn seal(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    sealed: bool,
) -> Result<Done, IntakeRefused> {
    let event = |act| {
        Event::Sealing(Sealing {
            act,
            order_id,
            sealed,
        })
    };
    step(desk, turns, request, order_id, event, |_| Ok(()))
}

/// Adds confidential information to an order of this court, or says that its key was destroyed.
pub(crate) fn confide(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    sheet: SheetId,
    what: Confidence,
) -> Result<Done, IntakeRefused> {
    let event = |act| {
        Event::Confided(Confided {
            act,
            order_id,
            sheet,
            what,
        })
    };
    step(desk, turns, request, order_id, event, |_| Ok(()))
}

/// Files a new version of an order. `expected` is the version that the client read; none does not check.
pub(crate) fn amend(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    expected: Option<u32>,
    order: Order,
) -> Result<Done, IntakeRefused> {
    let mut order = ours(desk.own().ok_or(IntakeRefused::NotACourt)?, order)?;
    ccpor_domain::legal_core(&order)?;
    // The line of an order is what it was filed with; whoever leaves it out means to leave it.
    if let Some(story) = desk.story(order_id)? {
        let held = &story.state.order;
        order.previous = order.previous.or(held.previous);
        order.lineage = order.lineage.or(held.lineage);
        if (order.previous, order.lineage) != (held.previous, held.lineage) {
            return Err(StepRefused::OtherLine(order_id).into());
        }
    }
    let event = |act| Event::Amended(Amended { act, order_id, order });
    step(desk, turns, request, order_id, event, |state| match expected {
        Some(expected) if expected != state.version => Err(IntakeRefused::VersionMoved {
            order: order_id,
            expected,
            found: state.version,
        }),
        _ => Ok(()),
    })
}

/// Records service of an order, or an attempt.
pub(crate) fn serve(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    service: Service,
) -> Result<Done, IntakeRefused> {
    let event = |act| {
        Event::Served(Served {
            act,
            order_id,
            service,
        })
    };
    step(desk, turns, request, order_id, event, |_| Ok(()))
}

/// Attaches an image that is in the image store.
pub(crate) fn attach(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    image: ImageRef,
) -> Result<Done, IntakeRefused> {
    let event = |act| Event::ImageAttached(ImageAttached { act, order_id, image });
    step(desk, turns, request, order_id, event, |_| Ok(()))
}

/// One act on an order that exists: repeated when its key was seen, refused when it does not fit.
pub(crate) fn step(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    event: impl FnOnce(Act) -> Event,
    fits: impl FnOnce(&OrderState) -> Result<(), IntakeRefused>,
) -> Result<Done, IntakeRefused> {
    let origin = desk.own().ok_or(IntakeRefused::NotACourt)?;
    let _turn = turns.take(order_id);
    step_in_turn(desk, origin, request, order_id, event, fits)
}

/// As [`step`], by somebody who has the order's turn.
pub(crate) fn step_in_turn(
    desk: &impl Desk,
    origin: &OriginId,
    request: Request,
    order_id: OrderId,
    event: impl FnOnce(Act) -> Event,
    fits: impl FnOnce(&OrderState) -> Result<(), IntakeRefused>,
) -> Result<Done, IntakeRefused> {
    let story = desk.story(order_id)?.ok_or(NoStory::Unknown(order_id))?;
    let linked = story.origin.court() != origin.court();
    let wanted = event(act(desk, origin, request));
    // Proof of service and violations may be recorded at any court: in its own ledger, linked to the order.
    if linked && !wanted.may_be_linked() {
        return Err(IntakeRefused::NotOurs {
            order: order_id,
            owner: story.origin,
        });
    }
    if let Some(told) = story
        .records
        .iter()
        .find(|told| told.event.act().request == wanted.act().request)
    {
        let same = told.event.says_the_same(&wanted);
        return if same {
            Ok(repeated(&story, told))
        } else {
            Err(IntakeRefused::KeyReused(order_id))
        };
    }
    fits(&story.state)?;
    let warnings = warnings_of(&wanted, &story.state.order);
    let mut after = story.state;
    if linked {
        after.apply_linked(&wanted)?;
    } else {
        after.apply(&wanted)?;
    }
    let (head, recorded) = desk.record(wanted)?;
    let version = after.version;
    Ok(Done {
        order: order_id,
        version,
        origin: origin.clone(),
        head,
        recorded,
        repeated: false,
        warnings,
    })
}

fn act(desk: &impl Desk, origin: &OriginId, request: Request) -> Act {
    Act {
        request: RequestId::derive(origin.court(), &request.key),
        at: desk.now(),
        by: request.by,
        reason: request.reason,
    }
}

/// An order is made by this node's court. One that names none is taken to be; one that names another is refused.
fn ours(origin: &OriginId, mut order: Order) -> Result<Order, IntakeRefused> {
    if order.court.slug.is_empty() && order.court.name.is_empty() {
        let (kind, slug) = origin.court().split_once('/').unwrap_or_default();
        order.court.tribal = kind == "tribal";
        order.court.slug = slug.to_owned();
    }
    match order.court.path() {
        Some(named) if named.to_string() != origin.court() => Err(IntakeRefused::OtherCourt {
            named: named.to_string(),
            ours: origin.court().to_owned(),
        }),
        _ => Ok(order),
    }
}

/// The answer to a request that was carried out before by the record `told`: the same as it was then.
fn repeated(story: &Story, told: &Told) -> Done {
    let request = told.event.act().request;
    let step = story.state.steps.iter().find(|step| step.act.request == request);
    let warnings = warnings_of(&told.event, &story.state.order);
    Done {
        order: story.order,
        version: step.map_or(story.state.version, |step| step.version),
        origin: told.origin.clone(),
        head: Head {
            position: told.position,
            hash: told.hash,
        },
        recorded: told.recorded,
        repeated: true,
        warnings,
    }
}

/// What the court should look at after an act; `order` is the one that it is about.
fn warnings_of(event: &Event, order: &Order) -> Vec<Warning> {
    match event {
        Event::Filed(filed) => ccpor_domain::check(&filed.order),
        Event::Amended(amended) => ccpor_domain::check(&amended.order),
        Event::Served(served) => ccpor_domain::check_service(order, &served.service),
        Event::Ended(ended) => ccpor_domain::check_ending(order, &ended.ending),
        Event::ImageAttached(_) | Event::Sealing(_) | Event::Violated(_) | Event::Confided(_) => Vec::new(),
    }
}
