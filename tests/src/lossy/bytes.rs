//! The bytes of a file in chunks, so that growing one copies nothing, and space that was set aside
//! and never written takes none.

const CHUNK: usize = 64 << 10;

/// Bytes from zero to a length; what was never written is zero.
#[derive(Clone, Default)]
pub struct Bytes {
    /// None: all zero.
    chunks: Vec<Option<Box<[u8]>>>,
    length: u64,
}

impl Bytes {
    pub fn length(&self) -> u64 {
        self.length
    }

    /// What takes memory, in bytes.
    pub fn held(&self) -> u64 {
        (self.chunks.iter().flatten().count() * CHUNK) as u64
    }

    /// Makes it longer by zeros, or shorter.
    pub fn resize(&mut self, length: u64) {
        let chunks = length.div_ceil(CHUNK as u64) as usize;
        self.chunks.resize(chunks, None);
        let inside = length as usize % CHUNK;
        if length < self.length
            && inside > 0
            && let Some(Some(chunk)) = self.chunks.last_mut()
        {
            // What grows again must grow by zeros.
            chunk[inside..].fill(0);
        }
        self.length = length;
    }

    /// Puts `bytes` at `offset`; a gap before it is zero.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        if end > self.length {
            self.resize(end);
        }
        let (mut at, mut rest) = (offset as usize, bytes);
        while !rest.is_empty() {
            let inside = at % CHUNK;
            let (now, later) = rest.split_at(rest.len().min(CHUNK - inside));
            let chunk = &mut self.chunks[at / CHUNK];
            let chunk = chunk.get_or_insert_with(|| vec![0; CHUNK].into_boxed_slice());
            chunk[inside..inside + now.len()].copy_from_slice(now);
            at += now.len();
            rest = later;
        }
    }

    /// At most `count` bytes from `offset`, fewer at the end.
    pub fn read(&self, offset: u64, count: usize) -> Vec<u8> {
        let left = self.length.saturating_sub(offset).min(count as u64) as usize;
        let mut read = Vec::with_capacity(left);
        while read.len() < left {
            let at = offset as usize + read.len();
            let inside = at % CHUNK;
            let take = (left - read.len()).min(CHUNK - inside);
            match &self.chunks[at / CHUNK] {
                Some(chunk) => read.extend_from_slice(&chunk[inside..inside + take]),
                None => read.resize(read.len() + take, 0),
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, CHUNK};
    use crate::random::Random;

    #[test]
    fn chunks_hold_what_a_vector_would() {
        for seed in 1..=20 {
            let mut random = Random::new(seed);
            let (mut bytes, mut model) = (Bytes::default(), Vec::new());
            for step in 0..60_u8 {
                let (at, size) = (random.below(4 * CHUNK), random.below(2 * CHUNK));
                if random.percent(30) {
                    bytes.resize(at as u64);
                    model.resize(at, 0);
                } else if size > 0 {
                    model.resize(model.len().max(at + size), 0);
                    model[at..at + size].fill(step + 1);
                    bytes.write(at as u64, &vec![step + 1; size]);
                }
                assert_eq!(bytes.length(), model.len() as u64, "seed {seed}, step {step}");
                let from = random.below(4 * CHUNK).min(model.len());
                let read = bytes.read(from as u64, size);
                assert!(read == model[from..model.len().min(from + size)], "seed {seed}");
            }
        }
    }

    #[test]
    fn space_set_aside_takes_none() {
        let mut bytes = Bytes::default();
        bytes.resize(1 << 40);
        bytes.write(1 << 39, b"x");
        assert_eq!(bytes.held(), CHUNK as u64);
        assert_eq!(bytes.read((1 << 39) - 1, 3), [0, b'x', 0]);
    }
}
