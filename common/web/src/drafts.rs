//! What people typed and did not send: kept for its owner alone, bounded in number, size and age. With a directory it outlives the
//! program, encrypted; without one, and when the disk refuses, it is in memory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::kept::unguessable;
use crate::moment;
use crate::safe::Safe;

/// Drafts at a time, of everybody and of one person; the oldest gives way.
const MOST: usize = 2_000;
const MOST_OF_ONE: usize = 20;
/// The largest, in bytes.
const LARGEST: usize = 256 * 1024;
/// How long one is kept: what was typed on a Friday is there on the Monday after a holiday.
const KEPT_FOR_MS: u64 = 4 * 24 * 3_600_000;

/// How long what was typed on a page is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    /// Over a restart: the entry of an order, and what is done with one.
    OnDisk,
    /// In memory: questions about people, and reasons.
    InMemory,
    /// Not at all: no other page may have what is typed on it kept, since it may be a password.
    No,
}

impl Kept {
    fn of(path: &str) -> Self {
        let below = |page: &str| path.strip_prefix(page).is_some_and(|rest| rest.starts_with('/'));
        if path == "/entry" || below("/orders") {
            Self::OnDisk
        } else if matches!(path, "/search" | "/between") || below("/scans") {
            Self::InMemory
        } else {
            Self::No
        }
    }
}

/// What somebody typed and did not send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) account: String,
    /// The browser; where the account is only what a form said of itself, it is given back to that browser alone. None when the
    /// person was logged on.
    pub(crate) visit: Option<String>,
    /// The page with the form.
    pub(crate) path: String,
    pub(crate) fields: Fields,
}

/// A draft as it is offered to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) address: String,
    /// The case number that was typed; empty for none.
    pub(crate) case_number: String,
    pub(crate) saved: String,
}

/// All drafts of one machine.
pub(crate) struct Drafts {
    safe: Option<Arc<Safe>>,
    slots: Mutex<Vec<Slot>>,
}

/// What is known of a draft without reading it.
#[derive(Clone)]
struct Slot {
    id: String,
    account: String,
    path: String,
    /// Which opening of the form it is: a later state of the same takes its place.
    key: String,
    case_number: String,
    bound: bool,
    saved: i64,
    /// The draft itself, where it is not on the disk.
    held: Option<Draft>,
}

/// A draft as it lies on the disk.
#[derive(Serialize, Deserialize)]
struct Written {
    saved: i64,
    draft: Draft,
}

impl Slot {
    fn of(id: String, saved: i64, draft: &Draft) -> Self {
        Self {
            id,
            account: draft.account.clone(),
            path: draft.path.clone(),
            key: draft.fields.get("key").to_owned(),
            case_number: draft.fields.get("case_number").to_owned(),
            bound: draft.visit.is_some(),
            saved,
            held: None,
        }
    }

    fn is_old(&self, now: i64) -> bool {
        u64::try_from(now.saturating_sub(self.saved)).is_ok_and(|age| age > KEPT_FOR_MS)
    }
}

impl Drafts {
    /// The drafts in this directory, without those that are too old or cannot be opened; without one, none.
    pub(crate) fn open(directory: Option<&Path>) -> Self {
        let safe = directory.and_then(|directory| match Safe::open(directory) {
            Ok(safe) => Some(Arc::new(safe)),
            Err(error) => {
                tracing::error!(%error, "drafts are kept in memory until the program is started again");
                None
            }
        });
        let mut slots = Vec::new();
        for name in safe.iter().flat_map(|safe| safe.names().unwrap_or_default()) {
            let read = safe.as_ref().and_then(|safe| safe.read(&name));
            let written = read.and_then(|bytes| serde_json::from_slice::<Written>(&bytes).ok());
            match written {
                Some(written) => slots.push(Slot::of(name, written.saved, &written.draft)),
                None => {
                    tracing::warn!(draft = name, "a draft cannot be opened and was removed");
                    safe.iter().for_each(|safe| safe.remove(&name));
                }
            }
        }
        slots.sort_by_key(|slot| slot.saved);
        let drafts = Self {
            safe,
            slots: Mutex::new(slots),
        };
        drafts.bound("", moment::millis_now().unwrap_or(0));
        drafts
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a draft; gives its name, which is empty when nothing of its page is kept. What was typed earlier in the same form gives way to it.
    pub(crate) async fn keep(self: &Arc<Self>, draft: Draft) -> String {
        let drafts = Arc::clone(self);
        let kept = tokio::task::spawn_blocking(move || drafts.write(draft)).await;
        kept.unwrap_or_default()
    }

    fn write(&self, draft: Draft) -> String {
        let kept = Kept::of(&draft.path);
        if kept == Kept::No {
            return String::new();
        }
        let fields = draft.fields.without("form_token");
        let draft = Draft { fields, ..draft };
        let now = moment::millis_now().unwrap_or(0);
        let key = draft.fields.get("key");
        let before = self
            .slots()
            .iter()
            .find(|slot| !key.is_empty() && slot.key == key && slot.account == draft.account)
            .map(|slot| slot.id.clone());
        let id = before.unwrap_or_else(unguessable);
        let mut slot = Slot::of(id.clone(), now, &draft);
        let account = draft.account.clone();
        let bytes = serde_json::to_vec(&Written {
            saved: now,
            draft: draft.clone(),
        })
        .unwrap_or_default();
        let on_disk = match self.safe.as_ref().filter(|_| kept == Kept::OnDisk) {
            Some(safe) if bytes.len() <= LARGEST => safe.keep(&id, &bytes),
            // A form is never larger.
            Some(_) => return String::new(),
            None => {
                slot.held = Some(draft.clone());
                Ok(())
            }
        };
        if let Err(error) = on_disk {
            tracing::error!(%error, "a draft is kept in memory");
            slot.held = Some(draft);
        }
        let mut slots = self.slots();
        slots.retain(|known| known.id != id);
        slots.push(slot);
        drop(slots);
        self.bound(&account, now);
        id
    }

    /// Lets the oldest give way.
    fn bound(&self, account: &str, now: i64) {
        let gone: Vec<Slot> = {
            let mut slots = self.slots();
            let of_one = slots.iter().filter(|slot| slot.account == account).count();
            let (mut over, mut over_of_one) = (
                slots.len().saturating_sub(MOST),
                of_one.saturating_sub(MOST_OF_ONE),
            );
            let (gone, left) = std::mem::take(&mut *slots).into_iter().partition(|slot| {
                let of_one = slot.account == account && over_of_one > 0;
                let is_gone = slot.is_old(now) || over > 0 || of_one;
                if is_gone {
                    over = over.saturating_sub(1);
                    over_of_one = over_of_one.saturating_sub(usize::from(slot.account == account));
                }
                is_gone
            });
            *slots = left;
            gone
        };
        for slot in gone {
            self.safe.iter().for_each(|safe| safe.remove(&slot.id));
        }
    }

    /// The draft of this name, for this person in this browser.
    pub(crate) fn get(&self, id: &str, account: &str, browser: &str) -> Option<Draft> {
        let now = moment::millis_now()?;
        let slot = self.slots().iter().find(|slot| slot.id == id).cloned();
        let slot = slot.filter(|slot| !slot.is_old(now) && slot.account == account)?;
        let draft = match slot.held {
            Some(draft) => draft,
            None => {
                let bytes = self.safe.as_ref()?.read(id)?;
                serde_json::from_slice::<Written>(&bytes).ok()?.draft
            }
        };
        let is_theirs =
            draft.account == account && draft.visit.as_deref().is_none_or(|visit| visit == browser);
        is_theirs.then_some(draft)
    }

    /// What a person can go on with, the newest first.
    pub(crate) fn offered(&self, account: &str) -> Vec<Offer> {
        let now = moment::millis_now().unwrap_or(0);
        let slots = self.slots();
        let own = slots
            .iter()
            .rev()
            .filter(|slot| slot.account == account && !slot.bound && !slot.is_old(now));
        own.map(|slot| Offer {
            address: format!("{}?draft={}", slot.path, slot.id),
            case_number: slot.case_number.clone(),
            saved: moment::whole(&ccpor_domain::UtcMillis(slot.saved).to_string()),
        })
        .collect()
    }

    /// Forgets what was typed in this opening of a form: it was sent, or its owner throws it away.
    pub(crate) async fn forget(self: &Arc<Self>, account: &str, key: &str) {
        let gone: Vec<String> = {
            let mut slots = self.slots();
            let is_it = |slot: &Slot| slot.account == account && !key.is_empty() && slot.key == key;
            let gone = slots
                .iter()
                .filter(|slot| is_it(slot))
                .map(|slot| slot.id.clone());
            let gone = gone.collect();
            slots.retain(|slot| !is_it(slot));
            gone
        };
        let Some(safe) = self.safe.clone().filter(|_| !gone.is_empty()) else {
            return;
        };
        let _ = tokio::task::spawn_blocking(move || gone.iter().for_each(|id| safe.remove(id))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(account: &str, key: &str, case_number: &str) -> Draft {
        let pairs = [
            ("key", key),
            ("case_number", case_number),
            ("form_token", "secret"),
        ];
        Draft {
            account: account.to_owned(),
            visit: None,
            path: "/entry".to_owned(),
            fields: Fields::of(
                pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            ),
        }
    }

    fn open(directory: &Path) -> Arc<Drafts> {
        Arc::new(Drafts::open(Some(directory)))
    }

    #[tokio::test]
    async fn a_draft_is_there_after_a_restart_for_its_owner_alone_and_no_byte_of_it_is_in_the_clear() {
        let directory = tempfile::tempdir().unwrap();
        let id = open(directory.path())
            .keep(draft("ana", "k1", "CANARY-4711"))
            .await;
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(
                !bytes
                    .windows(6)
                    .any(|part| part == b"CANARY" || part == b"secret")
            );
        }
        let again = open(directory.path());
        let found = again.get(&id, "ana", "another browser").unwrap();
        assert_eq!(found.fields.get("case_number"), "CANARY-4711");
        assert_eq!(found.fields.get("form_token"), "");
        assert_eq!(again.get(&id, "ben", ""), None);
        assert_eq!(again.offered("ana").len(), 1);
        assert_eq!(again.offered("ben"), []);
        again.forget("ben", "k1").await;
        again.forget("ana", "k1").await;
        assert!(open(directory.path()).offered("ana").is_empty());
    }

    #[tokio::test]
    async fn what_is_typed_on_takes_the_place_of_the_earlier_and_each_person_has_so_many() {
        let directory = tempfile::tempdir().unwrap();
        let drafts = open(directory.path());
        let first = drafts.keep(draft("ana", "k0", "first")).await;
        assert_eq!(drafts.keep(draft("ana", "k0", "second")).await, first);
        assert_ne!(drafts.keep(draft("ben", "k0", "of ben")).await, first);
        for number in 1..=MOST_OF_ONE {
            drafts.keep(draft("ana", &format!("k{number}"), "more")).await;
        }
        for drafts in [drafts, open(directory.path())] {
            assert_eq!(drafts.offered("ana").len(), MOST_OF_ONE);
            assert_eq!(drafts.get(&first, "ana", ""), None);
            assert_eq!(drafts.offered("ben").len(), 1);
        }
    }

    #[tokio::test]
    async fn a_draft_that_was_changed_on_the_disk_or_is_too_old_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let drafts = open(directory.path());
        let changed = drafts.keep(draft("ana", "k1", "changed")).await;
        let moved = drafts.keep(draft("ana", "k2", "moved")).await;
        let old = drafts.keep(draft("ana", "k3", "old")).await;
        let place = |id: &str| directory.path().join(format!("{id}.draft"));
        let mut bytes = std::fs::read(place(&changed)).unwrap();
        bytes[20] ^= 1;
        std::fs::write(place(&changed), bytes).unwrap();
        // Under another name, as if somebody wanted to have it as theirs.
        std::fs::rename(place(&moved), place(&"0".repeat(32))).unwrap();
        let mut slots = drafts.slots();
        slots
            .iter_mut()
            .for_each(|slot| slot.saved -= i64::try_from(KEPT_FOR_MS).unwrap() + 1_000);
        drop(slots);
        assert_eq!(drafts.get(&old, "ana", ""), None);
        assert!(drafts.offered("ana").is_empty());
        let again = open(directory.path());
        assert_eq!(again.offered("ana").len(), 1);
        assert!(again.get(&old, "ana", "").is_some());
    }

    #[tokio::test]
    async fn what_may_be_a_password_is_kept_nowhere_and_a_question_in_memory_alone() {
        let directory = tempfile::tempdir().unwrap();
        let drafts = open(directory.path());
        let on = |path: &str| Draft {
            path: path.into(),
            ..draft("ana", "", "x")
        };
        for path in [
            "/account/password",
            "/users/new",
            "/log-on",
            "/set-up",
            "/",
            "/ordersx",
            "/entry/x",
        ] {
            assert_eq!(drafts.keep(on(path)).await, "", "{path}");
        }
        for path in ["/search", "/between", "/scans/ab", "/orders/7K3M/amend", "/entry"] {
            let id = drafts.keep(on(path)).await;
            assert!(drafts.get(&id, "ana", "").is_some(), "{path}");
        }
        let again = open(directory.path()).offered("ana");
        let mut pages: Vec<_> = again
            .iter()
            .filter_map(|offer| offer.address.split('?').next())
            .collect();
        pages.sort_unstable();
        assert_eq!(pages, ["/entry", "/orders/7K3M/amend"]);
    }

    #[tokio::test]
    async fn what_a_form_said_of_itself_is_given_back_to_its_browser_alone() {
        let drafts = Arc::new(Drafts::open(None));
        let id = drafts
            .keep(Draft {
                visit: Some("browser".into()),
                ..draft("ana", "k1", "x")
            })
            .await;
        assert!(drafts.get(&id, "ana", "browser").is_some());
        assert_eq!(drafts.get(&id, "ana", "other"), None);
        assert!(drafts.offered("ana").is_empty());
    }
}
