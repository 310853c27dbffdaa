//! The revocation list on its way: a hub offers its list to every node on the connection that is open anyway, and the node answers
//! with the number of the list in force there, and with the list itself when it is another. So a hub that was restored from an old
//! copy learns from its nodes. Lists are believed because of their signature, not because of who brings them.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ccpor_certs::authority::Acknowledged;
use ccpor_certs::revocation::SignedList;
use ccpor_certs::{Authority, Clock, Identity, Revocations};
use ccpor_transport::{Answer, AskError, BoxAnswer, LandingHandle};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::reading::blocking;

/// Begins the question; the asker's list follows, or nothing.
const QUESTION: &[u8] = b"revocations/1 ";
/// How long a node may take to write the list and answer.
const WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked who has come and whether the authority has a newer list.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The pause after a machine did not answer.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Takes newer lists from a hub, or at a hub from a node that has them from another one, and says which one is in force here; leaves
/// every other question to somebody else.
pub struct TakesRevocations<A> {
    /// The list in force.
    pub revocations: Revocations,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for TakesRevocations<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let Some(offered) = question.strip_prefix(QUESTION).filter(|_| peer.is_server()) else {
            return self.otherwise.answer(peer, question, within);
        };
        let (revocations, offered) = (self.revocations.clone(), offered.to_vec());
        Box::pin(async move { blocking(move || take(&revocations, &peer, &offered)).await.ok() })
    }
}

/// Takes what is newer; the answer is the number of the list in force, and that list when it is not the offered one.
fn take(revocations: &Revocations, from: &Identity, offered: &[u8]) -> Vec<u8> {
    if !offered.is_empty()
        && let Err(error) = revocations.offer(offered)
    {
        tracing::error!(%from, %error, "an offered revocation list is not taken");
    }
    let held = revocations.signed();
    let counter = held.as_ref().map_or(0, |held| held.list().counter);
    let mut answer = counter.to_be_bytes().to_vec();
    answer.extend(
        held.iter()
            .filter(|held| held.text() != offered)
            .flat_map(|held| held.text()),
    );
    answer
}

/// The offer of a list.
#[must_use]
pub fn question(list: Option<&SignedList>) -> Vec<u8> {
    let mut question = QUESTION.to_vec();
    question.extend(list.iter().flat_map(|list| list.text()));
    question
}

/// Reads an answer: the number of the list in force there, and that list when it is another than the one offered.
#[must_use]
pub fn read(answer: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    let (counter, list) = answer.split_first_chunk::<8>()?;
    Some((
        u64::from_be_bytes(*counter),
        Some(list).filter(|list| !list.is_empty()),
    ))
}

/// The machines that a hub is connected to.
pub trait Peers: Clone + Send + Sync + 'static {
    /// Every node that is or was connected, and since when it is.
    fn nodes(&self) -> Vec<(Identity, Option<SystemTime>)>;

    /// Puts a question to a connected one.
    fn put_question(
        &self,
        peer: &Identity,
        question: Vec<u8>,
        within: Duration,
    ) -> impl Future<Output = Result<Vec<u8>, AskError>> + Send;
}

impl Peers for Arc<LandingHandle> {
    fn nodes(&self) -> Vec<(Identity, Option<SystemTime>)> {
        let nodes = self
            .peers()
            .into_iter()
            .filter(|(identity, _)| identity.is_node());
        nodes
            .map(|(identity, state)| (identity, state.up_since))
            .collect()
    }

    async fn put_question(
        &self,
        peer: &Identity,
        question: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, AskError> {
        self.ask(peer, &question, within).await
    }
}

/// A hub's part: keeps the list in force that the authority beside it makes, spreads it, and learns from the nodes.
pub struct Spread<P> {
    revocations: Revocations,
    authority: Option<Arc<Authority>>,
    peers: P,
    clock: Clock,
    told: BTreeMap<Identity, Told>,
    /// Which file of the authority was read last, which list was in force here then, and what was noted beside the authority.
    read: Option<(u64, SystemTime)>,
    held: u64,
    noted: Vec<Acknowledged>,
    /// Raised when the first node has said which list it has.
    heard: CancellationToken,
}

/// What a node said on its present connection.
#[derive(Clone, Copy, Default)]
struct Told {
    connected: Option<SystemTime>,
    list: Option<u64>,
    /// Offered and not answered yet, or not to be offered again before this moment.
    busy: bool,
    not_before: Option<tokio::time::Instant>,
}

/// The outcome of one offer.
struct Answered {
    node: Identity,
    connected: Option<SystemTime>,
    offered: u64,
    answer: Result<Vec<u8>, AskError>,
}

impl<P: Peers> Spread<P> {
    /// Spreads the list of `revocations`, which is replaced by newer ones of the authority and of the nodes.
    pub fn new(revocations: Revocations, authority: Option<Arc<Authority>>, peers: P, clock: Clock) -> Self {
        Self {
            revocations,
            authority,
            peers,
            clock,
            told: BTreeMap::new(),
            read: None,
            held: 0,
            noted: Vec::new(),
            heard: CancellationToken::new(),
        }
    }

    /// Is cancelled as soon as a node has said which list it has: then this hub is not behind what that node knows.
    #[must_use]
    pub fn heard(&self) -> CancellationToken {
        self.heard.clone()
    }

    /// Spreads until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut asking: JoinSet<Answered> = JoinSet::new();
        let mut changes = self.revocations.changes();
        loop {
            self.follow_authority().await;
            changes.mark_unchanged();
            self.offer(&mut asking);
            self.note().await;
            tokio::select! {
                Some(Ok(answered)) = asking.join_next() => self.all_answered(answered, &mut asking).await,
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Puts the authority's list in force when another process has changed it, and lets the authority learn what it does not know.
    async fn follow_authority(&mut self) {
        let Some(authority) = self.authority.clone() else {
            return;
        };
        let file = authority.revocations_file();
        let written = std::fs::metadata(&file)
            .and_then(|facts| Ok((facts.ino(), facts.modified()?)))
            .ok();
        let (revocations, first) = (self.revocations.clone(), self.read.is_none());
        let held = revocations.signed().map_or(0, |list| list.list().counter);
        if written == self.read && held == self.held && !first {
            return;
        }
        self.held = held;
        let followed = blocking(move || {
            if let Some(held) = revocations.signed() {
                authority.learn_revocations(held.text())?;
            }
            Ok::<_, ccpor_certs::authority::AuthorityError>((authority.revocations()?, revocations))
        });
        match followed.await {
            Ok(Ok((Some(list), revocations))) => {
                if let Err(error) = revocations.offer(list.text()) {
                    tracing::error!(%error, "the authority's revocation list is not in force here");
                }
            }
            Ok(Ok((None, _))) => {}
            Ok(Err(error)) => tracing::error!(%error, "the authority's revocation list cannot be read"),
            Err(problem) => tracing::error!(%problem, "the authority's revocation list cannot be read"),
        }
        // A file that has never been there is looked for again.
        self.read = written;
    }

    /// Offers the list to every connected node that has not said that it has it.
    fn offer(&mut self, asking: &mut JoinSet<Answered>) {
        let (list, now) = (self.revocations.signed(), tokio::time::Instant::now());
        let counter = list.as_ref().map_or(0, |list| list.list().counter);
        for (node, connected) in self.peers.nodes() {
            let told = self.told.entry(node.clone()).or_default();
            if told.connected != connected {
                *told = Told {
                    connected,
                    ..Told::default()
                };
            }
            let waits = told.busy || told.not_before.is_some_and(|at| now < at);
            if connected.is_none() || waits || told.list.is_some_and(|list| list >= counter) {
                continue;
            }
            told.busy = true;
            let (peers, question) = (self.peers.clone(), question(list.as_deref()));
            asking.spawn(async move {
                let answer = peers.put_question(&node, question, WITHIN).await;
                Answered {
                    node,
                    connected,
                    offered: counter,
                    answer,
                }
            });
        }
    }

    /// Takes up an answer and all that have come meanwhile, which are noted together: with one wait for the disk, not one for each.
    async fn all_answered(&mut self, first: Answered, asking: &mut JoinSet<Answered>) {
        self.answered(first).await;
        while let Some(next) = asking.try_join_next() {
            match next {
                Ok(answered) => self.answered(answered).await,
                Err(fault) => tracing::error!(%fault, "a node was not asked for its revocation list"),
            }
        }
    }

    async fn answered(&mut self, answered: Answered) {
        let Answered {
            node,
            connected,
            offered,
            answer,
        } = answered;
        let Some(told) = self
            .told
            .get_mut(&node)
            .filter(|told| told.connected == connected)
        else {
            return;
        };
        told.busy = false;
        let answer = answer.map_err(|error| error.to_string());
        let read = answer
            .as_deref()
            .map_err(ToString::to_string)
            .and_then(|answer| read(answer).ok_or_else(|| "its answer cannot be read".to_owned()));
        match read {
            Ok((counter, list)) => {
                told.list = Some(counter);
                if counter < offered {
                    // It does not take the list, and its log says why.
                    told.not_before = Some(tokio::time::Instant::now() + TRY_AGAIN);
                }
                if let Some(list) = list {
                    self.learn(&node, list.to_vec()).await;
                }
                self.heard.cancel();
            }
            Err(error) => {
                told.not_before = Some(tokio::time::Instant::now() + TRY_AGAIN);
                tracing::warn!(%node, error, "a node did not say which revocation list it has");
            }
        }
    }

    /// Takes over what a node knows and this hub does not.
    async fn learn(&mut self, node: &Identity, list: Vec<u8>) {
        let (revocations, authority) = (self.revocations.clone(), self.authority.clone());
        let learnt = blocking(move || match authority {
            None => revocations
                .offer(&list)
                .map(|_| ())
                .map_err(|error| error.to_string()),
            Some(authority) => {
                authority
                    .learn_revocations(&list)
                    .map_err(|error| error.to_string())?;
                let newest = authority.revocations().map_err(|error| error.to_string())?;
                newest.map_or(Ok(()), |newest| {
                    revocations
                        .offer(newest.text())
                        .map(|_| ())
                        .map_err(|error| error.to_string())
                })
            }
        });
        let learnt = learnt.await.unwrap_or_else(|problem| Err(problem.to_string()));
        if let Err(error) = learnt {
            tracing::error!(%node, error, "the revocation list of a node is not taken");
        }
    }

    /// Leaves beside the authority what the nodes said, for the operator who revoked somebody.
    async fn note(&mut self) {
        let Some(authority) = self.authority.clone() else {
            return;
        };
        let at = self.clock.now();
        let now = self.told.iter().map(|(identity, told)| {
            let before = self.noted.iter().find(|noted| noted.identity == *identity);
            let same =
                before.filter(|noted| noted.list == told.list && noted.connected == told.connected.is_some());
            same.cloned().unwrap_or(Acknowledged {
                identity: identity.clone(),
                list: told.list,
                connected: told.connected.is_some(),
                at,
            })
        });
        let now: Vec<_> = now.collect();
        if now == self.noted {
            return;
        }
        self.noted.clone_from(&now);
        let noted = blocking(move || authority.note_acknowledged(&now)).await;
        if let Ok(Err(error)) = noted {
            tracing::warn!(%error, "operators will not see which machines have the revocation list");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use ccpor_certs::authority::Verdict;

    use super::*;

    /// As many nodes as there are courts with machines of their own; each answers at once.
    const NODES: u16 = 71;

    #[derive(Clone)]
    struct Nodes(Revocations);

    impl Peers for Nodes {
        fn nodes(&self) -> Vec<(Identity, Option<SystemTime>)> {
            let node = |number| Identity::court("alameda", number).unwrap();
            (1..=NODES)
                .map(|number| (node(number), Some(SystemTime::UNIX_EPOCH)))
                .collect()
        }

        async fn put_question(
            &self,
            peer: &Identity,
            question: Vec<u8>,
            _: Duration,
        ) -> Result<Vec<u8>, AskError> {
            Ok(take(&self.0, peer, question.strip_prefix(QUESTION).unwrap()))
        }
    }

    #[tokio::test]
    async fn nodes_that_answer_together_are_noted_together() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::init(&dir.path().join("authority")).unwrap());
        let whom = "lea/alameda-so".parse().unwrap();
        authority.judge(&whom, Verdict::Revoke, "stolen").unwrap();
        let issue = |name: &str, folder: &str| {
            let target = dir.path().join(folder);
            authority
                .issue(&name.parse().unwrap(), &[], &[], &target)
                .unwrap()
        };
        let (hub, node) = (issue("hub/1", "hub"), issue("court/kern/node/1", "node"));
        let mut spread = Spread::new(
            hub.revocations().clone(),
            Some(Arc::clone(&authority)),
            Nodes(node.revocations().clone()),
            Clock::machine(),
        );
        spread.follow_authority().await;
        let mut asking = JoinSet::new();
        spread.offer(&mut asking);
        assert_eq!(asking.len(), usize::from(NODES));
        // One thread: the last to be asked has answered when this goes on.
        let (last, has_run) = tokio::sync::oneshot::channel();
        tokio::spawn(async move { last.send(()) });
        has_run.await.unwrap();
        let first = asking.join_next().await.unwrap().unwrap();
        spread.all_answered(first, &mut asking).await;
        assert!(asking.is_empty());
        spread.note().await;
        let noted = authority.acknowledged().unwrap();
        assert!(noted.iter().all(|one| one.list == Some(1)), "{noted:?}");
        assert_eq!(noted.len(), usize::from(NODES));
    }

    #[test]
    fn an_answer_is_read_as_it_was_given() {
        let mut answer = 7_u64.to_be_bytes().to_vec();
        assert_eq!(read(&answer), Some((7, None)));
        answer.extend(b"list");
        assert_eq!(read(&answer), Some((7, Some(&b"list"[..]))));
        assert_eq!(read(b"short"), None);
        assert_eq!(question(None), QUESTION);
    }
}
