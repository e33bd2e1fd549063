//! What the kernel tells about this host, as the text it tells it in. Nothing is interpreted
//! here, so that every judgement in `advice` can be tested with text.

use std::fs;

/// The texts, trimmed; `None` where this kernel or machine does not have the file.
#[derive(Clone, Default)]
pub struct Host {
    pub kernel_release: Option<String>,
    pub io_uring_disabled: Option<String>,
    /// `/proc/<pid>/limits`, a table with a header.
    pub limits: Option<String>,
    pub somaxconn: Option<String>,
    pub overcommit_memory: Option<String>,
    /// `always [madvise] never`: the choice stands in brackets.
    pub transparent_hugepage: Option<String>,
    /// One governor for each CPU that has one.
    pub governors: Vec<String>,
    pub clocksource: Option<String>,
    pub clocksources: Option<String>,
    pub swappiness: Option<String>,
    /// `/proc/swaps`: a header, then a line for each swap area.
    pub swaps: Option<String>,
}

/// Reads this host, with the limits of process `pid` or else our own.
pub fn look(pid: Option<u32>) -> Host {
    let process = pid.map_or("self".to_owned(), |pid| pid.to_string());
    let clock = "/sys/devices/system/clocksource/clocksource0";
    Host {
        kernel_release: read("/proc/sys/kernel/osrelease"),
        io_uring_disabled: read("/proc/sys/kernel/io_uring_disabled"),
        limits: read(&format!("/proc/{process}/limits")),
        somaxconn: read("/proc/sys/net/core/somaxconn"),
        overcommit_memory: read("/proc/sys/vm/overcommit_memory"),
        transparent_hugepage: read("/sys/kernel/mm/transparent_hugepage/enabled"),
        governors: governors(),
        clocksource: read(&format!("{clock}/current_clocksource")),
        clocksources: read(&format!("{clock}/available_clocksource")),
        swappiness: read("/proc/sys/vm/swappiness"),
        swaps: read("/proc/swaps"),
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn governors() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/sys/devices/system/cpu") else { return Vec::new() };
    let governor = |entry: fs::DirEntry| {
        fs::read_to_string(entry.path().join("cpufreq/scaling_governor")).ok()
    };
    let texts = entries.flatten().filter_map(governor);
    texts.map(|text| text.trim().to_owned()).collect()
}
