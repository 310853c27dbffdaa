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

macro_rules! fault_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum FaultKind { $($(#[$doc])* $name,)* }

        impl FaultKind {
            /// The word of tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $word,)* } }
        }
    };
}

fault_kinds! {
    /// The court's ledger is damaged on this machine.
    LedgerDamaged = "ledger_damaged",
    /// What was filed on an old copy of the ledger waits to be reconciled.
    BranchWaits = "branch_waits",
    /// Something was set aside because it failed a check.
    SetAside = "set_aside",
    /// Nothing of the order can be read here.
    Unreadable = "unreadable",
    /// Some records of the order cannot be read here.
    InPart = "in_part",
    /// A record waits for the hub's receipt for long.
    WaitsForHub = "waits_for_hub",
    /// Something of it was recorded once more after the ledger had parted: it may have been entered twice.
    FiledAgain = "filed_again",
    /// Two parts of it say different things.
    Contradiction = "contradiction",
    /// What the law asks for is not there.
    Missing = "missing",
    /// It lasts longer than the law allows.
    BeyondLaw = "beyond_law",
    /// A form that the table of forms lacks.
    UnknownForm = "unknown_form",
    /// A code that no table holds.
    UnknownCode = "unknown_code",
    /// A value that is hardly possible.
    Unlikely = "unlikely",
    /// No scan of the signed paper is with it.
    NoImage = "no_image",
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose data; empty for what is a machine's and no court's.
    pub court: String,
    /// The order; empty for what is no order's.
    pub order_id: String,
    /// Its number.
    pub registry_number: String,
    /// What is wrong.
    pub kind: FaultKind,
    /// The fields that are meant, as JSON names them.
    pub fields: Vec<String>,
    /// More about it in English, for who runs the machine; may be empty.
    pub detail: String,
    /// Since when, UTC; empty when that is not known.
    pub since: String,
}

/// Which faults are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultsQuestion {
    /// Of which court; empty for all; none for this machine's court, or all at a hub.
    pub court: Option<String>,
    /// Whether a table is taken out, which goes further than a page.
    pub export: bool,
}

/// What is wrong with the data of orders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Up to when it is complete; always there.
    pub freshness: Option<Freshness>,
    /// The court that they are of; empty for all.
    pub of: String,
    /// How many orders of each court have each kind of fault, whether they are named or not.
    pub counts: Vec<(String, FaultKind, u64)>,
    /// The faults, those of machines first and then by court, the worst first.
    pub rows: Vec<Fault>,
    /// Whether more orders have faults than are named.
    pub more: bool,
}

/// The reports of a machine. Whether somebody may have them is decided here, and that they are asked for is on record before they are
/// given.
#[tonic::async_trait]
pub trait Reports: Send + Sync + 'static {
    /// How many orders there are of each kind, as far as they are counted for this one.
    async fn statistics(&self, by: &Caller) -> Result<Report<Statistics>, Problem>;

    /// What is wrong with the data of the orders that may be named for this one.
    async fn faults(&self, by: &Caller, question: FaultsQuestion) -> Result<Report<Faults>, Problem>;
}
