//! What a key can hold. Values know no key, clock, reply or command, so each type can be tested
//! against a std collection. A string, or a packed collection, is bytes in its key's entry as long
//! as it fits; everything else is a [`Value`] outside of it. Both are read as a [`ValueView`].

mod collection;
mod dict;
mod draw;
mod hash;
pub mod hyperloglog;
pub mod list;
pub mod packed;
pub mod rdb;
mod set;
mod sorted_set;
mod stored;
pub mod stream;

pub use collection::{Collection, Rules, View};
pub use hash::{Entry, Hash, HashEdit, HashView};
pub use list::{List, ListEdit, ListView};
pub use set::{Member, Set, SetEdit, SetView};
pub use sorted_set::{Edge, NameBound, SortedSet, SortedSetEdit, SortedSetView, Walk};
pub use stored::Stored;
pub use stream::Stream;

/// The type of a key, as TYPE names it. Four bits of an entry's header: sixteen at most. The
/// numbers are on the wire and on disk and never change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    String = 0,
    List = 1,
    Set = 2,
    SortedSet = 3,
    Hash = 4,
    Stream = 5,
}

impl Kind {
    /// The type with this number.
    pub const fn numbered(number: u8) -> Option<Kind> {
        Some(match number {
            0 => Kind::String,
            1 => Kind::List,
            2 => Kind::Set,
            3 => Kind::SortedSet,
            4 => Kind::Hash,
            5 => Kind::Stream,
            _ => return None,
        })
    }

    /// What TYPE answers.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::SortedSet => "zset",
            Kind::Hash => "hash",
            Kind::Stream => "stream",
        }
    }
}

/// A value outside its entry.
#[derive(Debug)]
pub enum Value {
    /// A string too long for an entry.
    Bytes(Vec<u8>),
    List(List),
    Set(Set),
    Hash(Hash),
    SortedSet(SortedSet),
    Stream(Stream),
}

/// Small collections have none, but a million of a few KiB each are not unusual.
const _: () = assert!(size_of::<Value>() <= 40);

/// A collection that is only read, wherever its bytes lie.
#[derive(Clone, Copy, Debug)]
pub enum ValueView<'a> {
    List(ListView<'a>),
    Set(SetView<'a>),
    Hash(HashView<'a>),
    SortedSet(SortedSetView<'a>),
    Stream(&'a Stream),
}
