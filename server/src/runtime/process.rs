//! Figures of the process and the host that only the operating system knows.

use std::fs::{self, File};
use std::io::{self, Read};
use std::mem;

/// CPU time spent, in microseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct CpuTime {
    pub user_us: u64,
    pub system_us: u64,
}

/// CPU time of the whole process.
pub fn cpu_of_process() -> CpuTime {
    cpu(libc::RUSAGE_SELF)
}

/// CPU time of the calling thread.
pub fn cpu_of_this_thread() -> CpuTime {
    cpu(libc::RUSAGE_THREAD)
}

fn cpu(who: libc::c_int) -> CpuTime {
    // SAFETY: integers only, for which zero is a value.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: `usage` outlives the call, which writes to it.
    if unsafe { libc::getrusage(who, &mut usage) } != 0 {
        return CpuTime::default();
    }
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    CpuTime { user_us: micros(usage.ru_utime), system_us: micros(usage.ru_stime) }
}

/// Bytes of memory the process occupies.
pub fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * sysconf(libc::_SC_PAGESIZE)
}

/// Bytes of memory the host has.
pub fn host_memory_bytes() -> u64 {
    sysconf(libc::_SC_PHYS_PAGES) * sysconf(libc::_SC_PAGESIZE)
}

fn sysconf(name: libc::c_int) -> u64 {
    // SAFETY: a plain question.
    u64::try_from(unsafe { libc::sysconf(name) }).unwrap_or(0)
}

/// `Linux 6.18.4 x86_64`.
pub fn os() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {} {}", release.trim(), std::env::consts::ARCH)
}

/// Bytes nobody can guess, from the kernel.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{cpu_of_process, cpu_of_this_thread, host_memory_bytes, os, resident_bytes};

    #[test]
    fn the_process_occupies_some_but_not_all_memory() {
        assert!(resident_bytes() > 0);
        assert!(resident_bytes() < host_memory_bytes());
    }

    #[test]
    fn a_thread_spends_no_more_than_its_process() {
        let thread = cpu_of_this_thread();
        assert!(thread.user_us <= cpu_of_process().user_us);
    }

    #[test]
    fn the_host_has_a_name() {
        assert!(os().starts_with("Linux "));
    }
}
