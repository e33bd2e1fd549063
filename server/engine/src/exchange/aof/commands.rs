//! Commands out of an append-only file: the form clients use, and remarks between them, of which
//! `#TS:SECONDS` tells the time. Stricter than for clients: there are no lines without lengths.

use std::io::Read;
use std::str;

use freehold_protocol::{Args, Span};

use super::super::{Fault, ReadError, Window};

/// The longest line: lengths are short, and Redis bounds remarks to this.
const LINE_BYTES_MAX: usize = 1024;

/// What stands next in the file.
pub enum Said<'w> {
    /// A command and the bytes it was read from.
    Command(Args<'w>),
    /// Seconds since 1970 at which what follows was done.
    Time(i64),
}

/// An append-only file, or what follows the RDB file at its front.
pub struct CommandReader<R> {
    window: Window<R>,
    spans: Vec<Span>,
    string_bytes_max: u64,
}

impl<R: Read> CommandReader<R> {
    pub fn over(window: Window<R>, string_bytes_max: usize) -> CommandReader<R> {
        CommandReader { window, spans: Vec::new(), string_bytes_max: string_bytes_max as u64 }
    }

    /// Where the reader stands; behind whole commands only.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The next command or remark; `None` at the end.
    ///
    /// # Errors
    /// [`Fault::Ended`] when the file ends within a command, which a crash may leave behind: the
    /// offset is where the command begins. Anything else is damage.
    pub fn read(&mut self) -> Result<Option<Said<'_>>, ReadError> {
        loop {
            self.window.unmark();
            let start = self.window.offset();
            let Some(first) = self.window.peek()? else { return Ok(None) };
            self.window.mark();
            let whole = match first {
                b'#' => self.remark(),
                _ => self.command().map(|()| None),
            };
            let whole = whole.map_err(|error| match error.fault {
                Fault::Ended => Fault::Ended.at(start),
                _ => error,
            })?;
            match (first, whole) {
                (b'#', Some(seconds)) => return Ok(Some(Said::Time(seconds))),
                (b'#', None) => {}
                _ => {
                    let args = Args::new(self.window.marked(), &self.spans);
                    return Ok(Some(Said::Command(args)));
                }
            }
        }
    }

    /// A remark; its time, when it tells one.
    fn remark(&mut self) -> Result<Option<i64>, ReadError> {
        let line = self.line('#')?;
        let time = line.strip_prefix(b"TS:").and_then(|text| str::from_utf8(text).ok());
        Ok(time.and_then(|text| text.parse().ok()))
    }

    fn command(&mut self) -> Result<(), ReadError> {
        self.spans.clear();
        let start = self.window.offset();
        let offset = self.window.offset();
        let count = self.length('*')?;
        if count == 0 {
            return Err(Fault::Command { expected: '*' }.at(offset));
        }
        for _ in 0..count {
            let offset = self.window.offset();
            let bytes = self.length('$')?;
            let limit = self.string_bytes_max;
            if bytes > limit {
                return Err(Fault::StringTooLong { bytes, limit }.at(offset));
            }
            let at = self.window.offset() - start;
            self.window.skip(bytes)?;
            let offset = self.window.offset();
            if self.window.take(2)? != b"\r\n" {
                return Err(Fault::Length.at(offset));
            }
            let whole = u32::try_from(at + bytes).map_err(|_| Fault::Length.at(offset))?;
            self.spans.push(Span { start: whole - bytes as u32, len: bytes as u32 });
        }
        Ok(())
    }

    fn length(&mut self, marker: char) -> Result<u64, ReadError> {
        let offset = self.window.offset();
        let line = self.line(marker)?;
        let digits = str::from_utf8(line).ok().filter(|text| !text.starts_with('+'));
        digits
            .and_then(|text| text.parse().ok())
            .ok_or(Fault::Command { expected: marker }.at(offset))
    }

    /// The line behind its marker.
    fn line(&mut self, marker: char) -> Result<&[u8], ReadError> {
        let offset = self.window.offset();
        let wrong = Fault::Command { expected: marker }.at(offset);
        let mut known = 32;
        let end = loop {
            let ahead = self.window.look(known)?;
            if ahead.first().is_some_and(|&first| char::from(first) != marker) {
                return Err(wrong);
            }
            let found = memchr::memchr(b'\n', ahead);
            match found {
                Some(end) => break end,
                None if ahead.len() < known => {
                    return Err(Fault::Ended.at(offset));
                }
                None if known >= LINE_BYTES_MAX => return Err(wrong),
                None => known *= 2,
            }
        };
        let line = self.window.take(end + 1)?;
        line[1..].strip_suffix(b"\r\n").ok_or(wrong)
    }
}
