//! Bytes of an image on their way in: counted, timed, and cut off when over; this file never looks into them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;

use crate::backend::ImageBytes;
use crate::problem::{Code, Problem};

/// Why the bytes were cut off, once they were.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<Mutex<Option<Problem>>>);

impl Cut {
    pub(crate) fn take(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, problem: &Problem) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem.clone());
    }
}

/// The same bytes, ended by an error as soon as they are more than `most`, or the sender is silent for too long.
pub(crate) fn bounded(data: ImageBytes, most: u64, silence: Duration) -> (ImageBytes, Cut) {
    let cut = Cut::default();
    let counted = Counted {
        data: Some(data),
        count: 0,
        most,
        silence,
        cut: cut.clone(),
    };
    let stream = futures_util::stream::unfold(counted, |mut counted| async move {
        let next = counted.next().await?;
        Some((next, counted))
    });
    (Box::pin(stream), cut)
}

/// What a sender hears whose image is too large.
pub(crate) fn image_too_large(most: u64) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("an image may have {} MiB at most", most / (1024 * 1024)),
    )
}

struct Counted {
    /// None once the stream has ended.
    data: Option<ImageBytes>,
    count: u64,
    most: u64,
    silence: Duration,
    cut: Cut,
}

impl Counted {
    async fn next(&mut self) -> Option<Result<bytes::Bytes, Problem>> {
        let data = self.data.as_mut()?;
        let piece = match tokio::time::timeout(self.silence, data.next()).await {
            Ok(piece) => piece,
            Err(_elapsed) => Some(Err(Problem::new(
                Code::Timeout,
                "the sender of the image fell silent",
            ))),
        };
        let checked = piece.map(|piece| piece.and_then(|bytes| self.count(bytes)));
        match &checked {
            None => self.data = None,
            Some(Err(problem)) => {
                self.cut.note(problem);
                self.data = None;
            }
            Some(Ok(_)) => {}
        }
        checked
    }

    fn count(&mut self, bytes: bytes::Bytes) -> Result<bytes::Bytes, Problem> {
        self.count = self.count.saturating_add(bytes.len() as u64);
        if self.count > self.most {
            Err(image_too_large(self.most))
        } else {
            Ok(bytes)
        }
    }
}
