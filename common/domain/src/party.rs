//! The people of an order: whom it restrains and whom it protects. No address of a protected person is kept here, by
//! design: a record must not reveal where that person is.

use serde::{Deserialize, Serialize};

use crate::closed::closed;
use crate::code::Sex;
use crate::date::Date;

/// A name in parts, as written on the order. A person of one name has it as `last`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Name {
    /// Given name.
    pub first: String,
    /// Middle names or initials.
    pub middle: String,
    /// Family name, whole.
    pub last: String,
    /// `JR`, `III`.
    pub suffix: String,
}

impl Name {
    /// A given and a family name.
    #[must_use]
    pub fn new(first: &str, last: &str) -> Self {
        Self {
            first: first.to_owned(),
            last: last.to_owned(),
            ..Self::default()
        }
    }

    /// Whether no part says anything.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        [&self.first, &self.middle, &self.last, &self.suffix]
            .into_iter()
            .all(|part| part.trim().is_empty())
    }

    /// `DOE, JOHN Q JR`, in the letters of the record.
    #[must_use]
    pub fn last_first(&self) -> String {
        let given = words([&self.first, &self.middle, &self.suffix]);
        match (self.last.trim(), given.is_empty()) {
            ("", _) => given,
            (last, true) => last.to_owned(),
            (last, false) => format!("{last}, {given}"),
        }
    }

    /// `John Q Doe JR`, in the letters of the record.
    #[must_use]
    pub fn full(&self) -> String {
        words([&self.first, &self.middle, &self.last, &self.suffix])
    }
}

fn words<const N: usize>(parts: [&String; N]) -> String {
    let said: Vec<&str> = parts
        .into_iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    said.join(" ")
}

closed! {
    /// Numbers by which a person, or a person's vehicle, is known.
    #[derive(Default)]
    pub enum IdentifierKind: "kind of identifier" {
        /// Anything else; the issuer says what.
        #[default]
        Other = "other",
        /// California's criminal identification number.
        Cii = "cii",
        /// FBI number.
        Fbi = "fbi",
        /// Another state's identification number; the issuer is the state.
        Sid = "sid",
        /// The issuer is the state.
        DriverLicense = "driver_license",
        /// The last four digits of a social security number; never more.
        SsnLast4 = "ssn_last4",
        /// Vehicle licence plate; the issuer is the state.
        Plate = "plate",
        /// Vehicle identification number.
        Vin = "vin",
    }
}

/// A number and who gave it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Identifier {
    /// What kind of number.
    pub kind: IdentifierKind,
    /// The number as written.
    pub value: String,
    /// State or agency, two letters for a state.
    pub issuer: String,
}

/// A vehicle that a person uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Vehicle {
    /// Licence plate.
    pub plate: String,
    /// State of the plate, two letters.
    pub state: String,
    /// Vehicle identification number.
    pub vin: String,
    /// Maker.
    pub make: String,
    /// Model.
    pub model: String,
    /// Model year.
    pub year: Option<u16>,
    /// Color.
    pub color: String,
}

/// A person as an order describes one. Everything but the name may be missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// The name on the order.
    pub name: Name,
    /// Other names.
    pub aliases: Vec<Name>,
    /// Date of birth.
    pub dob: Option<Date>,
    /// Age in years when the order was made, where the date of birth is not known.
    pub age_estimate: Option<u8>,
    /// Sex.
    pub sex: Sex,
    /// Codes of [`CodeTable::Race`](crate::code::CodeTable), others as they came.
    pub race: Vec<String>,
    /// Height in inches.
    pub height_inches: Option<u16>,
    /// Weight in pounds.
    pub weight_pounds: Option<u16>,
    /// Code of [`CodeTable::Eye`](crate::code::CodeTable), others as they came; empty when not stated.
    pub eye: String,
    /// Code of [`CodeTable::Hair`](crate::code::CodeTable).
    pub hair: String,
    /// Code of [`CodeTable::Skin`](crate::code::CodeTable).
    pub skin: String,
    /// Scars, marks and tattoos, in words.
    pub marks: String,
    /// Numbers.
    pub identifiers: Vec<Identifier>,
    /// Vehicles.
    pub vehicles: Vec<Vehicle>,
    /// Codes of [`CodeTable::Caution`](crate::code::CodeTable), or words.
    pub cautions: Vec<String>,
    /// The language the person speaks, when not English.
    pub language: String,
}

closed! {
    /// The place of a protected person on the order.
    #[derive(Default)]
    pub enum ProtectedRole: "role" {
        /// Item 1 of the form.
        #[default]
        Primary = "primary",
        /// Item 3: family, household, children.
        Additional = "additional",
    }
}

closed! {
    /// What the restrained person is to the protected one.
    #[derive(Default)]
    pub enum Relationship: "relationship" {
        /// Not stated.
        #[default]
        NotStated = "not_stated",
        /// Spouse or registered domestic partner.
        Spouse = "spouse",
        /// Former spouse or partner.
        FormerSpouse = "former_spouse",
        /// They have a child together.
        ParentOfCommonChild = "parent_of_common_child",
        /// They live, or lived, together as a couple.
        Cohabitant = "cohabitant",
        /// They date, or dated.
        Dating = "dating",
        /// The protected person's child.
        Child = "child",
        /// The protected person's parent.
        Parent = "parent",
        /// Other family.
        Relative = "relative",
        /// Same household, no family.
        Household = "household",
        /// Neighbor.
        Neighbor = "neighbor",
        /// From work.
        Coworker = "coworker",
        /// From school.
        Schoolmate = "schoolmate",
        /// Known, none of these.
        Acquaintance = "acquaintance",
        /// Not known to the protected person.
        Stranger = "stranger",
        /// Another; the order's text says.
        Other = "other",
    }
}

/// A protected person: a description and no address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Protected {
    /// Who.
    pub person: Person,
    /// Item 1 or item 3 of the form.
    pub role: ProtectedRole,
    /// What the restrained person is to this one.
    pub relationship: Relationship,
    /// A minor whose information a court made confidential (Fam. Code 6301.5; Code Civ. Proc. 527.6(v)).
    pub minor_confidential: bool,
    /// In the Secretary of State's address confidentiality program (Gov. Code 6205).
    pub safe_at_home: bool,
}
