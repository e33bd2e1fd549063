//! Signals as ordinary values on an ordinary thread.
//!
//! SIGTERM and SIGINT are blocked in every thread and taken by one that does nothing else, so no
//! code ever runs in a signal handler. SIGPIPE and SIGHUP are ignored: a peer that is gone is an
//! error of one send, and a terminal that is gone is none of a service's business.

use std::io;
use std::mem;
use std::thread;

/// Somebody wants the server to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    Terminate,
    Interrupt,
}

impl Signal {
    /// The name as `kill -l` has it.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Terminate => "SIGTERM",
            Signal::Interrupt => "SIGINT",
        }
    }
}

/// Blocks the signals in the calling thread and all it will start. To be called first thing in
/// `main`, before any thread exists.
pub fn block() -> io::Result<()> {
    // SAFETY: ignoring a signal installs no handler.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
    let set = watched();
    // SAFETY: `set` outlives the call; the old mask is not asked for.
    let errno = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
    if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) }
}

/// Starts the thread that takes the signals and calls `report` with each, until the process ends.
pub fn watch(report: impl Fn(Signal) + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        loop {
            match wait() {
                libc::SIGTERM => report(Signal::Terminate),
                libc::SIGINT => report(Signal::Interrupt),
                _ => {}
            }
        }
    })?;
    Ok(())
}

fn wait() -> libc::c_int {
    let set = watched();
    let mut signal = 0;
    // SAFETY: both live until the call returns; the signals are blocked in every thread.
    unsafe { libc::sigwait(&set, &mut signal) };
    signal
}

fn watched() -> libc::sigset_t {
    // SAFETY: the set is initialised by sigemptyset before it is used, and both signals exist.
    unsafe {
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::sigaddset(&mut set, libc::SIGINT);
        set
    }
}
