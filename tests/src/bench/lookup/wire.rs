//! Through gRPC: a node with the same orders, asked over loopback with mutual TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use ccpor_api::message::LookupRequest;
use ccpor_certs::IdentityDir;
use ccpor_deploy::population::Filing;
use ccpor_domain::{Date, Identifier, IdentifierKind, Name, Order, Person, Protected};
use ccpor_matching::{Born, Card, CardPerson, IdKind, PartialDate, Query, Role, Sex};

use super::accuracy::is_number;
use super::corpus::Corpus;
use super::local::Local;
use crate::bench::{Goal, Sheet, court, median, quantile, restart};
use crate::world::{Outcome, connect};

/// Questions that warm the connection and the node.
const WARM: usize = 500;

/// Fills a node, asks it every question one after the other, and sets the time beside that in process.
pub(super) fn measure(
    directory: &Path,
    corpus: &Corpus,
    rounds: usize,
    ours: &Local,
    sheet: &mut Sheet,
) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir_in(directory)?;
    let (filings, questions) = (filings(corpus)?, questions(corpus));
    let (mut fleet, dispatch) = runtime.block_on(async {
        let mut fleet = restart::filled(folder.path(), filings).await?;
        // The hub would spend the measurement on taking in the orders.
        if let Some(hub) = fleet.take_hub() {
            hub.stop().await;
        }
        let dispatch =
            fleet
                .authority()
                .issue(&"lea/bench".parse()?, &[], &[], &folder.path().join("dispatch"))?;
        Outcome::Ok((fleet, dispatch))
    })?;
    let node = fleet.members().first().ok_or("there is no node")?.api();
    // One asker needs one thread; more would only wake each other.
    let asker = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (p50, p99) = asker.block_on(ask(&dispatch, node, &questions, rounds))?;
    runtime.block_on(fleet.stop());
    let beyond = p99.iter().map(|value| value - median(&ours.p99_ms)).collect();
    sheet.put("lookup.grpc_p50_ms", p50, "ms", None);
    sheet.put("lookup.grpc_p99_ms", p99, "ms", None);
    sheet.put("lookup.grpc_beyond_ms", beyond, "ms", Some(Goal::AtMost(1.0)));
    Ok(())
}

/// Papers for the orders of a corpus.
pub(super) fn filings(corpus: &Corpus) -> Outcome<impl Iterator<Item = Filing> + Send + use<>> {
    let cards = corpus.cards.clone();
    let filings = court::filings(cards.len() as u64)?.zip(cards);
    Ok(filings.map(|(filing, card)| Filing {
        order: against(filing.order, &card),
        ..filing
    }))
}

/// Its questions for people, as a program asks them.
pub(super) fn questions(corpus: &Corpus) -> Vec<LookupRequest> {
    let people = corpus.questions.iter().filter(|question| !is_number(question));
    people.map(|question| request(&question.query)).collect()
}

/// Milliseconds that half, and 99 of 100, of the questions take, for each round.
async fn ask(
    dispatch: &IdentityDir,
    node: SocketAddr,
    questions: &[LookupRequest],
    rounds: usize,
) -> Outcome<(Vec<f64>, Vec<f64>)> {
    let client = connect(dispatch, node).await.map_err(|error| error.to_string())?;
    for question in questions.iter().take(WARM) {
        client.lookup(question.clone()).await?;
    }
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut seconds = Vec::with_capacity(questions.len());
        for question in questions {
            let question = question.clone();
            let start = Instant::now();
            client.lookup(question).await?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        p50.push(quantile(&seconds, 0.5) * 1e3);
        p99.push(quantile(&seconds, 0.99) * 1e3);
    }
    Ok((p50, p99))
}

/// The paper of one order with the people of another.
fn against(order: Order, card: &Card) -> Order {
    let side = |role| card.persons.iter().filter(move |person| person.role == role);
    let restrained = side(Role::Restrained).next().map(person).unwrap_or_default();
    let protected = side(Role::Protected).map(|protected| Protected {
        person: person(protected),
        ..Protected::default()
    });
    Order {
        restrained,
        protected: protected.collect(),
        ..order
    }
}

fn person(card: &CardPerson) -> Person {
    let mut names = card.names.iter().map(|name| Name {
        first: name.first.clone(),
        middle: name.middle.clone(),
        last: name.last.clone(),
        suffix: name.suffix.clone(),
    });
    let day = |date: &PartialDate| Date::new(date.year, date.month?, date.day?).ok();
    let identifiers = card.ids.iter().filter_map(|(kind, value)| {
        let kind = match kind {
            IdKind::DriverLicense => IdentifierKind::DriverLicense,
            IdKind::Cii => IdentifierKind::Cii,
            _ => return None,
        };
        Some(Identifier {
            kind,
            value: value.clone(),
            issuer: String::new(),
        })
    });
    Person {
        name: names.next().unwrap_or_default(),
        aliases: names.collect(),
        dob: card.dob.first().and_then(day),
        sex: match card.sex {
            Some(Sex::Male) => ccpor_domain::Sex::Male,
            Some(Sex::Female) => ccpor_domain::Sex::Female,
            _ => ccpor_domain::Sex::Unknown,
        },
        identifiers: identifiers.collect(),
        ..Person::default()
    }
}

fn request(query: &Query) -> LookupRequest {
    let dob = match query.dob {
        Some(Born::On(PartialDate {
            year,
            month: Some(month),
            day: Some(day),
        })) => format!("{year}-{month:02}-{day:02}"),
        Some(Born::On(PartialDate { year, .. })) => year.to_string(),
        _ => String::new(),
    };
    LookupRequest {
        first: query.first.clone(),
        middle: query.middle.clone(),
        last: query.last.clone(),
        dob,
        sex: match query.sex {
            Some(Sex::Male) => "M".into(),
            Some(Sex::Female) => "F".into(),
            _ => String::new(),
        },
        ..LookupRequest::default()
    }
}
