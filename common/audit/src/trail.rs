//! The trail that this machine keeps: opened, written with one fdatasync for all that waits, and kept for as long as it must be.
//! Whether an answer may leave is for others to decide by what [`Trail::append`] says.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccpor_domain::UtcMillis;
use ccpor_ledger::{
    AppendError, Appended, Damage, HybridClock, KeyTrust, Ledger, OpenError, OriginId, Position,
    RepairRefusal, SigningKey, StartError, Writer,
};

use crate::auditors::AuditorsPublic;
use crate::codec::{EncodeRefused, encode, encode_act};
use crate::day_key::{DayKey, DayKeyFailed};
use crate::day_keys::{DayKeyFiles, DayKeyFilesFailed};
use crate::entry::{Act, BeganAnew, Entry, KeyBegan, KeyDestroyed, MAX_ORDERS, MAX_TAGS, MAX_TEXT, Outcome};
use crate::reserve::Reserve;
use crate::shown::{self, ShownNames};
use crate::tag::{Clue, Tag, TagKey};
use crate::told::{Asked, Told};

/// No setting lets what was told be unreadable earlier than this, in days.
pub const LEAST_KEEP_DAYS: u32 = 365;
const DAY_MS: i64 = 86_400_000;

/// How a trail is kept.
pub struct TrailConfig {
    /// The directory `audit` of the machine's data.
    pub directory: PathBuf,
    /// The machine: `court/alameda/node/1`, `hub/1`.
    pub identity: String,
    /// The machine's record-signing key.
    pub key: Arc<SigningKey>,
    /// Its certificates, leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// Who may sign for which trail.
    pub trust: Arc<dyn KeyTrust>,
    /// For whom what is told is sealed; without it nothing of it is kept.
    pub auditors: Option<AuditorsPublic>,
    /// Days for which what was told can be read; at least [`LEAST_KEEP_DAYS`] count.
    pub keep_days: u32,
    /// Bytes held back for times when the disk is full.
    pub reserve_bytes: u64,
}

/// Why there is no trail.
#[derive(Debug, thiserror::Error)]
pub enum TrailFailed {
    /// The machine's name is none of a machine.
    #[error("{0} keeps no audit trail: only nodes and hubs do")]
    Name(String),
    /// The ledger does not open.
    #[error("the audit trail cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// A damaged end could not be set aside.
    #[error("the audit trail is damaged and could not be set aside: {0}")]
    SetAside(#[from] RepairRefusal),
    /// The ledger cannot be written.
    #[error("the audit trail cannot be written: {0}")]
    Start(#[from] StartError),
}

/// Why an entry is not durable. What it speaks of must not leave the machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// No room.
    #[error("the disk is full, so that who asks cannot be recorded")]
    DiskFull,
    /// The ledger refused.
    #[error("the audit trail takes no entries: {0}")]
    Ledger(AppendError),
    /// The day's key could not be made or kept.
    #[error("the key of the day could not be kept: {0}")]
    Key(String),
    /// A fault of the program.
    #[error(transparent)]
    Encode(#[from] EncodeRefused),
}

impl From<AppendError> for NotRecorded {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::DiskFull => Self::DiskFull,
            other => Self::Ledger(other),
        }
    }
}

impl From<DayKeyFailed> for NotRecorded {
    fn from(error: DayKeyFailed) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<DayKeyFilesFailed> for NotRecorded {
    fn from(error: DayKeyFilesFailed) -> Self {
        if error.is_disk_full() {
            Self::DiskFull
        } else {
            Self::Key(error.to_string())
        }
    }
}

/// What opening a trail found.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The damage because of which the end was set aside.
    pub damage: Option<Damage>,
    /// Entries in the trail.
    pub records: u64,
}

/// An act to be recorded, with what is to be sealed and tagged.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The act; what is sealed and the tags are filled in here.
    pub act: Act,
    /// What the caller told.
    pub told: Told,
    /// The names that the answer shows, in one piece each.
    pub shown: ShownNames,
}

/// This machine's trail.
pub struct Trail {
    writer: Writer,
    origin: OriginId,
    files: DayKeyFiles,
    auditors: Option<AuditorsPublic>,
    keep_days: u32,
    reserve: Reserve,
    key: Mutex<Option<Arc<DayKey>>>,
    began: UtcMillis,
    requests: AtomicU64,
    trouble: Mutex<Option<NotRecorded>>,
}

impl Trail {
    /// Opens the trail of a machine. A damaged end is set aside, never deleted, and the trail goes on behind what is whole: answers
    /// must not wait until somebody has repaired it.
    ///
    /// # Errors
    /// [`TrailFailed`].
    pub fn open(config: TrailConfig, now: UtcMillis) -> Result<(Self, Opening), TrailFailed> {
        let origin =
            OriginId::audit_of(&config.identity).map_err(|_| TrailFailed::Name(config.identity.clone()))?;
        let dir = config.directory.join("ledger").join(origin.file_name());
        let ledger = Arc::new(Ledger::open(dir, origin.clone(), config.trust)?);
        let damage = ledger.damage();
        let anew = match &damage {
            Some(damage) => Some(set_aside(&ledger, damage, now)?),
            None => None,
        };
        let opening = Opening {
            damage,
            records: ledger.records(),
        };
        let clock = Arc::new(HybridClock::system());
        let writer = Writer::start(ledger, config.key, config.chain, clock)?;
        let trail = Self {
            writer,
            files: DayKeyFiles::of(&config.directory, &origin),
            origin,
            auditors: config.auditors,
            keep_days: config.keep_days.max(LEAST_KEEP_DAYS),
            reserve: Reserve::of(&config.directory, config.reserve_bytes),
            key: Mutex::new(None),
            began: now,
            requests: AtomicU64::new(0),
            trouble: Mutex::new(None),
        };
        if let Some(anew) = anew {
            trail.append_unheard(&Entry::BeganAnew(anew));
        }
        Ok((trail, opening))
    }

    /// Its name.
    #[must_use]
    pub fn origin(&self) -> &OriginId {
        &self.origin
    }

    /// Its ledger, for reading.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        self.writer.ledger()
    }

    /// The files of its keys.
    #[must_use]
    pub fn key_files(&self) -> &DayKeyFiles {
        &self.files
    }

    /// Whether what is told can be sealed, so that it is kept.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.auditors.is_some()
    }

    /// A name for a request that has none, unlike every other of this machine.
    #[must_use]
    pub fn next_request(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:x}.{number:x}", self.began.0)
    }

    /// Whether [`Trail::open_key`] is to be called before an entry of this moment is made.
    #[must_use]
    pub fn needs_key(&self, at: UtcMillis) -> bool {
        self.auditors.is_some() && self.key().as_ref().is_none_or(|key| key.day() != day_of(at))
    }

    /// Makes the key of a day and keeps it, durably. Waits for the disk. On a full disk the key of the day before goes on.
    ///
    /// # Errors
    /// [`NotRecorded`] when there is no key to go on with.
    pub fn open_key(&self, at: UtcMillis) -> Result<(), NotRecorded> {
        let Some(auditors) = &self.auditors else {
            return Ok(());
        };
        let mut held = self.key();
        let day = day_of(at);
        if held.as_ref().is_some_and(|key| key.day() == day) {
            return Ok(());
        }
        match self.new_key(auditors, &day, at) {
            Ok(key) => *held = Some(Arc::new(key)),
            Err(NotRecorded::DiskFull) if held.is_some() => {
                tracing::warn!("no room for the audit key of this day; the last one goes on");
            }
            Err(error) => return Err(self.noted(error)),
        }
        Ok(())
    }

    fn new_key(&self, auditors: &AuditorsPublic, day: &str, at: UtcMillis) -> Result<DayKey, NotRecorded> {
        let key = DayKey::generate(day)?;
        let wrapped = key.wrap(&self.origin, auditors)?;
        // The file first: a key that the trail speaks of can be opened by the auditors.
        self.files.keep(&wrapped)?;
        let began = KeyBegan {
            at,
            key: key.name(),
            day: day.to_owned(),
            auditors: auditors.name().to_owned(),
            file: *blake3::hash(&wrapped.bytes()).as_bytes(),
        };
        self.writer.append_wait(encode(&Entry::KeyBegan(began))?)?;
        Ok(key)
    }

    /// The bytes of an entry for an act, sealed and tagged under the key of the day. What is longer than an entry keeps is cut in the draft.
    ///
    /// # Errors
    /// [`NotRecorded`] when it cannot be sealed.
    pub fn entry(&self, draft: &mut Draft) -> Result<Vec<u8>, NotRecorded> {
        let Draft { act, told, shown } = draft;
        let key = self.key().clone();
        bound(act);
        told.bound();
        act.states_purpose = !told.purpose.is_empty();
        act.states_case = !told.case_number.is_empty();
        if let Some(key) = &key {
            act.told = match told.is_empty() {
                true => None,
                false => Some(key.seal(told, &act.request)?),
            };
            act.key = Some(key.name());
            act.asked_tags = tags(key.tags(), &told.asked);
            act.shown_tags = each_once(shown::tags(key.tags(), shown));
        }
        Ok(encode_act(act)?)
    }

    /// Queues the bytes of an entry. `done` is called once, after the fdatasync or with the error, on the thread that writes. `asker` is
    /// whoever waits for it, so that the entries of several share an fdatasync: this thread then writes, and waits for the disk, if the
    /// batch is complete with it.
    pub fn append(
        self: &Arc<Self>,
        asker: Option<u64>,
        entry: Vec<u8>,
        done: impl FnOnce(Result<(), NotRecorded>) + Send + 'static,
    ) {
        let trail = Arc::clone(self);
        let done = Box::new(move |appended: Result<_, AppendError>| done(trail.recorded(appended)));
        match asker {
            Some(asker) => self.writer.append_for(asker, entry, done),
            None => self.writer.append(entry, done),
        }
    }

    fn recorded(&self, appended: Result<Appended, AppendError>) -> Result<(), NotRecorded> {
        appended.map_err(|error| self.noted(error.into()))?;
        *self.trouble() = None;
        Ok(())
    }

    /// What keeps entries from being recorded, if the last one was not.
    #[must_use]
    pub fn in_trouble(&self) -> Option<NotRecorded> {
        self.trouble().clone()
    }

    /// Gives up the reserve. True when there was one: there is some room now.
    pub fn give_up_reserve(&self) -> bool {
        match self.reserve.release() {
            Ok(had) => {
                if had {
                    tracing::error!(
                        "the disk is full: audit entries are written into the reserve; make room now"
                    );
                }
                had
            }
            Err(error) => {
                tracing::error!(%error, "the reserve of the audit trail could not be given up");
                false
            }
        }
    }

    /// Holds back the reserve again, where there is room for it. Waits for the disk.
    pub fn hold_reserve(&self) {
        if let Err(error) = self.reserve.hold() {
            tracing::warn!(%error, "the reserve of the audit trail could not be held back");
        }
    }

    /// Destroys the keys whose time is over; gives their days. Waits for the disk.
    ///
    /// # Errors
    /// [`NotRecorded`] when a key could not be destroyed, or not on record: it is to be tried again.
    pub fn destroy_old_keys(&self, now: UtcMillis) -> Result<Vec<String>, NotRecorded> {
        let last = day_of(UtcMillis(
            now.0.saturating_sub(i64::from(self.keep_days) * DAY_MS),
        ));
        let mut destroyed = Vec::new();
        for wrapped in self.files.all()? {
            let Some(name) = wrapped.name().filter(|_| wrapped.day < last) else {
                continue;
            };
            let entry = KeyDestroyed {
                at: now,
                key: name,
                day: wrapped.day.clone(),
            };
            // Said first: a key that is gone without a word would look like a theft.
            self.writer.append_wait(encode(&Entry::KeyDestroyed(entry))?)?;
            self.files.destroy(name)?;
            tracing::info!(
                day = wrapped.day,
                "the audit key of a day was destroyed: its time was over"
            );
            destroyed.push(wrapped.day);
        }
        Ok(destroyed)
    }

    /// Writes what waits and closes the trail.
    pub fn close(&self) {
        self.writer.close();
    }

    /// For what is worth an entry and worth nobody's waiting.
    fn append_unheard(&self, entry: &Entry) {
        if let Ok(bytes) = encode(entry) {
            self.writer.append(bytes, Box::new(|_| {}));
        }
    }

    fn noted(&self, error: NotRecorded) -> NotRecorded {
        *self.trouble() = Some(error.clone());
        error
    }

    fn key(&self) -> MutexGuard<'_, Option<Arc<DayKey>>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<NotRecorded>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The day (UTC) of a moment: `2026-11-25`.
pub(crate) fn day_of(at: UtcMillis) -> String {
    at.to_string().chars().take(10).collect()
}

/// Sets aside everything from the damage on.
fn set_aside(ledger: &Ledger, damage: &Damage, now: UtcMillis) -> Result<BeganAnew, TrailFailed> {
    tracing::error!(%damage, "the audit trail is damaged; its end is set aside and the trail goes on");
    let before = Position {
        epoch: damage.position.epoch,
        seq: damage.position.seq.saturating_sub(1),
    };
    let whole = (before.seq > 0 && ledger.read(before).is_ok()).then_some(before);
    let aside = ledger.set_aside(whole)?;
    Ok(BeganAnew {
        at: now,
        kept_in: name_of(&aside.kept_in),
        records: aside.records,
    })
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn bound(act: &mut Act) {
    act.orders.truncate(MAX_ORDERS);
    let by = &mut act.by;
    for text in [
        &mut act.request,
        &mut by.identity,
        &mut by.agency,
        &mut by.ori,
        &mut by.user,
        &mut by.role,
        &mut by.via,
        &mut by.source,
        &mut act.served_by,
        &mut act.also_asked,
    ] {
        cut(text);
    }
    match &mut act.outcome {
        Outcome::Refused(code) | Outcome::Failed(code) => cut(code),
        Outcome::Done | Outcome::CutOff | Outcome::Begun => {}
    }
}

fn cut(text: &mut String) {
    if text.len() > MAX_TEXT {
        *text = text.chars().take(MAX_TEXT / 4).collect();
    }
}

/// Everything that somebody may be looked for by.
fn tags(key: &TagKey, people: &[Asked]) -> Vec<Tag> {
    let mut tags = Vec::new();
    for person in people {
        let (first, last) = (person.first.as_str(), person.last.as_str());
        tags.extend(key.tag(Clue::Name(first, last)));
        tags.extend(key.tag(Clue::Person(first, last, &person.dob)));
        for (kind, value) in &person.numbers {
            tags.extend(key.tag(Clue::Number(kind, value)));
        }
    }
    each_once(tags)
}

fn each_once(mut tags: Vec<Tag>) -> Vec<Tag> {
    let mut seen = std::collections::BTreeSet::new();
    tags.retain(|tag| seen.insert(*tag));
    tags.truncate(MAX_TAGS);
    tags
}
