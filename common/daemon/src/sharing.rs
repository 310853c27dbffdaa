//! What each court shares with the machines of others: its own decision, which its node tells the hub and the hub tells every
//! node. A court that shares less is named on every answer elsewhere as not covered, so that silence is never taken for "nothing".

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_files::put_in_place;
use ccpor_transport::{Answer, BoxAnswer};
use serde::{Deserialize, Serialize};

/// Begins the question; JSON follows.
const QUESTION: &[u8] = b"sharing/1 ";
/// The file below the data directory.
const FILE: &str = "sharing.json";
/// The most courts that are remembered; more than there are.
const MOST: usize = 1_000;

/// What a court shares. All of it, unless its court says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Its orders: replicated to the hub, and from there to the other courts.
    pub orders: bool,
    /// The images of its papers.
    pub images: bool,
    /// Its orders that are over.
    pub history: bool,
}

impl Shares {
    /// What both allow.
    fn and(self, other: Self) -> Self {
        Self {
            orders: self.orders && other.orders,
            images: self.images && other.images,
            history: self.history && other.history,
        }
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            orders: true,
            images: true,
            history: true,
        }
    }
}

/// What every court shares, as far as this machine was told. Only courts that share less than everything are in it.
pub struct Sharing {
    own: Option<(String, Shares)>,
    file: PathBuf,
    less: Mutex<BTreeMap<String, Shares>>,
    /// What each hub said last, at a node.
    told: Mutex<BTreeMap<String, BTreeMap<String, Shares>>>,
}

impl Sharing {
    /// What was known in `directory`; at a court's node with that court's own decision.
    #[must_use]
    pub fn open(directory: &Path, own: Option<(String, Shares)>) -> Self {
        let file = directory.join(FILE);
        let read = std::fs::read(&file).ok();
        let less = read
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            own,
            file,
            less: Mutex::new(less),
            told: Mutex::default(),
        }
    }

    /// What a court shares with this machine. Asked at its own node, a court keeps nothing back.
    #[must_use]
    pub fn of(&self, court: &str) -> Shares {
        if self.own.as_ref().is_some_and(|(own, _)| own == court) {
            return Shares::default();
        }
        self.less().get(court).copied().unwrap_or_default()
    }

    /// The other courts that share less than everything.
    #[must_use]
    pub fn not_covered(&self) -> Vec<String> {
        let own = self.own.as_ref().map(|(court, _)| court.as_str());
        let less = self.less();
        less.keys()
            .filter(|court| Some(court.as_str()) != own)
            .cloned()
            .collect()
    }

    /// What this node's own court shares.
    #[must_use]
    pub fn own(&self) -> Shares {
        self.own.as_ref().map(|(_, shares)| *shares).unwrap_or_default()
    }

    /// The question to the hub, which tells it what this court shares.
    #[must_use]
    pub fn question(&self) -> Vec<u8> {
        let mut question = QUESTION.to_vec();
        question.extend(serde_json::to_vec(&self.own()).unwrap_or_default());
        question
    }

    /// Takes the answer of one of so many hubs: what every court shares. Where they say different things, since one of them was away
    /// when a court decided, a court shares what all of them say that it does; what was known before counts until all have answered.
    /// Blocks.
    ///
    /// # Errors
    /// In words, when it cannot be read or kept.
    pub fn take(&self, hub: &str, hubs: usize, answer: &[u8]) -> Result<(), String> {
        let answer: BTreeMap<String, Shares> = serde_json::from_slice(answer)
            .map_err(|_| "the hub's list of what courts share cannot be read")?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(hub.to_owned(), answer);
        let is_all = told.len() >= hubs;
        self.keep(|less| {
            if is_all {
                less.clear();
            }
            for (court, shares) in told.values().flatten() {
                let held = less.entry(court.clone()).or_default();
                *held = held.and(*shares);
            }
        })
    }

    /// A court's node tells what the court shares; gives what every court does.
    fn told(&self, court: &str, shares: Shares) -> Option<Vec<u8>> {
        let kept = self.keep(|less| {
            if shares == Shares::default() {
                less.remove(court);
            } else if less.len() < MOST || less.contains_key(court) {
                less.insert(court.to_owned(), shares);
            }
        });
        if let Err(reason) = kept {
            // The node is asked again; it must not be told that its decision counts before it does.
            tracing::error!(reason, court, "what a court shares could not be kept");
            return None;
        }
        serde_json::to_vec(&*self.less()).ok()
    }

    fn keep(&self, change: impl FnOnce(&mut BTreeMap<String, Shares>)) -> Result<(), String> {
        let mut less = self.less();
        let mut changed = less.clone();
        change(&mut changed);
        if changed != *less {
            let bytes = serde_json::to_vec(&changed).map_err(|error| error.to_string())?;
            put_in_place(&self.file, &bytes).map_err(|error| error.to_string())?;
            *less = changed;
        }
        Ok(())
    }

    fn less(&self) -> MutexGuard<'_, BTreeMap<String, Shares>> {
        // Every change is made on a copy and put in whole.
        self.less.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hub takes from its nodes what their courts share, tells them what all do, and leaves every other question to somebody else.
pub struct GivesSharing<A> {
    /// What is shared.
    pub sharing: Arc<Sharing>,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for GivesSharing<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let asked = question.strip_prefix(QUESTION).filter(|_| peer.is_node());
        let Some(shares) = asked.and_then(|asked| serde_json::from_slice::<Shares>(asked).ok()) else {
            return self.otherwise.answer(peer, question, within);
        };
        let sharing = Arc::clone(&self.sharing);
        Box::pin(async move {
            let path = peer.path();
            let court = path.split("/node/").next().unwrap_or_default().to_owned();
            crate::reading::blocking(move || sharing.told(&court, shares))
                .await
                .ok()?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_court_keeps_back_is_known_everywhere_but_at_its_own_node_and_survives_a_restart() {
        let (hub, node) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let less = Shares {
            images: false,
            ..Shares::default()
        };
        let at_hub = Sharing::open(hub.path(), None);
        let told = at_hub.told("tribal/yurok", less).unwrap();
        assert_eq!(
            (at_hub.of("tribal/yurok"), at_hub.of("court/kern")),
            (less, Shares::default())
        );
        let own = Sharing::open(node.path(), Some(("tribal/yurok".into(), less)));
        own.take("hub/1", 1, &told).unwrap();
        assert_eq!(
            (own.of("tribal/yurok"), own.not_covered()),
            (Shares::default(), Vec::<String>::new())
        );
        assert_eq!(own.own(), less);
        let again = Sharing::open(hub.path(), None);
        assert_eq!(again.not_covered(), ["tribal/yurok"]);
        again.told("tribal/yurok", Shares::default()).unwrap();
        assert!(Sharing::open(hub.path(), None).not_covered().is_empty());
        assert!(own.take("hub/1", 1, b"nonsense").is_err());
    }

    #[test]
    fn of_several_hubs_the_one_that_was_away_does_not_uncover_what_a_court_keeps_back() {
        let directory = tempfile::tempdir().unwrap();
        let less = Shares {
            history: false,
            ..Shares::default()
        };
        let told = serde_json::to_vec(&BTreeMap::from([("tribal/yurok", less)])).unwrap();
        let node = Sharing::open(directory.path(), None);
        node.take("hub/1", 2, &told).unwrap();
        node.take("hub/2", 2, b"{}").unwrap();
        assert_eq!(node.of("tribal/yurok"), less);
        // After a restart it is known before the hub that knows it has answered.
        let again = Sharing::open(directory.path(), None);
        again.take("hub/2", 2, b"{}").unwrap();
        assert_eq!(again.of("tribal/yurok"), less);
        again.take("hub/1", 2, b"{}").unwrap();
        assert_eq!(again.of("tribal/yurok"), Shares::default());
    }
}
