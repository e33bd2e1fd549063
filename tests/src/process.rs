//! What the kernel says about a process under test: memory, descriptors, processor time, life.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// Resident bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:") * 1024
}

/// Resident bytes of its own data, without mapped files.
pub fn anonymous_bytes(pid: u32) -> u64 {
    status_kib(pid, "RssAnon:") * 1024
}

fn status_kib(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the server runs");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a field of status");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number of KiB")
}

/// Open descriptors.
pub fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the server runs").count()
}

/// User and system time spent so far. The kernel counts in hundredths of a second.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server runs");
    let after_name = stat.rsplit(')').next().expect("stat has a name in parentheses");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|&i| fields[i].parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 10)
}

/// Sends a signal by name, such as `TERM`.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(status.expect("kill(1) runs").success(), "signal {name} to {pid}");
}
