//! The index is never needed: deleted, damaged, or of another data directory, the node makes it anew from the ledgers by
//! itself, and `rebuild` does the same by hand.

use std::path::Path;

use ccpor_api::Client;
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::world::{Outcome, connect, file, lookup, order};

const ORDERS: usize = 40;
const ALONE: &str = "[hub]\nconnect = false\n";

async fn filled(node: &mut Lone, court: &IdentityDir, last: &str) -> Outcome<()> {
    let client = connect(court, node.start().await?).await?;
    for number in 0..ORDERS {
        let paper = order(&format!("{last}{number}"), "PAT", &format!("{last}-{number}"));
        file(&client, &format!("{last}-key-{number}"), paper).await?;
    }
    node.stop().await;
    Ok(())
}

/// Starts the node and asserts that it knows all of its own orders and nobody else's; gives what it logged at this start.
async fn whole(node: &mut Lone, court: &IdentityDir, last: &str, what: &str) -> Outcome<String> {
    let before = node.log().len();
    let client = connect(court, node.start().await?).await?;
    assert_eq!(found(&client, last).await?, ORDERS, "{what}");
    let status = client.status().await?;
    assert_eq!(status.orders, ORDERS as u64, "{what}");
    // What was acknowledged before is known as done.
    let paper = order(&format!("{last}0"), "PAT", &format!("{last}-0"));
    assert!(
        file(&client, &format!("{last}-key-0"), paper).await?.repeated,
        "{what}"
    );
    node.stop().await;
    Ok(node.log().split_off(before))
}

async fn found(client: &Client, last: &str) -> Outcome<usize> {
    let mut found = 0;
    for number in 0..ORDERS {
        let case_number = format!("{last}-{number}");
        let answer = lookup(client, &format!("{last}{number}"), "PAT").await?;
        found += answer
            .hits
            .iter()
            .filter(|hit| hit.case_number == case_number)
            .count();
    }
    Ok(found)
}

fn emptied(directory: &Path) -> Outcome<()> {
    Ok(std::fs::remove_dir_all(directory)?)
}

/// Writes nonsense over the middle of every file.
fn damaged(directory: &Path) -> Outcome<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files += damaged(&path)?;
            continue;
        }
        let mut bytes = std::fs::read(&path)?;
        let middle = bytes.len() / 2;
        for byte in bytes.iter_mut().skip(middle).take(4_096) {
            *byte = byte.wrapping_mul(31).wrapping_add(17);
        }
        std::fs::write(&path, bytes)?;
        files += 1;
    }
    Ok(files)
}

/// Cuts every file in half.
fn halved(directory: &Path) -> Outcome<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            halved(&path)?;
        } else {
            let file = std::fs::OpenOptions::new().write(true).open(&path)?;
            file.set_len(file.metadata()?.len() / 2)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn whatever_happens_to_the_index_nothing_is_lost() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let court = realm.issue("system/alameda-test", &[])?;
    let southern = realm.issue("system/kern-test", &[])?;
    let (mut alameda, mut kern) = (realm.node("alameda", ALONE)?, realm.node("kern", ALONE)?);
    filled(&mut alameda, &court, "NORTH").await?;
    filled(&mut kern, &southern, "SOUTH").await?;
    let index = alameda.data().join("index");

    let log = whole(&mut alameda, &court, "NORTH", "nothing happened").await?;
    assert!(!log.contains("made anew"), "{log}");

    emptied(&index)?;
    whole(&mut alameda, &court, "NORTH", "the index was deleted").await?;

    assert!(damaged(&index)? > 0);
    let log = whole(&mut alameda, &court, "NORTH", "the index was damaged").await?;
    assert!(
        log.contains("made anew from the ledgers; nothing was lost"),
        "{log}"
    );

    halved(&index)?;
    whole(&mut alameda, &court, "NORTH", "the index was cut in half").await?;

    emptied(&index)?;
    std::fs::rename(kern.data().join("index"), &index)?;
    let log = whole(&mut alameda, &court, "NORTH", "the index was another court's").await?;
    assert!(
        log.contains("made anew from the ledgers; nothing was lost"),
        "{log}"
    );

    emptied(&index)?;
    std::fs::write(&index, b"not even a directory")?;
    whole(&mut alameda, &court, "NORTH", "the index was a file").await?;

    let log = whole(&mut kern, &southern, "SOUTH", "the index was taken away").await?;
    assert!(!log.contains("panicked"), "{log}");

    let records = ORDERS + 1;
    for arguments in [&["rebuild"][..], &["--set", "data.index_cache_mb=1", "rebuild"]] {
        let rebuilt = alameda.run(arguments).await?;
        rebuilt.said(0, &["made anew", &records.to_string()]);
    }
    let log = whole(&mut alameda, &court, "NORTH", "it was rebuilt by hand").await?;
    assert!(!log.contains("made anew"), "{log}");
    Ok(())
}
