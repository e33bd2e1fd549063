//! A connection that sends bytes as they are, for everything a well-behaved client never sends.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use freehold_protocol::resp::value::{Value, decode};

/// How long a test waits for bytes that should come at once.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A bare TCP connection.
pub struct Raw {
    pub stream: TcpStream,
}

impl Raw {
    pub fn connect(address: &str) -> io::Result<Raw> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Raw { stream })
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// No more bytes will come from this side.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Exactly `count` bytes.
    pub fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// One line, CRLF included.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.take(1)?[0]);
        }
        Ok(line)
    }

    /// The next whole value, with the bytes it takes at the front of `buffer`; nothing when the
    /// peer closes or sends what is no value.
    pub fn next(&mut self, buffer: &mut Vec<u8>) -> Option<(Value, usize)> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(found) = decode(buffer).ok()? {
                return Some(found);
            }
            let count = self.stream.read(&mut chunk).ok().filter(|&count| count > 0)?;
            buffer.extend_from_slice(&chunk[..count]);
        }
    }

    /// Everything until the server closes; a reset counts as a close.
    ///
    /// # Panics
    /// When the server has not closed within [`PATIENCE`].
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.stream.read(&mut chunk) {
                Ok(0) => return bytes,
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return bytes,
                Err(error) => panic!("the server did not close: {error}"),
            }
        }
        panic!("the server neither stopped sending nor closed within {PATIENCE:?}");
    }

    /// Whether the server has closed this connection, without waiting.
    pub fn is_closed(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("a socket");
        let mut chunk = [0; 4096];
        let closed = loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
        self.stream.set_nonblocking(false).expect("a socket");
        closed
    }
}
