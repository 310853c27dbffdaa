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
use crate::sharing::Shares;

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
    /// The hub that says so; a hub of an earlier version does not name itself.
    #[serde(default)]
    pub(super) served_by: String,
}

impl Passes for AskedImage {
    const WORD: &'static [u8] = b"image/1 ";
    type Answer = SeenImage;
    const SAYS_WHY: bool = true;
}

impl Forward {
    /// The image as the hubs show it to the caller, unless this machine knows that its court keeps images to itself: what courts share,
    /// hubs may learn later (`shares`). `ask` puts a question to every hub at once, `fetch` brings the bytes of an image.
    ///
    /// # Errors
    /// What a hub that knows the image says; that no such image is known; or that it could not be brought.
    pub async fn image<F: Future<Output = Result<Vec<u8>, String>>>(
        &self,
        caller: &Caller,
        digest: ImageDigest,
        shares: impl FnOnce(&str) -> Shares,
        ask: impl FnOnce(Vec<u8>, Duration) -> JoinSet<Option<Vec<u8>>>,
        fetch: impl FnOnce(Wanted) -> F,
    ) -> Result<ImageOut, Problem> {
        let asked = AskedImage {
            blake3: digest.to_string(),
        };
        let Some(question) = question(caller, &asked) else {
            return Err(images::unknown());
        };
        let SeenImage {
            origin,
            length,
            served_by,
            ..
        } = seen(ask(question, WITHIN)).await?;
        let shares = shares(origin.court());
        if !(shares.orders && shares.images) {
            return Err(images::kept(&origin));
        }
        let wanted = Wanted {
            origin: origin.clone(),
            blake3: digest.0,
            len: length,
        };
        match fetch(wanted).await {
            Ok(bytes) => {
                let out = blocking(move || images::out_of(digest, bytes)).await?;
                Ok(ImageOut {
                    also_asked: served_by,
                    ..out
                })
            }
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

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt as _;

    use super::super::passed::answer as on_the_wire;
    use super::*;

    const PAPER: &[u8] = b"%PDF-1.7 a paper";
    const DIGEST: ImageDigest = ImageDigest([7; 32]);

    fn shown() -> Result<SeenImage, Problem> {
        Ok(SeenImage {
            image: DIGEST,
            origin: OriginId::new("court/inyo/node/1").unwrap(),
            length: PAPER.len() as u64,
            served_by: "hub/1".to_owned(),
        })
    }

    /// What is shown when the hubs say this, and the machine knows that of the court.
    async fn image(
        hubs: Vec<Result<SeenImage, Problem>>,
        shares: Shares,
        brought: Result<Vec<u8>, String>,
    ) -> Result<Vec<u8>, Problem> {
        let ask = |question: Vec<u8>, _| {
            assert!(question.starts_with(b"image/1 "));
            let answers = hubs.into_iter().map(on_the_wire::<AskedImage>);
            answers.map(std::future::ready).collect()
        };
        let shares = |court: &str| {
            assert_eq!(court, "court/inyo");
            shares
        };
        let fetch = |wanted: Wanted| {
            assert_eq!((wanted.blake3, wanted.len), (DIGEST.0, PAPER.len() as u64));
            std::future::ready(brought)
        };
        let caller = Caller::default();
        let forward = Forward::default();
        let mut out = forward.image(&caller, DIGEST, shares, ask, fetch).await?;
        assert_eq!(out.also_asked, "hub/1");
        let mut bytes = Vec::new();
        while let Some(piece) = out.data.next().await {
            bytes.extend(piece.unwrap());
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn what_a_hub_shows_is_brought_from_there() {
        let hubs = vec![Err(images::unknown()), shown()];
        let brought = Ok(PAPER.to_vec());
        assert_eq!(image(hubs, Shares::default(), brought).await.unwrap(), PAPER);
        let failed = image(vec![shown()], Shares::default(), Err("the link is down".into())).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.code, Code::ImageUnavailable);
        assert!(failed.detail.contains("the link is down"));
    }

    #[tokio::test]
    async fn what_its_court_keeps_to_itself_as_far_as_known_here_is_not_brought() {
        for (orders, images) in [(true, false), (false, true)] {
            let shares = Shares {
                orders,
                images,
                history: true,
            };
            let refused = image(vec![shown()], shares, Err("it is not fetched".into())).await;
            let refused = refused.unwrap_err();
            assert!(
                refused.detail.contains("court/inyo shares no images"),
                "{refused}"
            );
        }
    }

    #[tokio::test]
    async fn a_hub_that_knows_the_image_says_why_it_does_not_show_it() {
        let why = Problem::new(Code::PurposeNeeded, "its order is over");
        for hubs in [
            vec![Err(why.clone()), Err(images::unknown())],
            vec![Err(images::unknown()), Err(why.clone())],
        ] {
            let refused = image(hubs, Shares::default(), Ok(Vec::new())).await;
            assert_eq!(refused.unwrap_err(), why);
        }
        let nobody = image(Vec::new(), Shares::default(), Ok(Vec::new())).await;
        assert_eq!(nobody.unwrap_err().code, Code::ImageNotFound);
    }
}
