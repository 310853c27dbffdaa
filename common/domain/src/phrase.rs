//! Words for people who stand at a door: terms, rules and the notice that is read aloud, in English and Spanish. One table, so
//! that no sentence exists in one language alone.

use crate::closed::closed;
use crate::enforcement::Rule;
use crate::expiry::End;
use crate::order::Order;
use crate::standing::Standing;
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
    const fn pick(self, english: &'static str, spanish: &'static str) -> &'static str {
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

/// What an officer reads aloud to give verbal notice of an order that was not served (Fam. Code 6383(e); Code Civ. Proc.
/// 527.6(r)(7)): the order, its terms, its end, where a copy is to be had, and what follows from breaking it. No address of a
/// protected person stands in it.
#[must_use]
pub fn notice_script(order: &Order, standing: &Standing, language: Language) -> String {
    let court = one_line(&order.court.display_name());
    let case = one_line(&order.case_number);
    let issued = order.issued.map_or_else(String::new, |date| date.to_string());
    let title = order.title();
    let mut said = match language {
        Language::English => format!(
            "There is a court order against you: {title}. {court} made it on {issued}, case {case}. You are being told of it now, and \
             from this moment you must obey it.\n"
        ),
        Language::Spanish => format!(
            "Hay una orden judicial en su contra: {title}. La dictó {court} el {issued}, caso {case}. Se le informa de ella ahora, y \
             desde este momento debe obedecerla.\n"
        ),
    };
    for term in &order.terms {
        said.push_str(&format!("- {}.\n", term_words(term, language)));
    }
    if order.terms.is_empty() {
        said.push_str(language.pick(
            "- The terms are on the paper: read them from the image of the order.\n",
            "- Los términos están en el documento: léalos de la imagen de la orden.\n",
        ));
    }
    said.push_str(&until(standing.ends, language));
    let place = [
        court,
        one_line(&order.court.address),
        one_line(&order.court.phone),
    ];
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
    said.push_str(language.pick("You can get a copy from: ", "Puede obtener una copia en: "));
    said.push_str(&format!("{}.\n", place.join(", ")));
    said.push_str(language.pick(
        "If you do not obey, you can be arrested and charged with a crime.\n",
        "Si no la obedece, puede ser arrestado y acusado de un delito.\n",
    ));
    said
}

fn until(end: End, language: Language) -> String {
    match (end, language) {
        (End::At { date, time, .. }, Language::English) => {
            let time = time.map_or_else(|| "the end of the day".to_owned(), |time| time.to_string());
            format!("It is in force until {date}, {time}.\n")
        }
        (End::At { date, time, .. }, Language::Spanish) => {
            let time = time.map_or_else(|| "al final del día".to_owned(), |time| format!("a las {time}"));
            format!("Está vigente hasta el {date}, {time}.\n")
        }
        (End::Never, language) => language
            .pick("It has no end date.\n", "No tiene fecha de término.\n")
            .to_owned(),
        (End::NotStated, language) => language
            .pick(
                "Its end is not recorded; it counts as in force.\n",
                "No consta su fecha de término; se considera vigente.\n",
            )
            .to_owned(),
    }
}

/// Text of a record on one line and of bounded length, so that it cannot change the shape of what it stands in.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<&str> = text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(LONGEST).collect()
}
