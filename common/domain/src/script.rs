//! The notice that an officer reads aloud at the door, in English and Spanish: the order, whom it protects, its terms, its end, where a
//! copy is to be had, and what follows from breaking it.

use crate::date::{Date, TimeOfDay};
use crate::expiry::End;
use crate::family::{Family, Nature};
use crate::order::Order;
use crate::phrase::{Language, one_line, term_words, title_words};
use crate::standing::Standing;

/// What an officer reads aloud to give verbal notice of an order that was not served (Fam. Code 6383(e); Code Civ. Proc.
/// 527.6(r)(7)), and a last line in brackets for the officer alone. No address of a protected person stands in it, and no name of a
/// minor whom a court made confidential; that a foreign order was registered is not said (18 U.S.C. 2265(d)(1)).
#[must_use]
pub fn notice_script(order: &Order, standing: &Standing, language: Language) -> String {
    let mut said = opening(order, language);
    said.push_str(&protects(order, language));
    for term in &order.terms {
        said.push_str(&format!("- {}.\n", term_words(term, language)));
    }
    if order.terms.is_empty() {
        said.push_str(language.pick(
            "- The terms are on the paper: read them from the image of the order.\n",
            "- Los términos están en el documento: léalos de la imagen de la orden.\n",
        ));
    }
    if gives_up_firearms(order) {
        said.push_str(language.pick(
            "If an officer asks for your firearms and ammunition, hand them over at once; if not, give them up within 24 hours.\n",
            "Si un agente le pide sus armas de fuego y municiones, entréguelas de inmediato; si no, entréguelas dentro de 24 horas.\n",
        ));
    }
    said.push_str(&until(standing.ends, language));
    said.push_str(&copy_from(order, language));
    said.push_str(language.pick(
        "If you do not obey, you can be arrested and charged with a crime.\n",
        "Si no la obedece, puede ser arrestado y acusado de un delito.\n",
    ));
    said.push_str(&for_the_officer(order, language));
    said
}

/// Which order it is. What the record does not say is left out, never read as a gap.
fn opening(order: &Order, language: Language) -> String {
    let title = title_words(order, language);
    let court = one_line(&order.court.display_name());
    let case = one_line(&order.case_number);
    let mut said = language
        .pick(
            "There is a court order against you: ",
            "Hay una orden judicial en su contra: ",
        )
        .to_owned();
    said.push_str(&title);
    if !court.is_empty() {
        said.push_str(language.pick(", made by ", ", dictada por "));
        said.push_str(&court);
    }
    if let Some(issued) = order.issued {
        said.push_str(language.pick(" on ", " el "));
        said.push_str(&day(issued, language));
    }
    if !case.is_empty() {
        said.push_str(language.pick(", case ", ", caso "));
        said.push_str(&case);
    }
    said.push_str(language.pick(
        ". You are being told of it now, and from this moment you must obey it.\n",
        ". Se le informa de ella ahora, y desde este momento debe obedecerla.\n",
    ));
    said
}

/// With whom contact is forbidden, from whom to stay away: without it nobody could obey.
fn protects(order: &Order, language: Language) -> String {
    // Only an order for an establishment protects one; elsewhere the field is filled by mistake.
    let named = order.establishment.as_deref();
    let establishment = named.filter(|_| order.resolved_family() == Family::RetailCrime);
    let mut names: Vec<String> = order
        .protected
        .iter()
        .filter(|one| !one.minor_confidential)
        .map(|one| one_line(&one.person.name.full()))
        .chain(establishment.map(one_line))
        .filter(|name| !name.is_empty())
        .collect();
    if order.protected.iter().any(|one| one.minor_confidential) {
        let minor = language.pick(
            "a minor whose name is confidential",
            "un menor cuyo nombre es confidencial",
        );
        names.push(minor.to_owned());
    }
    if names.is_empty() {
        return language
            .pick(
                "It names no protected person.\n",
                "No nombra a ninguna persona protegida.\n",
            )
            .to_owned();
    }
    format!(
        "{}{}.\n",
        language.pick("It protects: ", "Protege a: "),
        names.join("; ")
    )
}

/// Fam. Code 6389(c): an order under the Domestic Violence Prevention Act, or an emergency one, that forbids firearms.
fn gives_up_firearms(order: &Order) -> bool {
    let family = order.resolved_family();
    order.forbids_firearms() && matches!(family, Family::DomesticViolence | Family::Emergency)
}

fn until(end: End, language: Language) -> String {
    match end {
        End::At { date, time, .. } => format!(
            "{}{}, {}.\n",
            language.pick("It is in force until ", "Está vigente hasta el "),
            day(date, language),
            hour(time, language)
        ),
        End::Never => language
            .pick("It has no end date.\n", "No tiene fecha de término.\n")
            .to_owned(),
        End::NotStated => language
            .pick(
                "Its end is not recorded; it counts as in force. Ask the court.\n",
                "No consta su fecha de término; se considera vigente. Pregunte a la corte.\n",
            )
            .to_owned(),
    }
}

fn copy_from(order: &Order, language: Language) -> String {
    let court = &order.court;
    let place = [
        one_line(&court.display_name()),
        one_line(&court.address),
        one_line(&court.phone),
    ];
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let place = if place.is_empty() {
        language
            .pick("the court that made it", "la corte que la dictó")
            .to_owned()
    } else {
        place.join(", ")
    };
    let from = language.pick("You can get a copy from: ", "Puede obtener una copia en: ");
    format!("{from}{place}.\n")
}

/// What the officer is to do besides reading; not read aloud.
fn for_the_officer(order: &Order, language: Language) -> String {
    let mut said = language
        .pick(
            "[For the officer: record this service, with your name, assignment and case number (Fam. Code 6383(f)).",
            "[Para el agente: registre esta notificación, con su nombre, asignación y número de caso (Fam. Code 6383(f)).",
        )
        .to_owned();
    match (order.resolved_family(), order.nature()) {
        (Family::WorkplaceViolence | Family::SchoolViolence, _) => said.push_str(language.pick(
            " Ask for the person's address. No arrest for what was done before this notice (Code Civ. Proc. 527.8(s)(7), 527.85(r)(7)).",
            " Pida el domicilio de la persona. No arreste por actos anteriores a este aviso (Code Civ. Proc. 527.8(s)(7), 527.85(r)(7)).",
        )),
        (_, Nature::Foreign) => said.push_str(language.pick(
            " Give a reasonable opportunity to obey before enforcing (Fam. Code 6403(c)).",
            " Dé una oportunidad razonable de obedecer antes de hacerla cumplir (Fam. Code 6403(c)).",
        )),
        _ => {}
    }
    said.push_str("]\n");
    said
}

/// `October 1, 2029`; `1 de octubre de 2029`.
fn day(date: Date, language: Language) -> String {
    let month = match date.month() {
        1 => language.pick("January", "enero"),
        2 => language.pick("February", "febrero"),
        3 => language.pick("March", "marzo"),
        4 => language.pick("April", "abril"),
        5 => language.pick("May", "mayo"),
        6 => language.pick("June", "junio"),
        7 => language.pick("July", "julio"),
        8 => language.pick("August", "agosto"),
        9 => language.pick("September", "septiembre"),
        10 => language.pick("October", "octubre"),
        11 => language.pick("November", "noviembre"),
        _ => language.pick("December", "diciembre"),
    };
    match language {
        Language::English => format!("{month} {}, {}", date.day(), date.year()),
        Language::Spanish => format!("{} de {month} de {}", date.day(), date.year()),
    }
}

fn hour(time: Option<TimeOfDay>, language: Language) -> String {
    match time {
        Some(time) => format!("{}{time}", language.pick("at ", "a las ")),
        None => language
            .pick("at the end of the day", "al final del día")
            .to_owned(),
    }
}
