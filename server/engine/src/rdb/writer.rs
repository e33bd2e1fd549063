//! Writing an RDB file: version 10, which redis-server loads since 7.0, unless a value needs more.

use std::io::{self, Write};

use super::{HEADER_BYTES, encode_entry, opcode};
use crate::base::time::UnixMillis;
use crate::keyspace::EntryRef;
use crate::value::rdb::{crc64, footer, put_length, put_text};

/// Bytes that are collected before they go on.
const FLUSH_BYTES: usize = 256 * 1024;

/// An RDB file on its way out.
pub struct RdbWriter<W> {
    sink: W,
    pending: Vec<u8>,
    body: Vec<u8>,
    /// The checksum of what has left `pending`.
    sum: u64,
    bytes: u64,
    header: [u8; HEADER_BYTES],
    /// The version a reader must know.
    version: u16,
}

/// What has been written, the checksum last.
pub struct Written<W> {
    pub sink: W,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// The header that says all a reader must know, and the checksum under it, when that is more
    /// than the header at the front says: whoever can go back there puts both in their places.
    pub better: Option<([u8; HEADER_BYTES], u64)>,
}

/// The first bytes of a file of this version.
pub fn header(version: u16) -> [u8; HEADER_BYTES] {
    let text = match version {
        footer::VERSION_VALKEY => format!("VALKEY{version:03}"),
        _ => format!("REDIS{version:04}"),
    };
    let mut header = [0; HEADER_BYTES];
    header.copy_from_slice(&text.as_bytes()[..HEADER_BYTES]);
    header
}

impl<W: Write> RdbWriter<W> {
    /// Begins a file of `version` with these fields about it.
    ///
    /// # Errors
    /// Those of the sink, here and below.
    pub fn new(sink: W, version: u16, about: &[(&str, &str)]) -> io::Result<RdbWriter<W>> {
        let header = header(version);
        let (pending, body) = (header.to_vec(), Vec::new());
        let mut writer = RdbWriter { sink, pending, body, sum: 0, bytes: 0, header, version };
        for (name, value) in about {
            writer.pending.push(opcode::AUX);
            put_text(name.as_bytes(), &mut writer.pending);
            put_text(value.as_bytes(), &mut writer.pending);
        }
        writer.flush_if(FLUSH_BYTES)?;
        Ok(writer)
    }

    /// Keys of this database follow: about so many, of which about so many have a deadline.
    pub fn database(&mut self, db: u64, keys: u64, with_deadline: u64) {
        self.select(db);
        self.pending.push(opcode::RESIZE);
        put_length(keys, &mut self.pending);
        put_length(with_deadline, &mut self.pending);
    }

    /// Keys of this database follow; nothing is said of how many.
    pub fn select(&mut self, db: u64) {
        self.pending.push(opcode::SELECT);
        put_length(db, &mut self.pending);
    }

    /// What has been written so far and was not taken.
    pub fn sink_mut(&mut self) -> &mut W {
        &mut self.sink
    }

    /// A key and what it holds.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn entry(&mut self, entry: &EntryRef<'_>) -> io::Result<()> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        let version = encode_entry(entry, &mut body);
        let done = self.key(entry.key(), entry.expiry(), &body, version);
        self.body = body;
        done
    }

    /// A key and what it holds, as type byte and body: a DUMP without its footer. `version` is the
    /// one a reader of it must know.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn key(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        value: &[u8],
        version: u16,
    ) -> io::Result<()> {
        let Some((number, body)) = value.split_first() else { return Ok(()) };
        self.version = self.version.max(version);
        if let Some(at) = expiry {
            self.pending.push(opcode::EXPIRY_MS);
            self.pending.extend_from_slice(&at.0.to_le_bytes());
        }
        self.pending.push(*number);
        put_text(key, &mut self.pending);
        self.pending.extend_from_slice(body);
        self.flush_if(FLUSH_BYTES)
    }

    fn flush_if(&mut self, bytes: usize) -> io::Result<()> {
        if self.pending.len() < bytes {
            return Ok(());
        }
        self.sum = crc64::extend(self.sum, &self.pending);
        self.bytes += self.pending.len() as u64;
        self.sink.write_all(&self.pending)?;
        self.pending.clear();
        self.pending.shrink_to(2 * FLUSH_BYTES);
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(mut self) -> io::Result<Written<W>> {
        self.pending.push(opcode::END);
        self.flush_if(0)?;
        self.sink.write_all(&self.sum.to_le_bytes())?;
        self.sink.flush()?;
        let better = header(self.version);
        let behind = self.bytes - HEADER_BYTES as u64;
        let better = (better != self.header)
            .then(|| (better, crc64::with_front(self.sum, &self.header, &better, behind)));
        Ok(Written { sink: self.sink, bytes: self.bytes + 8, better })
    }
}
