//! The reports on what a machine holds, for its pages: the facts alone. They name no person; it counts nothing.

use crate::backend::Caller;
use crate::message::Freshness;
use crate::problem::Problem;

/// A report, or how far the machine is with the first one since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report<T> {
    /// The report.
    Made(T),
    /// The orders are still being counted.
    UnderWay {
        /// Orders that were looked at.
        looked_at: u64,
        /// Orders that there are.
        of: u64,
    },
}

/// How many orders stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standings {
    /// In force and served.
    pub served: u64,
    /// In force and not served.
    pub not_served: u64,
    /// They begin later.
    pub not_yet_effective: u64,
    /// Their time has run out.
    pub expired: u64,
    /// A court ended them.
    pub terminated: u64,
    /// Another order took their place.
    pub superseded: u64,
    /// They were entered in error.
    pub cancelled: u64,
}

impl Standings {
    /// Those in force.
    #[must_use]
    pub fn in_force(&self) -> u64 {
        self.served.saturating_add(self.not_served)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        let others = [
            self.not_yet_effective,
            self.expired,
            self.terminated,
            self.superseded,
            self.cancelled,
        ];
        others
            .into_iter()
            .fold(self.in_force(), |sum, count| sum.saturating_add(count))
    }

    /// Both together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            served: self.served.saturating_add(other.served),
            not_served: self.not_served.saturating_add(other.not_served),
            not_yet_effective: self.not_yet_effective.saturating_add(other.not_yet_effective),
            expired: self.expired.saturating_add(other.expired),
            terminated: self.terminated.saturating_add(other.terminated),
            superseded: self.superseded.saturating_add(other.superseded),
            cancelled: self.cancelled.saturating_add(other.cancelled),
        }
    }
}

/// The orders of one court, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CourtStatistics {
    /// The court, as `court/alameda`; empty for all.
    pub court: String,
    /// How they stand by the number of their form; empty for forms that the table lacks. By number.
    pub forms: Vec<(String, Standings)>,
    /// How many were filed in each of the last twelve months, as `2026-11`, the newest first.
    pub filed: Vec<(String, u64)>,
    /// Half of the served orders in force were served within so many days from their issue; none when there are none.
    pub days_to_service: Option<u16>,
}

impl CourtStatistics {
    /// How all of them stand, whatever their form.
    #[must_use]
    pub fn standings(&self) -> Standings {
        let each = self.forms.iter().map(|(_, standings)| standings);
        each.fold(Standings::default(), |sum, standings| sum.and(standings))
    }
}

/// What a machine holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Up to when it is complete; always there.
    pub freshness: Option<Freshness>,
    /// This machine's court; empty at a hub.
    pub own: String,
    /// All courts together.
    pub all: CourtStatistics,
    /// Each court whose orders are held here, by name.
    pub courts: Vec<CourtStatistics>,
}

/// The reports of a machine. Whether somebody may have them is decided here, and that they are asked for is on record before they are
/// given.
#[tonic::async_trait]
pub trait Reports: Send + Sync + 'static {
    /// How many orders there are of each kind, as far as they are counted for this one.
    async fn statistics(&self, by: &Caller) -> Result<Report<Statistics>, Problem>;
}
