//! What the program above gives to a connection: its ledgers, its images, and answers to questions. Interfaces only.

use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_ledger::OriginId;
use ccpor_sync::{Choice, Ledgers, OriginSet};

/// What a connection serves its peer with and keeps what the peer sends in.
#[derive(Clone)]
pub struct Services {
    /// The ledgers of all origins.
    pub ledgers: Arc<dyn Ledgers>,
    /// The images.
    pub images: Arc<dyn Images>,
    /// Answers to the peer's questions.
    pub answer: Arc<dyn Answer>,
}

/// The image store. Calls block.
pub trait Images: Send + Sync {
    /// The bytes of an image and their number; `None` when it is not here or damaged.
    fn open(&self, blake3: &[u8; 32]) -> Option<(Box<dyn Read + Send>, u64)>;

    /// Images that are not here and should be, the most urgent first.
    fn wanted(&self) -> Vec<Wanted>;

    /// A place for the bytes of an image, with what an earlier attempt left behind.
    ///
    /// # Errors
    /// The file could not be made or opened.
    fn receive(&self, wanted: &Wanted) -> io::Result<Box<dyn ImageSink>>;
}

/// An image that is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The court whose record names it.
    pub origin: OriginId,
    /// Its BLAKE3 hash, which is its name.
    pub blake3: [u8; 32],
    /// Its length in bytes, as the signed record says.
    pub len: u64,
}

/// Where the bytes of one image go. Dropped without a word, it keeps what it has for the next attempt.
pub trait ImageSink: Send {
    /// Bytes that are here already.
    fn kept(&self) -> u64;

    /// Reads the bytes that are here already, from the first one.
    ///
    /// # Errors
    /// The file could not be read.
    fn read_kept(&mut self) -> io::Result<Box<dyn Read + Send + '_>>;

    /// Adds bytes after those that are here.
    ///
    /// # Errors
    /// The file could not be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The bytes are whole and have the wanted hash: makes the image durable and visible.
    ///
    /// # Errors
    /// The file could not be made durable.
    fn finish(self: Box<Self>) -> io::Result<()>;

    /// The bytes are not those of the image: removes them.
    fn discard(self: Box<Self>);
}

/// Answers questions of peers, such as a lookup that a node forwards to the hub.
pub trait Answer: Send + Sync {
    /// The answer to `question` of `peer`. It is dropped when it takes longer than `within`.
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer;
}

/// An answer in the making; an empty result means that the question is refused.
pub type BoxAnswer = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// Says what may pass to and from an identity; `None` turns it away.
pub type Permits = dyn Fn(&Identity) -> Option<Permissions> + Send + Sync;

/// What may pass between this program and one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// The origin that this program writes, if any.
    pub own: Option<OriginId>,
    /// The origins that the peer may send.
    pub accepts: OriginSet,
    /// Which of those this program wants to hold.
    pub takes: Choice,
    /// The origins that this program sends.
    pub offers: OriginSet,
}

impl Permissions {
    /// A court's node towards a hub: it sends its own ledger and may take every other.
    pub fn node(own: OriginId) -> Self {
        Self {
            own: Some(own.clone()),
            accepts: OriginSet::AllBut(own.clone()),
            takes: Choice::All,
            offers: OriginSet::Only(own),
        }
    }

    /// A hub towards whoever connects: it takes from a node that node's ledger and sends it every other, and shares
    /// everything with other hubs. Nobody else may replicate: `None`.
    pub fn hub_towards(peer: &Identity) -> Option<Self> {
        if peer.is_hub() {
            return Some(Self {
                own: None,
                accepts: OriginSet::All,
                takes: Choice::All,
                offers: OriginSet::All,
            });
        }
        let origin = peer
            .is_node()
            .then(|| OriginId::new(&peer.path()).ok())
            .flatten()?;
        let (accepts, offers) = (OriginSet::Only(origin.clone()), OriginSet::AllBut(origin));
        Some(Self {
            own: None,
            accepts,
            takes: Choice::All,
            offers,
        })
    }
}
