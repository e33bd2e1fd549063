//! The command line: what was said, word for word. What it means is decided in `plan`.
//!
//! Help texts are written for somebody who has a server and a question; each option says its unit
//! and its default.

use std::path::PathBuf;

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  How fast is it?          freehold-loadgen --fill -c 50 -P 16 --duration 10
  How fast does it answer? freehold-loadgen --fill --rate 100000 --duration 30
  ... at 50 to 95 % load?  freehold-loadgen --fill -c 50 --duration 20 --load-points 50,80,95
  One slow client          freehold-loadgen --command get -c 1 -n 100000
  A cache with a long tail freehold-loadgen --keys 10m --pattern zipf:0.99 --ratio 9:1 \\
                             --value-size lognormal:300:1.2 --ttl 60-600 --read-through
  Is every answer right?   freehold-loadgen --fill --verify --duration 30
  Core ports, two cores    freehold-loadgen --cluster --threads 2 --cpus 2,3 -P 16
  memcached beside it      freehold-loadgen --protocol memcache -p 11211 --fill -P 16
  Any command              freehold-loadgen --command 'ZADD board 1 __key__' -n 1m
  How many nodes?          freehold-loadgen --capacity

Closed loop (default): each connection sends a batch, waits for its answers, sends the next; the
rate is what the server can do, and latency counts from the sending of the batch.
Open loop (--rate): requests are due at fixed times whether or not the server keeps up; latency
counts from the time a request was due, so a stall shows in all the requests it delayed.

Exit code: 0 all went well, 1 errors or wrong answers, 2 the command line makes no sense.";

/// Loads a Redis-compatible server or memcached and says what it did.
#[derive(Parser, Clone, Debug)]
#[command(name = "freehold-loadgen", version, after_help = EXAMPLES, disable_help_flag = true)]
pub struct Cli {
    /// Show this help.
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,

    /// Server to load.
    #[arg(short = 'h', long, default_value = "127.0.0.1", help_heading = "Server")]
    pub host: String,
    /// Its port.
    #[arg(short, long, default_value_t = 6379, help_heading = "Server")]
    pub port: u16,
    /// Unix socket instead of host and port.
    #[arg(short, long, value_name = "PATH", help_heading = "Server")]
    pub socket: Option<PathBuf>,
    /// Password for AUTH; FREEHOLD_PASSWORD is read when this is absent.
    #[arg(short = 'a', long, help_heading = "Server")]
    pub password: Option<String>,
    /// User for AUTH, with --password.
    #[arg(long, help_heading = "Server")]
    pub user: Option<String>,
    /// Database to SELECT.
    #[arg(long, default_value_t = 0, help_heading = "Server")]
    pub db: u32,
    /// What is spoken: resp2, resp3, binary (Freehold's frame) or memcache (text). Binary and
    /// memcache do get and set.
    #[arg(long, default_value = "resp2", help_heading = "Server")]
    pub protocol: String,
    /// Ask CLUSTER SLOTS, connect to every endpoint, send each key to its owner, follow MOVED.
    #[arg(long, help_heading = "Server")]
    pub cluster: bool,

    /// Connections in all; in cluster mode at least one an endpoint and thread.
    #[arg(short, long, default_value_t = 50, help_heading = "Load")]
    pub connections: usize,
    /// Requests in flight on one connection.
    #[arg(short = 'P', long, default_value_t = 1, help_heading = "Load")]
    pub pipeline: usize,
    /// Stop after this many requests, e.g. 5m.
    #[arg(short = 'n', long, help_heading = "Load")]
    pub requests: Option<String>,
    /// Stop after this time, e.g. 30, 500ms, 2m. Default 10 s when -n is absent too.
    #[arg(short, long, help_heading = "Load")]
    pub duration: Option<String>,
    /// Open loop: requests a second in all, e.g. 100k.
    #[arg(short, long, help_heading = "Load")]
    pub rate: Option<String>,
    /// Open loop: gaps between requests are all alike (even) or exponential (poisson).
    #[arg(long, default_value = "even", help_heading = "Load")]
    pub arrivals: String,
    /// After a closed loop: open loops at these percentages of its rate, e.g. 50,80,95.
    #[arg(long, value_name = "PERCENT", help_heading = "Load")]
    pub load_points: Option<String>,
    /// Leave the first part out of the results, e.g. 2.
    #[arg(long, default_value = "0", help_heading = "Load")]
    pub warmup: String,
    /// First write every key exactly once, as fast as possible. Without -n, --duration and --rate
    /// that is all.
    #[arg(long, help_heading = "Load")]
    pub fill: bool,

    /// Reads to writes, e.g. 9:1.
    #[arg(long, default_value = "9:1", help_heading = "Requests")]
    pub ratio: String,
    /// One kind of request instead: ping, get, set, incr, mget:10, mset:10, or any command with
    /// __key__ (also inside an argument), __value__ and __ttl__ (milliseconds).
    #[arg(long, help_heading = "Requests")]
    pub command: Option<String>,
    /// Number of keys, e.g. 10m.
    #[arg(short, long, default_value = "1m", help_heading = "Requests")]
    pub keys: String,
    /// Bytes of a key.
    #[arg(long, default_value_t = 16, help_heading = "Requests")]
    pub key_size: usize,
    /// What keys begin with. Default "key:", for incr "cnt:".
    #[arg(long, help_heading = "Requests")]
    pub key_prefix: Option<String>,
    /// uniform, sequential, zipf:THETA (0.99), or hot:FRACTION:SHARE (hot:0.01:0.9 sends 90 % of
    /// requests to 1 % of keys).
    #[arg(long, default_value = "uniform", help_heading = "Requests")]
    pub pattern: String,
    /// Bytes of a value: 64, 10-1k (uniform), lognormal:MEDIAN:SIGMA[:MAX], or a list with weights
    /// 64:50,1k:40,16k:10.
    #[arg(short = 'v', long, default_value = "64", help_heading = "Requests")]
    pub value_size: String,
    /// Time to live of written keys: 60 (seconds), 500ms, or a range 60-600.
    #[arg(long, help_heading = "Requests")]
    pub ttl: Option<String>,
    /// After a GET that misses, SET the key: the hit rate of a cache in use.
    #[arg(long, help_heading = "Requests")]
    pub read_through: bool,
    /// Check every answer against what was written. Needs get and set, values of 8 bytes or more.
    #[arg(long, help_heading = "Requests")]
    pub verify: bool,
    /// With --verify: the server may evict, a missing key is no fault. Implied by --ttl.
    #[arg(long, help_heading = "Requests")]
    pub evicting: bool,
    /// Seed of all chance; printed, so that a run can be repeated.
    #[arg(long, help_heading = "Requests")]
    pub seed: Option<u64>,

    /// Executors, each with its share of the connections. Default: one a CPU of --cpus, or 1.
    #[arg(short, long, help_heading = "This machine")]
    pub threads: Option<usize>,
    /// CPUs to pin executors to, e.g. 1,2 or 2-5.
    #[arg(long, help_heading = "This machine")]
    pub cpus: Option<String>,
    /// Microseconds an executor polls before it sleeps; 0 sleeps at once and spends less CPU.
    #[arg(long, default_value_t = 50, help_heading = "This machine")]
    pub spin_us: u64,
    /// A connection without an answer for this long has failed.
    #[arg(long, default_value = "10", help_heading = "This machine")]
    pub timeout: String,
    /// Process id of a server on this machine: its CPU time a request is reported too.
    #[arg(long, help_heading = "This machine")]
    pub server_pid: Option<u32>,

    /// Write the results as JSON to a file, or to standard output with "-".
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub json: Option<String>,
    /// Draw the latency percentiles as an SVG.
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub svg: Option<PathBuf>,
    /// Show progress though standard error is no terminal.
    #[arg(long, help_heading = "Report")]
    pub progress: bool,
    /// No progress and no table.
    #[arg(short, long, help_heading = "Report")]
    pub quiet: bool,

    /// Calculate capacity from --assume instead of loading anything.
    #[arg(long, help_heading = "Capacity")]
    pub capacity: bool,
    /// Change an input of the calculation, e.g. --assume reads_per_second=2m; --capacity lists
    /// them. May be repeated.
    #[arg(long, value_name = "NAME=NUMBER", help_heading = "Capacity")]
    pub assume: Vec<String>,
}

/// Reads the command line; answers `--help`, `--version` and nonsense itself (exit code 2).
pub fn parse() -> Cli {
    Cli::parse()
}

#[cfg(test)]
impl Cli {
    /// A command line as a test writes it.
    pub fn of(line: &str) -> Cli {
        let words = std::iter::once("freehold-loadgen").chain(line.split_whitespace());
        Cli::try_parse_from(words).expect("a command line clap accepts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_fits_eighty_columns_where_we_wrap_it_ourselves() {
        for line in EXAMPLES.lines() {
            assert!(line.len() <= 100, "{line}");
        }
    }
}
