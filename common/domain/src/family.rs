//! The families of orders and the stages of one order's life. What follows from them in law is decided elsewhere.

use crate::closed::closed;

closed! {
    /// Under which law an order stands.
    #[derive(Default)]
    pub enum Family: "family" {
        /// Neither the record nor its form says.
        #[default]
        NotStated = "not_stated",
        /// Emergency protective order, asked for by police (Fam. Code 6250).
        Emergency = "emergency",
        /// Domestic Violence Prevention Act (Fam. Code 6300).
        DomesticViolence = "domestic_violence",
        /// Code Civ. Proc. 527.6.
        CivilHarassment = "civil_harassment",
        /// Elder or dependent adult abuse (Welf. & Inst. Code 15657.03).
        ElderAbuse = "elder_abuse",
        /// Code Civ. Proc. 527.8.
        WorkplaceViolence = "workplace_violence",
        /// Private postsecondary school violence (Code Civ. Proc. 527.85).
        SchoolViolence = "school_violence",
        /// Welf. & Inst. Code 213.5.
        Juvenile = "juvenile",
        /// Gun violence restraining order (Pen. Code 18100); it protects no named person.
        GunViolence = "gun_violence",
        /// Criminal protective order, domestic violence (Pen. Code 136.2, 273.5(j), 1203.097).
        CriminalDomestic = "criminal_domestic",
        /// Criminal protective order, other.
        CriminalOther = "criminal_other",
        /// Retail crime order (Pen. Code 490.8); it protects an establishment.
        RetailCrime = "retail_crime",
        /// Order of another state (Fam. Code 6401).
        OutOfState = "out_of_state",
        /// Order of a tribal court (Fam. Code 6401(7)).
        Tribal = "tribal",
        /// Canadian domestic violence order (Fam. Code 6450).
        Canadian = "canadian",
    }
}

/// Which part of the rules on priority and expiry an order belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nature {
    /// Asked for by police, for days.
    Emergency,
    /// Of a civil, family or juvenile court.
    Civil,
    /// Of a criminal court.
    Criminal,
    /// Of a court outside the State's own system.
    Foreign,
    /// Not known.
    NotStated,
}

impl Family {
    /// The part of the rules it belongs to.
    #[must_use]
    pub const fn nature(self) -> Nature {
        match self {
            Self::NotStated => Nature::NotStated,
            Self::Emergency => Nature::Emergency,
            Self::DomesticViolence
            | Self::CivilHarassment
            | Self::ElderAbuse
            | Self::WorkplaceViolence
            | Self::SchoolViolence
            | Self::Juvenile
            | Self::GunViolence => Nature::Civil,
            Self::CriminalDomestic | Self::CriminalOther | Self::RetailCrime => Nature::Criminal,
            Self::OutOfState | Self::Tribal | Self::Canadian => Nature::Foreign,
        }
    }

    /// Whether an order of this family is made without a protected person who has a name.
    #[must_use]
    pub const fn protects_no_named_person(self) -> bool {
        matches!(self, Self::GunViolence | Self::RetailCrime)
    }
}

closed! {
    /// How far an order has come.
    #[derive(Default)]
    pub enum Stage: "stage" {
        /// Neither the record nor its form says.
        #[default]
        NotStated = "not_stated",
        /// Made on police request, outside a hearing.
        Emergency = "emergency",
        /// In force to the hearing.
        Temporary = "temporary",
        /// Temporary, its hearing put off (Fam. Code 245).
        Continued = "continued",
        /// Made after notice and hearing.
        AfterHearing = "after_hearing",
        /// After hearing, prolonged (Fam. Code 6345).
        Renewed = "renewed",
        /// After hearing, its terms changed.
        Modified = "modified",
    }
}

/// The words for a kind of order in capitals, as on its face and in an officer's ear: `DV RESTRAINING ORDER AFTER HEARING`.
pub(crate) fn title(family: Family, stage: Stage) -> String {
    let kind = match family {
        Family::NotStated => "PROTECTIVE ORDER",
        Family::Emergency => return "EMERGENCY PROTECTIVE ORDER".to_owned(),
        Family::DomesticViolence => "DV RESTRAINING ORDER",
        Family::CivilHarassment => "CIVIL HARASSMENT RESTRAINING ORDER",
        Family::ElderAbuse => "ELDER ABUSE RESTRAINING ORDER",
        Family::WorkplaceViolence => "WORKPLACE VIOLENCE RESTRAINING ORDER",
        Family::SchoolViolence => "SCHOOL VIOLENCE RESTRAINING ORDER",
        Family::Juvenile => "JUVENILE RESTRAINING ORDER",
        Family::GunViolence => "GUN VIOLENCE RESTRAINING ORDER",
        Family::CriminalDomestic => "CRIMINAL PROTECTIVE ORDER DV",
        Family::CriminalOther => "CRIMINAL PROTECTIVE ORDER",
        Family::RetailCrime => "RETAIL CRIME PROTECTIVE ORDER",
        Family::OutOfState => "OUT-OF-STATE PROTECTIVE ORDER",
        Family::Tribal => "TRIBAL PROTECTIVE ORDER",
        Family::Canadian => "CANADIAN PROTECTIVE ORDER",
    };
    match stage {
        Stage::NotStated => kind.to_owned(),
        Stage::Emergency => format!("EMERGENCY {kind}"),
        Stage::Temporary => format!("TEMPORARY {kind}"),
        Stage::Continued => format!("TEMPORARY {kind} CONTINUED"),
        Stage::AfterHearing => format!("{kind} AFTER HEARING"),
        Stage::Renewed => format!("{kind} RENEWED"),
        Stage::Modified => format!("{kind} MODIFIED"),
    }
}
