//! What the form of an entry says as an order, and an order as the form shows it. What the form has no field for stays as it was, so
//! that changing one field of an order loses nothing of the others. It asks nobody and judges nothing.

use ccpor_api::message::{Court, Expiry, Hearing, Identifier, Name, Order, Person, Protected, Term};
use ccpor_domain::Form;

use crate::fields::Fields;

/// Protected persons that the form has room for.
pub(crate) const PROTECTED: [&str; 4] = ["p1", "p2", "p3", "p4"];
/// Terms that are a box each: the field and the term.
const TERMS: [(&str, &str); 7] = [
    ("term_conduct", "conduct"),
    ("term_no_contact", "no_contact"),
    ("term_move_out", "move_out"),
    ("term_firearms", "firearms"),
    ("term_body_armor", "body_armor"),
    ("term_animals", "animals"),
    ("term_record", "record_communications"),
];
/// From what a distance is to be kept: the field and the place.
const PLACES: [(&str, &str); 6] = [
    ("place_person", "person"),
    ("place_home", "home"),
    ("place_work", "work"),
    ("place_vehicle", "vehicle"),
    ("place_school", "school"),
    ("place_children_school", "children_school"),
];
/// Terms that are a line of words each: the field and the term.
const TEXTS: [(&str, &str); 2] = [("custody", "custody"), ("peaceful", "peaceful_contact")];

/// An order as the form shows it.
pub(crate) fn fields_of(order: &Order) -> Fields {
    let court = order.court.clone().unwrap_or_default();
    let hearing = order.hearing.clone().unwrap_or_default();
    let expires = order.expires.clone().unwrap_or_default();
    let form = Form::find(&order.form).map_or("", |form| form.number);
    let pairs = [
        ("form", form.to_owned()),
        ("statute", order.statute.clone()),
        ("case_number", order.case_number.clone()),
        ("issued", order.issued.clone()),
        ("expires", expires.date),
        ("no_end", on(expires.kind == "never")),
        ("judge", court.judge),
        ("department", court.department),
        ("hearing_date", hearing.date),
        ("hearing_time", hearing.time),
        ("hearing_department", hearing.department),
        ("present", on(order.present_at_hearing == Some(true))),
        ("other_text", order.other_text.clone()),
    ];
    let mut all: Vec<(String, String)> = pairs.map(|(name, value)| (name.to_owned(), value)).into();
    if let Some(person) = &order.restrained {
        all.extend(described(person));
    }
    for (prefix, protected) in PROTECTED.iter().zip(&order.protected) {
        let person = protected.person.clone().unwrap_or_default();
        let name = person.name.unwrap_or_default();
        let relationship = match protected.relationship.as_str() {
            "not_stated" => "",
            stated => stated,
        };
        let pairs = [
            ("first", name.first),
            ("last", name.last),
            ("dob", person.dob),
            ("relationship", relationship.to_owned()),
        ];
        all.extend(pairs.map(|(name, value)| (format!("{prefix}_{name}"), value)));
    }
    all.extend(term_fields(&order.terms));
    Fields::of(all)
}

fn on(yes: bool) -> String {
    if yes { "on" } else { "" }.to_owned()
}

fn described(person: &Person) -> Vec<(String, String)> {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let licence = person.identifiers.iter().find(|one| is_licence(one));
    let name = person.name.clone().unwrap_or_default();
    let sex = match person.sex.as_str() {
        "unknown" => "",
        stated => stated,
    };
    let pairs = [
        ("first", name.first),
        ("middle", name.middle),
        ("last", name.last),
        ("suffix", name.suffix),
        ("dob", person.dob.clone()),
        ("sex", sex.to_owned()),
        ("race", person.race.join("/")),
        ("feet", number(person.height_inches.map(|inches| inches / 12))),
        ("inches", number(person.height_inches.map(|inches| inches % 12))),
        ("weight", number(person.weight_pounds)),
        ("hair", person.hair.clone()),
        ("eye", person.eye.clone()),
        ("marks", person.marks.clone()),
        ("dl", licence.map(|one| one.value.clone()).unwrap_or_default()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

fn is_licence(one: &Identifier) -> bool {
    one.kind == "driver_license"
}

fn term_fields(terms: &[Term]) -> Vec<(String, String)> {
    let find = |kind: &str| terms.iter().find(|term| term.kind == kind);
    let mut pairs: Vec<(&str, String)> = TERMS
        .iter()
        .map(|(field, kind)| (*field, on(find(kind).is_some())))
        .collect();
    if let Some(away) = find("stay_away") {
        let yards = away.distance_yards.map(|yards| yards.to_string());
        pairs.extend([("term_stay_away", on(true)), ("yards", yards.unwrap_or_default())]);
        pairs.extend(
            PLACES
                .iter()
                .map(|(field, place)| (*field, on(away.places.iter().any(|one| one == place)))),
        );
    }
    pairs.extend(TEXTS.iter().map(|(field, kind)| {
        (
            *field,
            find(kind).map(|term| term.text.clone()).unwrap_or_default(),
        )
    }));
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What a form says beside what it was opened with.
struct Said<'a> {
    fields: &'a Fields,
    opened: Fields,
}

impl Said<'_> {
    /// Whether a field says something else than it was opened with. A browser changes the blanks and breaks of lines.
    fn is_new(&self, name: &str) -> bool {
        !same(self.fields.get(name), self.opened.get(name))
    }

    fn any(&self, names: impl IntoIterator<Item = &'static str>) -> bool {
        names.into_iter().any(|name| self.is_new(name))
    }

    fn text(&self, name: &str) -> String {
        self.fields.get(name).replace("\r\n", "\n")
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.fields.get(name).parse().ok()
    }

    fn ticked(&self, name: &str) -> bool {
        !self.fields.get(name).is_empty()
    }

    /// Takes the field over when it is new.
    fn set(&self, name: &str, value: &mut String) {
        if self.is_new(name) {
            *value = self.text(name);
        }
    }
}

pub(crate) fn same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// The order that the form says, of the clerk's own court, opened with `base`. What is no number is left to the registry's words,
/// never guessed.
pub(crate) fn order(fields: &Fields, base: Order, court: &str) -> Order {
    let said = Said {
        fields,
        opened: fields_of(&base),
    };
    let mut order = base;
    if said.is_new("form") {
        order.form = said.text("form");
        // What an order is follows from its form.
        order.family.clear();
        order.stage.clear();
    }
    said.set("statute", &mut order.statute);
    said.set("case_number", &mut order.case_number);
    if said.is_new("issued") {
        order.issued = said.text("issued");
        order.issued_time.clear();
    }
    said.set("other_text", &mut order.other_text);
    if said.any(["expires", "no_end"]) {
        order.expires = expires(&said);
    }
    if said.is_new("present") {
        order.present_at_hearing = Some(said.ticked("present"));
    }
    if said.any(["hearing_date", "hearing_time", "hearing_department"]) {
        order.hearing = hearing(&said, order.hearing.take().unwrap_or_default());
    }
    order.court = Some(of_court(&said, order.court.take().unwrap_or_default(), court));
    order.restrained = Some(restrained(&said, order.restrained.take().unwrap_or_default()));
    order.protected = protected(&said, std::mem::take(&mut order.protected));
    terms(&said, &mut order.terms);
    order
}

fn expires(said: &Said<'_>) -> Option<Expiry> {
    let (kind, date) = match (said.ticked("no_end"), said.text("expires")) {
        (true, _) => ("never", String::new()),
        (false, date) if date.is_empty() => return None,
        (false, date) => ("on_date", date),
    };
    Some(Expiry {
        kind: kind.to_owned(),
        date,
        time: String::new(),
    })
}

fn hearing(said: &Said<'_>, mut hearing: Hearing) -> Option<Hearing> {
    said.set("hearing_date", &mut hearing.date);
    said.set("hearing_time", &mut hearing.time);
    said.set("hearing_department", &mut hearing.department);
    (hearing != Hearing::default()).then_some(hearing)
}

fn of_court(said: &Said<'_>, mut court: Court, own: &str) -> Court {
    if let Some((kind, slug)) = own.split_once('/') {
        slug.clone_into(&mut court.slug);
        court.tribal = kind == "tribal";
    }
    said.set("judge", &mut court.judge);
    said.set("department", &mut court.department);
    court
}

fn restrained(said: &Said<'_>, mut person: Person) -> Person {
    let mut name: Name = person.name.take().unwrap_or_default();
    said.set("first", &mut name.first);
    said.set("middle", &mut name.middle);
    said.set("last", &mut name.last);
    said.set("suffix", &mut name.suffix);
    person.name = Some(name);
    said.set("dob", &mut person.dob);
    said.set("sex", &mut person.sex);
    if said.is_new("race") {
        let codes = said.text("race");
        person.race = codes
            .split(['/', ','])
            .map(|code| code.trim().to_owned())
            .filter(|code| !code.is_empty())
            .collect();
    }
    if said.any(["feet", "inches"]) {
        person.height_inches = said.number("feet").map(|feet| {
            feet.saturating_mul(12)
                .saturating_add(said.number("inches").unwrap_or(0))
        });
    }
    if said.is_new("weight") {
        person.weight_pounds = said.number("weight");
    }
    said.set("hair", &mut person.hair);
    said.set("eye", &mut person.eye);
    said.set("marks", &mut person.marks);
    if said.is_new("dl") {
        let place = person.identifiers.iter().position(is_licence);
        let value = said.text("dl");
        match place.and_then(|place| person.identifiers.get_mut(place)) {
            Some(licence) if !value.is_empty() => licence.value = value,
            Some(_) => {
                let mut first = true;
                person
                    .identifiers
                    .retain(|one| !(is_licence(one) && std::mem::take(&mut first)));
            }
            None => person.identifiers.push(Identifier {
                kind: "driver_license".to_owned(),
                value,
                issuer: "CA".to_owned(),
            }),
        }
    }
    person
}

/// The protected persons: those of the form, where one without a name is left out, and those whom it has no room for.
fn protected(said: &Said<'_>, before: Vec<Protected>) -> Vec<Protected> {
    let mut before = before.into_iter();
    let mut all = Vec::new();
    for prefix in PROTECTED {
        let was = before.next();
        let known = was.is_some();
        let mut one = was.unwrap_or_default();
        let mut person = one.person.take().unwrap_or_default();
        let mut name = person.name.take().unwrap_or_default();
        said.set(&format!("{prefix}_first"), &mut name.first);
        said.set(&format!("{prefix}_last"), &mut name.last);
        said.set(&format!("{prefix}_dob"), &mut person.dob);
        let relationship = format!("{prefix}_relationship");
        // What the list of the form does not have is shown as nothing.
        if said.ticked(&relationship) {
            said.set(&relationship, &mut one.relationship);
        }
        let is_named = !name.last.is_empty() || !name.first.is_empty();
        person.name = Some(name);
        one.person = Some(person);
        if !known {
            one.role = if all.is_empty() { "primary" } else { "additional" }.to_owned();
        }
        // A minor whom a court made confidential may stand there without a name.
        if is_named || (known && one.minor_confidential) {
            all.push(one);
        }
    }
    all.extend(before);
    all
}

fn terms(said: &Said<'_>, terms: &mut Vec<Term>) {
    for (field, kind) in TERMS {
        if said.is_new(field) {
            first(terms, kind, said.ticked(field));
        }
    }
    if said.any(["term_stay_away", "yards"]) || PLACES.iter().any(|(field, _)| said.is_new(field)) {
        let away = first(terms, "stay_away", said.ticked("term_stay_away"));
        if let Some(away) = away {
            away.distance_yards = said.number("yards");
            away.places
                .retain(|place| !PLACES.iter().any(|(_, known)| known == place));
            let chosen = PLACES.iter().filter(|(field, _)| said.ticked(field));
            away.places.extend(chosen.map(|(_, place)| (*place).to_owned()));
        }
    }
    for (field, kind) in TEXTS {
        if said.is_new(field)
            && let Some(term) = first(terms, kind, said.ticked(field))
        {
            term.text = said.text(field);
        }
    }
}

/// The first term of a kind, made when it is wanted and not there; all of the kind are taken away when it is not wanted.
fn first<'a>(terms: &'a mut Vec<Term>, kind: &str, wanted: bool) -> Option<&'a mut Term> {
    let place = terms.iter().position(|term| term.kind == kind);
    match (place, wanted) {
        (_, false) => {
            terms.retain(|term| term.kind != kind);
            None
        }
        (Some(place), true) => terms.get_mut(place),
        (None, true) => {
            terms.push(Term {
                kind: kind.to_owned(),
                ..Term::default()
            });
            terms.last_mut()
        }
    }
}

#[cfg(test)]
#[path = "draft_examples.rs"]
mod examples;
