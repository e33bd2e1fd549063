//! The keys of this core that somebody watches, and when each last changed. The table hears of
//! changes where effects leave, so whatever changes a key (a command, expiry, eviction, another
//! core's transaction) is seen; it is empty, and costs one branch, while nobody watches.
//!
//! Time is a count of changes. Whoever watches is told the present count, its *stamp*; the key has
//! changed for it when the key's own count has gone beyond.

use std::collections::BTreeMap;

use super::Effect;

/// A key somebody watches, as the watcher remembers it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watched {
    pub db: u8,
    pub key: Box<[u8]>,
    /// What [`Watches::add`] returned.
    pub stamp: u64,
}

/// What the owner of the key knows.
struct Watch {
    db: u8,
    watchers: u32,
    /// Whether there is such a key: a flush is no change for one that is missing.
    present: bool,
    changed: u64,
}

/// The watched keys of one core. Ordered by key, so that no client can choose keys that collide.
#[derive(Default)]
pub struct Watches {
    keys: BTreeMap<Box<[u8]>, Vec<Watch>>,
    changes: u64,
}

impl Watches {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Watched keys, each counted once, however many watch it.
    pub fn len(&self) -> usize {
        self.keys.values().map(Vec::len).sum()
    }

    /// One more watches the key, which is `present` or missing now. Returns the stamp.
    pub fn add(&mut self, db: u8, key: &[u8], present: bool) -> u64 {
        let watches = self.keys.entry(key.into()).or_default();
        match watches.iter_mut().find(|watch| watch.db == db) {
            Some(watch) => watch.watchers += 1,
            None => watches.push(Watch { db, watchers: 1, present, changed: 0 }),
        }
        self.changes
    }

    /// One fewer watches the key.
    pub fn remove(&mut self, db: u8, key: &[u8]) {
        let Some(watches) = self.keys.get_mut(key) else { return };
        if let Some(at) = watches.iter().position(|watch| watch.db == db) {
            watches[at].watchers -= 1;
            if watches[at].watchers == 0 {
                watches.swap_remove(at);
            }
        }
        if watches.is_empty() {
            self.keys.remove(key);
        }
    }

    /// Whether the key has changed since this watcher began; a key nobody watches may have.
    pub fn has_changed(&self, watched: &Watched) -> bool {
        let watches = self.keys.get(&watched.key);
        let watch = watches.and_then(|all| all.iter().find(|watch| watch.db == watched.db));
        watch.is_none_or(|watch| watch.changed > watched.stamp)
    }

    /// An effect leaves. Databases that change places are [`Watches::swapped`]'s business.
    #[cold]
    pub(super) fn note(&mut self, effect: &Effect<'_>) {
        self.changes += 1;
        if let Some((db, key)) = effect.place() {
            let watches = self.keys.get_mut(key);
            if let Some(watch) = watches.and_then(|all| all.iter_mut().find(|w| w.db == db)) {
                watch.changed = self.changes;
                watch.present = !matches!(effect, Effect::Delete { .. });
            }
        } else if let Effect::Flush { db } = effect {
            for watch in self.keys.values_mut().flatten() {
                if watch.present && db.is_none_or(|db| db == watch.db) {
                    watch.changed = self.changes;
                    watch.present = false;
                }
            }
        }
    }

    /// Databases `a` and `b` have changed places: a change for keys that were there or are now.
    pub fn swapped(&mut self, a: u8, b: u8, is_present: impl Fn(u8, &[u8]) -> bool) {
        self.changes += 1;
        for (key, watches) in &mut self.keys {
            for watch in watches.iter_mut().filter(|watch| watch.db == a || watch.db == b) {
                let present = is_present(watch.db, key);
                if watch.present || present {
                    watch.changed = self.changes;
                }
                watch.present = present;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gone;
    use super::*;

    fn watch(watches: &mut Watches, db: u8, key: &[u8], present: bool) -> Watched {
        Watched { db, key: key.into(), stamp: watches.add(db, key, present) }
    }

    fn delete(db: u8, key: &[u8]) -> Effect<'_> {
        Effect::Delete { db, key, gone: Gone::Deleted }
    }

    #[test]
    fn a_change_before_the_watch_is_none_and_one_after_it_is() {
        let mut watches = Watches::default();
        let early = watch(&mut watches, 0, b"k", true);
        watches.note(&delete(0, b"k"));
        let late = watch(&mut watches, 0, b"k", false);
        assert!(watches.has_changed(&early));
        assert!(!watches.has_changed(&late));
        watches.note(&delete(1, b"k"));
        watches.note(&delete(0, b"other"));
        assert!(!watches.has_changed(&late));
        watches.note(&Effect::Expire { db: 0, key: b"k", at: None });
        assert!(watches.has_changed(&late));
    }

    #[test]
    fn nothing_is_kept_when_the_last_watcher_has_gone() {
        let mut watches = Watches::default();
        let first = watch(&mut watches, 0, b"k", true);
        watch(&mut watches, 0, b"k", true);
        watch(&mut watches, 3, b"k", true);
        assert_eq!(watches.len(), 2);
        watches.remove(0, b"k");
        assert!(!watches.has_changed(&first));
        watches.remove(0, b"k");
        watches.remove(3, b"k");
        assert!(watches.is_empty());
        assert!(watches.has_changed(&first), "nobody has looked after it since");
    }

    #[test]
    fn a_flush_changes_only_keys_that_were_there() {
        let mut watches = Watches::default();
        let there = watch(&mut watches, 0, b"there", true);
        let missing = watch(&mut watches, 0, b"missing", false);
        let elsewhere = watch(&mut watches, 1, b"there", true);
        watches.note(&Effect::Flush { db: Some(0) });
        assert!(watches.has_changed(&there));
        assert!(!watches.has_changed(&missing) && !watches.has_changed(&elsewhere));
        let again = watch(&mut watches, 0, b"there", false);
        watches.note(&Effect::Flush { db: None });
        assert!(!watches.has_changed(&again) && watches.has_changed(&elsewhere));
    }

    #[test]
    fn swapped_databases_change_keys_that_either_has() {
        let mut watches = Watches::default();
        let leaves = watch(&mut watches, 0, b"leaves", true);
        let comes = watch(&mut watches, 0, b"comes", false);
        let neither = watch(&mut watches, 0, b"neither", false);
        let other = watch(&mut watches, 2, b"leaves", true);
        watches.swapped(0, 1, |db, key| db == 0 && key == b"comes");
        assert!(watches.has_changed(&leaves) && watches.has_changed(&comes));
        assert!(!watches.has_changed(&neither) && !watches.has_changed(&other));
    }
}
