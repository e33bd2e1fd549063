//! Listening sockets, and what is asked of a socket once.
//!
//! Options a connection should have (no Nagle delay, keepalive) are set on the listener, from
//! which Linux copies them to every connection it accepts: no call per connection. Sockets are
//! blocking, because io_uring answers EAGAIN for a non-blocking one instead of waiting.

use std::fs;
use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// What every connection of a TCP listener gets.
#[derive(Clone, Copy, Debug)]
pub struct TcpOptions {
    /// Connections the kernel completes before we accept them; capped by net.core.somaxconn.
    pub backlog: i32,
    /// Seconds of silence before the kernel probes the peer; 0 switches probing off.
    pub keepalive_seconds: u32,
}

/// Binds and listens. Port 0 lets the kernel choose; [`local_port`] tells.
pub fn listen_tcp(address: SocketAddr, options: TcpOptions) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: creates a descriptor, which becomes ours below.
    let raw = unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    set(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if address.is_ipv6() {
        // `bind 0.0.0.0 ::` means two sockets, as in Redis.
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    set(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
    set_keepalive(&socket, options.keepalive_seconds)?;
    bind(&socket, address)?;
    // SAFETY: a plain call on our own descriptor.
    if unsafe { libc::listen(socket.as_raw_fd(), options.backlog) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

/// Redis's arithmetic: first probe after the interval, then every third of it, three times.
pub fn set_keepalive(socket: &OwnedFd, seconds: u32) -> io::Result<()> {
    if seconds == 0 {
        return set(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0);
    }
    let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
    set(socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
    set(socket, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, seconds.min(32_767))?;
    set(socket, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, (seconds / 3).clamp(1, 32_767))?;
    set(socket, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3)
}

fn set(socket: &OwnedFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    let bytes = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the option's value is one integer, which outlives the call.
    let status = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), bytes)
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn bind(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    let descriptor = socket.as_raw_fd();
    let status = match address {
        SocketAddr::V4(v4) => {
            // SAFETY: integers only, for which zero is a value.
            let mut raw: libc::sockaddr_in = unsafe { mem::zeroed() };
            raw.sin_family = libc::AF_INET as libc::sa_family_t;
            raw.sin_port = v4.port().to_be();
            raw.sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
            let bytes = size_of_val(&raw) as libc::socklen_t;
            // SAFETY: `raw` is a whole IPv4 address and outlives the call.
            unsafe { libc::bind(descriptor, (&raw const raw).cast(), bytes) }
        }
        SocketAddr::V6(v6) => {
            // SAFETY: integers only, for which zero is a value.
            let mut raw: libc::sockaddr_in6 = unsafe { mem::zeroed() };
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = v6.port().to_be();
            raw.sin6_addr.s6_addr = v6.ip().octets();
            raw.sin6_scope_id = v6.scope_id();
            let bytes = size_of_val(&raw) as libc::socklen_t;
            // SAFETY: `raw` is a whole IPv6 address and outlives the call.
            unsafe { libc::bind(descriptor, (&raw const raw).cast(), bytes) }
        }
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The port a TCP listener is bound to.
pub fn local_port(listener: &OwnedFd) -> io::Result<u16> {
    let listener = TcpListener::from(listener.as_fd().try_clone_to_owned()?);
    Ok(listener.local_addr()?.port())
}

/// Creates a Unix socket that only its owner can reach until `permissions` are applied.
///
/// # Errors
/// `AddrInUse` when somebody listens there already or the path is something else than a socket:
/// neither is touched. A socket nobody listens on any more is replaced.
pub fn listen_unix(path: &Path, permissions: Option<u32>, backlog: i32) -> io::Result<OwnedFd> {
    remove_stale(path)?;
    // The mask is the process's, which is why listeners are made before threads are. With it the
    // socket is never reachable by others between its birth and the chmod.
    // SAFETY: plain calls that cannot fail.
    let mask = unsafe { libc::umask(0o177) };
    let listener = UnixListener::bind(path);
    // SAFETY: as above.
    unsafe { libc::umask(mask) };
    let socket = OwnedFd::from(listener?);
    if let Some(permissions) = permissions {
        fs::set_permissions(path, fs::Permissions::from_mode(permissions))?;
    }
    // A second listen only changes the backlog that std chose.
    // SAFETY: a plain call on our own descriptor.
    if unsafe { libc::listen(socket.as_raw_fd(), backlog) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        let text = format!("{} exists and is not a socket", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
    }
    match UnixStream::connect(path) {
        Ok(_) => {
            let text = format!("another server listens on {}", path.display());
            Err(io::Error::new(io::ErrorKind::AddrInUse, text))
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

/// Both ends of a TCP connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    pub peer: SocketAddr,
    pub local: SocketAddr,
}

/// Who is on the other end, and which of our addresses it reached. Hands the socket back.
pub fn ends(socket: OwnedFd) -> (OwnedFd, io::Result<Ends>) {
    // std asks by a stream, which only borrows the socket's identity for two calls.
    let stream = TcpStream::from(socket);
    let peer = stream.peer_addr();
    let local = stream.local_addr();
    (stream.into(), peer.and_then(|peer| Ok(Ends { peer, local: local? })))
}

/// The descriptor's number, for CLIENT LIST.
pub fn number(socket: &OwnedFd) -> i32 {
    socket.as_raw_fd()
}

/// The kernel lacks the address family or the protocol (IPv6 switched off).
pub fn is_protocol_missing(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().unwrap_or(0),
        libc::ENOPROTOOPT
            | libc::EPROTONOSUPPORT
            | libc::ESOCKTNOSUPPORT
            | libc::EPFNOSUPPORT
            | libc::EAFNOSUPPORT
    )
}

/// Closes a connection that was never served, after one attempt to say why. Nothing is waited
/// for: a peer that does not read loses the reason.
pub fn refuse(socket: OwnedFd, reason: &[u8]) {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: `reason` outlives the call, which reads at most its length.
    unsafe { libc::send(socket.as_raw_fd(), reason.as_ptr().cast(), reason.len(), flags) };
}

#[cfg(test)]
mod tests;
