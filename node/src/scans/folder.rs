//! The folder into which scanners put files. Each is taken in through the same guarded and recorded door as everything else, when it
//! is whole; what cannot be taken is moved to `set-aside` below the folder and shown with the reason. No link is followed, no folder
//! below is entered, nothing is removed that is not durable here.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ccpor_api::{Backend, Code, Problem};
use ccpor_daemon::reading::blocking;
use ccpor_domain::ImageDigest;
use ccpor_registry::image::MAX_IMAGE_BYTES;
use tokio_util::sync::CancellationToken;

use super::desk::Scans;
use crate::config::ScansSettings;

/// Entries of the folder that are looked at in one sweep; the others have their turn when these are gone.
const MOST_ENTRIES: usize = 1_000;
/// Files that are taken in one sweep, so that a full folder leaves the machine to others in between.
const MOST_TAKEN: usize = 50;
/// Where what cannot be taken goes, below the folder.
const SET_ASIDE: &str = "set-aside";

/// By what a file is known again: it is whole when none of it has changed between two sweeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Mark {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// What is known of a file of the folder.
struct Sighting {
    mark: Mark,
    /// Since when it has not changed.
    since: Instant,
    /// Whether it was tried as it is and is not tried again before it changes or its time is over.
    tried: bool,
}

/// A file that is to be taken.
struct Found {
    path: PathBuf,
    name: String,
    mark: Mark,
    /// Whether it is a file at all, and not a link or a device.
    regular: bool,
    /// How long it has not changed.
    still: Duration,
}

struct Watch {
    settings: ScansSettings,
    scans: Arc<Scans>,
    backend: Arc<dyn Backend>,
    seen: BTreeMap<PathBuf, Sighting>,
}

/// Takes scans from the folder until told to stop, and goes on with what a crash interrupted whether or not there is a folder.
pub(crate) async fn watch(
    settings: ScansSettings,
    scans: Arc<Scans>,
    backend: Arc<dyn Backend>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(Duration::from_secs(settings.every_seconds.max(1)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut watch = Watch {
        settings,
        scans,
        backend,
        seen: BTreeMap::new(),
    };
    let mut told = String::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        if let Err(problem) = watch.scans.complete().await {
            tracing::warn!(%problem, "a scan is not with its order yet; it is tried again");
        }
        if watch.settings.folder.as_os_str().is_empty() {
            continue;
        }
        let trouble = watch.sweep().await.err().unwrap_or_default();
        if !trouble.is_empty() && trouble != told {
            tracing::warn!(trouble, "scans stay in the scanners' folder");
        }
        watch.scans.tell(trouble.clone());
        told = trouble;
    }
}

impl Watch {
    /// Looks once at every file. What stands in the way of the last of them is returned in words.
    async fn sweep(&mut self) -> Result<(), String> {
        let folder = self.settings.folder.clone();
        let listed = blocking(move || listed(&folder)).await;
        let listed = listed
            .map_err(|problem| problem.to_string())?
            .map_err(|error| format!("the scanners' folder cannot be read: {error}"))?;
        let mut trouble = Ok(());
        for found in self.still(listed).into_iter().take(MOST_TAKEN) {
            if let Err(told) = self.taken(&found).await {
                trouble = Err(told);
            }
        }
        trouble
    }

    /// The files that have not changed since the last sweep and were not tried as they are; what is gone is forgotten.
    fn still(&mut self, listed: Vec<(PathBuf, Metadata)>) -> Vec<Found> {
        let patience = Duration::from_secs(self.settings.patience_seconds);
        let mut seen = BTreeMap::new();
        let mut ready = Vec::new();
        for (path, metadata) in listed {
            let mark = Mark::of(&metadata);
            let before = self.seen.remove(&path).filter(|before| before.mark == mark);
            let known = before.is_some();
            let sighting = before.unwrap_or(Sighting {
                mark,
                since: Instant::now(),
                tried: false,
            });
            let still = sighting.since.elapsed();
            if known && (!sighting.tried || still >= patience) {
                ready.push(Found {
                    name: path
                        .file_name()
                        .map(|name| name.to_string_lossy().into_owned())
                        .unwrap_or_default(),
                    path: path.clone(),
                    mark,
                    regular: metadata.file_type().is_file(),
                    still,
                });
            }
            seen.insert(path, sighting);
        }
        self.seen = seen;
        ready
    }

    async fn taken(&mut self, found: &Found) -> Result<(), String> {
        if !found.regular {
            return self.aside(found, "it is no file, but a link or a device").await;
        }
        if let Some(sighting) = self.seen.get_mut(&found.path) {
            sighting.tried = true;
        }
        let refused = match self.offered(found).await? {
            Offer::Taken => return Ok(()),
            Offer::Changing => return Ok(()),
            Offer::Refused(reason) => reason,
        };
        // A scanner may have paused in the middle of a page.
        if found.still < Duration::from_secs(self.settings.patience_seconds) {
            return Ok(());
        }
        self.aside(found, &refused).await
    }

    async fn offered(&self, found: &Found) -> Result<Offer, String> {
        if found.mark.size > MAX_IMAGE_BYTES {
            let most = MAX_IMAGE_BYTES >> 20;
            return Ok(Offer::Refused(format!("it is larger than {most} MB")));
        }
        let (path, mark) = (found.path.clone(), found.mark);
        let read = blocking(move || read(&path, mark)).await;
        let read = read.map_err(|problem| problem.to_string())?;
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Offer::Changing),
            Err(error) => return Err(format!("a file in the scanners' folder cannot be read: {error}")),
        };
        let data = Box::pin(tokio_stream::iter([Ok(Bytes::from(bytes))]));
        let caller = self.scans.node_itself();
        match self.backend.add_scan(&caller, found.name.clone(), data).await {
            Ok(_) => self.removed(found).await.map(|()| Offer::Taken),
            Err(problem) if is_of_the_file(&problem) => Ok(Offer::Refused(problem.detail.into_owned())),
            Err(problem) => Err(problem.detail.into_owned()),
        }
    }

    /// Removes a file that is durable here, if it is still the same.
    async fn removed(&self, found: &Found) -> Result<(), String> {
        let (path, mark) = (found.path.clone(), found.mark);
        let removed = blocking(move || match fs::symlink_metadata(&path) {
            Ok(metadata) if Mark::of(&metadata) == mark => fs::remove_file(&path),
            // Somebody wrote another one in its place, or took it away.
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        });
        removed
            .await
            .map_err(|problem| problem.to_string())?
            .map_err(|error| {
                format!("a scan was taken, and its file cannot be removed from the scanners' folder: {error}")
            })
    }

    /// Notes why a file cannot be taken, then moves it out of the way.
    async fn aside(&self, found: &Found, reason: &str) -> Result<(), String> {
        let told = self
            .scans
            .unreadable(&found.name, found.mark.size, name_of(found), reason)
            .await;
        told.map_err(|problem| problem.detail.into_owned())?;
        let (folder, path) = (self.settings.folder.clone(), found.path.clone());
        blocking(move || move_aside(&folder, &path))
            .await
            .map_err(|problem| problem.to_string())?
            .map_err(|error| {
                format!("a file cannot be moved to {SET_ASIDE} in the scanners' folder: {error}")
            })
    }
}

enum Offer {
    Taken,
    /// It was written to while it was read.
    Changing,
    Refused(String),
}

/// Whether the file itself is the reason, so that trying again does not help.
fn is_of_the_file(problem: &Problem) -> bool {
    matches!(
        problem.code,
        Code::ImageRefused | Code::TooLarge | Code::InvalidFields
    )
}

/// A name for a file that cannot be read, the same when it is met again.
fn name_of(found: &Found) -> ImageDigest {
    let mut hasher = blake3::Hasher::new_derive_key("ccpor 2026-11 file in the scanners' folder");
    hasher.update(found.name.as_bytes());
    for number in [
        found.mark.size.cast_signed(),
        found.mark.modified.0,
        found.mark.modified.1,
    ] {
        hasher.update(&number.to_le_bytes());
    }
    ImageDigest(*hasher.finalize().as_bytes())
}

/// The entries of the folder that may be scans: no folders, and none whose name begins with a point, as scanners name files that they
/// are still writing.
fn listed(folder: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // Of the link itself where it is one.
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) => all.push((entry.path(), metadata)),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if all.len() >= MOST_ENTRIES {
            break;
        }
    }
    // The oldest first, so that the queue is in the order of the papers.
    all.sort_by(|one, other| {
        let age =
            |(path, metadata): &(PathBuf, Metadata)| (metadata.mtime(), metadata.mtime_nsec(), path.clone());
        age(one).cmp(&age(other))
    });
    Ok(all)
}

/// The bytes of a file; none when it is not the one that was seen, or changed meanwhile.
fn read(path: &Path, mark: Mark) -> io::Result<Option<Vec<u8>>> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_same = |file: &File| file.metadata().map(|now| now.is_file() && Mark::of(&now) == mark);
    if !is_same(&file)? {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.by_ref().take(MAX_IMAGE_BYTES + 1).read_to_end(&mut bytes)?;
    let is_whole = is_same(&file)? && bytes.len() as u64 == mark.size;
    Ok(is_whole.then_some(bytes))
}

/// Moves a file into the folder of what was set aside, under a name that is free there.
fn move_aside(folder: &Path, path: &Path) -> io::Result<()> {
    let aside = folder.join(SET_ASIDE);
    if !aside.is_dir() {
        DirBuilder::new().mode(0o770).create(&aside)?;
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut place = aside.join(&name);
    let mut number = 1_u32;
    while fs::symlink_metadata(&place).is_ok() {
        place = aside.join(format!("{number}-{name}"));
        number = number.saturating_add(1);
    }
    fs::rename(path, &place)?;
    File::open(&aside)?.sync_all()?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_what_is_still_written_are_not_read_and_folders_and_hidden_files_are_not_listed() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::write(place("order.pdf"), b"%PDF-1.7").unwrap();
        fs::write(place(".part"), b"%PDF").unwrap();
        fs::create_dir(place("below")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", place("link.pdf")).unwrap();
        let listed = listed(folder.path()).unwrap();
        let mut names: Vec<_> = listed
            .iter()
            .map(|(path, _)| path.file_name().unwrap().to_str().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["link.pdf", "order.pdf"]);
        let mark = |name: &str| Mark::of(&fs::symlink_metadata(place(name)).unwrap());
        let whole = mark("order.pdf");
        assert_eq!(
            read(&place("order.pdf"), whole).unwrap().as_deref(),
            Some(&b"%PDF-1.7"[..])
        );
        assert!(read(&place("link.pdf"), mark("link.pdf")).is_err());
        fs::write(place("order.pdf"), b"%PDF-1.7 and more").unwrap();
        assert_eq!(read(&place("order.pdf"), whole).unwrap(), None);
        assert_eq!(read(&place("gone.pdf"), whole).unwrap(), None);
    }

    #[test]
    fn what_is_moved_aside_takes_nothings_place() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["first", "second", "third"] {
            let path = folder.path().join("letter.doc");
            fs::write(&path, text).unwrap();
            move_aside(folder.path(), &path).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(SET_ASIDE).join(name)).unwrap();
        assert_eq!(
            [read("letter.doc"), read("1-letter.doc"), read("2-letter.doc")],
            ["first", "second", "third"]
        );
    }
}
