//! No answer about orders leaves without its freshness: this file finds it in an answer, and stops the answer that lacks it.

use crate::message::{
    AttachImageAnswer, CheckOrderAnswer, ConfidentialAnswer, CourtsAnswer, EnforceAnswer, Freshness,
    LookupAnswer, OrderAnswer, OverdueAnswer, PersonHistoryAnswer, QuarantineAnswer, ScanAnswer, ScansAnswer,
    ScrubAnswer, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use crate::problem::{Code, Problem};

/// An answer of an operation.
pub(crate) trait Answered {
    /// Up to when it holds; none for answers that only confirm a write.
    fn freshness(&self) -> Option<&Freshness>;
}

/// The answer, or a problem when it lacks its freshness: better none than a "no match" that does not say up to when.
pub(crate) fn dated<T: Answered>(answer: T) -> Result<T, Problem> {
    if answer.freshness().is_some() {
        return Ok(answer);
    }
    Err(Problem::new(
        Code::Internal,
        "the answer did not say up to when it holds, and was held back",
    ))
}

macro_rules! answered {
    ($($with:ty),*; $($without:ty),*) => {
        $(impl Answered for $with {
            fn freshness(&self) -> Option<&Freshness> {
                self.freshness.as_ref()
            }
        })*
        $(impl Answered for $without {
            fn freshness(&self) -> Option<&Freshness> {
                None
            }
        })*
    };
}

answered!(OrderAnswer, LookupAnswer, CourtsAnswer, StatusAnswer, EnforceAnswer, CheckOrderAnswer, PersonHistoryAnswer, OverdueAnswer, WorkAnswer; WriteAnswer, AttachImageAnswer, ScrubAnswer, QuarantineAnswer, TopologyAnswer, ConfidentialAnswer, ScansAnswer, ScanAnswer);
