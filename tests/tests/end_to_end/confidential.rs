//! Confidential information with the real programs: the court's own node reads it, nobody else can, and no byte of it is found
//! in anything that a whole run leaves behind.

use std::path::{Path, PathBuf};

use ccpor_api::message::{
    ConfideRequest, ConfidentialAnswer, ConfidentialItem, DestroyConfidentialRequest, GetOrderRequest,
    ReadConfidentialRequest,
};
use ccpor_api::{CallFailed, Client, Code, Target};
use ccpor_certs::IdentityDir;
use ccpor_certs::tls::{Expect, client_config};
use ccpor_tests::program::Program;
use ccpor_tests::stand;
use ccpor_tests::visitor::Visitor;
use ccpor_tests::world::{Outcome, World, file, lookup, order, until};

/// Seeded addresses that must be found nowhere.
const CANARIES: [&str; 3] = ["4711 Kanarienweg", "Starling Elementary School", "559-555-0199"];

fn canary(number: usize) -> ConfidentialItem {
    ConfidentialItem {
        person: "DOE, JANE".into(),
        kind: ["address", "school", "telephone"][number].into(),
        text: CANARIES[number].into(),
    }
}

/// A client with the certificate of `identity`, which states why it asks when `purpose` says so.
async fn client(
    identity: &IdentityDir,
    world: &World,
    node: usize,
    purpose: Option<&str>,
) -> Outcome<Client> {
    let tls = client_config(identity, Expect::AnyServer, &[b"h2"])?;
    let target = Target {
        purpose: purpose.map(ToOwned::to_owned),
        case_number: purpose.map(|_| "26-001234".to_owned()),
        ..Target::new(world.fleet.members()[node].api().to_string(), tls)
    };
    Ok(Client::connect(target).await?)
}

fn refused(answer: Result<ConfidentialAnswer, CallFailed>) -> Code {
    match answer {
        Err(CallFailed::Problem(problem)) => problem.code,
        other => panic!("{other:?}"),
    }
}

/// A world whose first court has its key; gives the recovery code's line and the directory of the copies.
async fn world() -> Outcome<(World, String, PathBuf)> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let safe = world.directory.path().join("safe");
    std::fs::create_dir(&safe)?;
    world.fleet.take_node(0).ok_or("the node runs")?.stop().await;
    let config = world.fleet.members()[0].directory().join("node.toml");
    let text = std::fs::read_to_string(&config)?;
    std::fs::write(
        &config,
        format!("{text}\n[confidential]\nrecovery_directory = {safe:?}\n"),
    )?;
    let made = Program::node()?
        .args(["--config", &config.display().to_string(), "confidential", "init"])
        .run()
        .await?;
    made.said(0, &["recovery code"]);
    let code = made
        .text()
        .lines()
        .find(|line| line.matches('-').count() == 16)
        .map(|line| line.trim().to_owned());
    world.fleet.start_node(0).await?;
    Ok((world, code.ok_or("the code is printed")?, safe))
}

/// Every file below `directory` that holds one of `needles`.
fn holding(directory: &Path, needles: &[&[u8]]) -> Outcome<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path)?;
            let holds = |needle: &&[u8]| bytes.windows(needle.len()).any(|part| part == *needle);
            if needles.iter().any(holds) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// Everything that the pages of a court show a new person of this role of an order and of the people in it.
async fn pages(world: &World, number: usize, role: &str, order: &str) -> Outcome<String> {
    let node = &world.fleet.members()[number];
    let (settings, trust) = (node.directory().join("node.toml"), world.desk(node.api())?);
    let name = format!("{role}{number}");
    let person = stand::add(&settings, &trust, node.api(), &name, role, true).await?;
    let credentials = (
        person.name.as_str(),
        person.password.as_str(),
        person.codes[0].as_str(),
    );
    let mut visitor = Visitor::log_on(&trust, node.api(), credentials).await?;
    let mut seen = String::new();
    for part in [
        "", "/card", "/copy", "/service", "/scan", "/amend", "/replace", "/end", "/cancel", "/seal",
    ] {
        seen.push_str(&visitor.open(&format!("/orders/{order}{part}")).await?.text);
    }
    for path in ["/today", "/machine", &format!("/entry?copy={order}")] {
        seen.push_str(&visitor.open(path).await?.text);
    }
    for (path, fields) in [
        ("/search", vec![("line", "ROE,RICHARD")]),
        ("/between", vec![("one", "ROE,RICHARD"), ("other", "DOE,JANE")]),
    ] {
        let form = visitor.open("/search").await?;
        let sent = visitor.submit(path, &form, &fields).await?;
        for below in ["", "/bench"] {
            seen.push_str(&visitor.open(&format!("{}{below}", sent.location)).await?.text);
        }
    }
    Ok(seen)
}

#[tokio::test]
async fn canary_addresses_are_found_in_nothing_that_a_run_leaves_behind() -> Outcome<()> {
    let (mut world, code, _) = world().await?;
    let court = world.fleet.authority().issue(
        &"system/alameda-cms".parse()?,
        &[],
        &[],
        &world.directory.path().join("cms"),
    )?;
    let at_court = client(&court, &world, 0, None).await?;
    let filed = file(
        &at_court,
        "confidential-order",
        order("ROE", "RICHARD", "HF26-001"),
    )
    .await?;
    let id = filed.order_id.clone();
    let added = at_court
        .confide(ConfideRequest {
            idempotency_key: "confide-one".into(),
            order_id: id.clone(),
            items: vec![canary(0), canary(1), canary(2)],
            reason: "CLETS-001".into(),
        })
        .await?;
    assert!(!added.repeated);
    let read = at_court
        .read_confidential(ReadConfidentialRequest { order_id: id.clone() })
        .await?;
    assert_eq!(read.sheets[0].items, [canary(0), canary(1), canary(2)]);

    // What everybody else gets to see, in every form the order is shown in.
    let mut seen = String::new();
    let at_hub = world.hub().await?;
    until("the hub holds both records", || async {
        let shown = at_hub
            .get_order(GetOrderRequest {
                order_id: id.clone(),
                ..GetOrderRequest::default()
            })
            .await;
        Ok(shown
            .ok()
            .filter(|shown| shown.confidential_sheets == 1)
            .map(|_| ()))
    })
    .await?;
    for machine in [
        world.fleet.hub_api(),
        world.fleet.members()[0].api(),
        world.fleet.members()[1].api(),
    ] {
        for arguments in [
            vec!["order", "show", &id, "--json", "--versions"],
            vec!["order", "show", &id],
            vec!["lookup", "ROE,RICHARD", "--json"],
            vec!["enforce", &id, "--script"],
            vec!["person", "history", "--last", "Roe", "--json"],
        ] {
            let said = Program::ask(&court, machine)?
                .args(arguments.iter().copied())
                .run()
                .await?;
            seen.push_str(&said.text());
            seen.push_str(&said.err);
        }
    }
    assert!(seen.contains("confidential_sheets") && seen.contains("confided"));
    // And on every page, of the court itself and of another, on the screen and on paper.
    for (number, role) in [
        (0, "supervisor"),
        (0, "judge"),
        (1, "supervisor"),
        (1, "lea-service"),
    ] {
        let pages = pages(&world, number, role, &filed.registry_number).await?;
        assert!(pages.contains("HF26-001") && pages.contains("ROE"), "{role}");
        seen.push_str(&pages);
    }
    for canary in CANARIES {
        assert!(!seen.contains(canary));
    }
    // Refusals do not repeat what was sent.
    let wrong = at_court
        .confide(ConfideRequest {
            idempotency_key: "confide-two".into(),
            order_id: id.clone(),
            items: vec![ConfidentialItem {
                kind: CANARIES[0].into(),
                ..canary(0)
            }],
            reason: String::new(),
        })
        .await;
    assert!(!format!("{wrong:?}").contains(CANARIES[0]) && wrong.is_err());

    // Every file of every machine: ledgers, index, replicas, logs, settings; with the daemons stopped and killed.
    for number in 0..2 {
        world.fleet.take_node(number).ok_or("the node runs")?.stop().await;
    }
    if let Some(hub) = world.fleet.take_hub() {
        hub.stop().await;
    }
    let needles: Vec<&[u8]> = CANARIES.iter().map(|canary| canary.as_bytes()).collect();
    assert_eq!(holding(world.directory.path(), &needles)?, Vec::<PathBuf>::new());
    // The search can find: the case number stands in ledgers.
    assert!(!holding(world.directory.path(), &[b"HF26-001"])?.is_empty());
    // The court's key is where it was made, and its code nowhere.
    assert_eq!(
        holding(world.directory.path(), &[code.as_bytes()])?,
        Vec::<PathBuf>::new()
    );
    Ok(())
}

#[tokio::test]
async fn only_the_courts_node_reads_it_and_agencies_state_why() -> Outcome<()> {
    let (world, _, _) = world().await?;
    let folder = |name: &str| world.directory.path().join(name);
    let issue = |identity: &str, oris: &[String]| -> Outcome<IdentityDir> {
        Ok(world.fleet.authority().issue(
            &identity.parse()?,
            &[],
            oris,
            &folder(&identity.replace('/', "-")),
        )?)
    };
    let (court, other) = (
        issue("system/alameda-cms", &[])?,
        issue("system/tuolumne-cms", &[])?,
    );
    let agency = issue("lea/alameda-so", &["CA0010000".to_owned()])?;
    let at_court = client(&court, &world, 0, None).await?;
    let id = file(
        &at_court,
        "confidential-order",
        order("ROE", "RICHARD", "HF26-001"),
    )
    .await?
    .order_id;
    let confide = |key: &str| ConfideRequest {
        idempotency_key: key.into(),
        order_id: id.clone(),
        items: vec![canary(0)],
        reason: String::new(),
    };
    let first = at_court.confide(confide("confide-one")).await?;
    let again = at_court.confide(confide("confide-one")).await?;
    assert!(again.repeated && again.position == first.position);
    let other_text = ConfideRequest {
        items: vec![canary(1)],
        ..confide("confide-one")
    };
    assert!(
        matches!(at_court.confide(other_text).await, Err(CallFailed::Problem(problem)) if problem.code == Code::IdempotencyKeyReused)
    );

    let read = || ReadConfidentialRequest { order_id: id.clone() };
    // An agency says why; another court does not read it at all, wherever it asks; the hub and another node cannot.
    let silent = client(&agency, &world, 0, None).await?;
    assert_eq!(refused(silent.read_confidential(read()).await), Code::NotAllowed);
    let stated = client(&agency, &world, 0, Some("service of the order")).await?;
    assert_eq!(
        stated.read_confidential(read()).await?.sheets[0].items,
        [canary(0)]
    );
    let neighbour = client(&other, &world, 0, Some("curiosity")).await?;
    assert_eq!(
        refused(neighbour.read_confidential(read()).await),
        Code::NotAllowed
    );
    assert!(
        matches!(neighbour.confide(confide("confide-two")).await, Err(CallFailed::Problem(problem)) if problem.code == Code::NotAllowed)
    );
    until("the other court holds the order", || async {
        let there = client(&other, &world, 1, None).await?;
        Ok((lookup(&there, "ROE", "RICHARD").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    let there = client(&agency, &world, 1, Some("service of the order")).await?;
    assert_eq!(
        refused(there.read_confidential(read()).await),
        Code::NotTheIssuingCourt
    );
    let operator = client(world.operator(), &world, 0, Some("repair")).await?;
    assert_eq!(
        refused(operator.read_confidential(read()).await),
        Code::NotAllowed
    );
    Ok(())
}

#[tokio::test]
async fn a_destroyed_key_makes_noise_of_every_copy_and_a_lost_machine_reads_again_by_its_code() -> Outcome<()>
{
    let (mut world, code, safe) = world().await?;
    let court = world.fleet.authority().issue(
        &"system/alameda-cms".parse()?,
        &[],
        &[],
        &world.directory.path().join("cms"),
    )?;
    let at_court = client(&court, &world, 0, None).await?;
    let id = file(
        &at_court,
        "confidential-order",
        order("ROE", "RICHARD", "HF26-001"),
    )
    .await?
    .order_id;
    for (number, key) in ["confide-one", "confide-two"].into_iter().enumerate() {
        let request = ConfideRequest {
            idempotency_key: key.into(),
            order_id: id.clone(),
            items: vec![canary(number)],
            reason: String::new(),
        };
        at_court.confide(request).await?;
    }
    let read = || ReadConfidentialRequest { order_id: id.clone() };
    let sheet = at_court.read_confidential(read()).await?.sheets[0].sheet.clone();
    let destroy = || DestroyConfidentialRequest {
        idempotency_key: "destroy-one".into(),
        order_id: id.clone(),
        sheet: sheet.clone(),
        reason: "entered into the state's system".into(),
    };
    at_court.destroy_confidential(destroy()).await?;
    assert!(at_court.destroy_confidential(destroy()).await?.repeated);
    let left = at_court.read_confidential(read()).await?.sheets;
    assert!(left[0].items.is_empty() && !left[0].destroyed_at.is_empty() && left[1].items == [canary(1)]);

    // The machine's own keys are lost; the paper and the copies bring back what was not destroyed, and nothing else.
    world.fleet.take_node(0).ok_or("the node runs")?.stop().await;
    std::fs::remove_dir_all(world.fleet.members()[0].data().join("confidential"))?;
    let config = world.fleet.members()[0]
        .directory()
        .join("node.toml")
        .display()
        .to_string();
    let restore = |code: &str| {
        Outcome::Ok(
            Program::node()?
                .args(["--config", &config, "confidential", "restore"])
                .input(code.to_owned()),
        )
    };
    restore("1234")?.run().await?.said(2, &["17 groups"]);
    restore(&code)?.run().await?.said(0, &["keys of 1 sheets"]);
    restore(&code)?.run().await?.said(1, &["never overwritten"]);
    world.fleet.start_node(0).await?;
    let at_court = client(&court, &world, 0, None).await?;
    let back = at_court.read_confidential(read()).await?.sheets;
    assert!(back[0].items.is_empty() && back[1].items == [canary(1)]);
    // Without the directory of the copies nothing is taken, and a person is told where to look.
    std::fs::rename(&safe, safe.with_extension("away"))?;
    let request = ConfideRequest {
        idempotency_key: "confide-three".into(),
        order_id: id.clone(),
        items: vec![canary(2)],
        reason: String::new(),
    };
    assert!(
        matches!(at_court.confide(request).await, Err(CallFailed::Problem(problem)) if problem.code == Code::Unavailable)
    );
    Ok(())
}
