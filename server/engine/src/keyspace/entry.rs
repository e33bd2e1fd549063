//! One key with its value, in one block of the slab:
//!
//! ```text
//! header 8 | deadline 8, if it has one | key | value
//!
//! header, a little-endian word:
//!   bits  0..4   type (Kind), sixteen at most
//!   bits  4..8   encoding, numbered per type: of a collection, the form it is packed in
//!   bits  8..16  flags: 0 deadline, 1 version (reserved: 8 bytes behind the deadline),
//!                2 key outside, 3 value outside, 4 side of the cut (see `cut`), 5..8 spare
//!   bits 16..24  bytes of the key field
//!   bits 24..40  bytes of the value field
//!   bits 40..64  access clock, see `eviction`
//! ```
//!
//! A key longer than 255 bytes, or a value that would make the block longer than 1,024, lives
//! outside; its field then holds a 4-byte index. A 16-byte key with an 8-byte value takes 32
//! bytes, with a deadline 40. A packed collection is its own value field, like a string.

use super::outside::Outside;
use crate::base::number;
use crate::base::time::UnixMillis;
use crate::value::{Collection, Kind, Stored, Value, ValueView};

/// Longest key that stands in its entry.
pub(super) const KEY_INSIDE_MAX: usize = u8::MAX as usize;

/// Longest integer kept as text.
pub(super) const INT_TEXT_MAX: usize = 8;

/// Strings up to this length are `embstr`, as in Redis.
const EMBSTR_BYTES_MAX: usize = 44;

const HEADER_BYTES: usize = 8;
const DEADLINE_BYTES: usize = 8;

/// Encodings of a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Encoding {
    /// Any bytes.
    Text = 0,
    /// A canonical integer of at most 8 characters, as text.
    IntText = 1,
    /// A longer integer, as 8 little-endian bytes.
    IntWord = 2,
    /// Any bytes that were written into: `raw` whatever their length.
    Raw = 3,
}

pub(super) mod flag {
    pub const DEADLINE: u8 = 1;
    pub const KEY_OUTSIDE: u8 = 4;
    pub const VALUE_OUTSIDE: u8 = 8;
    pub const CUT: u8 = 16;
}

/// On which side of the last cut an entry stands: one bit of a header.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Side(u64);

impl Side {
    const BIT: u64 = (flag::CUT as u64) << 8;

    #[inline]
    pub fn other(self) -> Side {
        Side(self.0 ^ Side::BIT)
    }
}

/// The first word of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header(u64);

impl Header {
    #[inline]
    pub fn read(entry: &[u8]) -> Header {
        Header(word_at(entry, 0))
    }

    #[inline]
    pub fn kind(self) -> Kind {
        Kind::numbered(self.0 as u8 & 15).expect("an entry is written with a type")
    }

    #[inline]
    pub fn is_string(self) -> bool {
        self.0 & 15 == Kind::String as u64
    }

    #[inline]
    pub fn encoding_number(self) -> u8 {
        (self.0 >> 4) as u8 & 15
    }

    #[inline]
    pub fn has(self, flag: u8) -> bool {
        self.0 >> 8 & u64::from(flag) != 0
    }

    #[inline]
    pub fn key_bytes(self) -> usize {
        usize::from((self.0 >> 16) as u8)
    }

    #[inline]
    pub fn value_bytes(self) -> usize {
        usize::from((self.0 >> 24) as u16)
    }

    #[inline]
    pub fn access(self) -> u32 {
        (self.0 >> 40) as u32
    }

    #[inline]
    pub fn with_access(self, access: u32) -> Header {
        Header(self.0 & ((1 << 40) - 1) | u64::from(access) << 40)
    }

    #[inline]
    pub fn with_encoding(self, encoding: u8) -> Header {
        Header(self.0 & !(15 << 4) | u64::from(encoding) << 4)
    }

    #[inline]
    pub fn is_on(self, side: Side) -> bool {
        (self.0 ^ side.0) & Side::BIT == 0
    }

    #[inline]
    pub fn with_side(self, side: Side) -> Header {
        Header(self.0 & !Side::BIT | side.0)
    }

    /// With a value field of so many bytes.
    #[inline]
    pub fn with_value_bytes(self, bytes: usize) -> Header {
        debug_assert!(bytes <= usize::from(u16::MAX));
        Header(self.0 & !(0xffff << 24) | (bytes as u64) << 24)
    }

    #[inline]
    pub fn write(self, entry: &mut [u8]) {
        entry[..HEADER_BYTES].copy_from_slice(&self.0.to_le_bytes());
    }

    /// Where the key field begins.
    #[inline]
    pub fn key_start(self) -> usize {
        HEADER_BYTES + ((self.0 >> 8) as usize & usize::from(flag::DEADLINE)) * DEADLINE_BYTES
    }

    /// Where the value field begins.
    #[inline]
    pub fn value_start(self) -> usize {
        self.key_start() + self.key_bytes()
    }

    /// Bytes of the whole entry.
    #[inline]
    pub fn entry_bytes(self) -> usize {
        self.value_start() + self.value_bytes()
    }

    #[inline]
    pub fn deadline(self, entry: &[u8]) -> Option<UnixMillis> {
        self.has(flag::DEADLINE).then(|| UnixMillis(word_at(entry, HEADER_BYTES) as i64))
    }

    /// The index in the value field of an entry whose value is outside.
    #[inline]
    pub fn value_index(self, entry: &[u8]) -> u32 {
        debug_assert!(self.has(flag::VALUE_OUTSIDE));
        index_at(entry, self.value_start())
    }

    /// The index in the key field of an entry whose key is outside.
    #[inline]
    pub fn key_index(self, entry: &[u8]) -> u32 {
        debug_assert!(self.has(flag::KEY_OUTSIDE));
        index_at(entry, self.key_start())
    }
}

/// The value of an entry as the entry keeps it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub kind: Kind,
    /// Numbered per type; for strings [`Encoding`].
    pub encoding: u8,
    /// Whether `field` is the index of a value outside.
    pub outside: bool,
    pub field: &'a [u8],
}

impl<'a> Part<'a> {
    #[inline]
    pub fn text(encoding: Encoding, field: &'a [u8]) -> Part<'a> {
        Part { kind: Kind::String, encoding: encoding as u8, outside: false, field }
    }
}

/// What is to be written as one entry.
#[derive(Clone, Copy)]
pub(super) struct Draft<'a> {
    /// Whether `key` is the index of a key outside.
    pub key_outside: bool,
    pub key: &'a [u8],
    pub part: Part<'a>,
    pub deadline: Option<UnixMillis>,
    pub access: u32,
    pub side: Side,
}

impl Draft<'_> {
    #[inline]
    pub fn entry_bytes(&self) -> usize {
        entry_bytes(self.key.len(), self.deadline.is_some(), self.part.field.len())
    }

    #[inline]
    fn header(&self) -> Header {
        debug_assert!(self.key.len() <= KEY_INSIDE_MAX);
        debug_assert!(self.part.field.len() <= usize::from(u16::MAX));
        let flags = if self.deadline.is_some() { flag::DEADLINE } else { 0 }
            | if self.key_outside { flag::KEY_OUTSIDE } else { 0 }
            | if self.part.outside { flag::VALUE_OUTSIDE } else { 0 };
        Header(
            self.part.kind as u64
                | u64::from(self.part.encoding) << 4
                | u64::from(flags) << 8
                | (self.key.len() as u64) << 16
                | (self.part.field.len() as u64) << 24
                | self.side.0,
        )
        .with_access(self.access)
    }

    /// Writes the entry to the front of `block`.
    #[inline]
    pub fn write(&self, block: &mut [u8]) {
        let header = self.header();
        let key_start = header.key_start();
        block[key_start..][..self.key.len()].copy_from_slice(self.key);
        self.write_around_key(header, block);
    }

    /// As [`Draft::write`] over an entry of the same key whose header is `old`: the key is left
    /// alone if it stays where it is.
    #[inline]
    pub fn write_over(&self, old: Header, block: &mut [u8]) {
        let header = self.header();
        if header.key_start() == old.key_start() {
            self.write_around_key(header, block);
        } else {
            self.write(block);
        }
    }

    #[inline]
    fn write_around_key(&self, header: Header, block: &mut [u8]) {
        header.write(block);
        if let Some(UnixMillis(deadline)) = self.deadline {
            write_deadline(block, deadline);
        }
        block[header.value_start()..][..self.part.field.len()].copy_from_slice(self.part.field);
    }
}

/// Bytes of an entry with these fields.
#[inline]
pub(super) const fn entry_bytes(key: usize, has_deadline: bool, value: usize) -> usize {
    HEADER_BYTES + if has_deadline { DEADLINE_BYTES } else { 0 } + key + value
}

/// Changes the deadline of an entry that has one.
#[inline]
pub(super) fn write_deadline(entry: &mut [u8], deadline: i64) {
    entry[HEADER_BYTES..][..DEADLINE_BYTES].copy_from_slice(&deadline.to_le_bytes());
}

/// The value of an entry, as it is kept.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string in the entry.
    Inline(&'a [u8]),
    /// A string that is an integer of more than 8 characters.
    Int(i64),
    /// A string outside the entry.
    Bytes(&'a Vec<u8>),
    /// A list, set, sorted set, hash or stream.
    Collection(ValueView<'a>),
}

impl<'a> ValueRef<'a> {
    /// The string's bytes; an integer is printed into `buffer`. A collection has none: whoever
    /// asks has looked at the type.
    #[inline]
    pub fn text(self, buffer: &'a mut itoa::Buffer) -> &'a [u8] {
        match self {
            ValueRef::Inline(bytes) => bytes,
            ValueRef::Int(number) => buffer.format(number).as_bytes(),
            ValueRef::Bytes(bytes) => bytes,
            ValueRef::Collection(_) => &[],
        }
    }

    /// How long the string is.
    pub fn text_bytes(self) -> usize {
        self.text(&mut itoa::Buffer::new()).len()
    }
}

/// A key with all that belongs to it, where it lies. Valid until the keyspace changes.
#[derive(Clone, Copy)]
pub struct EntryRef<'a> {
    header: Header,
    /// From the entry to the end of its page.
    bytes: &'a [u8],
    outside: &'a Outside,
}

impl<'a> EntryRef<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8], outside: &'a Outside) -> EntryRef<'a> {
        EntryRef { header: Header::read(bytes), bytes, outside }
    }

    /// The entry at `bytes`, whose header is known.
    #[inline]
    pub(super) fn with_header(
        header: Header,
        bytes: &'a [u8],
        outside: &'a Outside,
    ) -> EntryRef<'a> {
        debug_assert!(header == Header::read(bytes));
        EntryRef { header, bytes, outside }
    }

    /// The entry at `bytes` if it is that of `key`. The length is compared first: it is in the
    /// header, which has just been loaded.
    #[inline]
    pub(super) fn of_key(
        bytes: &'a [u8],
        outside: &'a Outside,
        key: &[u8],
    ) -> Option<EntryRef<'a>> {
        let header = Header::read(bytes);
        let start = header.key_start();
        let same = if header.has(flag::KEY_OUTSIDE) {
            **outside.keys.get(header.key_index(bytes)) == *key
        } else {
            header.key_bytes() == key.len() && same_bytes(&bytes[start..][..key.len()], key)
        };
        same.then_some(EntryRef { header, bytes, outside })
    }

    #[inline]
    pub(super) fn header(&self) -> Header {
        self.header
    }

    /// The value as the entry keeps it.
    #[inline]
    pub(super) fn part(&self) -> Part<'a> {
        Part {
            kind: self.kind(),
            encoding: self.header.encoding_number(),
            outside: self.header.has(flag::VALUE_OUTSIDE),
            field: self.field(),
        }
    }

    /// The value field.
    #[inline]
    fn field(&self) -> &'a [u8] {
        &self.bytes[self.header.value_start()..][..self.header.value_bytes()]
    }

    /// The entry's bytes and the rest of its page.
    #[inline]
    pub(super) fn raw(&self) -> &'a [u8] {
        self.bytes
    }

    /// The type TYPE answers.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.header.kind()
    }

    /// What OBJECT ENCODING answers, as Redis 7.2.
    pub fn encoding_name(&self) -> &'static str {
        if let ValueRef::Collection(value) = self.value() {
            return value.encoding_name();
        }
        match self.header.encoding_number() {
            n if n == Encoding::IntText as u8 || n == Encoding::IntWord as u8 => "int",
            n if n == Encoding::Raw as u8 => "raw",
            _ if self.value().text_bytes() > EMBSTR_BYTES_MAX => "raw",
            _ => "embstr",
        }
    }

    /// Whether the string was written into (APPEND, SETRANGE), so that its encoding is `raw`
    /// whatever its length.
    pub fn is_raw(&self) -> bool {
        self.header.encoding_number() == Encoding::Raw as u8
    }

    /// The deadline, if it has one. It may have passed.
    #[inline]
    pub fn expiry(&self) -> Option<UnixMillis> {
        self.header.deadline(self.bytes)
    }

    /// Whether the deadline has passed at `now`. A key lives through the millisecond of its
    /// deadline, as in Redis.
    #[inline]
    pub fn is_expired(&self, now: UnixMillis) -> bool {
        self.expiry().is_some_and(|deadline| now > deadline)
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &'a [u8] {
        if self.header.has(flag::KEY_OUTSIDE) {
            return self.outside.keys.get(self.header.key_index(self.bytes));
        }
        &self.bytes[self.header.key_start()..][..self.header.key_bytes()]
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> ValueRef<'a> {
        if self.header.has(flag::VALUE_OUTSIDE) {
            let value = self.outside.values.get(self.header.value_index(self.bytes));
            return match (value, value.view()) {
                (Value::Bytes(bytes), _) => ValueRef::Bytes(bytes),
                (_, view) => ValueRef::Collection(view.expect("a collection can be viewed")),
            };
        }
        if !self.header.is_string() {
            let (kind, form) = (self.kind(), self.header.encoding_number());
            let view = ValueView::inline(kind, form, self.field());
            return ValueRef::Collection(view.expect("what is no string is a collection"));
        }
        if self.header.encoding_number() == Encoding::IntWord as u8 {
            return ValueRef::Int(word_at(self.bytes, self.header.value_start()) as i64);
        }
        ValueRef::Inline(self.field())
    }

    /// The collection it holds, if it is of that type.
    #[inline]
    pub fn collection<C: Stored>(&self) -> Option<C::View<'a>> {
        if self.kind() != C::KIND {
            return None;
        }
        if self.header.has(flag::VALUE_OUTSIDE) {
            let value = self.outside.values.get(self.header.value_index(self.bytes));
            return C::of(value).map(Collection::view);
        }
        Some(C::view_inline(self.header.encoding_number(), self.field()))
    }

    /// The integer the string is, if it is one in canonical form.
    #[inline]
    pub fn integer(&self) -> Option<i64> {
        match self.value() {
            ValueRef::Int(number) => Some(number),
            ValueRef::Inline(bytes) => number::parse_i64(bytes),
            ValueRef::Bytes(_) | ValueRef::Collection(_) => None,
        }
    }

    /// The access clock: 24 bits, read by `eviction`.
    #[inline]
    pub fn access(&self) -> u32 {
        self.header.access()
    }
}

/// Whether two slices of one length are equal. Keys of 8 to 16 bytes, the usual ones, are two
/// loads from each side instead of a call.
#[inline]
fn same_bytes(ours: &[u8], theirs: &[u8]) -> bool {
    let len = theirs.len();
    if ours.len() != len || !(8..=16).contains(&len) {
        return ours == theirs;
    }
    word_at(ours, 0) == word_at(theirs, 0) && word_at(ours, len - 8) == word_at(theirs, len - 8)
}

#[inline]
fn word_at(entry: &[u8], start: usize) -> u64 {
    let bytes: [u8; 8] = entry[start..start + 8].try_into().expect("eight bytes");
    u64::from_le_bytes(bytes)
}

#[inline]
fn index_at(entry: &[u8], start: usize) -> u32 {
    let bytes: [u8; 4] = entry[start..start + 4].try_into().expect("four bytes");
    u32::from_le_bytes(bytes)
}
