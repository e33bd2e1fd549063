//! What keyspace and effects do with a value whatever its type: one `match`, once.

use super::{Collection, Hash, Kind, List, Rules, Set, SortedSet, Stream, Value, ValueView, View};

/// A collection that can be a key's value.
pub trait Stored: Collection {
    /// The collection in a value of this type.
    fn of(value: &Value) -> Option<&Self>;
    /// As [`Stored::of`], to be changed.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn into_value(self) -> Value;
    /// The view of this type.
    fn of_view(view: ValueView<'_>) -> Option<Self::View<'_>>;
}

macro_rules! stored {
    ($($name:ident),*) => {
        $(impl Stored for $name {
            fn of(value: &Value) -> Option<&Self> {
                match value {
                    Value::$name(collection) => Some(collection),
                    _ => None,
                }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                match value {
                    Value::$name(collection) => Some(collection),
                    _ => None,
                }
            }

            fn into_value(self) -> Value {
                Value::$name(self)
            }

            #[inline]
            fn of_view(view: ValueView<'_>) -> Option<Self::View<'_>> {
                match view {
                    ValueView::$name(view) => Some(view),
                    _ => None,
                }
            }
        })*

        impl Value {
            /// The type TYPE answers for it.
            pub const fn kind(&self) -> Kind {
                match self {
                    Value::Bytes(_) => Kind::String,
                    $(Value::$name(_) => $name::KIND,)*
                }
            }

            /// An empty value; `None` for strings, which are never put together by edits.
            pub fn empty(kind: Kind) -> Option<Value> {
                match kind {
                    $($name::KIND => Some(Value::$name($name::default())),)*
                    _ => None,
                }
            }

            /// Heap bytes behind the value, for the accounting of the core. O(1).
            pub fn heap_bytes(&self) -> usize {
                match self {
                    Value::Bytes(bytes) => bytes.capacity(),
                    $(Value::$name(collection) => collection.heap_bytes(),)*
                }
            }

            /// How the collection is read; `None` for strings.
            #[inline]
            pub fn view(&self) -> Option<ValueView<'_>> {
                match self {
                    Value::Bytes(_) => None,
                    $(Value::$name(collection) => Some(ValueView::$name(collection.view())),)*
                }
            }

            /// As [`Collection::into_inline`]; strings have their own ways.
            ///
            /// # Errors
            /// The value, unchanged, if it is large or a string.
            pub fn into_inline(self, bytes_max: usize) -> Result<(u8, Vec<u8>), Value> {
                match self {
                    Value::Bytes(_) => Err(self),
                    $(Value::$name(collection) => {
                        collection.into_inline(bytes_max).map_err(Value::$name)
                    })*
                }
            }

            /// As [`Collection::from_inline`].
            pub fn from_inline(kind: Kind, form: u8, bytes: Vec<u8>) -> Value {
                match kind {
                    $($name::KIND => Value::$name($name::from_inline(form, bytes)),)*
                    Kind::String => Value::Bytes(bytes),
                }
            }

            /// As [`Collection::fit`].
            pub fn fit(&mut self) {
                match self {
                    Value::Bytes(_) => {}
                    $(Value::$name(collection) => collection.fit(),)*
                }
            }

            /// Whether the key is to go.
            pub fn is_spent(&self) -> bool {
                match self {
                    Value::Bytes(_) => false,
                    $(Value::$name(collection) => Collection::is_empty(collection),)*
                }
            }

            /// As [`Collection::next_deadline`].
            pub fn next_deadline(&self) -> Option<i64> {
                match self {
                    Value::Bytes(_) => None,
                    $(Value::$name(collection) => Collection::next_deadline(collection),)*
                }
            }

            /// Makes an encoded edit: whether the bytes were one.
            pub fn apply_encoded(&mut self, edit: &[u8], rules: &Rules) -> bool {
                match self {
                    Value::Bytes(_) => false,
                    $(Value::$name(collection) => {
                        let Some(edit) = $name::decode_edit(edit) else { return false };
                        collection.apply(edit, rules);
                        true
                    })*
                }
            }

            /// As [`Collection::take_debris`].
            pub fn take_debris(&mut self, rules: &Rules) -> Option<Value> {
                match self {
                    Value::Bytes(_) => None,
                    $(Value::$name(collection) => {
                        Some(Value::$name(collection.take_debris(rules)?))
                    })*
                }
            }

            /// As [`Collection::is_untidy`].
            #[inline]
            pub fn is_untidy(&self) -> bool {
                match self {
                    Value::Bytes(_) => false,
                    $(Value::$name(collection) => collection.is_untidy(),)*
                }
            }

            /// As [`Collection::tidy`].
            pub fn tidy(&mut self, pieces: usize) {
                match self {
                    Value::Bytes(_) => {}
                    $(Value::$name(collection) => collection.tidy(pieces),)*
                }
            }

            /// As [`Collection::check_invariants`].
            pub fn check_invariants(&self, rules: &Rules) {
                match self {
                    Value::Bytes(_) => {}
                    $(Value::$name(collection) => collection.check_invariants(rules),)*
                }
            }

            /// Frees up to about `pieces` allocations; whether any are left.
            pub fn dismantle(&mut self, pieces: usize) -> bool {
                match self {
                    Value::Bytes(_) => false,
                    $(Value::$name(collection) => collection.dismantle(pieces),)*
                }
            }
        }

        impl<'a> ValueView<'a> {
            /// As [`Collection::view_inline`]; no string is a collection.
            #[inline]
            pub fn inline(kind: Kind, form: u8, bytes: &'a [u8]) -> Option<ValueView<'a>> {
                match kind {
                    $($name::KIND => Some(ValueView::$name($name::view_inline(form, bytes))),)*
                    Kind::String => None,
                }
            }

            /// The type TYPE answers for it.
            pub const fn kind(self) -> Kind {
                match self {
                    $(ValueView::$name(_) => $name::KIND,)*
                }
            }

            /// What OBJECT ENCODING answers.
            pub fn encoding_name(self) -> &'static str {
                match self {
                    $(ValueView::$name(view) => View::encoding_name(view),)*
                }
            }

            /// A hash of the content, whatever its layout.
            pub fn digest(self) -> u64 {
                match self {
                    $(ValueView::$name(view) => View::digest(view),)*
                }
            }

            /// As [`View::next_deadline`].
            pub fn next_deadline(self) -> Option<i64> {
                match self {
                    $(ValueView::$name(view) => View::next_deadline(view),)*
                }
            }

            /// Calls `visit` with the encoded edits that make an empty value equal to this one.
            pub fn for_each_encoded(self, mut visit: impl FnMut(&[u8])) {
                let mut bytes = Vec::new();
                match self {
                    $(ValueView::$name(view) => View::for_each_edit(view, &mut |edit| {
                        bytes.clear();
                        $name::encode_edit(edit, &mut bytes);
                        visit(&bytes);
                    }),)*
                }
            }

            /// An equal value. O(n).
            pub fn duplicate(self, rules: &Rules) -> Value {
                match self {
                    $(ValueView::$name(view) => {
                        let mut copy = $name::default();
                        View::for_each_edit(view, &mut |edit| {
                            copy.apply(edit, rules);
                        });
                        Value::$name(copy)
                    })*
                }
            }
        }
    };
}

stored!(Hash, List, Set, SortedSet, Stream);
