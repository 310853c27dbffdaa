//! Calls about scans that wait at a court's node for their order.

use bytes::Bytes;
use futures_util::StreamExt;

use super::{CallFailed, Client, ImageIn, pieces};
use crate::message::{
    AddScanRequest, GetScanRequest, HandleScanRequest, ListScansRequest, ScanAnswer, ScansAnswer,
};

impl Client {
    /// The scans that wait, or one of them.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn list_scans(&self, message: ListScansRequest) -> Result<ScansAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().list_scans(request)).await
    }

    /// Sends a scan that waits for its order, all of whose bytes are given; `name` is what to call it.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn add_scan(&self, name: String, data: Bytes) -> Result<ScanAnswer, CallFailed> {
        let first = AddScanRequest {
            name,
            data: Bytes::new(),
        };
        let pieces = pieces(data).map(|data| AddScanRequest {
            data,
            ..AddScanRequest::default()
        });
        let request = self.request(futures_util::stream::iter([first]).chain(pieces))?;
        let answer = self.registry.clone().add_scan(request).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| self.failed(&status))
    }

    /// Opens a scan that waits, by its BLAKE3.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn get_scan(&self, blake3: &str) -> Result<ImageIn, CallFailed> {
        let request = self.request(GetScanRequest {
            blake3: blake3.to_owned(),
        })?;
        let pieces = self.timed(self.registry.clone().get_scan(request)).await?;
        self.image_in(pieces).await
    }

    /// Does something with a scan that waits.
    ///
    /// # Errors
    /// [`CallFailed`].
    pub async fn handle_scan(&self, message: HandleScanRequest) -> Result<ScanAnswer, CallFailed> {
        let request = self.request(message)?;
        self.timed(self.registry.clone().handle_scan(request)).await
    }
}
