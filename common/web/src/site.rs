//! What all pages share: the registry behind them, the accounts, and what is kept between two pages of one person.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ccpor_api::message::LookupRequest;
use ccpor_api::{Accounts, Backend, People, Reports, TrailQuestion, Trails};
use rand::RngCore as _;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::charts::Point;
use crate::drafts::Drafts;
use crate::drawn::Drawn;
use crate::fields::Fields;
use crate::kept::Kept;

/// A question is asked again when its page is loaded again, for as long as a session may last.
const QUESTION_FOR: Duration = Duration::from_secs(12 * 3600);

/// Files of accounts that wait for a code, and for how long: time to log on again, and no longer than that is needed.
const FILES: usize = 32;
const FILE_FOR: Duration = Duration::from_secs(30 * 60);

/// Pages of scans that are drawn at a time.
const DRAWING: usize = 2;

/// Gives the figures of a machine, the oldest first.
pub type Course = Arc<dyn Fn() -> Vec<Point> + Send + Sync>;

/// Gives the lag of one court over the last day, the oldest first; nothing but the lag is in the points.
pub type Lags = Arc<dyn Fn(&str) -> Vec<Point> + Send + Sync>;

/// What to put pages before.
#[derive(Clone)]
pub struct Pages {
    /// The registry, with the rights of callers decided in it.
    pub backend: Arc<dyn Backend>,
    /// The accounts of people.
    pub people: Arc<dyn People>,
    /// The same for who keeps them, with every act on record.
    pub accounts: Arc<dyn Accounts>,
    /// The audit trails, with every reading of them on record.
    pub trails: Arc<dyn Trails>,
    /// The reports on what the machine holds, with every asking on record.
    pub reports: Arc<dyn Reports>,
    /// What this machine is called at the top of each page: `Superior Court of Alameda County`.
    pub place: String,
    /// The longest time for an answer of the registry.
    pub longest: Duration,
    /// Where what people typed and did not send is kept, encrypted; none keeps it in memory.
    pub drafts: Option<PathBuf>,
    /// The figures of this machine over the last week.
    pub course: Course,
    /// How old its copy of each court was over the last day.
    pub lags: Lags,
    /// When this machine stops: what is open then is closed.
    pub stop: CancellationToken,
}

/// What somebody asked.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) account: String,
    pub(crate) request: LookupRequest,
    /// Why it is asked, in the person's words; empty when not stated.
    pub(crate) purpose: String,
    /// The person's own number of the incident or case; empty when not stated.
    pub(crate) incident: String,
    /// What was typed, to change it.
    pub(crate) fields: Fields,
    /// Whether it was asked on the page for two people.
    pub(crate) pair: bool,
}

/// What an auditor looks for.
#[derive(Clone)]
pub(crate) struct TrailAsked {
    pub(crate) account: String,
    pub(crate) question: TrailQuestion,
    /// Why the trail is read, in the auditor's words.
    pub(crate) purpose: String,
    /// What was typed, to change it.
    pub(crate) fields: Fields,
    /// The name of the first page, on one that goes on.
    pub(crate) newest: Option<String>,
}

/// A name, or a part of one, that somebody looks for in the list of accounts.
#[derive(Clone)]
pub(crate) struct NameAsked {
    pub(crate) account: String,
    pub(crate) text: String,
}

/// A file of accounts that was taken in and waits for a code.
#[derive(Clone)]
pub(crate) struct FileHeld {
    pub(crate) account: String,
    /// None once its accounts are made.
    pub(crate) csv: Arc<Mutex<Option<Bytes>>>,
}

/// The pages of one machine.
pub(crate) struct Inner {
    pub(crate) pages: Pages,
    pub(crate) questions: Kept<Question>,
    pub(crate) drafts: Arc<Drafts>,
    pub(crate) trails: Kept<TrailAsked>,
    pub(crate) names: Kept<NameAsked>,
    pub(crate) files: Kept<FileHeld>,
    pub(crate) drawn: Drawn,
    /// Turns at drawing: each page may take hundreds of megabytes.
    pub(crate) drawing: Arc<Semaphore>,
    secret: [u8; 32],
}

/// See [`Inner`].
pub(crate) type Site = Arc<Inner>;

/// A site with nothing kept yet.
pub(crate) fn site(pages: Pages) -> Site {
    let mut secret = [0_u8; 32];
    rand::rng().fill_bytes(&mut secret);
    Arc::new(Inner {
        drafts: Arc::new(Drafts::open(pages.drafts.as_deref())),
        pages,
        questions: Kept::new(20_000, QUESTION_FOR),
        trails: Kept::new(2_000, QUESTION_FOR),
        names: Kept::new(2_000, QUESTION_FOR),
        files: Kept::new(FILES, FILE_FOR),
        drawn: Drawn::default(),
        drawing: Arc::new(Semaphore::new(DRAWING)),
        secret,
    })
}

impl Inner {
    /// A number that stands for an account in addresses until this machine starts anew.
    pub(crate) fn number_of(&self, account: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(b"account\0").update(account.as_bytes()).finalize()
    }

    /// What a form of this browser and session must carry.
    pub(crate) fn form_token(&self, holder: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.secret, holder.as_bytes())
    }
}
