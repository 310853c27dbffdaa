//! One order following another: a continuance, an order that replaces, a renewal. Of a line of orders exactly one is current: the one
//! that nothing has followed and no court has ended.

use crate::closed::closed;
use crate::family::{Nature, Stage};
use crate::id::OrderId;
use crate::order::Order;
use crate::state::OrderState;

closed! {
    /// How an order follows another of the same court.
    pub enum Follows: "way to follow" {
        /// The hearing is put off; the temporary order stays in force to the new one (Fam. Code 245).
        Continues = "continues",
        /// It takes the place of the other: an order after hearing of a temporary one, a temporary one of an emergency order.
        Replaces = "replaces",
        /// It prolongs an order made after a hearing (Fam. Code 6345).
        Renews = "renews",
    }
}

/// Why an order cannot follow another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FollowRefused {
    /// The other one has ended, so it is not the current one of its line.
    #[error("order {0} has ended or was followed already: only the current order of a line can be followed")]
    NotCurrent(OrderId),
    /// Only a temporary order is continued.
    #[error("order {0} is not temporary: only a temporary order is continued (Fam. Code 245)")]
    NotTemporary(OrderId),
    /// Only an order made after a hearing is renewed.
    #[error("order {0} was not made after a hearing: only such an order is renewed (Fam. Code 6345)")]
    NotAfterHearing(OrderId),
    /// The new order names another one as the one before it.
    #[error("the order names {named} as the one it follows, not {asked}: leave it out, or name the same")]
    OtherPrevious {
        /// Named on the order.
        named: OrderId,
        /// Asked for.
        asked: OrderId,
    },
    /// What the new order is does not fit the way in which it follows.
    #[error("an order that {0} another cannot be in this stage: leave the stage out, or correct it")]
    Stage(Follows),
}

/// Makes `order` one that follows `previous`: notes the line, and the stage where it is not stated.
///
/// # Errors
/// [`FollowRefused`]; the order is then as it was.
pub fn follow(previous: &OrderState, how: Follows, order: &mut Order) -> Result<(), FollowRefused> {
    let id = previous.order_id;
    if previous.ending.is_some() {
        return Err(FollowRefused::NotCurrent(id));
    }
    if let Some(named) = order.previous.filter(|named| *named != id) {
        return Err(FollowRefused::OtherPrevious { named, asked: id });
    }
    let before = previous.order.resolved_stage();
    let after = order.resolved_stage();
    let stage = match how {
        Follows::Continues if !matches!(before, Stage::Temporary | Stage::Continued) => {
            return Err(FollowRefused::NotTemporary(id));
        }
        Follows::Renews if !is_final(before, &previous.order) => {
            return Err(FollowRefused::NotAfterHearing(id));
        }
        Follows::Continues if matches!(after, Stage::NotStated | Stage::Continued | Stage::Temporary) => {
            Stage::Continued
        }
        Follows::Renews if matches!(after, Stage::NotStated | Stage::Renewed | Stage::AfterHearing) => {
            Stage::Renewed
        }
        Follows::Replaces => after,
        Follows::Continues | Follows::Renews => return Err(FollowRefused::Stage(how)),
    };
    order.stage = stage;
    order.previous = Some(id);
    order.lineage = Some(previous.order.lineage.unwrap_or(id));
    Ok(())
}

/// A criminal order has no stage of its own on its form; it is made after the defendant was heard.
fn is_final(stage: Stage, order: &Order) -> bool {
    match stage {
        Stage::AfterHearing | Stage::Renewed | Stage::Modified => true,
        Stage::NotStated => order.nature() == Nature::Criminal,
        Stage::Emergency | Stage::Temporary | Stage::Continued => false,
    }
}
