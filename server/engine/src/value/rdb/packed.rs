//! What ziplists, listpacks and zipmaps have in common: elements in a row in one string. A packed
//! collection is read once, from front to back, and checked on the way.

use super::{Decoded, Malformed, Text};

pub(super) trait Packed<'a> {
    /// The next element; `None` behind the last, when the whole has proved sound.
    fn element(&mut self) -> Decoded<Option<Text<'a>>>;

    /// The element that must follow.
    fn expected(&mut self) -> Decoded<Text<'a>> {
        self.element()?.ok_or(Malformed)
    }

    fn each(&mut self, mut visit: impl FnMut(&[u8]) -> Decoded<()>) -> Decoded<()>
    where
        Self: Sized,
    {
        let mut digits = itoa::Buffer::new();
        while let Some(element) = self.element()? {
            visit(element.bytes(&mut digits))?;
        }
        Ok(())
    }
}
