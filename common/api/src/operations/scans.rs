//! The operations on scans that wait for their order: shapes checked, bytes counted and timed. What they do is the backend's.

use super::{Operations, finished, is_blake3};
use crate::backend::{Caller, ImageBytes, ImageOut};
use crate::message::{HandleScanRequest, ListScansRequest, ScanAnswer, ScansAnswer};
use crate::problem::Problem;
use crate::upload;

/// The most characters of a scan's name.
const MAX_NAME: usize = 200;
/// The most characters of a reason.
const MAX_REASON: usize = 400;

impl Operations {
    pub(crate) async fn list_scans(
        &self,
        caller: &Caller,
        request: ListScansRequest,
    ) -> Result<ScansAnswer, Problem> {
        if !request.blake3.is_empty() {
            is_blake3("blake3", &request.blake3)?;
        }
        self.read(self.backend.list_scans(caller, request)).await
    }

    /// `data` as it comes from the wire; it is counted and timed here.
    pub(crate) async fn add_scan(
        &self,
        caller: Caller,
        name: String,
        data: ImageBytes,
    ) -> Result<ScanAnswer, Problem> {
        short("name", &name, MAX_NAME)?;
        let (data, cut) = upload::bounded(data, self.limits.image_bytes, self.limits.silence);
        let backend = self.backend.clone();
        let done = finished(self.limits.upload, async move {
            backend.add_scan(&caller, name, data).await
        })
        .await;
        // Why the bytes stopped says more than what the backend made of their end.
        cut.take().map_or(done, Err)
    }

    pub(crate) async fn get_scan(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        is_blake3("blake3", blake3)?;
        self.read(self.backend.get_scan(caller, blake3)).await
    }

    pub(crate) async fn handle_scan(
        &self,
        caller: Caller,
        request: HandleScanRequest,
    ) -> Result<ScanAnswer, Problem> {
        is_blake3("blake3", &request.blake3)?;
        short("reason", &request.reason, MAX_REASON)?;
        let backend = self.backend.clone();
        self.write(async move { backend.handle_scan(&caller, request).await })
            .await
    }
}

fn short(path: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(Problem::field(path, format!("is longer than {most} characters")))
}
