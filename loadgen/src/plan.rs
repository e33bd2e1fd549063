//! What the command line means: checked, with defaults filled in, ready to run.
//!
//! Everything that can be wrong with the options is found here, before a connection is opened, and
//! is answered with a sentence that says what to write instead.

mod requests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::Cli;
use crate::notation;
use crate::session::{Address, Login};
use crate::wire::{Dialect, Wire};
use crate::workload::values::HEADER_BYTES;
use crate::workload::{Keys, Kind, Share};
use requests::Asked;

/// A run that neither options nor the server end is ended after this time.
const RUN_NS_MAX: u64 = 4 * 3600 * 1_000_000_000;
const DEFAULT_DURATION_NS: u64 = 10_000_000_000;
/// Requests in flight on one connection of a fill, unless more are asked for.
const FILL_PIPELINE: usize = 64;
/// Requests of one connection that are kept in mind.
const PIPELINE_MAX: usize = 1 << 16;
/// How often a cluster's map is fetched again.
const REFRESH_NS: u64 = 10_000_000_000;

/// One part of a run with results of its own.
#[derive(Clone)]
pub struct Phase {
    pub name: String,
    pub is_fill: bool,
    pub dialect: Arc<Dialect>,
    pub share: Share,
    pub pipeline: usize,
    pub requests: Option<u64>,
    /// Length of the phase, on the clock that starts with it.
    pub end_ns: u64,
    /// Requests a second in all, when the loop is open.
    pub rate: Option<f64>,
    pub poisson: bool,
    pub warmup_ns: u64,
    pub read_through: bool,
}

/// A run.
pub struct Plan {
    pub address: Address,
    pub login: Login,
    pub cluster: bool,
    pub connections: usize,
    pub threads: usize,
    /// Empty when executors are not pinned.
    pub cpus: Vec<usize>,
    pub spin_ns: u64,
    pub timeout_ns: u64,
    pub refresh_ns: u64,
    pub seed: u64,
    pub keys: Arc<Keys>,
    pub verify: bool,
    /// With `verify`: keys may vanish.
    pub forgetful: bool,
    pub phases: Vec<Arc<Phase>>,
    /// Fractions of the rate of the last phase at which it is repeated as an open loop.
    pub load_points: Vec<f64>,
    pub server_pid: Option<u32>,
    pub reports_live: bool,
    pub quiet: bool,
    pub json: Option<String>,
    pub svg: Option<PathBuf>,
}

impl Plan {
    /// What `cli` means. `fresh_seed` is used when none was given, `is_terminal` tells whether
    /// standard error is one.
    ///
    /// # Errors
    /// What makes no sense and what to write instead.
    pub fn new(cli: &Cli, fresh_seed: u64, is_terminal: bool) -> Result<Plan, String> {
        let wire = wire(&cli.protocol)?;
        let asked = Asked::new(cli, wire)?;
        let timeout_ns = notation::duration_ns(&cli.timeout)?.max(1_000_000);
        let cpus = cli.cpus.as_deref().map(notation::list).transpose()?.unwrap_or_default();
        let threads = cli.threads.unwrap_or(cpus.len().max(1));
        check_shape(cli, threads, &cpus)?;
        let password = cli.password.clone().or_else(|| std::env::var("FREEHOLD_PASSWORD").ok());
        check_wire(cli, wire, &asked)?;
        let phases = phases(cli, &asked)?;
        let load_points = load_points(cli)?;
        Ok(Plan {
            address: match &cli.socket {
                Some(path) => Address::Unix(path.clone()),
                None => Address::Tcp { host: cli.host.clone(), port: cli.port },
            },
            login: Login {
                wire,
                user: cli.user.clone(),
                password,
                database: cli.db,
                timeout: Duration::from_nanos(timeout_ns.min(5_000_000_000)),
            },
            cluster: cli.cluster,
            connections: cli.connections,
            threads,
            cpus,
            spin_ns: cli.spin_us * 1000,
            timeout_ns,
            refresh_ns: REFRESH_NS,
            seed: cli.seed.unwrap_or(fresh_seed),
            keys: asked.keys,
            verify: cli.verify,
            forgetful: cli.evicting || cli.ttl.is_some(),
            phases,
            load_points,
            server_pid: cli.server_pid,
            reports_live: (is_terminal || cli.progress) && !cli.quiet,
            quiet: cli.quiet,
            json: cli.json.clone(),
            svg: cli.svg.clone(),
        })
    }
}

fn wire(name: &str) -> Result<Wire, String> {
    [Wire::Resp2, Wire::Resp3, Wire::Binary, Wire::Memcache]
        .into_iter()
        .find(|wire| wire.name() == name)
        .ok_or_else(|| format!("--protocol {name}: write resp2, resp3, binary or memcache"))
}

fn check_shape(cli: &Cli, threads: usize, cpus: &[usize]) -> Result<(), String> {
    let wrong = |what: &str| Err(what.to_owned());
    if cli.connections == 0 || cli.pipeline == 0 {
        return wrong("--connections and --pipeline are at least 1");
    }
    if cli.pipeline > PIPELINE_MAX {
        return Err(format!("--pipeline is at most {PIPELINE_MAX}"));
    }
    if threads == 0 || threads > 1024 {
        return wrong("--threads is between 1 and 1024");
    }
    if cli.connections < threads && !cli.cluster {
        return Err(format!(
            "{threads} threads cannot share {} connections: give -c {threads} or fewer --threads",
            cli.connections
        ));
    }
    if !cpus.is_empty() && cpus.len() < threads {
        return Err(format!(
            "{threads} threads and {} CPUs: name as many in --cpus as there are --threads",
            cpus.len()
        ));
    }
    if cli.socket.is_some() && cli.cluster {
        return wrong("--cluster needs host and port: leave --socket out");
    }
    if cli.user.is_some() && cli.password.is_none() && std::env::var("FREEHOLD_PASSWORD").is_err() {
        return wrong("--user needs --password");
    }
    Ok(())
}

fn check_wire(cli: &Cli, wire: Wire, asked: &Asked) -> Result<(), String> {
    let wrong = |what: &str| Err(what.to_owned());
    let is_resp = matches!(wire, Wire::Resp2 | Wire::Resp3);
    if !is_resp && !asked.is_get_and_set() {
        return Err(format!(
            "--protocol {} does get and set only; other commands need --protocol resp2",
            wire.name()
        ));
    }
    if wire == Wire::Memcache {
        if cli.cluster || cli.db != 0 || cli.password.is_some() {
            return wrong("memcache text knows no --cluster, --db and --password: leave them out");
        }
        if cli.key_size > 250 {
            return wrong("memcached takes keys of at most 250 bytes: lower --key-size");
        }
    }
    if wire == Wire::Binary && cli.db != 0 {
        return wrong("the binary protocol stays in database 0: leave --db out");
    }
    if wire == Wire::Binary && cli.key_size > usize::from(u16::MAX) {
        return wrong("a binary frame holds keys of at most 65535 bytes: lower --key-size");
    }
    if cli.cluster && asked.load.read.keys.max(asked.load.write.keys) > 1 {
        return wrong(
            "--cluster sends a request to the owner of one key: use a hash tag, for example \
             --command \"MGET {__key__}:1\"",
        );
    }
    if cli.read_through && (!asked.is_get_and_set() || asked.share == Share::Only(Kind::Write)) {
        return wrong("--read-through needs reads: use --ratio or --command get");
    }
    if cli.verify {
        if !asked.is_get_and_set() {
            return wrong(
                "--verify understands get and set: leave --command out, or use get or set",
            );
        }
        if asked.load.values.sizes().smallest() < HEADER_BYTES {
            return Err(format!("--verify needs values of at least {HEADER_BYTES} bytes"));
        }
    }
    Ok(())
}

fn load_points(cli: &Cli) -> Result<Vec<f64>, String> {
    let Some(text) = &cli.load_points else { return Ok(Vec::new()) };
    if cli.rate.is_some() || (cli.fill && cli.duration.is_none() && cli.requests.is_none()) {
        return Err("--load-points follow a closed loop: give --duration and no --rate".into());
    }
    text.split(',')
        .map(|point| match point.trim().parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent <= 1000.0 => Ok(percent / 100.0),
            _ => Err(format!("--load-points {text}: write percentages, for example 50,80,95")),
        })
        .collect()
}

impl Phase {
    /// The same requests as an open loop at a fraction of `rate`.
    pub fn at_load(&self, fraction: f64, rate: f64) -> Phase {
        Phase {
            name: format!("open loop at {:.0} %", fraction * 100.0),
            rate: Some(fraction * rate),
            ..self.clone()
        }
    }
}

fn phases(cli: &Cli, asked: &Asked) -> Result<Vec<Arc<Phase>>, String> {
    let requests = cli.requests.as_deref().map(notation::count).transpose()?;
    let duration_ns = cli.duration.as_deref().map(notation::duration_ns).transpose()?;
    let rate = cli.rate.as_deref().map(notation::quantity).transpose()?;
    let warmup_ns = notation::duration_ns(&cli.warmup)?;
    let poisson = match cli.arrivals.as_str() {
        "even" => false,
        "poisson" => true,
        other => return Err(format!("--arrivals {other}: write even or poisson")),
    };
    if requests == Some(0) || duration_ns == Some(0) || rate == Some(0.0) {
        return Err("--requests, --duration and --rate are above 0".into());
    }
    let end_ns = match (requests, duration_ns) {
        (_, Some(duration_ns)) => duration_ns.min(RUN_NS_MAX),
        (Some(_), None) => RUN_NS_MAX,
        (None, None) => DEFAULT_DURATION_NS + warmup_ns,
    };
    if warmup_ns >= end_ns {
        return Err("--warmup leaves nothing of the run: raise --duration".into());
    }
    let mut phases = Vec::new();
    if cli.fill {
        phases.push(Arc::new(Phase {
            name: "fill".into(),
            is_fill: true,
            dialect: asked.fill.clone(),
            share: Share::Only(Kind::Write),
            pipeline: cli.pipeline.max(FILL_PIPELINE),
            requests: None,
            end_ns: RUN_NS_MAX,
            rate: None,
            poisson: false,
            warmup_ns: 0,
            read_through: false,
        }));
    }
    if !cli.fill || requests.is_some() || duration_ns.is_some() || rate.is_some() {
        phases.push(Arc::new(Phase {
            name: if rate.is_some() { "open loop" } else { "closed loop" }.into(),
            is_fill: false,
            dialect: asked.load.clone(),
            share: asked.share,
            pipeline: cli.pipeline,
            requests,
            end_ns,
            rate,
            poisson,
            warmup_ns,
            read_through: cli.read_through,
        }));
    }
    Ok(phases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, String> {
        Plan::new(&Cli::of(line), 1, false)
    }

    #[test]
    fn without_options_it_is_ten_seconds_of_nine_reads_to_one_write() {
        let plan = plan("").expect("the defaults make sense");
        let phase = &plan.phases[0];
        assert_eq!((plan.connections, phase.pipeline, plan.threads), (50, 1, 1));
        assert_eq!((phase.end_ns, phase.requests), (10_000_000_000, None));
        assert_eq!(phase.share, Share::Reads(0.9));
        assert!(!plan.reports_live, "silent when nobody looks");
    }

    #[test]
    fn a_fill_alone_is_all_and_with_a_duration_it_comes_first() {
        assert_eq!(plan("--fill").unwrap().phases.len(), 1);
        let names: Vec<String> = plan("--fill --rate 1k")
            .unwrap()
            .phases
            .iter()
            .map(|phase| phase.name.clone())
            .collect();
        assert_eq!(names, ["fill", "open loop"]);
    }

    #[test]
    fn nonsense_is_refused_with_what_to_write_instead() {
        for (line, remedy) in [
            ("--protocol http", "resp2"),
            ("--pattern zipf:0", "zipf:0.99"),
            ("--value-size big", "64"),
            ("--value-size 64:1,7", "weight"),
            ("--ratio 9", "9:1"),
            ("--keys 0", "at least 1"),
            ("-c 1 --threads 2", "-c 2"),
            ("--threads 2 --cpus 1", "--cpus"),
            ("--verify --value-size 4", "at least 8"),
            ("--verify --command incr", "leave --command out"),
            ("--protocol memcache --command ping", "resp2"),
            ("--protocol memcache --cluster", "leave them out"),
            ("--cluster --command mget:3", "hash tag"),
            ("--duration 1 --warmup 2", "--duration"),
            ("--ttl 0", "at least 1ms"),
            ("--command mget:0", "between 1 and 1000"),
            ("--arrivals never", "poisson"),
            ("--load-points 50 --rate 7", "no --rate"),
            ("--load-points half", "50,80,95"),
        ] {
            let said = plan(line).err().unwrap_or_else(|| panic!("{line} was accepted"));
            assert!(said.contains(remedy), "{line}: {said}");
        }
    }
}
