//! The audit trail on a full disk: nothing is answered that cannot be recorded, unless the settings allow it from the reserve. Needs
//! root.

use std::collections::BTreeMap;

use ccpor_api::{CallFailed, Client, Code};
use ccpor_audit::{Archive, Operation, Outcome, Search};
use ccpor_tests::choices::on_threads;
use ccpor_tests::power::{Disk, own_mounts};
use ccpor_tests::world::{Outcome as Done, World, file, lookup, order, until};

/// More look-ups than the room that was written ahead of a trail can hold.
const MANY: usize = 2_500;

#[test]
fn a_question_that_cannot_be_recorded_is_refused_or_recorded_in_the_reserve() -> Done<()> {
    if !own_mounts()? {
        return Ok(());
    }
    on_threads(async {
        let images = tempfile::tempdir()?;
        let disk = Disk::make(images.path(), "alameda", 64)?;
        let disks = BTreeMap::from([("alameda".into(), disk.path().to_owned())]);
        let mut world = World::start_on(&["alameda"], &disks).await?;
        let client = world.node(0).await?;
        file(&client, "full-0001", order("Quintanilla", "Rosalind", "26-FL-1")).await?;

        let ballast = disk.fill(0)?;
        let (answered, refused) = asked(&client).await?;
        let problem = refused.ok_or("everything was answered on a full disk")?;
        assert_eq!(problem.code, Code::NotRecorded);
        assert!(problem.advice().contains("room"), "{}", problem.advice());
        let checks = client.status().await?.checks;
        assert!(
            checks
                .iter()
                .any(|check| check.name == "audit-trail" && !check.ok),
            "{checks:?}"
        );
        drop(ballast);
        until("questions are answered again", || async {
            Ok(lookup(&client, "Quintanilla", "Rosalind").await.ok().map(drop))
        })
        .await?;
        let audit = disk.path().join("audit");
        assert!(
            recorded(&audit)? > answered,
            "each answer is on record, and the first one afterwards"
        );

        world.set(0, "[audit]\nemergency_answers = true\n").await?;
        let reserve = audit.join("reserve");
        until("the reserve is held", || async {
            Ok(reserve.exists().then_some(()))
        })
        .await?;
        let client = world.node(0).await?;
        let before = recorded(&audit)?;
        let ballast = disk.fill(0)?;
        let (answered, refused) = asked(&client).await?;
        assert_eq!((answered, refused), (MANY, None));
        assert!(!reserve.exists(), "the reserve was needed");
        drop(ballast);
        assert_eq!(recorded(&audit)?, before + MANY);
        let found = Archive::open(&audit)?.search(&Search::default())?;
        assert!(found.iter().any(|found| found.act.emergency));
        until("the reserve is held again", || async {
            Ok(reserve.exists().then_some(()))
        })
        .await?;
        world.fleet.stop().await;
        Ok(())
    })
}

/// Asks until it is refused, or many times; gives how often it was answered.
async fn asked(client: &Client) -> Done<(usize, Option<ccpor_api::Problem>)> {
    for number in 0..MANY {
        match lookup(client, "Quintanilla", "Rosalind").await {
            Ok(_) => {}
            Err(CallFailed::Problem(problem)) => return Ok((number, Some(problem))),
            Err(other) => return Err(other.into()),
        }
    }
    Ok((MANY, None))
}

fn recorded(audit: &std::path::Path) -> Done<usize> {
    let found = Archive::open(audit)?.search(&Search::default())?;
    let answered = |found: &&ccpor_audit::Found| {
        found.act.operation == Operation::LookUp && found.act.outcome == Outcome::Done
    };
    Ok(found.iter().filter(answered).count())
}
