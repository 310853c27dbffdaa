//! The names of the small files about waiting scans: each is named for its scan.

use std::path::Path;

use ccpor_domain::ImageDigest;

/// The scan that a file is about; none when it ends otherwise or names none.
pub(super) fn scan_of(path: &Path, ending: &str) -> Option<ImageDigest> {
    let named = path.file_stem().and_then(|stem| stem.to_str())?;
    let ends = path.extension().is_some_and(|is| is == ending);
    named.parse().ok().filter(|_| ends)
}
