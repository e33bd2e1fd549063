//! A run of elements in one buffer: what small lists are, and the blocks of large ones.
//!
//! ```text
//! separator · payload · separator · payload · … · payload · separator
//! ```
//! A separator is the XOR of the tags to its left and right, and a tag tells its payload's length;
//! beyond the ends the tag counts as 0. Walking from an end, the tag just passed turns the next
//! separator into the next tag, in either direction. So a run is read and changed at both ends and
//! costs one byte an element, where a listpack, whose entries carry their length twice, costs two.
//! An empty run is no bytes at all. The number of elements is not kept: owners know it.

mod element;
mod ends;
mod run;

pub use element::{Element, Encoded};
pub use ends::{
    join, part_before, part_behind, pop_back, pop_front, push_back, push_front, without,
};
pub use run::{Place, Run};

/// Puts `new`, or nothing, where something or nothing lies between two places of the run that
/// begins at `start`. Grows the vector by exactly what it lacks.
pub fn splice(
    bytes: &mut Vec<u8>,
    start: usize,
    from: Place,
    to: Place,
    new: Option<&Encoded<'_>>,
) {
    let right = Run::new(&bytes[start..]).right(to);
    let was_empty = bytes.len() == start;
    let left_at = start + from.at;
    let rest_at = if was_empty { left_at } else { start + to.at + 1 };
    let written = 1 + new.map_or(0, Encoded::bytes);
    move_rest(bytes, rest_at, left_at + written);
    match new {
        None => bytes[left_at] = from.left ^ right,
        Some(new) => {
            bytes[left_at] = from.left ^ new.tag();
            let end = left_at + 1 + new.payload_bytes();
            new.write(&mut bytes[left_at + 1..end]);
            bytes[end] = new.tag() ^ right;
        }
    }
    if bytes.len() == start + 1 {
        bytes.truncate(start); // a lone separator: nothing is left
    }
}

/// Moves everything behind `from` to `to`; bytes in between are of no meaning.
fn move_rest(bytes: &mut Vec<u8>, from: usize, to: usize) {
    let old = bytes.len();
    if to > from {
        bytes.reserve_exact(to - from);
        bytes.resize(old + (to - from), 0);
    }
    bytes.copy_within(from..old, to);
    bytes.truncate(old - from + to);
}

#[cfg(test)]
mod tests;
