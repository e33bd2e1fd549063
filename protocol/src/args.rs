//! The arguments of one request, whichever protocol it came in: slices, never copies.
//!
//! A parser leaves [`Span`]s, places in a buffer; [`Args`] pairs them with that buffer. It is two
//! fat pointers, `Copy`, and cannot outlive either part.

/// Where one argument lies: `len` bytes from `start` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    pub start: u32,
    pub len: u32,
}

impl Span {
    /// The same bytes as seen from a buffer that begins `bytes` earlier.
    #[inline]
    pub(crate) fn shifted_down(self, bytes: u32) -> Span {
        Span { start: self.start - bytes, len: self.len }
    }
}

/// The arguments of one request; the command's name is argument 0.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    buffer: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    /// Every span must lie inside `buffer`; one that does not panics when it is looked at.
    #[inline]
    pub fn new(buffer: &'a [u8], spans: &'a [Span]) -> Args<'a> {
        Args { buffer, spans }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`.
    ///
    /// # Panics
    /// When there are not that many: handlers run after the arity check.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.bytes_of(self.spans[index])
    }

    /// Argument `index`, when there is one.
    #[inline]
    pub fn try_get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|&span| self.bytes_of(span))
    }

    /// The first eight bytes of argument `index` as a little-endian number, zeros behind a shorter
    /// one; 0 when there is no such argument. One load: the bytes behind a short argument are
    /// those of the buffer and are masked off.
    #[inline]
    pub fn head(&self, index: usize) -> u64 {
        let Some(&span) = self.spans.get(index) else { return 0 };
        let Some(head) = self.buffer.get(span.start as usize..).and_then(<[u8]>::first_chunk::<8>)
        else {
            let bytes = self.bytes_of(span).iter().rev();
            return bytes.fold(0, |head, &byte| head << 8 | u64::from(byte));
        };
        let head = u64::from_le_bytes(*head);
        if span.len < 8 { head & ((1 << (8 * span.len)) - 1) } else { head }
    }

    /// The command's name as the client spelled it. Panics when there are no arguments at all.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.get(0)
    }

    #[inline]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + use<'a> {
        let buffer = self.buffer;
        self.spans.iter().map(move |span| &buffer[span.start as usize..][..span.len as usize])
    }

    /// The arguments from `from` on; none when there are fewer.
    #[inline]
    pub fn tail(&self, from: usize) -> Args<'a> {
        Args { buffer: self.buffer, spans: self.spans.get(from..).unwrap_or(&[]) }
    }

    /// Where the arguments lie in [`Args::buffer`].
    #[inline]
    pub fn spans(&self) -> &'a [Span] {
        self.spans
    }

    /// What the spans point into.
    #[inline]
    pub fn buffer(&self) -> &'a [u8] {
        self.buffer
    }

    #[inline]
    fn bytes_of(&self, span: Span) -> &'a [u8] {
        &self.buffer[span.start as usize..][..span.len as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER: &[u8] = b"SETkeyvalue";
    const SPANS: &[Span] =
        &[Span { start: 0, len: 3 }, Span { start: 3, len: 3 }, Span { start: 6, len: 5 }];

    #[test]
    fn arguments_are_the_bytes_their_spans_name() {
        let args = Args::new(BUFFER, SPANS);
        assert_eq!((args.len(), args.name(), args.get(2)), (3, &b"SET"[..], &b"value"[..]));
        assert_eq!(args.try_get(3), None);
        assert_eq!(args.iter().next_back(), Some(&b"value"[..]));
    }

    #[test]
    fn a_head_is_the_argument_and_nothing_of_its_neighbours() {
        let spans: Vec<Span> = (0..=20u32)
            .flat_map(|start| (0..=20 - start).map(move |len| Span { start, len }))
            .collect();
        let buffer: Vec<u8> = (1..=20).collect();
        let args = Args::new(&buffer, &spans);
        for index in 0..args.len() {
            let bytes = args.get(index);
            let mut head = [0; 8];
            head[..bytes.len().min(8)].copy_from_slice(&bytes[..bytes.len().min(8)]);
            assert_eq!(args.head(index), u64::from_le_bytes(head), "{bytes:?}");
        }
        assert_eq!(args.head(args.len()), 0);
    }

    #[test]
    fn a_tail_past_the_end_is_empty() {
        let args = Args::new(BUFFER, SPANS);
        assert_eq!(args.tail(1).name(), b"key");
        assert!(args.tail(3).is_empty());
        assert!(args.tail(9).is_empty());
    }
}
