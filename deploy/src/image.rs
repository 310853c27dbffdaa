//! `ccpor image`: attaches the image of a signed paper, and fetches one. What does not match its BLAKE3 is not kept.

use std::io::{IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ccpor_api::message::ImageRef;
use ccpor_api::{CallFailed, Code, ImageIn, ImageOffer, Problem};
use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand};
use futures_util::{Stream, StreamExt};
use serde_json::json;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::key::{self, Key};
use crate::screen::{Screen, output_failed};
use crate::{asking, paper};

/// More than any registry takes for an image; what is larger is not even read.
const MOST_IMAGE_BYTES: u64 = 256 * 1024 * 1024;
/// Longest time to send an image.
const SENDING: Duration = Duration::from_secs(600);

/// What to do with an image.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Attach the image of a signed paper to an order: PDF, PNG, JPEG or TIFF.
    #[command(
        after_help = "Examples:\n  ccpor image put 7K3M-99QD-0TB2-X dv130.pdf --title \"DV-130, signed\"\n  \
                      ccpor image put 7K3M-99QD-0TB2-X proof.tif --title \"Proof of service\" --json | jq -r .image.blake3"
    )]
    Put(Put),
    /// Fetch an image by its BLAKE3, as `ccpor order show` lists it.
    #[command(
        after_help = "Examples:\n  ccpor image get 5f1c... -o order.pdf\n  ccpor image get 5f1c... | sha256sum\n\n\
                      Ends with 8, and keeps nothing, when the bytes do not match."
    )]
    Get(Get),
}

/// What to attach.
#[derive(Args, Debug)]
pub(crate) struct Put {
    /// Registry number or order id.
    order: String,
    /// The image.
    file: PathBuf,
    /// What it is, for people: "DV-130, signed".
    #[arg(long, value_name = "WORDS")]
    title: Option<String>,
    /// Why; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
    #[command(flatten)]
    key: Key,
}

/// What to fetch.
#[derive(Args, Debug)]
pub(crate) struct Get {
    /// BLAKE3 of the image, 64 hexadecimal digits.
    #[arg(value_parser = blake3_digits)]
    blake3: String,
    /// Write to this file; without it to stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file.
    #[arg(long, requires = "output")]
    force: bool,
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Put(what) => put(what, globals, screen).await,
        Command::Get(what) => get(what, false, globals, screen).await,
    }
}

async fn put(what: Put, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let data = read_image(&what.file)?;
    let key = what.key.chosen();
    let offer = ImageOffer {
        idempotency_key: key.clone(),
        order_id: what.order,
        title: what.title.unwrap_or_default(),
        reason: what.reason.unwrap_or_default(),
    };
    let client = asking::client(globals).await?;
    let sent = tokio::time::timeout(SENDING, client.attach_image(offer, data.into())).await;
    let late = || CallFailed::from(Problem::new(Code::Timeout, "sending the image took too long"));
    let answer = sent
        .unwrap_or_else(|_| Err(late()))
        .map_err(|failed| key::failed(&key, failed, screen))?;
    if screen.json {
        screen.document(&answer)?;
        return Ok(Exit::Done);
    }
    let mut text = answer
        .write
        .as_ref()
        .map(|write| paper::written("image attached", write))
        .unwrap_or_default();
    if let Some(image) = &answer.image {
        text.push_str(&format!("IMAGE       {}\n", paper::image(image)));
    }
    screen.text(&text)?;
    Ok(Exit::Done)
}

pub(crate) fn read_image(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::file("reading", file, &error, "Give the file of an image.");
    let opened = std::fs::File::open(file).map_err(failed)?;
    let mut data = Vec::new();
    opened
        .take(MOST_IMAGE_BYTES + 1)
        .read_to_end(&mut data)
        .map_err(failed)?;
    if data.len() as u64 > MOST_IMAGE_BYTES {
        let detail = format!("the file has more than {} MiB", MOST_IMAGE_BYTES / (1024 * 1024));
        return Err(Problem::new(Code::TooLarge, detail).into());
    }
    Ok(data)
}

/// Fetches the image of an order, or a scan that waits for one.
pub(crate) async fn get(
    what: Get,
    waiting: bool,
    globals: &Globals,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let target = Target::open(&what)?;
    let client = asking::client(globals).await?;
    let found = if waiting {
        client.get_scan(&what.blake3).await
    } else {
        client.get_image(&what.blake3).await
    };
    let ImageIn { image, data } = found?;
    let mut kept = target.temporary()?;
    received(&what.blake3, &image, data, globals.timeout, kept.as_file_mut()).await?;
    match &what.output {
        None => {
            let mut file = kept.as_file();
            file.rewind()
                .and_then(|()| std::io::copy(&mut file, &mut std::io::stdout().lock()))
                .map_err(|error| output_failed(&error))?;
        }
        Some(file) => {
            let failed = |error: std::io::Error| {
                Failure::file("writing", file, &error, "Name another file, or see --force.")
            };
            kept.as_file().sync_all().map_err(failed)?;
            let placed = if what.force {
                kept.persist(file)
            } else {
                kept.persist_noclobber(file)
            };
            placed.map_err(|error| failed(error.error))?;
            if screen.json {
                screen.document(&json!({ "file": file, "image": image }))?;
            }
        }
    }
    screen.remark(&format!("{}: bytes match their BLAKE3", paper::image(&image)));
    Ok(Exit::Done)
}

/// Where an image is going: beside its file first, so that the file appears whole or not at all.
struct Target {
    directory: PathBuf,
}

impl Target {
    fn open(what: &Get) -> Result<Self, Failure> {
        let Some(file) = &what.output else {
            if std::io::stdout().is_terminal() {
                return Err(Failure::usage(
                    "an image is not for a terminal",
                    "Name a file with -o FILE, or pipe it on.",
                ));
            }
            return Ok(Self {
                directory: std::env::temp_dir(),
            });
        };
        if !what.force && file.symlink_metadata().is_ok() {
            return Err(Failure::own(
                Exit::Conflict,
                format!("{} exists and is not overwritten", file.display()),
                "Name another file, or give --force.",
            ));
        }
        let directory = file
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    fn temporary(&self) -> Result<tempfile::NamedTempFile, Failure> {
        tempfile::NamedTempFile::new_in(&self.directory).map_err(|error| {
            Failure::file(
                "writing in",
                &self.directory,
                &error,
                "Name a file in another directory.",
            )
        })
    }
}

/// Writes the bytes as they come and checks that they are the image that was asked for; `patience` bounds each wait.
async fn received(
    wanted: &str,
    image: &ImageRef,
    mut data: impl Stream<Item = Result<bytes::Bytes, CallFailed>> + Unpin,
    patience: Duration,
    file: &mut impl Write,
) -> Result<(), Failure> {
    let mut hasher = blake3::Hasher::new();
    let mut length = 0_u64;
    loop {
        let piece = tokio::time::timeout(patience, data.next()).await;
        let late = || {
            Some(Err(Problem::new(
                Code::Timeout,
                "the bytes of the image stopped coming",
            )
            .into()))
        };
        let Some(piece) = piece.unwrap_or_else(|_| late()) else {
            break;
        };
        let piece = piece?;
        length += piece.len() as u64;
        if length > image.length {
            break;
        }
        hasher.update(&piece);
        file.write_all(&piece).map_err(|error| output_failed(&error))?;
    }
    let found = hasher.finalize().to_hex();
    if length == image.length && found.as_str() == wanted && image.blake3 == wanted {
        return Ok(());
    }
    Err(Failure::own(
        Exit::Integrity,
        format!("the bytes that came are not the image {wanted}; they were not kept"),
        "Try again, or ask another machine; tell the operator of this one.",
    ))
}

pub(crate) fn blake3_digits(text: &str) -> Result<String, String> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a BLAKE3 has 64 hexadecimal digits; `ccpor order show` lists them".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fetched(
        pieces: &[&'static str],
        image: &ImageRef,
        wanted: &str,
    ) -> (Result<(), Failure>, Vec<u8>) {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(bytes::Bytes::from_static(piece.as_bytes())))
            .collect();
        let mut file = Vec::new();
        let data = futures_util::stream::iter(pieces);
        let result = received(wanted, image, data, Duration::from_secs(5), &mut file).await;
        (result, file)
    }

    #[tokio::test]
    async fn only_the_image_that_was_asked_for_is_kept() {
        let wanted = blake3::hash(b"signed paper").to_hex().to_string();
        let image = ImageRef {
            blake3: wanted.clone(),
            length: 12,
            ..ImageRef::default()
        };
        let (good, file) = fetched(&["signed", " paper"], &image, &wanted).await;
        assert!(good.is_ok() && file == b"signed paper");
        for pieces in [
            &["signed", " Paper"][..],
            &["signed"],
            &["signed", " paper", "!"],
            &[],
        ] {
            let (bad, _) = fetched(pieces, &image, &wanted).await;
            assert_eq!(bad.unwrap_err().exit(), Exit::Integrity);
        }
        let (other, _) = fetched(&["signed", " paper"], &image, &"0".repeat(64)).await;
        assert_eq!(other.unwrap_err().exit(), Exit::Integrity);
    }

    #[test]
    fn a_file_that_is_there_is_not_overwritten_unasked() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("order.pdf");
        std::fs::write(&file, "old").unwrap();
        let get = |force| Get {
            blake3: "0".repeat(64),
            output: Some(file.clone()),
            force,
        };
        assert_eq!(Target::open(&get(false)).err().unwrap().exit(), Exit::Conflict);
        assert!(Target::open(&get(true)).is_ok());
    }

    #[test]
    fn images_are_named_by_64_digits() {
        assert_eq!(blake3_digits(&"AB".repeat(32)).unwrap(), "ab".repeat(32));
        assert!(blake3_digits("ab").is_err() && blake3_digits(&"zz".repeat(32)).is_err());
    }
}
