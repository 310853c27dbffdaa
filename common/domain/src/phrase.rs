//! Words for people who stand at a door: orders, terms and rules, in English and Spanish. One table, so that no sentence exists in one
//! language alone.

use crate::closed::closed;
use crate::enforcement::Rule;
use crate::family::{Family, Stage};
use crate::order::Order;
use crate::term::{Place, Term, TermKind};

closed! {
    /// The language of an answer.
    #[derive(Default)]
    pub enum Language: "language" {
        /// English.
        #[default]
        English = "en",
        /// Spanish.
        Spanish = "es",
    }
}

impl Language {
    pub(crate) const fn pick(self, english: &'static str, spanish: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }
}

/// What a term asks, in a sentence; with the words of the order behind it, as they are on the paper.
#[must_use]
pub fn term_words(term: &Term, language: Language) -> String {
    let mut said = match term.kind {
        TermKind::StayAway => distance(term, language),
        TermKind::Other if term.forbids_contact() => kind_words(TermKind::NoContact, language).to_owned(),
        TermKind::Other if term.commands_distance() => distance(term, language),
        TermKind::Other if term.commands_move_out() => kind_words(TermKind::MoveOut, language).to_owned(),
        TermKind::Other if term.forbids_firearms() => kind_words(TermKind::Firearms, language).to_owned(),
        kind => kind_words(kind, language).to_owned(),
    };
    let text = one_line(&term.text);
    if !text.is_empty() {
        said.push_str(&format!(" ({text})"));
    }
    said
}

fn kind_words(kind: TermKind, language: Language) -> &'static str {
    let (english, spanish) = match kind {
        TermKind::Other => ("See the words of the order", "Vea el texto de la orden"),
        TermKind::Conduct => (
            "Do not harass, attack, threaten, stalk, or disturb the peace",
            "No acose, ataque, amenace, aceche ni perturbe la paz",
        ),
        TermKind::NoContact => (
            "No contact, direct or indirect, by any means",
            "Ningún contacto, directo ni indirecto, por ningún medio",
        ),
        TermKind::StayAway => ("Stay away", "Manténgase alejado"),
        TermKind::MoveOut => ("Move out of the residence", "Desaloje la vivienda"),
        TermKind::Firearms => (
            "No firearms or firearm parts: do not own, have, buy or receive them",
            "Nada de armas de fuego ni sus partes: no las posea, tenga, compre ni reciba",
        ),
        TermKind::Ammunition => ("No ammunition", "Nada de municiones"),
        TermKind::BodyArmor => ("No body armor", "Nada de chalecos antibalas"),
        TermKind::Animals => (
            "Stay away from the protected animals, and do not take or harm them",
            "Manténgase alejado de los animales protegidos, y no los tome ni les haga daño",
        ),
        TermKind::Custody => (
            "Custody of children as ordered",
            "Custodia de los hijos según la orden",
        ),
        TermKind::Visitation => (
            "Visits to children only as ordered",
            "Visitas a los hijos solo según la orden",
        ),
        TermKind::PeacefulContact => (
            "Peaceful contact is allowed only for the purpose that the order states",
            "Se permite contacto pacífico solo para el fin que dice la orden",
        ),
        TermKind::ElectronicMonitoring => ("Electronic monitoring", "Vigilancia electrónica"),
        TermKind::RecordCommunications => (
            "The protected person may record communications that break the order",
            "La persona protegida puede grabar comunicaciones que violen la orden",
        ),
        TermKind::Property => (
            "Property and payments as ordered",
            "Bienes y pagos según la orden",
        ),
    };
    language.pick(english, spanish)
}

fn distance(term: &Term, language: Language) -> String {
    let mut said = match term.distance_yards {
        Some(yards) => match language {
            Language::English => format!("Stay at least {yards} yards away"),
            Language::Spanish => format!("Manténgase al menos a {yards} yardas"),
        },
        None => kind_words(TermKind::StayAway, language).to_owned(),
    };
    if !term.places.is_empty() {
        let places: Vec<&str> = term
            .places
            .iter()
            .map(|place| place_words(*place, language))
            .collect();
        said.push_str(language.pick(" from ", " de "));
        said.push_str(&places.join(", "));
    }
    said
}

fn place_words(place: Place, language: Language) -> &'static str {
    let (english, spanish) = match place {
        Place::Person => ("the protected person", "la persona protegida"),
        Place::Home => ("the home", "el hogar"),
        Place::Work => ("the workplace", "el lugar de trabajo"),
        Place::Vehicle => ("the vehicle", "el vehículo"),
        Place::School => ("the school", "la escuela"),
        Place::ChildrenSchool => (
            "the children's school or child care",
            "la escuela o guardería de los hijos",
        ),
        Place::AdditionalProtected => ("the other protected persons", "las demás personas protegidas"),
        Place::Animals => ("the animals", "los animales"),
        Place::Establishment => ("the establishment", "el establecimiento"),
        Place::Other => (
            "the places that the order names",
            "los lugares que nombra la orden",
        ),
    };
    language.pick(english, spanish)
}

/// Why a term is enforced, in a sentence.
#[must_use]
pub const fn rule_words(rule: Rule, language: Language) -> &'static str {
    match rule {
        Rule::OnlyOrder => language.pick(
            "the only order in force for this person",
            "la única orden vigente para esta persona",
        ),
        Rule::EmergencyOverlay => language.pick(
            "the emergency order is stricter here and goes first",
            "la orden de emergencia es más estricta aquí y va primero",
        ),
        Rule::NoContact => language.pick(
            "a no-contact order goes before every other",
            "una orden de no contacto va antes que cualquier otra",
        ),
        Rule::CriminalLatest => language.pick(
            "the criminal order issued last goes before civil orders",
            "la orden penal más reciente va antes que las civiles",
        ),
        Rule::CivilLatest => language.pick(
            "the civil order issued last goes first",
            "la orden civil más reciente va primero",
        ),
        Rule::Adds => language.pick(
            "it conflicts with nothing and stays",
            "no contradice nada y sigue vigente",
        ),
        Rule::NotRanked => language.pick(
            "the law does not rank this order: ask the court",
            "la ley no da rango a esta orden: pregunte a la corte",
        ),
    }
}

/// What an order is: in capitals as on its face in English, in words in Spanish.
#[must_use]
pub(crate) fn title_words(order: &Order, language: Language) -> String {
    if language == Language::English {
        return order.title();
    }
    let kind = match order.resolved_family() {
        Family::NotStated => "orden de protección",
        Family::Emergency => return "orden de protección de emergencia".to_owned(),
        Family::DomesticViolence => "orden de restricción por violencia doméstica",
        Family::CivilHarassment => "orden de restricción por acoso civil",
        Family::ElderAbuse => "orden de restricción por abuso de personas mayores o adultos dependientes",
        Family::WorkplaceViolence => "orden de restricción por violencia en el trabajo",
        Family::SchoolViolence => "orden de restricción por violencia escolar",
        Family::Juvenile => "orden de restricción del tribunal de menores",
        Family::GunViolence => "orden de restricción por violencia armada",
        Family::CriminalDomestic => "orden penal de protección por violencia doméstica",
        Family::CriminalOther => "orden penal de protección",
        Family::RetailCrime => "orden de protección por delitos contra comercios",
        Family::OutOfState => "orden de protección de otro estado",
        Family::Tribal => "orden de protección de una corte tribal",
        Family::Canadian => "orden de protección de Canadá",
    };
    let stage = match order.resolved_stage() {
        Stage::NotStated => "",
        Stage::Emergency => ", de emergencia",
        Stage::Temporary => ", temporal",
        Stage::Continued => ", temporal y prorrogada",
        Stage::AfterHearing => ", después de la audiencia",
        Stage::Renewed => ", renovada",
        Stage::Modified => ", modificada",
    };
    format!("{kind}{stage}")
}

/// Text of a record on one line and of bounded length, so that it cannot change the shape of what it stands in.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<&str> = text
        .split(|c: char| !is_printed(c) || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// Neither a control character nor one that turns the direction of writing (Unicode Bidi_Control).
pub(crate) fn is_printed(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
