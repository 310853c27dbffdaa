//! An image whose order this machine does not hold: a hub says whether whoever asks may see it, and it is shown from there. No copy of it
//! stays here: nothing here would say when it is no longer to be shown.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccpor_api::{Caller, Code, ImageOut, Problem};
use ccpor_domain::ImageDigest;
use ccpor_ledger::OriginId;
use ccpor_transport::{ImageSink, Wanted};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::lookups::Forward;
use super::passed::{Passes, WITHIN, question, read};
use crate::reading::{blocking, images};
use crate::sight::CallersSight;

/// Asks whether an image may be seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AskedImage {
    /// BLAKE3, 64 hexadecimal digits.
    pub(super) blake3: String,
}

/// It may, and this is what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SeenImage {
    /// BLAKE3 of its bytes.
    pub(super) image: ImageDigest,
    /// The court's node whose record names it.
    pub(super) origin: OriginId,
    /// Bytes.
    pub(super) length: u64,
}

impl Passes for AskedImage {
    const WORD: &'static [u8] = b"image/1 ";
    type Answer = SeenImage;
    const SAYS_WHY: bool = true;
}

impl Forward {
    /// The image as the hubs show it to the caller, unless this machine knows that its court keeps images to itself: what courts share,
    /// hubs may learn later. `ask` puts a question to every hub at once, `fetch` brings the bytes of an image.
    ///
    /// # Errors
    /// What a hub that knows the image says; that no such image is known; or that it could not be brought.
    pub async fn image<F: Future<Output = Result<Vec<u8>, String>>>(
        &self,
        caller: &Caller,
        sight: &CallersSight,
        digest: ImageDigest,
        ask: impl FnOnce(Vec<u8>, Duration) -> JoinSet<Option<Vec<u8>>>,
        fetch: impl FnOnce(Wanted) -> F,
    ) -> Result<ImageOut, Problem> {
        let asked = AskedImage {
            blake3: digest.to_string(),
        };
        let Some(question) = question(caller, &asked) else {
            return Err(images::unknown());
        };
        let SeenImage { origin, length, .. } = seen(ask(question, WITHIN)).await?;
        let shares = sight.shares(origin.court());
        if !(shares.orders && shares.images) {
            return Err(images::kept(&origin));
        }
        let wanted = Wanted {
            origin: origin.clone(),
            blake3: digest.0,
            len: length,
        };
        match fetch(wanted).await {
            Ok(bytes) => blocking(move || images::out_of(digest, bytes)).await,
            Err(reason) => Err(images::not_brought(&origin, &reason)),
        }
    }
}

/// The first hub that shows it, or else what is most worth telling of what they say.
async fn seen(mut answers: JoinSet<Option<Vec<u8>>>) -> Result<SeenImage, Problem> {
    let mut refused = images::unknown();
    while let Some(answer) = answers.join_next().await {
        match answer.ok().flatten().as_deref().and_then(read::<AskedImage>) {
            Some(Ok(seen)) => return Ok(seen),
            Some(Err(problem)) if problem.code != Code::ImageNotFound => refused = problem,
            Some(Err(_)) | None => {}
        }
    }
    Err(refused)
}

/// The bytes of an image on their way through this machine.
#[derive(Clone, Default)]
pub struct Gathered(Arc<Mutex<Vec<u8>>>);

impl Gathered {
    /// The place for the bytes.
    #[must_use]
    pub fn sink(&self) -> Box<dyn ImageSink> {
        Box::new(self.clone())
    }

    /// What was gathered, once it was found to be the image.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ImageSink for Gathered {
    fn kept(&self) -> u64 {
        0
    }

    fn read_kept(&mut self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(io::empty()))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }

    fn discard(self: Box<Self>) {
        drop(self.take());
    }
}
