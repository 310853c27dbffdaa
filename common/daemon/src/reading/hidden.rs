//! What another machine answers, without what this one knows to be hidden from the caller.

use std::sync::Arc;

use ccpor_access::Seen;
use ccpor_api::message::{LookupAnswer, PersonHistoryAnswer};
use ccpor_api::{Caller, Problem};
use ccpor_domain::OrderId;
use ccpor_registry::Registry;

use super::{Reader, blocking};
use crate::sight::CallersSight;

/// An answer that names orders.
pub trait NamesOrders: Send + 'static {
    /// Leaves in it only the orders that may be `shown`, by identifier and, where it says so, by court.
    fn keep(&mut self, shown: impl Fn(&str, Option<&str>) -> bool);
}

impl NamesOrders for LookupAnswer {
    fn keep(&mut self, shown: impl Fn(&str, Option<&str>) -> bool) {
        self.hits.retain(|hit| shown(&hit.order_id, Some(&hit.court)));
    }
}

impl NamesOrders for PersonHistoryAnswer {
    fn keep(&mut self, shown: impl Fn(&str, Option<&str>) -> bool) {
        self.orders.retain(|named| {
            let order = named.order.as_ref();
            order.is_some_and(|order| shown(&order.order_id, Some(&order.court)))
        });
        self.not_readable.retain(|order| shown(order, None));
    }
}

impl Reader {
    /// Another machine's answer without what this one knows to be hidden from the caller, whatever that machine knew.
    ///
    /// # Errors
    /// A [`Problem`] when the caller is nobody who may call.
    pub async fn without_hidden<A: NamesOrders>(&self, caller: &Caller, mut answer: A) -> Result<A, Problem> {
        let (registry, sight) = (Arc::clone(&self.registry), self.sight(caller)?);
        blocking(move || {
            answer.keep(|order, court| {
                // What courts share, other machines may learn later.
                let shared = court.is_none_or(|court| sight.shares(court).orders);
                shared && may_be_shown(&registry, &sight, order)
            });
            answer
        })
        .await
    }
}

/// Whether nothing that is known here hides an order from the caller. What is no identifier names none.
fn may_be_shown(registry: &Registry, sight: &CallersSight, order: &str) -> bool {
    let Ok(order) = order.parse::<OrderId>() else {
        return false;
    };
    let (told, _) = registry.show(order, None).into_parts();
    told.is_err() || sight.seen_of(order) > Seen::Withheld
}
