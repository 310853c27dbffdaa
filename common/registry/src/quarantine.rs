//! The quarantine: what was taken out of use because it failed a check, and is kept. Names, sizes and reasons; never contents.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use ccpor_domain::UtcMillis;

use crate::registry::Registry;

/// One file or directory that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarantined {
    /// Where it lies, below the data directory.
    pub path: String,
    /// What it was part of: the name of a ledger, `images`, or `index`.
    pub part: String,
    /// Its bytes, with everything in it.
    pub bytes: u64,
    /// When it was last written; absent when the system does not say.
    pub kept_at: Option<UtcMillis>,
    /// Why it was set aside, in words.
    pub reason: String,
}

const OVERWRITTEN: &str =
    "bytes that stood where records were damaged, before the records were put back from another machine";
const SET_ASIDE: &str = "records that another machine's copy contradicts, or the end of a damaged ledger, before it was fetched again";
const IMAGE: &str = "an image whose content no longer matches its BLAKE3";
const INDEX: &str = "an index that could not be used; it was made anew from the ledgers";

impl Registry {
    /// Everything that was set aside here and not moved elsewhere since, by path.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn quarantined(&self) -> io::Result<Vec<Quarantined>> {
        let root = self.directory();
        let mut found = Vec::new();
        for (origin, _) in self.shelf.all() {
            let directory = root.join("ledger").join(origin.file_name()).join("quarantine");
            look_into(root, &directory, origin.as_str(), &mut found, |name, _| {
                let reason = if name.starts_with("aside-") {
                    SET_ASIDE
                } else {
                    OVERWRITTEN
                };
                Some(reason.to_owned())
            })?;
        }
        look_into(
            root,
            &root.join("images/quarantine"),
            "images",
            &mut found,
            |name, at| {
                let told = || fs::read_to_string(at.with_extension("reason")).ok();
                let image = !name.ends_with(".reason");
                image.then(|| told().map_or_else(|| IMAGE.to_owned(), |reason| reason.trim().to_owned()))
            },
        )?;
        let index = root.join("index.unusable");
        if index.exists() {
            found.push(entry(root, &index, "index", INDEX.to_owned())?);
        }
        found.sort();
        Ok(found)
    }
}

/// Adds what lies in a directory; `reason` gives none for what is only a note beside something else.
fn look_into(
    root: &Path,
    directory: &Path,
    part: &str,
    found: &mut Vec<Quarantined>,
    reason: impl Fn(&str, &Path) -> Option<String>,
) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for item in entries {
        let item = item?;
        if let Some(reason) = reason(&item.file_name().to_string_lossy(), &item.path()) {
            found.push(entry(root, &item.path(), part, reason)?);
        }
    }
    Ok(())
}

fn entry(root: &Path, path: &Path, part: &str, reason: String) -> io::Result<Quarantined> {
    let metadata = fs::metadata(path)?;
    let below = path.strip_prefix(root).unwrap_or(path);
    Ok(Quarantined {
        path: below.display().to_string(),
        part: part.to_owned(),
        bytes: size(path, &metadata)?,
        kept_at: written(&metadata),
        reason,
    })
}

fn size(path: &Path, metadata: &Metadata) -> io::Result<u64> {
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for item in fs::read_dir(path)? {
        let item = item?;
        bytes += size(&item.path(), &item.metadata()?)?;
    }
    Ok(bytes)
}

fn written(metadata: &Metadata) -> Option<UtcMillis> {
    let since = metadata
        .modified()
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_millis()).ok().map(UtcMillis)
}
