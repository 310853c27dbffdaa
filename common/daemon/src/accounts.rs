//! The accounts of a machine behind its pages: who keeps them may change them, with a fresh code; everybody may change the own password
//! and see and end the own sessions.

use std::sync::{Arc, PoisonError};

use ccpor_access::{Role, Verb};
use ccpor_api::{
    AccountAct, AccountChange, AccountFacts, AccountLine, AccountStanding, Accounts, Caller, Code, Hidden,
    LARGEST_ACCOUNTS_FILE, PasswordChange, Person, Problem, Refusal, SessionFacts,
};
use ccpor_domain::UtcMillis;
use ccpor_people::{
    Account, Book, NewAccount, Recovery, Secret, Session, Sessions, Standing, hash, import, verify,
};

use crate::guard::may_ask;
use crate::people::{LocalPeople, not_read};
use crate::reading::blocking;
use crate::refused;

/// Characters of a name in words, and of a reason.
const LONGEST: usize = 200;

#[tonic::async_trait]
impl Accounts for LocalPeople {
    async fn accounts(&self, by: &Caller) -> Result<Vec<AccountFacts>, Problem> {
        may_ask(by, Verb::Accounts)?;
        let book = self.store.book().map_err(|error| not_read(&error))?;
        let now = self.now();
        Ok(book.accounts().map(|account| facts(account, now)).collect())
    }

    async fn change_account(&self, by: &Caller, change: AccountChange) -> Result<Option<Hidden>, Problem> {
        may_ask(by, Verb::Accounts)?;
        let keeper = person(by)?.account.clone();
        let (store, now) = (Arc::clone(&self.store), self.now());
        let court = self.court();
        let done = blocking(move || {
            store.change(|book| {
                // The code is used up whatever becomes of the change.
                book.confirm(&keeper, change.code.reveal(), now)
                    .map_err(refused::not_confirmed)?;
                changed(book, change, court.as_deref(), now)
            })
        });
        let code = done.await?.map_err(|error| not_read(&error))??;
        Ok(code.map(|code| Hidden::new(code.reveal().to_owned())))
    }

    async fn import_accounts(
        &self,
        by: &Caller,
        csv: Vec<u8>,
        code: Option<Hidden>,
    ) -> Result<Vec<AccountLine>, Problem> {
        may_ask(by, Verb::Accounts)?;
        if csv.len() > LARGEST_ACCOUNTS_FILE {
            let most = LARGEST_ACCOUNTS_FILE >> 10;
            return Err(
                Problem::refused(Refusal::FileLarge, format!("the file is larger than {most} kB"))
                    .action("Send it in parts, or have the operator import it on the command line."),
            );
        }
        let keeper = person(by)?.account.clone();
        let (store, now, court) = (Arc::clone(&self.store), self.now(), self.court());
        let done = blocking(move || {
            let Some(code) = code else {
                let lines = import::read(&csv, &*store.book()?, court.as_deref(), now);
                let judged = lines.map(|lines| lines.into_iter().map(|line| (line, None)).collect());
                return Ok(judged.map_err(refused::file));
            };
            store.change(|book| {
                // The code is used up whatever becomes of the file.
                book.confirm(&keeper, code.reveal(), now)
                    .map_err(refused::not_confirmed)?;
                import::make(&csv, book, court.as_deref(), now).map_err(refused::file)
            })
        });
        let lines: Vec<(import::Line, Option<Secret>)> = done.await?.map_err(|error| not_read(&error))??;
        Ok(lines.into_iter().map(judged).collect())
    }

    async fn sessions(&self, by: &Caller, account: &str) -> Result<Vec<SessionFacts>, Problem> {
        may_see(by, account)?;
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let open = sessions.of(account, self.now()).into_iter();
        Ok(open.map(|session| opened(session, &sessions)).collect())
    }

    async fn open_sessions(&self, by: &Caller) -> Result<Vec<SessionFacts>, Problem> {
        may_ask(by, Verb::Accounts)?;
        let book = self.store.book().map_err(|error| not_read(&error))?;
        let now = self.now();
        // A session that the next call will find over, since its account was changed, is open no more.
        let carried = |session: &Session| {
            book.find(&session.account)
                .is_some_and(|account| account.carries(session.opened, now))
        };
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let open = sessions.all(now).into_iter().filter(carried);
        Ok(open.map(|session| opened(session, &sessions)).collect())
    }

    async fn end_sessions(
        &self,
        by: &Caller,
        account: &str,
        session: Option<&str>,
    ) -> Result<usize, Problem> {
        may_see(by, account)?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(sessions.end(account, session))
    }

    async fn change_password(&self, by: &Caller, change: PasswordChange) -> Result<(), Problem> {
        let name = person(by)?.account.clone();
        let (store, now, more) = (Arc::clone(&self.store), self.now(), self.more_passwords.clone());
        let PasswordChange { old, new, code } = change;
        let secret = |text: &Hidden| Secret::new(text.reveal().to_owned());
        let (old, new) = (secret(&old), secret(&new));
        let tried = self.in_turn(move || {
            let kept = match hash(&new, &name, &more) {
                Ok(kept) => kept,
                Err(refused) => return Ok(Err(refused::password(refused))),
            };
            let book = store.book()?;
            let against = book.find(&name).and_then(Account::password).cloned();
            let right = verify(&old, against.as_ref());
            let change = |book: &mut Book| {
                book.change_password(&name, right, against.as_ref(), code.reveal(), kept, now)
            };
            Ok(store.change(change)?.map_err(refused::not_confirmed))
        });
        tried.await?.map_err(|error| not_read(&error))?
    }

    async fn renew_recovery_codes(&self, by: &Caller, code: Hidden) -> Result<Vec<Hidden>, Problem> {
        let name = person(by)?.account.clone();
        let (store, now) = (Arc::clone(&self.store), self.now());
        let done = blocking(move || {
            let (kept, codes) = match Recovery::generate() {
                Ok(made) => made,
                Err(error) => return Ok(Err(Problem::new(Code::Unavailable, error.to_string()))),
            };
            let taken = store.change(|book| book.recover_with(&name, code.reveal(), kept, now))?;
            Ok(taken.map(|()| codes).map_err(refused::not_confirmed))
        });
        let codes = done.await?.map_err(|error| not_read(&error))??;
        let shown = |code: &Secret| Hidden::new(code.reveal().to_owned());
        Ok(codes.iter().map(shown).collect())
    }
}

impl LocalPeople {
    /// The court of this machine; none at the hub.
    fn court(&self) -> Option<String> {
        let (court, _) = self.machine.rsplit_once("/node/")?;
        Some(court.to_owned())
    }
}

fn judged((line, code): (import::Line, Option<Secret>)) -> AccountLine {
    let import::Line {
        number,
        name,
        account,
    } = line;
    let line = AccountLine {
        number,
        name,
        full_name: String::new(),
        role: String::new(),
        of: String::new(),
        refused: None,
        code: None,
    };
    match account {
        Ok(account) => AccountLine {
            name: account.name,
            full_name: account.full_name,
            role: account.role.as_str().to_owned(),
            of: account.of,
            code: code.map(|code| Hidden::new(code.reveal().to_owned())),
            ..line
        },
        Err(error) => AccountLine {
            refused: Some(refused::line(&error)),
            ..line
        },
    }
}

fn opened(session: Session, sessions: &Sessions) -> SessionFacts {
    let moment = |at: i64| UtcMillis(at).to_string();
    SessionFacts {
        opened_at: moment(session.opened),
        used_at: moment(session.used),
        over_at: moment(sessions.over_at(&session)),
        session: session.id,
        account: session.account,
        terminal: session.certificate,
    }
}

fn person(by: &Caller) -> Result<&Person, Problem> {
    by.person
        .as_ref()
        .ok_or_else(|| Problem::new(Code::NotAuthenticated, "nobody is logged on"))
}

/// Everybody sees the own sessions, and who keeps the accounts those of all.
fn may_see(by: &Caller, account: &str) -> Result<(), Problem> {
    if person(by)?.account == account {
        return Ok(());
    }
    may_ask(by, Verb::Accounts)
}

/// Does what was asked for, to the account as it was read.
fn changed(
    book: &mut Book,
    change: AccountChange,
    court: Option<&str>,
    now: i64,
) -> Result<Option<Secret>, Problem> {
    let AccountChange {
        account, read, act, ..
    } = change;
    if let Some(read) = read
        && book.find(&account).is_some_and(|account| account.changed != read)
    {
        return Err(Problem::new(
            Code::VersionConflict,
            "the account was changed in between: look at it again",
        ));
    }
    let done = match act {
        AccountAct::Add { full_name, role, of } => {
            let (role, of) = place(&role, of, court)?;
            let new = NewAccount {
                name: account,
                full_name: cut(&full_name),
                role,
                of,
            };
            let code = book.add(new, now).map_err(|error| refused::added(&error))?;
            return Ok(Some(code));
        }
        AccountAct::Reset => {
            return book
                .reset(&account, now)
                .map(Some)
                .map_err(|error| refused::changed(&error));
        }
        AccountAct::Role { role, of } => {
            let (role, of) = place(&role, of, court)?;
            book.role(&account, role, of, now)
        }
        AccountAct::Disable { reason } if reason.trim().is_empty() => {
            return Err(Problem::refused(Refusal::NoReason, "say why, in a few words"));
        }
        AccountAct::Disable { reason } => book.disable(&account, cut(&reason), now),
        AccountAct::Enable => book.enable(&account, now),
        AccountAct::Release => book.release(&account, now),
    };
    done.map(|()| None).map_err(|error| refused::changed(&error))
}

/// A role with its court or agency; at a court's node the roles of a court are that court's.
fn place(role: &str, of: String, court: Option<&str>) -> Result<(Role, String), Problem> {
    let role: Role = role
        .parse()
        .map_err(|_| Problem::refused(Refusal::Role, "there is no such role"))?;
    match court.filter(|_| role.is_of_a_court()) {
        Some(own) if of.is_empty() || of == own => Ok((role, own.to_owned())),
        Some(own) => {
            let said = format!("this is the machine of {own}");
            Err(Problem::refused(Refusal::OtherCourt, said))
        }
        None => Ok((role, of)),
    }
}

fn cut(text: &str) -> String {
    let printed = text.trim().chars().filter(|sign| !sign.is_control());
    printed.take(LONGEST).collect()
}

fn facts(account: &Account, now: i64) -> AccountFacts {
    let moment = |at: i64| UtcMillis(at).to_string();
    AccountFacts {
        name: account.name.clone(),
        full_name: account.full_name.clone(),
        role: account.role.as_str().to_owned(),
        of: account.of.clone(),
        standing: match account.standing(now) {
            Standing::Active => AccountStanding::Active,
            Standing::WaitsForSetUp => AccountStanding::WaitsForSetUp,
            Standing::SetUpLapsed => AccountStanding::SetUpLapsed,
            Standing::Locked => AccountStanding::Locked,
            Standing::Disabled => AccountStanding::Disabled,
        },
        because: account.disabled_because(now).unwrap_or_default().to_owned(),
        created: moment(account.created),
        last_log_on: account.last_log_on.map(moment).unwrap_or_default(),
        changed: account.changed,
    }
}
