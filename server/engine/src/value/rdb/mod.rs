//! Values as Redis writes them: into RDB files, and with a footer as DUMP's answer. Reading knows
//! every form up to RDB version 12 (Redis 7.4 and 8) and 80 (Valkey 9), writing
//! uses plain listings, which every server since Redis 4 loads and gives its natural encoding.
//!
//! What is read comes from anybody. A decoder yields elements to its caller, which builds the
//! value and refuses duplicates; it never trusts a declared length, and what it yields is checked
//! as it goes: whoever gets an error has to throw the half-built value away.

pub mod crc64;
pub mod footer;
mod hash;
mod input;
mod intset;
mod list;
mod listpack;
mod lzf;
mod output;
mod packed;
mod set;
mod sorted_set;
mod stream;
mod whole;
mod ziplist;
mod zipmap;

pub use hash::{decode_hash, encode_hash};
pub use input::{Input, Text};
pub use list::{decode_list, encode_list};
pub use output::{put_length, put_text};
pub use set::{decode_set, encode_set};
pub use sorted_set::{decode_sorted_set, encode_sorted_set};
pub use stream::{Id, Read, StreamPart, decode_stream};
pub use whole::{Content, decode_content, decode_value, encode_value};

use super::Kind;

/// The bytes are not a value: cut short, inconsistent, or breaking a rule of their type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

pub type Decoded<T> = Result<T, Malformed>;

/// The form a value is written in: the type byte in front of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Form {
    String = 0,
    List = 1,
    Set = 2,
    SortedSetText = 3,
    Hash = 4,
    SortedSet = 5,
    HashZipmap = 9,
    ListZiplist = 10,
    SetIntset = 11,
    SortedSetZiplist = 12,
    HashZiplist = 13,
    ListQuicklist = 14,
    Stream1 = 15,
    HashListpack = 16,
    SortedSetListpack = 17,
    ListQuicklist2 = 18,
    Stream2 = 19,
    SetListpack = 20,
    Stream3 = 21,
    /// Fields with deadlines, as release candidates of Redis 7.4 wrote them.
    HashDeadlinesEarly = 22,
    HashListpackDeadlinesEarly = 23,
    HashDeadlines = 24,
    HashListpackDeadlines = 25,
    /// Fields with deadlines as Valkey 9 writes them: its type 22, which Redis gave another form.
    HashDeadlinesValkey = 200,
}

/// Whose numbers types have: the two projects count apart from 22 on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    Redis,
    Valkey,
}

const FORMS: &[Form] = &[
    Form::String,
    Form::List,
    Form::Set,
    Form::SortedSetText,
    Form::Hash,
    Form::SortedSet,
    Form::HashZipmap,
    Form::ListZiplist,
    Form::SetIntset,
    Form::SortedSetZiplist,
    Form::HashZiplist,
    Form::ListQuicklist,
    Form::Stream1,
    Form::HashListpack,
    Form::SortedSetListpack,
    Form::ListQuicklist2,
    Form::Stream2,
    Form::SetListpack,
    Form::Stream3,
    Form::HashDeadlinesEarly,
    Form::HashListpackDeadlinesEarly,
    Form::HashDeadlines,
    Form::HashListpackDeadlines,
];

impl Form {
    /// The form of a type byte; `None` for modules' values and for what nobody has defined.
    pub fn of(byte: u8) -> Option<Form> {
        FORMS.iter().copied().find(|form| *form as u8 == byte)
    }

    /// As [`Form::of`], by the numbers of a dialect.
    pub fn in_dialect(byte: u8, dialect: Dialect) -> Option<Form> {
        match (dialect, byte) {
            (Dialect::Valkey, 22) => Some(Form::HashDeadlinesValkey),
            (Dialect::Valkey, 23..) => None,
            _ => Form::of(byte),
        }
    }

    /// The type of the values of this form.
    pub fn kind(self) -> Kind {
        use Form as F;
        match self {
            F::String => Kind::String,
            F::List | F::ListZiplist | F::ListQuicklist | F::ListQuicklist2 => Kind::List,
            F::Set | F::SetIntset | F::SetListpack => Kind::Set,
            F::SortedSetText | F::SortedSet | F::SortedSetZiplist | F::SortedSetListpack => {
                Kind::SortedSet
            }
            F::Hash | F::HashZipmap | F::HashZiplist | F::HashListpack => Kind::Hash,
            F::HashDeadlinesEarly | F::HashListpackDeadlinesEarly => Kind::Hash,
            F::HashDeadlines | F::HashListpackDeadlines | F::HashDeadlinesValkey => Kind::Hash,
            F::Stream1 | F::Stream2 | F::Stream3 => Kind::Stream,
        }
    }
}

#[cfg(test)]
mod tests;
