//! The accounts of a machine behind its pages: who keeps them may change them, with a fresh code; everybody may change the own password
//! and see and end the own sessions.

use std::sync::{Arc, PoisonError};

use ccpor_access::{Role, Verb};
use ccpor_api::{
    AccountAct, AccountChange, AccountFacts, AccountStanding, Accounts, Caller, Code, Hidden, PasswordChange,
    Person, Problem, SessionFacts,
};
use ccpor_domain::UtcMillis;
use ccpor_people::{
    Account, AddRefused, Book, ChangeRefused, NewAccount, Recovery, Refused, Secret, Standing, hash, verify,
};

use crate::guard::may_ask;
use crate::people::{LocalPeople, not_read, reason};
use crate::reading::blocking;

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
        let court = self
            .machine
            .rsplit_once("/node/")
            .map(|(court, _)| court.to_owned());
        let done = blocking(move || {
            store.change(|book| {
                // The code is used up whatever becomes of the change.
                book.confirm(&keeper, change.code.reveal(), now)
                    .map_err(not_confirmed)?;
                changed(book, change, court.as_deref(), now)
            })
        });
        let code = done.await?.map_err(|error| not_read(&error))??;
        Ok(code.map(|code| Hidden::new(code.reveal().to_owned())))
    }

    async fn sessions(&self, by: &Caller, account: &str) -> Result<Vec<SessionFacts>, Problem> {
        may_see(by, account)?;
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = |at: i64| UtcMillis(at).to_string();
        let open = sessions.of(account, self.now()).into_iter();
        Ok(open
            .map(|session| SessionFacts {
                opened_at: moment(session.opened),
                used_at: moment(session.used),
                over_at: moment(sessions.over_at(&session)),
                session: session.id,
                terminal: session.certificate,
            })
            .collect())
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
                Err(refused) => return Ok(Err(Problem::field("password", refused.to_string()))),
            };
            let book = store.book()?;
            let against = book.find(&name).and_then(Account::password).cloned();
            let right = verify(&old, against.as_ref());
            let change = |book: &mut Book| {
                book.change_password(&name, right, against.as_ref(), code.reveal(), kept, now)
            };
            Ok(store.change(change)?.map_err(not_confirmed))
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
            Ok(taken.map(|()| codes).map_err(not_confirmed))
        });
        let codes = done.await?.map_err(|error| not_read(&error))??;
        let shown = |code: &Secret| Hidden::new(code.reveal().to_owned());
        Ok(codes.iter().map(shown).collect())
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

fn not_confirmed(refused: Refused) -> Problem {
    let said = match refused {
        Refused::NowLocked => "the account is locked from now on: too many attempts failed".to_owned(),
        Refused::Password => "the password until now is not right".to_owned(),
        Refused::Factor => "the code is not right, or was used before: wait for the next one".to_owned(),
        Refused::FactorClosed => "codes of authenticators cannot be judged on this machine at the moment: use a recovery code, and tell \
             the operator of this machine"
            .to_owned(),
        Refused::Unknown | Refused::NotUsable(_) => reason(refused),
    };
    Problem::field("code", said)
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
    let refused = |refused: ChangeRefused| Problem::field("account", refused.to_string());
    let done = match act {
        AccountAct::Add { full_name, role, of } => {
            let (role, of) = place(&role, of, court)?;
            let new = NewAccount {
                name: account,
                full_name: cut(&full_name),
                role,
                of,
            };
            let code = book.add(new, now).map_err(|refused| added(&refused))?;
            return Ok(Some(code));
        }
        AccountAct::Reset => return book.reset(&account, now).map(Some).map_err(refused),
        AccountAct::Role { role, of } => {
            let (role, of) = place(&role, of, court)?;
            book.role(&account, role, of, now)
        }
        AccountAct::Disable { reason } if reason.trim().is_empty() => {
            return Err(Problem::field("reason", "say why, in a few words"));
        }
        AccountAct::Disable { reason } => book.disable(&account, cut(&reason), now),
        AccountAct::Enable => book.enable(&account, now),
        AccountAct::Release => book.release(&account, now),
    };
    done.map(|()| None).map_err(refused)
}

fn added(refused: &AddRefused) -> Problem {
    let field = match refused {
        AddRefused::Name | AddRefused::Taken(_) | AddRefused::TakenLately(_) | AddRefused::Full => "account",
        AddRefused::NoCourt(_) | AddRefused::NoAgency(_) | AddRefused::NoPlace(_) => "of",
        AddRefused::Random(_) => "code",
    };
    Problem::field(field, refused.to_string())
}

/// A role with its court or agency; at a court's node the roles of a court are that court's.
fn place(role: &str, of: String, court: Option<&str>) -> Result<(Role, String), Problem> {
    let role: Role = role
        .parse()
        .map_err(|_| Problem::field("role", "there is no such role"))?;
    match court.filter(|_| role.is_of_a_court()) {
        Some(own) if of.is_empty() || of == own => Ok((role, own.to_owned())),
        Some(own) => Err(Problem::field("of", format!("this is the machine of {own}"))),
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
