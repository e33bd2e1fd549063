//! Hosts as text, good, bad and strange, and what is said about each.

use super::{Finding, Verdict, judge};
use crate::host::Host;

fn limits(files: &str, locked: &str) -> String {
    format!(
        "Limit                     Soft Limit           Hard Limit           Units\n\
         Max open files            1024                 {files}               files\n\
         Max locked memory         65536                {locked}              bytes\n"
    )
}

fn sound() -> Host {
    let text = |text: &str| Some(text.to_owned());
    Host {
        kernel_release: text("6.1.0-49-amd64"),
        io_uring_disabled: text("0"),
        limits: Some(limits("524288", "8388608")),
        somaxconn: text("4096"),
        overcommit_memory: text("0"),
        transparent_hugepage: text("always [madvise] never"),
        governors: vec!["performance".to_owned(); 2],
        clocksource: text("tsc"),
        clocksources: text("tsc hpet acpi_pm"),
        swappiness: text("1"),
        swaps: text("Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2"),
    }
}

/// The findings that are not fine after `change`.
fn troubles(change: impl FnOnce(&mut Host)) -> Vec<Finding> {
    let mut host = sound();
    change(&mut host);
    judge(&host).into_iter().filter(|finding| finding.verdict != Verdict::Fine).collect()
}

fn only_trouble(change: impl FnOnce(&mut Host)) -> (Verdict, String, String) {
    let mut found = troubles(change);
    assert_eq!(found.len(), 1, "{found:?}");
    let Finding { verdict, says, remedy, .. } = found.remove(0);
    (verdict, says, remedy.expect("a trouble has a remedy"))
}

/// What makes a sound host unsound, and words of the remedy.
type Case = (fn(&mut Host), &'static str);

#[test]
fn a_sound_host_gets_no_advice() {
    assert_eq!(troubles(|_| ()), []);
}

#[test]
fn what_the_server_cannot_run_on_is_bad() {
    let cases: [Case; 5] = [
        (|host| host.kernel_release = Some("5.15.0-91-generic".into()), "6.1"),
        (|host| host.kernel_release = None, "uname"),
        (|host| host.io_uring_disabled = Some("2".into()), "io_uring_disabled=0"),
        (|host| host.io_uring_disabled = Some("1".into()), "io_uring_disabled=0"),
        (|host| host.limits = Some(limits("64", "unlimited")), "LimitNOFILE"),
    ];
    for (change, part) in cases {
        let (verdict, says, remedy) = only_trouble(change);
        assert_eq!(verdict, Verdict::Bad, "{says}");
        assert!(remedy.contains(part), "{says}: {remedy}");
    }
}

#[test]
fn what_costs_speed_or_room_is_advice_with_a_command() {
    let cases: [Case; 8] = [
        (|host| host.limits = Some(limits("4096", "unlimited")), "ulimit -Hn 65536"),
        (|host| host.limits = Some(limits("unlimited", "65536")), "LimitMEMLOCK=8M"),
        (|host| host.somaxconn = Some("128".into()), "net.core.somaxconn=4096"),
        (|host| host.overcommit_memory = Some("2".into()), "vm.overcommit_memory=0"),
        (|host| host.transparent_hugepage = Some("[always] never".into()), "echo madvise"),
        (|host| host.swappiness = Some("60".into()), "vm.swappiness=1"),
        (|host| host.governors[1] = "powersave".into(), "-g performance"),
        (|host| host.clocksource = Some("hpet".into()), "echo tsc >"),
    ];
    for (change, part) in cases {
        let (verdict, says, remedy) = only_trouble(change);
        assert_eq!(verdict, Verdict::Advice, "{says}");
        assert!(remedy.contains(part), "{says}: {remedy}");
        assert!(30 + says.len() <= 80, "{says}");
        assert!(4 + remedy.len() <= 80, "{remedy}");
    }
}

#[test]
fn without_swap_any_swappiness_is_fine() {
    let no_swap = |host: &mut Host| {
        host.swappiness = Some("60".into());
        host.swaps = Some("Filename Type Size Used Priority".into());
    };
    assert_eq!(troubles(no_swap), []);
}

#[test]
fn files_a_kernel_or_a_guest_does_not_have_are_nothing_against_it() {
    let bare = |host: &mut Host| {
        let kept = (host.kernel_release.take(), host.limits.take());
        *host = Host { kernel_release: kept.0, limits: kept.1, ..Host::default() };
    };
    assert_eq!(troubles(bare), []);
}
