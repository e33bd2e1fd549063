//! How a string is to be kept, where its bytes alone do not tell.

use super::{EntryRef, KeyRef, Keyspace};
use crate::base::time::UnixMillis;

/// What OBJECT ENCODING is to say of a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StringForm {
    /// What its bytes suggest: `int`, `embstr` or `raw`.
    Natural,
    /// Never `int`: the result of INCRBYFLOAT.
    Text,
    /// `raw` whatever its length: it was appended to or written into.
    Raw,
}

impl EntryRef<'_> {
    /// The form that keeps a copy of this string as it is.
    pub fn form(&self) -> StringForm {
        if self.is_raw() {
            StringForm::Raw
        } else if self.encoding_name() == "int" {
            StringForm::Natural
        } else {
            StringForm::Text
        }
    }
}

impl Keyspace {
    /// Puts a string at a key in a given form.
    #[inline]
    pub fn set_string_as(
        &mut self,
        form: StringForm,
        db: u8,
        key: &KeyRef<'_>,
        value: &[u8],
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        match form {
            StringForm::Natural => self.set_string(db, key, value, expiry, access),
            StringForm::Text => self.set_string_text(db, key, value, expiry, access),
            StringForm::Raw => self.set_string_raw(db, key, value, expiry, access),
        }
    }
}
