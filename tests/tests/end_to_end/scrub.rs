//! A disk that fails under running programs: records of a court's own ledger, of copies at node and hub, and an image rot; lookups and
//! filing go on, `ccpor scrub` finds every bit of it, and the other side's copy mends it without a restart.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ccpor_api::ImageOffer;
use ccpor_deploy::population::{Population, scan};
use ccpor_domain::{CourtRef, Media};
use ccpor_tests::agreement::sound;
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, file, heads, lookup, order, until};

const ORDERS: usize = 12;

/// Flips a bit in the file's own bytes, as a failing disk does: the running program reads the same file.
fn rot(path: &Path, at: u64) -> Outcome<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut held = [0];
    file.read_exact_at(&mut held, at)?;
    file.write_all_at(&[held[0] ^ 4], at)?;
    Ok(())
}

fn written(segment: &Path) -> Outcome<u64> {
    let bytes = std::fs::read(segment)?;
    let last = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or("an empty segment")?;
    Ok(u64::try_from(last)? + 1)
}

fn segment(data: &Path, court: &str) -> PathBuf {
    data.join(format!("ledger/court.{court}.node.1/00000001.segment"))
}

fn image_file(data: &Path, blake3: &str) -> PathBuf {
    let (group, rest) = blake3.split_at(2);
    data.join("images").join(group).join(rest)
}

#[tokio::test]
async fn what_rots_under_a_running_program_is_found_by_a_scrub_and_mended_without_a_restart() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne) = (world.node(0).await?, world.node(1).await?);
    let mut ids = Vec::new();
    for number in 0..ORDERS {
        let name = format!("FAMILY{number}");
        let (here, there) = (format!("alameda-{number:03}"), format!("tuolumne-{number:03}"));
        file(&alameda, &here, order(&name, "PAT", &format!("HF26-{number}"))).await?;
        ids.push(
            file(&tuolumne, &there, order(&name, "PAT", &format!("TU26-{number}")))
                .await?
                .order_id,
        );
    }
    let offer = ImageOffer {
        idempotency_key: "tuolumne-image".into(),
        order_id: ids[0].clone(),
        ..ImageOffer::default()
    };
    let court = "court/tuolumne".parse::<CourtRef>()?;
    let paper = Population::new(7).for_court(&court, 1).next().unwrap();
    let scan = Bytes::from(scan::of_kind(&paper, Media::Pdf)?.bytes);
    let image = tuolumne
        .attach_image(offer, scan.clone())
        .await?
        .image
        .unwrap()
        .blake3;
    level(&world).await?;
    let hub_data = world.fleet.hub_data().to_owned();
    until("the hub has the image", || async {
        Ok(image_file(&hub_data, &image).exists().then_some(()))
    })
    .await?;

    let data = world.fleet.members()[1].data().to_owned();
    // Not the same records at both: what nobody holds any more nobody can give.
    for (path, parts) in [
        (segment(&data, "tuolumne"), [4, 6, 8]),
        (segment(&data, "alameda"), [4, 6, 8]),
        (segment(&hub_data, "tuolumne"), [3, 5, 9]),
    ] {
        let end = written(&path)?;
        for part in parts {
            rot(&path, end * part / 12)?;
        }
    }
    rot(&image_file(&data, &image), 100)?;

    let node = world.fleet.members()[1].api();
    let ccpor = |machine: SocketAddr, words: &[&str]| -> Outcome<Program> {
        Ok(Program::ask(world.operator(), machine)?.args(words.iter().copied()))
    };
    // What the other side met while it was mended itself is no longer found here.
    ccpor(world.fleet.hub_api(), &["scrub"])?
        .run()
        .await?
        .said(6, &["DAMAGED: 3 records, 0 images", "Mended"]);
    ccpor(node, &["scrub"])?
        .run()
        .await?
        .said(6, &["DAMAGED: ", "Mended"]);
    for (machine, kept) in [
        (world.fleet.hub_api(), "tuolumne"),
        (node, "tuolumne"),
        (node, "alameda"),
    ] {
        let place = format!("ledger/court.{kept}.node.1/quarantine/");
        let whole = ccpor(machine, &["scrub"])?.run().await?;
        whole.said(0, &["Everything is what was written"]);
        let list = ccpor(machine, &["quarantine", "list"])?.run().await?;
        list.said(0, &[&place, "before the records were put back"]);
    }
    let shown = format!("images/quarantine/{image}-0");
    let show = ccpor(node, &["quarantine", "show", &shown])?.run().await?;
    show.said(0, &[&shown, "BLAKE3"]);
    file(&tuolumne, "goes-on-001", order("DOE", "JANE", "TU26-new")).await?;
    level(&world).await?;
    for machine in [world.hub().await?, tuolumne] {
        for number in 0..ORDERS {
            let found = lookup(&machine, &format!("FAMILY{number}"), "PAT").await?.hits;
            for court in ["HF", "TU"] {
                let case = format!("{court}26-{number}");
                assert_eq!(
                    found.iter().filter(|hit| hit.case_number == case).count(),
                    1,
                    "{case}"
                );
            }
        }
        assert!(machine.status().await?.ready);
    }
    until("the court has its image again", || async {
        let held = std::fs::read(image_file(&data, &image)).unwrap_or_default();
        Ok((held == scan).then_some(()))
    })
    .await?;
    world.fleet.stop().await;
    for directory in [&data, &hub_data] {
        Program::ccpor()?
            .arg("verify")
            .arg(directory)
            .run()
            .await?
            .said(0, &[]);
    }
    sound(&world)
}

/// Waits until node and hub hold the same of every court.
async fn level(world: &World) -> Outcome<()> {
    until("the ledgers are the same", || async {
        let hub = heads(&world.hub().await?.list_courts().await?);
        let node = heads(&world.node(1).await?.list_courts().await?);
        Ok((hub == node && hub.len() == 2).then_some(()))
    })
    .await
}
