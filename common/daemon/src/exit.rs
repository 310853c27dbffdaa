//! Exit codes: the same for every program, so that a script can tell what happened.

use std::process::ExitCode;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// It failed; the message says why.
    Failed = 1,
    /// The command line or the configuration is not understood.
    Usage = 2,
    /// What was asked for does not exist.
    NotFound = 3,
    /// Refused: no right, or a wrong certificate.
    Denied = 4,
    /// It does not fit the present state: a conflict, or an unmet condition.
    Conflict = 5,
    /// It works, with warnings.
    Degraded = 6,
    /// Nobody answered in time.
    Unreachable = 7,
    /// Stored data are damaged.
    Integrity = 8,
    /// Some parts were done, others not.
    Partial = 9,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
