//! A file system for the real binary that can lose its power: mounted through FUSE, kept in this
//! process's memory. What was written is read by everybody at once, as from a page cache, and is
//! durable when a sync says so: fsync, fdatasync, O_DSYNC and RWF_DSYNC for the bytes of a file,
//! fsync of the directory for names. When the power is cut, anything of the rest may survive,
//! piece by piece. Syncs can be slow, fail once, or lie. SIGKILL alone shows nothing of this: the
//! page cache of the kernel outlives the process.
//!
//! It answers what servers ask of a data directory. Links, extended attributes and maps of shared
//! memory are not among that.

mod bytes;
mod content;
mod delay;
mod names;
mod requests;
mod state;
mod tree;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;

use fuser::{BackgroundSession, Config, MountOption};

pub use delay::Delay;

use crate::crash::Crash;
use requests::Requests;
use state::Shared;

/// What kind of disk it is.
#[derive(Clone, Copy, Default, Debug)]
pub struct Nature {
    pub seed: u64,
    /// How long a sync takes.
    pub delay: Delay,
    /// It can lose its power, and remembers for that what is not durable.
    pub loses: bool,
    /// Syncs are answered at once and make nothing durable: a bug for tests to find.
    pub lies: bool,
    /// The sync that fails with EIO, counted from the first.
    pub failing_sync: Option<u64>,
}

/// How the power went.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub crash: Crash,
    pub syncs_under_way: usize,
}

/// A mounted file system, empty at first. Dropping it unmounts it and forgets all of it.
pub struct Mount {
    path: PathBuf,
    shared: Arc<Shared>,
    session: Option<BackgroundSession>,
    clock: Option<JoinHandle<()>>,
    /// The directory was not there.
    made: bool,
}

impl Mount {
    /// Mounts at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// This process may not mount, or the kernel has no FUSE.
    pub fn new(path: &Path, nature: Nature) -> io::Result<Mount> {
        let made = !path.exists();
        std::fs::create_dir_all(path)?;
        let shared = Shared::new(nature);
        let mut config = Config::default();
        let name = MountOption::FSName("freehold-lossy".to_owned());
        config.mount_options = vec![name, MountOption::NoAtime];
        let session = fuser::spawn_mount(Requests::new(&shared), path, &config)?;
        let clock = Arc::clone(&shared);
        let clock = std::thread::Builder::new().spawn(move || clock.run_clock())?;
        Ok(Mount {
            path: path.to_owned(),
            shared,
            session: Some(session),
            clock: Some(clock),
            made,
        })
    }

    /// A mount for a test; `None` where there can be none, which is said on the error output past
    /// the test harness's capture.
    pub fn for_test(name: &str, nature: Nature) -> Option<Mount> {
        let place = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        match Mount::new(&place, nature) {
            Ok(mount) => Some(mount),
            Err(error) => {
                // Best effort: there is nothing below it, and nowhere else to complain to.
                let _ = std::fs::remove_dir(&place);
                let _ = writeln!(
                    io::stderr(),
                    "{name}: NOT RUN HERE: a FUSE file system cannot be mounted ({error}); it \
                     needs root and /dev/fuse"
                );
                None
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The power goes. Syncs under way fail and so does everything else, until
    /// [`Mount::power_on`]; what there is then is what the disk holds.
    pub fn cut_power(&self) -> Cut {
        self.shared.cut()
    }

    pub fn power_on(&self) {
        self.shared.power_on();
    }

    /// Whether syncs that begin from now on take the time that is their nature.
    pub fn set_slow(&self, slow: bool) {
        self.shared.set_slow(slow);
    }

    /// Syncs that have begun so far.
    pub fn syncs(&self) -> u64 {
        self.shared.syncs()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.shared.end();
        if let Some(clock) = self.clock.take() {
            // It has panicked: that has been told already.
            let _ = clock.join();
        }
        // Lazily: a server that still runs keeps its files, and the place is free. The session
        // ends when the last of them is closed.
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).output();
        let unmounted = unmounted.is_ok_and(|output| output.status.success());
        if let Some(session) = self.session.take().filter(|_| !unmounted) {
            let _ = session.umount_and_join();
        }
        if self.made {
            // Not there any more, or not empty because it is still mounted.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}
