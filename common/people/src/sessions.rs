//! Sessions of people who logged on. Of a token only its hash is kept; sessions end with the program.

use std::collections::BTreeMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::account::Account;
use crate::one_time::NoRandomness;
use crate::rules::{IDLE, LONGEST, SESSIONS, SESSIONS_OF_ONE};
use crate::secret::Secret;

/// What opens a session: 256 random bits.
pub type Token = Secret;

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which, for the records: it opens nothing.
    pub id: String,
    /// The account's name.
    pub account: String,
    /// When it was opened, in milliseconds since 1970.
    pub opened: i64,
    /// When it was used last.
    pub used: i64,
    /// Whether it is of a registered dispatch terminal, which is not locked for idleness.
    pub terminal: bool,
    /// The certificate of the connection on which it was opened; it counts on no other. Empty: none was shown.
    pub certificate: String,
    hash: [u8; 32],
}

impl Session {
    fn over_at(&self, idle: i64) -> i64 {
        let longest = self.opened.saturating_add(LONGEST);
        if self.terminal {
            longest
        } else {
            longest.min(self.used.saturating_add(idle))
        }
    }
}

/// Why a session does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// There is none of this token.
    #[error("there is no such session")]
    Unknown,
    /// Nobody used it for half an hour, or for what the machine allows.
    #[error("the session was not used for too long")]
    Idle,
    /// It is twelve hours old.
    #[error("the session was opened 12 hours ago")]
    Long,
    /// The account was changed, locked or disabled.
    #[error("the account was changed since the session was opened")]
    Changed,
    /// It came on a connection with another certificate.
    #[error("the session was opened on a connection with another certificate")]
    Elsewhere,
}

/// The open sessions of a machine.
#[derive(Debug)]
pub struct Sessions {
    open: BTreeMap<String, Session>,
    idle: i64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::locked_after(IDLE)
    }
}

impl Sessions {
    /// None are open. One is over after `idle` milliseconds without a call, and after half an hour whatever is asked for.
    #[must_use]
    pub fn locked_after(idle: i64) -> Self {
        Self {
            open: BTreeMap::new(),
            idle: idle.clamp(1, IDLE),
        }
    }

    /// When a session is over if nobody does anything.
    #[must_use]
    pub fn over_at(&self, session: &Session) -> i64 {
        session.over_at(self.idle)
    }

    /// Opens a session; its token is shown once.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn open(
        &mut self,
        account: &str,
        certificate: &str,
        terminal: bool,
        now: i64,
    ) -> Result<(Token, Session), NoRandomness> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        let token = Secret::new(URL_SAFE_NO_PAD.encode(bytes));
        zeroize::Zeroize::zeroize(&mut bytes);
        let hash = hashed(token.reveal());
        let session = Session {
            id: id(&hash),
            account: account.to_owned(),
            opened: now,
            used: now,
            terminal,
            certificate: certificate.to_owned(),
            hash,
        };
        self.make_room(account, now);
        self.open.insert(session.id.clone(), session.clone());
        Ok((token, session))
    }

    /// The session of a token, which is used by it if that `counts`.
    ///
    /// # Errors
    /// [`Ended`]; it is then closed.
    pub fn used<'a>(
        &mut self,
        token: &str,
        certificate: &str,
        now: i64,
        counts: bool,
        account: impl FnOnce(&str) -> Option<&'a Account>,
    ) -> Result<Session, Ended> {
        let hash = hashed(token);
        let session = self.open.get_mut(&id(&hash)).ok_or(Ended::Unknown)?;
        // The name under which it is found is public; only the whole hash proves the token.
        if verify_slices_are_equal(&session.hash, &hash).is_err() {
            return Err(Ended::Unknown);
        }
        let ended = if now.saturating_sub(session.opened) >= LONGEST {
            Ended::Long
        } else if !session.terminal && now.saturating_sub(session.used) >= self.idle {
            Ended::Idle
        } else if !account(&session.account).is_some_and(|account| account.carries(session.opened, now)) {
            Ended::Changed
        } else if session.certificate != certificate {
            // A token that went astray ends no session of who holds the certificate.
            return Err(Ended::Elsewhere);
        } else {
            if counts {
                session.used = session.used.max(now);
            }
            return Ok(session.clone());
        };
        let id = session.id.clone();
        self.open.remove(&id);
        Err(ended)
    }

    /// Closes the session of a token, and gives it; none when there is none.
    pub fn close(&mut self, token: &str) -> Option<Session> {
        let hash = hashed(token);
        let place = id(&hash);
        let proven = self
            .open
            .get(&place)
            .is_some_and(|session| verify_slices_are_equal(&session.hash, &hash).is_ok());
        proven.then(|| self.open.remove(&place)).flatten()
    }

    /// Those of an account that are open at `now`, the one that was used last first.
    #[must_use]
    pub fn of(&self, account: &str, now: i64) -> Vec<Session> {
        self.listed(now, |session| session.account == account)
    }

    /// All that are open at `now`, by account, the one that was used last first.
    #[must_use]
    pub fn all(&self, now: i64) -> Vec<Session> {
        self.listed(now, |_| true)
    }

    fn listed(&self, now: i64, meant: impl Fn(&Session) -> bool) -> Vec<Session> {
        let open = |session: &&Session| now < session.over_at(self.idle) && meant(session);
        let mut open: Vec<Session> = self.open.values().filter(open).cloned().collect();
        open.sort_by(|one, other| (&one.account, other.used).cmp(&(&other.account, one.used)));
        open
    }

    /// Ends the session of an account that is called so, or all of that account; gives how many there were.
    pub fn end(&mut self, account: &str, id: Option<&str>) -> usize {
        let before = self.open.len();
        let meant = |session: &Session| session.account == account && id.is_none_or(|id| session.id == id);
        self.open.retain(|_, session| !meant(session));
        before - self.open.len()
    }

    /// How many are open, those that are over by now included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.open.len()
    }

    /// Sessions that are over make room; then the oldest of the same account; then the oldest of all.
    fn make_room(&mut self, account: &str, now: i64) {
        self.open.retain(|_, session| now < session.over_at(self.idle));
        let own = self.open.values().filter(|session| session.account == account);
        if own.clone().count() >= SESSIONS_OF_ONE {
            let oldest = own
                .min_by_key(|session| session.used)
                .map(|session| session.id.clone());
            self.open.retain(|id, _| Some(id) != oldest.as_ref());
        }
        if self.open.len() >= SESSIONS {
            let oldest = self.open.values().min_by_key(|session| session.used);
            let oldest = oldest.map(|session| session.id.clone());
            self.open.retain(|id, _| Some(id) != oldest.as_ref());
        }
    }
}

fn hashed(token: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

fn id(hash: &[u8; 32]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
