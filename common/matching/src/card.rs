//! What an order tells the index about its persons; it carries no state and decides nothing.

use serde::{Deserialize, Serialize};

use crate::date::PartialDate;

/// Everything that makes one order findable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Dense ordinal of the order, given by the caller; hits name the order by it.
    pub order: u32,
    /// The restrained and the protected persons.
    pub persons: Vec<CardPerson>,
    /// Numbers of the order itself: case, registry, FCN, report number of the agency.
    pub numbers: Vec<(NumberKind, String)>,
}

/// One person of an order, with every name and date of birth ever given for that person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPerson {
    /// The person's side in the order.
    pub role: Role,
    /// The first is the primary name, the rest are aliases and earlier names.
    pub names: Vec<NameParts>,
    /// The first is the primary date; each name is searchable with each date.
    pub dob: Vec<PartialDate>,
    /// As recorded; only soft evidence.
    pub sex: Option<Sex>,
    /// Numbers of the person: licence, CII, FBI; an equal number decides alone.
    pub ids: Vec<(IdKind, String)>,
}

/// A name as recorded, in its parts; any part may be empty, in any script or case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NameParts {
    /// Given name or names.
    pub first: String,
    /// Middle names or initials.
    pub middle: String,
    /// Surname or surnames, with particles.
    pub last: String,
    /// JR, SR, II, III, IV.
    pub suffix: String,
}

/// A person's side in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person whom the order binds.
    Restrained,
    /// A person whom the order protects.
    Protected,
}

/// Sex as recorded on the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// F
    Female,
    /// M
    Male,
    /// X
    Nonbinary,
}

/// Kind of a number that belongs to a person (or to the person's car).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    /// Operator's licence or identity card, NCIC code OLN.
    DriverLicense,
    /// California state identification number, code CII (also SID).
    Cii,
    /// FBI number (UCN), code FBI.
    Fbi,
    /// Social security number, code SOC.
    SocialSecurity,
    /// Licence plate, code LIC.
    Plate,
    /// Vehicle identification number, code VIN.
    Vin,
    /// Any other number, code MNU.
    Other,
}

/// Kind of a number that belongs to the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// The court's case number.
    Case,
    /// The registry's own number, `XXXX-XXXX-XXXX-C`; its check character is verified elsewhere.
    Registry,
    /// File control number of the state's system, code FCN.
    Fcn,
    /// Report or case number of a law enforcement agency, code OCA.
    LeaCase,
}
