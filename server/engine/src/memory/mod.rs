//! Memory of one core: the slab that entries live in, and the arena for what is too large for it.
//! Both belong to one shard, so nothing here is shared or locked, and both know at any time how
//! much they hold.

pub mod arena;
mod records;
pub mod slab;

pub use arena::Arena;
pub use slab::{BLOCK_BYTES_MAX, Handle, PAGE_BYTES, Slab, prefetch_line};
