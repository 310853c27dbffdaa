//! The audit trails of a machine as they are read on its pages: what is looked for and what is found. What was asked for stays
//! sealed; nothing here could open it.

use crate::backend::Caller;
use crate::problem::Problem;

/// A place in a trail that reading goes on before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailPlace {
    /// The machine whose trail it is: `court/alameda/node/1`.
    pub machine: String,
    /// The epoch.
    pub epoch: u32,
    /// The number within the epoch.
    pub seq: u64,
}

/// What is looked for; what is empty matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailQuestion {
    /// An account, an identity, or the machine that passed the call on.
    pub who: String,
    /// A court or agency, by its name or ORI.
    pub agency: String,
    /// An operation: one of [`Trails::operations`].
    pub operation: String,
    /// How it ended: one of [`Trails::outcomes`].
    pub outcome: String,
    /// An order, by its id or registry number.
    pub order: String,
    /// The first day, in California: `2026-11-25`.
    pub since: String,
    /// The last day.
    pub until: String,
    /// The machine whose trail is read; empty for every trail that is kept here.
    pub machine: String,
    /// Where to go on, as the page before said; empty to begin with the newest.
    pub onward: Vec<TrailPlace>,
    /// Whether it is taken out as a table: more rows, and recorded as an export.
    pub export: bool,
}

/// One act on record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailRow {
    /// When, UTC, RFC 3339.
    pub at: String,
    /// The account with its agency, or the identity where nobody signed in.
    pub who: String,
    /// The role in which a person acted.
    pub role: String,
    /// The court or agency.
    pub agency: String,
    /// The ORI for which the call was made.
    pub ori: String,
    /// What was done.
    pub operation: String,
    /// How it ended.
    pub outcome: String,
    /// The code of what kept it from being done.
    pub code: String,
    /// Registry numbers of the orders that were shown or changed.
    pub orders: Vec<String>,
    /// How many hits or orders the answer had.
    pub hits: u32,
    /// From the call to the answer, in microseconds.
    pub took_us: u64,
    /// Whether a purpose was stated.
    pub states_purpose: bool,
    /// Whether what was asked for is on record, sealed.
    pub sealed: bool,
    /// How often, where many refusals of one minute are recorded as one.
    pub times: u32,
    /// Where it stands on record.
    pub place: TrailPlace,
}

/// The state of one trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailState {
    /// The newest record.
    pub head: TrailPlace,
    /// When it was recorded, UTC; empty for an empty trail.
    pub at: String,
    /// How many records there are.
    pub records: u64,
    /// What is wrong with it; empty when nothing is known.
    pub trouble: String,
}

/// A page of what is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailPage {
    /// The newest first.
    pub rows: Vec<TrailRow>,
    /// How many acts were looked at for them.
    pub looked_at: u64,
    /// The moment of the oldest that was looked at, UTC; empty when there was none.
    pub back_to: String,
    /// Where to go on; empty when there is nothing older.
    pub onward: Vec<TrailPlace>,
    /// The trails that were read.
    pub trails: Vec<TrailState>,
}

/// The trails that a machine keeps. Whether somebody may read them is decided here, and that they are read is on record before
/// anything of them is given.
#[tonic::async_trait]
pub trait Trails: Send + Sync + 'static {
    /// The words of every operation.
    fn operations(&self) -> Vec<&'static str>;

    /// The words of every outcome.
    fn outcomes(&self) -> Vec<&'static str>;

    /// A page of what is found, within bounds of time and memory.
    async fn read(&self, by: &Caller, question: TrailQuestion) -> Result<TrailPage, Problem>;
}
