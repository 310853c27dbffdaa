//! The reports of a machine with every asking on record.

use std::sync::Arc;

use ccpor_api::{Caller, Problem, Report, Reports, Statistics};
use ccpor_audit::Operation;

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
}
