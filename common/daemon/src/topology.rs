//! Which machines programs can ask: each node tells its hub where it is reached, the hub signs the list of all, and every
//! node hands the newest list out. It asks nobody itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ccpor_api::message::TopologyAnswer;
use ccpor_api::{Code, Problem};
use ccpor_certs::topology::{MOST_MACHINES, NotSigned, is_address};
use ccpor_certs::{Identity, IdentityDir, Machine, Roots, SignedTopology, Topology};
use ccpor_transport::{Answer, BoxAnswer};
use serde::{Deserialize, Serialize};

/// Begins the question; JSON follows.
const QUESTION: &[u8] = b"topology/1 ";
/// The file below the data directory.
const FILE: &str = "topology.json";
/// A node that was silent for so long is left out until it comes again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a node tells and asks.
#[derive(Serialize, Deserialize)]
struct Told {
    /// Where programs reach the node; empty when they should not.
    address: String,
    /// The serial number of the topology that it has; 0 for none.
    serial: u64,
    /// The version of its program; empty before nodes told it.
    #[serde(default)]
    version: String,
}

/// The most bytes of a version that are kept.
const LONGEST_VERSION: usize = 40;

/// The address to tell others, as `host:port`: what the operator chose, else what is listened on where that means anything
/// elsewhere. A loopback address does so only when `all_here`: the whole registry runs on this machine. Else empty.
#[must_use]
pub fn announced(public: &str, bound: SocketAddr, all_here: bool) -> String {
    if !public.is_empty() {
        public.to_owned()
    } else if bound.ip().is_unspecified() || (bound.ip().is_loopback() && !all_here) {
        String::new()
    } else {
        bound.to_string()
    }
}

/// Whether `address` (`host:port`) is on this very machine.
#[must_use]
pub fn is_here(address: &str) -> bool {
    match address.parse::<SocketAddr>() {
        Ok(address) => address.ip().is_loopback(),
        Err(_) => address
            .rsplit_once(':')
            .is_some_and(|(host, _)| host == "localhost"),
    }
}

/// A hub's list of machines, which it signs anew with each change.
pub struct Book {
    identity: IdentityDir,
    file: PathBuf,
    pages: Mutex<Pages>,
}

struct Pages {
    topology: Topology,
    signed: SignedTopology,
    heard: BTreeMap<Identity, Instant>,
    versions: BTreeMap<String, String>,
}

impl Book {
    /// Opens the book in `directory` where it was left, and enters the hub itself at `own` (empty: not at all).
    ///
    /// # Errors
    /// [`NotSigned`] when `identity` is not a hub's.
    pub fn open(identity: &IdentityDir, directory: &Path, own: &str) -> Result<Self, NotSigned> {
        let file = directory.join(FILE);
        let kept = SignedTopology::load(&file).and_then(|kept| kept.verify(identity.roots()).ok());
        let machines = kept
            .filter(|kept| kept.hub == *identity.identity())
            .map(|kept| (kept.serial, kept.machines));
        let (serial, machines) = machines.unwrap_or_default();
        let mut topology = Topology {
            hub: identity.identity().clone(),
            serial,
            made: identity.clock().now(),
            machines,
        };
        enter(&mut topology, identity.identity(), own);
        renumber(&mut topology, identity);
        let signed = topology.sign(identity)?;
        let heard = topology
            .machines
            .iter()
            .map(|machine| (machine.identity.clone(), Instant::now()))
            .collect();
        let book = Self {
            identity: identity.clone(),
            file,
            pages: Mutex::new(Pages {
                topology,
                signed,
                heard,
                versions: BTreeMap::new(),
            }),
        };
        book.save(&book.pages());
        Ok(book)
    }

    /// The newest list.
    #[must_use]
    pub fn signed(&self) -> SignedTopology {
        self.pages().signed.clone()
    }

    /// The version of each machine's program, by its path, as it told it since this hub started.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.pages().versions.clone()
    }

    /// A machine told where it is reached; gives the list when it has another one.
    fn told(&self, peer: &Identity, told: &Told) -> Option<SignedTopology> {
        let mut pages = self.pages();
        pages.heard.insert(peer.clone(), Instant::now());
        let version = told
            .version
            .chars()
            .filter(char::is_ascii_graphic)
            .take(LONGEST_VERSION);
        pages.versions.insert(peer.path(), version.collect());
        let mut topology = pages.topology.clone();
        let heard = &pages.heard;
        topology.machines.retain(|machine| {
            machine.identity.is_hub()
                || heard
                    .get(&machine.identity)
                    .is_some_and(|heard| heard.elapsed() < FORGOTTEN_AFTER)
        });
        enter(&mut topology, peer, &told.address);
        if topology.machines != pages.topology.machines {
            renumber(&mut topology, &self.identity);
            match topology.sign(&self.identity) {
                Ok(signed) => (pages.topology, pages.signed) = (topology, signed),
                Err(error) => tracing::error!(%error, "programs are told an old list of machines"),
            }
            self.save(&pages);
        }
        (told.serial != pages.topology.serial).then(|| pages.signed.clone())
    }

    fn save(&self, pages: &Pages) {
        if let Err(error) = pages.signed.save(&self.file) {
            tracing::warn!(%error, "the list of machines could not be kept; after a restart the nodes tell it anew");
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        // Every change is made on a copy and put in whole.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts one machine into the list, in its place by name; without an address it is left out.
fn enter(topology: &mut Topology, identity: &Identity, address: &str) {
    topology.machines.retain(|machine| machine.identity != *identity);
    if is_address(address) && topology.machines.len() < MOST_MACHINES {
        topology.machines.push(Machine {
            identity: identity.clone(),
            address: address.to_owned(),
        });
    }
    topology.machines.sort_by(|a, b| a.identity.cmp(&b.identity));
}

/// Numbers go by the clock, so that a hub that lost its book does not begin again below what is kept elsewhere.
fn renumber(topology: &mut Topology, identity: &IdentityDir) {
    topology.made = identity.clock().now();
    let by_clock = u64::try_from(topology.made.0).unwrap_or(0).saturating_mul(1_000);
    topology.serial = topology.serial.saturating_add(1).max(by_clock);
}

/// A hub answers its nodes' questions for the topology, and leaves every other question to somebody else.
pub struct GivesTopology<A> {
    /// The list.
    pub book: Arc<Book>,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for GivesTopology<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let asked = question.strip_prefix(QUESTION).filter(|_| peer.is_node());
        let Some(told) = asked.and_then(|asked| serde_json::from_slice::<Told>(asked).ok()) else {
            return self.otherwise.answer(peer, question, within);
        };
        let book = Arc::clone(&self.book);
        Box::pin(async move {
            let newer = crate::reading::blocking(move || book.told(&peer, &told))
                .await
                .ok()?;
            serde_json::to_vec(&newer).ok()
        })
    }
}

/// The newest topology that a node has of its hubs.
pub struct Kept {
    roots: Roots,
    file: PathBuf,
    newest: Mutex<Option<(Topology, SignedTopology)>>,
}

impl Kept {
    /// What was kept in `directory`, if anything.
    #[must_use]
    pub fn open(directory: &Path, roots: &Roots) -> Self {
        let file = directory.join(FILE);
        let newest = SignedTopology::load(&file)
            .and_then(|signed| signed.verify(roots).ok().map(|topology| (topology, signed)));
        Self {
            roots: roots.clone(),
            file,
            newest: Mutex::new(newest),
        }
    }

    /// The question to the hub, which tells it where programs reach this node.
    #[must_use]
    pub fn question(&self, address: &str) -> Vec<u8> {
        let told = Told {
            address: address.to_owned(),
            serial: self.newest().as_ref().map_or(0, |(newest, _)| newest.serial),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut question = QUESTION.to_vec();
        question.extend(serde_json::to_vec(&told).unwrap_or_default());
        question
    }

    /// Takes the hub's answer and keeps what is newer. Blocks.
    ///
    /// # Errors
    /// In words, when the answer is not to be believed or cannot be kept.
    pub fn take(&self, answer: &[u8]) -> Result<(), String> {
        let answered: Option<SignedTopology> = serde_json::from_slice(answer)
            .map_err(|_| "the hub's list of machines cannot be read".to_owned())?;
        let Some(signed) = answered else {
            return Ok(());
        };
        let topology = signed.verify(&self.roots).map_err(|error| error.to_string())?;
        let mut newest = self.newest();
        if newest
            .as_ref()
            .is_some_and(|(kept, _)| kept.hub == topology.hub && kept.serial > topology.serial)
        {
            return Err("the hub gave an older list of machines than the one kept here".to_owned());
        }
        // Of several hubs the one that changed its list last is believed.
        if newest
            .as_ref()
            .is_some_and(|(kept, _)| kept.hub != topology.hub && kept.made >= topology.made)
        {
            return Ok(());
        }
        signed
            .save(&self.file)
            .map_err(|error| format!("the list of machines could not be kept: {error}"))?;
        *newest = Some((topology, signed));
        Ok(())
    }

    /// The newest one.
    #[must_use]
    pub fn signed(&self) -> Option<SignedTopology> {
        self.newest().as_ref().map(|(_, signed)| signed.clone())
    }

    fn newest(&self) -> MutexGuard<'_, Option<(Topology, SignedTopology)>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The topology as an answer to a program.
///
/// # Errors
/// A [`Problem`] when there is none here.
pub fn answer(signed: Option<SignedTopology>) -> Result<TopologyAnswer, Problem> {
    let signed = signed.ok_or_else(|| {
        Problem::new(
            Code::Unavailable,
            "this machine has not heard from a hub yet which machines there are",
        )
    })?;
    Ok(TopologyAnswer {
        document: signed.document,
        signature: signed.signature,
        key: signed.key,
        chain: signed.chain,
    })
}

#[cfg(test)]
mod tests {
    use ccpor_certs::{Authority, Clock, Moment};

    use super::*;

    #[test]
    fn of_several_hubs_the_list_that_was_changed_last_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        let clock = Clock::standing_at(Moment(1_790_000_000));
        let authority = Authority::init_with(&place("authority"), clock.clone()).unwrap();
        let book = |name: &str, own: &str| {
            let folder = place(&name.replace('/', "-"));
            let issued = authority
                .issue(&name.parse().unwrap(), &[], &[], &folder)
                .unwrap();
            let data = folder.with_extension("data");
            std::fs::create_dir(&data).unwrap();
            Book::open(&issued, &data, own).unwrap()
        };
        let (first, second) = (
            book("hub/1", "hub-1.example:8444"),
            book("hub/2", "hub-2.example:8444"),
        );
        let node = place("node");
        std::fs::create_dir(&node).unwrap();
        let kept = Kept::open(&node, authority.roots());
        let take = |from: &Book| kept.take(&serde_json::to_vec(&Some(from.signed())).unwrap());
        let of = || kept.newest().as_ref().map(|(newest, _)| newest.hub.path());
        take(&first).unwrap();
        take(&second).unwrap();
        assert_eq!(
            of().as_deref(),
            Some("hub/1"),
            "made at the same moment: as it was"
        );
        clock.set(Moment(1_790_000_100));
        let told = Told {
            address: "node.example:8443".into(),
            serial: 0,
            version: format!("1.2.3\n{}", "x".repeat(90)),
        };
        second.told(&"court/kern/node/1".parse().unwrap(), &told).unwrap();
        // What a machine says of itself is kept short and in one line.
        let version = format!("1.2.3{}", "x".repeat(LONGEST_VERSION - 5));
        assert_eq!(
            second.versions(),
            BTreeMap::from([("court/kern/node/1".to_owned(), version)])
        );
        for from in [&second, &first] {
            take(from).unwrap();
            assert_eq!(of().as_deref(), Some("hub/2"));
        }
    }
}
