//! The law across courts, with the real programs: a criminal court and a family court restrain one person; node and hub say the same
//! of what is to be enforced, a draft is told of its clashes before it is signed, and what came late is listed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::SocketAddr;

use ccpor_api::message::{
    EnforceAnswer, EnforceRequest, ListOverdueRequest, Name, Order, Person, Protected, Term,
};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, file, heads, until};

/// A paper against John Doe for Jane Doe.
fn paper(family: &str, stage: &str, case: &str, issued: &str, terms: &[&str]) -> Order {
    let term = |kind: &&str| Term {
        kind: (*kind).to_owned(),
        ..Term::default()
    };
    Order {
        form: String::new(),
        family: family.into(),
        stage: stage.into(),
        terms: terms.iter().map(term).collect(),
        restrained: Some(person("Doe", "John", "1985-03-12")),
        protected: vec![Protected {
            person: Some(person("Doe", "Jane", "1987-01-02")),
            ..Protected::default()
        }],
        issued: issued.into(),
        ..ccpor_tests::world::order("DOE", "JOHN", case)
    }
}

fn person(last: &str, first: &str, dob: &str) -> Person {
    Person {
        name: Some(Name {
            first: first.into(),
            last: last.into(),
            ..Name::default()
        }),
        dob: dob.into(),
        ..Person::default()
    }
}

/// What is said of contact for the protected person: the order's case and the rule.
fn contact(answer: &EnforceAnswer) -> Vec<(String, String, bool)> {
    let terms = answer.persons.iter().flat_map(|person| &person.terms);
    terms
        .filter(|term| term.topic == "contact")
        .map(|term| {
            let order = answer
                .orders
                .iter()
                .find(|order| order.order_id == term.order_id)
                .unwrap();
            (order.case_number.clone(), term.rule.clone(), term.after_notice)
        })
        .collect()
}

#[tokio::test]
async fn orders_of_two_courts_are_enforced_by_rank_at_node_and_hub_alike() -> Outcome<()> {
    let world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne, hub) = (world.node(0).await?, world.node(1).await?, world.hub().await?);
    let today = ccpor_registry::now().in_pacific().0.to_string();
    let criminal = paper(
        "criminal_domestic",
        "after_hearing",
        "CR-1",
        "2026-01-05",
        &["no_contact", "firearms"],
    );
    let criminal = file(&alameda, "criminal-0001", criminal).await?;
    let family = paper(
        "domestic_violence",
        "after_hearing",
        "FL-1",
        &today,
        &["peaceful_contact", "conduct"],
    );
    let family = file(&tuolumne, "family-00001", family).await?;
    until("everybody has both", || async {
        let hub = heads(&hub.list_courts().await?);
        let nodes = [
            heads(&alameda.list_courts().await?),
            heads(&tuolumne.list_courts().await?),
        ];
        Ok((hub.len() == 2 && nodes.iter().all(|node| *node == hub)).then_some(()))
    })
    .await?;

    for id in [&criminal.order_id, &family.order_id] {
        let ask = |language: &str| EnforceRequest {
            order_id: id.clone(),
            language: language.into(),
            ..EnforceRequest::default()
        };
        let here = alameda.enforce(ask("")).await?;
        assert_eq!(
            contact(&here),
            [("CR-1".to_owned(), "no_contact".to_owned(), true)]
        );
        assert_eq!(here.persons[0].set_aside[0].rule, "no_contact");
        assert!(
            here.persons[0]
                .terms
                .iter()
                .any(|term| term.topic == "conduct" && term.rule == "adds")
        );
        assert!(
            here.orders
                .iter()
                .all(|order| order.notice_script.contains(&order.case_number))
        );
        let there = hub.enforce(ask("")).await?;
        assert_eq!(here.persons, there.persons, "node and hub say the same");
        let spanish = hub.enforce(ask("es")).await?;
        assert!(spanish.persons[0].terms[0].words.starts_with("Ningún contacto"));
        // Before the family court made its order, only the other one was there to be enforced; and before both, nothing was known.
        let early = EnforceRequest {
            at: "2026-01-04T12:00:00Z".into(),
            ..ask("")
        };
        assert!(hub.enforce(early).await.is_err(), "it was not filed yet");
    }

    let ccpor = |machine: SocketAddr, words: &[&str]| -> Outcome<Program> {
        Ok(Program::ask(world.operator(), machine)?.args(words.iter().copied()))
    };
    let node = world.fleet.members()[1].api();
    let said = ccpor(node, &["enforce", &family.registry_number, "--script"])?
        .run()
        .await?;
    said.said(
        0,
        &[
            "FOR Doe, Jane",
            "No contact",
            "CR-1",
            "Pen. Code 136.2(c)(2)",
            "NOT SERVED",
            "READ ALOUD",
        ],
    );

    let draft = paper(
        "domestic_violence",
        "after_hearing",
        "FL-2",
        &today,
        &["visitation"],
    );
    let draft = serde_json::to_vec(&draft)?;
    let check = ccpor(node, &["order", "check", "-"])?.input(draft).run().await?;
    check.said(5, &["CLASH", "CR-1", "Pen. Code 136.2(e)(3), (f)", "suggested: "]);

    let history = ccpor(
        world.fleet.hub_api(),
        &[
            "person",
            "history",
            "--last",
            "Doe",
            "--first",
            "John",
            "--dob",
            "1985-03-12",
        ],
    )?;
    history
        .run()
        .await?
        .said(0, &["CR-1", "FL-1", "as restrained", "Doe, Jane"]);
    let other_side = ccpor(node, &["person", "history", "--last", "Doe", "--first", "Jane"])?
        .run()
        .await?;
    other_side.said(0, &["as protected", "(same name)", "Doe, John"]);
    ccpor(node, &["person", "history", "--last", "Nobody"])?
        .run()
        .await?
        .said(3, &["NO MATCH FOUND"]);

    // The order of January was filed today: late. The one of today was not.
    for (machine, client) in [(node, &tuolumne), (world.fleet.hub_api(), &hub)] {
        ccpor(machine, &["overdue"])?
            .run()
            .await?
            .said(6, &["court/alameda", "Fam. Code 6380(a)", "2026-01-06"]);
        let list = client.list_overdue(ListOverdueRequest::default()).await?;
        let ids: Vec<_> = list.entries.iter().map(|late| late.order_id.as_str()).collect();
        assert_eq!(ids, [criminal.order_id.as_str()]);
        assert!(list.entries[0].transmitted);
    }
    Ok(())
}
