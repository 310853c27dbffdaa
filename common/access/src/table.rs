//! The table of rights: one row a role, as data. Whoever changes a right changes a word here and nothing else.

use crate::role::Role;
use crate::verb::Verb;

/// Of which courts' orders something may be done or asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Of the own court alone.
    Own,
    /// Of every court.
    Any,
}

/// How much of an order is shown. More comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// Nothing: to this role the order does not exist.
    Nothing,
    /// While the order is in force, what an officer needs to enforce it; else nothing.
    ToEnforce,
    /// Everything but what is masked for another reason.
    Whole,
}

/// What is shown of sealed orders: by the own court, and by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Of the own court.
    pub own: View,
    /// Of another court.
    pub other: View,
}

/// Whether orders that are over are shown. More comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Over {
    /// No.
    No,
    /// When the call states a purpose.
    WithPurpose,
    /// Yes.
    Yes,
}

/// How a minor is shown whom a court made confidential. More comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Minors {
    /// Not at all: a search by the minor finds nothing.
    Hidden,
    /// The order is found, and the minor is not named.
    Unnamed,
    /// Whole.
    Named,
}

/// One row: what a role may do, and what it sees of which orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The role.
    pub role: Role,
    /// What it may do, and of which courts' orders. What does not stand here it may not do.
    pub verbs: &'static [(Verb, Reach)],
    /// Orders that no court sealed.
    pub open: View,
    /// Orders that their court sealed.
    pub sealed: Sealed,
    /// Registered orders of other jurisdictions, which are sealed by law (Fam. Code 6404(a)(2)).
    pub registered: Sealed,
    /// Orders of the own court that are over.
    pub over_own: Over,
    /// Orders of other courts that are over.
    pub over_other: Over,
    /// Confidential minors in orders of the own court.
    pub minors_own: Minors,
    /// Confidential minors in orders of other courts.
    pub minors_other: Minors,
}

const NONE: Sealed = Sealed {
    own: View::Nothing,
    other: View::Nothing,
};
const OWN: Sealed = Sealed {
    own: View::Whole,
    other: View::Nothing,
};
const ALL: Sealed = Sealed {
    own: View::Whole,
    other: View::Whole,
};
const TO_ENFORCE: Sealed = Sealed {
    own: View::ToEnforce,
    other: View::ToEnforce,
};

const LOOK: &[(Verb, Reach)] = &[
    (Verb::Search, Reach::Any),
    (Verb::View, Reach::Any),
    (Verb::Image, Reach::Any),
    (Verb::Enforce, Reach::Any),
    (Verb::History, Reach::Any),
    (Verb::Status, Reach::Any),
];

const ENTER: &[(Verb, Reach)] = &[
    (Verb::Search, Reach::Any),
    (Verb::View, Reach::Any),
    (Verb::Image, Reach::Any),
    (Verb::Enforce, Reach::Any),
    (Verb::Check, Reach::Any),
    (Verb::History, Reach::Any),
    (Verb::Overdue, Reach::Any),
    (Verb::Create, Reach::Own),
    (Verb::Modify, Reach::Own),
    // Another court may add proof of service and reports of violations to an order (Fam. Code 6380(d)).
    (Verb::Service, Reach::Any),
    (Verb::Violation, Reach::Any),
    (Verb::Cancel, Reach::Own),
    (Verb::Confide, Reach::Own),
    (Verb::Confidence, Reach::Own),
    (Verb::Status, Reach::Any),
];

const SUPERVISE: &[(Verb, Reach)] = &[
    (Verb::Search, Reach::Any),
    (Verb::View, Reach::Any),
    (Verb::Image, Reach::Any),
    (Verb::Enforce, Reach::Any),
    (Verb::Check, Reach::Any),
    (Verb::History, Reach::Any),
    (Verb::Overdue, Reach::Any),
    (Verb::Create, Reach::Own),
    (Verb::Modify, Reach::Own),
    (Verb::Service, Reach::Any),
    (Verb::Violation, Reach::Any),
    (Verb::Cancel, Reach::Own),
    (Verb::Seal, Reach::Own),
    (Verb::Confide, Reach::Own),
    (Verb::Confidence, Reach::Own),
    (Verb::Status, Reach::Any),
    (Verb::Statistics, Reach::Any),
    // Each court puts its own data right.
    (Verb::Faults, Reach::Own),
];

const JUDGE: &[(Verb, Reach)] = &[
    (Verb::Search, Reach::Any),
    (Verb::View, Reach::Any),
    (Verb::Image, Reach::Any),
    (Verb::Enforce, Reach::Any),
    (Verb::Check, Reach::Any),
    (Verb::History, Reach::Any),
    (Verb::Overdue, Reach::Any),
    (Verb::Seal, Reach::Own),
    (Verb::Confidence, Reach::Own),
    (Verb::Status, Reach::Any),
];

/// Court personnel and law enforcement read it (Cal. Rules of Court, rule 1.51); only the court's own node can give it.
const FOR_OFFICERS: (Verb, Reach) = (Verb::Confidence, Reach::Any);

const ASK: &[(Verb, Reach)] = &[
    (Verb::Search, Reach::Any),
    (Verb::View, Reach::Any),
    (Verb::Image, Reach::Any),
    (Verb::Enforce, Reach::Any),
    (Verb::History, Reach::Any),
    FOR_OFFICERS,
    (Verb::Status, Reach::Any),
];

const SERVE: &[(Verb, Reach)] = &[
    (Verb::Search, Reach::Any),
    (Verb::View, Reach::Any),
    (Verb::Image, Reach::Any),
    (Verb::Enforce, Reach::Any),
    (Verb::History, Reach::Any),
    (Verb::Service, Reach::Any),
    (Verb::Violation, Reach::Any),
    FOR_OFFICERS,
    (Verb::Status, Reach::Any),
];

/// What every role that reads no order has in common.
const BLIND: Row = Row {
    role: Role::Operator,
    verbs: &[],
    open: View::Nothing,
    sealed: NONE,
    registered: NONE,
    over_own: Over::No,
    over_other: Over::No,
    minors_own: Minors::Hidden,
    minors_other: Minors::Hidden,
};

/// Every role's row.
pub const TABLE: &[Row] = &[
    Row {
        role: Role::Query,
        verbs: LOOK,
        open: View::Whole,
        sealed: NONE,
        registered: NONE,
        over_own: Over::Yes,
        over_other: Over::WithPurpose,
        minors_own: Minors::Hidden,
        minors_other: Minors::Hidden,
    },
    Row {
        role: Role::QuerySealed,
        verbs: LOOK,
        open: View::Whole,
        sealed: OWN,
        registered: OWN,
        over_own: Over::Yes,
        over_other: Over::WithPurpose,
        minors_own: Minors::Hidden,
        minors_other: Minors::Hidden,
    },
    Row {
        role: Role::Court,
        verbs: ENTER,
        open: View::Whole,
        sealed: NONE,
        registered: OWN,
        over_own: Over::Yes,
        over_other: Over::WithPurpose,
        minors_own: Minors::Named,
        minors_other: Minors::Hidden,
    },
    Row {
        role: Role::Supervisor,
        verbs: SUPERVISE,
        open: View::Whole,
        sealed: OWN,
        registered: OWN,
        over_own: Over::Yes,
        over_other: Over::WithPurpose,
        minors_own: Minors::Named,
        minors_other: Minors::Hidden,
    },
    Row {
        role: Role::Judge,
        verbs: JUDGE,
        open: View::Whole,
        sealed: ALL,
        registered: ALL,
        over_own: Over::Yes,
        over_other: Over::WithPurpose,
        minors_own: Minors::Named,
        minors_other: Minors::Named,
    },
    Row {
        role: Role::LeaQuery,
        verbs: ASK,
        open: View::Whole,
        sealed: TO_ENFORCE,
        registered: ALL,
        over_own: Over::WithPurpose,
        over_other: Over::WithPurpose,
        minors_own: Minors::Unnamed,
        minors_other: Minors::Unnamed,
    },
    Row {
        role: Role::LeaService,
        verbs: SERVE,
        open: View::Whole,
        sealed: TO_ENFORCE,
        registered: ALL,
        over_own: Over::WithPurpose,
        over_other: Over::WithPurpose,
        minors_own: Minors::Unnamed,
        minors_other: Minors::Unnamed,
    },
    Row {
        role: Role::Auditor,
        // Who looked, when and at what, never whom for: that is sealed for the auditors' own key.
        verbs: &[(Verb::Status, Reach::Any), (Verb::Trails, Reach::Any)],
        ..BLIND
    },
    Row {
        role: Role::Administrator,
        // The list of what came late names no person; it is what the public may see of transmission (Fam. Code 6380.5(c)).
        verbs: &[
            (Verb::Overdue, Reach::Any),
            (Verb::Status, Reach::Any),
            (Verb::Accounts, Reach::Any),
            (Verb::Statistics, Reach::Any),
        ],
        ..BLIND
    },
    Row {
        role: Role::Operator,
        verbs: &[
            (Verb::Overdue, Reach::Any),
            (Verb::Status, Reach::Any),
            (Verb::Care, Reach::Any),
            (Verb::Statistics, Reach::Any),
            (Verb::Faults, Reach::Any),
        ],
        ..BLIND
    },
];
