//! Moving what a key holds to another key, database or core, long values uncopied.

use super::cut::Change;
use super::entry::Part;
use super::{KeyRef, Keyspace};
use crate::base::time::UnixMillis;
use crate::value::{Kind, Value, ValueView};

/// What an entry says beside its key, on its way to another one.
#[derive(Debug)]
pub struct Taken {
    content: Content,
    pub expiry: Option<UnixMillis>,
    pub access: u32,
}

#[derive(Debug)]
enum Content {
    /// A value field with its encoding.
    Inside { kind: Kind, encoding: u8, field: Vec<u8> },
    /// A value that moves without being copied.
    Outside { encoding: u8, value: Value },
}

impl Keyspace {
    /// Removes a key and hands out what it held, a long value uncopied.
    pub fn take(&mut self, db: u8, key: &KeyRef<'_>) -> Option<Taken> {
        let taken = self.lend_entry(db, key)?;
        self.remove(db, key);
        Some(taken)
    }

    /// Hands out what a key holds, a long value uncopied: until [`Keyspace::put`] brings one back,
    /// the key is kept but nobody may look at what it holds.
    pub fn lend_entry(&mut self, db: u8, key: &KeyRef<'_>) -> Option<Taken> {
        let found = self.locate(db, key)?;
        self.keep(db, found.handle, found.header, Change::Move);
        let entry = self.entry(found.handle);
        let (expiry, access) = (entry.expiry(), entry.access());
        let Part { kind, encoding, outside, field } = entry.part();
        let content = if outside {
            let index = found.header.value_index(entry.raw());
            let value = self
                .outside
                .edit_value(index, |value| std::mem::replace(value, Value::Bytes(Vec::new())));
            Content::Outside { encoding, value }
        } else {
            Content::Inside { kind, encoding, field: field.to_vec() }
        };
        Some(Taken { content, expiry, access })
    }

    /// The key now holds what was taken, whatever it held before.
    pub fn put(&mut self, db: u8, key: &KeyRef<'_>, taken: Taken) {
        let found = self.locate(db, key);
        let Taken { content, expiry, access } = taken;
        match content {
            Content::Inside { kind, encoding, field } => {
                let view = ValueView::inline(kind, encoding, &field);
                self.watch_fields(db, key, None, view.and_then(ValueView::next_deadline));
                let part = Part { kind, encoding, outside: false, field: &field };
                self.put_part(db, key, found, part, expiry, access);
            }
            Content::Outside { encoding, value } => {
                self.put_value(db, key, found, encoding, value, expiry, access);
            }
        }
    }
}
