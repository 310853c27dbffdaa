//! What the terms of several orders can be about, and on which of these things only one order can be followed.

use crate::closed::closed;
use crate::term::{Term, TermKind};

closed! {
    /// What a term bars, commands or allows, as an officer asks for it. In the order in which it is shown.
    pub enum Topic: "topic" {
        /// Whether there may be contact, and which.
        Contact = "contact",
        /// The distance to keep.
        Distance = "distance",
        /// To leave the residence.
        Residence = "residence",
        /// Harassing, threatening, following and the like.
        Conduct = "conduct",
        /// Firearms and parts of them.
        Firearms = "firearms",
        /// Ammunition.
        Ammunition = "ammunition",
        /// Body armor.
        BodyArmor = "body_armor",
        /// With whom the children live.
        Custody = "custody",
        /// Visits and the exchange of children.
        Visitation = "visitation",
        /// Animals.
        Animals = "animals",
        /// Electronic monitoring.
        Monitoring = "monitoring",
        /// Recording of unlawful communications.
        Recording = "recording",
        /// Property and payments.
        Property = "property",
        /// Anything else.
        Other = "other",
    }
}

impl Topic {
    /// What a term is about. A term that forbids contact by its NCIC condition counts as one about contact.
    #[must_use]
    pub fn of(term: &Term) -> Self {
        match term.kind {
            TermKind::NoContact | TermKind::PeacefulContact => Self::Contact,
            TermKind::StayAway => Self::Distance,
            TermKind::MoveOut => Self::Residence,
            TermKind::Conduct => Self::Conduct,
            TermKind::Firearms => Self::Firearms,
            TermKind::Ammunition => Self::Ammunition,
            TermKind::BodyArmor => Self::BodyArmor,
            TermKind::Custody => Self::Custody,
            TermKind::Visitation => Self::Visitation,
            TermKind::Animals => Self::Animals,
            TermKind::ElectronicMonitoring => Self::Monitoring,
            TermKind::RecordCommunications => Self::Recording,
            TermKind::Property => Self::Property,
            TermKind::Other if term.forbids_contact() => Self::Contact,
            TermKind::Other if term.commands_distance() => Self::Distance,
            TermKind::Other if term.commands_move_out() => Self::Residence,
            TermKind::Other if term.forbids_firearms() => Self::Firearms,
            TermKind::Other => Self::Other,
        }
    }

    /// Whether two orders can speak against each other on it, so that only one of them can be followed. On everything else
    /// each order's terms stay: prohibitions add up.
    #[must_use]
    pub const fn takes_one_order(self) -> bool {
        matches!(
            self,
            Self::Contact | Self::Distance | Self::Custody | Self::Visitation
        )
    }
}
