//! What is printed of an order besides its own page: the card that an officer takes along, and the copy that is handed to the
//! restrained person, which says nothing but what the order itself says to that person.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use ccpor_api::message::{EnforceAnswer, EnforceRequest, GetOrderRequest, OrderAnswer, Person};

use crate::as_of::AsOf;
use crate::ask;
use crate::described::{self, Described};
use crate::frame::{Frame, Here, Shown, Trouble, show, trouble};
use crate::moment;
use crate::paper::Paper;
use crate::site::{Inner, Site};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    paper: Paper,
    person: Described,
    /// What is to be enforced, of every order in force.
    terms: Vec<String>,
    /// What is to be read aloud when it was not served.
    aloud: String,
    printed: String,
}

#[derive(Template)]
#[template(path = "copy.html")]
struct CopyPage<'a> {
    f: Frame<'a>,
    paper: Paper,
    printed: String,
}

struct Read {
    order: OrderAnswer,
    enforce: EnforceAnswer,
    title: String,
    printed: String,
}

async fn read(site: &Inner, visit: &Visit, number: &str) -> Result<Read, Trouble> {
    let told = |problem| trouble(site, visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let backend = &site.pages.backend;
    let wanted = GetOrderRequest {
        order_id: number.to_owned(),
        ..GetOrderRequest::default()
    };
    let order = ask::read(site, backend.get_order(&caller, wanted))
        .await
        .map_err(told)?;
    let asked = EnforceRequest {
        order_id: number.to_owned(),
        language: visit.language.code().to_owned(),
        ..EnforceRequest::default()
    };
    let enforce = ask::read(site, backend.enforce(&caller, asked))
        .await
        .map_err(told)?;
    let brief = enforce
        .orders
        .iter()
        .find(|brief| brief.order_id == order.order_id);
    let at = order.standing.as_ref().map(|standing| standing.at.as_str());
    Ok(Read {
        title: brief.map(|brief| brief.title.clone()).unwrap_or_default(),
        printed: moment::whole(at.unwrap_or_default()),
        order,
        enforce,
    })
}

/// `GET /orders/{number}/card`.
pub(crate) async fn card(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Shown {
    let w = visit.words();
    let Read {
        order,
        enforce,
        title,
        printed,
    } = read(&site, &visit, &number).await?;
    let as_of = AsOf::of(order.freshness.as_ref(), w).map_err(|problem| trouble(&site, &visit, &problem))?;
    let mut terms: Vec<String> = Vec::new();
    for person in &enforce.persons {
        for term in &person.terms {
            let words = format!("{}: {}", person_name(&person.name, w), term.words);
            if !terms.contains(&words) {
                terms.push(words);
            }
        }
    }
    terms.extend(enforce.everywhere.iter().map(|term| term.words.clone()));
    let aloud = enforce
        .orders
        .iter()
        .find(|brief| brief.order_id == order.order_id)
        .map(|brief| brief.notice_script.clone());
    let nobody = Person::default();
    let restrained = order.order.as_ref().and_then(|order| order.restrained.as_ref());
    show(&CardPage {
        person: described::person(restrained.unwrap_or(&nobody), w),
        paper: Paper::of(&order, &title, visit.language.code(), w),
        f: Frame::new(&site, &visit, w.card_title, Here::Search),
        as_of,
        terms,
        aloud: aloud.unwrap_or_default(),
        printed,
    })
}

fn person_name<'a>(name: &'a str, w: &'a crate::words::Words) -> &'a str {
    if name.is_empty() {
        w.confidential_minor
    } else {
        name
    }
}

/// `GET /orders/{number}/copy`.
pub(crate) async fn copy(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Shown {
    let w = visit.words();
    let read = read(&site, &visit, &number).await?;
    show(&CopyPage {
        paper: Paper::of(&read.order, &read.title, visit.language.code(), w),
        f: Frame::new(&site, &visit, w.copy_for_service, Here::Search),
        printed: read.printed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;
    use ccpor_api::message::*;

    /// A mark that is found again wherever it is shown.
    fn mark(name: &str) -> String {
        format!("MARK-{}", name.to_uppercase())
    }

    fn marked(prefix: &str) -> Person {
        let all = |part: &str| mark(&format!("{prefix}-{part}"));
        Person {
            name: Some(Name {
                first: all("first"),
                middle: all("middle"),
                last: all("last"),
                suffix: all("suffix"),
            }),
            aliases: vec![Name {
                last: all("alias"),
                ..Name::default()
            }],
            dob: "1985-03-12".into(),
            race: vec![all("race")],
            eye: all("eye"),
            hair: all("hair"),
            skin: all("skin"),
            marks: all("marks"),
            identifiers: vec![Identifier {
                kind: "driver_license".into(),
                value: all("licence"),
                issuer: "CA".into(),
            }],
            vehicles: vec![Vehicle {
                plate: all("plate"),
                vin: all("vin"),
                ..Vehicle::default()
            }],
            cautions: vec![all("caution")],
            language: all("language"),
            ..Person::default()
        }
    }

    /// An order with a mark in every text.
    fn order() -> OrderAnswer {
        let minor = Protected {
            person: Some(marked("minor")),
            minor_confidential: true,
            ..Protected::default()
        };
        let order = Order {
            form: mark("form"),
            statute: mark("statute"),
            court: Some(Court {
                slug: "alameda".into(),
                name: mark("court"),
                address: mark("court-address"),
                phone: mark("court-phone"),
                department: mark("department"),
                judge: mark("judge"),
                ori: "CA001015J".into(),
                ..Court::default()
            }),
            case_number: mark("case"),
            agency_case_number: mark("agency-case"),
            fcn: mark("fcn"),
            issued: "2026-11-20".into(),
            hearing: Some(Hearing {
                date: "2026-12-11".into(),
                department: mark("hearing-department"),
                room: mark("hearing-room"),
                judge: mark("hearing-judge"),
                attended: mark("hearing-attended"),
                ..Hearing::default()
            }),
            restrained: Some(marked("restrained")),
            protected: vec![
                Protected {
                    person: Some(marked("protected")),
                    ..Protected::default()
                },
                minor,
            ],
            establishment: mark("establishment"),
            terms: vec![Term {
                kind: "custody".into(),
                text: mark("term"),
                ..Term::default()
            }],
            other_text: mark("other-text"),
            ..Order::default()
        };
        OrderAnswer {
            registry_number: mark("number"),
            source_id: mark("source"),
            order: Some(order),
            service: vec![ServiceRecord {
                service: Some(Service {
                    served_by: mark("server"),
                    place: mark("service-place"),
                    note: mark("service-note"),
                    ..Service::default()
                }),
                ..ServiceRecord::default()
            }],
            history: vec![Step {
                reason: mark("reason"),
                ..Step::default()
            }],
            ..OrderAnswer::default()
        }
    }

    fn marks(text: &str) -> std::collections::BTreeSet<String> {
        text.split("MARK-")
            .skip(1)
            .map(|rest| {
                rest.chars()
                    .take_while(|letter| letter.is_ascii_uppercase() || *letter == '-')
                    .collect::<String>()
                    .to_lowercase()
            })
            .collect()
    }

    #[test]
    fn the_copy_for_service_says_what_is_on_its_list_and_nothing_else() {
        let w = Language::English.words();
        let page = CopyPage {
            f: Frame {
                w,
                lang: "en",
                assets: "0",
                title: String::new(),
                place: "",
                token: "",
                path: "",
                session: None,
                here: Here::Search,
            },
            paper: Paper::of(&order(), &mark("title"), "en", w),
            printed: String::new(),
        };
        let text = page.render().unwrap();
        let allowed = [
            "case",
            "court",
            "court-phone",
            "department",
            "form",
            "hearing-department",
            "judge",
            "number",
            "other-text",
            "protected-first",
            "protected-last",
            "protected-middle",
            "protected-suffix",
            "restrained-first",
            "restrained-last",
            "restrained-middle",
            "restrained-suffix",
            "term",
            "title",
        ];
        assert_eq!(marks(&text), allowed.map(String::from).into());
        assert!(!text.contains("1985"), "a date of birth");
    }
}
