//! What a handler sees of a hash: the fields that are alive. One whose deadline has passed is
//! hidden from readers at once and removed by whoever is about to change it; upkeep removes the
//! others.

use crate::command::editor::Editor;
use crate::config::NotifyClasses;
use crate::value::{Collection, Entry, Hash, HashEdit, HashView, View};

/// The field, if it is alive.
#[inline]
pub(super) fn get<'h>(hash: Option<HashView<'h>>, field: &[u8], now: i64) -> Option<Entry<'h>> {
    hash?.get(field).filter(|entry| !entry.is_due(now))
}

/// All fields that are alive.
pub(super) fn iter(hash: Option<HashView<'_>>, now: i64) -> impl Iterator<Item = Entry<'_>> {
    let entries = hash.into_iter().flat_map(|hash| hash.iter());
    entries.filter(move |entry| !entry.is_due(now))
}

/// How many fields are alive.
pub(super) fn len(hash: Option<HashView<'_>>, now: i64) -> usize {
    hash.map_or(0, |hash| hash.len() - hash.due_len(now))
}

/// Removes the field if its deadline has passed, before it is changed.
#[inline]
pub(super) fn settle(hash: &mut Editor<'_, Hash>, field: &[u8]) {
    let now = hash.now_ms().0;
    if hash.next_deadline().is_none_or(|deadline| deadline >= now) {
        return; // no field's has passed: nothing to be looked up before the change
    }
    if hash.get(field).is_some_and(|entry| entry.is_due(now)) {
        hash.edit(HashEdit::Remove(field));
        hash.notify(NotifyClasses::HASH, "hexpired");
    }
}
