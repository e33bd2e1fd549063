//! The fields of an entry on their way in: the arguments of a request, or the bytes of an edit
//! that comes from a log. Neither is copied before it reaches its block.

use freehold_protocol::args::Args;

/// Field names and values in turn, an even number of them and at least two.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'e>(Source<'e>);

#[derive(Clone, Copy, Debug)]
enum Source<'e> {
    Args(Args<'e>),
    /// Each with its length (u32, little-endian) in front.
    Framed(&'e [u8]),
}

impl<'e> Fields<'e> {
    /// `None` unless they are pairs.
    pub fn of(args: Args<'e>) -> Option<Fields<'e>> {
        let paired = !args.is_empty() && args.len().is_multiple_of(2);
        paired.then_some(Fields(Source::Args(args)))
    }

    /// Field, value, field, value, …
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'e [u8]> + use<'e> {
        let (mut args, mut framed) = match self.0 {
            Source::Args(args) => (Some(args.iter()), &[][..]),
            Source::Framed(bytes) => (None, bytes),
        };
        std::iter::from_fn(move || match &mut args {
            Some(args) => args.next(),
            None => take_framed(&mut framed),
        })
    }

    /// Names and values together.
    pub fn count(&self) -> usize {
        match self.0 {
            Source::Args(args) => args.len(),
            Source::Framed(_) => self.iter().count(),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|bytes| Fields::frame(bytes, out));
    }

    pub(super) fn frame(bytes: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }

    /// What [`Fields::encode`] wrote, to the end of `bytes`.
    pub(in crate::value) fn decode(bytes: &'e [u8]) -> Option<Fields<'e>> {
        let (mut rest, mut count) = (bytes, 0usize);
        while !rest.is_empty() {
            take_framed(&mut rest)?;
            count += 1;
        }
        (count > 0 && count.is_multiple_of(2)).then_some(Fields(Source::Framed(bytes)))
    }
}

impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Fields<'_>) -> bool {
        self.iter().eq(other.iter())
    }
}

fn take_framed<'e>(bytes: &mut &'e [u8]) -> Option<&'e [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(text)
}
