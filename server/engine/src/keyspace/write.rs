//! Changing one key. Everything ends in `put_entry`, which writes over the old entry when the new
//! one has the same size class, and otherwise moves it to a new block.

use super::cut::Change;
use super::entry::{
    Draft, Encoding, Header, INT_TEXT_MAX, KEY_INSIDE_MAX, Part, entry_bytes, flag, write_deadline,
};
use super::table::word;
use super::{Found, KeyRef, Keyspace};
use crate::base::number;
use crate::base::time::UnixMillis;
use crate::memory::{BLOCK_BYTES_MAX, Handle, Slab};
use crate::value::{Kind, Value};

impl Keyspace {
    /// The key now holds this string, whatever it held before; an integer in canonical form is
    /// kept as one. The deadline is replaced too.
    #[inline]
    pub fn set_string(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        value: &[u8],
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        match number::parse_i64(value) {
            None => self.put_text(db, key, Encoding::Text, value, expiry, access),
            Some(_) if value.len() <= INT_TEXT_MAX => {
                self.put_text(db, key, Encoding::IntText, value, expiry, access);
            }
            Some(number) => {
                let word = number.to_le_bytes();
                self.put_text(db, key, Encoding::IntWord, &word, expiry, access);
            }
        }
    }

    /// As [`Keyspace::set_string`] with a number that need not be printed and read again.
    #[inline]
    pub fn set_integer(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        value: i64,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        let mut buffer = itoa::Buffer::new();
        let printed = buffer.format(value).as_bytes();
        if printed.len() <= INT_TEXT_MAX {
            self.put_text(db, key, Encoding::IntText, printed, expiry, access);
        } else {
            let word = value.to_le_bytes();
            self.put_text(db, key, Encoding::IntWord, &word, expiry, access);
        }
    }

    /// As [`Keyspace::set_string`], but the string stays text even if it looks like an integer
    /// (INCRBYFLOAT): its encoding is `embstr` or `raw` by its length.
    pub fn set_string_text(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        value: &[u8],
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        self.put_text(db, key, Encoding::Text, value, expiry, access);
    }

    /// As [`Keyspace::set_string`], but the encoding is `raw` whatever the length, as after
    /// APPEND or SETRANGE.
    pub fn set_string_raw(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        value: &[u8],
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        self.put_text(db, key, Encoding::Raw, value, expiry, access);
    }

    /// Changes a string's bytes and leaves its deadline alone; its encoding becomes `raw`. A long
    /// one is changed where it is, so appending costs what is appended. `None` without such a
    /// key.
    pub fn edit_bytes<R>(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        access: u32,
        edit: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> Option<R> {
        let found = self.locate(db, key)?;
        if !found.header.is_string() {
            return None;
        }
        self.keep(db, found.handle, found.header, Change::Edit);
        if found.header.has(flag::VALUE_OUTSIDE) {
            let index = found.header.value_index(self.slab.tail(found.handle));
            let header = found.header.with_access(access).with_encoding(Encoding::Raw as u8);
            let header = header.with_side(self.cut.side());
            header.write(self.slab.bytes_mut(found.handle));
            return self.outside.edit_value(index, |value| match value {
                Value::Bytes(bytes) => Some(edit(bytes)),
                _ => None,
            });
        }
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let entry = self.entry(found.handle);
        bytes.extend_from_slice(entry.value().text(&mut itoa::Buffer::new()));
        let expiry = entry.expiry();
        let result = edit(&mut bytes);
        if fits_inside(key, expiry, bytes.len()) {
            let part = Part::text(Encoding::Raw, &bytes);
            self.put_entry(db, key, Some(found), part, expiry, access);
            self.scratch = bytes;
        } else {
            let value = Value::Bytes(bytes);
            self.put_value(db, key, Some(found), Encoding::Raw as u8, value, expiry, access);
        }
        Some(result)
    }

    /// Writes `bytes` into a string at `offset`, zeros filling any gap; a missing key is an empty
    /// string. Its encoding becomes `raw`.
    pub fn splice(&mut self, db: u8, key: &KeyRef<'_>, offset: usize, bytes: &[u8], access: u32) {
        if !self.contains(db, key) {
            self.set_string_raw(db, key, b"", None, access);
        }
        self.edit_bytes(db, key, access, |string| {
            let end = offset + bytes.len();
            if string.len() < end {
                string.resize(end, 0);
            }
            string[offset..end].copy_from_slice(bytes);
        });
    }

    /// Changes or removes the deadline. `false` without such a key.
    pub fn set_expiry(&mut self, db: u8, key: &KeyRef<'_>, expiry: Option<UnixMillis>) -> bool {
        let Some(found) = self.locate(db, key) else { return false };
        let old = found.header.deadline(self.slab.tail(found.handle));
        match (old, expiry) {
            (None, None) => {}
            (Some(_), Some(deadline)) => {
                self.keep(db, found.handle, found.header, Change::Deadline);
                write_deadline(self.slab.bytes_mut(found.handle), deadline.0);
                self.put_word(db, key, found, found.handle, old, expiry);
            }
            _ => {
                let mut field = std::mem::take(&mut self.scratch);
                field.clear();
                let Part { kind, encoding, outside, field: old_field } =
                    self.entry(found.handle).part();
                field.extend_from_slice(old_field);
                let part = Part { kind, encoding, outside, field: &field };
                self.put_part(db, key, Some(found), part, expiry, found.header.access());
                self.scratch = field;
            }
        }
        true
    }

    /// Removes a key. `false` when there was none.
    #[inline]
    pub fn remove(&mut self, db: u8, key: &KeyRef<'_>) -> bool {
        let Some(found) = self.locate(db, key) else { return false };
        self.keep(db, found.handle, found.header, Change::Remove);
        let slot = self.local(key.slot);
        let deadline = self.release(found.handle);
        let db = &mut self.dbs[usize::from(db)];
        db.remove(slot, found.place, deadline);
        self.db_bytes = self.db_bytes.wrapping_add_signed(db.shrink(slot));
        true
    }

    /// Frees an entry's block and what it has outside; answers with its deadline.
    pub(super) fn release(&mut self, handle: Handle) -> Option<UnixMillis> {
        let entry = self.slab.tail(handle);
        let header = Header::read(entry);
        let deadline = header.deadline(entry);
        if header.has(flag::VALUE_OUTSIDE) {
            let value = self.outside.remove_value(header.value_index(entry));
            self.let_go(value);
        }
        let entry = self.slab.tail(handle);
        if header.has(flag::KEY_OUTSIDE) {
            self.outside.remove_key(header.key_index(entry));
        }
        self.slab.free(handle);
        deadline
    }

    #[inline]
    fn put_text(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        encoding: Encoding,
        text: &[u8],
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        let found = self.locate(db, key);
        self.put_part(db, key, found, Part::text(encoding, text), expiry, access);
    }

    /// Writes an entry, or its value outside when there is no room for it.
    #[inline]
    pub(super) fn put_part(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        part: Part<'_>,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        if part.outside || fits_inside(key, expiry, part.field.len()) {
            self.put_entry(db, key, found, part, expiry, access);
        } else if part.kind == Kind::String {
            self.put_long_text(db, key, found, part, expiry, access);
        } else {
            self.put_crowded(db, key, found, part, expiry, access);
        }
    }

    /// Keeps a packed collection outside: a longer key or a deadline has taken its room.
    #[cold]
    fn put_crowded(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        part: Part<'_>,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        let value = Value::from_inline(part.kind, part.encoding, part.field.to_vec());
        self.put_outside(db, key, found, 0, value, expiry, access);
    }

    /// Keeps a string outside; a buffer that is there already and fits is used again.
    #[cold]
    fn put_long_text(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        text: Part<'_>,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        let long_text = |found: &Found| {
            let header = found.header;
            header.has(flag::VALUE_OUTSIDE) && header.kind() == Kind::String
        };
        let Some(found) = found.filter(long_text) else {
            let value = Value::Bytes(text.field.to_vec());
            return self.put_value(db, key, found, text.encoding, value, expiry, access);
        };
        self.keep(db, found.handle, found.header, Change::Write);
        let index = found.header.value_index(self.slab.tail(found.handle));
        self.outside.edit_value(index, |value| {
            let Value::Bytes(bytes) = value else { return };
            let room = bytes.capacity();
            if room >= text.field.len() && room / 2 <= text.field.len() {
                bytes.clear();
                bytes.extend_from_slice(text.field);
            } else {
                *bytes = text.field.to_vec();
            }
        });
        let part = Part { outside: true, field: &index.to_le_bytes(), ..text };
        self.put_entry(db, key, Some(found), part, expiry, access);
    }

    /// The key now holds this value: in its entry, if it is packed and fits there.
    #[expect(clippy::too_many_arguments, reason = "the fields of one entry")]
    pub(super) fn put_value(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        encoding: u8,
        value: Value,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        self.watch_fields(db, key, None, value.next_deadline());
        let kind = value.kind();
        match value.into_inline(inline_room(key, expiry)) {
            Ok((form, bytes)) => {
                let part = Part { kind, encoding: form, outside: false, field: &bytes };
                self.put_collection(db, key, found, part, expiry, access);
                self.keep_buffer(bytes);
            }
            Err(value) => self.put_outside(db, key, found, encoding, value, expiry, access),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one entry")]
    pub(super) fn put_outside(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        encoding: u8,
        mut value: Value,
        expiry: Option<UnixMillis>,
        access: u32,
    ) {
        value.fit();
        let kind = value.kind();
        let index = self.outside.insert_value(value);
        let part = Part { kind, encoding, outside: true, field: &index.to_le_bytes() };
        self.put_collection(db, key, found, part, expiry, access);
    }

    /// As `put_entry`, which is a part of every SET and compiled into it; this is for the others.
    #[inline(never)]
    pub(super) fn put_collection(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        part: Part<'_>,
        deadline: Option<UnixMillis>,
        access: u32,
    ) {
        self.put_entry(db, key, found, part, deadline, access);
    }

    /// Writes an entry: over the old one if there is one and the size class stays.
    #[inline]
    fn put_entry(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Option<Found>,
        part: Part<'_>,
        deadline: Option<UnixMillis>,
        access: u32,
    ) {
        let Some(found) = found else {
            return self.insert_entry(db, key, part, deadline, access);
        };
        let old = found.header;
        self.keep(db, found.handle, old, Change::Write);
        let entry = self.slab.tail(found.handle);
        let old_deadline = old.deadline(entry);
        let key_index = if old.has(flag::KEY_OUTSIDE) { Some(old.key_index(entry)) } else { None };
        if old.has(flag::VALUE_OUTSIDE) {
            self.drop_old_value(old.value_index(entry), part);
        }
        let index_field = key_index.unwrap_or(0).to_le_bytes();
        let key_field = if key_index.is_some() { &index_field } else { key.bytes };
        let (key_outside, side) = (key_index.is_some(), self.cut.side());
        let draft = Draft { key_outside, key: key_field, part, deadline, access, side };
        let mut handle = found.handle;
        if Slab::class_bytes(draft.entry_bytes()) == Slab::class_bytes(old.entry_bytes()) {
            draft.write_over(old, self.slab.bytes_mut(handle));
        } else {
            handle = self.slab.alloc(draft.entry_bytes());
            draft.write(self.slab.bytes_mut(handle));
            self.slab.free(found.handle);
        }
        self.put_word(db, key, found, handle, old_deadline, deadline);
    }

    /// The entry is about to be written over: frees the value it pointed to, unless the new one
    /// is the same, changed in place.
    #[cold]
    fn drop_old_value(&mut self, index: u32, part: Part<'_>) {
        if !(part.outside && part.field == index.to_le_bytes()) {
            let value = self.outside.remove_value(index);
            self.let_go(value);
        }
    }

    #[inline]
    fn insert_entry(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        part: Part<'_>,
        deadline: Option<UnixMillis>,
        access: u32,
    ) {
        assert!(self.owns(key.slot));
        let slot = self.local(key.slot);
        let db = &mut self.dbs[usize::from(db)];
        if db.tables.slots() == 0 {
            db.open(self.slots.len(), self.now);
            self.db_bytes += db.held_bytes();
        }
        let index_field;
        let key_outside = key.bytes.len() > KEY_INSIDE_MAX;
        let key_field = if key_outside {
            index_field = self.outside.insert_key(key.bytes).to_le_bytes();
            &index_field
        } else {
            key.bytes
        };
        let side = self.cut.side();
        let draft = Draft { key_outside, key: key_field, part, deadline, access, side };
        let handle = self.slab.alloc(draft.entry_bytes());
        draft.write(self.slab.bytes_mut(handle));
        let due = db.admit(slot, deadline);
        let change = db.insert(slot, word::new(key.hash16(), due, handle));
        self.db_bytes = self.db_bytes.wrapping_add_signed(change);
    }

    /// Makes the table word tell what the entry now says.
    #[inline]
    fn put_word(
        &mut self,
        db: u8,
        key: &KeyRef<'_>,
        found: Found,
        handle: Handle,
        old: Option<UnixMillis>,
        new: Option<UnixMillis>,
    ) {
        let slot = self.local(key.slot);
        let db = &mut self.dbs[usize::from(db)];
        let before = db.tables.table(slot).word(found.place);
        let due = db.change_deadline(slot, before, old, new);
        let after = word::new(key.hash16(), due, handle);
        if after != before {
            db.tables.replace(slot, found.place, after);
        }
    }
}

/// Whether the key's entry has room for a value field of so many bytes.
#[inline]
fn fits_inside(key: &KeyRef<'_>, expiry: Option<UnixMillis>, value_bytes: usize) -> bool {
    value_bytes <= inline_room(key, expiry)
}

/// Bytes a value field of the key's entry may have.
#[inline]
pub(super) fn inline_room(key: &KeyRef<'_>, expiry: Option<UnixMillis>) -> usize {
    let key_bytes = if key.bytes.len() > KEY_INSIDE_MAX { 4 } else { key.bytes.len() };
    BLOCK_BYTES_MAX - entry_bytes(key_bytes, expiry.is_some(), 0)
}
