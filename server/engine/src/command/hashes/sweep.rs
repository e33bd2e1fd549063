//! Fields whose deadline has passed go, whether anybody asks for them or not.

use crate::command::context::Core;
use crate::command::editor::Editor;
use crate::config::NotifyClasses;
use crate::value::{Collection, Hash, HashEdit};

/// Fields removed from one hash before the next one has its turn.
const FIELDS_A_TURN: usize = 64;

/// Removes fields that are due, about `budget` of them; whether there are more. A hash that has
/// lost its last field goes. Keys that are `still` (by their hash) are left for another time: what
/// stands here of one may be lent, and come back with the field.
pub fn sweep(core: &mut Core, mut budget: usize, still: impl Fn(u64) -> bool) -> bool {
    let now = core.now.unix_ms;
    let mut left = Vec::new();
    let mut more = true;
    while budget > 0 {
        let Some((db, name)) = core.keyspace.take_due_fields(now, &mut budget) else {
            more = budget == 0;
            break;
        };
        let key = core.keyspace.key_ref(&name);
        if still(key.hash) {
            left.push((db, name));
            continue;
        }
        let Some(handle) = core.keyspace.find(db, &key) else { continue };
        let mut hash = Editor::<Hash>::new(core, db, key, Some(handle));
        let mut due: Vec<Box<[u8]>> = Vec::new();
        hash.view().for_each_due(now.0, FIELDS_A_TURN.min(budget), &mut |entry| {
            due.push(entry.field.into());
        });
        for field in &due {
            hash.edit(HashEdit::Remove(field));
        }
        budget = budget.saturating_sub(due.len());
        hash.notify(NotifyClasses::HASH, "hexpired");
        let next = hash.next_deadline();
        drop(hash);
        core.keyspace.watch_fields(db, &key, None, next);
    }
    for (db, name) in &left {
        core.keyspace.watch_fields(*db, &core.keyspace.key_ref(name), None, Some(now.0));
    }
    more
}
