//! The Judicial Council's forms as a table: from a form's number to the family and stage of the order written on it.
//! A form that the table lacks stays text on its order; nothing here refuses one.

use crate::closed::closed;
use crate::family::{Family, Stage};

closed! {
    /// What is written on a form.
    pub enum FormKind: "kind of form" {
        /// An order.
        Order = "order",
        /// A proof that an order was served.
        ProofOfService = "proof_of_service",
        /// An order that ends another.
        Termination = "termination",
    }
}

/// One form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// As printed: `DV-130`.
    pub number: &'static str,
    /// What is written on it.
    pub kind: FormKind,
    /// The family its orders belong to.
    pub family: Family,
    /// The stage its orders are in; not stated where one form serves several.
    pub stage: Stage,
    /// Whether the number was not read in an official or published source, so that an administrator should check it.
    pub unverified: bool,
    /// Where the line comes from.
    pub source: &'static str,
}

impl Form {
    /// The form whose number stands at the start of `text`: `DV-130`, `dv130`, `DV-130 DVRO`, `Form CR-160 (CLETS)`.
    #[must_use]
    pub fn find(text: &str) -> Option<&'static Self> {
        let (letters, digits) = number_at_start(text)?;
        let length = letters.len() + "-".len() + digits.len();
        FORMS.iter().find(|form| {
            form.number.len() == length
                && form
                    .number
                    .split_once('-')
                    .is_some_and(|(of, number)| number == digits && of.eq_ignore_ascii_case(letters))
        })
    }
}

/// `dv 130 (clets)` is `("dv", "130")`.
fn number_at_start(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let rest = match text.split_at_checked("FORM".len()) {
        Some((word, rest)) if word.eq_ignore_ascii_case("FORM") => rest.trim_start(),
        _ => text,
    };
    let (letters, rest) = rest.split_at_checked(leading(rest, u8::is_ascii_alphabetic))?;
    let rest = rest.trim_start_matches([' ', '-', '_', '\u{2010}', '\u{2011}', '\u{2013}']);
    let (digits, _) = rest.split_at_checked(leading(rest, u8::is_ascii_digit))?;
    (!letters.is_empty() && !digits.is_empty()).then_some((letters, digits))
}

/// How many bytes at the start are of a kind.
fn leading(text: &str, of_kind: fn(&u8) -> bool) -> usize {
    text.bytes().take_while(of_kind).count()
}

const FORM_SET: &str = "Judicial Council of California form set";
const NUMBER_NOT_READ: &str = "by analogy with the other form sets; number not read in a published form";

macro_rules! form {
    ($number:literal $family:ident $stage:ident) => {
        form!($number Order $family $stage, false, FORM_SET)
    };
    ($number:literal $family:ident $stage:ident unverified) => {
        form!($number Order $family $stage, true, NUMBER_NOT_READ)
    };
    ($number:literal $kind:ident of $family:ident) => {
        form!($number $kind $family NotStated, false, FORM_SET)
    };
    ($number:literal $kind:ident of $family:ident unverified) => {
        form!($number $kind $family NotStated, true, NUMBER_NOT_READ)
    };
    ($number:literal $kind:ident $family:ident $stage:ident, $unverified:literal, $source:expr) => {
        Form {
            number: $number,
            kind: FormKind::$kind,
            family: Family::$family,
            stage: Stage::$stage,
            unverified: $unverified,
            source: $source,
        }
    };
}

/// Every form this crate knows.
pub const FORMS: &[Form] = &[
    form!("EPO-001" Emergency Emergency),
    form!("EPO-002" GunViolence Emergency unverified),
    form!("DV-110" DomesticViolence Temporary),
    form!("DV-115" DomesticViolence Continued),
    form!("DV-116" DomesticViolence Continued),
    form!("DV-130" DomesticViolence AfterHearing),
    form!("DV-730" DomesticViolence Renewed),
    form!("DV-200" ProofOfService of DomesticViolence),
    form!("DV-250" ProofOfService of DomesticViolence),
    form!("DV-400" Termination of DomesticViolence),
    form!("CH-110" CivilHarassment Temporary),
    form!("CH-116" CivilHarassment Continued),
    form!("CH-130" CivilHarassment AfterHearing),
    form!("CH-730" CivilHarassment Renewed unverified),
    form!("CH-200" ProofOfService of CivilHarassment),
    form!("EA-110" ElderAbuse Temporary),
    form!("EA-116" ElderAbuse Continued),
    form!("EA-130" ElderAbuse AfterHearing),
    form!("EA-730" ElderAbuse Renewed unverified),
    form!("EA-200" ProofOfService of ElderAbuse),
    form!("WV-110" WorkplaceViolence Temporary),
    form!("WV-116" WorkplaceViolence Continued),
    form!("WV-130" WorkplaceViolence AfterHearing),
    form!("WV-730" WorkplaceViolence Renewed unverified),
    form!("WV-200" ProofOfService of WorkplaceViolence),
    form!("SV-110" SchoolViolence Temporary),
    form!("SV-116" SchoolViolence Continued),
    form!("SV-130" SchoolViolence AfterHearing),
    form!("SV-730" SchoolViolence Renewed unverified),
    form!("SV-200" ProofOfService of SchoolViolence),
    form!("JV-250" Juvenile Temporary),
    form!("JV-251" Juvenile Continued unverified),
    form!("JV-255" Juvenile AfterHearing),
    form!("JV-268" ProofOfService of Juvenile unverified),
    form!("GV-110" GunViolence Temporary),
    form!("GV-116" GunViolence Continued unverified),
    form!("GV-130" GunViolence AfterHearing),
    form!("GV-730" GunViolence Renewed unverified),
    form!("GV-200" ProofOfService of GunViolence unverified),
    form!("CR-160" CriminalDomestic NotStated),
    form!("CR-161" CriminalOther NotStated),
    form!("CR-162" CriminalOther NotStated unverified),
    form!("CR-165" Termination of CriminalDomestic),
    form!("DV-600" OutOfState NotStated),
    form!("DV-610" Tribal NotStated),
    form!("DV-630" Canadian NotStated unverified),
];
