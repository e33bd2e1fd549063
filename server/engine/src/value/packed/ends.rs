//! Changing a run in a vector that may have room at its ends: what the blocks of a large list do.
//! A run begins at `start`, bytes before it are of no meaning; it ends where the vector ends.

use super::element::{Encoded, payload_bytes_ahead, payload_bytes_behind};
use super::run::{Place, Run};

/// Appends to a run. Takes no memory while the vector has capacity.
#[inline]
pub fn push_back(bytes: &mut Vec<u8>, start: usize, new: &Encoded<'_>) {
    if bytes.len() == start {
        bytes.push(0);
    }
    let last = bytes.len();
    bytes[last - 1] ^= new.tag();
    bytes.resize(last + new.bytes(), 0);
    let end = last + new.payload_bytes();
    new.write(&mut bytes[last..end]);
    bytes[end] = new.tag();
}

/// Puts `new` before a run that is not empty and has [`Encoded::bytes`] of room before it. Returns
/// where the run begins now.
#[inline]
pub fn push_front(bytes: &mut [u8], start: usize, new: &Encoded<'_>) -> usize {
    debug_assert!(bytes.len() > start);
    let now = start - new.bytes();
    bytes[start] ^= new.tag();
    new.write(&mut bytes[now + 1..start]);
    bytes[now] = new.tag();
    now
}

/// Takes the last element of a run that has one.
#[inline]
pub fn pop_back(bytes: &mut Vec<u8>, start: usize) {
    let Some(tag) = bytes.pop() else { return };
    let payload = payload_bytes_behind(tag, &bytes[start..]);
    bytes.truncate(bytes.len() - payload);
    let last = bytes.len() - 1;
    bytes[last] ^= tag;
    if last == start {
        bytes.truncate(start); // a lone separator: nothing is left
    }
}

/// Takes the first element of a run that has one. Returns where the run begins now.
#[inline]
pub fn pop_front(bytes: &mut Vec<u8>, start: usize) -> usize {
    let tag = bytes[start];
    let now = start + 1 + payload_bytes_ahead(tag, &bytes[start + 1..]);
    bytes[now] ^= tag;
    if now + 1 == bytes.len() {
        bytes.truncate(now); // a lone separator: nothing is left
    }
    now
}

/// The part of a run before `place`, as a run of its own.
pub fn part_before(run: Run<'_>, place: Place) -> Vec<u8> {
    let mut bytes = run.as_bytes()[..=place.at].to_vec();
    bytes[place.at] = place.left;
    bytes
}

/// The part of a run behind `place`, as a run of its own.
pub fn part_behind(run: Run<'_>, place: Place) -> Vec<u8> {
    let mut bytes = run.as_bytes()[place.at..].to_vec();
    bytes[0] = run.right(place);
    bytes
}

/// Appends one run to another; neither is empty.
pub fn join(bytes: &mut Vec<u8>, more: Run<'_>) {
    if let (Some(last), Some((first, rest))) = (bytes.last_mut(), more.as_bytes().split_first()) {
        *last ^= first;
        bytes.extend_from_slice(rest);
    }
}

/// The run without the elements equal to `needle`, of which it leaves the first `keep` and takes
/// at most `limit`; and how many were taken. `None`: there was none to take.
pub fn without(
    run: Run<'_>,
    needle: &Encoded<'_>,
    keep: usize,
    limit: usize,
) -> Option<(Vec<u8>, usize)> {
    run.find(needle, Place::FRONT)?;
    let mut bytes = Vec::with_capacity(run.bytes());
    let (mut kept, mut taken) = (0, 0);
    let mut place = Place::FRONT;
    while let Some((tag, payload, behind)) = run.ahead(place) {
        place = behind;
        if taken < limit && needle.is(tag, payload) {
            if kept == keep {
                taken += 1;
                continue;
            }
            kept += 1;
        }
        match bytes.last_mut() {
            Some(last) => *last ^= tag,
            None => bytes.push(tag),
        }
        bytes.extend_from_slice(payload);
        bytes.push(tag);
    }
    (taken > 0).then_some((bytes, taken))
}
