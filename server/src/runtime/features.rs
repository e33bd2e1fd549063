//! Whether this host can run the loop, asked once at start.
//!
//! A kernel that is too old, a sysctl, a container's seccomp filter or a memory limit can each
//! stand in the way, and each has its own remedy. The server refuses with a sentence that names
//! what is missing and what to do, instead of failing later with a bare error number.

use std::fs;
use std::io;

use io_uring::{IoUring, Probe, opcode};

/// Multishot receive (6.0) and DEFER_TASKRUN (6.1) set the floor.
const KERNEL_FLOOR: (u32, u32) = (6, 1);

/// IORING_SETUP_NO_SQARRAY came with 6.6.
const NO_SUBMISSION_ARRAY_SINCE: (u32, u32) = (6, 6);

/// A least time to wait for several completions came with 6.12.
const LEAST_WAIT_SINCE: (u32, u32) = (6, 12);

/// What the loop can use on this host beyond the floor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features {
    /// Submissions are read in order without an index array between.
    pub no_submission_array: bool,
    /// An enter can wait some time for several completions.
    pub least_wait: bool,
}

/// What was found out about the host; the input of the decision.
#[derive(Clone, Debug)]
struct Findings {
    release: String,
    /// `/proc/sys/kernel/io_uring_disabled`; `None` where the kernel does not have it.
    disabled: Option<u8>,
    /// Whether a ring with our flags could be set up, and if not, with what error.
    setup: Result<(), i32>,
    /// Operations the kernel says it lacks.
    missing: Vec<&'static str>,
}

impl Features {
    /// Looks at the host.
    ///
    /// # Errors
    /// One or two sentences for the operator: what is missing, and the remedy.
    pub fn of_this_host() -> Result<Features, String> {
        judge(&look())
    }
}

fn look() -> Findings {
    let read = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned());
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_default();
    let disabled = read("/proc/sys/kernel/io_uring_disabled").ok().and_then(|t| t.parse().ok());
    // Without the newest flag, so that the answer is about the floor.
    let plain = Features { no_submission_array: false, least_wait: false };
    match super::enter::build(8, 16, &plain) {
        Ok(ring) => Findings { release, disabled, setup: Ok(()), missing: missing(&ring) },
        Err(error) => Findings { release, disabled, setup: Err(errno(&error)), missing: vec![] },
    }
}

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

fn missing(ring: &IoUring) -> Vec<&'static str> {
    let mut probe = Probe::new();
    if ring.submitter().register_probe(&mut probe).is_err() {
        return vec!["the opcode probe"];
    }
    let needed = [
        ("ACCEPT", opcode::Accept::CODE),
        ("RECV", opcode::Recv::CODE),
        ("SEND", opcode::Send::CODE),
        ("ASYNC_CANCEL", opcode::AsyncCancel::CODE),
        ("CLOSE", opcode::Close::CODE),
        ("MSG_RING", opcode::MsgRingData::CODE),
    ];
    let lacking = needed.iter().filter(|&&(_, code)| !probe.is_supported(code));
    lacking.map(|&(name, _)| name).collect()
}

/// `(6, 18)` of `6.18.44-something`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn judge(found: &Findings) -> Result<Features, String> {
    let version = version(&found.release);
    if version.is_some_and(|version| version < KERNEL_FLOOR) {
        return Err(format!(
            "Linux {} is too old: Freehold needs {}.{} or later, for io_uring's multishot receive \
             and deferred task work. Upgrade the kernel.",
            found.release, KERNEL_FLOOR.0, KERNEL_FLOOR.1
        ));
    }
    if let Err(errno) = found.setup {
        return Err(refusal(errno, found));
    }
    if !found.missing.is_empty() {
        return Err(format!(
            "io_uring of Linux {} lacks {}. A seccomp filter or a kernel built without it is in \
             the way; run a mainline kernel {}.{} or later outside the filter.",
            found.release,
            found.missing.join(", "),
            KERNEL_FLOOR.0,
            KERNEL_FLOOR.1
        ));
    }
    let since = |floor| version.is_some_and(|version| version >= floor);
    Ok(Features {
        no_submission_array: since(NO_SUBMISSION_ARRAY_SINCE),
        least_wait: since(LEAST_WAIT_SINCE),
    })
}

fn refusal(errno: i32, found: &Findings) -> String {
    match (errno, found.disabled) {
        (libc::EPERM | libc::EACCES, Some(2)) => {
            "io_uring is switched off on this host (kernel.io_uring_disabled = 2). Set it to 0: \
             sysctl -w kernel.io_uring_disabled=0"
                .to_owned()
        }
        (libc::EPERM | libc::EACCES, Some(1)) => {
            "io_uring is reserved for privileged processes on this host \
             (kernel.io_uring_disabled = 1). Set it to 0, or put the service's user into the \
             group that kernel.io_uring_group names."
                .to_owned()
        }
        (libc::EPERM | libc::EACCES, _) => {
            "io_uring_setup is forbidden to this process, most likely by the seccomp filter of \
             its container. Allow io_uring_setup, io_uring_enter and io_uring_register in the \
             filter (docker: --security-opt seccomp=PROFILE; systemd: \
             SystemCallFilter=io_uring_setup io_uring_enter io_uring_register)."
                .to_owned()
        }
        (libc::ENOSYS, _) => {
            "this kernel has no io_uring: it was built without CONFIG_IO_URING, or a seccomp \
             filter or sandbox (gVisor) hides it. Run a kernel with io_uring, outside the filter."
                .to_owned()
        }
        (libc::ENOMEM, _) => {
            "io_uring could not lock the memory of its queues. Raise the limit of locked memory: \
             ulimit -l unlimited, or LimitMEMLOCK=infinity in the service's unit."
                .to_owned()
        }
        (libc::EMFILE | libc::ENFILE, _) => {
            "no file descriptor is left for io_uring. Raise the limit: ulimit -n, or \
             LimitNOFILE= in the service's unit."
                .to_owned()
        }
        (errno, _) => format!(
            "io_uring could not be set up on Linux {}: {}. Freehold needs SINGLE_ISSUER and \
             DEFER_TASKRUN as in mainline {}.{}.",
            found.release,
            io::Error::from_raw_os_error(errno),
            KERNEL_FLOOR.0,
            KERNEL_FLOOR.1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Features, Findings, judge, version};

    fn sound() -> Findings {
        Findings { release: "6.18.4".into(), disabled: Some(0), setup: Ok(()), missing: vec![] }
    }

    fn refused(findings: Findings) -> String {
        judge(&findings).expect_err("this host must be refused")
    }

    #[test]
    fn a_sound_host_is_accepted() {
        let all = Features { no_submission_array: true, least_wait: true };
        assert_eq!(judge(&sound()), Ok(all));
    }

    #[test]
    fn the_floor_itself_runs_without_what_is_newer() {
        let floor = Findings { release: "6.1.0-49-amd64".into(), ..sound() };
        let none = Features { no_submission_array: false, least_wait: false };
        assert_eq!(judge(&floor), Ok(none));
    }

    #[test]
    fn an_old_kernel_is_named_with_the_version_it_needs() {
        let sentence = refused(Findings { release: "5.15.0-91-generic".into(), ..sound() });
        assert!(sentence.contains("5.15.0-91-generic"), "{sentence}");
        assert!(sentence.contains("6.1 or later"), "{sentence}");
    }

    #[test]
    fn each_obstacle_is_named_with_its_own_remedy() {
        let cases = [
            (libc::EPERM, Some(2), "sysctl -w kernel.io_uring_disabled=0"),
            (libc::EPERM, Some(1), "kernel.io_uring_group"),
            (libc::EPERM, Some(0), "seccomp"),
            (libc::EPERM, None, "seccomp"),
            (libc::ENOSYS, None, "CONFIG_IO_URING"),
            (libc::ENOMEM, Some(0), "LimitMEMLOCK"),
            (libc::EMFILE, Some(0), "ulimit -n"),
            (libc::EINVAL, Some(0), "DEFER_TASKRUN"),
        ];
        for (errno, disabled, remedy) in cases {
            let sentence = refused(Findings { setup: Err(errno), disabled, ..sound() });
            assert!(sentence.contains(remedy), "{errno}: {sentence}");
        }
    }

    #[test]
    fn missing_operations_are_named() {
        let sentence = refused(Findings { missing: vec!["MSG_RING"], ..sound() });
        assert!(sentence.contains("MSG_RING"), "{sentence}");
    }

    #[test]
    fn releases_are_read_as_distributions_write_them() {
        assert_eq!(version("6.18.44-fc-v657"), Some((6, 18)));
        assert_eq!(version("6.1-rc3"), Some((6, 1)));
        assert_eq!(version("unknown"), None);
    }
}
