//! The book of scans that came without an order: one small file a scan, made durable before anybody is told. The bytes of a scan lie
//! in the image store under the same name. It knows no order but by its identifier, and asks nobody.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ccpor_domain::{ImageDigest, ImageRef, OrderId, UtcMillis};
use serde::{Deserialize, Serialize};

use super::holds::{Hold, Holds};
use super::paper;

/// The most scans that wait at a time; further ones stay where they are.
pub(crate) const MOST_WAITING: usize = 2_000;
/// The most that are set aside at a time.
pub(crate) const MOST_SET_ASIDE: usize = 2_000;
/// The most notes of scans that became part of an order. They tell a call that is repeated what it did.
const MOST_FILED: usize = 2_000;
/// How long such a note is kept.
const FILED_FOR_MS: i64 = 30 * 24 * 3_600_000;
/// How the name of a note's file ends.
const ENDING: &str = "json";

/// How it stands with a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It waits for its order.
    Waiting,
    /// A person set it aside.
    SetAside,
    /// A file that could not be taken; its bytes are not here.
    Unreadable,
    /// It is part of an order.
    Filed,
}

impl State {
    /// The word of the interfaces.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::SetAside => "set_aside",
            Self::Unreadable => "unreadable",
            Self::Filed => "filed",
        }
    }
}

/// What is noted of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) state: State,
    /// The image; of a file that could not be taken its name and length alone.
    pub(crate) image: ImageRef,
    /// Who sent it.
    pub(crate) from: String,
    /// When it came, in milliseconds since 1970.
    pub(crate) added: i64,
    /// When its state changed last.
    pub(crate) changed: i64,
    /// Why it was set aside.
    #[serde(default)]
    pub(crate) reason: String,
    /// The order that it is part of; of one that waits, the order that it is being made part of.
    #[serde(default)]
    pub(crate) order: Option<OrderId>,
}

/// The disk refused.
#[derive(Debug, thiserror::Error)]
#[error("the book of waiting scans, {}, cannot be used: {source}", path.display())]
pub(crate) struct BookFailed {
    path: PathBuf,
    source: io::Error,
}

impl BookFailed {
    /// Whether there is no room.
    pub(crate) fn is_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// The book. All calls that change it block on the disk.
pub(crate) struct Book {
    directory: PathBuf,
    pages: Mutex<Pages>,
}

struct Pages {
    notes: BTreeMap<ImageDigest, Note>,
    holds: Holds,
}

impl Book {
    /// Opens the book in `directory`, which it makes when missing. A note that cannot be read is kept beside, and its scan is shown
    /// as one that was set aside.
    pub(crate) fn open(directory: &Path, now: UtcMillis) -> Result<Self, BookFailed> {
        let failed = |source| BookFailed {
            path: directory.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
        let book = Self {
            directory: directory.to_owned(),
            pages: Mutex::new(Pages {
                notes: BTreeMap::new(),
                holds: Holds::open(directory, now).map_err(failed)?,
            }),
        };
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(name) = paper::scan_of(&path, ENDING) else {
                continue;
            };
            let read = fs::read(&path).map_err(failed)?;
            if let Ok(note) = serde_json::from_slice::<Note>(&read) {
                book.pages().notes.insert(name, note);
                continue;
            }
            tracing::error!(scan = %name, "what was noted of a waiting scan is damaged; it is shown as set aside");
            fs::rename(&path, path.with_extension("damaged")).map_err(failed)?;
            book.write(name, damaged(name, now))?;
        }
        Ok(book)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is noted of a scan.
    pub(crate) fn note(&self, scan: ImageDigest) -> Option<Note> {
        self.pages().notes.get(&scan).cloned()
    }

    /// Every note in one of these states.
    pub(crate) fn notes(&self, states: &[State]) -> Vec<(ImageDigest, Note)> {
        let pages = self.pages();
        let wanted = pages
            .notes
            .iter()
            .filter(|(_, note)| states.contains(&note.state));
        wanted.map(|(name, note)| (*name, note.clone())).collect()
    }

    /// How many are in one of these states.
    pub(crate) fn count(&self, states: &[State]) -> usize {
        let pages = self.pages();
        let wanted = pages.notes.values();
        wanted.filter(|note| states.contains(&note.state)).count()
    }

    /// Notes something of a scan; durable on return. Whoever had it in hand has it no more, unless it waits on.
    pub(crate) fn write(&self, scan: ImageDigest, note: Note) -> Result<(), BookFailed> {
        let path = self.place(scan);
        let failed = |source| BookFailed {
            path: path.clone(),
            source,
        };
        let bytes = serde_json::to_vec(&note).map_err(|error| failed(error.into()))?;
        // Two writers of one note take turns; readers see the note when it is durable.
        let mut pages = self.pages();
        ccpor_files::put_in_place(&path, &bytes).map_err(failed)?;
        let waits = note.state == State::Waiting;
        pages.notes.insert(scan, note);
        if !waits {
            pages.holds.forget(scan).map_err(failed)?;
        }
        Ok(())
    }

    /// Forgets a scan.
    pub(crate) fn forget(&self, scan: ImageDigest) -> Result<(), BookFailed> {
        let path = self.place(scan);
        let failed = |source| BookFailed {
            path: path.clone(),
            source,
        };
        let mut pages = self.pages();
        fs::remove_file(&path).map_err(failed)?;
        ccpor_files::sync_directory_of(&path).map_err(failed)?;
        pages.notes.remove(&scan);
        pages.holds.forget(scan).map_err(failed)
    }

    /// Forgets notes of filed scans that are older than anybody repeats a call, or too many.
    pub(crate) fn tidy(&self, now: UtcMillis) -> Result<(), BookFailed> {
        let mut filed: Vec<(i64, ImageDigest)> = self
            .notes(&[State::Filed])
            .into_iter()
            .map(|(name, note)| (note.changed, name))
            .collect();
        filed.sort_unstable();
        let over = filed.len().saturating_sub(MOST_FILED);
        for (place, (changed, name)) in filed.into_iter().enumerate() {
            if place < over || now.0.saturating_sub(changed) > FILED_FOR_MS {
                self.forget(name)?;
            }
        }
        Ok(())
    }

    /// In whose hands a scan is.
    pub(crate) fn hold(&self, scan: ImageDigest, now: UtcMillis) -> Option<Hold> {
        self.pages().holds.of(scan, now).cloned()
    }

    /// Gives a scan into somebody's hands. Who has it already keeps it, unless it is taken over; whose it is then is returned.
    pub(crate) fn take(
        &self,
        scan: ImageDigest,
        by: &str,
        over: bool,
        now: UtcMillis,
    ) -> Result<Hold, BookFailed> {
        let taken = self.pages().holds.take(scan, by, over, now);
        taken.map_err(|source| self.failed(source))
    }

    /// Takes a scan out of somebody's hands.
    pub(crate) fn release(&self, scan: ImageDigest, by: &str) -> Result<(), BookFailed> {
        let released = self.pages().holds.release(scan, by);
        released.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> BookFailed {
        BookFailed {
            path: self.directory.clone(),
            source,
        }
    }

    fn place(&self, scan: ImageDigest) -> PathBuf {
        self.directory.join(format!("{scan}.{ENDING}"))
    }
}

fn damaged(name: ImageDigest, now: UtcMillis) -> Note {
    Note {
        state: State::SetAside,
        image: ImageRef {
            blake3: name,
            ..ImageRef::default()
        },
        from: String::new(),
        added: now.0,
        changed: now.0,
        reason: "what was noted of this scan was damaged; look at it and put it back".to_owned(),
        order: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::holds::HELD_FOR_MS;
    use super::*;

    fn note(state: State, at: i64) -> Note {
        Note {
            state,
            image: ImageRef::default(),
            from: "folder".to_owned(),
            added: at,
            changed: at,
            reason: String::new(),
            order: None,
        }
    }

    fn scan(number: u8) -> ImageDigest {
        ImageDigest([number; 32])
    }

    #[test]
    fn a_book_that_is_opened_again_says_the_same_and_a_damaged_note_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::open(directory.path(), UtcMillis(1)).unwrap();
        book.write(scan(1), note(State::Waiting, 5)).unwrap();
        book.write(scan(2), note(State::SetAside, 6)).unwrap();
        fs::write(book.place(scan(2)), b"{\"state\":").unwrap();
        // A crash in the middle of a write leaves this.
        fs::write(directory.path().join(format!("{}.json.new", scan(3))), b"{").unwrap();
        let again = Book::open(directory.path(), UtcMillis(9)).unwrap();
        assert_eq!(again.note(scan(1)), Some(note(State::Waiting, 5)));
        let told = again.note(scan(2)).unwrap();
        assert_eq!((told.state, told.added), (State::SetAside, 9));
        assert!(told.reason.contains("damaged"));
        assert_eq!(again.note(scan(3)), None);
        assert!(directory.path().join(format!("{}.damaged", scan(2))).exists());
    }

    #[test]
    fn a_scan_is_in_the_hands_of_one_person_until_it_is_taken_over_or_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::open(directory.path(), UtcMillis(0)).unwrap();
        book.write(scan(1), note(State::Waiting, 0)).unwrap();
        let by = |hold: Hold| hold.by;
        let take = |who, over, at| by(book.take(scan(1), who, over, UtcMillis(at)).unwrap());
        assert_eq!(take("ana", false, 10), "ana");
        assert_eq!(take("ben", false, 20), "ana");
        book.release(scan(1), "ben").unwrap();
        assert_eq!(book.hold(scan(1), UtcMillis(30)).map(by), Some("ana".into()));
        assert_eq!(take("ben", true, 40), "ben");
        assert_eq!(book.hold(scan(1), UtcMillis(41 + HELD_FOR_MS)), None);
        book.write(scan(1), note(State::Filed, 50)).unwrap();
        assert_eq!(book.hold(scan(1), UtcMillis(51)), None);
    }

    #[test]
    fn who_has_a_scan_in_hand_is_known_again_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::open(directory.path(), UtcMillis(0)).unwrap();
        for number in 1..=4 {
            book.write(scan(number), note(State::Waiting, 0)).unwrap();
            book.take(scan(number), "ana", false, UtcMillis(10)).unwrap();
        }
        book.take(scan(1), "ana", false, UtcMillis(20)).unwrap();
        book.release(scan(2), "ana").unwrap();
        book.write(scan(3), note(State::SetAside, 30)).unwrap();
        fs::write(directory.path().join(format!("{}.hold", scan(4))), b"{\"by\":").unwrap();
        let again = Book::open(directory.path(), UtcMillis(40)).unwrap();
        assert_eq!(
            again.hold(scan(1), UtcMillis(40)),
            book.hold(scan(1), UtcMillis(40))
        );
        for number in 2..=4 {
            assert_eq!(again.hold(scan(number), UtcMillis(40)), None);
        }
        assert!(again.note(scan(4)).is_some());
        let later = Book::open(directory.path(), UtcMillis(20 + HELD_FOR_MS)).unwrap();
        assert_eq!(later.hold(scan(1), UtcMillis(20 + HELD_FOR_MS)), None);
        assert!(!directory.path().join(format!("{}.hold", scan(1))).exists());
    }

    #[test]
    fn notes_of_filed_scans_are_kept_for_a_month_and_what_waits_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::open(directory.path(), UtcMillis(0)).unwrap();
        for (number, state) in [
            (1, State::Filed),
            (2, State::Waiting),
            (3, State::SetAside),
            (4, State::Unreadable),
        ] {
            book.write(scan(number), note(state, 0)).unwrap();
        }
        book.tidy(UtcMillis(FILED_FOR_MS)).unwrap();
        assert!(book.note(scan(1)).is_some());
        book.tidy(UtcMillis(FILED_FOR_MS + 1)).unwrap();
        let left: Vec<bool> = (1..5).map(|number| book.note(scan(number)).is_some()).collect();
        assert_eq!(left, [false, true, true, true]);
    }
}
