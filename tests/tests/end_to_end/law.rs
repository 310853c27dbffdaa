//! The law across courts, with the real programs: a criminal court and a family court restrain one person; node and hub say the same
//! of what is to be enforced, a draft is told of its clashes before it is signed, and what came late is listed.

use std::net::SocketAddr;

use ccpor_api::Client;
use ccpor_api::message::{
    EnforceAnswer, EnforceRequest, FileOrderRequest, GetOrderRequest, Hit, ListOverdueRequest, Name, Order,
    Person, Protected, RecordServiceRequest, Service, Term,
};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, file, heads, lookup, until};

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
        Ok(Program::ask(&world.desk(machine)?, machine)?.args(words.iter().copied()))
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

#[tokio::test]
async fn a_line_of_orders_has_one_current_order_everywhere_and_seals_and_services_of_others_are_seen()
-> Outcome<()> {
    let world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne, hub) = (world.node(0).await?, world.node(1).await?, world.hub().await?);
    let node = world.fleet.members()[0].api();
    let ccpor = |words: &[&str]| -> Outcome<Program> {
        Ok(Program::ask(&world.desk(node)?, node)?.args(words.iter().copied()))
    };
    let temporary = paper(
        "domestic_violence",
        "temporary",
        "FL-1",
        "2026-11-02",
        &["no_contact"],
    );
    let first = file(&alameda, "temporary-001", temporary.clone()).await?;
    let follow = |how: &'static str, previous: String, order: &Order, key: &'static str| {
        let mut order = order.clone();
        order.previous = previous;
        FileOrderRequest {
            idempotency_key: key.into(),
            order: Some(order),
            follows: how.into(),
            ..FileOrderRequest::default()
        }
    };
    let continued = follow("continues", first.order_id.clone(), &temporary, "continued-01");
    let second = alameda.file_order(continued.clone()).await?;
    assert!(
        alameda.file_order(continued).await?.repeated,
        "the same call again does nothing twice"
    );
    let late = follow("continues", first.order_id.clone(), &temporary, "continued-02");
    let refused = alameda.file_order(late).await.unwrap_err().to_string();
    assert!(refused.contains("only the current order of a line"), "{refused}");
    let early = follow("renews", second.order_id.clone(), &temporary, "renewed-0001");
    let refused = alameda.file_order(early).await.unwrap_err().to_string();
    assert!(refused.contains("Fam. Code 6345"), "{refused}");

    // The order after hearing, from a clone of the draft, by the command line.
    let draft = ccpor(&["order", "clone", &second.registry_number])?.run().await?;
    let mut draft: serde_json::Value = draft.said(0, &["no_contact"]).json()?;
    draft["stage"] = "after_hearing".into();
    draft["issued"] = "2026-11-20".into();
    let words = [
        "order",
        "file",
        "-",
        "--replaces",
        &second.registry_number,
        "--key",
        "after-hearing-1",
    ];
    ccpor(&words)?
        .input(serde_json::to_vec(&draft)?)
        .run()
        .await?
        .said(0, &["DONE"]);
    until("the hub knows the line, and one current order of it", || async {
        let found = restrained(&hub).await?;
        let mut states: Vec<String> = found
            .iter()
            .map(|hit| hit.standing.clone().unwrap_or_default().status)
            .collect();
        states.sort();
        Ok((states == ["active", "superseded", "superseded"]).then_some(()))
    })
    .await?;
    let last = restrained(&hub).await?;
    let current = last
        .iter()
        .find(|hit| hit.standing.clone().unwrap_or_default().status == "active")
        .unwrap();

    // Sealed by its court, and served by an officer who reports at another court's node.
    ccpor(&["order", "seal", &current.registry_number, "--reason", "minor"])?
        .run()
        .await?
        .said(0, &["DONE"]);
    ccpor(&["order", "seal", &current.registry_number, "--reason", "minor"])?
        .run()
        .await?
        .said(5, &["already"]);
    // The other court does not know it any more; an officer who reports there must enforce it, and knows it.
    let there = world.fleet.members()[1].api();
    let sheriff = world.fleet.authority().issue(
        &"lea/tuolumne-so".parse::<ccpor_certs::Identity>()?,
        &[],
        &["CA0550000".into()],
        &world.directory.path().join("sheriff"),
    )?;
    let officer = ccpor_tests::world::connect(&sheriff, there).await?;
    until("the other court knows it no more", || async {
        Ok(tuolumne
            .get_order(named(&current.order_id))
            .await
            .is_err()
            .then_some(()))
    })
    .await?;
    until("an officer knows the order", || async {
        let seen = officer.get_order(named(&current.order_id)).await;
        Ok(seen.is_ok_and(|order| order.sealed.is_some()).then_some(()))
    })
    .await?;
    let service = RecordServiceRequest {
        idempotency_key: "served-elsewhere".into(),
        order_id: current.order_id.clone(),
        service: Some(Service {
            mode: "verbal".into(),
            date: "2026-11-21".into(),
            time: "02:10".into(),
            served_by: "Dep. Ortiz".into(),
            agency: "Tuolumne SO".into(),
            agency_ori: "CA0550000".into(),
            ..Service::default()
        }),
        ..RecordServiceRequest::default()
    };
    assert!(
        tuolumne.record_service(service.clone()).await.is_err(),
        "to that court it is not there"
    );
    assert_eq!(officer.record_service(service).await?.court, "court/tuolumne");
    for machine in [&alameda, &hub] {
        until(
            "the service is seen at the issuing court and at the hub",
            || async {
                let seen = machine.get_order(named(&current.order_id)).await?;
                let served = seen
                    .standing
                    .clone()
                    .unwrap_or_default()
                    .served_how
                    .is_some_and(|how| how.agency == "Tuolumne SO");
                Ok((served && seen.sealed.is_some()).then_some(()))
            },
        )
        .await?;
    }
    let words = [
        "order",
        "violation",
        &current.registry_number,
        "--date",
        "2026-11-22",
        "--agency",
        "Tuolumne SO",
        "--report",
        "26-1",
    ];
    let report = Program::ask(&sheriff, there)?.args(words);
    report.run().await?.said(0, &["DONE"]);
    until("the violation is in the history at the hub", || async {
        let history = Program::ask(&world.desk(world.fleet.hub_api())?, world.fleet.hub_api())?
            .args(["person", "history", "--last", "Doe", "--first", "John"]);
        Ok(history
            .run()
            .await?
            .text()
            .contains("violation reported: 2026-11-22 Tuolumne SO 26-1")
            .then_some(()))
    })
    .await?;
    ccpor(&["order", "show", &current.registry_number])?
        .run()
        .await?
        .said(0, &["VIOLATIONS", "BRADY", "SEALED"]);
    let hit = restrained(&hub).await?;
    assert!(hit.iter().any(|hit| hit.sealed
        && hit.radio.contains("SEALED BY COURT")
        && hit.radio.contains("SERVED VERBALLY")));
    ccpor(&[
        "order",
        "unseal",
        &current.registry_number,
        "--reason",
        "in error",
    ])?
    .run()
    .await?
    .said(0, &["DONE"]);
    Ok(())
}

fn named(id: &str) -> GetOrderRequest {
    GetOrderRequest {
        order_id: id.into(),
        ..GetOrderRequest::default()
    }
}

/// The orders against John Doe.
async fn restrained(client: &Client) -> Outcome<Vec<Hit>> {
    let mut hits = lookup(client, "Doe", "John").await?.hits;
    hits.retain(|hit| hit.person == "restrained");
    Ok(hits)
}
