//! The reports of a machine with every asking on record.

use std::collections::BTreeSet;
use std::sync::Arc;

use ccpor_api::{Caller, Faults, FaultsQuestion, Problem, Report, Reports, Statistics};
use ccpor_audit::{Asked, Operation};
use ccpor_domain::OrderId;

use super::recorder::{Call, Recorder, Seen};

/// Reports whose asking is recorded.
pub struct AuditedReports {
    inner: Arc<dyn Reports>,
    recorder: Arc<Recorder>,
}

impl AuditedReports {
    /// Records what is asked of `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Reports>, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

#[tonic::async_trait]
impl Reports for AuditedReports {
    async fn statistics(&self, by: &Caller) -> Result<Report<Statistics>, Problem> {
        let call = Call {
            caller: by,
            operation: Operation::Statistics,
            asked: Vec::new(),
        };
        // Numbers: no order is in them.
        let work = self.inner.statistics(by);
        self.recorder.around(call, work, |_| Seen::default()).await
    }

    async fn faults(&self, by: &Caller, question: FaultsQuestion) -> Result<Report<Faults>, Problem> {
        let court = question.court.iter().filter(|court| !court.is_empty());
        let asked = court.map(|court| Asked {
            numbers: vec![("court".to_owned(), court.clone())],
            ..Asked::default()
        });
        let call = Call {
            caller: by,
            operation: Operation::ListFaults,
            asked: asked.collect(),
        };
        let work = self.inner.faults(by, question);
        self.recorder.around(call, work, named).await
    }
}

/// The orders that are named, each once.
fn named(report: &Report<Faults>) -> Seen {
    let Report::Made(faults) = report else {
        return Seen::default();
    };
    let named = faults.rows.iter().filter_map(|fault| fault.order_id.parse().ok());
    let orders: BTreeSet<OrderId> = named.collect();
    Seen {
        hits: u32::try_from(orders.len()).unwrap_or(u32::MAX),
        orders: orders.into_iter().collect(),
        ..Seen::default()
    }
}
