//! What does not fit into entries: keys of more than 255 bytes and long values. An entry holds
//! their index; the heap bytes behind them are counted while they change.

use std::collections::BTreeSet;

use crate::memory::Arena;
use crate::value::Value;

/// Allocations of a collection that are freed where one item would be: 0.13 us each when they are
/// pages of a hash of ten million. With 8 a slice after FLUSHALL took up to 0.5 ms.
const PIECES_AN_ITEM: usize = 2;

/// Keys and values outside their entries.
#[derive(Default, Debug)]
pub(super) struct Outside {
    pub keys: Arena<Box<[u8]>>,
    pub values: Arena<Value>,
    /// Values with work left for upkeep, and some that have gone or got it done meanwhile.
    untidy: BTreeSet<u32>,
    /// Heap bytes behind the keys and values, kept while they change.
    pub heap_bytes: usize,
}

impl Outside {
    pub fn insert_key(&mut self, key: &[u8]) -> u32 {
        self.heap_bytes += key.len();
        self.keys.insert(key.into())
    }

    pub fn remove_key(&mut self, index: u32) {
        self.heap_bytes -= self.keys.remove(index).len();
    }

    pub fn insert_value(&mut self, value: Value) -> u32 {
        self.heap_bytes += value.heap_bytes();
        let is_untidy = value.is_untidy();
        let index = self.values.insert(value);
        if is_untidy {
            self.untidy.insert(index);
        }
        index
    }

    pub fn remove_value(&mut self, index: u32) -> Value {
        let value = self.values.remove(index);
        self.heap_bytes -= value.heap_bytes();
        value
    }

    /// Changes a value and keeps the account.
    pub fn edit_value<R>(&mut self, index: u32, edit: impl FnOnce(&mut Value) -> R) -> R {
        let value = self.values.get_mut(index);
        let before = value.heap_bytes();
        let result = edit(value);
        self.heap_bytes = self.heap_bytes - before + value.heap_bytes();
        if value.is_untidy() {
            self.untidy.insert(index);
        }
        result
    }

    /// Whether values may have work left, see [`Outside::tidy_some`].
    #[inline]
    pub fn is_untidy(&self) -> bool {
        !self.untidy.is_empty()
    }

    /// Does some of the work that an edit has left in a value.
    pub fn tidy_some(&mut self, pieces: usize) {
        let Some(index) = self.untidy.pop_first() else { return };
        if self.values.contains(index) {
            self.edit_value(index, |value| value.tidy(pieces));
        }
    }

    /// Drops up to `count` items without keeping the account of each, and says whether any are
    /// left; for what nobody refers to any more.
    pub fn drop_some(&mut self, count: usize) -> bool {
        let keys_left = self.keys.drop_some(count, |_| false);
        let pieces = count * PIECES_AN_ITEM;
        let left = self.values.drop_some(count, |value| value.dismantle(pieces)) || keys_left;
        if !left {
            self.heap_bytes = 0;
        }
        left
    }

    #[inline]
    pub fn held_bytes(&self) -> usize {
        self.heap_bytes + self.keys.array_bytes() + self.values.array_bytes()
    }
}
