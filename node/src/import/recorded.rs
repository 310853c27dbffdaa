//! An import on the machine's own audit trail, where no daemon stands between the file and the registry. It begins nothing before the
//! beginning is on record, and names every order that it changed, many in one entry; the acts themselves stand one by one, signed, in the
//! ledger.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ccpor_api::Caller;
use ccpor_audit::{MAX_ORDERS, Operation};
use ccpor_daemon::audit::Recorder;
use ccpor_domain::{Ending, Order, OrderId, Service};
use tokio::runtime::Handle;

use super::desk::{Desk, Done, Refused};

/// What stands in the place of an address: whoever imports sits at the machine itself.
const SOURCE: &str = "import at the machine";

/// A desk whose work is put on record.
pub(super) struct Recorded<D> {
    desk: D,
    recorder: Arc<Recorder>,
    by: Caller,
    runtime: Handle,
    /// Orders that were changed and are not on record yet.
    unsaid: Mutex<BTreeMap<Operation, Vec<OrderId>>>,
}

impl<D: Desk> Recorded<D> {
    /// Puts the beginning on record. Gives the desk when that is durable.
    ///
    /// # Errors
    /// In words, when it cannot be recorded: then nothing may be imported.
    pub(super) async fn begin(desk: D, recorder: Arc<Recorder>, identity: String) -> Result<Self, String> {
        let by = Caller {
            identity,
            source: SOURCE.to_owned(),
            ..Caller::default()
        };
        let begun = recorder.begun(&by, Operation::FileOrder).await;
        begun.map_err(|problem| problem.to_string())?;
        Ok(Self {
            desk,
            recorder,
            by,
            runtime: Handle::current(),
            unsaid: Mutex::default(),
        })
    }

    /// Remembers a change; when they are as many as one entry names, it is written.
    fn changed(&self, operation: Operation, done: Done) -> Result<Done, Refused> {
        if done.repeated {
            return Ok(done);
        }
        let full = {
            let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
            let orders = unsaid.entry(operation).or_default();
            orders.push(done.order);
            (orders.len() >= MAX_ORDERS).then(|| std::mem::take(orders))
        };
        if let Some(orders) = full {
            self.say(operation, orders).map_err(Refused::Every)?;
        }
        Ok(done)
    }

    fn say(&self, operation: Operation, orders: Vec<OrderId>) -> Result<(), String> {
        let said = self
            .runtime
            .block_on(self.recorder.carried_out(&self.by, operation, orders));
        said.map_err(|problem| problem.to_string())
    }
}

impl<D: Desk> Desk for Recorded<D> {
    fn file(&self, key: String, reason: &str, source_id: String, order: Order) -> Result<Done, Refused> {
        let done = self.desk.file(key, reason, source_id, order)?;
        self.changed(Operation::FileOrder, done)
    }

    fn serve(&self, key: String, order: OrderId, service: Service) -> Result<Done, Refused> {
        let done = self.desk.serve(key, order, service)?;
        self.changed(Operation::RecordService, done)
    }

    fn end(&self, key: String, order: OrderId, ending: Ending) -> Result<Done, Refused> {
        let done = self.desk.end(key, order, ending)?;
        self.changed(Operation::EndOrder, done)
    }

    fn lanes(&self) -> usize {
        self.desk.lanes()
    }

    fn close(&self) -> Result<(), String> {
        let unsaid = std::mem::take(&mut *self.unsaid.lock().unwrap_or_else(PoisonError::into_inner));
        let said = unsaid
            .into_iter()
            .filter(|(_, orders)| !orders.is_empty())
            .map(|(operation, orders)| self.say(operation, orders))
            // Each is tried, whatever became of the one before.
            .fold(Ok(()), Result::and);
        self.runtime.block_on(self.recorder.close());
        said.and(self.desk.close())
    }
}
