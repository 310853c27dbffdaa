//! What happens with accounts and sessions, as it is told to whoever keeps the records.

use std::pin::Pin;
use std::sync::Arc;

use ccpor_api::Problem;

/// Something that happened with an account or a session, for the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonEvent {
    /// The account, where there is one: what was typed for a name that there is not may be a password.
    pub account: Option<String>,
    /// What was tried.
    pub what: PersonAct,
    /// Why it was refused; none when it was done.
    pub refused: Option<String>,
    /// The certificate of the connection, if any.
    pub certificate: Option<String>,
    /// The session, where there is one.
    pub session: Option<String>,
}

/// What a person tries at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonAct {
    /// To log on.
    LogOn,
    /// To set password and second factor.
    SetUp,
    /// To go on with a session.
    Session,
    /// To log off.
    LogOff,
}

/// Told of everything that happens with accounts and sessions. What it is told of is answered when it is done, and not at all when it
/// has a problem.
pub type Witness = Arc<dyn Fn(PersonEvent) -> Witnessed + Send + Sync>;

/// Until what a [`Witness`] was told is durable.
pub type Witnessed = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>>;

/// Writes what happens to the log: ids alone.
pub(crate) fn log(event: &PersonEvent) {
    let (account, session) = (
        event.account.as_deref().unwrap_or("-"),
        event.session.as_deref().unwrap_or("-"),
    );
    match &event.refused {
        None => tracing::info!(what = ?event.what, account, session, "done"),
        Some(reason) => tracing::warn!(what = ?event.what, account, session, reason, "refused"),
    }
}
