//! The accounts of a machine, for who keeps them and for each person's own: the facts and acts of the pages. It keeps no account.

use crate::backend::Caller;
use crate::people::Hidden;
use crate::problem::Problem;
use crate::refusal::Refusal;

/// What state an account is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStanding {
    /// The person can log on.
    Active,
    /// The person has yet to set a password and a second factor.
    WaitsForSetUp,
    /// The set-up code was not used in time.
    SetUpLapsed,
    /// Locked after failed attempts.
    Locked,
    /// Disabled, or not used for too long.
    Disabled,
}

/// An account as who keeps the accounts sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// The name to log on with.
    pub name: String,
    /// The person's name in words.
    pub full_name: String,
    /// The word of the role.
    pub role: String,
    /// The court or agency; empty for neither.
    pub of: String,
    /// Its state.
    pub standing: AccountStanding,
    /// Why it is disabled, in words; empty when it is not.
    pub because: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// When the person logged on last, RFC 3339; empty for never.
    pub last_log_on: String,
    /// When its rights or its standing were changed last, in milliseconds since 1970: whoever changes it names what was read.
    pub changed: i64,
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// Which; it opens nothing.
    pub session: String,
    /// The name of the account.
    pub account: String,
    /// When it was opened, RFC 3339.
    pub opened_at: String,
    /// When it was used last, RFC 3339.
    pub used_at: String,
    /// When it is over if nothing is done, RFC 3339.
    pub over_at: String,
    /// The certificate of the terminal it was opened at; empty: a browser without one.
    pub terminal: String,
}

/// What is done with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountAct {
    /// Makes it.
    Add {
        /// The person's name in words.
        full_name: String,
        /// The word of the role.
        role: String,
        /// The court or agency; empty: of neither, or of this machine's court.
        of: String,
    },
    /// Gives it another role.
    Role {
        /// The word of the role.
        role: String,
        /// As of `Add`.
        of: String,
    },
    /// Disables it.
    Disable {
        /// Why, in words.
        reason: String,
    },
    /// Enables it again.
    Enable,
    /// Releases it after failed attempts.
    Release,
    /// Takes password and second factor away.
    Reset,
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// The name of the account.
    pub account: String,
    /// [`AccountFacts::changed`] as it was read; none for a new account.
    pub read: Option<i64>,
    /// What is done.
    pub act: AccountAct,
    /// A code of whoever changes it: nobody does so at a desk that was left alone.
    pub code: Hidden,
}

/// The largest file of accounts that is taken over the pages, in bytes; a larger one is imported on the command line.
pub const LARGEST_ACCOUNTS_FILE: usize = 64 << 10;

/// One line of a file of accounts, as it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLine {
    /// Its number in the file, the heading being 1.
    pub number: u64,
    /// The name to log on with; empty when the line cannot be read.
    pub name: String,
    /// The person's name in words; empty when it is refused.
    pub full_name: String,
    /// The word of the role; empty when it is refused.
    pub role: String,
    /// The court or agency; empty for neither, and when it is refused.
    pub of: String,
    /// Why no account comes of it; none when one does.
    pub refused: Option<Refusal>,
    /// The set-up code, when the account was made: it is shown once.
    pub code: Option<Hidden>,
}

/// Another password for one's own account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordChange {
    /// The password until now.
    pub old: Hidden,
    /// The new one.
    pub new: Hidden,
    /// A code of the second factor.
    pub code: Hidden,
}

/// The accounts of a machine. Every call is made by a person with a session; what the person may do is decided here.
#[tonic::async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Every account, by name.
    async fn accounts(&self, by: &Caller) -> Result<Vec<AccountFacts>, Problem>;

    /// Changes an account; gives the set-up code where there is one, which is shown once.
    async fn change_account(&self, by: &Caller, change: AccountChange) -> Result<Option<Hidden>, Problem>;

    /// Judges a file of accounts (CSV: name,full_name,role,of) line by line; with a code of the caller's it makes every account that
    /// can be made. A line that is refused keeps no other from being made, as on the command line.
    async fn import_accounts(
        &self,
        by: &Caller,
        csv: Vec<u8>,
        code: Option<Hidden>,
    ) -> Result<Vec<AccountLine>, Problem>;

    /// Every open session of this machine, by account, the one that was used last first.
    async fn open_sessions(&self, by: &Caller) -> Result<Vec<SessionFacts>, Problem>;

    /// The open sessions of an account, the one that was used last first.
    async fn sessions(&self, by: &Caller, account: &str) -> Result<Vec<SessionFacts>, Problem>;

    /// Ends a session of an account, or all of them; gives how many there were.
    async fn end_sessions(&self, by: &Caller, account: &str, session: Option<&str>)
    -> Result<usize, Problem>;

    /// Another password for the caller's own account; its sessions are over.
    async fn change_password(&self, by: &Caller, change: PasswordChange) -> Result<(), Problem>;

    /// New recovery codes for the caller's own account, shown once, against a code of the second factor; the ones until now are void.
    async fn renew_recovery_codes(&self, by: &Caller, code: Hidden) -> Result<Vec<Hidden>, Problem>;
}
