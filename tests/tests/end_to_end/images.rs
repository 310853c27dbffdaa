//! Images: what is none, or too much, is refused without a trace; what is one comes back byte for byte, here, at the hub and at
//! another node; and a damaged file is never served.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use ccpor_api::message::{AttachImageAnswer, GetOrderRequest};
use ccpor_api::{CallFailed, Client, Code, ImageOffer};
use ccpor_deploy::population::scan;
use ccpor_domain::Media;
use ccpor_tests::program::Program;
use ccpor_tests::rest::{Rest, image_put};
use ccpor_tests::world::{Outcome, World, file, order, until};
use futures_util::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;

use crate::papers::{bytes_of, paper};

const GIGABYTE: u64 = 1 << 30;
/// What a node takes of an image before it looks at it, in bytes, with what the sockets of both sides may hold besides.
const TAKEN_AT_MOST: u64 = 64 << 20;

fn offer(order: &str, key: &str) -> ImageOffer {
    ImageOffer {
        order_id: order.into(),
        idempotency_key: key.into(),
        title: "as filed".into(),
        ..ImageOffer::default()
    }
}

fn code(failed: &CallFailed) -> Option<Code> {
    if let CallFailed::Problem(problem) = failed {
        Some(problem.code)
    } else {
        None
    }
}

fn place(data: &Path, blake3: &str) -> PathBuf {
    let (group, rest) = blake3.split_at(2);
    data.join("images").join(group).join(rest)
}

/// Bytes of all files below a directory.
fn size(directory: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            size(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

/// The most memory that a process has had, in bytes.
fn peak(pid: u32) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("no VmHWM")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes * 1024)
}

async fn images_of(client: &Client, order: &str) -> Outcome<usize> {
    let request = GetOrderRequest {
        order_id: order.into(),
        ..GetOrderRequest::default()
    };
    Ok(client.get_order(request).await?.images.len())
}

#[tokio::test]
async fn a_gigabyte_is_cut_off_and_what_is_no_image_is_refused() -> Outcome<()> {
    let mut world = World::start(&["alameda"]).await?;
    let member = &world.fleet.members()[0];
    let images = member.data().join("images");
    let pid = member
        .daemon()
        .and_then(|daemon| daemon.pid())
        .ok_or("the node runs")?;
    let (client, rest) = (
        world.node(0).await?,
        Rest::of(&world.desk(member.api())?, member.api())?,
    );
    let filed = file(&client, "with-image-1", order("DOE", "JANE", "HF26-1"))
        .await?
        .order_id;
    let before = (size(&images)?, peak(pid)?);

    // Without an announced length, so that only counting finds it.
    let sent = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let mut piece = vec![b'%'; 1 << 20];
    piece[..8].copy_from_slice(b"%PDF-1.7");
    let piece = Bytes::from(piece);
    let body = StreamBody::new(stream::iter(0..GIGABYTE >> 20).map(move |_| {
        counted.fetch_add(1 << 20, Ordering::SeqCst);
        Ok::<_, Infallible>(Frame::data(piece.clone()))
    }));
    // The connection is closed under the sender; whether it still reads the problem depends on the moment.
    if let Ok(refused) = rest.send(image_put(&filed, "gigabyte-1"), body).await {
        assert_eq!(refused.problem()?.code, Code::TooLarge);
    }
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < TAKEN_AT_MOST, "{sent} bytes were taken");
    let announced = image_put(&filed, "gigabyte-2").header("content-length", GIGABYTE.to_string());
    let pending = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
    assert_eq!(
        rest.send(announced, pending).await?.problem()?.code,
        Code::TooLarge
    );
    // The pages of zeros are never touched here, and so cost this process nothing.
    let mut zeros = vec![0; usize::try_from(GIGABYTE)?];
    zeros[..8].copy_from_slice(b"%PDF-1.7");
    let failed = client
        .attach_image(offer(&filed, "gigabyte-3"), Bytes::from(zeros))
        .await
        .unwrap_err();
    assert_eq!(code(&failed), Some(Code::TooLarge), "{failed}");
    let after = (size(&images)?, peak(pid)?);
    assert_eq!(after.0, before.0, "nothing is left on the disk");
    assert!(
        after.1 < before.1 + 4 * TAKEN_AT_MOST,
        "memory went from {} to {}",
        before.1,
        after.1
    );

    let pdf = scan::of_kind(&paper(), Media::Pdf)?.bytes;
    let mut png = scan::of_kind(&paper(), Media::Png)?.bytes;
    let middle = png.len() / 2;
    png[middle] ^= 1;
    let tiff = scan::of_kind(&paper(), Media::Tiff)?.bytes;
    let jpeg = scan::of_kind(&paper(), Media::Jpeg)?.bytes;
    for (number, (name, bytes, words)) in [
        (
            "order.pdf",
            b"<!DOCTYPE html><title>DV-130</title>".to_vec(),
            "a web page",
        ),
        ("half.pdf", pdf[..pdf.len() / 2].to_vec(), "damaged"),
        ("sums.png", png, "damaged"),
        ("half.tif", tiff[..tiff.len() / 2].to_vec(), "damaged"),
        ("half.jpg", jpeg[..jpeg.len() / 2].to_vec(), "damaged"),
        (
            "program.png",
            b"MZ\x90\x00 and so on".to_vec(),
            "a Windows program",
        ),
        ("empty.pdf", Vec::new(), "is empty"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = world.directory.path().join(name);
        std::fs::write(&path, &bytes)?;
        let put = Program::ask(&world.desk(member.api())?, member.api())?
            .args(["image", "put", &filed])
            .arg(&path);
        put.run().await?.said(1, &[words, "what to do"]);
        let by_rest = rest
            .put_image(&filed, &format!("no-image-{number}"), bytes)
            .await?
            .problem()?;
        assert_eq!(by_rest.code, Code::ImageRefused, "{name}");
        assert!(by_rest.detail.contains(words), "{name}: {}", by_rest.detail);
    }
    assert_eq!((size(&images)?, images_of(&client, &filed).await?), (before.0, 0));
    let unknown = client
        .attach_image(offer(&"0".repeat(32), "no-order-1"), pdf.into())
        .await
        .unwrap_err();
    assert_eq!(code(&unknown), Some(Code::OrderNotFound));
    world.fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_image_goes_round_and_a_damaged_one_is_fetched_again() -> Outcome<()> {
    let mut world = World::start(&["alameda", "tuolumne"]).await?;
    let (alameda, tuolumne, hub) = (world.node(0).await?, world.node(1).await?, world.hub().await?);
    let filed = file(&alameda, "with-images", order("DOE", "JANE", "HF26-1"))
        .await?
        .order_id;
    let node = world.fleet.members()[0].api();
    let rest = Rest::of(&world.desk(node)?, node)?;
    let mut papers = Vec::new();
    for (media, word) in [
        (Media::Pdf, "pdf"),
        (Media::Png, "png"),
        (Media::Jpeg, "jpeg"),
        (Media::Tiff, "tiff"),
    ] {
        let scan = scan::of_kind(&paper(), media)?;
        let key = format!("paper-{word}");
        let put = alameda
            .attach_image(offer(&filed, &key), scan.bytes.clone().into())
            .await?;
        let image = put.image.unwrap();
        assert_eq!(
            (image.media.as_str(), image.pages, image.length),
            (word, scan.pages, scan.bytes.len() as u64)
        );
        assert_eq!(image.blake3, blake3::hash(&scan.bytes).to_hex().as_str());
        // The same key over the other interface finds the same act; the title is part of it.
        let request = image_put(&filed, &key).header("ccpor-title", "as filed");
        let again = rest
            .send(request, http_body_util::Full::from(scan.bytes.clone()))
            .await?;
        let again: AttachImageAnswer = again.message()?;
        assert!(
            again.write.as_ref().unwrap().repeated && again.image.as_ref() == Some(&image),
            "{again:?}"
        );
        let got = rest.get(&format!("/v1/images/{}", image.blake3)).await?;
        assert_eq!((got.status, &got.body[..]), (200, scan.bytes.as_slice()));
        assert_eq!(got.headers["x-content-type-options"], "nosniff");
        papers.push((image.blake3, scan.bytes));
    }
    assert_eq!(images_of(&alameda, &filed).await?, 4);

    // The hub comes for them by itself; another node when somebody wants to see one.
    for (blake3, bytes) in &papers {
        until("the hub holds the image", || async {
            Ok(place(world.fleet.hub_data(), blake3).exists().then_some(()))
        })
        .await?;
        assert_eq!(&bytes_of(&hub, blake3).await?, bytes);
    }
    until("Tuolumne knows the images", || async {
        Ok((images_of(&tuolumne, &filed).await? == 4).then_some(()))
    })
    .await?;
    let theirs = world.fleet.members()[1].data().to_owned();
    let [first, second, third, fourth] = papers.as_slice() else {
        return Err("four papers".into());
    };
    assert!(!place(&theirs, &first.0).exists());
    assert_eq!(bytes_of(&tuolumne, &first.0).await?, first.1);
    assert_eq!(bytes_of(&tuolumne, &second.0).await?, second.1);

    // Damaged: not served, set aside, fetched again; at the hub from the court, at a node from the hub.
    for (machine, data, paper) in [
        (&tuolumne, theirs.as_path(), first),
        (&hub, world.fleet.hub_data(), third),
        (&alameda, world.fleet.members()[0].data(), fourth),
    ] {
        let at = place(data, &paper.0);
        let mut bytes = std::fs::read(&at)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 8;
        std::fs::write(&at, bytes)?;
        assert_eq!(bytes_of(machine, &paper.0).await?, paper.1);
        assert_eq!(std::fs::read(&at)?, paper.1, "the good one is in its place again");
        assert!(std::fs::read_dir(data.join("images/quarantine"))?.count() > 0);
    }

    // Without the hub: what was fetched once is there; what was not is told, and fetched when the hub is back.
    world.fleet.take_hub().ok_or("the hub runs")?.stop().await;
    assert_eq!(bytes_of(&tuolumne, &second.0).await?, second.1);
    let failed = bytes_of(&tuolumne, &third.0).await.unwrap_err();
    assert_eq!(code(&failed), Some(Code::ImageUnavailable), "{failed}");
    let at = place(&theirs, &second.0);
    std::fs::write(&at, b"%PDF-1.7 not this one")?;
    let failed = bytes_of(&tuolumne, &second.0).await.unwrap_err();
    assert_eq!(
        code(&failed),
        Some(Code::ImageUnavailable),
        "a damaged image is not served: {failed}"
    );
    world.fleet.start_hub().await?;
    for paper in [second, third] {
        let got = until("the hub is back", || async {
            Ok(bytes_of(&tuolumne, &paper.0).await.ok())
        })
        .await?;
        assert_eq!(got, paper.1);
    }
    let unknown = bytes_of(&tuolumne, &"0".repeat(64)).await.unwrap_err();
    assert_eq!(code(&unknown), Some(Code::ImageNotFound));

    let endpoint = world.fleet.members()[1].api();
    let out = world.directory.path().join("out.png");
    let get = Program::ask(&world.desk(endpoint)?, endpoint)?
        .args(["image", "get", &second.0, "-o"])
        .arg(&out);
    get.run().await?.said(0, &["bytes match"]);
    assert_eq!(std::fs::read(&out)?, second.1);
    let again = Program::ask(&world.desk(endpoint)?, endpoint)?
        .args(["image", "get", &second.0, "-o"])
        .arg(&out);
    again.run().await?.said(5, &["is not overwritten", "--force"]);
    world.fleet.stop().await;
    Ok(())
}
