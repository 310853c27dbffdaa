//! People at the door: they log on with a name, a password and a code, and come with the token of their session from then on.
//! This file has the messages and names what a machine does behind them; it keeps no account.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::backend::Caller;
use crate::problem::Problem;

/// Text that is wiped when it is dropped, and never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct Hidden(String);

impl Hidden {
    /// Keeps `text` from being printed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for whoever must use it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.write_str("(hidden)")
    }
}

/// Logs a person on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogOnRequest {
    /// The name of the account.
    pub name: String,
    /// The password.
    pub password: Hidden,
    /// The six digits of the authenticator, or a recovery code.
    pub code: Hidden,
}

/// Sets password and second factor of a new account, or of one that was reset.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SetUpRequest {
    /// The name of the account.
    pub name: String,
    /// The code that the administrator gave out; good once, for 72 hours.
    pub set_up_code: Hidden,
    /// The new password: eight characters or more, none that many people choose.
    pub password: Hidden,
}

/// What is shown once after an account was set up.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct SetUpAnswer {
    /// The address for the authenticator (otpauth://), as text or as a QR code.
    pub authenticator: Hidden,
    /// Codes for when the authenticator is lost: each is good once.
    pub recovery_codes: Vec<Hidden>,
}

/// A session, and what everybody is told before logging on.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub struct SessionAnswer {
    /// Whether there is a session.
    pub open: bool,
    /// The token, when it was just opened: send it as Authorization: Bearer. It is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Hidden>,
    /// Which session, for the records; it opens nothing.
    pub session: String,
    /// The name of the account.
    pub account: String,
    /// The person's name.
    pub full_name: String,
    /// The role: court, supervisor, judge, lea-query and so on.
    pub role: String,
    /// The court or agency that the account belongs to; empty for neither.
    pub of: String,
    /// When it was opened.
    pub opened_at: String,
    /// When it is over if nothing is done meanwhile.
    pub over_at: String,
    /// Recovery codes that are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_codes_left: Option<u32>,
    /// The notice on the use of the system; a person accepts it before logging on.
    pub banner: String,
}

/// The people of a machine.
#[tonic::async_trait]
pub trait People: Send + Sync + 'static {
    /// Logs a person on, over a connection with this certificate or none. A refusal tells nobody whether there is such an account.
    async fn log_on(
        &self,
        certificate: Option<&Caller>,
        request: LogOnRequest,
    ) -> Result<SessionAnswer, Problem>;

    /// Sets password and second factor.
    async fn set_up(&self, request: SetUpRequest) -> Result<SetUpAnswer, Problem>;

    /// The person of a token, as a caller; the session is used by it.
    async fn caller(&self, certificate: Option<&Caller>, token: &Hidden) -> Result<Caller, Problem>;

    /// The session of a token, without using it; without a token only what everybody is told.
    async fn session(
        &self,
        certificate: Option<&Caller>,
        token: Option<&Hidden>,
    ) -> Result<SessionAnswer, Problem>;

    /// Closes the session of a token; nothing happens when it is over already.
    async fn log_off(&self, token: &Hidden) -> Result<(), Problem>;
}
