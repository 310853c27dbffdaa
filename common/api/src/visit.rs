//! Who comes to the paths where people log on, before they are anybody to the registry.

use crate::backend::Caller;
use crate::people::Hidden;

/// The certificate of the connection, and the token of a session, if any.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) certificate: Option<Caller>,
    pub(crate) token: Option<Hidden>,
}

/// Who comes to a page: an extension of the request.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The certificate of the connection; a browser has none.
    pub certificate: Option<Caller>,
    /// The address and port that the connection came from.
    pub source: String,
}
