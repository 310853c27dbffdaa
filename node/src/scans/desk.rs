//! What is done with scans that wait, each act durable before it is told. How one becomes part of an order is beside it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ccpor_api::message::{HandleScanRequest, ListScansRequest, ScanAnswer, ScansAnswer, WaitingScan};
use ccpor_api::{Caller, Code, ImageBytes, ImageOut, Problem};
use ccpor_daemon::reading::{blocking, images};
use ccpor_domain::{ImageDigest, ImageRef, UtcMillis};
use ccpor_registry::Registry;
use ccpor_registry::image::ReadError;

use super::book::{Book, BookFailed, MOST_SET_ASIDE, MOST_WAITING, Note, State};
use crate::intake::Intake;

/// Rows of each list that are told.
const TOLD: usize = 200;
/// What the scanners' folder is called where a scan came from.
const FOLDER: &str = "folder";
/// The most characters of a scan's name.
const MAX_NAME: usize = 200;

/// The scans of one court that wait.
pub(crate) struct Scans {
    pub(super) registry: Arc<Registry>,
    pub(super) intake: Arc<Intake>,
    /// This node, for what it does by itself.
    node: String,
    pub(super) book: Arc<Book>,
    /// One scan is made part of an order at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    watched: bool,
    trouble: Mutex<String>,
}

impl Scans {
    /// Opens the scans below a node's data directory; `watched` says whether a folder is.
    pub(crate) fn open(
        data: &Path,
        registry: Arc<Registry>,
        intake: Arc<Intake>,
        node: String,
        watched: bool,
    ) -> Result<Self, BookFailed> {
        Ok(Self {
            registry,
            intake,
            node,
            book: Arc::new(Book::open(&data.join("scans"), ccpor_registry::now())?),
            turn: tokio::sync::Mutex::new(()),
            watched,
            trouble: Mutex::default(),
        })
    }

    /// The intake of the court whose scans these are.
    pub(crate) fn intake(&self) -> Arc<Intake> {
        Arc::clone(&self.intake)
    }

    /// What keeps the folder from being read.
    pub(super) fn tell(&self, trouble: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// As whom this node does something by itself.
    pub(super) fn node_itself(&self) -> Caller {
        Caller {
            identity: self.node.clone(),
            ..Caller::default()
        }
    }

    /// What waits and what was set aside, or one scan in whatever state.
    pub(crate) fn list(&self, asked: &ListScansRequest) -> Result<ScansAnswer, Problem> {
        if !asked.blake3.is_empty() {
            let (name, note) = self.known(&asked.blake3)?;
            let mut answer = ScansAnswer::default();
            let list = match note.state {
                State::Waiting => &mut answer.waiting,
                State::SetAside | State::Unreadable => &mut answer.set_aside,
                State::Filed => &mut answer.filed,
            };
            list.push(self.told(name, &note));
            return Ok(answer);
        }
        let mut waiting = self.book.notes(&[State::Waiting]);
        waiting.sort_by_key(|(name, note)| (note.added, *name));
        let mut set_aside = self.book.notes(&[State::SetAside, State::Unreadable]);
        set_aside.sort_by_key(|(name, note)| (std::cmp::Reverse(note.changed), *name));
        let count = |list: &[(ImageDigest, Note)]| u64::try_from(list.len()).unwrap_or(u64::MAX);
        let (waiting_count, set_aside_count) = (count(&waiting), count(&set_aside));
        let told = |list: Vec<(ImageDigest, Note)>| {
            let first = list.into_iter().take(TOLD);
            first.map(|(name, note)| self.told(name, &note)).collect()
        };
        Ok(ScansAnswer {
            waiting: told(waiting),
            set_aside: told(set_aside),
            filed: Vec::new(),
            waiting_count,
            set_aside_count,
            folder_watched: self.watched,
            folder_trouble: self
                .trouble
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        })
    }

    fn told(&self, name: ImageDigest, note: &Note) -> WaitingScan {
        let hold = self.book.hold(name, ccpor_registry::now());
        let readable = note.image.pages > 0;
        // An order that a scan is only on its way into is not told: it may not come to be.
        let order = note.order.filter(|_| note.state == State::Filed);
        WaitingScan {
            blake3: name.to_string(),
            state: note.state.as_str().to_owned(),
            name: note.image.title.clone(),
            from: note.from.clone(),
            added_at: UtcMillis(note.added).to_string(),
            media: if readable {
                note.image.media.to_string()
            } else {
                String::new()
            },
            pages: note.image.pages,
            length: note.image.length,
            held_since: hold
                .as_ref()
                .map(|hold| UtcMillis(hold.since).to_string())
                .unwrap_or_default(),
            held_by: hold.map(|hold| hold.by).unwrap_or_default(),
            reason: note.reason.clone(),
            order_id: order.map(|order| order.to_string()).unwrap_or_default(),
            registry_number: order
                .map(|order| order.registry_number().to_string())
                .unwrap_or_default(),
        }
    }

    pub(super) fn answer(&self, name: ImageDigest, note: &Note, repeated: bool) -> ScanAnswer {
        ScanAnswer {
            scan: Some(self.told(name, note)),
            repeated,
        }
    }

    /// Takes a scan in: its bytes are durable first, then the note.
    pub(crate) async fn add(
        &self,
        caller: &Caller,
        name: &str,
        data: ImageBytes,
    ) -> Result<ScanAnswer, Problem> {
        if self.book.count(&[State::Waiting]) >= MOST_WAITING {
            return Err(
                Problem::new(Code::StorageFull, format!("{MOST_WAITING} scans wait already"))
                    .action("File or set aside those that wait first."),
            );
        }
        let stored = self.intake.store(data).await?;
        let scan = ImageDigest(stored.blake3);
        let now = ccpor_registry::now();
        let before = self.book.note(scan);
        let note = match before.clone() {
            Some(note) if matches!(note.state, State::Waiting | State::Filed) => {
                return Ok(self.answer(scan, &note, true));
            }
            // Whoever sends it again wants it to wait again.
            _ => Note {
                state: State::Waiting,
                image: ImageRef {
                    blake3: scan,
                    sha256: stored.sha256.into(),
                    length: stored.length,
                    media: stored.media,
                    pages: stored.pages,
                    title: plain(name),
                },
                from: self.sender(caller),
                added: now.0,
                changed: now.0,
                reason: String::new(),
                order: None,
            },
        };
        self.write(scan, note.clone()).await?;
        Ok(self.answer(scan, &note, before.is_some()))
    }

    fn sender(&self, caller: &Caller) -> String {
        match &caller.person {
            Some(person) => person.account.clone(),
            None if caller.identity == self.node => FOLDER.to_owned(),
            None => caller.identity.clone(),
        }
    }

    /// Notes a file that cannot be taken, under a name of its own.
    pub(super) async fn unreadable(
        &self,
        file: &str,
        length: u64,
        scan: ImageDigest,
        reason: &str,
    ) -> Result<(), Problem> {
        if self.book.note(scan).is_some() {
            return Ok(());
        }
        if self.book.count(&[State::SetAside, State::Unreadable]) >= MOST_SET_ASIDE {
            return Err(Problem::new(
                Code::StorageFull,
                format!("{MOST_SET_ASIDE} scans are set aside already"),
            ));
        }
        let now = ccpor_registry::now().0;
        let note = Note {
            state: State::Unreadable,
            image: ImageRef {
                blake3: scan,
                length,
                title: plain(file),
                ..ImageRef::default()
            },
            from: FOLDER.to_owned(),
            added: now,
            changed: now,
            reason: reason.to_owned(),
            order: None,
        };
        self.write(scan, note).await
    }

    /// Opens a scan that is part of no order.
    pub(crate) async fn get(&self, blake3: &str) -> Result<ImageOut, Problem> {
        let (scan, note) = self.known(blake3)?;
        if matches!(note.state, State::Filed | State::Unreadable) {
            return Err(not_here());
        }
        let registry = Arc::clone(&self.registry);
        blocking(move || match registry.images().open_image(&scan.0) {
            Ok(reader) => Ok(images::out(scan, reader)),
            Err(ReadError::Missing | ReadError::Damaged) => Err(Problem::new(
                Code::ImageUnavailable,
                "the bytes of this scan are lost or damaged on this machine",
            )
            .action("Scan the paper again, and set this one aside.")),
            Err(error) => Err(Problem::new(Code::Unavailable, error.to_string())),
        })
        .await?
    }

    pub(crate) async fn handle(
        &self,
        caller: &Caller,
        asked: HandleScanRequest,
    ) -> Result<ScanAnswer, Problem> {
        let (scan, note) = self.known(&asked.blake3)?;
        let who = self.sender(caller);
        match asked.act.as_str() {
            "take" | "take_over" => self.take(scan, &note, who, asked.act == "take_over").await,
            "release" => {
                let book = Arc::clone(&self.book);
                blocking(move || book.release(scan, &who).map_err(|error| failed(&error))).await??;
                Ok(self.answer(scan, &note, false))
            }
            "attach" => self.attach(caller, scan, asked).await,
            "set_aside" => {
                let reason = asked.reason.trim().to_owned();
                if reason.is_empty() {
                    return Err(Problem::field("reason", "is missing: say why it is set aside"));
                }
                if note.state == State::Waiting
                    && self.book.count(&[State::SetAside, State::Unreadable]) >= MOST_SET_ASIDE
                {
                    return Err(Problem::new(
                        Code::StorageFull,
                        format!("{MOST_SET_ASIDE} scans are set aside already"),
                    ));
                }
                self.moved(scan, State::Waiting, State::SetAside, reason).await
            }
            "put_back" => {
                self.moved(scan, State::SetAside, State::Waiting, String::new())
                    .await
            }
            "dismiss" => self.dismiss(scan, &note).await,
            _ => Err(Problem::field(
                "act",
                "is none: write take, take_over, release, attach, set_aside, put_back or dismiss",
            )),
        }
    }

    async fn take(
        &self,
        scan: ImageDigest,
        note: &Note,
        who: String,
        over: bool,
    ) -> Result<ScanAnswer, Problem> {
        if note.state != State::Waiting {
            return Err(not_waiting(note));
        }
        let (book, by) = (Arc::clone(&self.book), who.clone());
        let taken = blocking(move || book.take(scan, &by, over, ccpor_registry::now()));
        let held = taken.await?.map_err(|error| failed(&error))?;
        if held.by != who {
            return Err(Problem::new(
                Code::StateConflict,
                format!(
                    "{} has this scan in hand since {}",
                    held.by,
                    UtcMillis(held.since)
                ),
            )
            .action("Take another one, or take it over."));
        }
        Ok(self.answer(scan, note, false))
    }

    /// Brings a scan from one state into another; done before, it is left.
    async fn moved(
        &self,
        scan: ImageDigest,
        from: State,
        to: State,
        reason: String,
    ) -> Result<ScanAnswer, Problem> {
        let _turn = self.turn.lock().await;
        self.complete_one(scan).await?;
        let note = self.book.note(scan).ok_or_else(not_here)?;
        if note.state == to {
            return Ok(self.answer(scan, &note, true));
        }
        if note.state != from {
            return Err(not_waiting(&note));
        }
        let note = self.inspected(scan, note).await?;
        let note = Note {
            state: to,
            changed: ccpor_registry::now().0,
            reason,
            ..note
        };
        self.write(scan, note.clone()).await?;
        Ok(self.answer(scan, &note, false))
    }

    /// The note, with what it says of the image found again where that was lost.
    async fn inspected(&self, scan: ImageDigest, note: Note) -> Result<Note, Problem> {
        if note.image.pages > 0 {
            return Ok(note);
        }
        let out = self.get(&scan.to_string()).await?;
        let registry = Arc::clone(&self.registry);
        let found = blocking(move || {
            let reader = registry
                .images()
                .open_image(&scan.0)
                .map_err(|error| Problem::new(Code::ImageUnavailable, error.to_string()))?;
            ccpor_registry::image::inspect(reader.as_bytes())
                .map_err(|refused| Problem::new(Code::ImageRefused, refused.to_string()))
        })
        .await??;
        let digest = |text: &str| text.parse::<ImageDigest>().unwrap_or_default();
        Ok(Note {
            image: ImageRef {
                blake3: scan,
                sha256: digest(&out.image.sha256),
                length: out.image.length,
                media: found.media,
                pages: found.pages,
                title: note.image.title.clone(),
            },
            ..note
        })
    }

    /// Forgets a file that could not be taken. The file itself stays where it was set aside.
    async fn dismiss(&self, scan: ImageDigest, note: &Note) -> Result<ScanAnswer, Problem> {
        if note.state != State::Unreadable {
            return Err(Problem::new(
                Code::StateConflict,
                "only a file that could not be read is taken off the list",
            ));
        }
        let book = Arc::clone(&self.book);
        blocking(move || book.forget(scan).map_err(|error| failed(&error))).await??;
        Ok(self.answer(scan, note, false))
    }

    fn known(&self, blake3: &str) -> Result<(ImageDigest, Note), Problem> {
        let scan = digest(blake3)?;
        let note = self.book.note(scan).ok_or_else(not_here)?;
        Ok((scan, note))
    }

    pub(super) async fn write(&self, scan: ImageDigest, note: Note) -> Result<(), Problem> {
        let book = Arc::clone(&self.book);
        blocking(move || book.write(scan, note).map_err(|error| failed(&error))).await?
    }
}

pub(super) fn digest(blake3: &str) -> Result<ImageDigest, Problem> {
    blake3
        .parse()
        .map_err(|error: ccpor_domain::DigestRefused| Problem::field("scan", error.to_string()))
}

pub(super) fn failed(error: &BookFailed) -> Problem {
    let code = if error.is_full() {
        Code::StorageFull
    } else {
        Code::Unavailable
    };
    tracing::error!(%error, "what became of a waiting scan could not be noted");
    Problem::new(code, "the book of waiting scans cannot be written")
}

pub(super) fn not_here() -> Problem {
    Problem::new(Code::ImageNotFound, "no such scan waits here")
}

pub(super) fn not_waiting(note: &Note) -> Problem {
    let detail = match (note.state, note.order) {
        (State::Filed, Some(order)) => {
            format!("this scan is part of order {} already", order.registry_number())
        }
        (State::Filed, None) => "this scan is part of an order already".to_owned(),
        (State::SetAside, _) => "this scan was set aside; put it back first".to_owned(),
        (State::Unreadable, _) => "this file could not be read; scan the paper again".to_owned(),
        (State::Waiting, _) => "this scan waits for its order".to_owned(),
    };
    Problem::new(Code::StateConflict, detail)
}

/// A file's name as it is shown: one line, and not long.
fn plain(name: &str) -> String {
    let shown = name.chars().filter(|letter| !letter.is_control());
    shown.take(MAX_NAME).collect::<String>().trim().to_owned()
}
