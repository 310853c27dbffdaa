//! Two answers to one question about people, from this machine and from the hub, made one: nothing that either found is left out,
//! and of each court what is said by whoever knows it up to a later moment. Pure.

// A module uses only modules declared below it.
mod lookup;
mod history;
mod later;

pub(crate) use history::histories;
pub(crate) use later::is_fresher;
pub(crate) use lookup::lookups;
