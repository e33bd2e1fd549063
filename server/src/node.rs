//! The node: from a configuration to running cores and back to silence.
//!
//! The calling thread becomes the control thread: it starts one worker a core, hears signals and
//! the workers' reports, and moves the node from serving to draining to ended.

use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};

use freehold_engine::command::host::Node as NodeFacts;
use freehold_engine::command::session::PortKind;
use freehold_engine::config::{Config, LogFormat};
use freehold_engine::disk::{Failure, Requests};
use freehold_engine::effect::Records;
use freehold_engine::exchange::Filled;
use freehold_engine::mesh::{Board, CoreId, Fabric, Port, Tickets};
use freehold_engine::shard::{Blueprint, Message, Shard};
use freehold_engine::store::{Store, Told, Why};

use crate::config::Start;
use crate::disk::directory::DataPlace;
use crate::disk::performer::Performer;
use crate::disk::recovery::{self, Found};
use crate::exchange::{Import, progress};
use crate::net::accept::Census;
use crate::net::listen::Listeners;
use crate::observe::host::ThisHost;
use crate::observe::log;
use crate::runtime::buffers::POOL_SHAPE;
use crate::runtime::doorbell::Caller;
use crate::runtime::features::Features;
use crate::runtime::ring::Ring;
use crate::runtime::{clock, descriptors, process, signals, topology};
use crate::worker::{Control, Keeper, Mesh, News, Parts, Phase, Report, Worker, level_of};

/// Messages that may be under way from one core to another. A parcel holds up to 512 commands, so
/// a full ring is a core that has not turned for milliseconds.
const RING_MESSAGES: usize = 256;

/// What all cores have in common.
struct Shared {
    features: Features,
    config: Arc<Config>,
    facts: Arc<NodeFacts>,
    hash_seed: [u64; 4],
    listeners: Arc<Listeners>,
    census: Arc<Census>,
    control: Arc<Control>,
    tickets: Tickets,
    board: Board,
    report: Report,
    import: Option<Import>,
    /// Where logs and snapshots are, and what was found there, if anything is or was kept.
    place: Arc<DataPlace>,
    found: Option<Found>,
}

/// A worker thread that is being started.
struct Starting {
    thread: JoinHandle<()>,
    /// What it has imported, when there is something to import.
    filled: Receiver<Result<Filled, String>>,
    /// All doorbells: the sign to serve.
    doorbells: Sender<Arc<[OwnedFd]>>,
}

/// A node whose cores run.
pub struct Node {
    shared: Arc<Shared>,
    news: Receiver<News>,
    threads: Vec<JoinHandle<()>>,
    doorbells: Arc<[OwnedFd]>,
}

/// Runs a node until a signal or a client stops it.
///
/// # Errors
/// A sentence for the operator: why it cannot start, or why it had to end.
pub fn run(start: Start) -> Result<(), String> {
    let Start { config, file: config_file, import } = start;
    std::env::set_current_dir(&config.dir)
        .map_err(|error| format!("cannot change to dir {}: {error}", config.dir))?;
    open_log(&config)?;
    let node = Node::start(config, config_file, import.as_deref())?;
    let report = node.report();
    signals::watch(move |signal| {
        let reason = signal.name().to_owned();
        report.send(News::Stop { now: false, reason });
    })
    .map_err(|error| format!("cannot start the signal thread: {error}"))?;
    node.announce();
    node.serve()?;
    log::info("Stopped", &[]);
    Ok(())
}

impl Node {
    /// Opens the sockets and starts the cores. Connections are served from here on.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn start(
        mut config: Config,
        config_file: Option<PathBuf>,
        import: Option<&Path>,
    ) -> Result<Node, String> {
        let features = Features::of_this_host()?;
        let cpus = choose_cpus(&config)?;
        raise_descriptor_limit(&mut config, cpus.len())?;
        let listeners = Arc::new(Listeners::open(&config, cpus.len())?);
        let (report, news) = channel();
        let ports = Fabric::<Message>::new(cpus.len() as u16, RING_MESSAGES);
        let (place, found) = open_data(&config, cpus.len())?;
        let facts = facts((listeners.port, listeners.core_ports.clone()), config_file, cpus.len())?;
        let import = match import {
            None => None,
            Some(_) if found.as_ref().is_some_and(|found| !found.is_empty()) => {
                return Err(format!(
                    "--import into a node that has data: {} is not empty; name another `dir`",
                    place.path().display()
                ));
            }
            Some(path) => {
                let now = clock::read().unix_ms;
                Some(Import::open(path, &config, cpus.len() as u16, now)?)
            }
        };
        let mut shared = Shared {
            features,
            config: Arc::new(config),
            facts: Arc::new(facts),
            hash_seed: random_words()?,
            listeners,
            census: Arc::new(Census::new(cpus.len())),
            control: Arc::default(),
            tickets: Tickets::new(),
            board: ports[0].board().clone(),
            report: Report(report),
            import: None,
            place,
            found,
        };
        if let Some(mut import) = import {
            import.replay(|| blueprint_alone(&shared))?;
            shared.import = Some(import);
        }
        let shared = Arc::new(shared);
        let mut starting = Vec::new();
        let mut doorbells = Vec::new();
        for (core, (port, &cpu)) in ports.into_iter().zip(&cpus).enumerate() {
            let (started, doorbell) = start_core(&shared, core, cpu, port)?;
            starting.push(started);
            doorbells.push(doorbell);
        }
        hear_filled(&shared, &starting)?;
        let doorbells: Arc<[OwnedFd]> = doorbells.into();
        let mut threads = Vec::new();
        for Starting { thread, doorbells: give, .. } in starting {
            // A thread that ended meanwhile has reported why.
            let _ = give.send(Arc::clone(&doorbells));
            threads.push(thread);
        }
        Ok(Node { shared, news, threads, doorbells })
    }

    /// By which to tell the node to stop.
    pub fn report(&self) -> Report {
        self.shared.report.clone()
    }

    /// Serves until told to stop, drains, and ends.
    ///
    /// # Errors
    /// A core could not go on, or the node was told twice.
    pub fn serve(self) -> Result<(), String> {
        let outcome = self.control();
        self.shared.listeners.remove_unix_socket();
        outcome?;
        for thread in self.threads {
            // A worker that panicked has already brought the process down.
            let _ = thread.join();
        }
        Ok(())
    }

    /// The one line by which operators and tests know where to connect.
    fn announce(&self) {
        let listeners = &self.shared.listeners;
        let core_ports: Vec<String> = listeners.core_ports.iter().map(u16::to_string).collect();
        let all = [
            ("tcp", listeners.addresses(PortKind::Plain)),
            ("core-ports", core_ports.join(",")),
            ("unix", listeners.addresses(PortKind::Unix)),
            ("cores", self.doorbells.len().to_string()),
        ];
        let said: Vec<(&str, &dyn Display)> = all
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (*name, value as &dyn Display))
            .collect();
        log::info("Ready to accept connections", &said);
    }

    /// Says how a snapshot has ended, and removes what it has made superfluous: here, because that
    /// may take long.
    fn snapshot_ended(&self, told: Told) {
        match told {
            Told::Committed { generation } => {
                let removed = match self.shared.place.tidy(generation) {
                    Ok(removed) => removed.to_string(),
                    Err(error) => error,
                };
                log::info("Snapshot saved", &[("generation", &generation), ("removed", &removed)]);
            }
            Told::Failed { generation, why } => {
                let why = match why {
                    Why::Flushed => "a database was flushed or swapped meanwhile".to_owned(),
                    Why::Elsewhere => "another core could not write its part".to_owned(),
                    Why::Disk(Failure::Full) => "no space left".to_owned(),
                    Why::Disk(Failure::Broken(errno)) => {
                        std::io::Error::from_raw_os_error(errno).to_string()
                    }
                };
                let said: [(&str, &dyn Display); 2] = [("generation", &generation), ("why", &why)];
                log::warning("The snapshot has failed; the one before still counts", &said);
            }
        }
    }

    /// The control thread's loop.
    fn control(&self) -> Result<(), String> {
        let mut caller = Caller::new(&self.shared.features)
            .map_err(|error| format!("the control thread has no ring: {error}"))?;
        let mut advance = |phase| {
            self.shared.control.advance(phase);
            let woken = caller.wake_all(&self.doorbells);
            woken.map_err(|error| format!("cores cannot be woken: {error}"))
        };
        let mut stopping = false;
        let mut drained = 0;
        while drained < self.doorbells.len() {
            match self.news.recv() {
                Ok(News::Stop { now, reason }) => {
                    log::info("Stopping", &[("reason", &reason)]);
                    if stopping {
                        return Err(format!("stopped at once by a second {reason}"));
                    }
                    stopping = true;
                    advance(if now { Phase::Hurrying } else { Phase::Draining })?;
                }
                Ok(News::Drained) => drained += 1,
                Ok(News::Snapshot(told)) => self.snapshot_ended(told),
                Ok(News::Broken { core, reason }) => {
                    return Err(format!("core {core} cannot go on: {reason}"));
                }
                Err(_) => return Err("nobody reports any more".to_owned()),
            }
        }
        advance(Phase::Ended)
    }
}

/// Opens the data directory and examines what is in it, if anything is or was kept.
fn open_data(config: &Config, cores: usize) -> Result<(Arc<DataPlace>, Option<Found>), String> {
    let name = &config.persistence.appenddirname;
    let path =
        std::path::absolute(name).map_err(|error| format!("appenddirname {name}: {error}"))?;
    let place = Arc::new(DataPlace::new(path));
    if !config.persistence.appendonly && !place.is_used() {
        return Ok((place, None));
    }
    let found = recovery::find(place.open()?, cores)?;
    Ok((place, Some(found)))
}

fn open_log(config: &Config) -> Result<(), String> {
    let format = match config.log_format {
        LogFormat::Text => log::Format::Text,
        LogFormat::Json => log::Format::Json,
    };
    let file = (!config.logfile.is_empty()).then(|| PathBuf::from(&config.logfile));
    log::open(level_of(config.loglevel), format, file.as_deref())
        .map_err(|error| format!("cannot open the log {}: {error}", config.logfile))
}

fn choose_cpus(config: &Config) -> Result<Vec<usize>, String> {
    let allowed = topology::allowed_cpus()
        .map_err(|error| format!("the CPUs of this process are unknown: {error}"))?;
    let wanted = (config.cores != 0).then_some(usize::from(config.cores));
    topology::choose(&allowed, wanted, config.cores_share_cpus)
}

fn raise_descriptor_limit(config: &mut Config, cores: usize) -> Result<(), String> {
    // Plain port and core ports on every address, and the Unix socket.
    let listeners = config.bind.len() * (1 + cores) + 1;
    let reserve = descriptors::reserve(cores, listeners);
    let granted = descriptors::raise(config.maxclients as usize, reserve)?;
    config.maxclients = u32::try_from(granted.maxclients).unwrap_or(u32::MAX);
    if let Some(warning) = granted.warning {
        log::warning(&warning, &[]);
    }
    Ok(())
}

fn facts(
    (port, core_ports): (u16, Vec<u16>),
    config_file: Option<PathBuf>,
    cores: usize,
) -> Result<NodeFacts, String> {
    let executable = std::env::current_exe().unwrap_or_default();
    let absolute = config_file.map(|path| std::path::absolute(&path).unwrap_or(path));
    Ok(NodeFacts {
        run_id: random_hex()?,
        core_ids: (0..cores).map(|_| random_hex()).collect::<Result<_, _>>()?,
        process_id: std::process::id(),
        executable: executable.to_string_lossy().into_owned(),
        config_file: absolute.as_ref().map_or(String::new(), |p| p.to_string_lossy().into()),
        host: Box::new(ThisHost::new(absolute)),
        os: process::os(),
        started_unix_ms: clock::unix_ms(),
        port,
        core_ports,
        build: build(),
    })
}

/// What the binary was built from; the build passes the commit in.
fn build() -> String {
    let commit = option_env!("FREEHOLD_COMMIT").unwrap_or("unknown");
    format!("{} ({commit})", env!("CARGO_PKG_VERSION"))
}

fn random_hex() -> Result<String, String> {
    let bytes = process::random_bytes::<20>().map_err(no_random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random_words<const N: usize>() -> Result<[u64; N], String> {
    let mut words = [0; N];
    for word in &mut words {
        *word = u64::from_ne_bytes(process::random_bytes().map_err(no_random)?);
    }
    Ok(words)
}

fn no_random(error: std::io::Error) -> String {
    format!("the kernel gives no random bytes (/dev/urandom): {error}")
}

/// Starts a worker. It makes its own ring, since a ring belongs to its thread, and then waits for
/// the doorbells of all.
fn start_core(
    shared: &Arc<Shared>,
    core: usize,
    cpu: usize,
    port: Port<Message>,
) -> Result<(Starting, OwnedFd), String> {
    let (tell, hear) = channel();
    let (give, take) = channel();
    let (say_filled, filled) = channel();
    let shared = Arc::clone(shared);
    let thread = thread::Builder::new()
        .name(format!("core-{core}"))
        .spawn(move || work(&shared, core, cpu, port, (&tell, &say_filled, &take)))
        .map_err(|error| format!("cannot start the thread of core {core}: {error}"))?;
    let doorbell = hear.recv().unwrap_or_else(|_| Err("its thread ended".to_owned()))?;
    Ok((Starting { thread, filled, doorbells: give }, doorbell))
}

/// By which a worker tells its doorbell, then what it has imported, and hears that it may serve.
type Channels<'c> = (
    &'c Sender<Result<OwnedFd, String>>,
    &'c Sender<Result<Filled, String>>,
    &'c Receiver<Arc<[OwnedFd]>>,
);

/// Waits until all cores have what they are to begin with.
fn hear_filled(shared: &Shared, starting: &[Starting]) -> Result<(), String> {
    let mut all = Filled::default();
    for core in starting {
        let filled = loop {
            match core.filled.recv_timeout(progress::INTERVAL) {
                Ok(filled) => break filled?,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(import) = &shared.import {
                        import.progress.tell();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("a core has ended before it could serve".to_owned());
                }
            }
        };
        all.add(&filled);
    }
    if let Some(import) = &shared.import {
        import.announce(&all);
    }
    Ok(())
}

/// How the only core of a node on its own would be made: for what is repeated before the cores
/// begin.
fn blueprint_alone(shared: &Shared) -> Blueprint {
    blueprint_of(Arc::clone(&shared.config), Arc::clone(&shared.facts), shared.hash_seed)
}

/// As [`blueprint_alone`], where no node is to start: for a subcommand that repeats append-only
/// files to give what they make to another server.
///
/// # Errors
/// When the system has no random bytes.
pub fn blueprint_apart(config: Config) -> Result<Blueprint, String> {
    let facts = facts((0, Vec::new()), None, 1)?;
    Ok(blueprint_of(Arc::new(config), Arc::new(facts), random_words()?))
}

fn blueprint_of(config: Arc<Config>, node: Arc<NodeFacts>, hash_seed: [u64; 4]) -> Blueprint {
    Blueprint {
        id: CoreId(0),
        cores: 1,
        config,
        node,
        hash_seed,
        random_seed: hash_seed[0],
        board: Fabric::<Message>::new(1, 2)[0].board().clone(),
        tickets: Tickets::new(),
        now: clock::read(),
    }
}

/// The whole life of a worker's thread.
fn work(
    shared: &Shared,
    core: usize,
    cpu: usize,
    port: Port<Message>,
    (tell, say_filled, take): Channels<'_>,
) {
    let made = topology::pin_this_thread(cpu)
        .and_then(|()| Ring::new(&shared.features, POOL_SHAPE))
        .and_then(|ring| Ok((ring.doorbell()?, ring)));
    let ring = match made {
        Ok((doorbell, ring)) => {
            // An error means the start was given up.
            let _ = tell.send(Ok(doorbell));
            ring
        }
        Err(error) => {
            let _ = tell.send(Err(format!("core {core} on CPU {cpu} cannot start: {error}")));
            return;
        }
    };
    let Ok([random_seed]) = random_words::<1>() else { return };
    let mut shard = Shard::new(Blueprint {
        id: CoreId(core as u16),
        cores: port.cores(),
        config: Arc::clone(&shared.config),
        node: Arc::clone(&shared.facts),
        hash_seed: shared.hash_seed,
        random_seed,
        board: shared.board.clone(),
        tickets: shared.tickets.clone(),
        now: clock::read(),
    });
    // Nobody hears it when another core's failure has ended the start.
    let keeper = match fill(shared, &mut shard) {
        Ok((filled, keeper)) => {
            let _ = say_filled.send(Ok(filled));
            keeper
        }
        Err(reason) => return drop(say_filled.send(Err(reason))),
    };
    let Ok(doorbells) = take.recv() else { return };
    let mut worker = Worker::new(Parts {
        core,
        shard,
        ring,
        mesh: Mesh::new(port, doorbells),
        keeper,
        listeners: Arc::clone(&shared.listeners),
        census: Arc::clone(&shared.census),
        control: Arc::clone(&shared.control),
        report: shared.report.clone(),
    });
    if let Err(error) = worker.run() {
        shared.report.send(News::Broken { core, reason: error.to_string() });
    }
}

/// What a core begins with: what is imported, or what its files hold, and perhaps a new log.
fn fill(shared: &Shared, shard: &mut Shard) -> Result<(Filled, Keeper), String> {
    let mut records = Records::default();
    if let Some(found) = &shared.found {
        records = recovery::load(shared.place.open()?, found, shard)?;
        shard.set_generation(found.kept.generation);
        shard.snapshots().found(found.kept.cut_unix_ms());
    } else {
        shard.set_generation(1);
    }
    let imported = shared.import.as_ref().map(|import| import.fill(shard)).transpose()?;
    let (mut store, mut requests) = (Store::default(), Requests::default());
    if shared.config.persistence.appendonly {
        shard.start_log(records);
        store.begin_log(shard, clock::read().mono_us, &mut requests);
        if imported.is_some() && shard.id() == CoreId(0) {
            shard.begin_own_snapshot(); // what was imported is in no log
        }
    }
    let keeper = Keeper::new(store, Performer::new(Arc::clone(&shared.place)), requests);
    Ok((imported.unwrap_or_default(), keeper))
}

#[cfg(test)]
mod tests;
