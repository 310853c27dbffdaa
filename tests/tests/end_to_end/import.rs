//! Importing: good lines go in, bad ones are told by line, field and reason, and a second run files nothing; into a running
//! node and into a stopped one.

use std::collections::BTreeMap;

use ccpor_api::Client;
use ccpor_api::message::{GetOrderRequest, LookupRequest, OrderAnswer};
use ccpor_audit::{Archive, Operation, Outcome as Came, Search};
use ccpor_certs::Clock;
use ccpor_deploy::population::Population;
use ccpor_domain::CourtRef;
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::world::{Outcome, connect};
use serde_json::{Value, json};

/// A line, and the field and code of what is wrong with it, if anything.
type Line = (Vec<u8>, Option<(&'static str, &'static str)>);

const ALONE: &str = "[hub]\nconnect = false\n";

fn row(source_id: &str, last: &str) -> Value {
    json!({
        "source_id": source_id, "case_number": format!("HF26-{source_id}"), "form": "DV-130", "issued": "2026-03-01",
        "expires": "2031-03-01", "restrained": {"first": "PAT", "last": last, "dob": "1985-03-12", "sex": "M"},
        "protected": [{"first": "ALMA", "last": "PROTEGIDA"}], "terms": ["no_contact"],
    })
}

fn with(mut row: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

/// Counts that an import ended with: read, filed, already there, differing, refused.
fn counts(ended: &Ended) -> Outcome<[u64; 5]> {
    let counts: BTreeMap<String, u64> = ended.json()?;
    Ok(["read", "filed", "already_there", "differing", "refused"].map(|name| counts[name]))
}

async fn by_case(client: &Client, case_number: &str) -> Outcome<OrderAnswer> {
    let question = LookupRequest {
        case_number: case_number.into(),
        ..LookupRequest::default()
    };
    let hit = client
        .lookup(question)
        .await?
        .hits
        .into_iter()
        .next()
        .ok_or("not found")?;
    Ok(client
        .get_order(GetOrderRequest {
            order_id: hit.order_id,
            ..GetOrderRequest::default()
        })
        .await?)
}

async fn orders(client: &Client) -> Outcome<u64> {
    Ok(client.status().await?.orders)
}

#[tokio::test]
async fn good_lines_go_in_and_bad_ones_are_told() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let court = realm.issue("system/alameda-test", &[])?;
    let mut node = realm.node("alameda", ALONE)?;
    let client = connect(&court, node.start().await?).await?;

    let lines: Vec<Line> = vec![
        (row("1", "ONE").to_string().into(), None),
        (b"{\"source_id\": \"2\", ".to_vec(), Some(("", "not_json"))),
        (
            with(row("3", "THREE"), json!({"issued": "2026-02-31"}))
                .to_string()
                .into(),
            Some(("issued", "bad_date")),
        ),
        (b"".to_vec(), None),
        (
            with(row("5", "FIVE"), json!({"restrained": {}}))
                .to_string()
                .into(),
            Some(("restrained", "missing")),
        ),
        (
            with(row("6", "SIX"), json!({"court": "court/kern"}))
                .to_string()
                .into(),
            Some(("court", "")),
        ),
        (
            with(row("7", "SEVEN"), json!({"court": "Alameda", "shoe_size": 9}))
                .to_string()
                .into(),
            None,
        ),
        (b"{\"source_id\": \"\xff\xfe\"}".to_vec(), Some(("", "not_utf8"))),
        (
            with(
                row("9", "NINE"),
                json!({"restrained": {"last": "NINE", "sex": "perhaps"}}),
            )
            .to_string()
            .into(),
            Some(("restrained.sex", "unknown_word")),
        ),
        (
            with(row("", "TEN"), json!({})).to_string().into(),
            Some(("source_id", "missing")),
        ),
        (
            format!("{{\"other_text\": \"{}\"}}", "x".repeat(3 << 20)).into(),
            Some(("", "line_too_long")),
        ),
        (row("1", "ONE").to_string().into(), None),
        (
            with(
                row("13", "THIRTEEN"),
                json!({"service": [{"mode": "personal", "date": "2026-03-02"}],
            "ended": {"kind": "terminated", "date": "2026-05-01"}}),
            )
            .to_string()
            .into(),
            None,
        ),
    ];
    let mut text = Vec::new();
    for (line, _) in &lines {
        text.extend(line);
        text.push(b'\n');
    }
    let (file, report) = (realm.path("orders.ndjson"), realm.path("faults.ndjson"));
    std::fs::write(&file, text)?;
    let (file, report) = (file.display().to_string(), report.display().to_string());
    let first = node
        .run(&["import", &file, "--report", &report, "--json"])
        .await?;
    first.said(
        9,
        &[
            "LINE",
            "FIELD",
            "REASON",
            "restrained.sex",
            "shoe_size",
            "no such field is known",
        ],
    );
    assert_eq!(counts(&first)?, [12, 3, 1, 0, 8], "{first:?}");
    assert!(
        !first.err.contains("NINE") && !first.err.contains("HF26"),
        "nobody's data in a report: {}",
        first.err
    );

    let faults: Vec<Value> = std::fs::read_to_string(&report)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    for (number, (_, wrong)) in (1_u64..).zip(&lines) {
        let of_line: Vec<&Value> = faults.iter().filter(|fault| fault["line"] == number).collect();
        let Some((field, code)) = wrong else {
            assert_eq!(of_line, Vec::<&Value>::new(), "line {number} is good");
            continue;
        };
        let fits = |fault: &&Value| {
            fault["field"].as_str().unwrap().starts_with(field)
                && fault["code"].as_str().unwrap().contains(code)
        };
        assert!(of_line.iter().any(fits), "line {number}: {of_line:?}");
        assert!(
            of_line
                .iter()
                .all(|fault| !fault["reason"].as_str().unwrap().is_empty())
        );
    }
    assert_eq!(orders(&client).await?, 3);
    let ended = by_case(&client, "HF26-13").await?;
    assert_eq!((ended.source_id.as_str(), ended.history.len()), ("13", 3));
    assert_eq!(ended.standing.unwrap().status, "terminated");

    // Again: nothing is filed. Changed: told, and nothing is changed.
    let second = node.run(&["import", &file, "--json"]).await?;
    assert_eq!(counts(second.said(9, &[]))?, [12, 0, 4, 0, 8]);
    let changed = with(row("1", "ONE"), json!({"expires": "2027-01-01"})).to_string();
    let third = Program::node()?
        .arg("--config")
        .arg(node.settings())
        .args(["import", "-", "--json"])
        .input(changed);
    let third = third.run().await?;
    third.said(third.code, &["differs from what is filed", "amend it instead"]);
    assert_eq!(counts(&third)?, [1, 0, 0, 1, 0]);
    assert_eq!(by_case(&client, "HF26-1").await?.history.len(), 1);
    assert_eq!(orders(&client).await?, 3);

    // Stopped: the same, by the program itself.
    node.stop().await;
    let fourth = node.run(&["import", &file, "--json"]).await?;
    assert_eq!(counts(fourth.said(9, &[]))?, [12, 0, 4, 0, 8]);
    for (arguments, exit, words) in [
        (
            &["import", "nowhere.ndjson"][..],
            1,
            "nowhere.ndjson cannot be read",
        ),
        (&["import", "orders.txt"], 2, "--format"),
        (
            &["import", &file, "--report", &file],
            2,
            "write the report to another",
        ),
        (&["import"], 2, "FILE"),
    ] {
        node.run(arguments).await?.said(exit, &[words]);
    }
    Ok(())
}

const CSV: &str = "\
source_id,case_number,form,issued,expires,restrained_first,restrained_last,restrained_dob,protected_first,protected_last,protected2_last
c1,CV26-1,DV-130,2026-03-01,2031-03-01,PAT,\"COMMA, WITH\",1985-03-12,ALMA,PROTEGIDA,SECOND
c2,CV26-2,CH-130,2026-03-02,,LEE,PLAIN,,,,
c3,CV26-3,DV-130,2026-13-02,,LEE,BADDATE,,,,
c4,CV26-4,DV-130
";

/// As the synthetic corpus writes an order.
fn corpus(number: u64) -> Value {
    json!({"order_id": number, "person_id": 812, "case_no": format!("AL26CV01234-{number:07}"), "court": "Alameda",
        "order_type": "CH-130 CHRO", "issued": "2026-01-31", "expires": "2029-01-30", "served": true,
        "restrained": {"first": "JOHN", "middle": "", "last": format!("CORPUS{number}"), "suffix": "", "dob": "1985-03-12", "sex": "M",
            "race": "O", "height_cm": 180, "weight_kg": 82, "hair": "BAL", "eye": "BRO", "dl": "D1234567", "cii": "A01234567",
            "aliases": [{"first": "JACK", "middle": "", "last": "DOE", "dob": "1985-03-12"}]},
        "protected": [{"first": "JANE", "last": "DOE", "dob": "1990-01-01", "sex": "F"}],
        "conditions": ["no_contact", "stay_away_100yd"]})
}

async fn import_all(realm: &Realm, node: &Lone) -> Outcome<()> {
    let (table, lines, many) = (
        realm.path("orders.csv"),
        realm.path("corpus.jsonl"),
        realm.path("many.ndjson"),
    );
    std::fs::write(&table, CSV)?;
    std::fs::write(
        &lines,
        (0..20)
            .map(|number| format!("{}\n", corpus(number)))
            .collect::<String>(),
    )?;
    let mut rows = Vec::new();
    for filing in Population::new(3).for_court(&"court/alameda".parse::<CourtRef>()?, 300) {
        filing.write_row(&mut rows)?;
    }
    std::fs::write(&many, rows)?;
    let [table, lines, many] = [table, lines, many].map(|path| path.display().to_string());

    let looked = node.run(&["import", &many, "--dry-run", "--json"]).await?;
    looked.said(0, &["could be filed"]);
    let by_csv = node.run(&["import", &table, "--json"]).await?;
    by_csv.said(9, &["issued", "the header"]);
    assert_eq!(counts(&by_csv)?, [4, 2, 0, 0, 2]);
    let by_corpus = node
        .run(&["import", &lines, "--served-as", "personal", "--json"])
        .await?;
    assert_eq!(counts(by_corpus.said(0, &["person_id"]))?, [20, 20, 0, 0, 0]);
    let by_population = node.run(&["import", &many, "--json"]).await?;
    assert_eq!(counts(by_population.said(0, &[]))?, [300, 300, 0, 0, 0]);
    let again = node.run(&["import", &many, "--json", "--quiet"]).await?;
    assert_eq!(counts(again.said(0, &[]))?, [300, 0, 300, 0, 0]);
    Ok(())
}

async fn all_is_there(client: &Client) -> Outcome<()> {
    assert_eq!(orders(client).await?, 322);
    let by_csv = by_case(client, "CV26-1").await?;
    let paper = by_csv.order.unwrap();
    assert_eq!(
        (
            paper.restrained.unwrap().name.unwrap().last,
            paper.protected.len()
        ),
        ("COMMA, WITH".into(), 2)
    );
    let corpus = by_case(client, "AL26CV01234-0000007").await?;
    assert_eq!(
        (corpus.source_id.as_str(), corpus.order.unwrap().form.as_str()),
        ("7", "CH-130")
    );
    assert!(corpus.standing.unwrap().served && corpus.service.len() == 1);
    Ok(())
}

#[tokio::test]
async fn every_format_goes_into_a_running_and_into_a_stopped_node() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let court = realm.issue("system/alameda-test", &[])?;
    let mut node = realm.node("alameda", ALONE)?;
    import_all(&realm, &node).await?;
    let client = connect(&court, node.start().await?).await?;
    all_is_there(&client).await?;
    node.stop().await;

    let mut other = Lone::node(
        &realm.path("alameda-too"),
        &realm.path("identity-court-alameda-node-1"),
        ALONE,
    )?;
    let client = connect(&court, other.start().await?).await?;
    import_all(&realm, &other).await?;
    all_is_there(&client).await?;
    other.stop().await;
    assert!(!other.log().contains("panicked"), "{}", other.log());
    Ok(())
}

#[tokio::test]
async fn an_import_into_a_stopped_node_is_on_its_trail_with_every_order_and_none_without_it() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let node = realm.node("alameda", ALONE)?;
    let lines: String = (0..450)
        .map(|number| {
            let more = json!({"service": [{"mode": "personal", "date": "2026-03-02"}]});
            format!("{}\n", with(row(&number.to_string(), "DOE"), more))
        })
        .collect();
    let file = realm.path("orders.ndjson").display().to_string();
    std::fs::write(&file, lines)?;

    let audit = node.data().join("audit");
    std::fs::write(&audit, "no directory")?;
    let refused = node.run(&["import", &file, "--json"]).await?;
    assert_ne!(refused.code, 0, "imported without a trail");
    std::fs::remove_file(&audit)?;

    let filed = node.run(&["import", &file, "--json"]).await?;
    assert_eq!(counts(filed.said(0, &[]))?, [450, 450, 0, 0, 0]);
    let again = node.run(&["import", &file, "--json"]).await?;
    assert_eq!(counts(again.said(0, &[]))?, [450, 0, 450, 0, 0]);
    let found = Archive::open(&audit)?.search(&Search::default())?;
    assert!(
        found
            .iter()
            .all(|one| one.act.by.identity == "court/alameda/node/1")
    );
    let begun = found.iter().filter(|one| one.act.outcome == Came::Begun);
    assert_eq!(
        begun.count(),
        2,
        "each import is on record before it changes anything"
    );
    for operation in [Operation::FileOrder, Operation::RecordService] {
        let orders: std::collections::BTreeSet<_> = found
            .iter()
            .filter(|one| one.act.operation == operation && one.act.outcome == Came::Done)
            .flat_map(|one| one.act.orders.clone())
            .collect();
        assert_eq!(orders.len(), 450, "{operation}");
    }
    assert!(
        found.len() <= 2 + 2 * 3,
        "orders stand together in one entry: {}",
        found.len()
    );
    Ok(())
}
