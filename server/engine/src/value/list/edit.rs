//! What can happen to a list, and how that is written down: `kind u8`, then
//!
//! ```text
//! 0 push left    the element to the end        1 push right   the same
//! 2 push left    (length u32 · element)…       3 push right   the same
//! 4 pop left     count u64                     5 pop right    the same
//! 6 set          index u64 · element           7 insert       the same
//! 8 keep         index u64 · count u64
//! 9 remove equal end u8 · limit u64 · element
//! ```

use super::block::End;

/// One change of a list. Those that do not fit the list (an index behind its end) change nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListEdit<'e> {
    /// Each element in turn becomes the first, or the last.
    Push { end: End, elements: Elements<'e> },
    /// So many elements go from an end, or all there are.
    Pop { end: End, count: u64 },
    /// The element at `index` is now this.
    Set { index: u64, element: &'e [u8] },
    /// The element now stands where `index` others are before it.
    Insert { index: u64, element: &'e [u8] },
    /// Only `count` elements from `index` on stay.
    Keep { index: u64, count: u64 },
    /// The first `limit` elements equal to this, seen from `end`, go.
    RemoveEqual { element: &'e [u8], end: End, limit: u64 },
}

/// One or more elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elements<'e> {
    One(&'e [u8]),
    Many(&'e [&'e [u8]]),
    /// Each behind its length as u32, as an encoded edit has them.
    Encoded(EncodedElements<'e>),
}

/// Elements behind their lengths, checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EncodedElements<'e>(&'e [u8]);

impl<'e> EncodedElements<'e> {
    /// `None` when the bytes are not elements behind their lengths to the end.
    pub fn new(bytes: &'e [u8]) -> Option<EncodedElements<'e>> {
        let mut rest = bytes;
        while !rest.is_empty() {
            split_element(&mut rest)?;
        }
        Some(EncodedElements(bytes))
    }

    fn iter(self) -> impl Iterator<Item = &'e [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || split_element(&mut rest))
    }
}

/// Appends an element behind its length.
pub fn put_element(element: &[u8], out: &mut Vec<u8>) {
    // An element is at most as long as an effect, whose length is a u32 as well.
    out.extend_from_slice(&(element.len() as u32).to_le_bytes());
    out.extend_from_slice(element);
}

fn split_element<'e>(rest: &mut &'e [u8]) -> Option<&'e [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (element, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some(element)
}

impl<'e> Elements<'e> {
    /// Calls `visit` with each in turn.
    #[inline]
    pub fn for_each(self, mut visit: impl FnMut(&'e [u8])) {
        match self {
            Elements::One(element) => visit(element),
            Elements::Many(elements) => elements.iter().for_each(|element| visit(element)),
            Elements::Encoded(elements) => elements.iter().for_each(visit),
        }
    }
}

impl<'e> ListEdit<'e> {
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        let side = |end: End| u8::from(end == End::Right);
        match self {
            ListEdit::Push { end, elements: Elements::One(element) } => {
                out.push(side(end));
                out.extend_from_slice(element);
            }
            ListEdit::Push { end, elements } => {
                out.push(2 + side(end));
                elements.for_each(|element| put_element(element, out));
            }
            ListEdit::Pop { end, count } => {
                out.push(4 + side(end));
                out.extend_from_slice(&count.to_le_bytes());
            }
            ListEdit::Set { index, element } | ListEdit::Insert { index, element } => {
                out.push(if matches!(self, ListEdit::Set { .. }) { 6 } else { 7 });
                out.extend_from_slice(&index.to_le_bytes());
                out.extend_from_slice(element);
            }
            ListEdit::Keep { index, count } => {
                out.push(8);
                out.extend_from_slice(&index.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
            }
            ListEdit::RemoveEqual { element, end, limit } => {
                out.extend_from_slice(&[9, side(end)]);
                out.extend_from_slice(&limit.to_le_bytes());
                out.extend_from_slice(element);
            }
        }
    }

    pub(super) fn decode(bytes: &'e [u8]) -> Option<ListEdit<'e>> {
        let (&kind, mut rest) = bytes.split_first()?;
        let end = if kind & 1 == 0 { End::Left } else { End::Right };
        let edit = match kind {
            0 | 1 => return Some(ListEdit::Push { end, elements: Elements::One(rest) }),
            2 | 3 => {
                let elements = Elements::Encoded(EncodedElements::new(rest)?);
                return Some(ListEdit::Push { end, elements });
            }
            4 | 5 => ListEdit::Pop { end, count: take_u64(&mut rest)? },
            6 => return Some(ListEdit::Set { index: take_u64(&mut rest)?, element: rest }),
            7 => return Some(ListEdit::Insert { index: take_u64(&mut rest)?, element: rest }),
            8 => ListEdit::Keep { index: take_u64(&mut rest)?, count: take_u64(&mut rest)? },
            9 => {
                let (&side, behind) = rest.split_first()?;
                rest = behind;
                let end = match side {
                    0 => End::Left,
                    1 => End::Right,
                    _ => return None,
                };
                let limit = take_u64(&mut rest)?;
                return Some(ListEdit::RemoveEqual { element: rest, end, limit });
            }
            _ => return None,
        };
        rest.is_empty().then_some(edit)
    }
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    let (number, behind) = rest.split_first_chunk::<8>()?;
    *rest = behind;
    Some(u64::from_le_bytes(*number))
}
