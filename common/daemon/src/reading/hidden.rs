//! What another machine answers, without what this one knows to be hidden from the caller: of seals, and of what courts share, other
//! machines may learn later.

use std::sync::Arc;

use ccpor_access::Seen;
use ccpor_api::message::{
    EnforceAnswer, Hit, LookupAnswer, OrderAnswer, OrderInBrief, PersonHistoryAnswer, PersonOrder, Standing,
};
use ccpor_api::{Caller, Code, Problem};
use ccpor_domain::{OrderId, Status};
use ccpor_registry::Registry;

use super::{Reader, blocking, not_known};
use crate::sight::CallersSight;

/// An order as another machine names it.
#[derive(Debug)]
pub struct Named {
    order: String,
    /// Empty where it is not said.
    court: String,
    /// At the moment that was asked about.
    over: bool,
}

impl Named {
    fn new(order: &str, court: &str, standing: Option<&Standing>) -> Self {
        let status = standing.and_then(|standing| standing.status.parse().ok());
        Self {
            order: order.to_owned(),
            court: court.to_owned(),
            over: matches!(
                status,
                Some(Status::Expired | Status::Terminated | Status::Cancelled | Status::Superseded)
            ),
        }
    }

    fn of_hit(hit: &Hit) -> Self {
        Self::new(&hit.order_id, &hit.court, hit.standing.as_ref())
    }

    fn of_brief(brief: &OrderInBrief) -> Self {
        Self::new(&brief.order_id, &brief.court, brief.standing.as_ref())
    }
}

/// An answer that lists orders, of which some may be left out.
pub trait ListsOrders: Send + 'static {
    /// Leaves in it only the orders that may be `shown`.
    fn keep(&mut self, shown: impl Fn(&Named) -> bool);
}

impl ListsOrders for LookupAnswer {
    fn keep(&mut self, shown: impl Fn(&Named) -> bool) {
        let found = self.hits.len();
        self.hits.retain(|hit| shown(&Named::of_hit(hit)));
        // The count must not tell of what is left out.
        let left_out = u32::try_from(found - self.hits.len()).unwrap_or(u32::MAX);
        self.total = self.total.saturating_sub(left_out);
    }
}

impl ListsOrders for PersonHistoryAnswer {
    fn keep(&mut self, shown: impl Fn(&Named) -> bool) {
        let may_be_shown = |named: &PersonOrder| {
            let order = named.order.as_ref();
            order.is_some_and(|order| shown(&Named::of_brief(order)))
        };
        self.orders.retain(may_be_shown);
        self.not_readable
            .retain(|order| shown(&Named::new(order, "", None)));
    }
}

/// An answer that says something only with all the orders it names.
pub trait NamesOrders {
    /// The orders that it names.
    fn named(&self) -> Vec<Named>;
    /// The order that was asked about.
    fn asked(&self) -> &str;
    /// The orders that it names only because they could not be read: of those it may name fewer.
    fn unread(&mut self) -> Option<&mut Vec<String>> {
        None
    }
}

impl NamesOrders for OrderAnswer {
    fn named(&self) -> Vec<Named> {
        vec![Named::new(&self.order_id, &self.court, self.standing.as_ref())]
    }

    fn asked(&self) -> &str {
        &self.order_id
    }
}

impl NamesOrders for EnforceAnswer {
    fn named(&self) -> Vec<Named> {
        self.orders.iter().map(Named::of_brief).collect()
    }

    fn asked(&self) -> &str {
        &self.order_id
    }

    fn unread(&mut self) -> Option<&mut Vec<String>> {
        Some(&mut self.not_readable)
    }
}

impl Reader {
    /// Another machine's list without what this one knows to be hidden from the caller, whatever that machine knew.
    ///
    /// # Errors
    /// A [`Problem`] when the caller is nobody who may call.
    pub async fn without_hidden<A: ListsOrders>(&self, caller: &Caller, mut answer: A) -> Result<A, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || {
            answer.keep(|named| may_be_shown(&registry, &sight, named));
            answer
        })
        .await
    }

    /// Another machine's answer, unless it names what this one knows to be hidden from the caller.
    ///
    /// # Errors
    /// A [`Problem`]: of an order that is hidden itself as of one that is not known here; that it cannot be said now, when it is another
    /// order that the answer may not name; or when the caller is nobody who may call.
    pub async fn unless_hidden<A: NamesOrders + Send + 'static>(
        &self,
        caller: &Caller,
        mut answer: A,
    ) -> Result<A, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        let look = move || {
            let shown = |named: &Named| may_be_shown(&registry, &sight, named);
            if let Some(unread) = answer.unread() {
                unread.retain(|order| shown(&Named::new(order, "", None)));
            }
            let named = answer.named().into_iter();
            let hidden: Vec<Named> = named.filter(|named| !shown(named)).collect();
            (answer, hidden)
        };
        let (answer, hidden) = blocking(look).await?;
        if hidden.is_empty() {
            Ok(answer)
        } else if hidden.iter().any(|named| named.order == answer.asked()) {
            Err(not_known())
        } else {
            Err(not_said_now())
        }
    }
}

/// An answer would name another order than the one that was asked about, which may not be named.
fn not_said_now() -> Problem {
    Problem::new(
        Code::Unavailable,
        "this machine and the hub do not know the same of these people's orders yet",
    )
    .action("Ask again in a moment, ask another node, or call the court.")
}

/// Whether nothing that is known here hides an order from the caller. What is no identifier names none.
fn may_be_shown(registry: &Registry, sight: &CallersSight, named: &Named) -> bool {
    let Ok(order) = named.order.parse::<OrderId>() else {
        return false;
    };
    let (told, _) = registry.show(order, None).into_parts();
    // Of what cannot be read here, be it in part, the other machine judges: it may have read it.
    let seen = |now| sight.seen(&now).is_none_or(|seen| seen > Seen::Withheld);
    sight.reaches(&named.court, named.over) && told.map_or(true, seen)
}
