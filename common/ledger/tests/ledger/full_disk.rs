//! A disk without space: refused with a plain error, nothing lost, and it goes on by itself. Needs the right to mount.

use std::path::Path;
use std::process::Command;

use ccpor_ledger::{AppendError, Ledger, OriginId, PinnedKeys, SigningKey, Writer, verify_directory};

use crate::court::{Court, all, body, clock};

/// A small file system in memory that goes away with the test.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    fn mount(at: &Path) -> Option<SmallDisk<'_>> {
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(at)
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_is_waited_out() {
    let root = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(root.path()) else {
        assert!(
            std::env::var("CCPOR_TESTS").as_deref() != Ok("strict"),
            "mounting a file system is not allowed here"
        );
        eprintln!("skipped: mounting a file system is not allowed here");
        return;
    };
    let court = Court::new();
    let origin = OriginId::new("court/alameda/node/1").unwrap();
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    let trust = std::sync::Arc::new(PinnedKeys::new().with(&origin, key.public().as_bytes()));
    let dir = disk.0.join(origin.file_name());
    let ledger = std::sync::Arc::new(Ledger::open(&dir, origin, trust).unwrap());
    let writer = Writer::start(ledger.clone(), key, vec![], clock()).unwrap();
    writer.append_wait(body(1)).unwrap();
    let ballast = disk.0.join("ballast");
    let mut acknowledged = 2;
    for _ in 0..3 {
        let _until_full = std::fs::write(&ballast, vec![1; 8 << 20]);
        let mut refused = 0;
        for number in 0..40 {
            match writer.append_wait(vec![2; 40_000 + number]) {
                Ok(_) => acknowledged += 1,
                Err(AppendError::DiskFull) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(refused > 0);
        assert_eq!(ledger.records(), acknowledged);
        std::fs::remove_file(&ballast).unwrap();
        writer.append_wait(body(2)).unwrap();
        acknowledged += 1;
        assert_eq!(all(&ledger).len(), usize::try_from(acknowledged).unwrap());
    }
    drop((writer, ledger));
    let report = verify_directory(disk.0, &court.verify_options()).unwrap();
    assert_eq!(report.origins[0].records, acknowledged);
}
