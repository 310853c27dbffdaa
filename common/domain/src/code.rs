//! The code tables of the police databases: a code, its words, and the way from either to the entry. A code that no table
//! holds is kept by its record as it came; this file never refuses one.

use crate::closed::closed;
use crate::date::Date;

closed! {
    /// Sex as the orders' forms ask for it. JSON takes the NCIC letter too.
    #[derive(Default)]
    pub enum Sex: "sex" {
        /// Not stated, or not known: `U`.
        #[default]
        #[serde(alias = "U", alias = "u")]
        Unknown = "unknown",
        /// `F`.
        #[serde(alias = "F", alias = "f")]
        Female = "female",
        /// `M`.
        #[serde(alias = "M", alias = "m")]
        Male = "male",
        /// Nonbinary on the California forms: `X`.
        #[serde(alias = "X", alias = "x")]
        Nonbinary = "nonbinary",
    }
}

impl Sex {
    /// The letter of the police databases (NCIC SEX; California adds X).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "U",
            Self::Female => "F",
            Self::Male => "M",
            Self::Nonbinary => "X",
        }
    }

    /// From the word or the letter, in either case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let by_letter = |sex: &Self| sex.code().eq_ignore_ascii_case(text.trim());
        text.parse()
            .ok()
            .or_else(|| Self::ALL.iter().copied().find(by_letter))
    }
}

/// One line of a code table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeEntry {
    /// As it is stored and sent: capitals or digits.
    pub code: &'static str,
    /// What it means, in plain words.
    pub words: &'static str,
    /// The first day on which it is used; none where the source does not say.
    pub effective: Option<(i16, u8, u8)>,
    /// The first day on which it is used no more; none while it is.
    pub obsolete: Option<(i16, u8, u8)>,
}

impl CodeEntry {
    /// Whether the code may be used on this day.
    #[must_use]
    pub fn is_used_on(&self, date: Date) -> bool {
        let day = <(i16, u8, u8)>::from(date);
        self.effective.is_none_or(|first| first <= day) && self.obsolete.is_none_or(|end| day < end)
    }
}

closed! {
    /// The tables this crate carries.
    pub enum CodeTable: "code table" {
        /// NCIC RAC, with California's H.
        Race = "race",
        /// NCIC EYE.
        Eye = "eye",
        /// NCIC HAI.
        Hair = "hair",
        /// NCIC SKN.
        Skin = "skin",
        /// NCIC CMC, caution and medical conditions.
        Caution = "caution",
        /// NCIC PCO, protection order conditions.
        Condition = "condition",
    }
}

impl CodeTable {
    /// All lines, in the order of their codes.
    #[must_use]
    pub const fn entries(self) -> &'static [CodeEntry] {
        match self {
            Self::Race => RACE,
            Self::Eye => EYE,
            Self::Hair => HAIR,
            Self::Skin => SKIN,
            Self::Caution => CAUTION,
            Self::Condition => CONDITION,
        }
    }

    /// Where the table comes from.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Race => "NCIC RAC as published by New Orleans (ncic.xsd), with California's H",
            Self::Eye | Self::Hair | Self::Skin => "NCIC as published by New Orleans (ncic.xsd)",
            Self::Caution => "NCIC CMC, from general knowledge",
            Self::Condition => "NCIC PCO as published in NIEM (ncic:PCOCodeType)",
        }
    }

    /// Whether the published table was not read, so that an administrator should check it before relying on it. No source that was
    /// read says from when, or until when, a code is used: such days are left open.
    #[must_use]
    pub const fn unverified(self) -> bool {
        matches!(self, Self::Race | Self::Caution)
    }

    /// The line for a code or for its words, in either case.
    #[must_use]
    pub fn find(self, text: &str) -> Option<CodeEntry> {
        let text = text.trim();
        let same = |entry: &&CodeEntry| {
            entry.code.eq_ignore_ascii_case(text) || entry.words.eq_ignore_ascii_case(text)
        };
        self.entries().iter().find(same).copied()
    }
}

macro_rules! entries {
    ($($code:literal $words:literal),+ $(,)?) => { &[$( CodeEntry { code: $code, words: $words, effective: None, obsolete: None } ),+] };
}

/// NCIC; H is California's.
const RACE: &[CodeEntry] = entries![
    "A" "Asian", "B" "Black", "H" "Hispanic", "I" "American Indian", "U" "unknown", "W" "White",
];

const EYE: &[CodeEntry] = entries![
    "BLK" "black", "BLU" "blue", "BRO" "brown", "GRN" "green", "GRY" "gray", "HAZ" "hazel", "MAR" "maroon",
    "MUL" "multicolored", "PNK" "pink", "XXX" "unknown",
];

const HAIR: &[CodeEntry] = entries![
    "BLK" "black", "BLN" "blond", "BLU" "blue", "BRO" "brown", "GRN" "green", "GRY" "gray", "ONG" "orange",
    "PLE" "purple", "PNK" "pink", "RED" "red", "SDY" "sandy", "WHI" "white", "XXX" "unknown",
];

const SKIN: &[CodeEntry] = entries![
    "ALB" "albino", "BLK" "black", "DBR" "dark brown", "DRK" "dark", "FAR" "fair", "LBR" "light brown",
    "LGT" "light", "MBR" "medium brown", "MED" "medium", "OLV" "olive", "RUD" "ruddy", "SAL" "sallow",
    "YEL" "yellow",
];

const CAUTION: &[CodeEntry] = entries![
    "00" "armed and dangerous", "01" "other", "05" "violent tendencies", "10" "martial arts expert",
    "15" "explosive expertise", "20" "known to abuse drugs", "25" "escape risk",
    "30" "sexually violent predator", "35" "sex offender", "40" "international flight risk",
    "50" "heart condition", "55" "alcoholic", "60" "allergies", "65" "epilepsy", "70" "suicidal",
    "80" "medication required", "85" "hemophiliac", "90" "diabetic",
];

const CONDITION: &[CodeEntry] = entries![
    "01" "may not assault, threaten, abuse, harass, follow, interfere with or stalk",
    "02" "may not threaten family or household of the protected person",
    "03" "protected person has the residence alone",
    "04" "stay away from residence, property, school or work",
    "05" "no contact of any kind",
    "06" "restrained person has visitation or custody",
    "07" "no firearms or other weapons",
    "08" "other terms: see the text",
    "09" "protected person has temporary custody alone",
];
