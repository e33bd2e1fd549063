//! Opening a connection and getting it ready: connect, authenticate, choose dialect and database.
//!
//! This part blocks, on plain sockets: it runs before a phase starts, or on glommio's helper
//! thread when a connection has to be opened again. What comes out is a non-blocking socket.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use freehold_protocol::binary::client::{Request, decode as decode_frame};
use freehold_protocol::binary::header::{Opcode, Status};
use freehold_protocol::resp::value::{Value, decode, encode_request};

use crate::wire::Wire;

/// Where a server listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What a connection says first.
#[derive(Clone, Debug)]
pub struct Login {
    pub wire: Wire,
    pub user: Option<String>,
    pub password: Option<String>,
    pub database: u32,
    pub timeout: Duration,
}

/// A connected socket of either family.
#[derive(Debug)]
pub enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Read for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            Socket::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            Socket::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Socket {
    fn open(address: &Address, timeout: Duration) -> io::Result<Socket> {
        match address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                Ok(Socket::Unix(stream))
            }
            Address::Tcp { host, port } => {
                let stream = connect_any(host, *port, timeout)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                Ok(Socket::Tcp(stream))
            }
        }
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.set_nonblocking(true),
            Socket::Unix(stream) => stream.set_nonblocking(true),
        }
    }
}

fn connect_any(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()?.collect::<Vec<SocketAddr>>() {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connects and logs in; the socket returned does not block.
///
/// # Errors
/// What went wrong and what to do about it.
pub fn connect(address: &Address, login: &Login) -> Result<Socket, String> {
    let mut socket =
        Socket::open(address, login.timeout).map_err(|error| unreachable(address, &error))?;
    match login.wire {
        Wire::Resp2 | Wire::Resp3 => greet(&mut socket, login)?,
        Wire::Binary => greet_binary(&mut socket, login)?,
        Wire::Memcache => {}
    }
    socket.set_nonblocking().map_err(|error| unreachable(address, &error))?;
    Ok(socket)
}

fn unreachable(address: &Address, error: &io::Error) -> String {
    let remedy = match (error.kind(), address) {
        (io::ErrorKind::ConnectionRefused, _) => {
            "nobody listens there; start the server or correct --host and --port"
        }
        (io::ErrorKind::NotFound, Address::Unix(_)) => "there is no such socket; correct --socket",
        (io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock, _) => {
            "no answer in time; check address and firewall, or raise --timeout"
        }
        (io::ErrorKind::PermissionDenied, _) => "check the permissions of the socket",
        _ => match error.raw_os_error() {
            Some(24) => "too many open files; raise `ulimit -n` or lower --connections",
            Some(99) => "out of local ports; lower --connections or use --socket",
            _ => "check the address",
        },
    };
    format!("cannot connect to {address}: {error}. Remedy: {remedy}")
}

fn greet(socket: &mut Socket, login: &Login) -> Result<(), String> {
    let user = login.user.as_deref();
    let password = login.password.as_deref();
    if login.wire == Wire::Resp3 {
        let mut hello = vec!["HELLO", "3"];
        if let Some(password) = password {
            hello.extend(["AUTH", user.unwrap_or("default"), password]);
        }
        accepted(socket, &hello)?;
    } else if let Some(password) = password {
        let mut auth = vec!["AUTH"];
        auth.extend(user);
        auth.push(password);
        accepted(socket, &auth)?;
    }
    if login.database != 0 {
        accepted(socket, &["SELECT", &login.database.to_string()])?;
    }
    Ok(())
}

fn accepted(socket: &mut Socket, args: &[&str]) -> Result<(), String> {
    match ask(socket, args)? {
        Value::Error(text) => {
            let text = String::from_utf8_lossy(&text).into_owned();
            let remedy = match args[0] {
                "AUTH" => "check --user and --password",
                "HELLO" => {
                    "check --user and --password; a server without RESP3 needs --protocol resp2"
                }
                _ => "check --db",
            };
            Err(format!("the server refused {}: {text}. Remedy: {remedy}", args[0]))
        }
        _ => Ok(()),
    }
}

/// Sends one RESP request on a blocking socket and waits for its answer.
///
/// # Errors
/// When the connection breaks or what comes is no answer.
pub fn ask(socket: &mut Socket, args: &[&str]) -> Result<Value, String> {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut request = Vec::new();
    encode_request(&args, &mut request);
    exchange(socket, &request, |answer| {
        decode(answer).map(|found| found.map(|(value, _)| value)).map_err(|error| error.to_string())
    })
}

fn greet_binary(socket: &mut Socket, login: &Login) -> Result<(), String> {
    let Some(password) = login.password.as_deref() else { return Ok(()) };
    let user = login.user.as_deref().unwrap_or_default();
    let mut request = Vec::new();
    Request::new(Opcode::Auth, user.as_bytes(), password.as_bytes()).encode(&mut request);
    exchange(socket, &request, |answer| match decode_frame(answer) {
        Ok(Some((response, _))) if response.status == Status::Ok => Ok(Some(())),
        Ok(Some((response, _))) => Err(format!(
            "the server refused to authenticate: {}. Remedy: check --user and --password",
            String::from_utf8_lossy(response.value)
        )),
        Ok(None) => Ok(None),
        Err(error) => Err(format!("{error}; does this port speak the binary protocol?")),
    })
}

/// Writes a request and reads until `parse` finds a whole answer.
fn exchange<T>(
    socket: &mut Socket,
    request: &[u8],
    parse: impl Fn(&[u8]) -> Result<Option<T>, String>,
) -> Result<T, String> {
    let broken = |error: io::Error| format!("the connection broke during login: {error}");
    socket.write_all(request).map_err(broken)?;
    let mut answer = Vec::new();
    let mut chunk = [0u8; 16 * 1024];
    loop {
        if let Some(found) = parse(&answer)? {
            return Ok(found);
        }
        match socket.read(&mut chunk).map_err(broken)? {
            0 => return Err("the server closed the connection during login".into()),
            bytes => answer.extend_from_slice(&chunk[..bytes]),
        }
    }
}

/// The answer to one RESP command on a connection of its own.
///
/// # Errors
/// As [`connect`] and [`ask`].
pub fn ask_once(address: &Address, login: &Login, args: &[&str]) -> Result<Value, String> {
    let login = Login { wire: Wire::Resp2, database: 0, ..login.clone() };
    let mut socket =
        Socket::open(address, login.timeout).map_err(|error| unreachable(address, &error))?;
    greet(&mut socket, &login)?;
    ask(&mut socket, args)
}
