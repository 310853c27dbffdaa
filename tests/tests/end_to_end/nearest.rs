//! Asking the nearest of several machines: one freezes in the middle of the questions, one is dead from the start, and no
//! answer is lost.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ccpor_api::message::LookupRequest;
use ccpor_api::nearest::{Nearest, Told};
use ccpor_api::{CallFailed, Target};
use ccpor_certs::tls::{Expect, client_config};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, file, lookup, order, until};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Questions in all, and how many at a time.
const QUESTIONS: usize = 10_000;
const AT_A_TIME: usize = 8;

fn targets(world: &World, machines: &[SocketAddr]) -> Outcome<Vec<Target>> {
    let tls = client_config(&world.desk(world.fleet.hub_api())?, Expect::AnyServer, &[b"h2"])?;
    let target = |machine: &SocketAddr| Target::new(machine.to_string(), tls.clone());
    Ok(machines.iter().map(target).collect())
}

fn question() -> LookupRequest {
    LookupRequest {
        last: "GARCIA LOPEZ".into(),
        first: "JOSE".into(),
        ..LookupRequest::default()
    }
}

/// Stops a process as it stands: its sockets stay open and nothing answers. It is killed with the world.
async fn freeze(pid: u32) -> Outcome<()> {
    let kill = tokio::process::Command::new("kill")
        .args(["-STOP", &pid.to_string()])
        .status()
        .await?;
    kill.success()
        .then_some(())
        .ok_or_else(|| "the process was not stopped".into())
}

/// Asks `count` times; how long each took, how many a second machine was asked for, and who answered last.
async fn ask(nearest: &Nearest, count: usize) -> Outcome<(Vec<Duration>, usize, String)> {
    let answers: Vec<Told<_>> = stream::iter(0..count)
        .map(|_| nearest.lookup(question()))
        .buffer_unordered(AT_A_TIME)
        .try_collect()
        .await?;
    assert!(
        answers
            .iter()
            .all(|told| told.answer.hits.len() == 1 && told.answer.freshness.is_some())
    );
    let hedged = answers.iter().filter(|told| told.hedged).count();
    let last = answers
        .last()
        .map(|told| told.endpoint.clone())
        .unwrap_or_default();
    Ok((answers.iter().map(|told| told.took).collect(), hedged, last))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_machine_freezes_and_no_answer_is_lost() -> Outcome<()> {
    let world = World::start(&["alameda", "tuolumne"]).await?;
    file(
        &world.node(0).await?,
        "nearest-one",
        order("GARCIA LOPEZ", "JOSE", "HF26-001"),
    )
    .await?;
    let mut machines = vec![world.fleet.hub_api()];
    machines.extend(world.fleet.members().iter().map(|member| member.api()));
    for machine in &machines {
        let client = world.client(*machine).await?;
        until("everybody holds the order", || async {
            Ok((lookup(&client, "GARCIA LOPEZ", "JOSE").await?.hits.len() == 1).then_some(()))
        })
        .await?;
    }
    // A fourth one is dead from the start: a port that nobody listens at.
    let dead = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    machines.insert(0, dead);
    let nearest = Nearest::connect(targets(&world, &machines)?).await?;

    let (mut took, mut hedged, best) = ask(&nearest, QUESTIONS / 4).await?;
    assert_ne!(best, dead.to_string());
    let hub = world.fleet.hub().map(|hub| (world.fleet.hub_api(), hub.pid()));
    let nodes = world
        .fleet
        .members()
        .iter()
        .map(|node| (node.api(), node.daemon().and_then(|daemon| daemon.pid())));
    let pid = hub
        .into_iter()
        .chain(nodes)
        .find(|(machine, _)| machine.to_string() == best);
    let pid = pid.and_then(|(_, pid)| pid).ok_or("the best machine runs")?;

    let asking = tokio::spawn({
        let nearest = nearest.clone();
        async move { ask(&nearest, QUESTIONS - QUESTIONS / 4).await }
    });
    freeze(pid).await?;
    let (later, hedged_later, last) = asking.await??;
    took.extend(later);
    hedged += hedged_later;
    took.sort_unstable();
    let p99 = took.get(QUESTIONS * 99 / 100).copied().unwrap_or(Duration::MAX);
    println!(
        "hedged {hedged} p99_ms {} most_ms {}",
        p99.as_millis(),
        took.last().unwrap().as_millis()
    );
    assert_eq!(took.len(), QUESTIONS);
    assert_ne!(last, best, "the frozen machine is left alone");
    assert!(hedged <= QUESTIONS / 10 + 1, "{hedged} were asked twice");
    assert!(p99 <= Duration::from_millis(400), "{p99:?}");

    let frozen = Program::ask(&world.desk(world.fleet.hub_api())?, &best)?;
    let others = machines
        .iter()
        .flat_map(|machine| ["--server".to_owned(), machine.to_string()]);
    let others: Vec<_> = others.collect();
    let ended = frozen
        .args(others.iter().map(String::as_str))
        .args(["lookup", "GARCIA LOPEZ,JOSE"])
        .run()
        .await?;
    ended.said(0, &["HF26-001", "answered by "]);
    let list: String = machines.iter().map(|machine| format!("{machine}\n")).collect();
    let file = world.directory.path().join("machines");
    std::fs::write(&file, format!("# every machine\n{list}"))?;
    let file = file.display().to_string();
    let listed = Program::ask(&world.desk(world.fleet.hub_api())?, &best)?
        .args(["--servers", &file, "lookup", "GARCIA LOPEZ,JOSE"])
        .run()
        .await?;
    listed.said(0, &["HF26-001", "answered by "]);
    assert!(
        !ended.err.contains(&format!("answered by {best}")),
        "{}",
        ended.err
    );
    Ok(())
}

#[tokio::test]
async fn a_refused_question_is_not_asked_around_and_nobody_there_is_told_soon() -> Outcome<()> {
    let world = World::start(&["alameda"]).await?;
    let dead = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let begin = Instant::now();
    let nobody = Nearest::connect(targets(&world, &[dead, dead])?).await.err();
    assert!(
        matches!(nobody, Some(CallFailed::Unreachable { .. })),
        "{nobody:?}"
    );
    assert!(begin.elapsed() < Duration::from_secs(5));
    let nothing = Nearest::connect(Vec::new()).await.err();
    assert!(
        matches!(nothing, Some(CallFailed::BadEndpoint { .. })),
        "{nothing:?}"
    );

    let nearest = Nearest::connect(targets(&world, &[dead, world.fleet.hub_api()])?).await?;
    let wrong = LookupRequest {
        dob: "yesterday".into(),
        ..question()
    };
    let refused = nearest.lookup(wrong).await.err();
    assert!(matches!(refused, Some(CallFailed::Problem(_))), "{refused:?}");
    Ok(())
}
