//! Reasons: the words in which a hit says what speaks for it and against it.

use std::fmt;

use crate::birth::BirthAlike;
use crate::card::{IdKind, NumberKind};
use crate::likeness::Alike;

/// One piece of evidence; `Display` gives it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An identifier of the person is equal.
    SameId(IdKind),
    /// A number of the order is equal.
    SameNumber(NumberKind),
    /// Given name and surname stand in each other's place.
    NamesSwapped,
    /// How the surnames agree.
    Surname(NameReason),
    /// How the given names agree.
    Given(NameReason),
    /// How the middle names agree.
    Middle(NameReason),
    /// How the dates of birth agree.
    Birth(BirthReason),
    /// The name that agrees is an alias or an earlier name.
    ByAlias,
    /// The recorded sex is another.
    SexDiffers,
    /// The same suffix (JR, SR, II …).
    SameSuffix,
    /// One is JR, the other SR, or the like.
    SuffixDiffers,
}

/// How two names agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameReason {
    /// Equal.
    Same,
    /// One slip.
    OneSlip,
    /// Two slips or more.
    SeveralSlips,
    /// Sounds alike.
    SoundsAlike,
    /// A nickname, or two nicknames of one name.
    Nickname,
    /// One is the other's initial.
    Initial,
    /// One is the beginning of the other.
    Shortened,
    /// Equal but for a particle (DE LA, VAN …).
    Particle,
    /// Only one of several surnames is given, or one is added.
    Part,
    /// The surnames are in another order.
    OtherOrder,
    /// Written together here and apart there.
    RunTogether,
    /// The given name here is a middle name there.
    IsMiddle,
    /// Nothing in common.
    Differs,
}

/// How two dates of birth agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BirthReason {
    /// Equal.
    Same,
    /// One day apart.
    OneDayOff,
    /// Up to three days apart.
    FewDaysOff,
    /// 3/12 and 12/3.
    MonthAndDaySwapped,
    /// The same, and the year is off too.
    SwappedAndYearOff,
    /// The year is one or ten off.
    YearOff,
    /// One digit is another.
    OneDigit,
    /// Two neighbouring digits changed places.
    DigitsSwapped,
    /// Only month and day agree.
    SameMonthAndDay,
    /// Only year and month agree.
    SameYearAndMonth,
    /// Only year and day agree.
    SameYearAndDay,
    /// Only the year agrees.
    SameYear,
    /// Born within the year or the age asked for.
    Fits,
    /// Just outside of it.
    NearlyFits,
    /// No date is recorded.
    NotRecorded,
    /// Nothing in common.
    Differs,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameId(kind) => write!(f, "same {}", id_name(*kind)),
            Self::SameNumber(kind) => write!(f, "same {}", number_name(*kind)),
            Self::NamesSwapped => f.write_str("given name and surname swapped"),
            Self::Surname(how) => name_reason(f, "surname", *how),
            Self::Given(how) => name_reason(f, "given name", *how),
            Self::Middle(how) => name_reason(f, "middle name", *how),
            Self::Birth(how) => f.write_str(birth_reason(*how)),
            Self::ByAlias => f.write_str("by an alias or earlier name"),
            Self::SexDiffers => f.write_str("sex differs"),
            Self::SameSuffix => f.write_str("same suffix"),
            Self::SuffixDiffers => f.write_str("suffix differs (perhaps father and son)"),
        }
    }
}

pub(crate) fn id_name(kind: IdKind) -> &'static str {
    match kind {
        IdKind::DriverLicense => "driver's license number",
        IdKind::Cii => "CII number",
        IdKind::Fbi => "FBI number",
        IdKind::SocialSecurity => "social security number",
        IdKind::Plate => "license plate",
        IdKind::Vin => "vehicle identification number",
        IdKind::Other => "number",
    }
}

pub(crate) fn number_name(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Case => "case number",
        NumberKind::Registry => "registry number",
        NumberKind::Fcn => "file control number",
        NumberKind::LeaCase => "agency report number",
    }
}

fn name_reason(f: &mut fmt::Formatter<'_>, part: &str, how: NameReason) -> fmt::Result {
    match how {
        NameReason::Same => write!(f, "same {part}"),
        NameReason::OneSlip => write!(f, "{part} spelt nearly the same"),
        NameReason::SeveralSlips => write!(f, "{part} spelt similarly"),
        NameReason::SoundsAlike => write!(f, "{part} sounds alike"),
        NameReason::Nickname => write!(f, "{part} is a nickname of the other"),
        NameReason::Initial => write!(f, "{part} agrees in the initial"),
        NameReason::Shortened => write!(f, "{part} is a shortened form"),
        NameReason::Particle => write!(f, "same {part} but for a particle"),
        NameReason::Part => write!(f, "one of the {part}s agrees"),
        NameReason::OtherOrder => write!(f, "same {part}s in another order"),
        NameReason::RunTogether => write!(f, "{part}s written together"),
        NameReason::IsMiddle => write!(f, "{part} is the other's middle name"),
        NameReason::Differs => write!(f, "{part} differs"),
    }
}

fn birth_reason(how: BirthReason) -> &'static str {
    match how {
        BirthReason::Same => "same date of birth",
        BirthReason::OneDayOff => "date of birth one day off",
        BirthReason::FewDaysOff => "date of birth a few days off",
        BirthReason::MonthAndDaySwapped => "day and month swapped",
        BirthReason::SwappedAndYearOff => "day and month swapped and year off",
        BirthReason::YearOff => "year of birth off",
        BirthReason::OneDigit => "one digit of the date of birth differs",
        BirthReason::DigitsSwapped => "two digits of the date of birth swapped",
        BirthReason::SameMonthAndDay => "same day and month, another year",
        BirthReason::SameYearAndMonth => "same year and month, another day",
        BirthReason::SameYearAndDay => "same year and day, another month",
        BirthReason::SameYear => "same year of birth",
        BirthReason::Fits => "birth fits",
        BirthReason::NearlyFits => "birth nearly fits",
        BirthReason::NotRecorded => "no date of birth to compare",
        BirthReason::Differs => "date of birth differs",
    }
}

impl From<Alike> for NameReason {
    fn from(alike: Alike) -> Self {
        match alike {
            Alike::Same => NameReason::Same,
            Alike::SpeltOne => NameReason::OneSlip,
            Alike::SpeltTwo | Alike::Near => NameReason::SeveralSlips,
            Alike::SoundsClose | Alike::Sounds => NameReason::SoundsAlike,
            Alike::Nick | Alike::SharedNick | Alike::NickMisspelt => NameReason::Nickname,
            Alike::Initial => NameReason::Initial,
            Alike::Short => NameReason::Shortened,
            Alike::Core => NameReason::Particle,
            Alike::None => NameReason::Differs,
        }
    }
}

impl From<BirthAlike> for BirthReason {
    fn from(birth: BirthAlike) -> Self {
        match birth {
            BirthAlike::Unknown => BirthReason::NotRecorded,
            BirthAlike::Same => BirthReason::Same,
            BirthAlike::OneDayOff => BirthReason::OneDayOff,
            BirthAlike::MonthAndDaySwapped => BirthReason::MonthAndDaySwapped,
            BirthAlike::YearOff => BirthReason::YearOff,
            BirthAlike::OneDigit => BirthReason::OneDigit,
            BirthAlike::DigitsSwapped => BirthReason::DigitsSwapped,
            BirthAlike::FewDaysOff => BirthReason::FewDaysOff,
            BirthAlike::SwappedAndYearOff => BirthReason::SwappedAndYearOff,
            BirthAlike::SameMonthAndDay => BirthReason::SameMonthAndDay,
            BirthAlike::SameYearAndMonth => BirthReason::SameYearAndMonth,
            BirthAlike::SameYearAndDay => BirthReason::SameYearAndDay,
            BirthAlike::SameYear => BirthReason::SameYear,
            BirthAlike::InSpan => BirthReason::Fits,
            BirthAlike::BesideSpan | BirthAlike::NearSpan => BirthReason::NearlyFits,
            BirthAlike::YearBeside | BirthAlike::Far => BirthReason::Differs,
        }
    }
}
