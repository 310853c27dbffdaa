//! The command line against real machines: an order's whole life, the exit codes that scripts rely on, and the answer when a
//! court is cut off.

use std::net::SocketAddr;

use ccpor_certs::IdentityDir;
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::world::{Outcome, World, file, order, until};
use serde_json::Value;

/// Who asks whom.
struct Desk<'a> {
    identity: &'a IdentityDir,
    machine: SocketAddr,
}

impl Desk<'_> {
    async fn run(&self, arguments: &[&str]) -> Outcome<Ended> {
        Program::ask(self.identity, self.machine)?
            .args(arguments.iter().copied())
            .run()
            .await
    }

    /// Runs it with `--json`; it must succeed and print one JSON document.
    async fn json(&self, arguments: &[&str]) -> Outcome<Value> {
        let ended = Program::ask(self.identity, self.machine)?
            .arg("--json")
            .args(arguments.iter().copied())
            .run()
            .await?;
        ended.said(0, &[]).json()
    }
}

fn written(world: &World, name: &str, paper: &ccpor_api::message::Order) -> Outcome<String> {
    let path = world.directory.path().join(name);
    std::fs::write(&path, serde_json::to_vec(paper)?)?;
    Ok(path.display().to_string())
}

async fn an_orders_life(world: &World, desk: &Desk<'_>) -> Outcome<String> {
    let mut paper = order("GARCIA LOPEZ", "JOSE", "HF26-1");
    let first = written(world, "first.json", &paper)?;
    let filed = desk
        .run(&[
            "order",
            "file",
            &first,
            "--source-id",
            "CMS-1",
            "--reason",
            "signed today",
        ])
        .await?;
    filed.said(0, &["filed", "VERSION", "1"]);
    let again = desk
        .json(&["order", "file", &first, "--key", "life-file-1"])
        .await?;
    let repeated = desk
        .json(&["order", "file", &first, "--key", "life-file-1"])
        .await?;
    assert_eq!(
        (&again["repeated"], &repeated["repeated"], &repeated["order_id"]),
        (&Value::from(false), &true.into(), &again["order_id"])
    );
    let number = again["registry_number"].as_str().unwrap().to_owned();

    paper.other_text = "Return the keys.".into();
    let second = written(world, "second.json", &paper)?;
    let amend = [
        "order",
        "amend",
        &number,
        &second,
        "--reason",
        "keys added",
        "--expected-version",
        "1",
    ];
    assert_eq!(desk.json(&amend).await?["version"], 2);
    desk.run(&amend).await?.said(5, &["version", "what to do"]);
    let serve = [
        "order",
        "serve",
        &number,
        "--mode",
        "personal",
        "--date",
        "2026-03-02",
        "--agency",
        "Alameda SO",
    ];
    desk.run(&serve).await?.said(0, &["service recorded"]);
    let shown = desk.json(&["order", "show", &number, "--versions"]).await?;
    assert_eq!(
        (
            &shown["version"],
            &shown["standing"]["served"],
            &shown["standing"]["status"]
        ),
        (&2.into(), &true.into(), &"active".into())
    );
    let end = [
        "order",
        "end",
        &number,
        "--how",
        "terminated",
        "--date",
        "2026-04-01",
        "--reason",
        "dismissed",
    ];
    desk.run(&end).await?.said(0, &["ended"]);
    desk.run(&end).await?.said(5, &["what to do"]);
    let history = desk.json(&["order", "history", &number]).await?;
    let steps: Vec<&str> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["what"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["filed", "amended", "served", "ended"]);
    let words = desk.run(&["order", "history", &number]).await?;
    words.said(0, &["keys added", "dismissed", "court/alameda/node/1"]);
    desk.run(&["order", "show", &number])
        .await?
        .said(0, &["TERMINATED", "GARCIA LOPEZ", "AS OF"]);
    let before = ["order", "show", &number, "--at", "2020-01-01"];
    desk.run(&before).await?.said(3, &["is known here"]);
    Ok(number)
}

async fn exit_codes_tell_what_happened(world: &World, desk: &Desk<'_>) -> Outcome<()> {
    let found = desk.run(&["lookup", "GARCIA", "LOPEZ,JOSE", "19850312"]).await?;
    found.said(0, &["GARCIA LOPEZ", "AS OF", "statewide complete"]);
    let answer = desk
        .json(&["lookup", "--last", "Garcia Lopez", "--first", "Jose"])
        .await?;
    assert_eq!(
        (
            answer["hits"].as_array().unwrap().len(),
            &answer["freshness"]["complete"]
        ),
        (2, &true.into())
    );
    let nothing = desk.run(&["lookup", "XYLANDER,QUIRIN"]).await?;
    nothing.said(3, &["NO MATCH FOUND AS OF", "statewide complete"]);
    let nothing = desk.run(&["--json", "lookup", "XYLANDER,QUIRIN"]).await?;
    assert!(nothing.said(3, &[]).json::<Value>()?["freshness"].is_object());
    for (exit, arguments, words) in [
        (2, &["lookup"][..], "names nobody"),
        (2, &["lookup", "--last", "DOE", "--dob", "1985-13"], "dob"),
        (2, &["lookup", "--limit", "0", "DOE"], "limit"),
        (2, &["order", "show", "AAAA-AAAA-AAAA-A", "--versions"], "--json"),
        (2, &["lookup", "--last", "DOE", "--page", "made-up"], "page_token"),
        (2, &["order", "file", "/dev/null"], "not JSON"),
        (3, &["order", "show", "AAAA-AAAA-AAAA-A"], "is known here"),
        (3, &["order", "file", "/nonexistent.json"], "/nonexistent.json"),
        (
            3,
            &["image", "get", &"0".repeat(64), "-o", "/tmp/never-written"],
            "no order known here",
        ),
        (3, &["verify", "/nonexistent"], "/nonexistent"),
    ] {
        let ended = desk.run(arguments).await?;
        ended.said(exit, &[words]);
    }
    let problem = desk.run(&["--json", "order", "show", "AAAA-AAAA-AAAA-A"]).await?;
    let document: Value = serde_json::from_str(problem.said(3, &[]).err.trim())?;
    assert_eq!(document["code"], "order-not-found");

    let agency = world.fleet.authority().issue(
        &"lea/alameda-so".parse()?,
        &[],
        &[],
        &world.directory.path().join("agency"),
    )?;
    let denied = Desk {
        identity: &agency,
        ..*desk
    };
    let paper = written(world, "denied.json", &order("DOE", "JANE", "HF26-2"))?;
    denied
        .run(&["order", "file", &paper])
        .await?
        .said(4, &["has no right to", "what to do"]);
    let nobody = Program::ask(&world.desk(desk.machine)?, desk.machine)?
        .args(["status", "--identity", "/nonexistent"])
        .run()
        .await?;
    assert_ne!(nobody.code, 0);
    let away = Desk {
        machine: SocketAddr::from(([127, 0, 0, 1], 1)),
        ..*desk
    };
    let lost = away.run(&["lookup", "DOE,JANE"]).await?;
    lost.said(7, &["cannot be reached", "ask another node"]);
    let write = away.run(&["order", "file", &paper]).await?;
    write.said(7, &["cannot be reached"]);
    let unset = Program::ccpor()?.args(["lookup", "DOE,JANE"]).run().await?;
    unset.said(2, &["ccpor context add"]);

    let status = desk.json(&["status"]).await?;
    assert_eq!(
        (&status["identity"], &status["ready"]),
        (&"court/alameda/node/1".into(), &true.into())
    );
    let courts = desk.json(&["courts"]).await?;
    assert_eq!(courts["courts"].as_array().unwrap().len(), 2);
    Ok(())
}

/// The node of Tuolumne is stopped for longer than the bound: both the node of Alameda and the hub say so on every answer.
async fn a_silent_court_is_named(world: &mut World) -> Outcome<()> {
    let machines = [world.fleet.members()[0].api(), world.fleet.hub_api()];
    let identity = world.desk(world.fleet.members()[0].api())?;
    world.fleet.take_node(1).ok_or("it runs")?.stop().await;
    for machine in machines {
        let desk = Desk {
            identity: &identity,
            machine,
        };
        let answer = until("the silent court is told", || async {
            let answer = desk.run(&["lookup", "XYLANDER,QUIRIN"]).await?;
            Ok(answer.text().contains("NOT CURRENT: TUOLUMNE").then_some(answer))
        })
        .await?;
        answer.said(
            3,
            &[
                "NO MATCH FOUND AS OF",
                "call court / retry",
                "warning: 1 court is not current",
            ],
        );
        assert!(!answer.text().contains("statewide complete"), "{answer:?}");
        let json = desk.run(&["--json", "lookup", "GARCIA LOPEZ,JOSE"]).await?;
        let json: Value = json.said(0, &[]).json()?;
        assert_eq!(json["freshness"]["complete"], false);
        assert_eq!(json["freshness"]["not_current"][0]["court"], "court/tuolumne");
        assert!(
            !json["freshness"]["not_current"][0]["reason"]
                .as_str()
                .unwrap()
                .is_empty()
        );
        desk.run(&["status"]).await?.said(6, &["WARN", "TUOLUMNE"]);
    }
    world.fleet.start_node(1).await?;
    for machine in machines {
        let desk = Desk {
            identity: &identity,
            machine,
        };
        until("the court is current again", || async {
            let answer = desk.run(&["lookup", "XYLANDER,QUIRIN"]).await?;
            Ok(answer.text().contains("statewide complete").then_some(()))
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_command_line_does_what_it_says() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let identity = world.desk(world.fleet.members()[0].api())?;
    let elsewhere = world.node(1).await?;
    file(&elsewhere, "elsewhere-1", order("ELSEWHERE", "PAT", "TU26-1")).await?;
    let machine = world.fleet.members()[0].api();
    let desk = Desk {
        identity: &identity,
        machine,
    };
    until("Alameda holds Tuolumne's order", || async {
        Ok((desk.run(&["lookup", "ELSEWHERE,PAT"]).await?.code == 0).then_some(()))
    })
    .await?;
    an_orders_life(&world, &desk).await?;
    exit_codes_tell_what_happened(&world, &desk).await?;

    // Small bounds and frequent heartbeats, so that a silence shows soon.
    for (directory, name) in [
        (world.fleet.members()[0].directory(), "node"),
        (world.fleet.members()[1].directory(), "node"),
    ] {
        drop_in(
            directory,
            name,
            "[lookup]\nstale_after_seconds = 3\n[hub]\nheartbeat_ms = 300\n",
        )?;
    }
    drop_in(
        &world.fleet.directory().join("hub"),
        "hub",
        "[lookup]\nstale_after_seconds = 3\n",
    )?;
    world.fleet.take_hub().ok_or("the hub runs")?.stop().await;
    world.fleet.start_hub().await?;
    for number in 0..2 {
        world.fleet.take_node(number).ok_or("it runs")?.stop().await;
        world.fleet.start_node(number).await?;
    }
    a_silent_court_is_named(&mut world).await?;
    world.fleet.stop().await;
    Ok(())
}

fn drop_in(directory: &std::path::Path, name: &str, text: &str) -> Outcome<()> {
    let directory = directory.join(format!("{name}.d"));
    std::fs::create_dir_all(&directory)?;
    Ok(std::fs::write(directory.join("bounds.toml"), text)?)
}
