//! The people of a row: names, descriptions and numbers. No address of a protected person is taken, wherever it stands.

use ccpor_domain::{
    CodeTable, Identifier, IdentifierKind, Name, Person, Protected, ProtectedRole, Sex, Vehicle,
};
use serde_json::Value;

use super::fault::Reason;
use super::fields::{Fields, rounded};

const CM_PER_INCH: f64 = 2.54;
const POUNDS_PER_KG: f64 = 2.204_622_6;

/// Whom the order restrains.
pub(super) fn restrained(fields: &mut Fields<'_>) -> Person {
    fields.within("restrained", read).unwrap_or_default()
}

/// Whom it protects. Where no role is given, the first is item 1 of the form and the others are item 3.
pub(super) fn protected(fields: &mut Fields<'_>) -> Vec<Protected> {
    let listed = fields.each("protected", |fields| {
        let role: Option<ProtectedRole> = fields.parsed("role");
        let protected = Protected {
            role: ProtectedRole::default(),
            relationship: fields.word("relationship"),
            minor_confidential: fields.flag("minor_confidential").unwrap_or_default(),
            safe_at_home: fields.flag("safe_at_home").unwrap_or_default(),
            person: match fields.has("person") {
                true => fields.within("person", read).unwrap_or_default(),
                false => read(fields),
            },
        };
        (role, protected)
    });
    // An entry of which every field is blank is a person that the source's form had room for.
    let named = listed
        .into_iter()
        .filter(|(_, protected)| protected.person != Person::default());
    let usual = |place| {
        if place == 0 {
            ProtectedRole::Primary
        } else {
            ProtectedRole::Additional
        }
    };
    let placed = named.enumerate();
    placed
        .map(|(place, (role, protected))| Protected {
            role: role.unwrap_or(usual(place)),
            ..protected
        })
        .collect()
}

fn read(fields: &mut Fields<'_>) -> Person {
    Person {
        name: name(fields),
        aliases: aliases(fields),
        dob: fields.parsed("dob"),
        age_estimate: fields.whole("age_estimate", 0, 150),
        sex: sex(fields),
        race: races(fields),
        height_inches: height(fields),
        weight_pounds: weight(fields),
        eye: code(fields, CodeTable::Eye, "eye"),
        hair: code(fields, CodeTable::Hair, "hair"),
        skin: code(fields, CodeTable::Skin, "skin"),
        marks: fields.text("marks"),
        identifiers: identifiers(fields),
        vehicles: fields.each("vehicles", vehicle),
        cautions: fields.texts("cautions", &[';', ',']),
        language: fields.text("language"),
    }
}

/// Parts beside the other fields, an object of them, or a text `LAST, FIRST MIDDLE`.
fn name(fields: &mut Fields<'_>) -> Name {
    match fields.take("name") {
        None => parts_of_name(fields),
        Some(Value::Object(map)) => fields.inner("name", map, parts_of_name),
        Some(text) => match fields.text_of("name", text) {
            Some(text) if text.contains(',') => name_of(&text),
            Some(_) => {
                // Which word of "Ana Maria Lopez" is the family name nobody can tell.
                fields.refuse(
                    "name",
                    Reason::Shape("LAST, FIRST MIDDLE with the comma, or first, middle, last apart"),
                );
                Name::default()
            }
            None => Name::default(),
        },
    }
}

fn parts_of_name(fields: &mut Fields<'_>) -> Name {
    Name {
        first: fields.text("first"),
        middle: fields.text("middle"),
        last: fields.text("last"),
        suffix: fields.text("suffix"),
    }
}

/// Objects with the parts of a name, or texts `LAST, FIRST MIDDLE`; one word alone stands as `last`.
fn aliases(fields: &mut Fields<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    for (place, item) in fields.items("aliases") {
        match item {
            Value::Object(map) => names.push(fields.inner(&place, map, name)),
            text => names.extend(fields.text_of(&place, text).map(|text| name_of(&text))),
        }
    }
    names.retain(|name| !name.is_blank());
    names
}

fn name_of(text: &str) -> Name {
    let (last, given) = text.split_once(',').unwrap_or((text, ""));
    let (first, middle) = given.trim().split_once(' ').unwrap_or((given.trim(), ""));
    Name {
        middle: middle.trim().to_owned(),
        ..Name::new(first, last.trim())
    }
}

fn sex(fields: &mut Fields<'_>) -> Sex {
    let text = fields.text("sex");
    if text.is_empty() {
        return Sex::Unknown;
    }
    Sex::find(&text).unwrap_or_else(|| {
        fields.refuse("sex", Reason::Sex);
        Sex::Unknown
    })
}

fn races(fields: &mut Fields<'_>) -> Vec<String> {
    let codes = fields.texts("race", &[';', ',', '/']);
    codes
        .into_iter()
        .map(|code| known(CodeTable::Race, code))
        .collect()
}

fn code(fields: &mut Fields<'_>, table: CodeTable, name: &str) -> String {
    known(table, fields.text(name))
}

/// The code for a code or its words; what the table lacks stays as it came.
fn known(table: CodeTable, text: String) -> String {
    table.find(&text).map_or(text, |entry| entry.code.to_owned())
}

fn height(fields: &mut Fields<'_>) -> Option<u16> {
    let inches = fields.whole("height_inches", 1, 120);
    let from_cm = fields
        .number("height_cm", 20, 300)
        .and_then(|cm| rounded(cm / CM_PER_INCH));
    either(fields, inches, from_cm, ("height_cm", "height_inches"))
}

fn weight(fields: &mut Fields<'_>) -> Option<u16> {
    let pounds = fields.whole("weight_pounds", 1, 1500);
    let from_kg = fields
        .number("weight_kg", 1, 700)
        .and_then(|kg| rounded(kg * POUNDS_PER_KG));
    either(fields, pounds, from_kg, ("weight_kg", "weight_pounds"))
}

fn either(
    fields: &mut Fields<'_>,
    stated: Option<u16>,
    metric: Option<u16>,
    (name, other): (&str, &'static str),
) -> Option<u16> {
    if let (Some(stated), Some(metric)) = (stated, metric)
        && stated.abs_diff(metric) > 1
    {
        fields.refuse(name, Reason::Disagrees { other });
    }
    stated.or(metric)
}

fn identifiers(fields: &mut Fields<'_>) -> Vec<Identifier> {
    use IdentifierKind::{Cii, DriverLicense, Fbi, Sid, SsnLast4};
    let mut found = Vec::new();
    for (name, state, kind) in [
        ("dl", "dl_state", DriverLicense),
        ("cii", "", Cii),
        ("fbi", "", Fbi),
        ("sid", "sid_state", Sid),
        ("ssn_last4", "", SsnLast4),
    ] {
        let value = fields.text(name);
        if !value.is_empty() {
            let issuer = if state.is_empty() {
                String::new()
            } else {
                fields.text(state)
            };
            found.push((name.to_owned(), Identifier { kind, value, issuer }));
        }
    }
    let mut place = 0;
    found.extend(fields.each("identifiers", |fields| {
        let identifier = Identifier {
            kind: fields.word("kind"),
            value: fields.text("value"),
            issuer: fields.text("issuer"),
        };
        place += 1;
        (format!("identifiers[{}]", place - 1), identifier)
    }));
    for (name, identifier) in &found {
        let four_digits =
            identifier.value.len() == 4 && identifier.value.bytes().all(|byte| byte.is_ascii_digit());
        if identifier.kind == SsnLast4 && !four_digits {
            fields.refuse(name, Reason::Shape("the last four digits and no more"));
        }
    }
    found
        .into_iter()
        .map(|(_, identifier)| identifier)
        .filter(|identifier| !identifier.value.is_empty())
        .collect()
}

fn vehicle(fields: &mut Fields<'_>) -> Vehicle {
    Vehicle {
        plate: fields.text("plate"),
        state: fields.text("state"),
        vin: fields.text("vin"),
        make: fields.text("make"),
        model: fields.text("model"),
        year: fields.whole("year", 1885, 2200),
        color: fields.text("color"),
    }
}
