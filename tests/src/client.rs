//! A blocking client for RESP2 and RESP3 over TCP or a Unix socket. Tests state what they expect,
//! so trouble with the connection is a panic unless the method is called `try_`.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use freehold_protocol::resp::value::{Value, decode, encode_request};

use crate::raw::PATIENCE;
use crate::show;

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One connection.
pub struct Client {
    stream: Stream,
    received: Vec<u8>,
    consumed: usize,
    to_send: Vec<u8>,
}

impl Client {
    /// # Panics
    /// When the server does not accept.
    #[track_caller]
    pub fn connect(address: &str) -> Client {
        Client::try_connect(address).unwrap_or_else(|error| panic!("connect {address}: {error}"))
    }

    pub fn try_connect(address: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client::over(Stream::Tcp(stream)))
    }

    pub fn connect_unix(path: &Path) -> io::Result<Client> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client::over(Stream::Unix(stream)))
    }

    fn over(stream: Stream) -> Client {
        Client { stream, received: Vec::new(), consumed: 0, to_send: Vec::new() }
    }

    /// How long a reply may take before reading it fails.
    pub fn set_patience(&mut self, patience: Duration) {
        let result = match &self.stream {
            Stream::Tcp(stream) => stream.set_read_timeout(Some(patience)),
            Stream::Unix(stream) => stream.set_read_timeout(Some(patience)),
        };
        result.expect("a timeout above zero");
    }

    /// Queues a request; [`Client::flush`] or the next read sends it.
    pub fn queue<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        encode_request(&args, &mut self.to_send);
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let sent = match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(&self.to_send),
            Stream::Unix(stream) => stream.write_all(&self.to_send),
        };
        self.to_send.clear();
        sent
    }

    /// The next reply, sending what is queued first.
    ///
    /// # Errors
    /// `UnexpectedEof` when the server closed, `InvalidData` when the bytes are no reply.
    pub fn try_read(&mut self) -> io::Result<Value> {
        if !self.to_send.is_empty() {
            self.flush()?;
        }
        loop {
            match decode(&self.received[self.consumed..]) {
                Ok(Some((value, used))) => {
                    self.consumed += used;
                    self.compact();
                    return Ok(value);
                }
                Ok(None) => self.fill()?,
                Err(error) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string()));
                }
            }
        }
    }

    fn compact(&mut self) {
        if self.consumed == self.received.len() {
            self.received.clear();
            self.consumed = 0;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let count = match &mut self.stream {
            Stream::Tcp(stream) => stream.read(&mut chunk)?,
            Stream::Unix(stream) => stream.read(&mut chunk)?,
        };
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed"));
        }
        self.received.extend_from_slice(&chunk[..count]);
        Ok(())
    }

    #[track_caller]
    pub fn read(&mut self) -> Value {
        self.try_read().unwrap_or_else(|error| panic!("no reply: {error}"))
    }

    /// One request, one reply.
    #[track_caller]
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        self.queue(args);
        self.try_read().unwrap_or_else(|error| {
            let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_ref().to_vec()).collect();
            panic!("no reply to {}: {error}", show::command_line(&args))
        })
    }

    pub fn try_call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Value> {
        self.queue(args);
        self.try_read()
    }

    /// A request written as words, its reply as text: `said("SET k v")` is `"+OK"`. See
    /// [`show::show`] for the notation.
    #[track_caller]
    pub fn said(&mut self, words: &str) -> String {
        let args: Vec<&str> = words.split_whitespace().collect();
        show::show(&self.call(&args))
    }

    /// All requests in one write, then all replies.
    #[track_caller]
    pub fn pipeline(&mut self, requests: &[Vec<Vec<u8>>]) -> Vec<Value> {
        for request in requests {
            self.queue(request);
        }
        requests.iter().map(|_| self.read()).collect()
    }

    /// A field of INFO, such as `used_memory`.
    #[track_caller]
    pub fn info(&mut self, section: &str, field: &str) -> String {
        let reply = self.call(&["INFO", section]);
        let text = String::from_utf8_lossy(show::bytes(&reply).unwrap_or_default()).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        match line {
            Some(value) => value.trim().to_owned(),
            None => panic!("INFO {section} has no field {field}:\n{text}"),
        }
    }

    #[track_caller]
    pub fn info_number(&mut self, section: &str, field: &str) -> u64 {
        let text = self.info(section, field);
        text.parse().unwrap_or_else(|_| panic!("INFO field {field} is {text:?}, not a number"))
    }
}
