//! The hub's side: it answers what its nodes pass on as it answers everybody, on record.

use std::sync::Arc;
use std::time::Duration;

use ccpor_access::Verb;
use ccpor_api::message::{EnforceRequest, GetOrderRequest, LookupRequest, PersonHistoryRequest};
use ccpor_api::{Caller, Problem};
use ccpor_audit::{Asked, Operation};
use ccpor_certs::Identity;
use ccpor_transport::{Answer, BoxAnswer};

use super::image::{AskedImage, SeenImage};
use super::passed::{Passed, Passes, answer};
use crate::audit::{
    Call, Recorder, Seen, asked_for, enforced, history, looked_up, named_image, named_order, named_person,
    viewed,
};
use crate::guard::may_ask;
use crate::reading::images::{self, Judged};
use crate::reading::{Reader, blocking};

/// A hub answers what its nodes pass on, and leaves every other question to somebody else.
pub struct GivesAnswers<A> {
    /// Who reads.
    pub reader: Arc<Reader>,
    /// Who records that it was asked.
    pub recorder: Arc<Recorder>,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for GivesAnswers<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        if !peer.is_node() {
            return self.otherwise.answer(peer, question, within);
        }
        let answered = None
            .or_else(|| self.given::<LookupRequest>(&peer, &question))
            .or_else(|| self.given::<PersonHistoryRequest>(&peer, &question))
            .or_else(|| self.given::<GetOrderRequest>(&peer, &question))
            .or_else(|| self.given::<EnforceRequest>(&peer, &question))
            .or_else(|| self.given::<AskedImage>(&peer, &question));
        answered.unwrap_or_else(|| self.otherwise.answer(peer, question, within))
    }
}

impl<A> GivesAnswers<A> {
    /// The answer, if the question is of this kind.
    fn given<R: Answered>(&self, node: &Identity, question: &[u8]) -> Option<BoxAnswer> {
        let passed = Passed::<R>::of(question)?;
        let caller = passed.caller(node);
        let (reader, recorder) = (Arc::clone(&self.reader), Arc::clone(&self.recorder));
        Some(Box::pin(async move {
            let call = Call {
                caller: &caller,
                operation: R::OPERATION,
                asked: passed.request.asked(),
            };
            let work = async {
                may_ask(&caller, R::VERB)?;
                passed.request.read(&reader, &caller).await
            };
            answer::<R>(recorder.around(call, work, R::seen).await)
        }))
    }
}

/// A question that the hub answers to its nodes.
trait Answered: Passes {
    const OPERATION: Operation;
    const VERB: Verb;

    /// For whom or what it asks.
    fn asked(&self) -> Vec<Asked>;
    /// What the answer lets its reader see.
    fn seen(answer: &Self::Answer) -> Seen;
    fn read(
        self,
        reader: &Reader,
        caller: &Caller,
    ) -> impl Future<Output = Result<Self::Answer, Problem>> + Send;
}

impl Answered for LookupRequest {
    const OPERATION: Operation = Operation::PassedLookUp;
    const VERB: Verb = Verb::Search;

    fn asked(&self) -> Vec<Asked> {
        asked_for(self)
    }

    fn seen(answer: &Self::Answer) -> Seen {
        looked_up(answer)
    }

    async fn read(self, reader: &Reader, caller: &Caller) -> Result<Self::Answer, Problem> {
        reader.lookup(caller, self).await
    }
}

impl Answered for PersonHistoryRequest {
    const OPERATION: Operation = Operation::PassedPersonHistory;
    const VERB: Verb = Verb::History;

    fn asked(&self) -> Vec<Asked> {
        self.person.iter().map(named_person).collect()
    }

    fn seen(answer: &Self::Answer) -> Seen {
        history(answer)
    }

    async fn read(self, reader: &Reader, caller: &Caller) -> Result<Self::Answer, Problem> {
        reader.person_history(caller, self).await
    }
}

impl Answered for GetOrderRequest {
    const OPERATION: Operation = Operation::PassedOrderView;
    const VERB: Verb = Verb::View;

    fn asked(&self) -> Vec<Asked> {
        named_order(&self.order_id)
    }

    fn seen(answer: &Self::Answer) -> Seen {
        viewed(answer)
    }

    async fn read(self, reader: &Reader, caller: &Caller) -> Result<Self::Answer, Problem> {
        reader.order(caller, self).await
    }
}

impl Answered for EnforceRequest {
    const OPERATION: Operation = Operation::PassedEnforce;
    const VERB: Verb = Verb::Enforce;

    fn asked(&self) -> Vec<Asked> {
        named_order(&self.order_id)
    }

    fn seen(answer: &Self::Answer) -> Seen {
        enforced(answer)
    }

    async fn read(self, reader: &Reader, caller: &Caller) -> Result<Self::Answer, Problem> {
        reader.enforce(caller, self).await
    }
}

impl Answered for AskedImage {
    const OPERATION: Operation = Operation::PassedImageView;
    const VERB: Verb = Verb::Image;

    fn asked(&self) -> Vec<Asked> {
        named_image(&self.blake3)
    }

    fn seen(answer: &Self::Answer) -> Seen {
        Seen {
            image: Some(answer.image.0),
            hits: 1,
            ..Seen::default()
        }
    }

    async fn read(self, reader: &Reader, caller: &Caller) -> Result<SeenImage, Problem> {
        let (registry, sight) = (Arc::clone(reader.registry()), reader.sight(caller)?);
        let image = images::digest(&self.blake3)?;
        blocking(move || match images::seen(&registry, &sight, &image)? {
            Judged::Shown(known) if registry.images().size(&image.0) == Some(known.length) => Ok(SeenImage {
                image,
                origin: known.origin,
                length: known.length,
                served_by: registry.identity().to_owned(),
            }),
            Judged::Shown(known) => Err(images::unavailable(&known, "the hub does not hold it yet")),
            Judged::Hidden | Judged::Unknown => Err(images::unknown()),
        })
        .await?
    }
}
