//! The accounts of a machine with every act on record: who kept them, and whose account it was.

use std::sync::Arc;

use ccpor_api::{
    AccountChange, AccountFacts, AccountLine, Accounts, Caller, Hidden, PasswordChange, Problem, SessionFacts,
};
use ccpor_audit::{Asked, Operation};

use super::recorder::{Call, Recorder, Seen};

/// Accounts whose use is recorded.
pub struct AuditedAccounts {
    inner: Arc<dyn Accounts>,
    recorder: Arc<Recorder>,
}

impl AuditedAccounts {
    /// Records what is done with `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Accounts>, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

/// The account that a call is about; none for the list of all.
fn call<'a>(caller: &'a Caller, operation: Operation, account: Option<&str>) -> Call<'a> {
    let asked = account.map(|account| Asked {
        numbers: vec![("account".to_owned(), account.to_owned())],
        ..Asked::default()
    });
    Call {
        caller,
        operation,
        asked: asked.into_iter().collect(),
    }
}

fn seen(count: usize) -> Seen {
    Seen {
        hits: u32::try_from(count).unwrap_or(u32::MAX),
        ..Seen::default()
    }
}

fn own(by: &Caller) -> &str {
    by.person.as_ref().map_or("", |person| person.account.as_str())
}

#[tonic::async_trait]
impl Accounts for AuditedAccounts {
    async fn accounts(&self, by: &Caller) -> Result<Vec<AccountFacts>, Problem> {
        let call = call(by, Operation::ListAccounts, None);
        let work = self.inner.accounts(by);
        self.recorder.around(call, work, |all| seen(all.len())).await
    }

    async fn change_account(&self, by: &Caller, change: AccountChange) -> Result<Option<Hidden>, Problem> {
        let call = call(by, Operation::ChangeAccount, Some(&change.account));
        let work = self.inner.change_account(by, change);
        self.recorder.around(call, work, |_| seen(1)).await
    }

    async fn import_accounts(
        &self,
        by: &Caller,
        csv: Vec<u8>,
        code: Option<Hidden>,
    ) -> Result<Vec<AccountLine>, Problem> {
        let made = |lines: &Vec<AccountLine>| lines.iter().filter(|line| line.code.is_some()).count();
        let file = call(by, Operation::ImportAccounts, None);
        let work = self.inner.import_accounts(by, csv, code);
        let lines = self
            .recorder
            .around(file, work, |lines| seen(made(lines)))
            .await?;
        // Each account that was made is found under its own name.
        let each = lines.iter().filter(|line| line.code.is_some());
        let each = each.map(|line| call(by, Operation::ChangeAccount, Some(&line.name)));
        self.recorder.each_carried_out(each).await?;
        Ok(lines)
    }

    async fn open_sessions(&self, by: &Caller) -> Result<Vec<SessionFacts>, Problem> {
        let call = call(by, Operation::ListSessions, None);
        let work = self.inner.open_sessions(by);
        self.recorder.around(call, work, |all| seen(all.len())).await
    }

    async fn sessions(&self, by: &Caller, account: &str) -> Result<Vec<SessionFacts>, Problem> {
        let call = call(by, Operation::ListAccounts, Some(account));
        let work = self.inner.sessions(by, account);
        self.recorder.around(call, work, |all| seen(all.len())).await
    }

    async fn end_sessions(
        &self,
        by: &Caller,
        account: &str,
        session: Option<&str>,
    ) -> Result<usize, Problem> {
        let call = call(by, Operation::EndSessions, Some(account));
        let work = self.inner.end_sessions(by, account, session);
        self.recorder.around(call, work, |ended| seen(*ended)).await
    }

    async fn change_password(&self, by: &Caller, change: PasswordChange) -> Result<(), Problem> {
        let call = call(by, Operation::ChangePassword, Some(own(by)));
        let work = self.inner.change_password(by, change);
        self.recorder.around(call, work, |()| seen(1)).await
    }

    async fn renew_recovery_codes(&self, by: &Caller, code: Hidden) -> Result<Vec<Hidden>, Problem> {
        let call = call(by, Operation::RenewRecoveryCodes, Some(own(by)));
        let work = self.inner.renew_recovery_codes(by, code);
        self.recorder.around(call, work, |_| seen(1)).await
    }
}
