//! `freehold-tune`: what a bare-metal host should be set to for Freehold, and whether it is.
//!
//! The server itself refuses only what it cannot run on. Everything between "runs" and "runs
//! well" is said here instead, where it can be asked before the first start and after each new
//! kernel. Nothing is changed: the advice is a command, and the operator decides.

#![forbid(unsafe_code)]

mod advice;
mod host;

use std::process::ExitCode;

use advice::{Finding, Verdict};
use clap::{Parser, Subcommand};

/// Checks whether this host is set up for Freehold, and says what to change.
///
/// Changes nothing and needs no privileges. What needs more than a sysctl
/// (limits, user, hardening) stands in the unit file tuning/systemd/freehold.service.
#[derive(Parser)]
#[command(name = "freehold-tune", version, max_term_width = 80)]
struct CommandLine {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Reads /proc and /sys and prints one finding a line.
    ///
    /// ok      as it should be.
    /// advice  the server runs, but slower or with less; a command follows.
    /// bad     the server will not start or will break; a command follows.
    ///
    /// Exits with 1 when something is bad, with 0 otherwise. A `sysctl -w` lasts until
    /// the next boot: see `freehold-tune sysctl`.
    #[command(verbatim_doc_comment)]
    Check {
        /// Read the limits of this process: a running server, say. Without it, the
        /// limits that this shell would hand to the server.
        #[arg(long, value_name = "PID")]
        pid: Option<u32>,
    },
    /// Prints a file for /etc/sysctl.d, every setting with its reason.
    ///
    /// freehold-tune sysctl | sudo tee /etc/sysctl.d/60-freehold.conf
    /// sudo sysctl --system
    #[command(verbatim_doc_comment)]
    Sysctl,
}

/// The kernel settings that `check` asks for, so that they outlive a boot.
const SYSCTL: &str = "\
# For hosts that run Freehold. Install as /etc/sysctl.d/60-freehold.conf and
# apply with: sysctl --system

# The event loop of every core is an io_uring. The dash: kernels before 6.6 do
# not have the setting and need none.
-kernel.io_uring_disabled = 0

# A burst of new connections waits here until a core accepts it. tcp-backlog of
# the server is capped by the first.
net.core.somaxconn = 4096
net.ipv4.tcp_max_syn_backlog = 4096

# A cache that is swapped out is slower than no cache: only before running out.
vm.swappiness = 1

# vm.overcommit_memory: 0 and 1 both serve, there is no fork to be afraid of.
# With 2 the kernel counts reserved address space as if it were used.
";

fn main() -> ExitCode {
    match CommandLine::parse().task {
        Task::Sysctl => {
            print!("{SYSCTL}");
            ExitCode::SUCCESS
        }
        Task::Check { pid } => {
            let findings = advice::judge(&host::look(pid));
            print!("{}", report(&findings));
            let is_bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
            if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

/// One finding a line; a remedy stands below its finding, ready to be copied.
fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { verdict, subject, says, remedy } in findings {
        text.push_str(&format!("{:<7} {subject:<21} {says}\n", verdict.word()));
        if let Some(remedy) = remedy {
            text.push_str(&format!("    {remedy}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{CommandLine, SYSCTL, report};
    use crate::advice::{Finding, Verdict};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_remedy_stands_below_its_finding() {
        let says = "60, with swap".to_owned();
        let remedy = Some("sysctl -w vm.swappiness=1".to_owned());
        let finding = Finding { verdict: Verdict::Advice, subject: "swappiness", says, remedy };

        let text = report(&[finding]);

        assert_eq!(
            text,
            "advice  swappiness            60, with swap\n    sysctl -w vm.swappiness=1\n"
        );
    }

    #[test]
    fn every_line_of_the_sysctl_file_is_a_setting_a_remark_or_empty_and_fits() {
        for line in SYSCTL.lines() {
            let is_setting = line
                .split_once(" = ")
                .is_some_and(|(name, value)| name.contains('.') && value.parse::<u32>().is_ok());
            assert!(line.is_empty() || line.starts_with('#') || is_setting, "{line}");
            assert!(line.len() <= 80, "{line}");
        }
    }
}
