//! Power: disks of their own for machines, each an ext4 image that can lose its power or fill up. Needs root.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::world::Outcome;

/// Whether this process may mount disks. From then on its mounts are its own: they vanish with it, however it ends.
///
/// Must be called before the threads are started that are to see the disks.
///
/// # Errors
/// Why it may not, when `CCPOR_TESTS=strict` says that nothing may be left out.
pub fn own_mounts() -> Outcome<bool> {
    let may = separate_mounts().and_then(|()| {
        let found = Command::new("mkfs.ext4").arg("-V").output();
        found.map(drop)
    });
    match may {
        Ok(()) => Ok(true),
        Err(error) if std::env::var("CCPOR_TESTS").as_deref() == Ok("strict") => {
            Err(format!("disks of our own need root, loop devices and mkfs.ext4: {error}").into())
        }
        Err(error) => {
            println!("skipped: disks of our own need root, loop devices and mkfs.ext4: {error}");
            Ok(false)
        }
    }
}

fn separate_mounts() -> io::Result<()> {
    let none = std::ptr::null::<libc::c_char>();
    // SAFETY: unshare(2) takes a number; mount(2) takes one valid string and null pointers, which it allows for a change of
    // propagation.
    let done = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(
                none,
                c"/".as_ptr(),
                none,
                libc::MS_REC | libc::MS_PRIVATE,
                none.cast(),
            ) == 0
    };
    if done {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// How the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Whatever was not forced to the disk is gone, the file system's own journal included.
    Everything,
    /// The journal of the file system still reaches the disk, what stands in the files does not.
    Contents,
}

impl Cut {
    /// The flag of `EXT4_IOC_SHUTDOWN` (linux/ext4.h).
    fn flag(self) -> u32 {
        match self {
            Self::Contents => 1,
            Self::Everything => 2,
        }
    }
}

/// A mounted disk. It is unmounted when this value is dropped.
pub struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes a disk of so many megabytes below `directory` and mounts it there.
    ///
    /// # Errors
    /// When the image cannot be made or mounted.
    pub fn make(directory: &Path, name: &str, megabytes: u64) -> Outcome<Self> {
        let (image, mount) = (
            directory.join(format!("{name}.ext4")),
            directory.join(format!("{name}-disk")),
        );
        File::create_new(&image)?.set_len(megabytes << 20)?;
        std::fs::create_dir(&mount)?;
        carried_out(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).output())?;
        let disk = Self { image, mount };
        disk.attach()?;
        Ok(disk)
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// The disk has no power from now on: nothing reaches it any more, and every call on it fails.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn cut(&self, how: Cut) -> Outcome<()> {
        /// `EXT4_IOC_SHUTDOWN`, `_IOR('X', 125, __u32)`.
        const EXT4_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
        let root = File::open(&self.mount)?;
        let flag = how.flag();
        // SAFETY: the descriptor is open, and the call reads the 32 bits behind the pointer.
        if unsafe { libc::ioctl(root.as_raw_fd(), EXT4_IOC_SHUTDOWN, &raw const flag) } == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error().into())
        }
    }

    /// The power comes back: the disk is mounted anew, which replays its journal. Nobody may use it meanwhile.
    ///
    /// # Errors
    /// When it is still in use, or does not mount.
    pub fn restore(&self) -> Outcome<()> {
        carried_out(Command::new("umount").arg(&self.mount).output())?;
        self.attach()
    }

    fn attach(&self) -> Outcome<()> {
        carried_out(
            Command::new("mount")
                .args(["-o", "loop"])
                .arg(&self.image)
                .arg(&self.mount)
                .output(),
        )
    }

    /// Fills the disk up to the last byte but `left`; the space is given back when the result is dropped.
    ///
    /// # Errors
    /// When something else than the lack of space stops it.
    pub fn fill(&self, left: u64) -> Outcome<Ballast> {
        use std::io::Write;
        let path = self.mount.join("ballast");
        let mut file = File::create_new(&path)?;
        let ballast = Ballast(path);
        let mut step = 1 << 20;
        while step > 0 {
            match file.write(&vec![7; step]) {
                Ok(written) if written > 0 => {}
                Ok(_) => step /= 2,
                Err(error) if error.kind() == io::ErrorKind::StorageFull => step /= 2,
                Err(error) => return Err(error.into()),
            }
        }
        // Space is only promised to a file until it is written out.
        file.sync_all()?;
        file.set_len(file.metadata()?.len().saturating_sub(left))?;
        file.sync_all()?;
        Ok(ballast)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let Ok(path) = CString::new(self.mount.as_os_str().as_encoded_bytes()) else {
            return;
        };
        // SAFETY: the path is a valid string.
        let _gone = unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

/// A file that fills a disk; removed when dropped.
pub struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

fn carried_out(output: io::Result<Output>) -> Outcome<()> {
    let output = output?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    )
    .into())
}
