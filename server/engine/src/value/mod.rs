//! What a key can hold when it does not fit into the entry itself. Values know no key, clock,
//! reply or command, so each type can be tested against a std collection.

/// The type of a key, as TYPE names it. Four bits of an entry's header: sixteen at most.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    String = 0,
}

impl Kind {
    /// What TYPE answers.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
        }
    }
}

/// A value outside its entry.
#[derive(Debug)]
pub enum Value {
    /// A string too long for an entry.
    Bytes(Vec<u8>),
}

impl Value {
    /// The type TYPE answers for it.
    pub const fn kind(&self) -> Kind {
        match self {
            Value::Bytes(_) => Kind::String,
        }
    }

    /// Heap bytes behind the value, for the accounting of the core. O(1).
    pub fn heap_bytes(&self) -> usize {
        match self {
            Value::Bytes(bytes) => bytes.capacity(),
        }
    }
}
