//! Calls to the registry as the pages make them: bounded in time, with writes that come to their end though the browser leaves.

use std::future::Future;
use std::sync::Arc;

use ccpor_api::{Backend, Code, Problem};

use crate::site::Inner;

/// Waits for an answer.
pub(crate) async fn read<T>(
    site: &Inner,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::time::timeout(site.pages.longest, work)
        .await
        .unwrap_or_else(|_elapsed| {
            Err(Problem::new(
                Code::Timeout,
                "the question was not answered in time",
            ))
        })
}

/// Does a write in a task of its own.
pub(crate) async fn write<T: Send + 'static, F>(
    site: &Inner,
    work: impl FnOnce(Arc<dyn Backend>) -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>> + Send + 'static,
{
    let task = tokio::spawn(work(site.pages.backend.clone()));
    match tokio::time::timeout(site.pages.longest, task).await {
        Ok(Ok(done)) => done,
        Ok(Err(_panic)) => Err(Problem::new(Code::Internal, "the call failed inside the program")),
        Err(_elapsed) => Err(Problem::new(
            Code::Timeout,
            "the write was not confirmed in time; it may still come to be",
        )),
    }
}
