//! The people of a machine behind its programming interface: log-on, sessions, and the person of a call. Passwords are hashed on
//! threads of their own, a few at a time. What a person may see is decided elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccpor_access::Role;
use ccpor_api::{
    Caller, Code, Hidden, LogOnRequest, People, Person, Problem, SessionAnswer, SetUpAnswer, SetUpRequest,
};
use ccpor_domain::UtcMillis;
use ccpor_people::{
    Account, CommonPasswords, Ended, SecondFactor, Secret, Session, Sessions, Store, StoreFailed,
    enrolment_uri, hash, verify,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::reading::blocking;
use crate::refused::{self, reason};
use crate::witness::{PersonAct, PersonEvent, Witness};

/// Passwords hashed at a time: each takes 19 MiB and some 40 ms.
const HASHING: usize = 2;
/// Log-ons that wait for their turn; more are told to come back.
const WAITING: usize = 32;
/// A refusal is told no sooner than this after the question, so that the time tells nothing of the reason.
const REFUSED_AFTER: Duration = Duration::from_millis(500);
/// Attempts for one name in a minute, whether or not there is such an account.
const ATTEMPTS_A_MINUTE: usize = 20;
/// Names whose attempts are remembered for that minute.
const NAMES: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

/// People, as an operator sets it up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeopleSettings {
    /// What everybody is told before logging on.
    pub banner: String,
    /// Seconds without a call after which a session is over, at most 1800.
    pub idle_lock_seconds: u32,
    /// Identities of the certificates of dispatch terminals in secure places, with blanks between them; these are not locked for
    /// idleness.
    pub dispatch_terminals: String,
    /// A file of further passwords that are not taken, one a line; empty: none.
    pub more_passwords: PathBuf,
}

impl Default for PeopleSettings {
    fn default() -> Self {
        Self {
            banner: "This is a restricted system of the State's courts. Its use is monitored and recorded. Unauthorised use is \
                     prohibited and may be punished under criminal and civil law. Whoever uses it consents to this."
                .into(),
            idle_lock_seconds: 1_800,
            dispatch_terminals: String::new(),
            more_passwords: PathBuf::new(),
        }
    }
}

/// Milliseconds since 1970.
pub type ClockNow = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The people of one machine.
pub struct LocalPeople {
    pub(crate) store: Arc<Store>,
    pub(crate) sessions: Mutex<Sessions>,
    attempts: Mutex<BTreeMap<String, Vec<i64>>>,
    hashing: Semaphore,
    waiting: Semaphore,
    pub(crate) more_passwords: CommonPasswords,
    settings: PeopleSettings,
    pub(crate) machine: String,
    witness: Witness,
    now: ClockNow,
}

/// Why people cannot log on at a machine.
#[derive(Debug, thiserror::Error)]
pub enum PeopleFailed {
    /// The accounts cannot be read.
    #[error(transparent)]
    Store(#[from] StoreFailed),
    /// The list of further passwords cannot be read.
    #[error("people.more_passwords: {path} cannot be read: {reason}")]
    Passwords {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: std::io::Error,
    },
}

impl LocalPeople {
    /// The people of `machine` (`court/alameda/node/1`), whose accounts are in `store`.
    ///
    /// # Errors
    /// [`PeopleFailed`].
    pub fn new(
        store: Store,
        settings: PeopleSettings,
        machine: String,
        witness: Witness,
        now: ClockNow,
    ) -> Result<Self, PeopleFailed> {
        match store.seal_factors()? {
            0 => {}
            accounts => tracing::info!(
                accounts,
                "the second factors that an earlier version kept in clear are sealed now"
            ),
        }
        if let Some(closed) = store.factors_closed()? {
            tracing::error!("{closed}");
        }
        let path = &settings.more_passwords;
        let more_passwords = if path.as_os_str().is_empty() {
            CommonPasswords::default()
        } else {
            let text = std::fs::read_to_string(path).map_err(|reason| PeopleFailed::Passwords {
                path: path.clone(),
                reason,
            })?;
            CommonPasswords::read(&text)
        };
        let idle_ms = i64::from(settings.idle_lock_seconds) * 1_000;
        Ok(Self {
            store: Arc::new(store),
            sessions: Mutex::new(Sessions::locked_after(idle_ms)),
            attempts: Mutex::default(),
            hashing: Semaphore::new(HASHING),
            waiting: Semaphore::new(WAITING),
            more_passwords,
            settings,
            machine,
            witness,
            now,
        })
    }

    pub(crate) fn now(&self) -> i64 {
        (self.now)()
    }

    /// Has something recorded; it may be answered when this is done.
    async fn tell(
        &self,
        what: PersonAct,
        account: Option<&str>,
        refused: Option<String>,
        certificate: Option<&Caller>,
        session: Option<&str>,
    ) -> Result<(), Problem> {
        let event = PersonEvent {
            account: account.map(ToOwned::to_owned),
            what,
            refused,
            certificate: certificate.map(|caller| caller.identity.clone()),
            session: session.map(ToOwned::to_owned),
        };
        (self.witness)(event).await
    }

    /// Whether there were too many attempts for this name lately; this one counts.
    fn too_many(&self, name: &str) -> bool {
        let now = self.now();
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|_, times| {
            times.retain(|at| now.saturating_sub(*at) < MINUTE_MS);
            !times.is_empty()
        });
        let key: String = name.trim().to_lowercase().chars().take(64).collect();
        if !attempts.contains_key(&key) && attempts.len() >= NAMES {
            return true;
        }
        let times = attempts.entry(key).or_default();
        times.push(now);
        times.len() > ATTEMPTS_A_MINUTE
    }

    /// Does work with passwords in its turn, or says to come back.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::new(Code::TooManyRequests, "too many people log on at this moment");
        let _waits = self.waiting.try_acquire().map_err(|_| busy())?;
        let _turn = self.hashing.acquire().await.map_err(|_| busy())?;
        blocking(work).await
    }

    fn answer(&self, session: &Session, account: &Account) -> SessionAnswer {
        let moment = |at: i64| UtcMillis(at).to_string();
        let over_at = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .over_at(session);
        SessionAnswer {
            open: true,
            session: session.id.clone(),
            account: account.name.clone(),
            full_name: account.full_name.clone(),
            role: account.role.as_str().to_owned(),
            of: account.of.clone(),
            opened_at: moment(session.opened),
            over_at: moment(over_at),
            recovery_codes_left: account
                .recovery_codes_left()
                .and_then(|left| u32::try_from(left).ok()),
            ..self.notice()
        }
    }

    fn notice(&self) -> SessionAnswer {
        SessionAnswer {
            banner: self.settings.banner.clone(),
            ..SessionAnswer::default()
        }
    }

    /// The session of a token with its account; `counts` says whether it is used by this.
    async fn found(
        &self,
        certificate: Option<&Caller>,
        token: &Hidden,
        counts: bool,
    ) -> Result<(Session, Account), Problem> {
        let book = self.store.book().map_err(|error| not_read(&error))?;
        let shown = certificate
            .map(|caller| caller.identity.as_str())
            .unwrap_or_default();
        let used = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).used(
            token.reveal(),
            shown,
            self.now(),
            counts,
            |name| book.find(name),
        );
        let session = match used {
            Ok(session) => session,
            Err(ended) => {
                let why = ended.to_string();
                if ended != Ended::Unknown {
                    self.tell(PersonAct::Session, None, Some(why.clone()), certificate, None)
                        .await?;
                }
                return Err(Problem::new(Code::SessionEnded, why));
            }
        };
        match book.find(&session.account) {
            Some(account) => Ok((session, account.clone())),
            None => Err(Problem::new(Code::SessionEnded, "there is no such session")),
        }
    }
}

#[tonic::async_trait]
impl People for LocalPeople {
    async fn log_on(
        &self,
        certificate: Option<&Caller>,
        request: LogOnRequest,
    ) -> Result<SessionAnswer, Problem> {
        let asked = Instant::now();
        if self.too_many(&request.name) {
            return Err(Problem::new(
                Code::TooManyRequests,
                "too many attempts to log on under this name",
            ));
        }
        let (store, now, clock) = (Arc::clone(&self.store), self.now(), Arc::clone(&self.now));
        let LogOnRequest { name, password, code } = request;
        let tried = self.in_turn(move || {
            let book = store.book()?;
            let account = book.find(&name);
            let known = account.map(|account| account.name.clone());
            let against = account.and_then(Account::password).cloned();
            let right = verify(&Secret::new(password.reveal().to_owned()), against.as_ref());
            let logged = store.change(|book| {
                // The clock as it is now: verifying took its time.
                book.log_on(&name, right, against.as_ref(), code.reveal(), clock().max(now))
            })?;
            Ok::<_, StoreFailed>((known, logged))
        });
        let (known, logged) = tried.await?.map_err(|error| not_read(&error))?;
        if let Err(refused) = logged {
            self.tell(
                PersonAct::LogOn,
                known.as_deref(),
                Some(reason(refused)),
                certificate,
                None,
            )
            .await?;
            tokio::time::sleep_until(asked + REFUSED_AFTER).await;
            return Err(log_on_refused());
        }
        let shown = certificate
            .map(|caller| caller.identity.as_str())
            .unwrap_or_default();
        let mut terminals = self.settings.dispatch_terminals.split_whitespace();
        let terminal = !shown.is_empty() && terminals.any(|one| one == shown);
        let name = known.unwrap_or_default();
        let opened = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).open(
            &name,
            shown,
            terminal,
            self.now(),
        );
        let (token, session) = opened.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))?;
        let told = self.tell(
            PersonAct::LogOn,
            Some(&name),
            None,
            certificate,
            Some(&session.id),
        );
        if let Err(problem) = told.await {
            // Nobody holds the token of a session that is not on record.
            self.sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .close(token.reveal());
            return Err(problem);
        }
        let book = self.store.book().map_err(|error| not_read(&error))?;
        let account = book.find(&name).ok_or_else(log_on_refused)?;
        Ok(SessionAnswer {
            token: Some(Hidden::new(token.reveal().to_owned())),
            ..self.answer(&session, account)
        })
    }

    async fn set_up(&self, request: SetUpRequest) -> Result<SetUpAnswer, Problem> {
        let asked = Instant::now();
        if self.too_many(&request.name) {
            return Err(Problem::new(
                Code::TooManyRequests,
                "too many attempts to set up this account",
            ));
        }
        let (store, now, more) = (Arc::clone(&self.store), self.now(), self.more_passwords.clone());
        let machine = self.machine.clone();
        let SetUpRequest {
            name,
            set_up_code,
            password,
        } = request;
        let done = self.in_turn(move || {
            let password = Secret::new(password.reveal().to_owned());
            // Whether the password is taken is told whoever asks, so that it tells nothing of the account.
            let kept = match hash(&password, name.trim(), &more) {
                Ok(kept) => kept,
                Err(refused) => return Ok(Err(refused::password(refused))),
            };
            let (factor, codes) = match SecondFactor::generate() {
                Ok(made) => made,
                Err(error) => return Ok(Err(Problem::new(Code::Unavailable, error.to_string()))),
            };
            let issuer = format!("CCPOR {machine}");
            let uri = enrolment_uri(&factor, &issuer, &name.trim().to_lowercase());
            let set = store.change(|book| book.set_up(&name, set_up_code.reveal(), kept, factor, now))?;
            let known = store.book()?.find(&name).map(|account| account.name.clone());
            Ok::<_, StoreFailed>(Ok((known, set, uri, codes)))
        });
        let (known, set, uri, codes) = done.await?.map_err(|error| not_read(&error))??;
        if let Err(refused) = set {
            self.tell(
                PersonAct::SetUp,
                known.as_deref(),
                Some(reason(refused)),
                None,
                None,
            )
            .await?;
            tokio::time::sleep_until(asked + REFUSED_AFTER).await;
            return Err(log_on_refused().action(
                "Check the name and the set-up code. It is good once, for 72 hours; ask your administrator for another one.",
            ));
        }
        self.tell(PersonAct::SetUp, known.as_deref(), None, None, None)
            .await?;
        let hidden = |secret: &Secret| Hidden::new(secret.reveal().to_owned());
        Ok(SetUpAnswer {
            authenticator: uri.as_ref().map(hidden).unwrap_or_default(),
            recovery_codes: codes.iter().map(hidden).collect(),
        })
    }

    async fn caller(&self, certificate: Option<&Caller>, token: &Hidden) -> Result<Caller, Problem> {
        let (session, account) = self.found(certificate, token, true).await?;
        let agency = matches!(account.role, Role::LeaQuery | Role::LeaService);
        Ok(Caller {
            identity: self.machine.clone(),
            oris: if agency {
                vec![account.of.clone()]
            } else {
                Vec::new()
            },
            person: Some(Person {
                account: account.name,
                role: account.role.as_str().to_owned(),
                of: account.of,
                session: session.id,
            }),
            ..Caller::default()
        })
    }

    async fn session(
        &self,
        certificate: Option<&Caller>,
        token: Option<&Hidden>,
    ) -> Result<SessionAnswer, Problem> {
        let Some(token) = token else {
            return Ok(self.notice());
        };
        let (session, account) = self.found(certificate, token, false).await?;
        Ok(self.answer(&session, &account))
    }

    async fn log_off(&self, token: &Hidden) -> Result<(), Problem> {
        let closed = self
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .close(token.reveal());
        if let Some(session) = closed {
            self.tell(
                PersonAct::LogOff,
                Some(&session.account),
                None,
                None,
                Some(&session.id),
            )
            .await?;
        }
        Ok(())
    }
}

fn log_on_refused() -> Problem {
    Problem::new(
        Code::LogOnRefused,
        "the name, the password or the code is not right, or the account cannot be used",
    )
}

pub(crate) fn not_read(error: &StoreFailed) -> Problem {
    tracing::error!(%error, "the accounts cannot be read or written");
    Problem::new(
        Code::Unavailable,
        "the accounts of this machine cannot be read or written",
    )
    .action("Tell the operator of this machine.")
}
