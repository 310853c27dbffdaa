//! The numbers of the rules, in one place; the crate's page says where each comes from.

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Failed attempts that lock an account.
pub(crate) const FAILURES: usize = 5;
/// The time in which they count, in milliseconds.
pub(crate) const FAILURES_WITHIN: i64 = 15 * MINUTE;
/// A session without a call is over after this time, in milliseconds.
pub(crate) const IDLE: i64 = 30 * MINUTE;
/// A session is over after this time, in milliseconds.
pub(crate) const LONGEST: i64 = 12 * HOUR;
/// An account that nobody used is disabled after this time, in milliseconds.
pub(crate) const UNUSED: i64 = 90 * DAY;
/// A name stays taken for this time after its account was disabled for good, in milliseconds.
pub(crate) const NAME_TAKEN: i64 = 365 * DAY;
/// A set-up code is good for this time, in milliseconds.
pub(crate) const SET_UP: i64 = 72 * HOUR;
/// Recovery codes of an account.
pub(crate) const RECOVERY_CODES: usize = 10;
/// The most accounts of a machine.
pub(crate) const ACCOUNTS: usize = 20_000;
/// The most sessions of a machine, and of one account.
pub(crate) const SESSIONS: usize = 10_000;
pub(crate) const SESSIONS_OF_ONE: usize = 5;
