//! Trails as auditors read them: every entry of every machine whose trail lies in a directory, opened with the auditors' key where
//! it is given. It reads beside a program that writes, and changes nothing. Verify first: what is read here is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_domain::{OrderId, RegistryNumber, UtcMillis};
use ccpor_ledger::{
    Body, Hash, HybridClock, KeyTrust, Ledger, OriginId, Position, Record, ScanError, Writer, scan,
};

use crate::auditors::AuditorsKey;
use crate::codec::{decode, encode};
use crate::day_key::{DayKey, KeyName};
use crate::day_keys::{DayKeyFiles, DayKeyFilesFailed};
use crate::entry::{Act, Entry, KeyBegan, Reading};
use crate::operation::{Kind, Operation};
use crate::tag::{Clue, Tag, TagKey};
use crate::told::{Asked, Told};

/// Why trails cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFailed {
    /// The directory cannot be read.
    #[error("{path} cannot be read: {reason}. Give the data directory of a node or hub")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        reason: std::io::Error,
    },
    /// A ledger cannot be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A key's file cannot be read.
    #[error(transparent)]
    Keys(#[from] DayKeyFilesFailed),
    /// A record of a trail is none of an audit trail.
    #[error("{0} {1} is no audit entry that this version knows: update this program, then verify the trail")]
    Entry(OriginId, Position),
    /// A key's file is not the one that the trail speaks of.
    #[error(
        "the file of the key {key} of {origin} is missing or was changed: what was told on {day} cannot be read. Follow the runbook for the audit trail"
    )]
    KeyFile {
        /// Whose trail.
        origin: OriginId,
        /// The key.
        key: KeyName,
        /// The day.
        day: String,
    },
    /// That auditors read could not be recorded.
    #[error("that the trail is read could not be recorded, so nothing is shown: {0}")]
    NotRecorded(String),
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose trail.
    pub origin: OriginId,
    /// Where in it.
    pub position: Position,
    /// Its record's hash.
    pub hash: Hash,
}

/// An act with what was told, as far as it can be read.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it stands.
    pub place: Place,
    /// The act.
    pub act: Act,
    /// What was told; none when nothing was, when its key was destroyed, or without the auditors' key.
    pub told: Option<Told>,
    /// Whether it is about whom was looked for because the answer named the person, and not because of the question.
    pub only_shown: bool,
}

/// What is looked for; whatever is not said matches everything.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// A person: first name, last name, date of birth or nothing. Needs the auditors' key.
    pub person: Option<(String, String, String)>,
    /// A number with its kind. Needs the auditors' key.
    pub number: Option<(String, String)>,
    /// An order.
    pub order: Option<OrderId>,
    /// An order by its number for people.
    pub registry_number: Option<RegistryNumber>,
    /// An identity, agency or account.
    pub user: Option<String>,
    /// An ORI.
    pub ori: Option<String>,
    /// The agency that asked.
    pub agency: Option<String>,
    /// Kinds of operation; empty for all.
    pub kinds: Vec<Kind>,
    /// One operation.
    pub operation: Option<Operation>,
    /// How it ended, by its word: see [`crate::Outcome::WORDS`].
    pub outcome: Option<&'static str>,
    /// Not before.
    pub since: Option<UtcMillis>,
    /// Before.
    pub until: Option<UtcMillis>,
}

/// The trails in a directory.
pub struct Archive {
    audit: PathBuf,
    origins: Vec<OriginId>,
    keys: BTreeMap<KeyName, DayKey>,
}

impl Archive {
    /// The trails below the directory `audit` of a machine's data.
    ///
    /// # Errors
    /// [`ArchiveFailed::Directory`].
    pub fn open(audit: &Path) -> Result<Self, ArchiveFailed> {
        let path = audit.join("ledger");
        let refused = |reason| ArchiveFailed::Directory {
            path: path.clone(),
            reason,
        };
        let mut origins = Vec::new();
        for entry in fs::read_dir(&path).map_err(refused)? {
            let name = entry.map_err(refused)?.file_name();
            let origin = name.to_str().and_then(|name| OriginId::from_file_name(name).ok());
            origins.extend(origin.filter(OriginId::is_audit));
        }
        origins.sort();
        Ok(Self {
            audit: audit.to_path_buf(),
            origins,
            keys: BTreeMap::new(),
        })
    }

    /// Whose trails there are.
    #[must_use]
    pub fn origins(&self) -> &[OriginId] {
        &self.origins
    }

    /// Opens every key that this auditors' key opens; gives how many others there are.
    ///
    /// # Errors
    /// [`ArchiveFailed::Keys`].
    pub fn unlock(&mut self, auditors: &AuditorsKey) -> Result<usize, ArchiveFailed> {
        let mut others = 0;
        for origin in &self.origins {
            for wrapped in DayKeyFiles::of(&self.audit, origin).all()? {
                match wrapped.unwrap(auditors) {
                    Ok(key) => drop(self.keys.insert(key.name(), key)),
                    Err(_) => others += 1,
                }
            }
        }
        Ok(others)
    }

    /// Gives every entry to `each`, trail by trail, oldest first.
    ///
    /// # Errors
    /// [`ArchiveFailed`] when a trail cannot be read.
    pub fn each(&self, mut each: impl FnMut(Place, Entry)) -> Result<(), ArchiveFailed> {
        for origin in &self.origins {
            let mut unknown = None;
            scan(self.audit.join("ledger").join(origin.file_name()), |signed| {
                let Ok(Record { epoch, seq, body, .. }) = signed.decode() else {
                    return;
                };
                let position = Position { epoch, seq };
                let Body::Event(bytes) = body else { return };
                match decode(&bytes) {
                    Ok(entry) => each(
                        Place {
                            origin: origin.clone(),
                            position,
                            hash: signed.hash(),
                        },
                        entry,
                    ),
                    Err(_) => unknown = unknown.or(Some(position)),
                }
            })?;
            if let Some(position) = unknown {
                return Err(ArchiveFailed::Entry(origin.clone(), position));
            }
        }
        Ok(())
    }

    /// The acts that a search finds, by time.
    ///
    /// # Errors
    /// [`ArchiveFailed`] when a trail cannot be read.
    pub fn search(&self, search: &Search) -> Result<Vec<Found>, ArchiveFailed> {
        let mut found = Vec::new();
        self.each(|place, entry| {
            let Entry::Act(act) = entry else { return };
            let key = self.key_of(&act);
            if let Some(only_shown) = search.finds(&act, key.map(DayKey::tags)) {
                let told = key
                    .zip(act.told.as_ref())
                    .and_then(|(key, sealed)| key.open(sealed, &act.request).ok());
                found.push(Found {
                    place,
                    act: *act,
                    told,
                    only_shown,
                });
            }
        })?;
        found.sort_by_key(|found| found.act.at);
        Ok(found)
    }

    /// The key under which an act was sealed, or its tags were made.
    fn key_of(&self, act: &Act) -> Option<&DayKey> {
        self.keys.get(&act.key?)
    }

    /// Checks that every key which the trails speak of has the file that was written, unless it was destroyed and that was said.
    ///
    /// # Errors
    /// [`ArchiveFailed::KeyFile`] for the first that has not.
    pub fn check_keys(&self) -> Result<usize, ArchiveFailed> {
        let (mut began, mut destroyed) = (Vec::new(), BTreeSet::new());
        self.each(|place, entry| match entry {
            Entry::KeyBegan(key) => began.push((place.origin, key)),
            Entry::KeyDestroyed(key) => drop(destroyed.insert(key.key)),
            Entry::Act(_) | Entry::BeganAnew(_) | Entry::Read(_) => {}
        })?;
        let count = began.len();
        for (origin, KeyBegan { key, day, file, .. }) in began {
            let bytes = DayKeyFiles::of(&self.audit, &origin).bytes(key)?;
            let sound = match &bytes {
                Some(bytes) => *blake3::hash(bytes).as_bytes() == file,
                None => destroyed.contains(&key),
            };
            if !sound {
                return Err(ArchiveFailed::KeyFile { origin, key, day });
            }
        }
        Ok(count)
    }
}

impl Search {
    /// Whether an act is looked for; then, whether only its answer made it so.
    pub(crate) fn finds(&self, act: &Act, tags: Option<&TagKey>) -> Option<bool> {
        let by = &act.by;
        let user = |user: &String| {
            [&by.identity, &by.agency, &by.user, &by.via, &by.name()]
                .into_iter()
                .any(|name| name.eq_ignore_ascii_case(user))
        };
        let plain = self.since.is_none_or(|since| act.at >= since)
            && self.until.is_none_or(|until| act.at < until)
            && self
                .kinds
                .iter()
                .all(|_| self.kinds.contains(&act.operation.kind()))
            && self.operation.is_none_or(|operation| act.operation == operation)
            && self.outcome.is_none_or(|word| act.outcome.word() == word)
            && self.user.as_ref().is_none_or(user)
            && self.agency.as_ref().is_none_or(|agency| {
                by.agency.eq_ignore_ascii_case(agency) || by.ori.eq_ignore_ascii_case(agency)
            })
            && self
                .ori
                .as_ref()
                .is_none_or(|ori| by.ori.eq_ignore_ascii_case(ori))
            && self.order.is_none_or(|order| act.orders.contains(&order))
            && self
                .registry_number
                .is_none_or(|number| act.orders.iter().any(|order| order.registry_number() == number));
        if !plain {
            return None;
        }
        let mut only_shown = false;
        if let Some((first, last, dob)) = &self.person {
            let asked = match dob.as_str() {
                "" => Clue::Name(first, last),
                dob => Clue::Person(first, last, dob),
            };
            // Whom an answer names is tagged by name alone.
            only_shown |= found_by(act, tags?, asked, Clue::Name(first, last))?;
        }
        if let Some((kind, value)) = &self.number {
            let number = Clue::Number(kind, value);
            only_shown |= found_by(act, tags?, number, number)?;
        }
        Some(only_shown)
    }
}

/// Whether only the answer of an act has to do with somebody; none when neither it nor the question has.
fn found_by(act: &Act, tags: &TagKey, asked: Clue<'_>, shown: Clue<'_>) -> Option<bool> {
    let has = |tagged: &[Tag], clue| tags.tag(clue).is_some_and(|tag| tagged.contains(&tag));
    if has(&act.asked_tags, asked) {
        return Some(false);
    }
    has(&act.shown_tags, shown).then_some(true)
}

const READINGS: &str = "auditors/1";
const READ_INFO: &[u8] = b"ccpor audit reading v1";

/// Records durably that auditors read, in the trail of readings beside the machines' own, signed with the auditors' key.
///
/// # Errors
/// [`ArchiveFailed::NotRecorded`]: then nothing may be shown.
pub fn readings(
    audit: &Path,
    auditors: &AuditorsKey,
    mut reading: Reading,
    told: &Asked,
) -> Result<(), ArchiveFailed> {
    let failed = |error: &dyn std::fmt::Display| ArchiveFailed::NotRecorded(error.to_string());
    let origin = OriginId::audit_of(READINGS).map_err(|error| failed(&error))?;
    if *told != Asked::default() {
        let text = serde_json::to_vec(told).map_err(|error| failed(&error))?;
        reading.told = auditors.public().seal(READ_INFO, b"", &text);
    }
    let trust: Arc<dyn KeyTrust> =
        Arc::new(ccpor_ledger::PinnedKeys::new().with(&origin, auditors.public().signing().as_bytes()));
    let dir = audit.join("ledger").join(origin.file_name());
    let ledger = Ledger::open(dir, origin, trust).map_err(|error| failed(&error))?;
    let clock = Arc::new(HybridClock::system());
    let writer = Writer::start(
        Arc::new(ledger),
        Arc::clone(auditors.signing()),
        Vec::new(),
        clock,
    )
    .map_err(|error| failed(&error))?;
    let bytes = encode(&Entry::Read(reading)).map_err(|error| failed(&error))?;
    writer.append_wait(bytes).map_err(|error| failed(&error))?;
    writer.close();
    Ok(())
}
