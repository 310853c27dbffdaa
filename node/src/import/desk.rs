//! Where orders are filed: what an import asks of it, whichever way leads there. It knows neither files nor rows.

use ccpor_domain::{Ending, Order, OrderId, Service};

/// An act was done, now or by an earlier import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Done {
    /// The order.
    pub(super) order: OrderId,
    /// Whether an earlier request with the same key had done it.
    pub(super) repeated: bool,
}

/// Why an act was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// The key stands for an act with other content.
    Differs,
    /// The registry does not take this one; in its words, which hold ids only.
    This(String),
    /// It takes none at all now: disk full, daemon gone, no right.
    Every(String),
}

/// Files orders and records what was done with them. Each call returns when its record is durable; the same key again does
/// nothing and gives the first answer.
pub(super) trait Desk: Send + Sync {
    /// Files an order. `reason` becomes part of its history.
    fn file(&self, key: String, reason: &str, source_id: String, order: Order) -> Result<Done, Refused>;
    /// Records a service of an order.
    fn serve(&self, key: String, order: OrderId, service: Service) -> Result<Done, Refused>;
    /// Records the end of an order.
    fn end(&self, key: String, order: OrderId, ending: Ending) -> Result<Done, Refused>;
    /// How many callers at once it serves best.
    fn lanes(&self) -> usize;
    /// Ends the work: what was done and is not on record yet is put there. Not to be called on a thread of the async runtime.
    ///
    /// # Errors
    /// In words, when it cannot be recorded.
    fn close(&self) -> Result<(), String> {
        Ok(())
    }
}
