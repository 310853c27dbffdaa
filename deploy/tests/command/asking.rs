//! What only reads: lookups one by one and in batches, orders, courts, status.

use std::io::{BufRead, BufReader, Read, Write};

use serde_json::Value;

use crate::office::Office;

#[test]
fn a_lookup_is_told_to_people_and_to_programs() {
    let office = Office::open();
    let found = office.run(&["lookup", "DOE,JOHN", "19850312"]);
    assert_eq!(
        found.data,
        "1/1 ACTIVE  DV RESTRAINING ORDER  RP: DOE, JOHN\n    KERN SUPERIOR COURT  REG 7K3M-99QD-0TB2-X\n    \
         MATCH: RP DOE, JOHN\u{fffd}[2J · strong 0.75\nAS OF 02:14:07 PST (2 s) · statewide complete\n"
    );
    assert_eq!((found.code, found.talk.as_str()), (0, ""));
    let nobody = office.run(&["lookup", "--last", "NOBODY"]);
    assert_eq!(
        nobody.data,
        "NO MATCH FOUND AS OF 02:14:07 PST (2 s) — NOT CURRENT: YUROK (3 h 05)  → call court / retry\n"
    );
    assert_eq!(nobody.code, 3);
    assert!(nobody.talk.contains("warning: 1 court is not current"));
    let json = office.run(&["--json", "lookup", "--last", "DOE"]);
    let document: Value = serde_json::from_str(&json.data).unwrap();
    assert_eq!(document["hits"][0]["source_id"], "source-DOE");
    assert_eq!(document["freshness"]["complete"], true);
}

#[test]
fn what_the_registry_refuses_is_told_with_its_exit_code() {
    let office = Office::open();
    let date = office.run(&["lookup", "--dob", "1985-13"]);
    assert_eq!((date.code, date.data.as_str()), (2, ""));
    assert!(
        date.talk.contains("error: Fields were refused: dob") && date.talk.contains("what to do:"),
        "{}",
        date.talk
    );
    let order = office.run(&["order", "show", "nothing", "--json"]);
    assert_eq!(order.code, 3);
    assert_eq!(
        serde_json::from_str::<Value>(&order.talk).unwrap()["code"],
        "order-not-found"
    );
    let agency = office.run(&["lookup", "DOE", "--ori", "CA0010000"]);
    assert_eq!(agency.code, 4, "{}", agency.talk);
}

#[test]
fn an_order_is_shown_as_of_a_moment() {
    let office = Office::open();
    let shown = office.run(&[
        "order",
        "show",
        "7K3M-99QD-0TB2-X",
        "--at",
        "2026-03-01 22:15",
        "--json",
    ]);
    assert_eq!(
        serde_json::from_str::<Value>(&shown.data).unwrap()["filed_at"],
        "2026-03-02T06:15:00.000Z"
    );
    let text = office.run(&["order", "show", "7K3M-99QD-0TB2-X"]).data;
    assert!(
        text.contains("SERVICE     personal · 2026-10-02\n") && text.ends_with("statewide complete\n"),
        "{text}"
    );
}

#[test]
fn courts_and_status_end_with_6_when_there_is_something_to_look_at() {
    let office = Office::open();
    let courts = office.run(&["courts"]);
    assert!(
        courts.data.contains("NOT CURRENT: no heartbeat") && courts.data.contains("1,234"),
        "{}",
        courts.data
    );
    assert_eq!(courts.code, 6);
    let status = office.run(&["status"]);
    assert!(
        status.data.starts_with("NODE       court/kern/node/1"),
        "{}",
        status.data
    );
    assert_eq!(status.code, 0, "{}", status.data);
}

#[test]
fn a_batch_answers_each_line_in_order() {
    let office = Office::open();
    let mut input: String = (0..2000)
        .map(|n| format!("{{\"qid\":{n},\"last\":\"L{n}\"}}\n"))
        .collect();
    input.push_str("{\"qid\":\"bad\",\"last\":\"X\",\"dob\":\"1985-13\"}\nnonsense\n{\"qid\":\"end\",\"last\":\"NOBODY\"}\n");
    let ended = office.run_with(&["lookup", "--batch", "-"], &input);
    let lines: Vec<Value> = ended
        .data
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((lines.len(), ended.code), (2003, 9));
    for (n, line) in lines.iter().take(2000).enumerate() {
        assert_eq!(
            (&line["qid"], &line["hits"][0]["source_id"]),
            (&n.into(), &format!("source-L{n}").into())
        );
    }
    assert_eq!(lines[2000]["error"]["code"], "invalid-fields");
    assert_eq!(lines[2001]["line"], 2002);
    assert_eq!(
        (&lines[2002]["qid"], &lines[2002]["hits"]),
        (&"end".into(), &Value::Array(Vec::new()))
    );
    assert_eq!(
        lines[2002]["freshness"]["not_current"][0]["court"],
        "tribal/yurok"
    );
    assert!(
        ended.talk.contains("2 of 2003 lines were refused"),
        "{}",
        ended.talk
    );
}

#[test]
fn a_batch_answers_while_its_input_is_still_open() {
    let office = Office::open();
    let mut child = office.spawn(&["lookup", "--batch", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for n in 0..3 {
        writeln!(stdin, "{{\"qid\":{n},\"last\":\"DOE\"}}").unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["qid"], n);
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let office = Office::open();
    let mut child = office.spawn(&["lookup", "--batch", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    drop(child.stdout.take());
    // The program may be gone before it has read all of this.
    let _ = (0..2000).try_for_each(|_| stdin.write_all(b"{\"last\":\"DOE\"}\n"));
    drop(stdin);
    let mut talk = String::new();
    child.stderr.take().unwrap().read_to_string(&mut talk).unwrap();
    assert_eq!((child.wait().unwrap().code(), talk.as_str()), (Some(0), ""));
}

#[test]
fn who_cannot_be_reached_or_trusted_is_told_apart() {
    let (office, other) = (Office::open(), Office::open());
    let foreign = office.run(&["status", "--endpoint", &other.endpoint]);
    assert_eq!(foreign.code, 4, "{}", foreign.talk);
    let (endpoint, _directory) = other.close();
    std::thread::sleep(std::time::Duration::from_millis(100));
    let gone = office.run(&["status", "--endpoint", &endpoint, "--timeout", "2"]);
    assert_eq!(gone.code, 7, "{}", gone.talk);
    let nameless = office.run(&["status", "--context", "nobody"]);
    assert_eq!(nameless.code, 3, "{}", nameless.talk);
}
