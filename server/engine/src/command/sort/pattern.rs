//! What BY and GET stand for: `#` is the element, `w*` the string at the key in which the element
//! takes the star's place, `h*->f` the field `f` of the hash there. Without a star it is nothing.

use crate::command::context::Cx;
use crate::keyspace::ValueRef;
use crate::value::{Hash, Kind, Stored};

pub(super) enum Pattern<'a> {
    Element,
    Nothing,
    Key { before: &'a [u8], behind: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a> Pattern<'a> {
    pub fn parse(text: &'a [u8]) -> Pattern<'a> {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = text.iter().position(|&byte| byte == b'*') else {
            return Pattern::Nothing;
        };
        let (before, behind) = (&text[..star], &text[star + 1..]);
        let arrow = behind.windows(2).position(|pair| pair == b"->");
        match arrow.filter(|&at| at + 2 < behind.len()) {
            Some(at) => {
                let field = Some(&behind[at + 2..]);
                Pattern::Key { before, behind: &behind[..at], field }
            }
            None => Pattern::Key { before, behind, field: None },
        }
    }

    /// The key that is read for `element`.
    pub fn key(&self, element: &[u8]) -> Option<Box<[u8]>> {
        match self {
            Pattern::Element | Pattern::Nothing => None,
            Pattern::Key { before, behind, .. } => {
                Some([before, element, behind].concat().into_boxed_slice())
            }
        }
    }

    /// What it stands for; a key of another type is as good as none.
    pub fn look_up(&self, cx: &mut Cx<'_>, element: &[u8]) -> Option<Box<[u8]>> {
        let Pattern::Key { field, .. } = self else {
            return matches!(self, Pattern::Element).then(|| element.into());
        };
        let now = cx.now_ms().0;
        let key = self.key(element)?;
        let entry = cx.read(&key)?;
        match (entry.value(), field) {
            (ValueRef::Collection(value), Some(field)) => {
                let found = Hash::of_view(value)?.get(field)?;
                (!found.is_due(now)).then(|| found.value.into())
            }
            (text, None) if entry.kind() == Kind::String => {
                Some(text.text(&mut itoa::Buffer::new()).into())
            }
            _ => None,
        }
    }
}
