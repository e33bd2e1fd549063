//! One pass: a shard, a script, and the time of every step of it. What came of it goes to standard
//! output as bytes, for the process that compares passes:
//!
//! ```text
//! phase = length of name:u32 · name · steps:u32 · (nanoseconds:u32)…
//! ```
//! Numbers are little-endian.

use std::io::Write;
use std::time::{Duration, Instant};

use freehold_engine::shard::testing::{TestClient, TestNode};

use super::script::{self, Act, Phase, Size};
use crate::Options;

/// A turn of the shard comes after so many requests, as it would in a busy server.
const REQUESTS_A_TURN: u64 = 1024;

/// From here on a step is asked whether it had a CPU all the time.
const LONG: Duration = Duration::from_micros(100);

/// A watch that stops while the thread waits for a CPU: other processes are not the engine's.
struct Watch {
    /// What the kernel has counted of waiting, in nanoseconds.
    waited_ns: u64,
    ended: Instant,
}

impl Watch {
    fn new() -> Watch {
        Watch { waited_ns: waited_ns(), ended: Instant::now() }
    }

    /// Nanoseconds of `step` on a CPU.
    fn time<T>(&mut self, step: impl FnOnce() -> T) -> (u32, T) {
        let mut started = Instant::now();
        if started - self.ended > LONG {
            // The thread may have waited between two steps.
            self.waited_ns = waited_ns();
            started = Instant::now();
        }
        let result = step();
        let ended = Instant::now();
        let mut ns = (ended - started).as_nanos();
        if ended - started > LONG {
            let waited = waited_ns();
            ns = ns.saturating_sub(u128::from(waited - self.waited_ns));
            self.waited_ns = waited;
        }
        self.ended = Instant::now();
        (u32::try_from(ns).unwrap_or(u32::MAX), result)
    }
}

/// The second figure of the thread's `schedstat`; 0 where the kernel counts nothing.
fn waited_ns() -> u64 {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    figures.split(' ').nth(1).and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

struct Player {
    node: TestNode,
    client: TestClient,
    request: Vec<u8>,
    watch: Watch,
}

impl Player {
    fn new() -> Player {
        let mut node = TestNode::new(1);
        let client = node.connect(0);
        Player { node, client, request: Vec::new(), watch: Watch::new() }
    }

    /// One request and its reply, timed from its arrival until the reply is there to be sent.
    fn exchange_ns(&mut self) -> u32 {
        let (ns, ()) = self.watch.time(|| self.node.send(self.client, &self.request));
        let replies = self.node.shards[0].output(self.client.session);
        let complaint = replies.is_empty() || replies[0] == b'-';
        assert!(!complaint, "{}", String::from_utf8_lossy(replies));
        if replies.capacity() > 1 << 16 {
            *replies = Vec::new();
        }
        replies.clear();
        ns
    }

    /// One turn of upkeep, and whether there is more to do.
    fn turn_ns(&mut self) -> (u32, bool) {
        self.watch.time(|| self.node.turn(0))
    }

    fn play(&mut self, phase: Phase) -> Vec<u32> {
        let mut times = Vec::with_capacity(phase.steps as usize);
        match phase.act {
            Act::Ask(mut request) => {
                for step in 0..phase.steps {
                    self.request.clear();
                    request(step, &mut self.request);
                    times.push(self.exchange_ns());
                    if step % REQUESTS_A_TURN == REQUESTS_A_TURN - 1 {
                        self.turn_ns();
                    }
                }
            }
            Act::Upkeep { advance_ms } => {
                for _ in 0..phase.steps {
                    self.node.advance_ms(advance_ms);
                    loop {
                        let (ns, more) = self.turn_ns();
                        times.push(ns);
                        if !more {
                            break;
                        }
                    }
                }
            }
        }
        times
    }
}

/// Plays the script of a type and tells every time it took.
pub fn play(options: &Options) -> Result<(), String> {
    let kind = options.kind.as_deref().ok_or("which --type?")?;
    let size = Size { elements: options.elements, bytes: options.bytes as usize };
    let phases = script::of(kind, size).ok_or_else(|| format!("unknown type {kind}"))?;
    let mut player = Player::new();
    let mut output = std::io::stdout().lock();
    for phase in phases {
        let (name, is_told) = (phase.name.clone(), phase.is_told);
        let started = Instant::now();
        let times = player.play(phase);
        if is_told {
            eprintln!("  {kind} {name}: {:.1} s", started.elapsed().as_secs_f64());
        }
        if is_told {
            output.write_all(&encode(&name, &times)).map_err(|error| error.to_string())?;
        }
    }
    // What is left is not worth the time it takes to be freed.
    output.flush().map_err(|error| error.to_string())?;
    std::process::exit(0)
}

fn encode(name: &str, times: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + name.len() + 4 * times.len());
    bytes.extend_from_slice(&(name.len() as u32).to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&(times.len() as u32).to_le_bytes());
    times.iter().for_each(|ns| bytes.extend_from_slice(&ns.to_le_bytes()));
    bytes
}

/// Names and times of all phases; `None` when the bytes end too early.
pub fn decode(mut bytes: &[u8]) -> Option<Vec<(String, Vec<u32>)>> {
    let mut phases = Vec::new();
    while !bytes.is_empty() {
        let name_bytes = take_u32(&mut bytes)? as usize;
        let (name, rest) = bytes.split_at_checked(name_bytes)?;
        bytes = rest;
        let count = take_u32(&mut bytes)?;
        let times = (0..count).map(|_| take_u32(&mut bytes)).collect::<Option<Vec<u32>>>()?;
        phases.push((String::from_utf8(name.to_vec()).ok()?, times));
    }
    Some(phases)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pass_tells_is_understood_and_half_of_it_is_not() {
        let mut said = encode("SADD", &[1, 2, u32::MAX]);
        said.extend(encode("upkeep", &[]));
        let phases = vec![("SADD".to_owned(), vec![1, 2, u32::MAX]), ("upkeep".to_owned(), vec![])];
        assert_eq!(decode(&said), Some(phases));
        assert_eq!(decode(&said[..said.len() - 1]), None);
    }

    #[test]
    fn a_step_that_waits_for_a_cpu_is_not_charged_for_it() {
        let mut watch = Watch::new();
        let (ns, ()) = watch.time(|| std::thread::sleep(Duration::from_millis(20)));
        // Sleeping is no waiting for a CPU: what the step does itself, it is charged for.
        assert!(ns >= 19_000_000, "{ns}");
        let spin = |until: Duration| {
            let started = Instant::now();
            while started.elapsed() < until {}
        };
        let others: Vec<_> =
            (0..8).map(|_| std::thread::spawn(move || spin(Duration::from_millis(300)))).collect();
        let started = Instant::now();
        let (ns, ()) = watch.time(|| spin(Duration::from_millis(200)));
        let waited = started.elapsed().as_nanos().saturating_sub(u128::from(ns));
        others.into_iter().for_each(|other| other.join().expect("it only spins"));
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        assert!(cpus > 4 || waited_ns() == 0 || waited > 10_000_000, "{waited}");
    }

    #[test]
    fn the_script_of_every_type_plays_without_a_complaint() {
        for kind in script::KINDS {
            let size = Size { elements: 3_000, bytes: 8 };
            let mut player = Player::new();
            for phase in script::of(kind, size).expect("the kinds have scripts") {
                player.play(phase);
            }
            assert_eq!(player.node.run("DBSIZE"), ":0\r\n", "{kind}: FLUSHALL comes last");
        }
    }
}
