//! Collections as values of keys: found, lent to whoever changes them, made, and let go in slices.
//!
//! A packed one lies in its entry. It is read there; to be changed its bytes are copied into a
//! buffer that serves one edit after the other, and then back into the entry, or outside when
//! they have become too many: two copies of a few hundred bytes, and no allocation.

use super::cut::Change;
use super::entry::{Header, Part, flag};
use super::write::inline_room;
use super::{Found, KeyRef, Keyspace};
use crate::base::time::UnixMillis;
use crate::memory::{BLOCK_BYTES_MAX, Handle, Slab};
use crate::value::{Kind, Rules, Stored, Value};

/// A value of more allocations than this is not freed with its key but in slices of upkeep.
const FREED_AT_ONCE: usize = 64;

/// Room in the buffer for edits: what an entry can hold and what one edit may add, mostly.
const BUFFER_BYTES: usize = 2 * BLOCK_BYTES_MAX;

/// What a packed collection may leave of its block when it shrinks: a queue that goes up and down
/// by an element stays where it is (LPUSH and LPOP in turn cost 30 % more without).
pub(super) const SPARE_BYTES_MAX: usize = 32;

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

    /// Takes the collection, of a key in `db`, out of its entry until [`Keyspace::give_back`];
    /// between the two nobody may look at the key. `None` when the key holds another type.
    pub fn lend<C: Stored>(&mut self, db: u8, handle: Handle) -> Option<C> {
        let header = Header::read(self.slab.tail(handle));
        if header.kind() != C::KIND {
            return None;
        }
        self.keep(db, handle, header, Change::Edit);
        let entry = self.slab.tail(handle);
        if header.has(flag::VALUE_OUTSIDE) {
            let index = header.value_index(entry);
            return self.outside.edit_value(index, |value| C::of_mut(value).map(std::mem::take));
        }
        Some(C::from_inline(header.encoding_number(), self.inline_copy(handle)))
    }

    /// An empty collection to be filled, given to a key with [`Keyspace::set_collection`] or back
    /// with [`Keyspace::give_up`].
    pub fn blank<C: Stored>(&mut self) -> C {
        C::in_buffer(self.buffer())
    }

    /// Takes back what [`Keyspace::blank`] gave and no key wants.
    pub fn give_up<C: Stored>(&mut self, collection: C) {
        if let Ok((_, bytes)) = collection.into_inline(usize::MAX) {
            self.keep_buffer(bytes);
        }
    }

    /// Puts a lent collection of `key` back where it was. If nothing was `changed`, what is in the
    /// entry is still right.
    pub fn give_back<C: Stored>(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        handle: Handle,
        mut collection: C,
        changed: bool,
    ) {
        if let Some(debris) = collection.take_debris(&self.rules) {
            self.let_go(debris.into_value());
        }
        let entry = self.slab.tail(handle);
        let header = Header::read(entry);
        if !changed && !header.has(flag::VALUE_OUTSIDE) {
            return self.give_up(collection);
        }
        let room = inline_room(key, header.deadline(entry));
        let packed = collection.into_inline(room).map_err(C::into_value);
        self.put_back(db, key, handle, packed);
    }

    /// As [`Keyspace::lend`], whatever the type: of a string only what is outside.
    fn lend_value(&mut self, handle: Handle) -> Value {
        let entry = self.slab.tail(handle);
        let header = Header::read(entry);
        if header.has(flag::VALUE_OUTSIDE) {
            let index = header.value_index(entry);
            let nothing = Value::Bytes(Vec::new());
            return self.outside.edit_value(index, |value| std::mem::replace(value, nothing));
        }
        let bytes = self.inline_copy(handle);
        Value::from_inline(header.kind(), header.encoding_number(), bytes)
    }

    /// Gives an entry its collection, as the bytes to keep in it or as a value for outside.
    fn put_back(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        handle: Handle,
        packed: Result<(u8, Vec<u8>), Value>,
    ) {
        let entry = self.slab.tail(handle);
        let header = Header::read(entry);
        let was_outside = header.has(flag::VALUE_OUTSIDE);
        match packed {
            Err(mut value) if was_outside => {
                let index = header.value_index(entry);
                value.fit();
                self.outside.edit_value(index, |old| *old = value);
            }
            Ok((form, bytes)) => {
                let new = header.with_encoding(form).with_value_bytes(bytes.len());
                let block_bytes = self.slab.block_bytes(handle);
                let spare = block_bytes.checked_sub(Slab::class_bytes(new.entry_bytes()));
                if !was_outside && spare.is_some_and(|spare| spare <= SPARE_BYTES_MAX) {
                    let block = self.slab.tail_mut(handle);
                    new.write(block);
                    block[new.value_start()..][..bytes.len()].copy_from_slice(&bytes);
                } else {
                    let deadline = header.deadline(entry);
                    let found = self.locate_handle(db, key, handle);
                    let part =
                        Part { kind: header.kind(), encoding: form, outside: false, field: &bytes };
                    self.put_collection(db, key, found, part, deadline, header.access());
                }
                self.keep_buffer(bytes);
            }
            Err(value) => {
                let deadline = header.deadline(entry);
                let found = self.locate_handle(db, key, handle);
                self.put_outside(db, key, found, 0, value, deadline, header.access());
            }
        }
    }

    /// Where a key stands whose handle is known: no entry is read on the way.
    fn locate_handle(&self, db: u8, key: &KeyRef<'_>, handle: Handle) -> Option<Found> {
        let table = self.dbs[usize::from(db)].tables.get(self.local(key.slot))?;
        let is_it = |word| (word == handle).then_some(());
        let (place, ()) = table.find(key.hash16(), is_it)?;
        Some(Found { place, handle, header: Header::read(self.slab.tail(handle)) })
    }

    /// The value field of an entry in the buffer for edits.
    #[inline]
    fn inline_copy(&mut self, handle: Handle) -> Vec<u8> {
        let mut bytes = self.buffer();
        bytes.extend_from_slice(self.entry(handle).part().field);
        bytes
    }

    /// The buffer for edits, empty.
    #[inline]
    fn buffer(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        if bytes.capacity() < BUFFER_BYTES {
            bytes.reserve_exact(BUFFER_BYTES);
        }
        bytes
    }

    /// The buffer comes back, unless what came is too small or too large to be it.
    #[inline]
    pub(super) fn keep_buffer(&mut self, bytes: Vec<u8>) {
        if (BUFFER_BYTES..=2 * BUFFER_BYTES).contains(&bytes.capacity()) {
            self.scratch = bytes;
        }
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
        kind: Kind,
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
        self.keep(db, found.handle, found.header, Change::Edit);
        let mut value = self.lend_value(found.handle);
        let was = value.next_deadline();
        let known = value.apply_encoded(edit, &self.rules);
        let (is, spent) = (value.next_deadline(), value.is_spent());
        if let Some(debris) = value.take_debris(&self.rules) {
            self.let_go(debris);
        }
        let room = inline_room(key, found.header.deadline(self.slab.tail(found.handle)));
        self.put_back(db, key, found.handle, value.into_inline(room));
        self.watch_fields(db, key, was, is);
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
