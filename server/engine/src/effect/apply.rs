//! Replays an effect on a keyspace: recovery, a transaction's return to the owners, and the test
//! that effects tell the whole truth.

use super::{Effect, codec};
use crate::keyspace::Keyspace;
use crate::value::{Rules, Value};

/// Makes the change `effect` tells of. `access` is the access clock a written key gets. False when
/// its edits are none of their type, or make a collection of nothing, which no key can hold: the
/// bytes were not written by this code, and the key is not to be relied on.
pub fn apply(keyspace: &mut Keyspace, effect: &Effect<'_>, access: u32) -> bool {
    match *effect {
        Effect::Set { db, key, value, form, expiry } => {
            let key = keyspace.key_ref(key);
            keyspace.set_string_as(form, db, &key, value, expiry, access);
        }
        Effect::Splice { db, key, offset, bytes } => {
            let key = keyspace.key_ref(key);
            keyspace.splice(db, &key, offset as usize, bytes, access);
        }
        Effect::Expire { db, key, at } => {
            let key = keyspace.key_ref(key);
            keyspace.set_expiry(db, &key, at);
        }
        Effect::Delete { db, key, .. } => {
            let key = keyspace.key_ref(key);
            keyspace.remove(db, &key);
        }
        Effect::Edit { db, key, kind, edit } => {
            let key = keyspace.key_ref(key);
            return keyspace.edit_encoded(db, &key, kind, edit, access);
        }
        Effect::Put { db, key, expiry, .. } => {
            let Some(value) = effect.value(keyspace.rules()) else { return false };
            let key = keyspace.key_ref(key);
            keyspace.set_collection(db, &key, value, expiry, access);
        }
        Effect::Flush { db: Some(db) } => keyspace.flush(db),
        Effect::Flush { db: None } => keyspace.flush_all(),
        Effect::SwapDb { a, b } => keyspace.swap(a, b),
    }
    true
}

impl Effect<'_> {
    /// The collection that a [`Effect::Put`] makes; none of other effects, and of edits that are
    /// none of its type or make nothing.
    pub fn value(&self, rules: &Rules) -> Option<Value> {
        let Effect::Put { kind, edits, .. } = *self else { return None };
        let mut value = Value::empty(kind)?;
        for edit in codec::edits(edits) {
            if !value.apply_encoded(edit?, rules) {
                return None;
            }
        }
        (!value.is_spent()).then_some(value)
    }
}
