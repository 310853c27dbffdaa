//! The stand that browsers are tested against: real daemons with a few orders, and accounts as they are asked for.

mod accounts;
mod orders;

pub use accounts::{Person, add, add_with};
pub use orders::{Filed, file_all};
