//! A member as a set holds it: a number of a set of integers, or text.

/// A member of a set. Integers are only made text where text is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Member<'a> {
    Int(i64),
    Text(&'a [u8]),
}

impl<'a> Member<'a> {
    /// Its bytes; an integer's are written to `buffer`.
    #[inline]
    pub fn text<'t>(self, buffer: &'t mut itoa::Buffer) -> &'t [u8]
    where
        'a: 't,
    {
        match self {
            Member::Int(value) => buffer.format(value).as_bytes(),
            Member::Text(text) => text,
        }
    }
}
