//! Runs a plan: one phase after the other, each on its executors, and collects what they measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Barrier, OnceLock};
use std::time::{Duration, Instant};

use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement};

use crate::closed::Budget;
use crate::cluster::{Router, SlotMap};
use crate::executor::{Executor, Order};
use crate::judge::Judge;
use crate::open::Schedule;
use crate::plan::{Phase, Plan};
use crate::progress::Progress;
use crate::record::Record;
use crate::session::connect;
use crate::source::{Draw, Source};
use crate::verify::Ledger;
use crate::workload::Mix;
use crate::workload::random::mix;

/// Memory for file reads an executor sets aside; it reads no files.
const IO_MEMORY_BYTES: usize = 64 * 1024;
const RING_DEPTH: usize = 128;

/// What one phase came to.
pub struct Outcome {
    pub phase: Arc<Phase>,
    pub record: Record,
    pub connections: usize,
    pub endpoints: usize,
    /// CPU time the server of `--server-pid` spent meanwhile.
    pub server_cpu_ns: Option<u64>,
}

/// Runs all phases of a plan.
///
/// # Errors
/// When nothing could be run at all; errors of single requests are in the records.
pub fn run(plan: &Arc<Plan>) -> Result<Vec<Outcome>, String> {
    // One connection first: what is wrong with the address or the password is then said once.
    connect(&plan.address, &plan.login)?;
    let map = if plan.cluster { Some(SlotMap::fetch(&plan.address, &plan.login)?) } else { None };
    let ledger = plan
        .verify
        .then(|| Arc::new(Ledger::new(plan.keys.count(), mix(plan.seed) as u32, plan.forgetful)));
    let run_one = |phase: &Arc<Phase>| run_phase(plan, phase, map.as_ref(), ledger.as_ref());
    let mut outcomes: Vec<Outcome> = plan.phases.iter().map(run_one).collect::<Result<_, _>>()?;
    let saturation = outcomes.last().map(|last| (last.phase.clone(), last.record.rate()));
    if let Some((phase, rate)) = saturation.filter(|(_, rate)| *rate > 0.0) {
        for fraction in &plan.load_points {
            outcomes.push(run_one(&Arc::new(phase.at_load(*fraction, rate)))?);
        }
    }
    Ok(outcomes)
}

/// Lets the executors of a phase begin together, or not at all.
struct Gate {
    barrier: Barrier,
    has_failed: AtomicBool,
    origin: OnceLock<Instant>,
}

type Handle = ExecutorJoinHandle<Result<Record, String>>;

fn run_phase(
    plan: &Arc<Plan>,
    phase: &Arc<Phase>,
    map: Option<&SlotMap>,
    ledger: Option<&Arc<Ledger>>,
) -> Result<Outcome, String> {
    let (report, reports) = channel();
    let gate = Arc::new(Gate {
        barrier: Barrier::new(plan.threads + 1),
        has_failed: AtomicBool::new(false),
        origin: OnceLock::new(),
    });
    let endpoints = map.map_or(1, |map| map.addresses.len());
    let mut connections = 0;
    let mut handles: Vec<Handle> = Vec::new();
    for thread in 0..plan.threads {
        let each = connections_of(plan.connections, plan.threads, thread, endpoints);
        connections += each.iter().sum::<usize>();
        let dialect = phase.dialect.clone();
        let order = Order {
            plan: plan.clone(),
            phase: phase.clone(),
            source: source(plan, phase, thread),
            router: Router::new(plan.keys.clone(), plan.address.clone(), map.cloned()),
            judge: Judge::new(dialect, ledger.cloned(), phase.read_through, plan.cluster),
            connections: each,
            report: report.clone(),
        };
        handles.push(spawn(plan, thread, order, gate.clone())?);
    }
    drop(report);
    gate.barrier.wait();
    let origin = *gate.origin.get_or_init(Instant::now);
    let mut watch = ServerWatch::new(plan.server_pid, origin, phase.warmup_ns);
    let mut record = watch_over(plan, phase, &reports, &mut watch);
    for handle in handles {
        let joined = handle.join().map_err(|error| format!("an executor failed: {error}"))?;
        record.merge(joined?);
    }
    let server_cpu_ns = watch.spent();
    Ok(Outcome { phase: phase.clone(), record, connections, endpoints, server_cpu_ns })
}

fn spawn(plan: &Plan, thread: usize, order: Order, gate: Arc<Gate>) -> Result<Handle, String> {
    let placement = match plan.cpus.get(thread) {
        Some(cpu) => Placement::Fixed(*cpu),
        None => Placement::Unbound,
    };
    LocalExecutorBuilder::new(placement)
        .name(&format!("loadgen-{thread}"))
        .io_memory(IO_MEMORY_BYTES)
        .ring_depth(RING_DEPTH)
        .spawn(move || async move {
            let executor = Executor::open(order);
            gate.has_failed.fetch_or(executor.is_err(), Ordering::AcqRel);
            gate.barrier.wait();
            let executor = executor?;
            if gate.has_failed.load(Ordering::Acquire) {
                return Ok(Record::new()); // the one that failed says why
            }
            Ok(executor.run(*gate.origin.get_or_init(Instant::now)).await)
        })
        .map_err(|error| {
            format!(
                "cannot start an executor: {error}. Remedy: check that the CPUs of --cpus exist \
                 and that io_uring is allowed (sysctl kernel.io_uring_disabled, seccomp, \
                 `ulimit -l`)"
            )
        })
}

/// Merges what executors report until all have ended, and shows progress if somebody looks.
fn watch_over(
    plan: &Plan,
    phase: &Phase,
    reports: &Receiver<Record>,
    watch: &mut ServerWatch,
) -> Record {
    let mut total = Record::new();
    let mut progress = Progress::new(plan.reports_live, &phase.name, plan.threads);
    loop {
        watch.look();
        match reports.recv_timeout(Duration::from_millis(50)) {
            Ok(record) => {
                progress.show(&record);
                total.merge(record);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    progress.clear();
    total
}

/// Connections of one thread to each endpoint: its share of all, spread evenly, at least one each.
fn connections_of(all: usize, threads: usize, thread: usize, endpoints: usize) -> Vec<usize> {
    let mine = all * (thread + 1) / threads - all * thread / threads;
    (0..endpoints)
        .map(|endpoint| {
            let turn = (endpoint + endpoints - thread % endpoints) % endpoints;
            (mine / endpoints + usize::from(turn < mine % endpoints)).max(1)
        })
        .collect()
}

/// The share of one thread in the operations of a phase.
fn source(plan: &Plan, phase: &Phase, thread: usize) -> Source {
    let (thread, threads) = (thread as u64, plan.threads as u64);
    let share = |whole: u64| {
        let upto = |part: u64| (u128::from(whole) * u128::from(part) / u128::from(threads)) as u64;
        (upto(thread), upto(thread + 1))
    };
    let (first, end) = share(plan.keys.count());
    let seed = mix(plan.seed ^ mix(thread + 1));
    let draw = if phase.is_fill {
        Draw::Fill { next: first, end }
    } else {
        Draw::Mix(Mix::new(plan.keys.clone(), phase.share, seed, first))
    };
    let requests = phase.requests.map_or(u64::MAX / 2, |requests| {
        let (from, upto) = share(requests);
        upto - from
    });
    let schedule = phase.rate.map(|rate| {
        let per_second = rate / threads as f64;
        let start_ns = (thread as f64 * 1e9 / rate) as u64;
        match phase.poisson {
            true => Schedule::poisson(start_ns, per_second, mix(seed)),
            false => Schedule::even(start_ns, per_second),
        }
    });
    Source::new(draw, Budget::new(requests, phase.end_ns), schedule)
}

/// CPU time of a server process between the end of the warm-up and the end of the phase.
struct ServerWatch {
    pid: Option<u32>,
    begin: Instant,
    before_ns: Option<u64>,
}

impl ServerWatch {
    fn new(pid: Option<u32>, origin: Instant, warmup_ns: u64) -> ServerWatch {
        ServerWatch { pid, begin: origin + Duration::from_nanos(warmup_ns), before_ns: None }
    }

    fn look(&mut self) {
        if self.before_ns.is_none() && Instant::now() >= self.begin {
            self.before_ns = self.pid.and_then(process_cpu_ns);
        }
    }

    fn spent(&self) -> Option<u64> {
        process_cpu_ns(self.pid?)?.checked_sub(self.before_ns?)
    }
}

/// CPU time of all threads of a process, as the scheduler counts it.
fn process_cpu_ns(pid: u32) -> Option<u64> {
    let mut total_ns = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        total_ns += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(total_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_completely_and_every_endpoint_gets_one() {
        for (all, threads, endpoints) in [(50, 1, 1), (50, 3, 1), (16, 2, 4), (7, 2, 3)] {
            let mut total = 0;
            let mut by_endpoint = vec![0; endpoints];
            for thread in 0..threads {
                for (at, count) in
                    connections_of(all, threads, thread, endpoints).into_iter().enumerate()
                {
                    assert!(count >= 1);
                    by_endpoint[at] += count;
                    total += count;
                }
            }
            assert_eq!(total, all);
            let spread = by_endpoint.iter().max().unwrap() - by_endpoint.iter().min().unwrap();
            assert!(spread <= 1, "{by_endpoint:?}");
        }
        assert_eq!(connections_of(1, 1, 0, 3), [1, 1, 1]);
    }
}
