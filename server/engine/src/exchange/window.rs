//! A moving window over a stream of bytes: what is being looked at lies in one piece, what has
//! been looked at is summed up and forgotten.
//!
//! From [`Window::mark`] on bytes are kept, so that a whole value can be handed to its decoder.
//! The buffer at most doubles with the bytes that have come, whatever they declare.

use std::io::{ErrorKind, Read};

use super::{Fault, ReadError};
use crate::value::rdb::crc64;

/// Bytes asked for at a time: one system call for thousands of small keys.
const CHUNK_BYTES: usize = 256 * 1024;

/// A buffer that a long value has made larger than this shrinks again.
const KEEP_BYTES: usize = 8 * CHUNK_BYTES;

pub struct Window<R> {
    source: R,
    bytes: Vec<u8>,
    filled: usize,
    /// The next byte to be looked at.
    at: usize,
    mark: Option<usize>,
    /// The stream's offset of `bytes[0]`.
    base: u64,
    /// The sum of all before `summed`; none when nobody wants it.
    sum: Option<u64>,
    summed: usize,
}

impl<R: Read> Window<R> {
    pub fn new(source: R) -> Window<R> {
        let (bytes, filled, at, summed) = (Vec::new(), 0, 0, 0);
        Window { source, bytes, filled, at, mark: None, base: 0, sum: None, summed }
    }

    /// Where the next byte stands in the stream.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// From here on a checksum is kept.
    pub(super) fn start_sum(&mut self) {
        self.sum = Some(0);
        self.summed = self.at;
    }

    /// The checksum up to here, if one is kept; it is kept no longer.
    pub(super) fn end_sum(&mut self) -> Option<u64> {
        self.sum_up_to(self.at);
        self.sum.take()
    }

    /// Keeps what is looked at from here on.
    pub(super) fn mark(&mut self) {
        self.mark = Some(self.at);
    }

    /// Keeps it no longer.
    pub(super) fn unmark(&mut self) {
        self.mark = None;
    }

    /// What has been looked at since the mark.
    pub(super) fn marked(&self) -> &[u8] {
        &self.bytes[self.mark.unwrap_or(self.at)..self.at]
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&mut self) -> Result<bool, ReadError> {
        Ok(self.at == self.filled && !self.fill()?)
    }

    /// The next byte, left where it is; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        Ok(if self.is_at_end()? { None } else { Some(self.bytes[self.at]) })
    }

    /// The next bytes, left where they are: fewer than `count` only at the end.
    pub(super) fn look(&mut self, count: usize) -> Result<&[u8], ReadError> {
        while self.filled - self.at < count && self.fill()? {}
        Ok(&self.bytes[self.at..self.filled.min(self.at + count)])
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&[u8], ReadError> {
        while self.filled - self.at < count {
            if !self.fill()? {
                return Err(self.ended());
            }
        }
        self.at += count;
        Ok(&self.bytes[self.at - count..self.at])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, ReadError> {
        if self.at == self.filled {
            return self.array::<1>().map(|[byte]| byte);
        }
        self.at += 1;
        Ok(self.bytes[self.at - 1])
    }

    /// Passes over bytes; without a mark they need not lie in the buffer together.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), ReadError> {
        let mut left = count;
        loop {
            let step = left.min((self.filled - self.at) as u64);
            self.at += step as usize;
            left -= step;
            if left == 0 {
                return Ok(());
            }
            if !self.fill()? {
                return Err(self.ended());
            }
        }
    }

    fn ended(&self) -> ReadError {
        Fault::Ended.at(self.base + self.filled as u64)
    }

    /// Gets more bytes; whether there were any.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.forget();
        if self.filled == self.bytes.len() {
            let more = (2 * self.bytes.len()).max(CHUNK_BYTES);
            self.bytes.resize(more, 0);
        }
        let free = &mut self.bytes[self.filled..];
        let count = loop {
            match self.source.read(free) {
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Source(error.to_string()).at(self.offset())),
            }
        };
        self.filled += count;
        Ok(count > 0)
    }

    /// Drops what nobody needs any more, unless moving the rest would cost more than it gives.
    fn forget(&mut self) {
        let unused = self.mark.unwrap_or(self.at);
        let kept = self.filled - unused;
        if unused == 0 || (kept > unused && self.filled < self.bytes.len()) {
            return;
        }
        self.sum_up_to(unused);
        self.bytes.copy_within(unused..self.filled, 0);
        self.base += unused as u64;
        self.filled = kept;
        self.at -= unused;
        self.summed -= unused;
        self.mark = self.mark.map(|_| 0);
        if self.bytes.len() > KEEP_BYTES && kept < CHUNK_BYTES {
            self.bytes.truncate(CHUNK_BYTES);
            self.bytes.shrink_to_fit();
        }
    }

    fn sum_up_to(&mut self, end: usize) {
        if let Some(sum) = &mut self.sum
            && end > self.summed
        {
            *sum = crc64::extend(*sum, &self.bytes[self.summed..end]);
        }
        self.summed = self.summed.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte or a few at a time, as a pipe may.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.1 = self.1 % 7 + 1;
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn bytes_come_in_order_marks_hold_and_the_sum_is_that_of_the_whole() {
        let stream: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 3 * 7) as u8).collect();
        let mut window = Window::new(Trickle(&stream, 0));
        window.start_sum();
        let mut at = 0;
        for step in [1, 10, 300_000, 5, 1_200_000, 0, 77] {
            window.mark();
            window.skip(step / 2).expect("bytes are there");
            window.take((step - step / 2) as usize).expect("bytes are there");
            assert_eq!(window.marked(), &stream[at..at + step as usize]);
            window.unmark();
            at += step as usize;
            window.skip(1000).expect("bytes are there");
            at += 1000;
            assert_eq!(window.offset(), at as u64);
        }
        assert_eq!(window.end_sum(), Some(crc64::crc64(&stream[..at])));
        assert!(window.skip(stream.len() as u64).is_err(), "the stream has an end");
    }

    #[test]
    fn a_declared_length_takes_no_memory() {
        let mut window = Window::new(&b"abc"[..]);
        assert!(window.take(1 << 40).is_err());
        assert!(window.bytes.len() <= CHUNK_BYTES);
    }
}
