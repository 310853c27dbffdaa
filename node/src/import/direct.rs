//! The way to the desk when no daemon runs: the registry opened in this process, and closed at the end.

use std::sync::Arc;

use ccpor_domain::{Actor, Ending, Order, OrderId, Service};
use ccpor_ledger::AppendError;
use ccpor_registry::{IntakeRefused, Registry, Request};

use super::desk::{Desk, Done, Refused};

/// Callers that wait for one group commit together.
const LANES: usize = 128;

/// The registry of this court, open in this process.
pub(super) struct Direct {
    registry: Arc<Registry>,
    by: Actor,
}

impl Direct {
    pub(super) fn new(registry: Arc<Registry>, by: Actor) -> Self {
        Self { registry, by }
    }

    /// What the desk files at.
    #[cfg(test)]
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    fn request(&self, key: String, reason: &str) -> Request {
        Request {
            key,
            by: self.by.clone(),
            reason: reason.to_owned(),
        }
    }
}

impl Desk for Direct {
    fn file(&self, key: String, reason: &str, source_id: String, order: Order) -> Result<Done, Refused> {
        done(
            self.registry
                .file(self.request(key, reason), Some(source_id), order),
        )
    }

    fn serve(&self, key: String, order: OrderId, service: Service) -> Result<Done, Refused> {
        done(self.registry.serve(self.request(key, ""), order, service))
    }

    fn end(&self, key: String, order: OrderId, ending: Ending) -> Result<Done, Refused> {
        done(self.registry.end(self.request(key, ""), order, ending))
    }

    fn lanes(&self) -> usize {
        LANES
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        self.registry.close();
    }
}

fn done(done: Result<ccpor_registry::Done, IntakeRefused>) -> Result<Done, Refused> {
    match done {
        Ok(done) => Ok(Done {
            order: done.order,
            repeated: done.repeated,
        }),
        Err(IntakeRefused::KeyReused(_)) => Err(Refused::Differs),
        Err(refused @ IntakeRefused::Ledger(AppendError::TooLong { .. })) => {
            Err(Refused::This(refused.to_string()))
        }
        Err(
            refused @ (IntakeRefused::NotACourt
            | IntakeRefused::Halted(_)
            | IntakeRefused::Ledger(_)
            | IntakeRefused::Index(_)),
        ) => Err(Refused::Every(refused.to_string())),
        Err(refused) => Err(Refused::This(refused.to_string())),
    }
}
