//! Batches of questions: one line out for each line in, in the same order, thousands of them, with the bad ones told.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ccpor_certs::{Clock, IdentityDir};
use ccpor_deploy::population::{Filing, Population};
use ccpor_domain::CourtRef;
use ccpor_tests::lone::Realm;
use ccpor_tests::program::Program;
use ccpor_tests::rest::Rest;
use ccpor_tests::world::Outcome;
use http_body_util::Full;
use serde_json::{Value, json};

const ORDERS: u64 = 250;
const QUESTIONS: usize = 4_000;

fn batch(identity: &IdentityDir, address: impl std::fmt::Display, input: &str) -> Outcome<Program> {
    Ok(Program::ask(identity, address)?
        .args(["lookup", "--batch", "-"])
        .input(input))
}

/// A question for the restrained person of an order, each third by another field.
fn question(number: usize, filing: &Filing) -> Value {
    let person = &filing.order.restrained;
    let mut question = match number % 3 {
        0 => json!({ "case_number": filing.order.case_number }),
        1 => json!({ "first": person.name.first, "last": person.name.last }),
        _ => json!({ "first": person.name.first, "last": person.name.last, "limit": 3 }),
    };
    if number % 3 == 2
        && let Some(dob) = &person.dob
    {
        question["dob"] = json!(dob.to_string());
    }
    question["qid"] = json!(number);
    question
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn thousands_of_questions_are_answered_in_their_order() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let court = realm.issue("system/alameda-test", &[])?;
    let mut node = realm.node("alameda", "[hub]\nconnect = false\n")?;
    let filings: Vec<Filing> = Population::new(11)
        .for_court(&"court/alameda".parse::<CourtRef>()?, ORDERS)
        .collect();
    let mut rows = Vec::new();
    for filing in &filings {
        filing.write_row(&mut rows)?;
    }
    std::fs::write(realm.path("orders.ndjson"), rows)?;
    node.run(&["import", &realm.path("orders.ndjson").display().to_string()])
        .await?
        .said(0, &[]);
    let address = node.start().await?;

    let asked: Vec<&Filing> = filings.iter().cycle().take(QUESTIONS).collect();
    let input: String = asked
        .iter()
        .enumerate()
        .map(|(number, filing)| format!("{}\n", question(number, filing)))
        .collect();
    let all = batch(&court, address, &input)?.run().await?;
    let lines = all.said(0, &[]).lines()?;
    assert_eq!(lines.len(), QUESTIONS);
    for (number, (line, filing)) in lines.iter().zip(&asked).enumerate() {
        assert_eq!(line["qid"], number);
        assert_eq!(keys(line), BTreeSet::from(["freshness", "hits", "qid"]), "{line}");
        let hits = line["hits"].as_array().unwrap();
        // Some persons have more orders than the few that every third question asks for.
        let found = hits.iter().any(|hit| hit["source_id"] == filing.source_id);
        assert!(
            found || (number % 3 == 2 && hits.len() == 3),
            "question {number}: {line}"
        );
        let scores: Vec<f64> = hits.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
        assert!(
            scores.windows(2).all(|pair| pair[0] >= pair[1])
                && scores.iter().all(|score| (0.0..=1.0).contains(score))
        );
        for hit in hits {
            assert_eq!(
                keys(hit),
                BTreeSet::from(["order_id", "person", "score", "source_id", "why"])
            );
            assert!(["restrained", "protected"].contains(&hit["person"].as_str().unwrap()));
            assert!(
                !hit["why"].as_array().unwrap().is_empty() && hit["order_id"].as_str().unwrap().len() == 32
            );
        }
        assert!(number % 3 != 2 || hits.len() <= 3);
        assert!(
            line["freshness"]["complete"].as_bool().unwrap()
                && line["freshness"]["served_by"] == "court/alameda/node/1"
        );
    }
    // The same questions from a file give the same hits.
    let file = realm.path("questions.ndjson");
    std::fs::write(&file, input.lines().take(50).collect::<Vec<_>>().join("\n"))?;
    let ask = Program::ask(&court, address)?
        .args(["--json", "lookup", "--batch"])
        .arg(&file);
    let again = ask.run().await?;
    for (one, other) in again.said(0, &[]).lines()?.iter().zip(&lines) {
        assert_eq!(one["hits"], other["hits"]);
    }

    the_same_over_rest(&court, address, &lines[..50], &asked).await?;
    bad_lines_are_told(&court, address).await?;
    node.stop().await;
    Ok(())
}

/// The interface for programs takes the same questions as lines, and gives whole answers.
async fn the_same_over_rest(
    court: &IdentityDir,
    address: SocketAddr,
    lines: &[Value],
    asked: &[&Filing],
) -> Outcome<()> {
    let body: String = (0..lines.len())
        .map(|number| {
            let mut question = question(number, asked[number]);
            let mark = question.as_object_mut().unwrap().remove("qid").unwrap();
            question["reference"] = mark.to_string().into();
            format!("{question}\n")
        })
        .collect();
    let request = http::Request::post("/v1/lookup/batch").header("content-type", "application/x-ndjson");
    let answer = Rest::of(court, address)?.send(request, Full::from(body)).await?;
    let answers: Vec<Value> = std::str::from_utf8(&answer.body)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!((answer.status, answers.len()), (200, lines.len()));
    for (number, (answer, line)) in answers.iter().zip(lines).enumerate() {
        assert_eq!(answer["reference"], number.to_string());
        let ids = |hits: &Value| -> Vec<String> {
            hits.as_array()
                .unwrap()
                .iter()
                .map(|hit| hit["order_id"].to_string())
                .collect()
        };
        assert_eq!(ids(&answer["hits"]), ids(&line["hits"]), "question {number}");
        assert!(answer["freshness"].is_object());
    }
    Ok(())
}

async fn bad_lines_are_told(court: &IdentityDir, address: SocketAddr) -> Outcome<()> {
    let long = format!("{{\"qid\": \"long\", \"last\": \"{}\"}}", "X".repeat(100_000));
    let lines = [
        (
            r#"{"qid": "good", "last": "NOBODY OF THIS NAME", "first": "XAVER"}"#,
            None,
        ),
        ("", None),
        (r#"{"qid": "half", "last": "#, Some("malformed-line")),
        (r#"{"qid": "nobody"}"#, Some("invalid-fields")),
        (
            r#"{"qid": "date", "last": "DOE", "dob": "1985-13-01"}"#,
            Some("invalid-fields"),
        ),
        (
            r#"{"qid": "many", "last": "DOE", "limit": 100000}"#,
            Some("invalid-fields"),
        ),
        (r#"{"qid": "kind", "last": ["DOE"]}"#, Some("malformed-line")),
        ("[1, 2, 3]", Some("malformed-line")),
        (long.as_str(), Some("malformed-line")),
        ("\u{0}\u{1}\u{2}", Some("malformed-line")),
        (
            r#"{"qid": {"deep": [1, "x"]}, "last": "DOE", "dob": 1985, "unknown": true}"#,
            None,
        ),
    ];
    let input: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let ended = batch(court, address, &input)?.run().await?;
    let answers = ended.said(9, &["8 of 10 lines were refused"]).lines()?;
    let expected: Vec<_> = (1..)
        .zip(&lines)
        .filter(|(_, (line, _))| !line.is_empty())
        .collect();
    assert_eq!(answers.len(), expected.len());
    for (answer, (number, (line, code))) in answers.iter().zip(expected) {
        match code {
            None => assert!(
                answer["hits"].is_array() && answer["freshness"].is_object(),
                "{line}: {answer}"
            ),
            Some(code) => {
                assert_eq!(
                    (&answer["line"], &answer["error"]["code"]),
                    (&json!(number), &json!(code)),
                    "{answer}"
                );
                assert!(!answer["error"]["detail"].as_str().unwrap().is_empty());
                assert!(!answer["error"]["action"].as_str().unwrap().is_empty());
                assert!(answer.get("hits").is_none());
            }
        }
    }
    assert_eq!(answers.last().unwrap()["qid"], json!({"deep": [1, "x"]}));

    let nothing = batch(court, address, "")?.run().await?;
    assert_eq!(nothing.said(0, &[]).text(), "");
    batch(court, "127.0.0.1:1", "{\"last\": \"DOE\"}\n")?
        .run()
        .await?
        .said(7, &["cannot be reached"]);
    let missing = Program::ask(court, address)?.args(["lookup", "--batch", "/nonexistent/file"]);
    missing.run().await?.said(3, &["/nonexistent/file"]);
    Ok(())
}
