//! Scrubbing in the background: everything stored here is read again at a gentle pace, at an interval that the operator chooses,
//! and at once when somebody asks for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ccpor_domain::UtcMillis;
use ccpor_registry::{Pass, Piece, Registry, Scrubbed};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::reading::blocking;

/// How often everything is read, and how fast.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScrubSettings {
    /// Hours from the end of one pass to the next; 0: only when asked for.
    pub every_hours: u64,
    /// The pace of a pass that nobody waits for, in MiB a second.
    pub mib_per_second: u64,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self {
            every_hours: 168,
            mib_per_second: 8,
        }
    }
}

/// Where the scrub stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScrubState {
    /// Whether a pass is under way.
    pub running: bool,
    /// When the pass under way, or else the last one, began.
    pub began: Option<UtcMillis>,
    /// When the last whole pass ended, of this start of the program or an earlier one.
    pub ended: Option<UtcMillis>,
    /// Whether it goes at full speed, because somebody asked for it.
    pub hurried: bool,
    /// How many passes were begun because somebody asked.
    pub passes_asked_for: u64,
    /// What the pass under way, or else the last one since the start, has read and found.
    pub scrubbed: Scrubbed,
}

/// The scrub of one registry.
#[derive(Clone)]
pub struct Scrub {
    state: watch::Receiver<ScrubState>,
    asked: Arc<Notify>,
}

/// The moment at which the last whole pass ended, in the data directory.
const LAST_PASS: &str = "last-scrub";

impl Scrub {
    /// Starts it.
    pub fn start(registry: Arc<Registry>, settings: ScrubSettings, stop: CancellationToken) -> Self {
        let note = registry.directory().join(LAST_PASS);
        let (tell, state) = watch::channel(ScrubState {
            ended: read_note(&note),
            ..ScrubState::default()
        });
        let asked = Arc::new(Notify::new());
        let scrubber = Scrubber {
            registry,
            settings,
            tell,
            asked: Arc::clone(&asked),
            note,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = scrubber.run() => {}
                () = stop.cancelled() => {}
            }
        });
        Self { state, asked }
    }

    /// Begins a pass at full speed, in the place of a gentle one that may be under way, and returns when it has begun. Whoever
    /// asks while such a pass is under way gets that one.
    pub async fn begin(&self) {
        let mut state = self.state.clone();
        let now = *state.borrow_and_update();
        if now.running && now.hurried {
            return;
        }
        self.asked.notify_one();
        // It ends early only when the program is stopping.
        let _ = state
            .wait_for(|state| state.passes_asked_for > now.passes_asked_for)
            .await;
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ScrubState {
        *self.state.borrow()
    }
}

struct Scrubber {
    registry: Arc<Registry>,
    settings: ScrubSettings,
    tell: watch::Sender<ScrubState>,
    asked: Arc<Notify>,
    note: PathBuf,
}

impl Scrubber {
    async fn run(self) {
        let mut hurried = false;
        loop {
            if !hurried {
                hurried = tokio::select! {
                    () = self.asked.notified() => true,
                    () = self.until_due() => false,
                };
            }
            hurried = self.pass(hurried).await;
        }
    }

    /// Waits until the next pass is due; a pass that never ended is due at once.
    async fn until_due(&self) {
        if self.settings.every_hours == 0 {
            return std::future::pending().await;
        }
        let every = i64::try_from(self.settings.every_hours.saturating_mul(3_600_000)).unwrap_or(i64::MAX);
        let ended = self.tell.borrow().ended;
        let left = ended.map_or(0, |ended| {
            ended
                .0
                .saturating_add(every)
                .saturating_sub(ccpor_registry::now().0)
        });
        // A clock that was set back must not put it off for longer than the interval.
        tokio::time::sleep(Duration::from_millis(
            u64::try_from(left.clamp(0, every)).unwrap_or(0),
        ))
        .await;
    }

    /// Makes a pass; true when somebody asked for another one, and it was given up for that.
    async fn pass(&self, hurried: bool) -> bool {
        let mut pass = self.registry.scrub();
        self.tell.send_modify(|state| {
            (state.running, state.hurried) = (true, hurried);
            state.passes_asked_for += u64::from(hurried);
            state.began = Some(ccpor_registry::now());
            state.scrubbed = pass.so_far();
        });
        loop {
            let registry = Arc::clone(&self.registry);
            let read = blocking(move || {
                let piece = registry.scrub_on(&mut pass);
                (pass, piece)
            });
            let Ok((back, piece)) = read.await else {
                self.tell.send_modify(|state| state.running = false);
                return false;
            };
            pass = back;
            let Some(piece) = piece else { break };
            self.tell.send_modify(|state| state.scrubbed = pass.so_far());
            if !hurried && self.pause(&piece).await {
                return true;
            }
        }
        self.ended(&pass);
        false
    }

    /// Keeps to the gentle pace; true when somebody asks for a pass meanwhile.
    async fn pause(&self, piece: &Piece) -> bool {
        let rate = self.settings.mib_per_second.max(1) << 20;
        let pause = Duration::from_micros(piece.bytes.saturating_mul(1_000_000) / rate);
        tokio::time::timeout(pause, self.asked.notified()).await.is_ok()
    }

    fn ended(&self, pass: &Pass) {
        let (now, found) = (ccpor_registry::now(), pass.so_far());
        if let Err(error) = std::fs::write(&self.note, now.to_string()) {
            tracing::warn!(%error, "when the scrub ended could not be noted; the next one comes at the next start");
        }
        if found.is_clean() {
            tracing::info!(
                records = found.records,
                images = found.images,
                "everything stored here was read and is whole"
            );
        } else {
            tracing::error!(
                damaged_records = found.damaged_records,
                damaged_images = found.damaged_images,
                index_made_anew = found.index_made_anew,
                "the scrub found damage; what is lost is fetched again. Look at the disk"
            );
        }
        self.tell.send_modify(|state| {
            state.running = false;
            state.ended = Some(now);
            state.scrubbed = found;
        });
    }
}

fn read_note(note: &Path) -> Option<UtcMillis> {
    std::fs::read_to_string(note).ok()?.trim().parse().ok()
}
