//! A ledger that was damaged while its node was stopped: found by `ccpor verify` with the place, never served, and never the
//! end of the node.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ccpor_api::message::GetOrderRequest;
use ccpor_api::{CallFailed, Client, Code};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::{Ended, Program};
use ccpor_tests::world::{Outcome, World, connect, file, lookup, order, until};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const ORDERS: usize = 24;
const SEED: u64 = 20_260_301;

/// A node that was stopped, a copy of its data as they were, and what it had answered for each order.
struct Court {
    node: Lone,
    court: IdentityDir,
    ca: PathBuf,
    sound: PathBuf,
    orders: BTreeMap<String, String>,
}

impl Court {
    async fn new(realm: &Realm) -> Outcome<Self> {
        let mut node = realm.node("alameda", "[hub]\nconnect = false\n")?;
        let court = realm.issue("system/alameda-test", &[])?;
        let client = connect(&court, node.start().await?).await?;
        let mut orders = BTreeMap::new();
        for number in 0..ORDERS {
            let paper = order(&format!("FAMILY{number}"), "PAT", &format!("HF26-{number}"));
            let filed = file(&client, &format!("order-key-{number}"), paper).await?;
            orders.insert(
                filed.order_id.clone(),
                shown(&client, &filed.order_id).await?.unwrap(),
            );
        }
        node.stop().await;
        let sound = realm.path("sound");
        copy(&node.data(), &sound)?;
        let ca = court.path().join("ca.pem");
        Ok(Self {
            node,
            court,
            ca,
            sound,
            orders,
        })
    }

    fn restore(&self) -> Outcome<()> {
        std::fs::remove_dir_all(self.node.data())?;
        copy(&self.sound, &self.node.data())
    }

    fn ledger(&self) -> PathBuf {
        self.node.data().join("ledger/court.alameda.node.1")
    }

    /// The segment that holds all the records, and where its last frame ends.
    fn segment(&self) -> Outcome<(PathBuf, usize)> {
        let mut segments: Vec<PathBuf> = std::fs::read_dir(self.ledger())?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "segment"))
            .collect();
        segments.sort();
        let path = segments.first().ok_or("no segment")?.clone();
        let end = std::fs::read(&path)?
            .iter()
            .rposition(|byte| *byte != 0)
            .ok_or("an empty segment")?;
        Ok((path, end + 1))
    }

    async fn verify(&self) -> Outcome<Ended> {
        let verify = Program::ccpor()?.args(["verify", "--json", "--ca"]).arg(&self.ca);
        verify.arg(self.node.data()).run().await
    }

    /// Asserts that the damage is found in this file, at a place.
    async fn fault_in(&self, file: &Path) -> Outcome<()> {
        let ended = self.verify().await?;
        let told: serde_json::Value = ended.said(8, &[]).json()?;
        assert_eq!(told["fault"]["file"], file.display().to_string(), "{told}");
        assert!(
            told["fault"]["offset"].is_u64() && told["fault"]["what"].is_string(),
            "{told}"
        );
        Ok(())
    }

    /// Starts the node over whatever its ledger is now. It must answer, serve of each order what it had answered or nothing,
    /// and not panic; gives how many orders are served. It may refuse to run only where the damage is in what all records of
    /// its epoch hang on, and then says which file it is and what to do.
    async fn serves(&mut self, what: &str) -> Outcome<usize> {
        let address = match self.node.start().await {
            Ok(address) => address,
            Err(refused) => {
                let words = refused.to_string();
                assert!(
                    words.contains(".segment") && words.contains("until the ledger is repaired"),
                    "{what}: {words}"
                );
                assert!(!words.contains("panicked"), "{what}: {words}");
                return Ok(0);
            }
        };
        let client = connect(&self.court, address).await?;
        let mut served = 0;
        for (id, before) in &self.orders {
            if let Some(now) = shown(&client, id).await? {
                assert_eq!(&now, before, "{what}");
                served += 1;
            }
        }
        let mut found = 0;
        for number in 0..ORDERS {
            match lookup(&client, &format!("FAMILY{number}"), "PAT").await {
                Ok(answer) => {
                    assert!(answer.freshness.is_some());
                    found += usize::from(
                        answer
                            .hits
                            .iter()
                            .any(|hit| self.orders.contains_key(&hit.order_id)),
                    );
                }
                Err(CallFailed::Problem(problem)) if problem.code == Code::IntegrityFailure => {}
                Err(other) => return Err(format!("{what}: {other}").into()),
            }
        }
        assert!(found >= served, "{what}: {found} found, {served} served");
        self.node.stop().await;
        assert!(
            !self.node.log().contains("panicked"),
            "{what}: {}",
            self.node.log()
        );
        Ok(served)
    }
}

/// The order as it is shown, without what changes with every question; none when the machine says that it is damaged or that
/// it has none.
async fn shown(client: &Client, id: &str) -> Outcome<Option<String>> {
    let request = GetOrderRequest {
        order_id: id.to_owned(),
        ..GetOrderRequest::default()
    };
    match client.get_order(request).await {
        Ok(answer) if answer.unreadable.is_empty() => {
            Ok(Some(serde_json::to_string(&(answer.order, answer.history))?))
        }
        Ok(_) => Ok(None),
        Err(CallFailed::Problem(problem))
            if matches!(problem.code, Code::IntegrityFailure | Code::OrderNotFound) =>
        {
            Ok(None)
        }
        Err(other) => Err(other.into()),
    }
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn flip(file: &Path, at: usize, bit: u8) -> Outcome<()> {
    let mut bytes = std::fs::read(file)?;
    bytes[at] ^= 1 << bit;
    Ok(std::fs::write(file, bytes)?)
}

#[tokio::test]
async fn damage_is_found_and_told_and_never_served() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut court = Court::new(&realm).await?;
    let sound: serde_json::Value = court.verify().await?.said(0, &[]).json()?;
    assert_eq!(
        (&sound["ok"], &sound["ledgers"][0]["records"]),
        (&true.into(), &(ORDERS + 1).into())
    );
    assert_eq!(court.serves("nothing was damaged").await?, ORDERS);
    court.restore()?;

    let (segment, end) = court.segment()?;
    let mut dice = StdRng::seed_from_u64(SEED);
    for round in 0..16 {
        let (at, bit) = (dice.random_range(0..end), dice.random_range(0..8_u8));
        let what = format!("seed {SEED}, round {round}: bit {bit} of byte {at} of {end}");
        flip(&segment, at, bit)?;
        court.fault_in(&segment).await?;
        let served = court.serves(&what).await?;
        assert!(
            served >= ORDERS - 1 || round_spans_more(at),
            "{what}: only {served} served"
        );
        // The node did not hide it either.
        assert_eq!(court.verify().await?.code, 8, "{what}");
        court.restore()?;
    }
    Ok(())
}

/// Damage in the header of a segment or in the record that begins an epoch concerns all that follow.
fn round_spans_more(at: usize) -> bool {
    at < 256 + 2_048
}

#[tokio::test]
async fn a_truncated_or_missing_segment_is_told_and_the_rest_is_served() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut court = Court::new(&realm).await?;
    let (segment, end) = court.segment()?;
    let mut dice = StdRng::seed_from_u64(SEED);
    for round in 0..3 {
        let length = dice.random_range(end / 2..end);
        let what = format!("seed {SEED}, round {round}: cut to {length} of {end}");
        std::fs::OpenOptions::new()
            .write(true)
            .open(&segment)?
            .set_len(u64::try_from(length)?)?;
        court.fault_in(&segment).await?;
        let served = court.serves(&what).await?;
        assert!((1..ORDERS).contains(&served), "{what}: {served}");
        // What was durable and is gone is not forgotten by starting once.
        assert_eq!(court.verify().await?.code, 8, "{what}");
        court.restore()?;
    }
    std::fs::write(&segment, b"")?;
    court.fault_in(&segment).await?;
    assert_eq!(court.serves("an empty segment").await?, 0);
    court.restore()?;
    std::fs::write(court.ledger().join("durable"), b"nonsense")?;
    court.fault_in(&court.ledger().join("durable")).await?;
    court.restore()?;
    court.verify().await?.said(0, &[]);

    let nothing = Program::ccpor()?
        .args(["verify"])
        .arg(realm.path("nowhere"))
        .run()
        .await?;
    nothing.said(3, &["nowhere"]);
    Ok(())
}

#[tokio::test]
async fn a_damaged_copy_at_the_hub_is_told_and_mended_by_its_court() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne) = (world.node(0).await?, world.node(1).await?);
    for number in 0..ORDERS {
        let paper = order(&format!("FAMILY{number}"), "PAT", &format!("HF26-{number}"));
        file(&alameda, &format!("order-key-{number}"), paper).await?;
    }
    file(&tuolumne, "tuolumne-1", order("ELSEWHERE", "PAT", "TU26-1")).await?;
    let hub = world.hub().await?;
    until("the hub holds all orders", || async {
        Ok((hub.status().await?.orders == ORDERS as u64 + 1).then_some(()))
    })
    .await?;
    world.fleet.take_hub().ok_or("the hub runs")?.stop().await;
    let segment = world
        .fleet
        .hub_data()
        .join("ledger/court.alameda.node.1/00000001.segment");
    let end = std::fs::read(&segment)?
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or("an empty segment")?;
    flip(&segment, end * 3 / 4, 3)?;
    let verify = Program::ccpor()?.arg("verify").arg(world.fleet.hub_data());
    verify
        .run()
        .await?
        .said(8, &["00000001.segment", "court/alameda/node/1", "what to do"]);

    // While the court's own node is away.
    world.fleet.take_node(0).ok_or("the node runs")?.stop().await;
    world.fleet.start_hub().await?;
    let hub = world.hub().await?;
    until("the other node is connected again", || async {
        let up = hub
            .status()
            .await?
            .links
            .iter()
            .filter(|link| link.state == "up")
            .count();
        Ok((up == 1).then_some(()))
    })
    .await?;
    let mut unreadable = BTreeSet::new();
    for number in 0..ORDERS {
        // Whatever is still shown, is shown as it was filed.
        for hit in lookup(&hub, &format!("FAMILY{number}"), "PAT").await?.hits {
            // The order whose record is damaged is still told to exist, with the advice to call.
            if hit.standing.is_none() {
                assert!(
                    hit.radio.contains("NOT READABLE HERE - CALL THE COURT"),
                    "{hit:?}"
                );
                assert_eq!((&*hit.case_number, &*hit.restrained_name), ("", ""));
                unreadable.insert(hit.order_id);
                continue;
            }
            let family = hit.case_number.replace("HF26-", "FAMILY");
            let mut words = hit
                .restrained_name
                .split(|letter: char| !letter.is_alphanumeric());
            assert!(
                words.any(|word| word == family) && hit.court == "court/alameda",
                "{hit:?}"
            );
        }
    }
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    let answer = lookup(&hub, "NOBODY", "XAVER").await?.freshness.unwrap();
    let missing: Vec<&str> = answer
        .not_current
        .iter()
        .map(|court| court.court.as_str())
        .collect();
    assert_eq!(
        (answer.complete, missing),
        (false, vec!["court/alameda"]),
        "{answer:?}"
    );
    // The others go on, and so does the court itself.
    assert_eq!(lookup(&hub, "ELSEWHERE", "PAT").await?.hits.len(), 1);
    assert_eq!(
        lookup(&tuolumne, "FAMILY1", "PAT")
            .await?
            .hits
            .iter()
            .filter(|hit| hit.case_number == "HF26-1")
            .count(),
        1
    );

    // The court's node comes back, and with it what was damaged.
    world.fleet.start_node(0).await?;
    let alameda = world.node(0).await?;
    file(&alameda, "goes-on-01", order("DOE", "JANE", "HF26-new")).await?;
    until("the hub shows every order, and says so", || async {
        let fresh = lookup(&hub, "NOBODY", "XAVER").await?.freshness.unwrap();
        let new = lookup(&hub, "DOE", "JANE").await?.hits;
        Ok((fresh.complete && new.len() == 1).then_some(()))
    })
    .await?;
    for number in 0..ORDERS {
        let case = format!("HF26-{number}");
        let found = lookup(&hub, &format!("FAMILY{number}"), "PAT").await?.hits;
        assert_eq!(
            found.iter().filter(|hit| hit.case_number == case).count(),
            1,
            "{case}"
        );
    }
    let quarantine = segment.with_file_name("quarantine");
    assert!(
        std::fs::read_dir(quarantine)?.next().is_some(),
        "the damaged bytes are kept"
    );
    world.fleet.stop().await;
    let verify = Program::ccpor()?.arg("verify").arg(world.fleet.hub_data());
    verify.run().await?.said(0, &[]);
    let log = std::fs::read_to_string(world.fleet.directory().join("hub/hub.log"))?;
    assert!(log.contains("damaged") && !log.contains("panicked"), "{log}");
    Ok(())
}
