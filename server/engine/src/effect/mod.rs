//! An effect is what happened, not what was asked: the final value, the absolute deadline, the key
//! that expired. Replaying a core's effects on an empty keyspace gives the same digest, and the
//! same bytes will go to log, backlog and migration. Every change of a keyspace made by a command
//! is pushed here by the context that makes it, so no handler can forget one.

mod apply;
mod codec;
mod record;
mod watch;

pub use apply::apply;
pub use codec::{DecodeError, decode_all, encode_entry, take};
pub use record::{EffectsOf, Part, Placed, Record, Records, Unreadable, first_record};
pub use watch::{Watched, Watches};

use crate::base::time::UnixMillis;
use crate::config::NotifyClasses;
pub use crate::keyspace::StringForm;
use crate::keyspace::{EntryRef, ValueRef};
use crate::value::{Kind, Stored, ValueView};

/// Why a key went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    Deleted,
    Expired,
    Evicted,
}

/// One change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect<'a> {
    /// The key now holds this string.
    Set {
        db: u8,
        key: &'a [u8],
        value: &'a [u8],
        form: StringForm,
        expiry: Option<UnixMillis>,
    },
    /// `bytes` were written at `offset` of a string, zeros filling any gap.
    Splice {
        db: u8,
        key: &'a [u8],
        offset: u32,
        bytes: &'a [u8],
    },
    /// The key's collection was edited: the edit as its type encodes it. A missing key is an
    /// empty collection, and one that becomes empty goes.
    Edit {
        db: u8,
        key: &'a [u8],
        kind: Kind,
        edit: &'a [u8],
    },
    /// The key now holds the collection that these edits make: each with its length before it.
    Put {
        db: u8,
        key: &'a [u8],
        kind: Kind,
        edits: &'a [u8],
        expiry: Option<UnixMillis>,
    },
    /// The deadline is now this; `None`: it lives for ever.
    Expire {
        db: u8,
        key: &'a [u8],
        at: Option<UnixMillis>,
    },
    Delete {
        db: u8,
        key: &'a [u8],
        gone: Gone,
    },
    /// All keys this core holds of one database, or of all of them, went.
    Flush {
        db: Option<u8>,
    },
    /// Two databases changed places.
    SwapDb {
        a: u8,
        b: u8,
    },
}

impl<'a> Effect<'a> {
    /// The key it is about; none for whole databases.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.place().map(|(_, key)| key)
    }

    /// The key it is about, and its database.
    pub fn place(&self) -> Option<(u8, &'a [u8])> {
        match *self {
            Effect::Set { db, key, .. }
            | Effect::Splice { db, key, .. }
            | Effect::Edit { db, key, .. }
            | Effect::Put { db, key, .. }
            | Effect::Expire { db, key, .. }
            | Effect::Delete { db, key, .. } => Some((db, key)),
            Effect::Flush { .. } | Effect::SwapDb { .. } => None,
        }
    }
}

/// Effects of one core since somebody last took them.
#[derive(Default)]
pub struct Effects {
    bytes: Vec<u8>,
    changes: u64,
    /// Those who call [`Effects::take`], and the log.
    listeners: u32,
    traces: bool,
    /// Records for the log, since it was on.
    log: Option<Box<Records>>,
    /// Whether it is on: when it is off again the log has yet to take the last ones.
    logs: bool,
    /// Keys whose changes somebody has asked to hear of.
    pub watches: Watches,
    /// For edits while they are encoded.
    scratch: Vec<u8>,
    notify: NotifyClasses,
    events: Vec<Event>,
    /// Somebody waits for keys of this core.
    has_readers: bool,
    /// Keys that have got something, or gone, since those who wait were last served.
    pub ready: Vec<Ready>,
    /// Whole databases have changed: any key may be such a one.
    pub all_ready: bool,
}

/// A key to be looked at for those who wait for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    pub key: (u8, Box<[u8]>),
    /// The one of them it concerns, by ticket; all when none.
    pub only: Option<u64>,
}

/// What keyspace notifications tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub class: NotifyClasses,
    pub name: &'static str,
    pub db: u8,
    pub key: Box<[u8]>,
}

impl Effects {
    /// Notes a change. With nobody listening only the count is kept: a SET must not copy its value
    /// for a log that is off.
    #[inline]
    pub fn push(&mut self, effect: Effect<'_>) {
        self.changes += 1;
        if !self.watches.is_empty() {
            self.watches.note(&effect);
        }
        if self.listeners > 0 {
            self.record(&effect);
        }
        if self.has_readers {
            self.note_ready(&effect);
        }
    }

    fn record(&mut self, effect: &Effect<'_>) {
        if self.logs
            && let Some(log) = &mut self.log
        {
            log.add(effect);
        }
        if self.listeners > u32::from(self.logs) {
            codec::encode(effect, &mut self.bytes);
        }
    }

    #[cold]
    fn note_ready(&mut self, effect: &Effect<'_>) {
        match *effect {
            Effect::Flush { .. } | Effect::SwapDb { .. } => self.all_ready = true,
            Effect::Set { db, key, .. }
            | Effect::Edit { db, key, .. }
            | Effect::Put { db, key, .. }
            | Effect::Delete { db, key, .. } => {
                self.ready.push(Ready { key: (db, key.into()), only: None });
            }
            Effect::Splice { .. } | Effect::Expire { .. } => {}
        }
    }

    /// Whether somebody waits for keys of this core: changes are then noted for them.
    pub fn expect_readers(&mut self, some: bool) {
        self.has_readers = some;
        if !some {
            self.ready.clear();
            self.all_ready = false;
        }
    }

    /// Whether keys somebody may wait for have changed.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty() || self.all_ready
    }

    /// Notes an edit of a collection; it is encoded only if somebody listens.
    #[inline]
    pub fn push_edit<C: Stored>(&mut self, db: u8, key: &[u8], edit: C::Edit<'_>) {
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        if self.listeners > 0 {
            C::encode_edit(edit, &mut bytes);
        }
        self.push(Effect::Edit { db, key, kind: C::KIND, edit: &bytes });
        self.scratch = bytes;
    }

    /// Notes that a key now holds this collection; it is encoded only if somebody listens.
    pub fn push_value(
        &mut self,
        db: u8,
        key: &[u8],
        value: ValueView<'_>,
        expiry: Option<UnixMillis>,
    ) {
        let mut edits = Vec::new();
        if self.listeners > 0 && !self.traces {
            value.for_each_encoded(|edit| codec::put_edit(edit, &mut edits));
        }
        self.push(Effect::Put { db, key, kind: value.kind(), edits: &edits, expiry });
    }

    /// Notes that a key now holds what `entry` holds.
    pub fn push_entry(&mut self, db: u8, entry: &EntryRef<'_>) {
        let (key, expiry) = (entry.key(), entry.expiry());
        match entry.value() {
            ValueRef::Collection(value) => self.push_value(db, key, value, expiry),
            text => {
                let mut digits = itoa::Buffer::new();
                let (value, form) = (text.text(&mut digits), entry.form());
                self.push(Effect::Set { db, key, value, form, expiry });
            }
        }
    }

    /// An empty record for a command that runs away from its keys: it listens, but leaves out what
    /// whole collections hold, because they come back themselves. It wants the same events.
    pub fn trace_of(other: &Effects) -> Effects {
        Effects { listeners: 1, traces: true, notify: other.notify, ..Effects::default() }
    }

    /// Events of a command that ran on another record.
    pub fn add_events(&mut self, events: Vec<Event>) {
        self.events.extend(events);
    }

    /// Which keyspace events are wanted.
    pub fn set_notify(&mut self, wanted: NotifyClasses) {
        self.notify = wanted;
    }

    /// Notes a keyspace event, if events of its class are wanted.
    #[inline]
    pub fn notify(&mut self, class: NotifyClasses, name: &'static str, db: u8, key: &[u8]) {
        if self.notify.contains(class) {
            self.events.push(Event { class, name, db, key: key.into() });
        }
    }

    /// Whether events are wanted that tell what stood at a key before: "new" and "expired".
    #[inline]
    pub fn wants_history(&self) -> bool {
        self.notify.intersects(NotifyClasses::NEW.with(NotifyClasses::EXPIRED))
    }

    /// Whether there are events nobody has taken yet.
    #[inline]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The keyspace events since the last call, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// From now on effects are kept until taken. Calls nest.
    pub fn listen(&mut self) {
        self.listeners += 1;
    }

    /// Ends one [`Effects::listen`].
    pub fn unlisten(&mut self) {
        debug_assert!(self.listeners > 0);
        self.listeners -= 1;
    }

    /// All changes ever noted.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The encoded effects since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// The log is on: from here on changes become records, numbered on from those of `records`.
    pub fn start_log(&mut self, records: Records) {
        debug_assert!(!self.logs);
        self.number_from(records);
        self.resume_log();
    }

    /// The log is off; when it is on records are numbered on from those of `records`.
    pub fn number_from(&mut self, records: Records) {
        self.log = Some(Box::new(records));
    }

    /// The log is on, or on again.
    pub fn resume_log(&mut self) {
        self.log.get_or_insert_default();
        self.logs = true;
        self.listen();
    }

    /// The log is off: what has changed up to here is in its records. Returns where they end.
    pub fn stop_log(&mut self) -> u64 {
        self.seal();
        if std::mem::take(&mut self.logs) {
            self.unlisten();
        }
        self.log.as_ref().map_or(0, |log| log.end())
    }

    /// The records for the log, if it is on or was.
    #[inline]
    pub fn log(&mut self) -> Option<&mut Records> {
        self.log.as_deref_mut()
    }

    /// Bytes of records that the log has yet to take.
    pub fn log_pending_bytes(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.end() - log.taken())
    }

    /// Whether changes become records.
    #[inline]
    pub fn has_log(&self) -> bool {
        self.logs
    }

    /// What has been noted since the last seal belongs together.
    #[inline]
    pub fn seal(&mut self) {
        if let Some(log) = &mut self.log {
            log.seal();
        }
    }

    /// What is noted until [`Effects::end_step`] is a step of a transaction.
    #[inline]
    pub fn begin_step(&mut self) {
        if let Some(log) = &mut self.log {
            log.begin_step();
        }
    }

    /// The step's effects, for [`Effects::add_part`]: none while the log is off.
    #[inline]
    pub fn end_step(&mut self) -> Vec<u8> {
        self.log.as_mut().map_or_else(Vec::new, |log| log.end_step())
    }

    /// All steps of a transaction on this core become one record.
    pub fn add_part(&mut self, part: Option<&Part>, effects: &[u8]) {
        if self.logs
            && let Some(log) = &mut self.log
        {
            log.add_part(part, effects);
        }
    }
}
