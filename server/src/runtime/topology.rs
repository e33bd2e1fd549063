//! Which CPUs the workers run on, and pinning them there.

use std::io;
use std::mem;

/// The CPUs this process may run on, in ascending order (from `sched_getaffinity`, so cpusets,
/// containers and `taskset` are respected).
pub fn allowed_cpus() -> io::Result<Vec<usize>> {
    // SAFETY: an all-zero cpu_set_t is the empty set.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `set` is as large as the size says and outlives the call.
    let status = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    let highest = 8 * size_of::<libc::cpu_set_t>();
    // SAFETY: the index is below the number of bits of the set.
    Ok((0..highest).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect())
}

/// Picks the CPU of each worker: the first `wanted` of the allowed ones, or all of them. Workers
/// that may `share` take the CPUs in turn when there are too few.
///
/// # Errors
/// A sentence for the operator, when more cores are asked for than the process may use.
pub fn choose(allowed: &[usize], wanted: Option<usize>, share: bool) -> Result<Vec<usize>, String> {
    assert!(!allowed.is_empty());
    let count = match wanted {
        None => allowed.len(),
        Some(0) => return Err("cores 0 is impossible: at least one core must serve".to_owned()),
        Some(wanted) if wanted > allowed.len() && !share => {
            return Err(format!(
                "cores {wanted} is impossible: this process may run on {} CPU{} ({}); lower \
                 `cores`, or widen the CPU set of the service (taskset, cpuset, CPUAffinity=)",
                allowed.len(),
                if allowed.len() == 1 { "" } else { "s" },
                spelled(allowed),
            ));
        }
        Some(wanted) => wanted,
    };
    Ok(allowed.iter().copied().cycle().take(count).collect())
}

/// Pins the calling thread to one CPU.
pub fn pin_this_thread(cpu: usize) -> io::Result<()> {
    assert!(cpu < 8 * size_of::<libc::cpu_set_t>());
    // SAFETY: an all-zero cpu_set_t is the empty set, and the index was checked.
    let set = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        set
    };
    // SAFETY: `set` outlives the call and is as large as the size says; 0 is the calling thread.
    let status = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `0-3,8` for the CPUs 0, 1, 2, 3 and 8.
fn spelled(cpus: &[usize]) -> String {
    let mut text = String::new();
    let mut rest = cpus;
    while let Some(&first) = rest.first() {
        let run = rest.iter().zip(first..).take_while(|&(&cpu, expected)| cpu == expected).count();
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&first.to_string());
        if run > 1 {
            text.push_str(&format!("-{}", first + run - 1));
        }
        rest = &rest[run..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{allowed_cpus, choose, pin_this_thread, spelled};

    #[test]
    fn without_a_wish_every_allowed_cpu_serves() {
        assert_eq!(choose(&[0, 2, 5], None, false), Ok(vec![0, 2, 5]));
    }

    #[test]
    fn fewer_cores_take_the_first_cpus() {
        assert_eq!(choose(&[0, 2, 5], Some(2), false), Ok(vec![0, 2]));
        assert_eq!(choose(&[0, 2, 5], Some(2), true), Ok(vec![0, 2]));
    }

    #[test]
    fn cores_that_may_share_take_the_cpus_in_turn() {
        assert_eq!(choose(&[0, 2], Some(5), true), Ok(vec![0, 2, 0, 2, 0]));
        assert_eq!(choose(&[0, 2], None, true), Ok(vec![0, 2]));
    }

    #[test]
    fn more_cores_than_cpus_are_refused_with_the_remedy() {
        let sentence =
            choose(&[0, 1, 4], Some(8), false).expect_err("three CPUs cannot be eight cores");
        assert!(sentence.contains("cores 8 is impossible"), "{sentence}");
        assert!(sentence.contains("0-1,4"), "{sentence}");
        assert!(sentence.contains("lower `cores`"), "{sentence}");
    }

    #[test]
    fn no_core_at_all_is_refused() {
        assert!(choose(&[0], Some(0), false).is_err());
    }

    #[test]
    fn cpu_lists_are_spelled_in_ranges() {
        assert_eq!(spelled(&[0, 1, 2, 3, 8]), "0-3,8");
        assert_eq!(spelled(&[7]), "7");
    }

    #[test]
    fn a_pinned_thread_may_run_on_its_cpu_only() {
        let cpu = allowed_cpus().expect("Linux tells the affinity")[0];
        let seen = std::thread::spawn(move || {
            pin_this_thread(cpu).expect("an allowed CPU");
            allowed_cpus().expect("Linux tells the affinity")
        })
        .join()
        .expect("the thread does not panic");
        assert_eq!(seen, vec![cpu]);
    }
}
