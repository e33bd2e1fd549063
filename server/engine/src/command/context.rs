//! What a handler works through. Every change of the keyspace goes through a method here, which
//! makes the change and notes its effect in one step; no handler knows that a log, a replica or a
//! transaction exists. Reads meet expiry, hit counts and the access clock here as well.

use std::sync::Arc;

use freehold_protocol::Slot;

use super::error::CommandError;
use super::host::Node;
use super::session::{Caller, Session, SessionId, Sessions};
use super::spec::Spec;
use super::stats::Stats;
use crate::base::random::Random;
use crate::base::time::{Now, UnixMillis};
use crate::config::Config;
use crate::effect::{Effect, Effects, Gone};
use crate::keyspace::{EntryRef, Hit, KeyRef, Keyspace, StringForm, eviction};
use crate::memory::Handle;
use crate::mesh::CoreId;
use crate::value::Kind;

/// What a command asks of its shard beyond the keyspace.
#[derive(Debug)]
pub enum Request {
    /// CLIENT PAUSE on this core.
    Pause {
        until_mono_us: u64,
        writes_only: bool,
    },
    Unpause,
    Shutdown {
        now: bool,
    },
    /// A configuration has been put in place on this core.
    Configured,
    /// This connection's `closing` has been set by a command of another.
    Close(SessionId),
    Log(String),
}

/// The state of one core that commands work on.
pub struct Core {
    pub id: CoreId,
    pub cores: u16,
    pub keyspace: Keyspace,
    /// Where a transaction's copies of foreign keys are put while its command runs.
    pub scratch: Option<Box<Keyspace>>,
    pub effects: Effects,
    pub config: Arc<Config>,
    pub stats: Stats,
    pub random: Random,
    pub sessions: Sessions,
    pub node: Arc<Node>,
    pub now: Now,
    /// The access clock of this turn (see `keyspace::eviction`).
    pub access: u32,
    /// Up to where [`Core::memory_used_bytes`] may go now; none without `maxmemory`.
    pub memory_limit_bytes: Option<i64>,
    pub pool: eviction::Pool,
    pub active_expiry: bool,
    pub requests: Vec<Request>,
}

impl Core {
    /// Bytes this core uses, as `maxmemory` counts them: what its thread has allocated, or, where
    /// nobody counts that (tests), what the keyspace holds; less the blocks that stand free in the
    /// slab. An evicted key makes room for the next one at once, though its page stays.
    pub fn memory_used_bytes(&self) -> i64 {
        let counted = self.node.host.memory_used_bytes();
        let held = if counted != 0 { counted } else { self.keyspace.accounted_bytes() as i64 };
        held - self.keyspace.free_bytes() as i64
    }

    /// Removes a key that is past its deadline and says so.
    #[cold]
    pub fn expire(&mut self, db: u8, key: &KeyRef<'_>) {
        if self.keyspace.remove(db, key) {
            self.stats.expired_keys += 1;
            self.effects.push(Effect::Delete { db, key: key.bytes, gone: Gone::Expired });
        }
    }
}

/// The key whose slot and hash the router has computed already.
#[derive(Clone, Copy)]
pub struct KeyHint {
    address: usize,
    length: usize,
    slot: Slot,
    hash: u64,
}

impl Default for KeyHint {
    /// A hint that fits no key: nothing lies at address 0.
    fn default() -> KeyHint {
        KeyHint { address: 0, length: 0, slot: Slot::ZERO, hash: 0 }
    }
}

impl KeyHint {
    pub fn new(key: &KeyRef<'_>) -> KeyHint {
        KeyHint {
            address: key.bytes.as_ptr().addr(),
            length: key.bytes.len(),
            slot: key.slot,
            hash: key.hash,
        }
    }
}

/// A key's deadline after a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    Keep,
    Never,
    At(UnixMillis),
}

/// The handler's window on its core.
pub struct Cx<'c> {
    pub core: &'c mut Core,
    pub caller: Caller,
    pub spec: &'static Spec,
    hint: KeyHint,
    /// Where an integer is printed that a reader wants as text.
    digits: itoa::Buffer,
}

impl<'c> Cx<'c> {
    pub fn new(core: &'c mut Core, caller: Caller, spec: &'static Spec, hint: KeyHint) -> Cx<'c> {
        Cx { core, caller, spec, hint, digits: itoa::Buffer::new() }
    }

    pub fn now_ms(&self) -> UnixMillis {
        self.core.now.unix_ms
    }

    /// The caller's session.
    ///
    /// # Panics
    /// In a handler that runs away from the connection: rows with `Run::Here` only.
    pub fn session(&mut self) -> &mut Session {
        let id = self.caller.session.expect("a Run::Here handler runs at its connection");
        self.core.sessions.get_mut(id).expect("a session outlives its command")
    }

    /// Slot and hash of a key; free for the one the router has looked at.
    #[inline]
    pub fn key<'k>(&self, bytes: &'k [u8]) -> KeyRef<'k> {
        let hint = &self.hint;
        if hint.address == bytes.as_ptr().addr() && hint.length == bytes.len() {
            return KeyRef { bytes, slot: hint.slot, hash: hint.hash };
        }
        self.core.keyspace.key_ref(bytes)
    }

    /// Finds a key that is alive in `db`; one past its deadline is removed on the way.
    #[inline]
    pub fn find_in(&mut self, db: u8, key: &KeyRef<'_>) -> Option<Handle> {
        self.hit(db, key).map(|hit| hit.handle)
    }

    #[inline]
    fn hit(&mut self, db: u8, key: &KeyRef<'_>) -> Option<Hit> {
        let hit = self.core.keyspace.hit(db, key)?;
        if hit.has_deadline() && self.core.keyspace.entry(hit.handle).is_expired(self.now_ms()) {
            self.core.expire(db, key);
            return None;
        }
        Some(hit)
    }

    /// The entry of a key, without a trace: no hit or miss counted, no access clock.
    pub fn peek(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        let key = self.key(key);
        let handle = self.find_in(self.caller.db, &key)?;
        Some(self.core.keyspace.entry(handle))
    }

    /// The entry of a key for a reader: counts the hit or miss and touches the access clock.
    #[inline]
    pub fn read(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        let (hit, access) = self.read_hit(key)?;
        Some(self.core.keyspace.visit(hit, access))
    }

    /// Finds a key for a reader, and says what its access clock becomes.
    #[inline]
    fn read_hit(&mut self, key: &[u8]) -> Option<(Hit, u32)> {
        let key = self.key(key);
        let Some(hit) = self.hit(self.caller.db, &key) else {
            self.core.stats.keyspace_misses += 1;
            return None;
        };
        self.core.stats.keyspace_hits += 1;
        let access = if self.caller.no_touch { hit.access() } else { self.touched(hit) };
        Some((hit, access))
    }

    /// As [`Cx::read`], leaving the access clock alone: TTL, TYPE, EXISTS and their kin.
    pub fn read_untouched(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        let no_touch = std::mem::replace(&mut self.caller.no_touch, true);
        let found = self.read(key).is_some();
        self.caller.no_touch = no_touch;
        if found { self.peek(key) } else { None }
    }

    /// The string at a key, for a reader.
    ///
    /// # Errors
    /// `WrongType` when the key holds something else.
    #[inline]
    pub fn read_string(&mut self, key: &[u8]) -> Result<Option<&[u8]>, CommandError> {
        let Some((hit, access)) = self.read_hit(key) else { return Ok(None) };
        text_of(self.core.keyspace.visit(hit, access), &mut self.digits).map(Some)
    }

    /// The string at a key that is about to be changed: no hit or miss counted, access touched.
    ///
    /// # Errors
    /// `WrongType` when the key holds something else.
    pub fn string_to_change(&mut self, key: &[u8]) -> Result<Option<&[u8]>, CommandError> {
        let key = self.key(key);
        let Some(handle) = self.find_in(self.caller.db, &key) else { return Ok(None) };
        text_of(self.core.keyspace.entry(handle), &mut self.digits).map(Some)
    }

    /// What the access clock of an entry becomes when it is read.
    #[inline]
    fn touched(&mut self, hit: Hit) -> u32 {
        let core = &mut *self.core;
        if !core.config.maxmemory_policy.is_lfu() {
            return core.access;
        }
        let tuning = eviction::LfuTuning {
            log_factor: core.config.lfu_log_factor,
            decay_minutes: core.config.lfu_decay_minutes,
        };
        eviction::lfu_touch(hit.access(), core.now.unix_ms, &tuning, core.random.f64())
    }

    /// The access clock of a key that is written: now under LRU; under LFU the uses counted so far
    /// outlive the value, as in Redis.
    #[inline]
    fn access_of_written(&self, db: u8, key: &KeyRef<'_>) -> u32 {
        if !self.core.config.maxmemory_policy.is_lfu() {
            return self.core.access;
        }
        self.core.keyspace.get(db, key).map_or(self.core.access, |entry| entry.access())
    }

    /// Puts a string at a key, whatever was there.
    #[inline]
    pub fn set(&mut self, key: &[u8], value: &[u8], expiry: Expiry) {
        self.set_as(StringForm::Natural, key, value, expiry);
    }

    /// As [`Cx::set`], but what looks like an integer stays text (INCRBYFLOAT).
    pub fn set_text(&mut self, key: &[u8], value: &[u8], expiry: Expiry) {
        self.set_as(StringForm::Text, key, value, expiry);
    }

    #[inline]
    fn set_as(&mut self, form: StringForm, key: &[u8], value: &[u8], expiry: Expiry) {
        let db = self.caller.db;
        let key = self.key(key);
        let expiry = self.resolve(db, &key, expiry);
        self.put(form, db, &key, value, expiry);
    }

    #[inline]
    fn put(
        &mut self,
        form: StringForm,
        db: u8,
        key: &KeyRef<'_>,
        value: &[u8],
        expiry: Option<UnixMillis>,
    ) {
        let access = self.access_of_written(db, key);
        self.core.keyspace.set_string_as(form, db, key, value, expiry, access);
        self.core.effects.push(Effect::Set { db, key: key.bytes, value, form, expiry });
    }

    fn resolve(&mut self, db: u8, key: &KeyRef<'_>, expiry: Expiry) -> Option<UnixMillis> {
        match expiry {
            Expiry::Never => None,
            Expiry::At(at) => Some(at),
            Expiry::Keep => {
                let handle = self.find_in(db, key)?;
                self.core.keyspace.entry(handle).expiry()
            }
        }
    }

    /// Copies a live string key to `(db, key)`, deadline, encoding and all.
    pub fn put_copy(&mut self, db: u8, key: &[u8], copy: &KeyCopy) {
        let key = self.core.keyspace.key_ref(key);
        self.put(copy.form, db, &key, &copy.value, copy.expiry);
    }

    /// All there is to know of a live key, for RENAME, COPY and MOVE.
    pub fn take_copy(&mut self, db: u8, key: &[u8]) -> Option<KeyCopy> {
        let key = self.key(key);
        let handle = self.find_in(db, &key)?;
        Some(KeyCopy::of(&self.core.keyspace.entry(handle)))
    }

    /// Writes `bytes` at `offset` of the string at `key`, made when missing, zeros in any gap.
    /// The caller has checked type and length. Returns the new length.
    pub fn splice(&mut self, key: &[u8], offset: usize, bytes: &[u8]) -> usize {
        let db = self.caller.db;
        let key = self.key(key);
        let access = self.access_of_written(db, &key);
        self.core.keyspace.splice(db, &key, offset, bytes, access);
        let length = self.core.keyspace.get(db, &key).map_or(0, |entry| entry.value().text_bytes());
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.core.effects.push(Effect::Splice { db, key: key.bytes, offset, bytes });
        length
    }

    /// Removes a live key of the caller's database.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        self.delete_in(self.caller.db, key)
    }

    /// Removes a live key of `db`.
    pub fn delete_in(&mut self, db: u8, key: &[u8]) -> bool {
        let key = self.key(key);
        if self.find_in(db, &key).is_none() {
            return false;
        }
        self.core.keyspace.remove(db, &key);
        self.core.effects.push(Effect::Delete { db, key: key.bytes, gone: Gone::Deleted });
        true
    }

    /// Gives a live key a new deadline. One that is not in the future deletes the key, as in Redis.
    pub fn set_expiry(&mut self, key: &[u8], at: Option<UnixMillis>) -> bool {
        let db = self.caller.db;
        let key = self.key(key);
        if self.find_in(db, &key).is_none() {
            return false;
        }
        if at.is_some_and(|at| at <= self.core.now.unix_ms) {
            self.core.keyspace.remove(db, &key);
            self.core.effects.push(Effect::Delete { db, key: key.bytes, gone: Gone::Deleted });
            return true;
        }
        self.core.keyspace.set_expiry(db, &key, at);
        self.core.effects.push(Effect::Expire { db, key: key.bytes, at });
        true
    }

    /// Empties one database, or all.
    pub fn flush(&mut self, db: Option<u8>) {
        match db {
            Some(db) => self.core.keyspace.flush(db),
            None => self.core.keyspace.flush_all(),
        }
        self.core.effects.push(Effect::Flush { db });
    }

    pub fn swap_db(&mut self, a: u8, b: u8) {
        self.core.keyspace.swap(a, b);
        self.core.effects.push(Effect::SwapDb { a, b });
    }

    /// Refuses keys and values beyond the limits of this server.
    ///
    /// # Errors
    /// `KeyTooLong`, `StringTooLong`.
    #[inline]
    pub fn check_sizes(&self, key: &[u8], value_bytes: usize) -> Result<(), CommandError> {
        let limit = self.core.config.max_key_bytes as usize;
        if key.len() > limit {
            return Err(CommandError::KeyTooLong { bytes: key.len(), limit });
        }
        if value_bytes as u64 > self.core.config.value_hard_bytes {
            return Err(CommandError::StringTooLong);
        }
        Ok(())
    }
}

/// The string an entry holds.
#[inline]
fn text_of<'a>(
    entry: EntryRef<'a>,
    digits: &'a mut itoa::Buffer,
) -> Result<&'a [u8], CommandError> {
    match entry.kind() {
        Kind::String => Ok(entry.value().text(digits)),
    }
}

/// A key's value and deadline, out of the keyspace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyCopy {
    pub value: Vec<u8>,
    pub form: StringForm,
    pub expiry: Option<UnixMillis>,
}

impl KeyCopy {
    pub fn of(entry: &EntryRef<'_>) -> KeyCopy {
        let value = entry.value().text(&mut itoa::Buffer::new()).to_vec();
        KeyCopy { value, form: entry.form(), expiry: entry.expiry() }
    }
}
