//! The system calls of a ring that the `io-uring` crate does not offer in the form we need: setting
//! one up with the flags every ring of the server has, registering its own descriptor, and
//! entering it by that registration.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use io_uring::{EnterFlags, IoUring, types};

use super::features::Features;

/// How `io_uring_enter` names the ring.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Descriptor(RawFd),
    Registered(u32),
}

/// Creates a ring with the flags every ring of the server has.
pub(super) fn build(
    submissions: u32,
    completions: u32,
    features: &Features,
) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_submit_all()
        .setup_cqsize(completions)
        .dontfork();
    if features.no_submission_array {
        builder.setup_no_sqarray();
    }
    builder.build(submissions)
}

/// Registers the ring's own descriptor for this thread, which saves a look-up per call. When the
/// kernel declines, the ring is named by its descriptor.
pub(super) fn register_descriptor(ring: &IoUring) -> Target {
    /// `struct io_uring_rsrc_update` of the kernel's interface.
    #[repr(C)]
    struct Update {
        offset: u32,
        reserved: u32,
        data: u64,
    }
    const IORING_REGISTER_RING_FDS: u32 = 20;
    let descriptor = ring.as_raw_fd();
    let mut update = Update { offset: u32::MAX, reserved: 0, data: descriptor as u64 };
    // SAFETY: the call reads and writes the one `Update` it is given, which outlives it.
    let registered = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            descriptor,
            IORING_REGISTER_RING_FDS,
            &raw mut update,
            1u32,
        )
    };
    match registered {
        1 => Target::Registered(update.offset),
        _ => Target::Descriptor(descriptor),
    }
}

/// How long an enter may sleep: `struct io_uring_getevents_arg` of the kernel's interface, of
/// which the `io-uring` crate leaves out the third field.
#[repr(C)]
pub(super) struct Wait<'a> {
    signal_mask: u64,
    signal_mask_bytes: u32,
    /// For so long only the whole count of completions ends the sleep; 0 before Linux 6.12, which
    /// would refuse anything else.
    least_us: u32,
    timespec: &'a types::Timespec,
}

const _: () = {
    assert!(size_of::<Wait<'_>>() == 24);
    assert!(std::mem::offset_of!(Wait<'_>, timespec) == 16);
};

impl<'a> Wait<'a> {
    /// At most until `timespec` has passed.
    pub(super) fn new(least_us: u32, timespec: &'a types::Timespec) -> Wait<'a> {
        Wait { signal_mask: 0, signal_mask_bytes: 0, least_us, timespec }
    }
}

/// `io_uring_enter`, naming the ring by its registered index when it has one.
///
/// # Safety
/// The memory all queued submissions point to is valid until they complete.
pub(super) unsafe fn enter(
    target: Target,
    to_submit: u32,
    min_complete: u32,
    mut flags: EnterFlags,
    wait: Option<&Wait<'_>>,
) -> io::Result<()> {
    let descriptor = match target {
        Target::Descriptor(descriptor) => descriptor,
        Target::Registered(index) => {
            flags |= EnterFlags::REGISTERED_RING;
            index as RawFd
        }
    };
    let (arg, arg_bytes) = match wait {
        Some(wait) => {
            flags |= EnterFlags::EXT_ARG;
            (std::ptr::from_ref(wait), size_of::<Wait<'_>>())
        }
        None => (std::ptr::null(), 0),
    };
    // SAFETY: passed on to the caller by this function's contract.
    let status = unsafe {
        libc::syscall(
            libc::SYS_io_uring_enter,
            descriptor,
            to_submit,
            min_complete,
            flags.bits(),
            arg,
            arg_bytes,
        )
    };
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The wait timed out, a signal came, or the kernel wants completions reaped first: all part of
/// a turn.
pub(super) fn is_ordinary(error: &io::Error) -> bool {
    let errno = error.raw_os_error().unwrap_or(0);
    matches!(errno, libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN)
}
