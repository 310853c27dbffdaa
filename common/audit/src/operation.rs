//! What can be done with the registry and is recorded: the catalogue of operations. Appended to, never reordered: the place of a
//! variant is in signed bytes.

use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $kind:ident;)*) => {
        /// An operation. The words are stable: searches and reports name them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Operation { $($(#[$doc])* $name,)* }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $word,)* } }

            /// Of which kind it is.
            #[must_use]
            pub const fn kind(self) -> Kind { match self { $(Self::$name => Kind::$kind,)* } }
        }
    };
}

operations! {
    /// A connection was made, with a certificate or without.
    LogOn = "log-on", LogOn;
    /// A call came to the interface and was turned away before it reached an operation.
    Call = "call", LogOn;
    /// A question: who is under an order, or protected by one.
    LookUp = "look-up", LookUp;
    /// The same, put by a court's node because it was not current itself.
    PassedLookUp = "passed-look-up", LookUp;
    /// Every order of a person.
    PersonHistory = "person-history", LookUp;
    /// An order with its history.
    OrderView = "order-view", View;
    /// What is to be enforced.
    Enforce = "enforce", View;
    /// What a draft clashes with.
    CheckOrder = "check-order", View;
    /// What was recorded too late.
    ListOverdue = "list-overdue", View;
    /// An image of a paper.
    ImageView = "image-view", ImageView;
    /// A new order.
    FileOrder = "file-order", Change;
    /// A new version of an order.
    AmendOrder = "amend-order", Change;
    /// Service, or an attempt of it.
    RecordService = "record-service", Change;
    /// The end of an order.
    EndOrder = "end-order", Change;
    /// A reported violation.
    RecordViolation = "record-violation", Change;
    /// A seal, or its end.
    SealOrder = "seal-order", Change;
    /// An image for an order.
    AttachImage = "attach-image", Change;
    /// The state of every court's ledger.
    ListCourts = "list-courts", Care;
    /// The state of the machine.
    Status = "status", Care;
    /// Reading everything again, to find damage.
    Scrub = "scrub", Privileged;
    /// What was set aside.
    ListQuarantine = "list-quarantine", Privileged;
    /// Records of this trail were looked for.
    AuditSearch = "audit-search", Privileged;
    /// Records of this trail were written out.
    AuditExport = "audit-export", Export;
    /// The weekly report was made.
    AuditWeekly = "audit-weekly", Privileged;
    /// Which machines can be asked.
    GetTopology = "get-topology", Care;
    /// A person signed in.
    SignIn = "sign-in", LogOn;
    /// A person set a password and a second factor.
    SetUp = "set-up", LogOn;
    /// A person went on with a session.
    Session = "session", LogOn;
    /// A person signed out.
    SignOut = "sign-out", LogOn;
    /// Confidential information was added to an order.
    Confide = "confide", Change;
    /// The confidential information of an order was read.
    ReadConfidential = "read-confidential", View;
    /// The key of confidential information was destroyed.
    DestroyConfidential = "destroy-confidential", Change;
    /// What is left to do with the own court's orders.
    ListWork = "list-work", View;
    /// The accounts of people were listed, or the sessions of one.
    ListAccounts = "list-accounts", Privileged;
    /// An account was made or changed.
    ChangeAccount = "change-account", Privileged;
    /// Sessions were ended before their time.
    EndSessions = "end-sessions", Privileged;
    /// A person chose another password.
    ChangePassword = "change-password", LogOn;
    /// The scans that wait for their order.
    ListScans = "list-scans", View;
    /// A scan that waits for its order came in.
    AddScan = "add-scan", Change;
    /// A scan that waits was looked at.
    ScanView = "scan-view", ImageView;
    /// A scan that waits was taken into somebody's hands, attached to an order, or set aside.
    HandleScan = "handle-scan", Change;
    /// A person took new recovery codes.
    RenewRecoveryCodes = "renew-recovery-codes", LogOn;
    /// A node passed on that an order was asked for.
    PassedOrderView = "passed-order-view", View;
    /// A node passed on that it was asked what is to be enforced.
    PassedEnforce = "passed-enforce", View;
    /// A file of accounts was judged, or its accounts were made: each of these has an entry of its own.
    ImportAccounts = "import-accounts", Privileged;
    /// The open sessions of a machine were listed.
    ListSessions = "list-sessions", Privileged;
    /// How many orders there are of each kind.
    Statistics = "statistics", View;
    /// What is wrong with the data of orders.
    ListFaults = "list-faults", View;
    /// A node passed on that an image was asked for.
    PassedImageView = "passed-image-view", ImageView;
    /// A node passed on that every order of a person was asked for.
    PassedPersonHistory = "passed-person-history", LookUp;
}

impl Operation {
    /// Whether a node passed it on: whoever asked is on record there as well, and counts there.
    #[must_use]
    pub const fn is_passed_on(self) -> bool {
        matches!(
            self,
            Self::PassedLookUp
                | Self::PassedOrderView
                | Self::PassedEnforce
                | Self::PassedImageView
                | Self::PassedPersonHistory
        )
    }
}

/// The kinds of operation that auditors tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Coming in.
    LogOn,
    /// A question about people.
    LookUp,
    /// Looking at an order.
    View,
    /// Looking at an image.
    ImageView,
    /// Changing the record.
    Change,
    /// Taking records out.
    Export,
    /// What only an operator or auditor does.
    Privileged,
    /// The state of machines; nothing of any person is in it.
    Care,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::LogOn,
        Self::LookUp,
        Self::View,
        Self::ImageView,
        Self::Change,
        Self::Export,
        Self::Privileged,
        Self::Care,
    ];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LogOn => "log-on",
            Self::LookUp => "look-up",
            Self::View => "view",
            Self::ImageView => "image-view",
            Self::Change => "change",
            Self::Export => "export",
            Self::Privileged => "privileged",
            Self::Care => "care",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_word_of_its_own_and_every_kind_an_operation() {
        let words: BTreeSet<_> = Operation::ALL
            .iter()
            .map(|operation| operation.as_str())
            .collect();
        assert_eq!(words.len(), Operation::ALL.len());
        let kinds: BTreeSet<_> = Operation::ALL.iter().map(|operation| operation.kind()).collect();
        assert_eq!(kinds.len(), Kind::ALL.len());
    }

    #[test]
    fn what_a_node_passed_on_says_so_in_its_word() {
        for operation in Operation::ALL {
            let word = operation.as_str();
            assert_eq!(operation.is_passed_on(), word.starts_with("passed-"), "{word}");
        }
    }
}
