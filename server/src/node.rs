//! The node: from a configuration to running cores and back to silence.
//!
//! The calling thread becomes the control thread: it starts one worker a core, hears signals and
//! the workers' reports, and moves the node from serving to draining to ended.

use std::cell::RefCell;
use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
use crate::disk::rdb_file::RdbSaver;
use crate::disk::recovery::{self, Found, Loader};
use crate::exchange::Import;
use crate::net::accept::Census;
use crate::net::listen::Listeners;
use crate::observe::host::ThisHost;
use crate::observe::log;
use crate::runtime::buffers::POOL_SHAPE;
use crate::runtime::doorbell::Caller;
use crate::runtime::features::Features;
use crate::runtime::ring::Ring;
use crate::runtime::{allocator, clock, descriptors, process, signals, topology};
use crate::worker::{Control, Keeper, Mesh, News, Parts, Phase, Report, Worker, level_of};

/// Messages that may be under way from one core to another. A parcel holds up to 512 commands, so
/// a full ring is a core that has not turned for milliseconds.
const RING_MESSAGES: usize = 256;

/// Between two lines of how far loading has come.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Between two looks at what memory the system can have back.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(1);

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
    /// Where logs and snapshots are.
    place: Arc<DataPlace>,
    /// Whether anything is or was kept there.
    keeps: bool,
    /// What was found, once it has been examined.
    found: OnceLock<Result<Found, String>>,
}

impl Shared {
    /// Why there is nothing to begin with, as far as that is known.
    fn fault(&self) -> Option<&String> {
        let found = self.found.get().and_then(|found| found.as_ref().err());
        found.or_else(|| self.import.as_ref()?.fault())
    }
}

/// A worker thread that is being started.
struct Starting {
    thread: JoinHandle<()>,
    /// All doorbells: the sign to begin.
    doorbells: Sender<Arc<[OwnedFd]>>,
}

/// A node whose cores run.
pub struct Node {
    shared: Arc<Shared>,
    news: Receiver<News>,
    threads: Vec<JoinHandle<()>>,
    doorbells: Arc<[OwnedFd]>,
    saver: RefCell<RdbSaver>,
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
        report.send(News::Signal(signal));
    })
    .map_err(|error| format!("cannot start the signal thread: {error}"))?;
    if node.load()? {
        node.announce();
        node.serve()?;
    }
    log::info("Stopped", &[]);
    Ok(())
}

impl Node {
    /// Opens the sockets and starts the cores. They begin to load what was kept; connections are
    /// accepted from here on, and served what needs no key.
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
        let place = place_of(&config)?;
        let keeps = config.persistence.appendonly || place.is_used();
        let found = OnceLock::new();
        if keeps {
            place.open()?;
        }
        let ports_open = (listeners.port, listeners.core_ports.clone());
        let facts = facts(ports_open, config_file, Some(Arc::clone(&place)), cpus.len())?;
        let import = match import {
            None => None,
            Some(path) => {
                if keeps {
                    let _ = found.set(Ok(nothing_found(&place)?));
                }
                let now = clock::read().unix_ms;
                Some(Import::open(path, &config, cpus.len() as u16, now)?)
            }
        };
        let shared = Shared {
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
            import,
            place,
            keeps,
            found,
        };
        if shared.keeps || shared.import.is_some() {
            let loading = shared.board.loading();
            loading.begin(cpus.len() as u16, clock::read().unix_ms.0);
            loading.expect(shared.import.as_ref().map_or(0, Import::bytes));
        }
        let shared = Arc::new(shared);
        let mut starting = Vec::new();
        let mut doorbells = Vec::new();
        for (core, (port, &cpu)) in ports.into_iter().zip(&cpus).enumerate() {
            let (started, doorbell) = start_core(&shared, core, cpu, port)?;
            starting.push(started);
            doorbells.push(doorbell);
        }
        let doorbells: Arc<[OwnedFd]> = doorbells.into();
        let mut threads = Vec::new();
        for Starting { thread, doorbells: give } in starting {
            // A thread that ended meanwhile has reported why.
            let _ = give.send(Arc::clone(&doorbells));
            threads.push(thread);
        }
        let saver = RdbSaver::new(Arc::clone(&shared.place), shared.board.snapshots().clone());
        Ok(Node { shared, news, threads, doorbells, saver: RefCell::new(saver) })
    }

    /// By which to tell the node to stop.
    pub fn report(&self) -> Report {
        self.shared.report.clone()
    }

    /// Waits until all cores have what they are to begin with. False: the node was told to stop
    /// meanwhile, and there is nothing to be kept.
    ///
    /// # Errors
    /// A sentence for the operator: what was kept cannot be believed, or a core could not go on.
    pub fn load(&self) -> Result<bool, String> {
        let outcome = self.examine().and_then(|()| self.hear_filled());
        if !matches!(outcome, Ok(true)) {
            self.shared.control.advance(Phase::Ended);
            self.wake_all()?;
            self.shared.listeners.remove_unix_socket();
        }
        outcome
    }

    /// Begins to examine what was kept, and to repeat append-only files that are imported, on
    /// threads of its own: this one listens.
    fn examine(&self) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        let cores = self.doorbells.len();
        let to_examine = shared.keeps && shared.found.get().is_none();
        let to_repeat = shared.import.as_ref().is_some_and(|import| !import.is_ready());
        if !to_examine && !to_repeat {
            return Ok(());
        }
        let examine = move || {
            if to_examine {
                let found = shared.place.open().and_then(|place| recovery::find(place, cores));
                let _ = shared.found.set(found);
            }
            if let Some(import) = shared.import.as_ref().filter(|_| to_repeat) {
                import.repeat(blueprint_alone(&shared), shared.board.loading());
            }
            shared.report.send(News::Examined);
        };
        let thread = thread::Builder::new().name("examine".to_owned()).spawn(examine);
        thread.map(drop).map_err(|error| format!("cannot start a thread: {error}"))
    }

    fn hear_filled(&self) -> Result<bool, String> {
        let (mut all, mut left) = (Filled::default(), self.doorbells.len());
        while left > 0 {
            match self.news.recv_timeout(TELL_EVERY) {
                Ok(News::Examined) => {
                    if let Some(reason) = self.shared.fault() {
                        return Err(reason.clone());
                    }
                    self.wake_all()?;
                }
                Ok(News::Filled(filled)) => {
                    all.add(&filled?);
                    left -= 1;
                }
                Ok(News::Stop { reason, .. }) => return Ok(stopped_while_loading(&reason)),
                Ok(News::Signal(signal)) => return Ok(stopped_while_loading(signal.name())),
                Ok(News::Snapshot(told)) => self.snapshot_ended(told),
                Ok(News::Drained | News::Stays) => {}
                Ok(News::Broken { core, reason }) => {
                    return Err(format!("core {core} cannot go on: {reason}"));
                }
                Err(RecvTimeoutError::Timeout) => self.tell_progress(),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("a core has ended before it could serve".to_owned());
                }
            }
        }
        if let Some(import) = &self.shared.import {
            import.announce(&all);
        }
        Ok(true)
    }

    fn tell_progress(&self) {
        let figures = self.shared.board.loading().figures();
        let said: [(&str, &dyn Display); 2] =
            [("bytes", &figures.bytes_read), ("of", &figures.bytes)];
        let what = if self.shared.import.is_some() { "Importing" } else { "Loading what was kept" };
        log::info(what, &said);
    }

    fn wake_all(&self) -> Result<(), String> {
        let caller = Caller::new(&self.shared.features);
        caller
            .and_then(|mut caller| caller.wake_all(&self.doorbells))
            .map_err(|error| format!("cores cannot be woken: {error}"))
    }

    /// Serves until told to stop, drains, and ends.
    ///
    /// # Errors
    /// A core could not go on, or the node was told twice.
    pub fn serve(self) -> Result<(), String> {
        let outcome = self.control();
        self.saver.borrow_mut().end();
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
            Told::Committed { manifest, rdb } => {
                let generation = manifest.generation;
                let removed = match self.shared.place.tidy(generation) {
                    Ok(removed) => removed.to_string(),
                    Err(error) => error,
                };
                log::info("Snapshot saved", &[("generation", &generation), ("removed", &removed)]);
                if let Some(file) = rdb {
                    self.saver.borrow_mut().begin(manifest, file);
                }
            }
            Told::LeftOver { generation } => {
                if let Err(error) = self.shared.place.remove_snapshot(generation) {
                    log::warning("Files of a snapshot are left over", &[("why", &error)]);
                }
            }
            Told::Failed { generation, why } => {
                let why = match why {
                    Why::Flushed => "a database was flushed or swapped meanwhile".to_owned(),
                    Why::Cancelled => {
                        let said: [(&str, &dyn Display); 1] = [("generation", &generation)];
                        return log::info("The snapshot was cancelled by BGSAVE CANCEL", &said);
                    }
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
        let (mut stopping, mut told) = (false, None);
        let mut drained = 0;
        while drained < self.doorbells.len() {
            match self.news.recv_timeout(GIVE_BACK_EVERY) {
                Ok(News::Signal(signal)) => {
                    log::info("Stopping", &[("reason", &signal.name())]);
                    if stopping || told.is_some() {
                        return Err(format!("stopped at once by a second {}", signal.name()));
                    }
                    told = Some(signal);
                    self.shared.control.signal(signal);
                    advance(Phase::Serving)?; // wakes the core that decides
                }
                Ok(News::Stays) => {
                    told = None;
                    log::warning("The node does not stop: see above why", &[]);
                }
                Ok(News::Stop { now, reason }) => {
                    // Several may have waited for a snapshot: that is no impatience.
                    if told.is_none() && !stopping {
                        log::info("Stopping", &[("reason", &reason)]);
                    }
                    stopping = true;
                    advance(if now { Phase::Hurrying } else { Phase::Draining })?;
                }
                Ok(News::Drained) => drained += 1,
                Ok(News::Examined | News::Filled(_)) => {}
                Ok(News::Snapshot(told)) => self.snapshot_ended(told),
                Ok(News::Broken { core, reason }) => {
                    return Err(format!("core {core} cannot go on: {reason}"));
                }
                Err(RecvTimeoutError::Timeout) => allocator::give_back(),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("nobody reports any more".to_owned());
                }
            }
        }
        advance(Phase::Ended)
    }
}

/// Says so; `false`, since the node is not to serve.
fn stopped_while_loading(reason: &str) -> bool {
    log::info("Stopping while loading", &[("reason", &reason)]);
    false
}

fn place_of(config: &Config) -> Result<Arc<DataPlace>, String> {
    let name = &config.persistence.appenddirname;
    let path =
        std::path::absolute(name).map_err(|error| format!("appenddirname {name}: {error}"))?;
    Ok(Arc::new(DataPlace::new(path)))
}

/// What is found where there has to be nothing, or nothing to speak of: before an import.
fn nothing_found(place: &DataPlace) -> Result<Found, String> {
    let found = recovery::find(place.open()?, 1)?;
    if found.is_empty() {
        return Ok(found);
    }
    Err(format!(
        "--import into a node that has data: {} is not empty; name another `dir`",
        place.path().display()
    ))
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
    place: Option<Arc<DataPlace>>,
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
        host: Box::new(ThisHost::new(absolute, place)),
        os: process::os(),
        started_unix_ms: clock::unix_ms(),
        port,
        core_ports,
        build: build(),
    })
}

/// What the binary was built from; a build that knows the commit passes it in.
fn build() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let commit = option_env!("FREEHOLD_COMMIT");
    commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
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
    let shared = Arc::clone(shared);
    let thread = thread::Builder::new()
        .name(format!("core-{core}"))
        .spawn(move || work(&shared, core, cpu, port, (&tell, &take)))
        .map_err(|error| format!("cannot start the thread of core {core}: {error}"))?;
    let doorbell = hear.recv().unwrap_or_else(|_| Err("its thread ended".to_owned()))?;
    Ok((Starting { thread, doorbells: give }, doorbell))
}

/// By which a worker tells its doorbell, and hears those of all.
type Channels<'c> = (&'c Sender<Result<OwnedFd, String>>, &'c Receiver<Arc<[OwnedFd]>>);

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
    let facts = facts((0, Vec::new()), None, None, 1)?;
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
fn work(shared: &Shared, core: usize, cpu: usize, port: Port<Message>, (tell, take): Channels<'_>) {
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
    let shard = Shard::new(Blueprint {
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
    let Ok(doorbells) = take.recv() else { return };
    let mut worker = Worker::new(Parts {
        core,
        shard,
        ring,
        mesh: Mesh::new(port, doorbells),
        keeper: keeper(shared, Store::default(), Requests::default()),
        listeners: Arc::clone(&shared.listeners),
        census: Arc::clone(&shared.census),
        control: Arc::clone(&shared.control),
        report: shared.report.clone(),
    });
    let filled = fill(shared, &mut worker);
    let begins = filled.is_ok();
    shared.report.send(News::Filled(filled));
    if begins && let Err(error) = worker.run() {
        shared.report.send(News::Broken { core, reason: error.to_string() });
    }
}

fn keeper(shared: &Shared, store: Store, requests: Requests) -> Keeper {
    Keeper::new(store, Performer::new(Arc::clone(&shared.place)), requests)
}

/// What a core begins with: what is imported, or what its files hold, and perhaps a new log.
fn fill(shared: &Shared, worker: &mut Worker) -> Result<Filled, String> {
    worker.listen();
    let mut records = Records::default();
    let mut generation = 1;
    if shared.keeps {
        let there = worker.turn_until(|| shared.found.get().is_some());
        if !there.map_err(|error| error.to_string())? {
            return Ok(Filled::default()); // the start has been given up
        }
        // An error is the control thread's to tell.
        let Some(Ok(found)) = shared.found.get() else { return Ok(Filled::default()) };
        records = recovery::load(shared.place.open()?, found, worker)?;
        generation = found.kept.generation;
        let snapshots = worker.shard().snapshots();
        snapshots.found(found.kept.cut_unix_ms());
        snapshots.sizes().found(found.snapshot_bytes, found.log_bytes());
    }
    let imported = match &shared.import {
        None => None,
        Some(import) => {
            let ready = worker.turn_until(|| import.is_ready());
            if !ready.map_err(|error| error.to_string())? {
                return Ok(Filled::default()); // the start has been given up
            }
            if import.fault().is_some() {
                return Ok(Filled::default()); // likewise, and no log begins
            }
            Some(import.fill(worker)?)
        }
    };
    let shard = worker.shard();
    let logs = shared.config.persistence.appendonly;
    shard.begin_life(generation, logs);
    if logs {
        let (mut store, mut requests) = (Store::default(), Requests::default());
        shard.start_log(records);
        store.begin_log(shard, clock::read().mono_us, &mut requests);
        if imported.is_some() && shard.id() == CoreId(0) {
            shard.begin_own_rewrite(); // what was imported is in no log
        }
        worker.keep_with(keeper(shared, store, requests));
    } else if shared.keeps {
        shard.number_from(records);
    }
    if shared.keeps || shared.import.is_some() {
        shared.board.loading().core_done();
    }
    Ok(imported.unwrap_or_default())
}

#[cfg(test)]
mod tests;
