//! From what the kernel says to what an operator should do. Bad is what the server cannot run
//! on or will break under; everything else that costs speed, room or connections is advice. A
//! file that does not exist is no finding against the host: the setting came later, or the
//! hypervisor decides.

use crate::host::Host;

/// Multishot receive (6.0) and deferred task work (6.1).
const KERNEL_FLOOR: (u32, u32) = (6, 1);
/// 10,000 clients, which is the default of `maxclients`, and room for the server's own.
const OPEN_FILES_WANTED: u64 = 10_240;
/// Below this no client fits beside the rings and listeners of a few cores.
const OPEN_FILES_NEEDED: u64 = 256;
/// The kernel's own default since 5.16.
const LOCKED_BYTES_WANTED: u64 = 8 << 20;
/// The default of `tcp-backlog`; a shorter queue of the kernel cuts it.
const BACKLOG: u64 = 511;
/// With swap and more eagerness than this, idle keys are paged out while memory is free.
const SWAPPINESS_MAX: u64 = 10;
/// Read without a system call; every other one costs hundreds of nanoseconds a turn.
const FAST_CLOCKS: &[&str] =
    &["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Fine,
    Advice,
    Bad,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Fine => "ok",
            Verdict::Advice => "advice",
            Verdict::Bad => "bad",
        }
    }
}

/// One thing looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    pub verdict: Verdict,
    pub subject: &'static str,
    /// What was found, and when it is not fine, why that matters.
    pub says: String,
    /// The command or setting that cures it.
    pub remedy: Option<String>,
}

fn fine(subject: &'static str, says: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Fine, subject, says: says.into(), remedy: None }
}

fn advice(subject: &'static str, says: String, remedy: &str) -> Finding {
    Finding { verdict: Verdict::Advice, subject, says, remedy: Some(remedy.to_owned()) }
}

fn bad(subject: &'static str, says: String, remedy: &str) -> Finding {
    Finding { verdict: Verdict::Bad, ..advice(subject, says, remedy) }
}

/// Every finding about the host, worst not first but always in the same order.
pub fn judge(host: &Host) -> Vec<Finding> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let swap_areas = text(&host.swaps).lines().skip(1).count();
    vec![
        kernel(&text(&host.kernel_release)),
        io_uring(&text(&host.io_uring_disabled)),
        open_files(&text(&host.limits)),
        locked_memory(&text(&host.limits)),
        somaxconn(&text(&host.somaxconn)),
        overcommit(&text(&host.overcommit_memory)),
        hugepages(&text(&host.transparent_hugepage)),
        swappiness(&text(&host.swappiness), swap_areas),
        governor(&host.governors),
        clocksource(&text(&host.clocksource), &text(&host.clocksources)),
    ]
}

fn kernel(release: &str) -> Finding {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return bad("kernel", format!("unknown release '{release}'"), "uname -r");
    };
    if (major, minor) >= KERNEL_FLOOR {
        return fine("kernel", release);
    }
    let says = format!("{release} is too old, io_uring of 6.1 is needed");
    bad("kernel", says, "upgrade the kernel: Debian 12 has 6.1, Debian 13 has 6.12")
}

fn io_uring(disabled: &str) -> Finding {
    let remedy = "sysctl -w kernel.io_uring_disabled=0";
    match disabled {
        "" => fine("io_uring_disabled", "not on this kernel: io_uring is for everybody"),
        "0" => fine("io_uring_disabled", "0: io_uring is for everybody"),
        "1" => bad("io_uring_disabled", "1: io_uring is for root and one group".into(), remedy),
        other => bad("io_uring_disabled", format!("{other}: io_uring is switched off"), remedy),
    }
}

fn open_files(limits: &str) -> Finding {
    let (subject, remedy) = ("open files", "ulimit -Hn 65536, or LimitNOFILE= in the unit");
    // The server raises the soft limit by itself, up to the hard one.
    match hard_limit(limits, "Max open files") {
        Some(limit) if limit < OPEN_FILES_NEEDED => {
            bad(subject, format!("{limit} leave no room for clients"), remedy)
        }
        Some(limit) if limit < OPEN_FILES_WANTED => {
            let says = format!("{limit} are fewer than 10,000 clients need");
            advice(subject, says, remedy)
        }
        Some(u64::MAX) => fine(subject, "unlimited"),
        Some(limit) => fine(subject, limit.to_string()),
        None => advice(subject, "the limits cannot be read".into(), "cat /proc/self/limits"),
    }
}

fn locked_memory(limits: &str) -> Finding {
    let (subject, remedy) = ("locked memory", "ulimit -Hl 8192, or LimitMEMLOCK=8M in the unit");
    match hard_limit(limits, "Max locked memory") {
        Some(limit) if limit < LOCKED_BYTES_WANTED => {
            advice(subject, format!("{limit} bytes may be too few for io_uring"), remedy)
        }
        Some(u64::MAX) => fine(subject, "unlimited"),
        Some(limit) => fine(subject, format!("{limit} bytes")),
        None => advice(subject, "the limits cannot be read".into(), "cat /proc/self/limits"),
    }
}

/// The hard limit of the row called `name`; `unlimited` is the largest number.
fn hard_limit(limits: &str, name: &str) -> Option<u64> {
    let row = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match row.split_whitespace().nth(1)? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

fn somaxconn(text: &str) -> Finding {
    match text.parse::<u64>() {
        Ok(number) if number < BACKLOG => advice(
            "somaxconn",
            format!("{number} cuts tcp-backlog: bursts are refused"),
            "sysctl -w net.core.somaxconn=4096",
        ),
        _ => fine("somaxconn", known(text)),
    }
}

fn overcommit(text: &str) -> Finding {
    if text != "2" {
        return fine("overcommit_memory", format!("{}: there is no fork here", known(text)));
    }
    let says = "2: reserved address space counts as used".to_owned();
    advice("overcommit_memory", says, "sysctl -w vm.overcommit_memory=0")
}

fn hugepages(text: &str) -> Finding {
    let chosen = text.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    if chosen != Some("always") {
        return fine("transparent_hugepage", chosen.unwrap_or("not there"));
    }
    advice(
        "transparent_hugepage",
        "always: freed memory returns late".to_owned(),
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
    )
}

fn swappiness(text: &str, swap_areas: usize) -> Finding {
    match text.parse::<u64>() {
        _ if swap_areas == 0 => fine("swappiness", format!("{}, without swap", known(text))),
        Ok(number) if number > SWAPPINESS_MAX => {
            let says = format!("{number}, with swap: idle keys go to disk");
            advice("swappiness", says, "sysctl -w vm.swappiness=1")
        }
        _ => fine("swappiness", known(text)),
    }
}

fn governor(governors: &[String]) -> Finding {
    let subject = "cpufreq governor";
    let all = governors.len();
    let slow: Vec<&String> = governors.iter().filter(|name| *name != "performance").collect();
    match slow.first() {
        None if all == 0 => fine(subject, "none: firmware or hypervisor decides"),
        None => fine(subject, format!("performance on all {all} CPUs")),
        Some(name) => {
            let says = format!("{name} on {} of {all} CPUs", slow.len());
            advice(subject, says, "cpupower frequency-set -g performance")
        }
    }
}

fn clocksource(current: &str, available: &str) -> Finding {
    if current.is_empty() || FAST_CLOCKS.contains(&current) {
        return fine("clocksource", known(current));
    }
    let says = format!("{current}: every look at the clock is a system call");
    let file = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    match FAST_CLOCKS.iter().find(|fast| available.split_whitespace().any(|one| one == **fast)) {
        Some(fast) => advice("clocksource", says, &format!("echo {fast} >{file}")),
        None => advice("clocksource", says, "dmesg | grep -i tsc    # why the kernel avoids it"),
    }
}

fn known(text: &str) -> &str {
    if text.is_empty() { "not there" } else { text }
}

#[cfg(test)]
mod tests;
