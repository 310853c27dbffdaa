//! Who comes to the paths where people log on, before they are anybody to the registry.

use crate::backend::Caller;
use crate::people::Hidden;

/// The certificate of the connection, and the token of a session, if any.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) certificate: Option<Caller>,
    pub(crate) token: Option<Hidden>,
}
