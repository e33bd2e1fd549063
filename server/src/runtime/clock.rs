//! The clocks of a core, read once a turn through the vDSO (no system call).

use freehold_engine::base::time::{Now, UnixMillis};

/// Reads both clocks: wall time for expiry, monotonic time for durations.
pub fn read() -> Now {
    Now { unix_ms: UnixMillis(unix_ms()), mono_us: mono_us() }
}

/// Milliseconds since 1970, UTC. Jumps when the host's clock is set.
pub fn unix_ms() -> i64 {
    let time = read_clock(libc::CLOCK_REALTIME);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// Microseconds since some fixed moment. Never goes back.
pub fn mono_us() -> u64 {
    let time = read_clock(libc::CLOCK_MONOTONIC);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

/// Nanoseconds of the same monotonic clock, for statistics.
pub fn mono_ns() -> u64 {
    let time = read_clock(libc::CLOCK_MONOTONIC);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn read_clock(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call, which writes one timespec to it.
    let status = unsafe { libc::clock_gettime(clock, &mut time) };
    assert_eq!(status, 0, "Linux always has CLOCK_REALTIME and CLOCK_MONOTONIC");
    time
}

#[cfg(test)]
mod tests {
    use super::{mono_us, unix_ms};

    #[test]
    fn monotonic_time_does_not_go_back() {
        let first = mono_us();
        assert!(mono_us() >= first);
    }

    #[test]
    fn wall_time_agrees_with_the_standard_library() {
        let std = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_millis() as i64;
        assert!((unix_ms() - std).abs() < 10_000);
    }
}
