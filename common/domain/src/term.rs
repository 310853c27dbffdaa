//! Terms: what an order forbids, commands or allows, one at a time, with the codes of the police databases.

use serde::{Deserialize, Serialize};

use crate::closed::closed;

closed! {
    /// What a term is about.
    #[derive(Default)]
    pub enum TermKind: "kind of term" {
        /// Anything else; the text says.
        #[default]
        Other = "other",
        /// Not to harass, attack, threaten, follow, and so on.
        Conduct = "conduct",
        /// No contact, direct or indirect (Fam. Code 6320).
        NoContact = "no_contact",
        /// To keep a distance.
        StayAway = "stay_away",
        /// To leave the residence.
        MoveOut = "move_out",
        /// No firearms or parts of them (Fam. Code 6389).
        Firearms = "firearms",
        /// No ammunition.
        Ammunition = "ammunition",
        /// No body armor.
        BodyArmor = "body_armor",
        /// Care of animals, and keeping away from them.
        Animals = "animals",
        /// Custody of children.
        Custody = "custody",
        /// Visits to children.
        Visitation = "visitation",
        /// Contact allowed for a stated purpose, as an exception.
        PeacefulContact = "peaceful_contact",
        /// Electronic monitoring (Pen. Code 136.2).
        ElectronicMonitoring = "electronic_monitoring",
        /// The protected person may record unlawful communications.
        RecordCommunications = "record_communications",
        /// Control of property, payments.
        Property = "property",
    }
}

impl TermKind {
    /// The NCIC condition (PCO) such a term is sent as when the record names none.
    #[must_use]
    pub const fn usual_pco(self) -> u8 {
        match self {
            Self::Conduct => 1,
            Self::MoveOut => 3,
            Self::StayAway => 4,
            Self::NoContact => 5,
            Self::Visitation => 6,
            Self::Firearms | Self::Ammunition => 7,
            Self::Custody => 9,
            Self::Other
            | Self::BodyArmor
            | Self::Animals
            | Self::PeacefulContact
            | Self::ElectronicMonitoring
            | Self::RecordCommunications
            | Self::Property => 8,
        }
    }
}

closed! {
    /// From what a distance is kept. Never where it is.
    pub enum Place: "place" {
        /// The protected person.
        Person = "person",
        /// The home.
        Home = "home",
        /// The job.
        Work = "work",
        /// The vehicle.
        Vehicle = "vehicle",
        /// The protected person's school.
        School = "school",
        /// The children's school or child care.
        ChildrenSchool = "children_school",
        /// The additional protected persons.
        AdditionalProtected = "additional_protected",
        /// The animals.
        Animals = "animals",
        /// An establishment (Pen. Code 490.8).
        Establishment = "establishment",
        /// Another; the text says.
        Other = "other",
    }
}

/// One term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Term {
    /// What it is about.
    pub kind: TermKind,
    /// NCIC protection order conditions, 1 to 9; others are kept and warned of.
    pub pco: Vec<u8>,
    /// Yards to keep.
    pub distance_yards: Option<u16>,
    /// From what.
    pub places: Vec<Place>,
    /// The words of the order. No address of a protected person.
    pub text: String,
}

impl Term {
    /// The conditions on the record, or else the usual one of its kind.
    #[must_use]
    pub fn conditions(&self) -> Vec<u8> {
        if self.pco.is_empty() {
            vec![self.kind.usual_pco()]
        } else {
            self.pco.clone()
        }
    }

    /// Whether it forbids contact: by its kind, or by NCIC condition 05.
    #[must_use]
    pub fn forbids_contact(&self) -> bool {
        self.kind == TermKind::NoContact || self.pco.contains(&5)
    }

    /// Whether it forbids firearms: by its kind, or by NCIC condition 07.
    #[must_use]
    pub fn forbids_firearms(&self) -> bool {
        self.kind == TermKind::Firearms || self.pco.contains(&7)
    }

    /// Whether it commands to keep a distance: by its kind, or by NCIC condition 04.
    #[must_use]
    pub fn commands_distance(&self) -> bool {
        self.kind == TermKind::StayAway || self.pco.contains(&4)
    }

    /// Whether it commands to leave the residence: by its kind, or by NCIC condition 03.
    #[must_use]
    pub fn commands_move_out(&self) -> bool {
        self.kind == TermKind::MoveOut || self.pco.contains(&3)
    }
}
