//! The sockets the node listens on: made once at start, shared by all cores.
//!
//! Every core arms its own accept on the same descriptor; the kernel wakes one of them for each
//! connection. A core port is armed by its core alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use freehold_engine::command::session::{Accepted, PortKind};
use freehold_engine::config::Config;

use crate::runtime::sockets::{self, Ends, TcpOptions};

/// One listening socket.
#[derive(Debug)]
pub struct Listener {
    pub socket: OwnedFd,
    pub port: PortKind,
    /// The only core that accepts here, for a core port.
    pub core: Option<usize>,
    /// As an operator would write it.
    pub address: String,
}

/// Everything the node listens on.
#[derive(Debug)]
pub struct Listeners {
    pub all: Vec<Listener>,
    /// The plain TCP port in use.
    pub port: u16,
    /// One a core, empty when core ports are off.
    pub core_ports: Vec<u16>,
    unix_path: Option<PathBuf>,
}

/// One word of `bind`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Bind {
    addresses: Vec<IpAddr>,
    /// `-::1`: an address this host lacks is skipped.
    optional: bool,
    word: String,
}

impl Listeners {
    /// Opens everything the configuration asks for.
    ///
    /// # Errors
    /// A sentence that names the address and the reason.
    pub fn open(config: &Config, cores: usize) -> Result<Listeners, String> {
        let binds = read_binds(&config.bind)?;
        refuse_the_open_door(config, &binds)?;
        let mut listeners = Listeners {
            all: Vec::new(),
            port: config.port,
            core_ports: Vec::new(),
            unix_path: None,
        };
        refuse_shared_ports(config, cores)?;
        // In Redis port 0 means no TCP port, and a server left with nothing to listen on refuses
        // to start. Where it would refuse, port 0 means the kernel's choice here.
        if config.port != 0 || config.unixsocket.is_empty() {
            let port = config.port;
            listeners.port = listeners.open_port(config, &binds, port, PortKind::Plain, None)?;
        }
        listeners.open_unix(config)?;
        // Last, because a connection is handed over by its listener's small number.
        if config.core_port_base != 0 {
            for core in 0..cores {
                let port = core_port(config.core_port_base, core)?;
                listeners.open_port(config, &binds, port, PortKind::Core, Some(core))?;
                listeners.core_ports.push(port);
            }
        }
        if listeners.all.is_empty() {
            return Err("nothing to listen on: `bind` names no address of this host and \
                        `unixsocket` is not set"
                .to_owned());
        }
        Ok(listeners)
    }

    /// The listeners core `core` accepts from, with their places in `all`.
    pub fn of_core(&self, core: usize) -> impl Iterator<Item = (u32, &Listener)> {
        let ours = move |listener: &Listener| listener.core.is_none_or(|only| only == core);
        self.all.iter().enumerate().filter(move |(_, l)| ours(l)).map(|(i, l)| (i as u32, l))
    }

    /// Addresses of one kind, for the log.
    pub fn addresses(&self, port: PortKind) -> String {
        let of_kind = self.all.iter().filter(|listener| listener.port == port);
        of_kind.map(|listener| listener.address.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Removes what outlives the process.
    pub fn remove_unix_socket(&self) {
        if let Some(path) = &self.unix_path {
            // A file that is already gone is what we want.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Listens on one port of every address; port 0 becomes the kernel's choice, the same for all.
    fn open_port(
        &mut self,
        config: &Config,
        binds: &[Bind],
        mut port: u16,
        kind: PortKind,
        core: Option<usize>,
    ) -> Result<u16, String> {
        let options = TcpOptions {
            backlog: i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX),
            keepalive_seconds: config.tcp_keepalive_s,
        };
        for bind in binds {
            for &ip in &bind.addresses {
                let wanted = SocketAddr::new(ip, port);
                match listen_patiently(wanted, options) {
                    Ok(socket) => {
                        port = sockets::local_port(&socket)
                            .map_err(|error| format!("port of {wanted} is unknown: {error}"))?;
                        let address = SocketAddr::new(ip, port).to_string();
                        self.all.push(Listener { socket, port: kind, core, address });
                    }
                    Err(error) if may_be_skipped(&error, bind.optional) => {}
                    Err(error) => return Err(format!("cannot listen on {wanted}: {error}")),
                }
            }
        }
        Ok(port)
    }

    fn open_unix(&mut self, config: &Config) -> Result<(), String> {
        if config.unixsocket.is_empty() {
            return Ok(());
        }
        let path = Path::new(&config.unixsocket);
        let permissions = (config.unixsocket_mode != 0).then_some(config.unixsocket_mode);
        let backlog = i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX);
        let socket = sockets::listen_unix(path, permissions, backlog)
            .map_err(|error| format!("cannot listen on {}: {error}", path.display()))?;
        let address = config.unixsocket.clone();
        self.all.push(Listener { socket, port: PortKind::Unix, core: None, address });
        self.unix_path = Some(path.to_owned());
        Ok(())
    }
}

impl Listener {
    /// Changes what connections accepted from now on get. An error leaves things as they were.
    pub fn set_keepalive(&self, seconds: u32) {
        if self.port != PortKind::Unix {
            let _ = sockets::set_keepalive(&self.socket, seconds);
        }
    }

    /// Describes a connection that came in here. Hands the socket back.
    pub fn describe(&self, socket: OwnedFd) -> (OwnedFd, io::Result<Accepted>) {
        let descriptor = sockets::number(&socket);
        if self.port == PortKind::Unix {
            let end = format!("{}:0", self.address);
            let accepted = Accepted {
                peer: end.clone(),
                local: end,
                port: self.port,
                loopback: true,
                descriptor,
            };
            return (socket, Ok(accepted));
        }
        let (socket, ends) = sockets::ends(socket);
        let accepted = ends.map(|Ends { peer, local }| Accepted {
            peer: plain(peer).to_string(),
            local: plain(local).to_string(),
            port: self.port,
            loopback: plain(peer).ip().is_loopback(),
            descriptor,
        });
        (socket, accepted)
    }
}

/// An IPv4 address that came through an IPv6 socket, as the IPv4 address it is.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn core_port(base: u16, core: usize) -> Result<u16, String> {
    let port = usize::from(base) + core;
    u16::try_from(port).map_err(|_| {
        format!("core-port-base {base} is impossible: core {core} would need port {port}")
    })
}

/// A port that is asked for twice is in use, by this very process.
fn refuse_shared_ports(config: &Config, cores: usize) -> Result<(), String> {
    let (base, port) = (usize::from(config.core_port_base), usize::from(config.port));
    if base == 0 || port == 0 || !(base..base + cores).contains(&port) {
        return Ok(());
    }
    Err(format!(
        "core-port-base {base} is impossible: core {} would need port {port}, which is that of \
         `port`",
        port - base
    ))
}

fn read_binds(words: &[String]) -> Result<Vec<Bind>, String> {
    words.iter().filter(|word| !word.is_empty()).map(|word| read_bind(word)).collect()
}

fn read_bind(word: &str) -> Result<Bind, String> {
    let (optional, name) = match word.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, word),
    };
    let addresses = match name {
        "*" => vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
        "::*" => vec![IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
        name => match (name, 0).to_socket_addrs() {
            Ok(found) => found.map(|address| address.ip()).collect(),
            Err(_) if optional => Vec::new(),
            Err(error) => return Err(format!("bind {word}: {error}")),
        },
    };
    Ok(Bind { addresses, optional, word: word.to_owned() })
}

/// The host lacks the protocol (never an error, as in Redis) or the address (when it was optional).
fn may_be_skipped(error: &io::Error, optional: bool) -> bool {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => optional,
        io::ErrorKind::Unsupported => true,
        _ => sockets::is_protocol_missing(error),
    }
}

/// A server that anybody can reach and nobody must authenticate to does not start by accident.
fn refuse_the_open_door(config: &Config, binds: &[Bind]) -> Result<(), String> {
    if !config.protected_mode || !config.requirepass.is_empty() {
        return Ok(());
    }
    let open = binds.iter().find(|bind| bind.addresses.iter().any(|ip| !ip.is_loopback()));
    match open {
        None => Ok(()),
        Some(bind) => Err(format!(
            "bind {} would let other hosts in, and no password is set. Set `requirepass`, or bind \
             loopback addresses only (bind 127.0.0.1 -::1), or accept the risk with \
             `protected-mode no`",
            bind.word
        )),
    }
}

/// How often a port that is taken is asked for.
const ATTEMPTS: u32 = 50;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// Listens, also where a server has just died: the kernel takes a ring apart, and with it the
/// accepts that hold a listener, some milliseconds after the process is gone.
fn listen_patiently(wanted: SocketAddr, options: TcpOptions) -> io::Result<OwnedFd> {
    for _ in 1..ATTEMPTS {
        match sockets::listen_tcp(wanted, options) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                thread::sleep(BETWEEN_ATTEMPTS);
            }
            outcome => return outcome,
        }
    }
    sockets::listen_tcp(wanted, options)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::time::Duration;

    use freehold_engine::command::session::PortKind;
    use freehold_engine::config::Config;

    use super::{Listeners, core_port, read_bind, refuse_shared_ports};

    /// A kernel-chosen loopback port, changed as the test needs it.
    fn loopback(change: impl FnOnce(&mut Config)) -> Config {
        let mut config = Config::default();
        config.port = 0;
        config.bind = vec!["127.0.0.1".into()];
        change(&mut config);
        config
    }

    #[test]
    fn a_port_that_becomes_free_soon_after_is_taken() {
        let before = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = before.local_addr().expect("its address").port();
        std::thread::scope(|scope| {
            let (tell, told) = std::sync::mpsc::channel::<()>();
            scope.spawn(move || {
                told.recv_timeout(Duration::from_millis(100)).expect_err("nobody tells");
                drop(before);
            });
            let taken = Listeners::open(&loopback(|config| config.port = port), 1);
            drop(tell);
            assert_eq!(taken.expect("it was free in time").port, port);
        });
    }

    #[test]
    fn port_zero_is_one_port_on_every_address() {
        let config = loopback(|config| config.bind.push("-::1".into()));
        let listeners = Listeners::open(&config, 2).expect("loopback");
        assert_ne!(listeners.port, 0);
        for listener in &listeners.all {
            assert!(listener.address.ends_with(&format!(":{}", listeners.port)));
        }
    }

    #[test]
    fn port_zero_beside_a_unix_socket_means_no_tcp_port_as_in_redis() {
        let file = format!("freehold-{}-only.sock", std::process::id());
        let path = std::env::temp_dir().join(file);
        let text = path.to_string_lossy().into_owned();
        let config = loopback(|config| config.unixsocket = text);
        let listeners = Listeners::open(&config, 1).expect("the temporary folder");
        assert_eq!(listeners.all.len(), 1);
        assert_eq!(listeners.all[0].port, PortKind::Unix);
        listeners.remove_unix_socket();
        assert!(!path.exists());
    }

    #[test]
    fn an_open_door_without_a_password_is_refused() {
        let open = |change: fn(&mut Config)| {
            let mut config = loopback(|config| config.bind = vec!["*".into()]);
            change(&mut config);
            Listeners::open(&config, 1)
        };
        let sentence = open(|_| {}).expect_err("no password");
        assert!(sentence.contains("requirepass"), "{sentence}");
        assert!(sentence.contains("protected-mode no"), "{sentence}");

        assert!(open(|config| config.requirepass = "secret".into()).is_ok());
        assert!(open(|config| config.protected_mode = false).is_ok());
    }

    #[test]
    fn an_address_of_another_host_is_skipped_only_when_marked() {
        let mut config = loopback(|config| config.protected_mode = false);
        config.bind = vec!["192.0.2.1".into()];
        assert!(Listeners::open(&config, 1).expect_err("not ours").contains("192.0.2.1"));
        config.bind = vec!["-192.0.2.1".into(), "127.0.0.1".into()];
        assert_eq!(Listeners::open(&config, 1).expect("one is left").all.len(), 1);
    }

    #[test]
    fn a_core_port_belongs_to_its_core_and_a_plain_port_to_all() {
        // The port the kernel just chose is free, and with luck so is the next: try a few.
        let listeners = (0..20).find_map(|_| {
            let free = Listeners::open(&loopback(|_| {}), 1).expect("loopback").port;
            Listeners::open(&loopback(|config| config.core_port_base = free), 2).ok()
        });
        let listeners = listeners.expect("two neighbouring ports are free");
        let doors = |core| listeners.of_core(core).map(|(_, l)| l.port).collect::<Vec<_>>();
        assert_eq!(doors(0), [PortKind::Plain, PortKind::Core]);
        assert_eq!(doors(1), [PortKind::Plain, PortKind::Core]);
        assert_eq!(listeners.all.len(), 3);
        assert_eq!(listeners.core_ports.len(), 2);
    }

    #[test]
    fn a_connection_is_described_by_both_its_ends() {
        let listeners = Listeners::open(&loopback(|_| {}), 1).expect("loopback");
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, listeners.port)).expect("it listens");
        let (socket, ours) =
            std::net::TcpListener::from(listeners.all[0].socket.try_clone().expect("a clone"))
                .accept()
                .map(|(stream, address)| (stream.into(), address))
                .expect("a connection");
        let (_, accepted) = listeners.all[0].describe(socket);
        let accepted = accepted.expect("connected");
        assert_eq!(accepted.peer, ours.to_string());
        assert_eq!(accepted.peer, client.local_addr().expect("bound").to_string());
        assert!(accepted.loopback);
    }

    #[test]
    fn stars_mean_every_address_of_a_family() {
        assert!(read_bind("*").expect("a word").addresses[0].is_unspecified());
        assert!(read_bind("-::*").expect("a word").optional);
        assert!(read_bind("no such host").is_err());
    }

    /// It waited a second for itself to let go of the port, and said that the address is in use.
    #[test]
    fn a_core_port_that_is_the_plain_port_is_named() {
        for (base, cores, what) in [(7_000, 1, Some(0)), (6_998, 3, Some(2)), (6_998, 2, None)] {
            let config = loopback(|config| {
                config.port = 7_000;
                config.core_port_base = base;
            });
            let refused = refuse_shared_ports(&config, cores).err();
            let named = what.map(|core| {
                format!(
                    "core-port-base {base} is impossible: core {core} would need port 7000, which \
                     is that of `port`"
                )
            });
            assert_eq!(refused, named);
            if let Some(sentence) = named {
                assert_eq!(Listeners::open(&config, cores).expect_err("shared"), sentence);
            }
        }
    }

    #[test]
    fn core_ports_end_where_ports_end() {
        assert_eq!(core_port(7_000, 3), Ok(7_003));
        assert!(core_port(65_535, 1).is_err());
    }
}
