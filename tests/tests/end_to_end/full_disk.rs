//! A full disk: filing is refused in words, lookups go on where answers from the reserve are allowed, and filing goes on by itself
//! when there is space. Needs root.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_api::{CallFailed, Client, Code};
use ccpor_tests::agreement::{converged, exactly_once, sound};
use ccpor_tests::choices::{choices, on_threads};
use ccpor_tests::history::{Deed, History, compare};
use ccpor_tests::load::send;
use ccpor_tests::power::{Ballast, Disk, own_mounts};
use ccpor_tests::world::{Failure, Outcome, World, until};
use rand::Rng;

const COURT: &str = "court/alameda";

#[test]
fn a_full_disk_refuses_filing_and_loses_nothing() -> Outcome<()> {
    if !own_mounts()? {
        return Ok(());
    }
    on_threads(async {
        let (_, mut random) = choices()?;
        let images = tempfile::tempdir()?;
        let disk = Arc::new(Disk::make(images.path(), "alameda", 48)?);
        let disks = BTreeMap::from([("alameda".into(), disk.path().to_owned())]);
        let mut world = World::start_on(&["alameda", "tuolumne"], &disks).await?;
        world.keep();
        world.set(0, "[audit]\nemergency_answers = true\n").await?;
        let reserve = disk.path().join("audit").join("reserve");
        let begun = Instant::now();
        let (mut client, history) = (world.node(0).await?, History::default());
        for round in 0..8 {
            // What was given up on the full disk is held back again before the next one.
            until("the reserve is held", || async {
                Ok(reserve.exists().then_some(()))
            })
            .await?;
            for _ in 0..10 {
                file(&client, &history).await?;
            }
            // The disk fills up while filing goes on, so that it is full for whatever the node is just writing.
            let left = random.random_range(0..20_000);
            let filing = || until_refused(&client, &history);
            let (ballast, one, two, three, four) = tokio::join!(
                fill(Arc::clone(&disk), left),
                filing(),
                filing(),
                filing(),
                filing()
            );
            let (ballast, refused) = (ballast?, [one?, two?, three?, four?]);
            // What waits to be written out meets the full disk.
            tokio::time::sleep(Duration::from_millis(random.random_range(0..1_000))).await;
            println!(
                "round {round}: full after {} filings, {:.1?}",
                history.len(),
                begun.elapsed()
            );
            if random.random_bool(0.5) {
                // A full disk is no reason not to start.
                world
                    .fleet
                    .take_node(0)
                    .ok_or("the node does not run")?
                    .kill()
                    .await;
                world.fleet.start_node(0).await?;
                client = world.node(0).await?;
            }
            compare("the node with the full disk", &client, &history.cases()).await?;
            drop(ballast);
            // What was refused is asked for again with the same key, until the node has found that there is space.
            for refused in refused {
                until("the node files again", || async {
                    match again(&client, &history, refused).await {
                        Ok(()) => Ok(Some(())),
                        Err(error) if is_passing(&error) => Ok(None),
                        Err(error) => Err(error),
                    }
                })
                .await?;
            }
        }
        converged(&world, &history).await?;
        println!(
            "{:?} after {:.1?}",
            exactly_once(&world, &history).await?,
            begun.elapsed()
        );
        let log = world
            .fleet
            .members()
            .first()
            .ok_or("there is no node")?
            .directory()
            .join("node.log");
        let mended = std::fs::read_to_string(log)?
            .matches("the index was made anew")
            .count();
        println!("the index was made anew {mended} times");
        world.fleet.stop().await;
        sound(&world)?;
        world.succeeded();
        Ok(())
    })
}

async fn fill(disk: Arc<Disk>, left: u64) -> Outcome<Ballast> {
    tokio::task::spawn_blocking(move || disk.fill(left)).await?
}

/// Whether a refusal ends by itself: no space yet, or the index not made anew yet.
fn is_passing(error: &Failure) -> bool {
    matches!(error.downcast_ref(), Some(CallFailed::Problem(problem))
        if matches!(problem.code, Code::StorageFull | Code::NotRecorded | Code::Unavailable))
}

/// Files one order, which must be taken.
async fn file(client: &Client, history: &History) -> Outcome<()> {
    let place = history.begin(0, COURT);
    history.invoke(place, &key(place), Deed::File);
    again(client, history, place).await
}

async fn again(client: &Client, history: &History, place: usize) -> Outcome<()> {
    let case = history.case(place).ok_or("there is no such case")?;
    let answer = send(client, &case, &key(place), Deed::File).await?;
    if answer.repeated {
        return Err("what was refused had been done".into());
    }
    history.acknowledge(place, answer);
    Ok(())
}

/// Files until the node refuses; gives the case that it refused.
async fn until_refused(client: &Client, history: &History) -> Outcome<usize> {
    loop {
        let place = history.begin(0, COURT);
        history.invoke(place, &key(place), Deed::File);
        let case = history.case(place).ok_or("there is no such case")?;
        match send(client, &case, &key(place), Deed::File).await {
            Ok(answer) => history.acknowledge(place, answer),
            Err(CallFailed::Problem(problem)) if problem.code == Code::StorageFull => return Ok(place),
            Err(error) => return Err(error.into()),
        }
    }
}

fn key(place: usize) -> String {
    format!("full-disk-{place}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_stops_nothing() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    world
        .fleet
        .take_node(0)
        .ok_or("the node does not run")?
        .stop()
        .await;
    let log = world
        .fleet
        .members()
        .first()
        .ok_or("there is no node")?
        .directory()
        .join("node.log");
    std::fs::remove_file(&log)?;
    // Every write to this device fails for lack of space.
    std::os::unix::fs::symlink("/dev/full", &log)?;
    world.fleet.start_node(0).await?;
    let (client, history) = (world.node(0).await?, History::default());
    for _ in 0..5 {
        file(&client, &history).await?;
    }
    converged(&world, &history).await?;
    exactly_once(&world, &history).await?;
    world.fleet.stop().await;
    Ok(())
}
