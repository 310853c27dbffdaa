//! Scans that come before their orders: from the scanners' folder, through the interface, and by the command line; filed with their
//! orders though the machine is killed in the middle. None is lost, and none becomes part of two orders.

use std::path::Path;
use std::time::Duration;

use ccpor_api::message::{
    FileOrderRequest, GetOrderRequest, HandleScanRequest, ListScansRequest, OrderAnswer, ScansAnswer,
    WaitingScan, WriteAnswer,
};
use ccpor_api::{CallFailed, Client, Code};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_deploy::population::{Filing, Population, scan};
use ccpor_domain::{CourtRef, Media};
use ccpor_tests::choices::choices;
use ccpor_tests::crash::pause;
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, connect, file, order, until};
use futures_util::StreamExt;

fn papers(seed: u64) -> impl Iterator<Item = Filing> {
    Population::new(seed).for_court(&"court/alameda".parse::<CourtRef>().unwrap(), 100)
}

fn picture(seed: u64, media: Media) -> Outcome<Vec<u8>> {
    Ok(scan::of_kind(&papers(seed).next().unwrap(), media)?.bytes)
}

fn court(realm: &Realm, more: &str) -> Outcome<(Lone, IdentityDir)> {
    let node = realm.node("alameda", &format!("[hub]\nconnect = false\n{more}"))?;
    Ok((node, realm.issue("system/alameda-cms", &[])?))
}

async fn list(client: &Client) -> Outcome<ScansAnswer> {
    Ok(client.list_scans(ListScansRequest::default()).await?)
}

async fn one(client: &Client, blake3: &str) -> Outcome<WaitingScan> {
    let request = ListScansRequest {
        blake3: blake3.into(),
    };
    let answer = client.list_scans(request).await?;
    let lists = [answer.waiting, answer.set_aside, answer.filed];
    Ok(lists.into_iter().flatten().next().ok_or("no such scan")?)
}

async fn with_scan(client: &Client, key: &str, last: &str, blake3: &str) -> Result<WriteAnswer, CallFailed> {
    let request = FileOrderRequest {
        idempotency_key: key.into(),
        order: Some(order(last, "JOSE", key)),
        scan: blake3.into(),
        ..FileOrderRequest::default()
    };
    client.file_order(request).await
}

async fn shown(client: &Client, order_id: &str) -> Result<OrderAnswer, CallFailed> {
    let request = GetOrderRequest {
        order_id: order_id.into(),
        ..GetOrderRequest::default()
    };
    client.get_order(request).await
}

fn act(blake3: &str, act: &str) -> HandleScanRequest {
    HandleScanRequest {
        blake3: blake3.into(),
        act: act.into(),
        ..HandleScanRequest::default()
    }
}

fn code<T: std::fmt::Debug>(answer: Result<T, CallFailed>) -> Code {
    match answer {
        Err(CallFailed::Problem(problem)) => problem.code,
        other => panic!("{other:?}"),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_the_folder_are_taken_when_they_are_whole_and_what_is_no_scan_is_set_aside_with_the_reason()
-> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let folder = realm.path("scanner");
    std::fs::create_dir(&folder)?;
    let place = |name: &str| folder.join(name);
    let (pdf, tiff) = (picture(1, Media::Pdf)?, picture(2, Media::Tiff)?);
    std::fs::write(place("morning.pdf"), &pdf)?;
    std::fs::write(place("same.pdf"), &pdf)?;
    std::fs::write(
        place("letter.doc"),
        b"\xd0\xcf\x11\xe0 a letter that is no scan of an order",
    )?;
    std::fs::write(place("cut.tif"), &tiff[..tiff.len() / 2])?;
    std::fs::write(place("empty.pdf"), b"")?;
    std::fs::File::create(place("huge.tif"))?.set_len(3 << 30)?;
    std::os::unix::fs::symlink("/etc/passwd", place("link.pdf"))?;
    std::fs::create_dir(place("below"))?;
    std::fs::write(place("below").join("inner.pdf"), &pdf)?;
    std::fs::write(place(".hidden.pdf"), &pdf)?;
    let settings = format!("[scans]\nfolder = {folder:?}\nevery_seconds = 1\npatience_seconds = 3\n");
    let (mut node, system) = court(&realm, &settings)?;
    let client = connect(&system, node.start().await?).await?;
    // A scanner that still writes, longer than the node's patience.
    let slow = place("slow.tif");
    let writing = tokio::spawn(async move {
        for end in (0..=6).map(|part| tiff.len() * part / 6) {
            std::fs::write(&slow, &tiff[..end]).unwrap();
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        tiff
    });
    let told = until("everything is taken or set aside", || async {
        let told = list(&client).await?;
        Ok((told.waiting.len() == 2 && told.set_aside.len() == 5).then_some(told))
    })
    .await?;
    let tiff = writing.await?;
    assert!(told.folder_watched && told.folder_trouble.is_empty(), "{told:?}");
    let taken: Vec<_> = told
        .waiting
        .iter()
        .map(|scan| (scan.media.as_str(), scan.from.as_str()))
        .collect();
    assert_eq!(taken, [("pdf", "folder"), ("tiff", "folder")]);
    assert_eq!(told.waiting[1].blake3, blake3::hash(&tiff).to_hex().as_str());
    assert!(told.waiting.iter().all(|scan| scan.pages > 0));
    let reasons = |name: &str| {
        let scan = told.set_aside.iter().find(|scan| scan.name == name);
        scan.map(|scan| scan.reason.clone()).unwrap_or_default()
    };
    for (name, words) in [
        ("letter.doc", "old Office document"),
        ("cut.tif", "damaged"),
        ("empty.pdf", "empty"),
        ("huge.tif", "larger than"),
        ("link.pdf", "link"),
    ] {
        assert!(reasons(name).contains(words), "{name}: {:?}", reasons(name));
    }
    assert_eq!(names(&folder), [".hidden.pdf", "below", "set-aside"]);
    assert_eq!(
        names(&place("set-aside")),
        ["cut.tif", "empty.pdf", "huge.tif", "letter.doc", "link.pdf"]
    );
    assert_eq!(names(&place("below")), ["inner.pdf"]);
    let log = node.log();
    for name in ["letter", "morning", "scanner/"] {
        assert!(!log.contains(name), "{name} is in the log: {log}");
    }
    // What is shown is what was put there.
    let mut bytes = Vec::new();
    let mut out = client.get_scan(&told.waiting[0].blake3).await?;
    while let Some(piece) = out.data.next().await {
        bytes.extend(piece?);
    }
    assert_eq!(bytes, pdf);
    let listed = Program::ask(&system, node.daemon()?.ready().api)?;
    let listed = listed.args(["scans", "list"]).run().await?;
    listed.said(0, &["morning.pdf", "letter.doc", "old Office document"]);
    node.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_filed_with_its_scan_has_the_image_and_the_scan_waits_no_longer() -> Outcome<()> {
    let realm = Realm::new(Clock::machine())?;
    let (mut node, system) = court(&realm, "")?;
    let address = node.start().await?;
    let client = connect(&system, address).await?;
    let mut scans = Vec::new();
    for number in 0..3 {
        let added = client
            .add_scan(format!("paper {number}"), picture(number, Media::Png)?.into())
            .await?;
        assert!(!added.repeated);
        scans.push(added.scan.unwrap().blake3);
    }
    let again = client
        .add_scan("again".into(), picture(0, Media::Png)?.into())
        .await?;
    assert!(again.repeated && again.scan.unwrap().name == "paper 0");
    assert_eq!(
        code(client.add_scan("letter".into(), "no scan".into()).await),
        Code::ImageRefused
    );
    // What waits is no image of any order.
    assert_eq!(
        code(client.get_image(&scans[0]).await.map(|_| ())),
        Code::ImageNotFound
    );

    let filed = with_scan(&client, "key-of-the-first", "RIVER", &scans[0]).await?;
    let images = shown(&client, &filed.order_id).await?.images;
    assert_eq!(images.len(), 1);
    assert_eq!(
        (images[0].blake3.as_str(), images[0].title.as_str()),
        (scans[0].as_str(), "paper 0")
    );
    assert_eq!(list(&client).await?.waiting_count, 2);
    assert_eq!(
        one(&client, &scans[0]).await?.registry_number,
        filed.registry_number
    );
    assert!(
        with_scan(&client, "key-of-the-first", "RIVER", &scans[0])
            .await?
            .repeated
    );
    assert_eq!(shown(&client, &filed.order_id).await?.images.len(), 1);
    // A second clerk who types the same paper is told, and files nothing.
    let second = with_scan(&client, "key-of-the-second", "RIVER", &scans[0]).await;
    assert_eq!(code(second), Code::StateConflict);
    assert_eq!(client.status().await?.orders, 1);

    // What is not filed leaves the scan where it was.
    let refused = FileOrderRequest {
        idempotency_key: "no-legal-core".into(),
        order: Some(order("", "", "")),
        scan: scans[1].clone(),
        ..FileOrderRequest::default()
    };
    assert_eq!(code(client.file_order(refused).await), Code::InvalidFields);
    assert_eq!(one(&client, &scans[1]).await?.state, "waiting");
    let plain = file(&client, "without-a-scan", order("LAKE", "JANE", "A-2")).await?;
    let attached = client
        .handle_scan(HandleScanRequest {
            order_id: plain.registry_number.clone(),
            ..act(&scans[1], "attach")
        })
        .await?;
    assert_eq!(attached.scan.unwrap().order_id, plain.order_id);
    assert_eq!(shown(&client, &plain.order_id).await?.images.len(), 1);

    assert_eq!(
        code(client.handle_scan(act(&scans[2], "set_aside")).await),
        Code::InvalidFields
    );
    let aside =
        Program::ask(&system, address)?.args(["scans", "set-aside", &scans[2], "--reason", "a letter"]);
    aside.run().await?.said(0, &["set aside"]);
    let told = list(&client).await?;
    assert_eq!(
        (told.waiting_count, told.set_aside[0].reason.as_str()),
        (0, "a letter")
    );
    assert_eq!(
        code(with_scan(&client, "key-of-the-third", "HILL", &scans[2]).await),
        Code::StateConflict
    );
    client.handle_scan(act(&scans[2], "put_back")).await?;
    with_scan(&client, "key-of-the-third", "HILL", &scans[2]).await?;

    // An agency, and another court's system, have nothing to do with them.
    for (identity, oris) in [("lea/alameda-so", &["CA0010000"][..]), ("system/kern-cms", &[])] {
        let other = connect(&realm.issue(identity, oris)?, address).await?;
        assert_eq!(
            code(other.list_scans(ListScansRequest::default()).await),
            Code::NotAllowed
        );
        assert_eq!(
            code(other.get_scan(&scans[0]).await.map(|_| ())),
            Code::NotAllowed
        );
        assert_eq!(
            code(other.handle_scan(act(&scans[0], "take")).await),
            Code::NotAllowed
        );
    }
    node.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_while_an_order_is_filed_with_its_scan_loses_neither_and_doubles_neither()
-> Outcome<()> {
    const KILLS: usize = 16;
    let (_, mut random) = choices()?;
    let realm = Realm::new(Clock::machine())?;
    let (mut node, system) = court(&realm, "")?;
    let mut address = node.start().await?;
    let mut cut = 0;
    for (number, paper) in papers(3).take(KILLS).enumerate() {
        let client = connect(&system, address).await?;
        let scan = scan::of_kind(&paper, Media::Png)?.bytes;
        let blake3 = client
            .add_scan(format!("{number}"), scan.into())
            .await?
            .scan
            .unwrap()
            .blake3;
        let key = format!("filing-{number:04}");
        let filing = {
            let (client, key, blake3) = (client.clone(), key.clone(), blake3.clone());
            tokio::spawn(async move { with_scan(&client, &key, "RIVER", &blake3).await.is_ok() })
        };
        pause(&mut random, 30).await;
        node.kill().await;
        cut += usize::from(!filing.await?);
        address = node.start().await?;
        let client = connect(&system, address).await?;
        // By itself the node settles what was cut off: the scan waits, or is part of its order.
        let settled = until("the scan is settled", || async {
            let scan = one(&client, &blake3).await?;
            let orders = client.status().await?.orders;
            let whole = match scan.state.as_str() {
                "waiting" => orders == number as u64,
                "filed" => orders == number as u64 + 1,
                _ => false,
            };
            Ok(whole.then_some(scan))
        })
        .await?;
        let filed = with_scan(&client, &key, "RIVER", &blake3).await?;
        assert_eq!(filed.repeated, settled.state == "filed", "{settled:?}");
        let images = shown(&client, &filed.order_id).await?.images;
        assert_eq!(images.len(), 1, "{images:?}");
        assert_eq!(images[0].blake3, blake3);
        assert_eq!(list(&client).await?.waiting_count, 0);
        assert_eq!(client.status().await?.orders, number as u64 + 1);
    }
    println!("{cut} of {KILLS} filings were cut off");
    node.stop().await;
    Ok(())
}
