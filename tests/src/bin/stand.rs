//! Starts the stand for tests in a browser and prints where it is. Each line of its input asks for an account, `COURT ROLE`, or
//! `COURT ROLE letter` for one that is not set up; each is answered by a line. It stops when its input ends.

use std::io::{BufRead as _, Write as _};

use ccpor_tests::program::Program;
use ccpor_tests::stand::{Person, add, add_with, file_all};
use ccpor_tests::world::{Outcome, World, until};
use serde_json::json;

/// At this court a screen that is left alone is locked after so many seconds.
const IDLE: (&str, u32) = ("kern", 8);

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut world = World::start(&["alameda", "kern"]).await?;
    settle(&mut world).await?;
    let filed = file_all(&world.node(0).await?, &world.node(1).await?).await?;
    let everything = world.node(0).await?;
    until("the orders of both courts at one node", async || {
        let courts = everything.list_courts().await?.courts;
        let all = courts.len() == 2 && courts.iter().all(|court| court.current);
        Ok((all && courts.iter().map(|court| court.orders).sum::<u64>() == 10).then_some(()))
    })
    .await?;
    let pages = |number: usize| {
        world
            .fleet
            .members()
            .get(number)
            .map(|node| format!("https://{}", node.api()))
    };
    say(
        &json!({"alameda": pages(0), "kern": pages(1), "hub": format!("https://{}", world.fleet.hub_api()), "orders": filed}),
    )?;
    let mut made = 0;
    while let Some(line) = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next()).await? {
        made += 1;
        say(&serde_json::to_value(account(&world, &line?, made).await?)?)?;
    }
    world.fleet.stop().await;
    Ok(())
}

fn say(value: &serde_json::Value) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}

async fn account(world: &World, line: &str, number: u32) -> Outcome<Person> {
    let mut words = line.split_whitespace();
    let (court, role) = (words.next().ok_or("no court")?, words.next().ok_or("no role")?);
    let set_up = words.next() != Some("letter");
    let name = format!("{role}{number}");
    if court == "hub" {
        let api = world.fleet.hub_api();
        let settings = world.directory.path().join("hub").join("hub.toml");
        let program = Program::hub()?.arg("--config").arg(settings);
        return add_with(program, &world.desk(api)?, api, &name, role, set_up).await;
    }
    let node = world
        .fleet
        .members()
        .iter()
        .find(|node| node.identity().path().contains(court));
    let node = node.ok_or("no such court")?;
    let settings = node.directory().join("node.toml");
    let trust = world.desk(node.api())?;
    add(&settings, &trust, node.api(), &name, role, set_up).await
}

/// Names the courts in full, and makes one of them lock screens early.
async fn settle(world: &mut World) -> Outcome<()> {
    let (early, seconds) = IDLE;
    for (number, name) in [
        "Superior Court of Alameda County",
        "Superior Court of Kern County",
    ]
    .iter()
    .enumerate()
    {
        let member = world.fleet.members().get(number).ok_or("no such court")?;
        let (court, settings) = (member.identity().path(), member.directory().join("node.toml"));
        let slug = court.split('/').nth(1).ok_or("no court")?;
        let mut text = std::fs::read_to_string(&settings)?
            .replace(&format!("name = {slug:?}"), &format!("name = {name:?}"));
        if slug == early {
            text.push_str(&format!("\n[people]\nidle_lock_seconds = {seconds}\n"));
        }
        std::fs::write(settings, text)?;
        if let Some(node) = world.fleet.take_node(number) {
            node.stop().await;
        }
        world.fleet.start_node(number).await?;
    }
    Ok(())
}
