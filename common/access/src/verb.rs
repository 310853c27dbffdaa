//! The verbs: what can be asked of the registry, in the words of the courts.

/// One kind of act or question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Find orders by person or number.
    Search,
    /// Show an order with its history.
    View,
    /// Read the scan of a signed paper.
    Image,
    /// Say what is to be enforced against a person.
    Enforce,
    /// Compare a draft with the orders in force.
    Check,
    /// List every order that names a person.
    History,
    /// List what was recorded later than the law allows.
    Overdue,
    /// File a new order.
    Create,
    /// File a new version of an order, or attach an image to it.
    Modify,
    /// Record service, or an attempt.
    Service,
    /// Record a reported violation.
    Violation,
    /// End an order, or cancel an entry made in error.
    Cancel,
    /// Seal an order, or unseal it.
    Seal,
    /// Add confidential information to an order, or destroy its key.
    Confide,
    /// Read confidential information; only the issuing court's own node can.
    Confidence,
    /// See the state of machines and ledgers.
    Status,
    /// See what was set aside as damaged, and begin a scrub.
    Care,
    /// Make, change and disable the accounts of people at a machine.
    Accounts,
    /// Read the audit trails that a machine keeps, without what was asked for.
    Trails,
    /// See how many orders there are of each kind, without any of them.
    Statistics,
    /// List what is wrong with the data of orders, by number and without a name.
    Faults,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 21] = [
        Self::Search,
        Self::View,
        Self::Image,
        Self::Enforce,
        Self::Check,
        Self::History,
        Self::Overdue,
        Self::Create,
        Self::Modify,
        Self::Service,
        Self::Violation,
        Self::Cancel,
        Self::Seal,
        Self::Confide,
        Self::Confidence,
        Self::Status,
        Self::Care,
        Self::Accounts,
        Self::Trails,
        Self::Statistics,
        Self::Faults,
    ];

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::View => "view",
            Self::Image => "image",
            Self::Enforce => "enforce",
            Self::Check => "check a draft",
            Self::History => "person's history",
            Self::Overdue => "overdue",
            Self::Create => "create",
            Self::Modify => "modify",
            Self::Service => "service",
            Self::Violation => "violation",
            Self::Cancel => "cancel",
            Self::Seal => "seal",
            Self::Confide => "confide",
            Self::Confidence => "read confidential",
            Self::Status => "status",
            Self::Care => "care",
            Self::Accounts => "accounts",
            Self::Trails => "audit trails",
            Self::Statistics => "statistics",
            Self::Faults => "faults of data",
        }
    }
}
