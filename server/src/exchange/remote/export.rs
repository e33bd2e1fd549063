//! `freehold export`: the keys of a running server in an RDB file.

use std::io;
use std::path::Path;

use freehold_engine::exchange::rdb::{RdbWriter, open_payload};
use freehold_protocol::resp::value::Value;

use super::meter::Meter;
use super::peer::{Peer, shown};
use super::walk::{Copied, Deadlines, Refused, Walk};
use crate::config::Target;
use crate::disk::part_file::PartFile;
use crate::disk::rdb_file::{begin, complete};
use crate::runtime::clock;

/// A database as INFO tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Database {
    number: u64,
    keys: u64,
    with_deadline: u64,
}

struct Export {
    peer: Peer,
    writer: RdbWriter<PartFile>,
    deadlines: Deadlines,
    meter: Meter,
    /// Keys the server said it has.
    announced: u64,
    keys: u64,
}

/// Copies the keys of a server into a file.
///
/// # Errors
/// A sentence; the file is as it was before.
pub(super) fn run(server: &Target, place: &Path) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", place.display());
    let mut peer = Peer::connect(server)?;
    let databases = databases(&peer.info("keyspace")?);
    let about_server = peer.info("server")?;
    let version = field(&about_server, "redis_version").unwrap_or("7.0.0");
    let deadlines = match peer.call(&[b"PEXPIRETIME", b""]) {
        Ok(_) => Deadlines::Absolute,
        Err(_) => Deadlines::Left,
    };
    let writer = begin(place, version, clock::unix_ms()).map_err(failed)?;
    let announced = databases.iter().map(|database| database.keys).sum();
    let meter = Meter::new("Exporting");
    let mut export = Export { peer, writer, deadlines, meter, announced, keys: 0 };
    let mut counts = Vec::new();
    for database in &databases {
        let before = export.keys;
        export.database(database, &failed)?;
        counts.push(format!("db{}:{}", database.number, export.keys - before));
    }
    let Export { peer, writer, meter, keys, .. } = export;
    let bytes = writer.finish().and_then(complete).map_err(failed)?;
    let (seconds, megabytes) = (meter.seconds(), bytes as f64 / 1e6);
    meter.end(&format!(
        "Exported {keys} keys of {} to {}: {} {megabytes:.1} MB in {seconds:.2} s",
        peer.address(),
        place.display(),
        counts.join(","),
    ));
    Ok(())
}

impl Export {
    fn database(
        &mut self,
        database: &Database,
        failed: &impl Fn(io::Error) -> String,
    ) -> Result<(), String> {
        self.peer.call(&[b"SELECT", database.number.to_string().as_bytes()])?;
        self.writer.database(database.number, database.keys, database.with_deadline);
        let mut walk = Walk::new(self.deadlines);
        loop {
            walk.ask(|request| self.peer.ask(request));
            if !walk.is_waiting() {
                return Ok(());
            }
            self.peer.send()?;
            let answer = self.peer.hear()?;
            let copied = walk.answer(answer, clock::read().unix_ms);
            let copied = copied.map_err(|refused| self.complaint(&refused))?;
            if let Some(copied) = copied {
                self.put(&copied, failed)?;
            }
        }
    }

    fn put(&mut self, copied: &Copied, failed: impl Fn(io::Error) -> String) -> Result<(), String> {
        let Copied { key, payload, deadline } = copied;
        let (value, version) = open_payload(key, payload)
            .map_err(|fault| format!("{}: {fault}", self.peer.address()))?;
        self.writer.key(key, *deadline, value, version).map_err(failed)?;
        self.keys += 1;
        self.meter.at(self.keys, self.announced, self.keys);
        Ok(())
    }

    fn complaint(&self, refused: &Refused) -> String {
        let Refused { command, key, answer } = refused;
        let request = match key.as_slice() {
            b"" => (*command).to_owned(),
            key => format!("{command} {}", shown(key)),
        };
        match answer {
            Value::Error(text) => self.peer.refusal(&request, text),
            _ => format!("{} does not answer {request} as Redis does", self.peer.address()),
        }
    }
}

/// The databases that `INFO keyspace` names: `db0:keys=3,expires=1,avg_ttl=0`.
fn databases(info: &str) -> Vec<Database> {
    let database = |line: &str| {
        let (number, facts) = line.strip_prefix("db")?.split_once(':')?;
        let fact = |name: &str| -> Option<u64> {
            facts.split(',').find_map(|fact| fact.strip_prefix(name))?.parse().ok()
        };
        Some(Database {
            number: number.parse().ok()?,
            keys: fact("keys=")?,
            with_deadline: fact("expires=").unwrap_or(0),
        })
    };
    info.lines().filter_map(|line| database(line.trim())).collect()
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::{Database, databases, field};

    #[test]
    fn databases_are_those_that_info_names() {
        let info = "# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\n\
                    db11:keys=20,expires=0,avg_ttl=0,subexpiry=0\r\n";
        let expected = [
            Database { number: 0, keys: 3, with_deadline: 1 },
            Database { number: 11, keys: 20, with_deadline: 0 },
        ];
        assert_eq!(databases(info), expected);
        assert_eq!(databases("# Keyspace\r\n"), []);
        assert_eq!(field("# Server\r\nredis_version:7.0.15\r\n", "redis_version"), Some("7.0.15"));
    }
}
