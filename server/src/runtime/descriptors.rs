//! The process's limit of open files, raised at start to what `maxclients` needs.

use std::io;
use std::mem;

/// What the limit allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    /// At most what was asked for.
    pub maxclients: usize,
    /// For the log, when fewer clients fit than were asked for.
    pub warning: Option<String>,
}

/// Descriptors that are no client: rings, listeners, standard streams, files, and room for a
/// connection that is accepted only to be told that the server is full.
pub fn reserve(cores: usize, listeners: usize) -> usize {
    32 + 4 * cores + listeners + 16
}

/// Raises the soft limit towards `maxclients + reserve`, as far as the hard limit allows (a
/// privileged process raises that too).
///
/// # Errors
/// A sentence, when not even one client fits.
pub fn raise(maxclients: usize, reserve: usize) -> Result<Granted, String> {
    let wanted = (maxclients + reserve) as u64;
    let (soft, hard) = limits().map_err(|error| format!("RLIMIT_NOFILE is unknown: {error}"))?;
    let mut now = soft;
    if soft < wanted {
        if set_limits(wanted, hard.max(wanted)).is_ok() {
            now = wanted;
        } else if set_limits(hard.min(wanted), hard).is_ok() {
            now = hard.min(wanted);
        }
    }
    settle(maxclients, reserve, now)
}

fn settle(maxclients: usize, reserve: usize, limit: u64) -> Result<Granted, String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if limit >= maxclients + reserve {
        return Ok(Granted { maxclients, warning: None });
    }
    if limit <= reserve {
        return Err(format!(
            "the limit of {limit} open files leaves no room for clients: {reserve} are needed by \
             the server itself. Raise it: ulimit -n {}, or LimitNOFILE= in the service's unit.",
            maxclients + reserve
        ));
    }
    let possible = limit - reserve;
    let warning = format!(
        "maxclients lowered from {maxclients} to {possible}: the limit of open files is {limit}. \
         Raise it to {} (ulimit -n, or LimitNOFILE= in the service's unit).",
        maxclients + reserve
    );
    Ok(Granted { maxclients: possible, warning: Some(warning) })
}

fn limits() -> io::Result<(u64, u64)> {
    // SAFETY: two integers, for which zero is a value.
    let mut limit: libc::rlimit = unsafe { mem::zeroed() };
    // SAFETY: `limit` outlives the call, which writes to it.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    if status == 0 { Ok((limit.rlim_cur, limit.rlim_max)) } else { Err(io::Error::last_os_error()) }
}

fn set_limits(soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: `limit` outlives the call, which reads it.
    let status = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::{limits, settle};

    #[test]
    fn a_generous_limit_changes_nothing() {
        let granted = settle(10_000, 50, 20_000).expect("it fits");
        assert_eq!((granted.maxclients, granted.warning), (10_000, None));
    }

    #[test]
    fn a_tight_limit_lowers_maxclients_and_says_so() {
        let granted = settle(10_000, 50, 512).expect("some fit");
        assert_eq!(granted.maxclients, 462);
        let warning = granted.warning.expect("the operator must know");
        assert!(warning.contains("from 10000 to 462"), "{warning}");
        assert!(warning.contains("10050"), "{warning}");
    }

    #[test]
    fn a_limit_below_the_servers_own_need_is_refused() {
        assert!(settle(100, 50, 50).is_err());
        assert!(settle(100, 50, 51).is_ok());
    }

    #[test]
    fn the_limit_of_this_process_can_be_read() {
        let (soft, hard) = limits().expect("Linux tells");
        assert!(soft <= hard);
    }
}
