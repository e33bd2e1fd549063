//! A connection to a server that runs: requests are collected and sent together, answers are read
//! one by one. Complaints say which server, and what to do about the common ones.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use freehold_protocol::resp::value::{Value, decode, encode_request};

use crate::config::Target;

/// An answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes asked of the socket at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// What servers say when they refuse, and the way out.
const REMEDIES: &[(&str, &str)] = &[
    ("NOAUTH", "give --password, or set REDISCLI_AUTH"),
    ("WRONGPASS", "look at --user and --password"),
    ("NOPERM", "give a --user who may run SCAN, DUMP, PEXPIRETIME, RESTORE and INFO"),
    ("LOADING", "try again when it has loaded its data"),
    ("MOVED", "ask each server of the cluster for itself; of Freehold, the plain port"),
    ("BUSYKEY", "give --replace to overwrite keys that are there"),
    ("OOM", "raise its maxmemory"),
    ("MISCONF", "it cannot write its own snapshots: mend that first"),
    ("READONLY", "it is a replica: ask its primary"),
    ("ERR DUMP payload version", "the server is older than the one this value comes from"),
    ("ERR Bad data format", "the server does not read the form this value has in the file"),
    ("ERR DB index is out of range", "raise `databases` of the server"),
];

pub(super) struct Peer {
    stream: TcpStream,
    /// What complaints call it.
    address: String,
    chunk: Vec<u8>,
    received: Vec<u8>,
    consumed: usize,
    to_send: Vec<u8>,
}

impl Peer {
    /// Connects and logs in.
    pub(super) fn connect(target: &Target) -> Result<Peer, String> {
        let address = match target.host.contains(':') {
            true => format!("[{}]:{}", target.host, target.port),
            false => format!("{}:{}", target.host, target.port),
        };
        let host = target.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, target.port)).map_err(|error| {
            format!("{address} cannot be reached ({error}): is it --host and --port of a server?")
        })?;
        let ready = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_read_timeout(Some(PATIENCE)))
            .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
        ready.map_err(|error| format!("{address}: {error}"))?;
        let (received, to_send) = (Vec::new(), Vec::new());
        let chunk = vec![0; CHUNK_BYTES];
        let mut peer = Peer { stream, address, chunk, received, consumed: 0, to_send };
        match (&target.user, &target.password) {
            (None, None) => {}
            (None, Some(password)) => drop(peer.call(&[b"AUTH", password.as_bytes()])?),
            (Some(user), Some(password)) => {
                peer.call(&[b"AUTH", user.as_bytes(), password.as_bytes()])?;
            }
            (Some(_), None) => {
                return Err("--user needs --password, or REDISCLI_AUTH".to_owned());
            }
        }
        Ok(peer)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// One more request to be sent.
    pub(super) fn ask(&mut self, words: &[&[u8]]) {
        encode_request(words, &mut self.to_send);
    }

    /// Sends what was asked.
    pub(super) fn send(&mut self) -> Result<(), String> {
        if self.to_send.is_empty() {
            return Ok(());
        }
        let sent = self.stream.write_all(&self.to_send).map_err(|error| self.lost(&error));
        self.to_send.clear();
        sent
    }

    /// The next answer, which may be an error.
    pub(super) fn hear(&mut self) -> Result<Value, String> {
        loop {
            match decode(&self.received[self.consumed..]) {
                Ok(Some((value, bytes))) => {
                    self.consumed += bytes;
                    return Ok(value);
                }
                Ok(None) => self.fill()?,
                Err(error) => {
                    return Err(format!("{} does not speak RESP: {error}", self.address));
                }
            }
        }
    }

    fn fill(&mut self) -> Result<(), String> {
        self.received.drain(..self.consumed);
        self.consumed = 0;
        let count = loop {
            match self.stream.read(&mut self.chunk) {
                Ok(0) => return Err(format!("{} has closed the connection", self.address)),
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error)),
            }
        };
        self.received.extend_from_slice(&self.chunk[..count]);
        Ok(())
    }

    fn lost(&self, error: &std::io::Error) -> String {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("{} has not answered for {} s", self.address, PATIENCE.as_secs())
            }
            _ => format!("{}: the connection is lost: {error}", self.address),
        }
    }

    /// One request and its answer, which must be no error.
    pub(super) fn call(&mut self, words: &[&[u8]]) -> Result<Value, String> {
        self.ask(words);
        self.send()?;
        match self.hear()? {
            Value::Error(text) => Err(self.refusal(&words[0].escape_ascii().to_string(), &text)),
            value => Ok(value),
        }
    }

    /// The sentence about a request that was refused.
    pub(super) fn refusal(&self, request: &str, answer: &[u8]) -> String {
        let answer = String::from_utf8_lossy(answer);
        let remedy = REMEDIES.iter().find(|(text, _)| answer.starts_with(text));
        let remedy = remedy.map_or(String::new(), |(_, remedy)| format!("; {remedy}"));
        format!("{} refuses {request}: {answer}{remedy}", self.address)
    }

    /// A section of INFO.
    pub(super) fn info(&mut self, section: &str) -> Result<String, String> {
        match self.call(&[b"INFO", section.as_bytes()])? {
            Value::Bulk(text) | Value::Verbatim { text, .. } => {
                Ok(String::from_utf8_lossy(&text).into_owned())
            }
            _ => Err(format!("{} does not answer INFO {section} with a text", self.address)),
        }
    }
}

/// A key as a sentence shows it.
pub(super) fn shown(key: &[u8]) -> String {
    const SHOWN_BYTES: usize = 64;
    let more = if key.len() > SHOWN_BYTES { "…" } else { "" };
    format!("\"{}{more}\"", key[..key.len().min(SHOWN_BYTES)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::{Peer, Target, Value};

    /// Answers whatever comes with these bytes, then closes.
    fn server(answer: &'static [u8]) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 1000];
            let count = stream.read(&mut request).expect("a request");
            assert!(count > 0);
            stream.write_all(answer).expect("the client listens");
        });
        Target { host: "127.0.0.1".to_owned(), port, user: None, password: None }
    }

    #[test]
    fn a_refusal_says_who_refused_what_and_the_way_out() {
        let target = server(b"-NOAUTH Authentication required.\r\n");
        let said = Peer::connect(&target).expect("it listens").call(&[b"DBSIZE"]).unwrap_err();
        let expected = format!(
            "127.0.0.1:{} refuses DBSIZE: NOAUTH Authentication required.; give --password, or \
             set REDISCLI_AUTH",
            target.port
        );
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_no_server_is_told_from_one_that_closes() {
        let mut web = Peer::connect(&server(b"HTTP/1.1 400 Bad Request\r\n\r\n")).expect("listens");
        assert!(web.call(&[b"PING"]).unwrap_err().contains("does not speak RESP"));
        let mut closing = Peer::connect(&server(b"+PONG\r\n")).expect("listens");
        assert_eq!(closing.call(&[b"PING"]), Ok(Value::Simple(b"PONG".to_vec())));
        assert!(closing.hear().unwrap_err().contains("has closed the connection"));
    }
}
