//! Who looked, with the real programs: on record before the answer leaves, sealed for the auditors, and any edit of it is found.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ccpor_api::message::LookupRequest;
use ccpor_api::{CallFailed, Client, Code, Target};
use ccpor_audit::{Archive, Found, Kind, Operation, Outcome, Search};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::rest::Rest;
use ccpor_tests::world::{Outcome as Done, World, file, lookup, order, until};
use serde_json::{Value, json};

/// A node that knows the auditors' key, and everything to ask it and its trail with.
struct Court {
    realm: Realm,
    node: Lone,
    address: SocketAddr,
    officer: IdentityDir,
    clerk: IdentityDir,
}

impl Court {
    async fn start() -> Done<Self> {
        let realm = Realm::new(Clock::machine())?;
        let passphrase = realm.path("passphrase");
        std::fs::write(&passphrase, "seven green lamps\n")?;
        Program::ccpor()?
            .args(["audit", "keys", "init", "--out"])
            .arg(realm.path("auditors"))
            .arg("--passphrase-file")
            .arg(passphrase)
            .run()
            .await?
            .said(0, &["AUDITORS KEY"]);
        let public = realm.path("auditors").join("auditors.json");
        let more = format!("[hub]\nconnect = false\n[audit]\nauditors = {public:?}\n");
        let mut node = realm.node("alameda", &more)?;
        let address = node.start().await?;
        let officer = realm.issue("lea/alameda-so", &["CA0010000"])?;
        let clerk = realm.issue("system/alameda-cms", &[])?;
        Ok(Self {
            realm,
            node,
            address,
            officer,
            clerk,
        })
    }

    async fn client(&self, identity: &IdentityDir) -> Done<Client> {
        let tls = client_config(identity, Expect::AnyServer, &[b"h2"])?;
        let target = Target {
            purpose: Some("welfare check".into()),
            case_number: Some("26-00417".into()),
            ..Target::new(self.address.to_string(), tls)
        };
        Ok(Client::connect(target).await?)
    }

    fn audit(&self) -> PathBuf {
        self.node.data().join("audit")
    }

    /// `ccpor audit VERB DATA …` with the auditors' key.
    async fn auditor(&self, verb: &str, more: &[&str]) -> Done<Ended> {
        let program = Program::ccpor()?
            .args(["--json", "audit", verb])
            .arg(self.node.data());
        program
            .arg("--ca")
            .arg(self.officer.path().join("ca.pem"))
            .arg("--key")
            .arg(self.realm.path("auditors").join("auditors.key"))
            .arg("--passphrase-file")
            .arg(self.realm.path("passphrase"))
            .args(["--reason", "complaint 26-11"])
            .args(more.iter().copied())
            .run()
            .await
    }

    async fn search(&self, more: &[&str]) -> Done<Vec<Value>> {
        self.auditor("search", more).await?.json()
    }

    async fn verify(&self) -> Done<Ended> {
        Program::ccpor()?
            .args(["audit", "verify"])
            .arg(self.node.data())
            .arg("--ca")
            .arg(self.officer.path().join("ca.pem"))
            .arg("--auditors")
            .arg(self.realm.path("auditors").join("auditors.json"))
            .run()
            .await
    }
}

/// The kind of problem with which a call was refused.
fn code<T>(answer: Result<T, CallFailed>) -> Option<Code> {
    match answer {
        Err(CallFailed::Problem(problem)) => Some(problem.code),
        Err(_) | Ok(_) => None,
    }
}

/// Every file below a directory.
fn files(root: &Path) -> Done<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                open.push(entry?.path());
            }
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_lookup_is_on_record_before_its_answer_and_the_auditors_find_who_asked_for_whom() -> Done<()> {
    let mut court = Court::start().await?;
    let clerk = court.client(&court.clerk).await?;
    let filed = file(&clerk, "audit-0001", order("Quintanilla", "Rosalind", "26-FL-1")).await?;
    let officer = court.client(&court.officer).await?;
    let answer = lookup(&officer, "Quintanilla", "Rosalind").await?;
    assert_eq!(answer.hits.len(), 1);
    // As soon as the answer is here, the node dies; what it answered is on record all the same.
    court.node.daemon()?.signal(libc::SIGKILL);
    court.node.stop().await;
    let found = court
        .search(&["--person", "QUINTANILLA,ROSALIND", "--kind", "look-up"])
        .await?;
    assert_eq!(found.len(), 1, "{found:?}");
    let entry = &found[0];
    for (field, value) in [
        ("operation", json!("look-up")),
        ("outcome", json!("done")),
        ("identity", json!("lea/alameda-so")),
        ("agency", json!("lea/alameda-so")),
        ("ori", json!("CA0010000")),
        ("served_by", json!("court/alameda/node/1")),
        ("request", json!(answer.query_id)),
        ("hits", json!(1)),
        ("orders", json!([filed.order_id])),
        ("purpose", json!("welfare check")),
        ("case_number", json!("26-00417")),
    ] {
        assert_eq!(entry[field], value, "{field} in {entry}");
    }
    assert!(
        entry["source"]
            .as_str()
            .is_some_and(|source| source.starts_with("127.0.0.1:"))
    );
    assert_eq!(entry["asked"][0]["last"], "Quintanilla");
    // Who saw the order, who filed it, and who did something, by other ways.
    for (more, least) in [
        (vec!["--order", filed.registry_number.as_str()], 2),
        (vec!["--user", "system/alameda-cms", "--kind", "change"], 1),
        (vec!["--of-ori", "CA0010000", "--kind", "log-on"], 1),
        (vec!["--person", "Protegida,Alma"], 1),
    ] {
        let found = court.search(&more).await?;
        assert!(found.len() >= least, "{more:?}: {found:?}");
    }
    let nobody = court
        .auditor("search", &["--person", "QUINTANILLA,OTHER"])
        .await?;
    nobody.said(3, &["[]"]);
    // Looking into the trail left its own record, which is sound as well.
    let readings = readings(&court.audit())?;
    assert_eq!(readings, 6);
    court
        .verify()
        .await?
        .said(0, &["SOUND: 2 trails", "audit/auditors/1"]);
    Ok(())
}

fn readings(audit: &Path) -> Done<usize> {
    let mut count = 0;
    Archive::open(audit)?.each(|_, entry| {
        count += usize::from(matches!(entry, ccpor_audit::Entry::Read(_)));
    })?;
    Ok(count)
}

#[tokio::test]
async fn refusals_are_recorded_with_who_was_refused_and_why() -> Done<()> {
    let mut court = Court::start().await?;
    let officer = court.client(&court.officer).await?;
    let refused = file(
        &officer,
        "audit-0002",
        order("Quintanilla", "Rosalind", "26-FL-1"),
    )
    .await;
    assert_eq!(code(refused), Some(Code::NotAllowed));
    let empty = officer.lookup(LookupRequest::default()).await;
    assert_eq!(code(empty), Some(Code::InvalidFields));
    let unknown = officer.get_order(ccpor_api::message::GetOrderRequest {
        order_id: "0".repeat(32),
        ..Default::default()
    });
    assert_eq!(code(unknown.await), Some(Code::OrderNotFound));
    let nobody = Rest::nobody(&court.officer, court.address)?;
    assert_eq!(nobody.get("/v1/status").await?.status, 401);
    let other_agency = Rest::of(&court.officer, court.address)?;
    let request = http::Request::get("/v1/status").header("ccpor-ori", "CA9990000");
    assert_eq!(
        other_agency
            .send(request, http_body_util::Full::default())
            .await?
            .status,
        403
    );
    let elsewhere = Realm::new(Clock::machine())?;
    let foreign = elsewhere.issue("lea/other", &["CA0190000"])?;
    let foreign = ccpor_tests::lone::trusting(&foreign, &court.officer, &court.realm.path("foreign"))?;
    assert!(
        Rest::of(&foreign, court.address)?
            .get("/v1/status")
            .await
            .is_err()
    );
    court.node.stop().await;
    let found = court.search(&[]).await?;
    let has = |operation: &str, outcome: &str, identity: &str| {
        found.iter().any(|entry| {
            entry["operation"] == operation && entry["outcome"] == outcome && entry["identity"] == identity
        })
    };
    for (operation, outcome, identity) in [
        ("file-order", "refused: not-allowed", "lea/alameda-so"),
        ("look-up", "refused: invalid-fields", "lea/alameda-so"),
        ("order-view", "refused: order-not-found", "lea/alameda-so"),
        ("call", "refused: not-authenticated", ""),
        ("call", "refused: ori-not-accepted", "lea/alameda-so"),
        ("log-on", "refused: tls-handshake", ""),
    ] {
        assert!(
            has(operation, outcome, identity),
            "{operation} {outcome}: {found:?}"
        );
    }
    let mut states = found.iter().filter(|entry| entry["kind"] == "care");
    assert!(
        states.next().is_none(),
        "the state of machines is not recorded when it is given"
    );
    Ok(())
}

#[tokio::test]
async fn no_name_stands_in_the_clear_in_a_trail_or_a_log_and_an_edit_is_found() -> Done<()> {
    let mut court = Court::start().await?;
    let clerk = court.client(&court.clerk).await?;
    file(&clerk, "audit-0003", order("Quintanilla", "Rosalind", "26-FL-77")).await?;
    let officer = court.client(&court.officer).await?;
    lookup(&officer, "Quintanilla", "Rosalind").await?;
    lookup(&officer, "Vanderbroek", "Ignatius").await?;
    let line = LookupRequest {
        line: "HAVERKAMP,LUDMILLA 19710203".into(),
        ..LookupRequest::default()
    };
    officer.lookup(line).await?;
    court.node.stop().await;
    // The auditors read meanwhile, which leaves something as well.
    assert_eq!(court.search(&["--person", "Haverkamp,Ludmilla"]).await?.len(), 1);
    let mut looked_at = files(&court.audit())?;
    looked_at.push(court.node.settings().with_file_name("log"));
    for path in &looked_at {
        let bytes = std::fs::read(path)?.to_ascii_lowercase();
        for secret in [
            "quintanilla",
            "rosalind",
            "vanderbroek",
            "ignatius",
            "haverkamp",
            "ludmilla",
            "protegida",
            "1985-03-12",
            "1971-02-03",
            "19710203",
            "welfare",
            "26-00417",
            "26-fl-77",
        ] {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} stands in {}", path.display());
        }
    }
    court.verify().await?.said(0, &["SOUND"]);
    let segment = looked_at
        .iter()
        .find(|path| path.ends_with("audit.court.alameda.node.1/00000001.segment"))
        .ok_or("there is no trail")?;
    let whole = std::fs::read(segment)?;
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    for at in [300, end / 2, end] {
        let mut edited = whole.clone();
        edited[at] ^= 1;
        std::fs::write(segment, &edited)?;
        court.verify().await?.said(8, &["audit trail"]);
        court.auditor("search", &[]).await?.said(8, &["audit trail"]);
    }
    std::fs::write(segment, &whole)?;
    court.verify().await?.said(0, &["SOUND"]);
    Ok(())
}

#[tokio::test]
async fn exports_are_signed_the_week_is_reviewed_and_the_passphrase_is_asked_for() -> Done<()> {
    let mut court = Court::start().await?;
    let officer = court.client(&court.officer).await?;
    for _ in 0..3 {
        lookup(&officer, "Doe", "Jane").await?;
    }
    court.node.stop().await;
    let (export, staff) = (court.realm.path("export.jsonl"), court.realm.path("staff.json"));
    let path = export.display().to_string();
    court
        .auditor("export", &["--out", &path, "--kind", "look-up"])
        .await?
        .said(0, &["\"entries\": 3"]);
    let auditors = court.realm.path("auditors").join("auditors.json");
    let check = || -> Done<Program> {
        let program = Program::ccpor()?.args(["audit", "verify"]).arg(&export);
        Ok(program.arg("--auditors").arg(&auditors))
    };
    check()?.run().await?.said(0, &["SOUND: 3 entries"]);
    let text = std::fs::read_to_string(&export)?;
    assert_eq!(text.lines().filter(|line| line.contains("\"Doe\"")).count(), 3);
    std::fs::write(&export, text.replace("\"Doe\"", "\"Roe\""))?;
    check()?.run().await?.said(8, &["changed"]);
    // The officer's own name, and the same person three times under one case: one sign for each look-up, none for the case.
    let jane = json!([{ "user": "lea/alameda-so", "first": "Jane", "last": "Doe", "dob": "" }]);
    std::fs::write(&staff, jane.to_string())?;
    let staff = staff.display().to_string();
    let week: Value = court.auditor("weekly", &["--staff", &staff]).await?.json()?;
    assert_eq!(week["kinds"]["look-up"]["done"], 3);
    assert_eq!(week["lookups_without_case"], 0);
    let rules: Vec<&Value> = week["findings"]
        .as_array()
        .ok_or("no findings")?
        .iter()
        .map(|finding| &finding["rule"])
        .collect();
    assert_eq!(rules, ["own-record"; 3]);
    std::fs::write(court.realm.path("passphrase"), "another passphrase\n")?;
    court.auditor("search", &[]).await?.said(4, &["passphrase"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_that_a_node_passes_on_is_on_record_at_both_machines() -> Done<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let filing = world.node(1).await?;
    file(&filing, "audit-0005", order("Quintanilla", "Rosalind", "26-FL-1")).await?;
    let asking = world.node(0).await?;
    let request = || LookupRequest {
        last: "Quintanilla".into(),
        first: "Rosalind".into(),
        max_age_s: 1,
        ..LookupRequest::default()
    };
    // A court of which the node never heard cannot be late.
    until("the order is known to the other court", || async {
        let answer = asking.lookup(request()).await?;
        Ok((!answer.hits.is_empty()).then_some(()))
    })
    .await?;
    // Once the other court is silent, the node is not current for it and asks the hub as well.
    if let Some(node) = world.fleet.take_node(1) {
        node.stop().await;
    }
    let hub = world.fleet.hub_data().join("audit");
    let passed = |found: &Found| found.act.operation == Operation::PassedLookUp;
    until("the hub is asked", || async {
        asking.lookup(request()).await?;
        Ok(entries(&hub)?.iter().any(passed).then_some(()))
    })
    .await?;
    let at_hub = entries(&hub)?;
    let entry = at_hub.iter().find(|found| passed(found)).ok_or("no entry")?;
    assert_eq!(
        (
            entry.act.by.identity.as_str(),
            entry.act.by.via.as_str(),
            entry.act.by.agency.as_str()
        ),
        ("court/alameda/node/1", "court/alameda/node/1", "court/alameda")
    );
    assert_eq!(
        (entry.act.served_by.as_str(), &entry.act.outcome),
        ("hub/1", &Outcome::Done)
    );
    let node = world
        .fleet
        .members()
        .first()
        .ok_or("no node")?
        .data()
        .join("audit");
    let here = entries(&node)?;
    let looked = here
        .iter()
        .filter(|found| found.act.operation.kind() == Kind::LookUp)
        .count();
    assert!(looked >= at_hub.iter().filter(|found| passed(found)).count());
    world.fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_keeps_a_copy_of_each_nodes_trail_and_the_node_its_receipts_and_no_node_gets_anothers()
-> Done<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let auditors = ccpor_audit::AuditorsKey::generate()?;
    let data: Vec<PathBuf> = world
        .fleet
        .members()
        .iter()
        .map(|member| member.data().to_owned())
        .collect();
    auditors
        .public()
        .write(&data[0].join("audit").join("auditors.json"))?;
    world.set(0, "").await?;
    let client = world.node(0).await?;
    file(&client, "audit-0006", order("Quintanilla", "Rosalind", "26-FL-1")).await?;
    lookup(&client, "Quintanilla", "Rosalind").await?;
    let hub = world.fleet.hub_data().join("audit");
    let name = "audit.court.alameda.node.1";
    let person = Search {
        person: Some(("Rosalind".into(), "Quintanilla".into(), String::new())),
        kinds: vec![Kind::LookUp],
        ..Search::default()
    };
    // The auditors find the question in the hub's copy as well, and nowhere is it in the clear.
    let copied = |audit: &Path| -> Done<usize> {
        let mut archive = Archive::open(audit)?;
        archive.unlock(&auditors)?;
        Ok(archive.search(&person)?.len())
    };
    until("the question is in the hub's copy", || async {
        Ok((copied(&hub)? == 1).then_some(()))
    })
    .await?;
    assert_eq!(copied(&data[0].join("audit"))?, 1);
    // The hub dies and comes back, and the copy goes on.
    if let Some(daemon) = world.fleet.take_hub() {
        daemon.kill().await;
    }
    lookup(&client, "Quintanilla", "Rosalind").await?;
    world.fleet.start_hub().await?;
    until("the copy goes on", || async {
        Ok((copied(&hub)? == 2).then_some(()))
    })
    .await?;
    world.fleet.stop().await;
    for audit in [&hub, &data[0].join("audit")] {
        let above = audit.parent().ok_or("no data")?;
        let verified = Program::ccpor()?
            .args(["--json", "audit", "verify"])
            .arg(above)
            .run()
            .await?;
        let report: Value = verified.said(0, &[]).json()?;
        let trails = report["trails"].as_array().ok_or("no trails")?;
        let trail = trails
            .iter()
            .find(|trail| trail["trail"] == "audit/court/alameda/node/1");
        assert!(
            trail.is_some_and(|trail| trail["records"].as_u64() > Some(5)),
            "{report}"
        );
    }
    let receipts = std::fs::metadata(data[0].join("audit").join("ledger").join(name).join("receipts"))?;
    assert!(receipts.len() > 100, "the hub's receipts are kept");
    let others: Vec<String> = Archive::open(&data[1].join("audit"))?
        .origins()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(others, ["audit/court/tuolumne/node/1"]);
    Ok(())
}

fn entries(audit: &Path) -> Done<Vec<Found>> {
    Ok(Archive::open(audit)?.search(&Search::default())?)
}
