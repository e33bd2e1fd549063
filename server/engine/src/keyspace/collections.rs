//! Collections as values of keys: found, lent to whoever changes them, made, and let go in slices.

use super::entry::flag;
use super::{KeyRef, Keyspace};
use crate::base::time::UnixMillis;
use crate::memory::Handle;
use crate::value::{Rules, Stored, Value};

/// A value of more allocations than this is not freed with its key but in slices of upkeep.
const FREED_AT_ONCE: usize = 64;

impl Keyspace {
    /// The thresholds and the seed collections follow.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// New thresholds; the seed stays. Collections take them up as they change.
    pub fn set_rules(&mut self, rules: Rules) {
        let hash_seed = self.rules.hash_seed;
        self.rules = Rules { hash_seed, ..rules };
    }

    /// Takes the collection out of its entry until [`Keyspace::give_back`]; between the two
    /// nobody may look at the key. `None` when the key holds another type.
    pub fn lend<C: Stored>(&mut self, handle: Handle) -> Option<C> {
        let entry = self.slab.tail(handle);
        let header = super::entry::Header::read(entry);
        if header.kind() != C::KIND || !header.has(flag::VALUE_OUTSIDE) {
            return None;
        }
        let index = header.value_index(entry);
        self.outside.edit_value(index, |value| C::of_mut(value).map(std::mem::take))
    }

    /// Puts a lent collection back where it was.
    pub fn give_back<C: Stored>(&mut self, handle: Handle, mut collection: C) {
        if let Some(debris) = collection.take_debris(&self.rules) {
            self.let_go(debris.into_value());
        }
        let entry = self.slab.tail(handle);
        let index = super::entry::Header::read(entry).value_index(entry);
        self.outside.edit_value(index, |value| *value = collection.into_value());
    }

    /// The key now holds this collection, whatever it held before.
    pub fn set_collection(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        value: Value,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        let found = self.locate(db, key);
        self.put_value(db, key, found, 0, value, expiry, access);
    }

    /// Makes an encoded edit of a key's collection; a missing key is an empty one, and one that
    /// becomes empty goes. Whether the bytes were an edit of that type.
    pub fn edit_encoded(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        kind: crate::value::Kind,
        edit: &[u8],
        access: u32,
    ) -> bool {
        let found = self.locate(db, key);
        let Some(found) = found.filter(|found| found.header.kind() == kind) else {
            let Some(mut value) = Value::empty(kind) else { return false };
            let known = value.apply_encoded(edit, &self.rules);
            if known && !value.is_spent() {
                self.put_value(db, key, found, 0, value, None, access);
            }
            return known;
        };
        let index = found.header.value_index(self.slab.tail(found.handle));
        let rules = &self.rules;
        let (known, debris, spent, was, is) = self.outside.edit_value(index, |value| {
            let was = value.next_deadline();
            let known = value.apply_encoded(edit, rules);
            (known, value.take_debris(rules), value.is_spent(), was, value.next_deadline())
        });
        self.watch_fields(db, key, was, is);
        if let Some(debris) = debris {
            self.let_go(debris);
        }
        if spent {
            self.remove(db, key);
        }
        known
    }

    /// Lets a value go: a small one at once, a large one in slices.
    pub(super) fn let_go(&mut self, mut value: Value) {
        if value.dismantle(FREED_AT_ONCE) {
            self.doomed.push_value(value);
        }
    }
}
