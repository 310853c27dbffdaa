//! A node whose operator chose which courts' orders it holds, with the real programs: what is left out is never passed over in
//! silence, the hub is asked for it, and it comes in when it is chosen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use ccpor_api::message::{
    EnforceRequest, Freshness, GetOrderRequest, LookupAnswer, Order, PersonHistoryRequest, SealOrderRequest,
};
use ccpor_api::{CallFailed, Client, Code, Problem};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, connect, file, heads, lookup, order, until};

use crate::papers::{attach, bytes_of};

/// A registry of three courts, of which Alameda's node chooses.
struct Stage {
    hub: Lone,
    others: [Lone; 2],
    alameda: Lone,
    desk: IdentityDir,
    at_hub: Client,
    kern: Client,
    inyo: Client,
}

const INYO: &str = "court/inyo";

impl Stage {
    async fn set(realm: &Realm) -> Outcome<Self> {
        let mut hub = realm.hub()?;
        let hub_api = hub.start().await?;
        hub.keep_ports()?;
        let link = format!("[hub]\naddress = \"{}\"\nheartbeat_ms = 200\n", hub.nodes()?);
        let mut others = [realm.node("kern", &link)?, realm.node("inyo", &link)?];
        let mut systems = Vec::new();
        for (node, court) in others.iter_mut().zip(["kern", "inyo"]) {
            let address = node.start().await?;
            systems.push(connect(&realm.issue(&format!("system/{court}-cms"), &[])?, address).await?);
        }
        let desk = realm.issue("lea/alameda-so", &["CA0010000"])?;
        let (inyo, kern) = (systems.pop().ok_or("two")?, systems.pop().ok_or("two")?);
        Ok(Self {
            at_hub: connect(&desk, hub_api).await?,
            alameda: realm.node("alameda", &link)?,
            hub,
            others,
            desk,
            kern,
            inyo,
        })
    }

    /// Starts Alameda's node with this choice.
    async fn choose(&mut self, courts: &str) -> Outcome<(SocketAddr, Client)> {
        self.alameda.stop().await;
        let drop_ins = self.alameda.settings().with_extension("d");
        std::fs::create_dir_all(&drop_ins)?;
        std::fs::write(
            drop_ins.join("50-replica.toml"),
            format!("[replica]\ncourts = {courts}\n"),
        )?;
        self.restart().await
    }

    async fn restart(&mut self) -> Outcome<(SocketAddr, Client)> {
        self.alameda.stop().await;
        let address = self.alameda.start().await?;
        Ok((address, connect(&self.desk, address).await?))
    }

    async fn hub_comes(&mut self) -> Outcome<()> {
        let address = self.hub.start().await?;
        self.at_hub = connect(&self.desk, address).await?;
        Ok(())
    }

    /// The images on the disk of Alameda's node.
    fn copies(&self) -> Outcome<Vec<PathBuf>> {
        let mut copies = Vec::new();
        for group in std::fs::read_dir(self.alameda.data().join("images"))? {
            let group = group?;
            if group.file_name().len() == 2 {
                for copy in std::fs::read_dir(group.path())? {
                    copies.push(copy?.path());
                }
            }
        }
        Ok(copies)
    }

    async fn end(mut self) {
        for machine in self.others.iter_mut().chain([&mut self.alameda, &mut self.hub]) {
            machine.stop().await;
        }
    }
}

/// What a lookup says once it says this.
async fn answer(
    client: &Client,
    what: &str,
    last: &str,
    wanted: impl Fn(&LookupAnswer, &Freshness) -> bool,
) -> Outcome<Freshness> {
    until(what, || async {
        let answer = lookup(client, last, "JANE").await?;
        let fresh = answer.freshness.clone().unwrap_or_default();
        // Whatever else is so: nobody is told that all is there when a court is not.
        assert!(!fresh.complete || fresh.left_out.is_empty(), "{fresh:?}");
        Ok(wanted(&answer, &fresh).then_some(fresh))
    })
    .await
}

/// Found in the node's own copy.
async fn found_here(client: &Client, last: &str) -> Outcome<Freshness> {
    answer(client, &format!("{last} is here"), last, |answer, fresh| {
        answer.hits.len() == 1 && fresh.also_asked.is_empty()
    })
    .await
}

/// Found by the hub, which answers for what is left out here.
async fn found_by_the_hub(client: &Client, last: &str) -> Outcome<()> {
    let fresh = answer(client, &format!("the hub finds {last}"), last, |answer, fresh| {
        answer.hits.len() == 1 && fresh.also_asked == "hub/1" && fresh.complete
    })
    .await?;
    assert!(
        fresh.not_covered.is_empty() && fresh.left_out.is_empty(),
        "{fresh:?}"
    );
    Ok(())
}

fn by_number(number: &str) -> GetOrderRequest {
    GetOrderRequest {
        order_id: number.to_owned(),
        ..GetOrderRequest::default()
    }
}

/// Said to be not covered, without a hub to ask. Gives up to when it is included all the same, if it is at all.
async fn left_out(client: &Client, last: &str, hits: usize) -> Outcome<String> {
    let fresh = answer(
        client,
        &format!("{last} is not covered"),
        last,
        |answer, fresh| answer.hits.len() == hits && fresh.left_out == [INYO],
    )
    .await?;
    assert_eq!(fresh.not_covered, [INYO]);
    let inyo = fresh.not_current.iter().find(|court| court.court == INYO);
    let inyo = inyo.ok_or("what is left out is not current")?;
    assert!(inyo.reason.contains("operator chose"), "{inyo:?}");
    Ok(inyo.as_of.clone())
}

#[tokio::test]
async fn what_a_node_leaves_out_is_said_and_asked_of_the_hub_and_comes_in_when_it_is_chosen() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut stage = Stage::set(&realm).await?;
    file(&stage.kern, "at-kern-0001", order("RIVER", "JANE", "K-1")).await?;
    file(&stage.inyo, "at-inyo-0001", order("MOUNTAIN", "JANE", "I-1")).await?;
    for last in ["RIVER", "MOUNTAIN"] {
        found_here(&stage.at_hub, last).await?;
    }

    // One of two other courts is chosen: it comes, the other is known and asked of the hub.
    let (address, node) = stage.choose("[\"Kern\"]").await?;
    answer(&node, "the chosen court is here", "RIVER", |answer, fresh| {
        answer.hits.len() == 1 && fresh.not_current.iter().all(|court| court.court != "court/kern")
    })
    .await?;
    found_by_the_hub(&node, "MOUNTAIN").await?;
    let left = lookup(&node, "MOUNTAIN", "JANE")
        .await?
        .hits
        .remove(0)
        .registry_number;
    let opened = node.get_order(by_number(&left)).await?;
    assert_eq!(opened.court, INYO);
    let fresh = opened.freshness.unwrap_or_default();
    assert_eq!(
        (fresh.served_by.as_str(), fresh.also_asked.as_str()),
        ("court/alameda/node/1", "hub/1")
    );
    let asked = EnforceRequest {
        order_id: left.clone(),
        ..EnforceRequest::default()
    };
    assert_eq!(node.enforce(asked).await?.order_id, opened.order_id);
    let held = |courts: Vec<ccpor_api::message::CourtState>| -> BTreeMap<String, (String, u64)> {
        let each = courts.into_iter();
        each.map(|court| (court.court, (court.held, court.orders)))
            .collect()
    };
    let of = |word: &str, orders| (word.to_owned(), orders);
    let expected = BTreeMap::from([
        ("court/alameda".to_owned(), of("taken", 0)),
        (INYO.to_owned(), of("left_out", 0)),
        ("court/kern".to_owned(), of("taken", 1)),
    ]);
    assert_eq!(held(node.list_courts().await?.courts), expected);
    let status = Program::ask(&stage.desk, address)?.arg("status").run().await?;
    status.said(0, &["LEFT OUT   by choice here: court/inyo", "NOT COVERED: INYO"]);

    // Without the hub it is said to be missing, also by a program that has never met the hub.
    stage.hub.stop().await;
    assert_eq!(left_out(&node, "MOUNTAIN", 0).await?, "");
    let (_, node) = stage.restart().await?;
    assert_eq!(left_out(&node, "MOUNTAIN", 0).await?, "");
    assert_eq!(lookup(&node, "RIVER", "JANE").await?.hits.len(), 1);
    assert!(node.get_order(by_number(&left)).await.is_err());
    stage.hub_comes().await?;
    found_by_the_hub(&node, "MOUNTAIN").await?;

    // Chosen, it comes in whole.
    let (_, node) = stage.choose("\"all\"").await?;
    let fresh = found_here(&node, "MOUNTAIN").await?;
    assert!(
        fresh.left_out.is_empty() && fresh.not_covered.is_empty(),
        "{fresh:?}"
    );
    stage.end().await;
    Ok(())
}

/// The orders of Jane Mountain, by identifier, once what is said with them is as wanted.
async fn history(
    client: &Client,
    what: &str,
    wanted: impl Fn(&[String], &Freshness) -> bool,
) -> Outcome<(Vec<String>, Freshness)> {
    let person = order("MOUNTAIN", "JANE", "").restrained;
    until(what, || async {
        let request = PersonHistoryRequest {
            person: person.clone(),
            ..PersonHistoryRequest::default()
        };
        let answer = client.person_history(request).await?;
        let fresh = answer.freshness.unwrap_or_default();
        assert!(!fresh.complete || fresh.left_out.is_empty(), "{fresh:?}");
        let orders = answer.orders.into_iter().filter_map(|named| named.order);
        let orders: Vec<String> = orders.map(|order| order.order_id).collect();
        Ok(wanted(&orders, &fresh).then_some((orders, fresh)))
    })
    .await
}

#[tokio::test]
async fn the_history_of_a_person_has_what_is_left_out_from_the_hub_and_without_it_says_what_it_lacks()
-> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut stage = Stage::set(&realm).await?;
    let later = file(&stage.inyo, "at-inyo-0001", order("MOUNTAIN", "JANE", "I-1")).await?;
    let (address, node) = stage.choose("\"none\"").await?;
    let alameda = connect(&realm.issue("system/alameda-cms", &[])?, address).await?;
    let earlier = Order {
        issued: "2026-02-01".into(),
        ..order("MOUNTAIN", "JANE", "A-1")
    };
    let earlier = file(&alameda, "at-alameda-0001", earlier).await?;
    let (orders, fresh) = history(&node, "the hub adds the other court's", |orders, fresh| {
        orders.len() == 2 && fresh.also_asked == "hub/1" && fresh.complete
    })
    .await?;
    assert_eq!(orders, [later.order_id, earlier.order_id.clone()]);
    assert_eq!(fresh.served_by, "court/alameda/node/1");
    assert!(
        fresh.not_covered.is_empty() && fresh.left_out.is_empty(),
        "{fresh:?}"
    );

    stage.hub.stop().await;
    let alone = [earlier.order_id];
    let (_, fresh) = history(&node, "it has what is here", |orders, fresh| {
        orders == alone && fresh.also_asked.is_empty()
    })
    .await?;
    let names_inyo = |courts: &[String]| courts.iter().any(|court| court == INYO);
    assert!(
        names_inyo(&fresh.left_out) && names_inyo(&fresh.not_covered),
        "{fresh:?}"
    );
    stage.end().await;
    Ok(())
}

/// Why no image is given.
async fn refused(client: &Client, blake3: &str) -> Outcome<Code> {
    Ok(refusal(client, blake3).await?.code)
}

async fn refusal(client: &Client, blake3: &str) -> Outcome<Problem> {
    match client.get_image(blake3).await.err() {
        Some(CallFailed::Problem(problem)) => Ok(problem),
        other => Err(format!("{:?}", other.map(|other| other.to_string())).into()),
    }
}

#[tokio::test]
async fn the_paper_of_an_order_that_is_left_out_is_shown_from_the_hub_to_whom_the_hub_shows_it() -> Outcome<()>
{
    let realm = Realm::new(Clock::machine())?;
    let mut stage = Stage::set(&realm).await?;
    let filed = file(&stage.inyo, "at-inyo-0001", order("MOUNTAIN", "JANE", "I-1")).await?;
    file(&stage.inyo, "at-inyo-0002", order("FOREST", "JANE", "I-2")).await?;
    let (image, bytes) = attach(&stage.inyo, &filed.order_id, "at-inyo-image-1").await?;
    until("the hub has the paper", || async {
        Ok(stage.at_hub.get_image(&image).await.is_ok().then_some(()))
    })
    .await?;
    let (_, node) = stage.choose("\"none\"").await?;
    found_by_the_hub(&node, "MOUNTAIN").await?;
    assert_eq!(bytes_of(&node, &image).await?, bytes);
    assert_eq!(stage.copies()?, Vec::<PathBuf>::new(), "no copy of it stays");
    assert_eq!(refused(&node, &"0".repeat(64)).await?, Code::ImageNotFound);

    // Without the hub it is not had, and once its order is sealed it is shown to nobody to whom the hub does not show it.
    stage.hub.stop().await;
    let alone = until("the node knows that the hub is away", || async {
        let refusal = refusal(&node, &image).await?;
        Ok(refusal.detail.contains("no hub can be asked").then_some(refusal))
    })
    .await?;
    assert_eq!(alone.code, Code::ImageNotFound);
    let unknown = GetOrderRequest {
        order_id: filed.order_id.clone(),
        ..GetOrderRequest::default()
    };
    match node.get_order(unknown).await {
        Err(CallFailed::Problem(problem)) => {
            assert_eq!(problem.code, Code::OrderNotFound);
            assert!(problem.detail.contains("no hub can be asked"), "{problem}");
        }
        other => return Err(format!("{:?}", other.map(|order| order.order_id)).into()),
    }
    stage.hub_comes().await?;
    let seal = SealOrderRequest {
        idempotency_key: "sealed-0001".into(),
        order_id: filed.order_id.clone(),
        sealed: true,
        reason: "the court's reason".into(),
    };
    stage.inyo.seal_order(seal).await?;
    until("it is sealed at the hub", || async {
        Ok(stage.at_hub.get_image(&image).await.is_err().then_some(()))
    })
    .await?;
    // The hub is asked again.
    found_by_the_hub(&node, "FOREST").await?;
    assert_eq!(
        refused(&node, &image).await?,
        refused(&stage.at_hub, &image).await?
    );
    stage.end().await;
    Ok(())
}

#[tokio::test]
async fn what_was_held_before_it_was_left_out_is_shown_as_it_was_and_goes_on_from_there() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let mut stage = Stage::set(&realm).await?;
    let filed = file(&stage.inyo, "at-inyo-0001", order("MOUNTAIN", "JANE", "I-1")).await?;
    let (image, bytes) = attach(&stage.inyo, &filed.order_id, "at-inyo-image-1").await?;
    let (_, node) = stage.choose("\"all\"").await?;
    found_here(&node, "MOUNTAIN").await?;
    until("the node has the paper", || async {
        let is_had = bytes_of(&node, &image).await.is_ok_and(|had| had == bytes);
        Ok((is_had && !stage.copies()?.is_empty()).then_some(()))
    })
    .await?;
    let (_, node) = stage.choose("\"court/kern\"").await?;
    file(&stage.inyo, "at-inyo-0002", order("FOREST", "JANE", "I-2")).await?;
    for last in ["MOUNTAIN", "FOREST"] {
        found_by_the_hub(&node, last).await?;
    }
    // A paper of then that is lost comes from the hub, and is not kept again.
    for copy in stage.copies()? {
        std::fs::remove_file(copy)?;
    }
    assert_eq!(bytes_of(&node, &image).await?, bytes);
    assert_eq!(stage.copies()?, Vec::<PathBuf>::new());
    let copy = heads(&node.list_courts().await?);
    stage.hub.stop().await;
    // The order of then is there, with its moment, and nobody takes it for the newest.
    assert_ne!(left_out(&node, "MOUNTAIN", 1).await?, "");
    assert_ne!(left_out(&node, "FOREST", 0).await?, "");
    stage.hub_comes().await?;
    let (_, node) = stage.choose("[\"kern\", \"inyo\"]").await?;
    found_here(&node, "FOREST").await?;
    found_here(&node, "MOUNTAIN").await?;
    let (before, now, all) = (
        copy["court/inyo/node/1"].1,
        heads(&node.list_courts().await?),
        heads(&stage.at_hub.list_courts().await?),
    );
    assert!(before < now["court/inyo/node/1"].1);
    assert_eq!(now["court/inyo/node/1"], all["court/inyo/node/1"]);
    let ca = realm.path("identity-hub-1").join("ca.pem").display().to_string();
    let data = stage.alameda.data().display().to_string();
    stage.end().await;
    let verified = Program::ccpor()?
        .args(["verify", &data, "--ca", &ca])
        .run()
        .await?;
    verified.said(0, &["SOUND"]);
    Ok(())
}
