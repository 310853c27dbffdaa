//! People: their accounts, passwords, second factors and sessions, as one machine keeps them. Time is an argument everywhere.
//! Accounts are not replicated, and nothing here decides what a person may see: that is the table of `ccpor-access`.
//!
//! The rules and where they come from (CJIS Security Policy 5.9.5):
//!
//! | rule | value | control |
//! |---|---|---|
//! | failed attempts before an account is locked, and in what time | 5 in 15 minutes, until an administrator releases it | AC-7 |
//! | a session without a call is over after | 30 minutes; registered dispatch terminals are exempt | AC-11 |
//! | a session is over after, whatever was done | 12 hours | IA-11 |
//! | an account that nobody used is disabled after | 90 days | AC-2 |
//! | a name is not given to somebody else for | one year | IA-4 |
//! | a password | 8 characters and more, all that can be printed, none that many choose, no hints | IA-5(1)(a) |
//! | a second factor | a time-based code, each good once; or a recovery code, each good once | IA-2(1), (2), (8) |

// A module uses only modules declared below it.
pub mod import;
mod store;
mod sessions;
mod book;
mod account;
mod factor;
mod password;
mod one_time;
mod factor_key;
mod secret;
mod rules;

pub use account::{Account, Disabled, LogOn, Refused, Standing};
pub use book::{AddRefused, Book, ChangeRefused, NewAccount};
pub use factor::{Recovery, SecondFactor, enrolment_uri};
pub use one_time::{NoRandomness, OneTime};
pub use password::{CommonPasswords, Hash, PasswordRefused, hash, verify};
pub use secret::Secret;
pub use sessions::{Ended, Session, Sessions, Token};
pub use store::{FactorsClosed, Store, StoreFailed};
