//! What replication needs of the registry besides the ledgers: its images, and the state of a link in an operator's words.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use ccpor_api::message::Link;
use ccpor_domain::UtcMillis;
use ccpor_registry::image::Fetching;
use ccpor_registry::{KnownImage, Registry};
use ccpor_transport::{ImageSink, Images, LinkState, Wanted};

/// Which images a machine fetches without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    /// All that its ledgers speak of: the hub.
    Everything,
    /// None: a node fetches the images of other courts when somebody wants to see them.
    OnDemand,
}

/// Missing images that are named to a peer at once.
const WANTED_AT_ONCE: usize = 256;

/// The registry's images as replication sees them.
pub struct RegistryImages {
    registry: Arc<Registry>,
    collect: Collect,
    keeps_own: bool,
}

impl RegistryImages {
    /// The images of `registry`.
    #[must_use]
    pub fn new(registry: Arc<Registry>, collect: Collect) -> Self {
        Self {
            registry,
            collect,
            keeps_own: false,
        }
    }

    /// With `keeps_own`, those of the own court are given to nobody.
    #[must_use]
    pub fn keeping_own(self, keeps_own: bool) -> Self {
        Self { keeps_own, ..self }
    }
}

/// An image as replication asks for it.
#[must_use]
pub fn wanted(image: KnownImage) -> Wanted {
    Wanted {
        origin: image.origin,
        blake3: image.blake3,
        len: image.length,
    }
}

impl Images for RegistryImages {
    fn open(&self, blake3: &[u8; 32]) -> Option<(Box<dyn Read + Send>, u64)> {
        // Only images that a signed record names leave this machine.
        let known = self.registry.known_image(blake3)?;
        if self.keeps_own && self.registry.own() == Some(&known.origin) {
            return None;
        }
        match self.registry.images().open_image(blake3) {
            Ok(image) => {
                let length = image.length();
                Some((Box::new(image), length))
            }
            Err(error) => {
                tracing::warn!(%error, "an image could not be given to a peer");
                self.registry.lost_image(blake3);
                None
            }
        }
    }

    fn wanted(&self) -> Vec<Wanted> {
        match self.collect {
            Collect::Everything => self
                .registry
                .missing_images(WANTED_AT_ONCE)
                .into_iter()
                .map(wanted)
                .collect(),
            Collect::OnDemand => Vec::new(),
        }
    }

    fn receive(&self, wanted: &Wanted) -> io::Result<Box<dyn ImageSink>> {
        let fetching = self.registry.images().begin_expected(wanted.blake3, wanted.len);
        Ok(Box::new(Sink(fetching.map_err(io::Error::other)?)))
    }
}

struct Sink(Fetching);

impl ImageSink for Sink {
    fn kept(&self) -> u64 {
        self.0.offset()
    }

    fn read_kept(&mut self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.0.reread()?))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write(bytes).map_err(io::Error::other)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.finish().map(|_| ()).map_err(io::Error::other)
    }

    fn discard(mut self: Box<Self>) {
        self.0.discard();
    }
}

/// The state of a link as a message. `peer` names the other side while it has not named itself.
#[must_use]
pub fn link(state: &LinkState, peer: &str) -> Link {
    let trouble = state.last_trouble.as_ref();
    let troubles: Vec<String> = state
        .troubled_origins
        .iter()
        .map(|one| one.origin().to_string())
        .collect();
    let reason = match (state.up_since, trouble) {
        (Some(_), _) if !troubles.is_empty() => format!("not replicated: {}", troubles.join(", ")),
        (None, Some(trouble)) => format!("{trouble}. {}", trouble.remedy()),
        _ => String::new(),
    };
    Link {
        peer: state
            .peer
            .as_ref()
            .map_or_else(|| peer.to_owned(), |peer| peer.path()),
        state: if state.up_since.is_some() {
            "up"
        } else {
            "connecting"
        }
        .to_owned(),
        since: state.up_since.map(moment).unwrap_or_default(),
        round_trip_us: state
            .round_trip
            .and_then(|time| u64::try_from(time.as_micros()).ok())
            .unwrap_or_default(),
        reason,
        transport: state
            .transport
            .filter(|_| state.up_since.is_some())
            .map(|transport| transport.to_string())
            .unwrap_or_default(),
    }
}

fn moment(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis())
        .map(|millis| UtcMillis(millis).to_string())
        .unwrap_or_default()
}
