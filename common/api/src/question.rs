//! A lookup as it was asked, read into the order model's words; what the words find is for others to say.

use ccpor_domain as domain;

use crate::convert::{Reading, read_identifier, read_sex};
use crate::message::{AskedPerson, LookupRequest};
use crate::problem::Problem;

/// The hits of a page when the caller does not say.
pub const DEFAULT_LIMIT: usize = 20;
/// The most hits of a page.
pub const MAX_LIMIT: usize = 200;
/// The most numbers that one question may hold.
pub const MAX_IDENTIFIERS: usize = 16;
/// The longest text of one field, in bytes.
pub const MAX_TEXT: usize = 200;
/// The most further people of one question.
pub const MAX_WITH: usize = 7;

/// Which persons of an order are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Whom the order restrains.
    Restrained,
    /// Whom it protects.
    Protected,
}

impl Role {
    /// The word in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restrained => "restrained",
            Self::Protected => "protected",
        }
    }
}

/// A question of which every field has the shape it must have. Empty texts and `None` mean: not said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The name.
    pub name: domain::Name,
    /// Date of birth, perhaps in part.
    pub dob: Option<domain::PartialDate>,
    /// Sex; none also for unknown.
    pub sex: Option<domain::Sex>,
    /// Numbers of persons and vehicles, the driver's licence among them.
    pub identifiers: Vec<domain::Identifier>,
    /// A court's case number.
    pub case_number: String,
    /// A registry number.
    pub registry_number: Option<domain::RegistryNumber>,
    /// A dispatcher's free line; then no other field of the person is said.
    pub line: String,
    /// Only persons in this role.
    pub role: Option<Role>,
    /// The least score, 0 to 1; none for the default.
    pub min_score: Option<f32>,
    /// The most hits, 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// From the answer before; opaque here.
    pub page_token: String,
    /// Only orders in these states; empty for all.
    pub states: Vec<domain::Status>,
    /// Only orders of these courts; empty for all.
    pub courts: Vec<domain::CourtRef>,
    /// The moment that is asked for; none for now.
    pub at: Option<domain::UtcMillis>,
    /// The age in seconds from which a court is listed as not current; none for the machine's own bound.
    pub max_age_s: Option<u32>,
    /// Further people of the same call; of these only what says who they are.
    pub with: Vec<Question>,
    /// Only orders that name at least two of those asked for.
    pub between: bool,
}

/// Reads a question.
///
/// # Errors
/// A [`Problem`] of the kind invalid-fields: a field of the wrong shape, nothing to look for, or a line beside fields.
pub fn question_from(request: &LookupRequest) -> Result<Question, Problem> {
    Reading::at("").finish(|reading| {
        let with = others(reading, request);
        Question {
            with,
            between: request.between,
            ..read(reading, request)
        }
    })
}

/// The further people of a question.
fn others(reading: &mut Reading, request: &LookupRequest) -> Vec<Question> {
    if request.with.len() > MAX_WITH {
        reading.refuse("with", format!("are more than {MAX_WITH} people: ask twice"));
        return Vec::new();
    }
    if request.between && request.with.is_empty() {
        reading.refuse("between", "needs a second person: give one in with");
    }
    if !request.with.is_empty() && !request.page_token.is_empty() {
        reading.refuse(
            "page_token",
            "a question about several people has one page: ask for one of them alone",
        );
    }
    let person = |reading: &mut Reading, person: &AskedPerson| {
        let alone = LookupRequest {
            first: person.first.clone(),
            middle: person.middle.clone(),
            last: person.last.clone(),
            suffix: person.suffix.clone(),
            dob: person.dob.clone(),
            sex: person.sex.clone(),
            dl: person.dl.clone(),
            line: person.line.clone(),
            ..LookupRequest::default()
        };
        read(reading, &alone)
    };
    reading.each("with", &request.with, person)
}

fn read(reading: &mut Reading, request: &LookupRequest) -> Question {
    for (field, text) in texts(request) {
        if text.len() > MAX_TEXT {
            reading.refuse(field, format!("is longer than {MAX_TEXT} bytes"));
        }
    }
    let question = Question {
        name: domain::Name {
            first: request.first.clone(),
            middle: request.middle.clone(),
            last: request.last.clone(),
            suffix: request.suffix.clone(),
        },
        dob: reading.optional("dob", &request.dob),
        sex: read_sex(reading, &request.sex).filter(|sex| *sex != domain::Sex::Unknown),
        identifiers: identifiers(reading, request),
        case_number: request.case_number.trim().to_owned(),
        registry_number: reading.optional("registry_number", &request.registry_number),
        line: request.line.trim().to_owned(),
        role: role(reading, &request.role),
        min_score: score(reading, request.min_score),
        limit: limit(reading, request.limit),
        page_token: request.page_token.clone(),
        states: read_each(reading, "states", &request.states),
        courts: read_each(reading, "courts", &request.courts),
        at: reading.optional("at", &request.at),
        max_age_s: Some(request.max_age_s).filter(|age| *age > 0),
        ..Question::default()
    };
    something_is_asked(reading, &question);
    question
}

fn texts(request: &LookupRequest) -> [(&'static str, &String); 10] {
    [
        ("first", &request.first),
        ("middle", &request.middle),
        ("last", &request.last),
        ("suffix", &request.suffix),
        ("dl", &request.dl),
        ("case_number", &request.case_number),
        ("registry_number", &request.registry_number),
        ("line", &request.line),
        ("page_token", &request.page_token),
        ("reference", &request.reference),
    ]
}

fn identifiers(reading: &mut Reading, request: &LookupRequest) -> Vec<domain::Identifier> {
    if request.identifiers.len() > MAX_IDENTIFIERS {
        reading.refuse("identifiers", format!("are more than {MAX_IDENTIFIERS}"));
        return Vec::new();
    }
    let mut numbers = reading.each("identifiers", &request.identifiers, read_identifier);
    numbers.extend(driver_license(&request.dl));
    numbers
}

/// `D1234567`, or with the state before it: `CA D1234567`.
fn driver_license(text: &str) -> Option<domain::Identifier> {
    let text = text.trim();
    let (issuer, value) = match text.split_once([' ', '-', '/']) {
        Some((state, rest)) if state.len() == 2 && state.bytes().all(|b| b.is_ascii_alphabetic()) => {
            (state.to_ascii_uppercase(), rest.trim())
        }
        _ => (String::new(), text),
    };
    (!value.is_empty()).then(|| domain::Identifier {
        kind: domain::IdentifierKind::DriverLicense,
        value: value.to_owned(),
        issuer,
    })
}

fn role(reading: &mut Reading, word: &str) -> Option<Role> {
    match word.trim() {
        "" => None,
        "restrained" => Some(Role::Restrained),
        "protected" => Some(Role::Protected),
        _ => {
            reading.refuse(
                "role",
                "not a role: write restrained or protected, or leave it empty for both",
            );
            None
        }
    }
}

fn score(reading: &mut Reading, least: f32) -> Option<f32> {
    if !(0.0..=1.0).contains(&least) {
        reading.refuse("min_score", "must lie between 0 and 1");
    }
    Some(least).filter(|least| *least > 0.0)
}

fn limit(reading: &mut Reading, limit: u32) -> usize {
    match usize::try_from(limit) {
        Ok(0) => DEFAULT_LIMIT,
        Ok(limit) if limit <= MAX_LIMIT => limit,
        _ => {
            reading.refuse(
                "limit",
                format!("is more than {MAX_LIMIT}: ask for further pages"),
            );
            MAX_LIMIT
        }
    }
}

fn read_each<T>(reading: &mut Reading, field: &str, words: &[String]) -> Vec<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    if words.len() > 100 {
        reading.refuse(field, "are more than 100");
        return Vec::new();
    }
    words
        .iter()
        .filter_map(|word| reading.optional(field, word))
        .collect()
}

fn something_is_asked(reading: &mut Reading, question: &Question) {
    let fields = !question.name.is_blank()
        || question.dob.is_some()
        || !question.identifiers.is_empty()
        || !question.case_number.is_empty()
        || question.registry_number.is_some();
    match (question.line.is_empty(), fields) {
        (true, false) => reading.refuse(
            "last",
            "nothing to look for: give a name, a date of birth, a number or a line",
        ),
        (false, true) => reading.refuse("line", "give either a line or fields, not both"),
        _ => {}
    }
}
