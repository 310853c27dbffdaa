//! The roles: what an account, or a certificate, makes of whoever comes with it. What a role may do stands in the table.

use std::fmt;
use std::str::FromStr;

/// A role. The first five are those of the courts' present registry, with a judge's beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Court staff who look.
    Query,
    /// Court staff who look, at the orders that their court has sealed as well.
    QuerySealed,
    /// Court staff who enter orders.
    Court,
    /// Court staff who enter orders, the sealed ones as well. A court's own system and node have these rights.
    Supervisor,
    /// A judicial officer.
    Judge,
    /// A law enforcement officer or dispatcher who looks.
    LeaQuery,
    /// A law enforcement officer or dispatcher who records service and violations. An agency's program has these rights.
    LeaService,
    /// Reads the record of who looked, and no order.
    Auditor,
    /// Keeps the accounts, and reads no order.
    Administrator,
    /// Runs machines, and reads no order. An operator's and a hub's certificate have these rights.
    Operator,
}

/// The word is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a role: write query, query-sealed, court, supervisor, judge, lea-query, lea-service, auditor, administrator or operator"
)]
pub struct NotARole;

impl Role {
    /// Every role.
    pub const ALL: [Self; 10] = [
        Self::Query,
        Self::QuerySealed,
        Self::Court,
        Self::Supervisor,
        Self::Judge,
        Self::LeaQuery,
        Self::LeaService,
        Self::Auditor,
        Self::Administrator,
        Self::Operator,
    ];

    /// The word of the command line and of files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::QuerySealed => "query-sealed",
            Self::Court => "court",
            Self::Supervisor => "supervisor",
            Self::Judge => "judge",
            Self::LeaQuery => "lea-query",
            Self::LeaService => "lea-service",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Query => "Query only",
            Self::QuerySealed => "Query with sealed",
            Self::Court => "Court",
            Self::Supervisor => "Supervisor",
            Self::Judge => "Judge",
            Self::LeaQuery => "LEA query",
            Self::LeaService => "LEA service",
            Self::Auditor => "Auditor",
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
        }
    }

    /// Whether it belongs to a court, so that an account of it names one.
    #[must_use]
    pub const fn is_of_a_court(self) -> bool {
        matches!(
            self,
            Self::Query | Self::QuerySealed | Self::Court | Self::Supervisor | Self::Judge
        )
    }

    /// Whether it belongs to a law enforcement agency, so that an account of it names one.
    #[must_use]
    pub const fn is_of_an_agency(self) -> bool {
        matches!(self, Self::LeaQuery | Self::LeaService)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let same = |role: &Self| role.as_str().eq_ignore_ascii_case(&text.trim().replace('_', "-"));
        Self::ALL.into_iter().find(same).ok_or(NotARole)
    }
}
