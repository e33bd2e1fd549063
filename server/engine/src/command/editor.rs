//! A collection while a handler changes it. Every change goes through [`Editor::edit`], which makes
//! it and notes the effect in one step; when the editor is dropped the collection is back in its
//! key, a new one has been made its key's value, and one that became empty has gone with its key.

use std::ops::Deref;

use crate::base::random::Random;
use crate::base::time::UnixMillis;
use crate::config::NotifyClasses;
use crate::effect::Effect;
use crate::keyspace::KeyRef;
use crate::memory::Handle;
use crate::value::Stored;

use super::context::Core;

/// A collection of a live key, or one that becomes a key's value. Reads as the collection.
pub struct Editor<'c, C: Stored> {
    core: &'c mut Core,
    db: u8,
    key: KeyRef<'c>,
    /// Where the key stands; none while there is no such key.
    handle: Option<Handle>,
    /// The earliest deadline inside, before any edit.
    deadline_before: Option<i64>,
    /// Kept apart from the keyspace while it is edited.
    collection: C,
    /// Some edit has changed something.
    changed: bool,
    /// Some edit has taken the last element, and others may have followed.
    emptied: bool,
}

impl<'c, C: Stored> Editor<'c, C> {
    /// `handle` is that of a live key which holds a `C`, or none.
    pub(super) fn new(
        core: &'c mut Core,
        db: u8,
        key: KeyRef<'c>,
        handle: Option<Handle>,
    ) -> Editor<'c, C> {
        let collection: C = match handle {
            Some(handle) => core.keyspace.lend(db, handle).unwrap_or_default(),
            None => core.keyspace.blank(),
        };
        let deadline_before = collection.next_deadline();
        Editor {
            core,
            db,
            key,
            handle,
            deadline_before,
            collection,
            changed: false,
            emptied: false,
        }
    }

    /// Makes the change and notes it; whether there was one.
    #[inline]
    pub fn edit(&mut self, edit: C::Edit<'_>) -> bool {
        let fresh = self.handle.is_none() && !self.changed;
        let changed = self.collection.apply(edit, self.core.keyspace.rules());
        if changed {
            self.changed = true;
            if fresh {
                // Redis makes the key before it fills it, and says so first.
                self.notify(NotifyClasses::NEW, "new");
            }
            self.core.effects.push_edit::<C>(self.db, self.key.bytes, edit);
            self.emptied |= self.collection.is_empty();
        }
        changed
    }

    /// The collection and the dice, for what is drawn at random.
    pub fn with_random(&mut self) -> (C::View<'_>, &mut Random) {
        (self.collection.view(), &mut self.core.random)
    }

    /// As [`super::context::Cx::notify`], about this key.
    pub fn notify(&mut self, class: NotifyClasses, event: &'static str) {
        self.core.effects.notify(class, event, self.db, self.key.bytes);
    }

    /// Whether the key existed before.
    pub fn existed(&self) -> bool {
        self.handle.is_some()
    }

    pub fn now_ms(&self) -> UnixMillis {
        self.core.now.unix_ms
    }
}

impl<C: Stored> Deref for Editor<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.collection
    }
}

impl<C: Stored> Drop for Editor<'_, C> {
    fn drop(&mut self) {
        let collection = std::mem::take(&mut self.collection);
        let spent = collection.is_empty();
        let core = &mut *self.core;
        match self.handle {
            Some(handle) => {
                let deadline = collection.next_deadline();
                core.keyspace.give_back(self.db, &self.key, handle, collection, self.changed);
                core.keyspace.watch_fields(self.db, &self.key, self.deadline_before, deadline);
            }
            // An empty stream is a value like any other, but only if somebody made it.
            None if spent || !self.changed => core.keyspace.give_up(collection),
            None => {
                let value = collection.into_value();
                let access = core.access;
                core.keyspace.set_collection(self.db, &self.key, value, None, access);
            }
        }
        if spent && self.handle.is_some() {
            // The last edit says so already: whoever replays it removes the key as well.
            core.keyspace.remove(self.db, &self.key);
            core.effects.notify(NotifyClasses::GENERIC, "del", self.db, self.key.bytes);
        } else if self.emptied {
            // Whoever replays has removed the key in between, and with it the deadline.
            let at = core.keyspace.get(self.db, &self.key).and_then(|entry| entry.expiry());
            if at.is_some() {
                core.effects.push(Effect::Expire { db: self.db, key: self.key.bytes, at });
            }
        }
    }
}
