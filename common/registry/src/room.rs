//! Room on the disk: whether there is enough of it to record something more and to bring it into the index as well.

use std::path::Path;

/// Below this nothing more is recorded. The index cannot be written half-way, and its files grow by half a megabyte.
const LEAST_BYTES: u64 = 8 << 20;

/// Whether there is room where `directory` lies. A disk that does not say is left to be found out by writing.
pub(crate) fn is_left(directory: &Path) -> bool {
    rustix::fs::statvfs(directory).map_or(true, |space| {
        space.f_bavail.saturating_mul(space.f_frsize) >= LEAST_BYTES
    })
}
