//! Endings: an order that a court ends, and one that ends because another follows it.

use ccpor_domain::{Act, Ended, Ending, EndingKind, Event, Follows, Order, OrderId};

use crate::intake::{Desk, Done, IntakeRefused, Request, file_in_turn, step, step_in_turn};
use crate::story::NoStory;
use crate::turns::Turns;

/// Files a new order that follows another one of this court, and ends that one as followed. Acknowledged when both are recorded;
/// repeated with the same key, what is missing of the two is done.
pub(crate) fn file_following(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    source_id: Option<String>,
    mut order: Order,
    (previous, how): (OrderId, Follows),
) -> Result<Done, IntakeRefused> {
    let origin = desk.own().ok_or(IntakeRefused::NotACourt)?.clone();
    let order_id = OrderId::derive(origin.court(), &request.key);
    // Whoever follows the same order waits, and then finds it followed.
    let _turns = turns.take_both(order_id, previous);
    let before = desk.story(previous)?.ok_or(NoStory::Unknown(previous))?;
    if before.origin.court() != origin.court() {
        return Err(IntakeRefused::NotOurs {
            order: previous,
            owner: before.origin,
        });
    }
    // By an earlier call with this key it may be followed by this very order already.
    let mut state = before.state;
    let ours = EndingKind::Superseded { by: order_id };
    if state
        .ending
        .as_ref()
        .is_some_and(|ending| ending.ending.kind == ours)
    {
        state.ending = None;
    }
    ccpor_domain::follow(&state, how, &mut order)?;
    let second = Request {
        key: format!("{}/ends-the-one-before", request.key),
        ..request.clone()
    };
    // The one before stands until this one begins; a moment that is past is the moment of entry's to judge.
    let ending = match order.effective {
        Some(date) => (Some(date), order.effective_time),
        None => (order.issued, order.issued_time),
    };
    let ending = Ending {
        kind: ours,
        date: ending.0,
        time: ending.1,
    };
    let done = file_in_turn(desk, &origin, request, source_id, order)?;
    step_in_turn(
        desk,
        &origin,
        second,
        previous,
        ended_by(previous, ending),
        |_| Ok(()),
    )?;
    Ok(done)
}

fn ended_by(order_id: OrderId, ending: Ending) -> impl FnOnce(Act) -> Event {
    move |act| {
        Event::Ended(Ended {
            act,
            order_id,
            ending,
        })
    }
}

/// Ends an order before its time. The order that takes its place must be one of this court. Nobody cancels an entry of their own: what
/// one person can make vanish unseen, somebody else must look at (courts' own systems answer for their people themselves).
pub(crate) fn end(
    desk: &impl Desk,
    turns: &Turns,
    request: Request,
    order_id: OrderId,
    ending: Ending,
) -> Result<Done, IntakeRefused> {
    let origin = desk.own().ok_or(IntakeRefused::NotACourt)?;
    if let EndingKind::Superseded { by } = ending.kind {
        let other = desk.story(by)?.ok_or(NoStory::Unknown(by))?;
        if other.origin.court() != origin.court() {
            return Err(IntakeRefused::NotOurs {
                order: by,
                owner: other.origin,
            });
        }
    }
    let canceller = Some(request.by.clone())
        .filter(|by| ending.kind == EndingKind::CancelledEntryError && by.person.is_some());
    step(
        desk,
        turns,
        request,
        order_id,
        ended_by(order_id, ending),
        |state| {
            let entered = state.steps.first().map(|step| &step.act.by);
            if canceller.is_some() && canceller.as_ref() == entered {
                return Err(IntakeRefused::OwnEntry(order_id));
            }
            Ok(())
        },
    )
}
