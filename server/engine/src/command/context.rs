//! What a handler works through. Every change of the keyspace goes through a method here, which
//! makes the change and notes its effect in one step; no handler knows that a log, a replica or a
//! transaction exists. Reads meet expiry, hit counts and the access clock here as well.

use std::sync::Arc;

use freehold_protocol::Slot;
use freehold_protocol::args::Args;

use super::channels::Channels;
use super::editor::Editor;
use super::error::{CommandError, Trouble};
use super::host::Node;
use super::session::{Caller, PortKind, Session, SessionId, Sessions};
use super::spec::Spec;
use super::stats::Stats;
use crate::base::random::Random;
use crate::base::time::{Now, UnixMillis};
use crate::config::{Config, NotifyClasses};
use crate::effect::{Effect, Effects, Gone, Watched, encode_entry};
use crate::keyspace::{
    EntryRef, Hit, KeyRef, Keyspace, PREFETCH_MAX, StringForm, ValueRef, eviction,
};
use crate::memory::Handle;
use crate::mesh::{CoreId, Loading, Snapshots};
use crate::rdb::encode_frame;
use crate::value::rdb::footer::{VERSION_DEADLINES, VERSION_PLAIN};
use crate::value::{Kind, Rules, Stored, Value};

/// What a command asks of its shard beyond the keyspace.
#[derive(Debug)]
pub enum Request {
    /// CLIENT PAUSE on this core.
    Pause {
        until_mono_us: u64,
        writes_only: bool,
    },
    Unpause,
    /// The node is about to save and end: no write is begun on this core.
    HoldWrites,
    /// A configuration has been put in place on this core.
    Configured,
    /// This client is to wait no longer.
    Unblock {
        session: SessionId,
        with_error: bool,
    },
    /// This connection's `closing` has been set by a command of another.
    Close(SessionId),
    /// Nobody of this connection watches these keys any more.
    Unwatch(Vec<Watched>),
    Log(String),
}

/// A point in time at which this core's part of a snapshot has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Its number, the same on all cores: what changes afterwards is of this generation.
    pub generation: u64,
    /// Where the records of the generation before end; 0 without a log.
    pub log_end: u64,
    /// The log begins here, and rests on this snapshot.
    pub begins_log: bool,
    pub unix_ms: UnixMillis,
}

/// What the server has to hear of, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Milestone {
    Cut(Cut),
    /// The log ends for good, behind so many bytes of records.
    LogEnds(u64),
}

/// A core's logs as INFO tells of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LogFigures {
    /// Bytes of all of them since the start.
    pub bytes: u64,
    /// Syncs under way.
    pub syncs: u64,
    /// How often replies began to wait for a slow disk.
    pub delays: u64,
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
    /// Who listens to what, in the whole node.
    pub channels: Channels,
    pub node: Arc<Node>,
    pub now: Now,
    /// The access clock of this turn (see `keyspace::eviction`).
    pub access: u32,
    /// Up to where [`Core::limited_bytes`] may go now; none without `maxmemory`.
    pub memory_limit_bytes: Option<i64>,
    /// All that was used when that was found out, and what of it was data.
    pub used_then_bytes: i64,
    pub data_then_bytes: i64,
    /// Whether other cores have keys that the policy allows to go.
    pub keys_elsewhere: bool,
    /// How far beyond it a core may go that has nothing left to evict: others evict for it.
    pub room_elsewhere_bytes: i64,
    /// It has gone there, and they are to hear of it.
    pub leans_on_others: bool,
    /// Why writes are refused, when they are.
    pub trouble: Option<Trouble>,
    /// What the node reads at its start, and whether a core has yet to get its keys.
    pub loading: Loading,
    pub is_loading: bool,
    pub pool: eviction::Pool,
    pub active_expiry: bool,
    /// Keys of this core that clients wait for.
    pub waited_keys: u64,
    /// The command that has just run found nothing to take, and is to wait with this request if
    /// not with its own.
    pub found_nothing: Option<Option<Vec<Box<[u8]>>>>,
    /// All keys that the command which runs now asked for have been brought to it.
    pub reached: bool,
    /// Keys it needs and does not name, and which may live on other cores: it will run again.
    pub unreached: Option<Vec<Box<[u8]>>>,
    pub requests: Vec<Request>,
    /// The generation of files that holds what changes now.
    pub generation: u64,
    /// The first one of this life.
    pub life: u64,
    /// How snapshots stand in the node.
    pub snapshots: Snapshots,
    /// What the server has yet to hear of.
    pub milestones: Vec<Milestone>,
    /// The generation of the snapshot without which the log says nothing; 0: it needs none.
    pub log_rests_on: u64,
    /// At the end of the last turn.
    pub log: LogFigures,
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

    /// Bytes of the keys.
    pub fn data_bytes(&self) -> i64 {
        self.keyspace.accounted_bytes() as i64 - self.keyspace.free_bytes() as i64
    }

    /// What the limit of this turn is compared with: all that was used when it began, and how the
    /// data has grown since. Requests and replies that come and go within the turn are left out:
    /// they are those of connections, which may all sit on one core, and keys of that core alone
    /// would make room for them. What is still there at the next turn is counted by all.
    pub fn limited_bytes(&self) -> i64 {
        self.used_then_bytes + (self.data_bytes() - self.data_then_bytes)
    }

    /// Puts a configuration in place on this core.
    pub fn set_config(&mut self, config: Arc<Config>) {
        for keyspace in std::iter::once(&mut self.keyspace).chain(self.scratch.as_deref_mut()) {
            keyspace.set_rules(rules_of(&config));
        }
        self.effects.set_notify(config.notify);
        let before = std::mem::replace(&mut self.config, config);
        let ends = before.persistence.appendonly && !self.config.persistence.appendonly;
        if ends && self.effects.has_log() {
            let end = self.effects.stop_log();
            self.milestones.push(Milestone::LogEnds(end));
        }
    }

    /// Cuts this core's keys here and now; all cores do at the same moment, between transactions.
    pub fn cut(&mut self) {
        self.generation += 1;
        self.keyspace.begin_cut(encode_entry);
        self.snapshots.cut(self.effects.changes());
        let log_end = self.effects.log().map_or(0, |records| records.end());
        let (generation, unix_ms) = (self.generation, self.now.unix_ms);
        let begins_log = self.config.persistence.appendonly && !self.effects.has_log();
        if begins_log {
            self.log_rests_on = generation;
            self.effects.resume_log();
        }
        let cut = Cut { generation, log_end, begins_log, unix_ms };
        self.milestones.push(Milestone::Cut(cut));
    }

    /// Whether a log is wanted and has not begun, or rests on a snapshot that is not done.
    pub fn awaits_log(&self) -> bool {
        let rests = self.log_rests_on > self.snapshots.figures().saved_generation;
        self.config.persistence.appendonly && (rests || !self.effects.has_log())
    }

    /// As [`Core::cut`] for a copy of the data: what changes goes where it went before.
    pub fn cut_for_copy(&mut self) {
        self.keyspace.begin_cut(encode_frame);
        let deadlines = self.keyspace.has_field_deadlines();
        let version = if deadlines { VERSION_DEADLINES } else { VERSION_PLAIN };
        self.snapshots.cut_for_dump(version);
    }

    /// Says what a key holds now, all of it.
    pub fn note_whole(&mut self, db: u8, key: &[u8]) {
        let key = self.keyspace.key_ref(key);
        if let Some(entry) = self.keyspace.get(db, &key) {
            self.effects.push_entry(db, &entry);
        }
    }

    /// Removes a key that is past its deadline and says so.
    #[cold]
    pub fn expire(&mut self, db: u8, key: &KeyRef<'_>) {
        if self.keyspace.remove(db, key) {
            self.stats.expired_keys += 1;
            self.effects.push(Effect::Delete { db, key: key.bytes, gone: Gone::Expired });
            self.effects.notify(NotifyClasses::EXPIRED, "expired", db, key.bytes);
        }
    }
}

/// The thresholds of collections, as configured.
fn rules_of(config: &Config) -> Rules {
    Rules {
        list_max_listpack_size: i64::from(config.list_max_listpack_size),
        hash_max_listpack_entries: config.hash_max_listpack_entries as usize,
        hash_max_listpack_value_bytes: config.hash_max_listpack_value_bytes as usize,
        set_max_intset_entries: config.set_max_intset_entries as usize,
        set_max_listpack_entries: config.set_max_listpack_entries as usize,
        set_max_listpack_value_bytes: config.set_max_listpack_value_bytes as usize,
        zset_max_listpack_entries: config.zset_max_listpack_entries as usize,
        zset_max_listpack_value_bytes: config.zset_max_listpack_value_bytes as usize,
        stream_node_max_bytes: config.stream_node_max_bytes as usize,
        stream_node_max_entries: config.stream_node_max_entries as usize,
        hash_seed: 0, // the keyspace keeps its own
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
    /// The request to wait with, whole, when another than the one that came (XREAD from `$`).
    pub wait_as: Option<Vec<Box<[u8]>>>,
    /// Where an integer is printed that a reader wants as text.
    digits: itoa::Buffer,
}

impl<'c> Cx<'c> {
    pub fn new(core: &'c mut Core, caller: Caller, spec: &'static Spec, hint: KeyHint) -> Cx<'c> {
        Cx { core, caller, spec, hint, wait_as: None, digits: itoa::Buffer::new() }
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

    /// Visits the keys among `args`: the first and every `step`th after it, with their positions.
    /// What looking them up will read is asked for some keys ahead, so that the cache misses of a
    /// command with many keys overlap as those of a pipeline do (MSET of ten at pipeline 16, CPU by
    /// Valkey 9.1's: 1.01 without, 0.52 with it).
    pub fn each_key<'a>(
        &mut self,
        args: Args<'a>,
        step: usize,
        mut visit: impl FnMut(&mut Self, usize, &'a [u8]),
    ) {
        let keys: usize = args.len().div_ceil(step);
        for first in (0..keys).step_by(PREFETCH_MAX) {
            let ahead = first..keys.min(first + PREFETCH_MAX);
            if ahead.len() > 1 {
                let mut places = [(Slot::ZERO, 0); PREFETCH_MAX];
                for (place, index) in places.iter_mut().zip(ahead.clone()) {
                    let key = self.key(args.get(index * step));
                    *place = (key.slot, key.hash);
                }
                let places = places[..ahead.len()].iter().copied();
                self.core.keyspace.prefetch(self.caller.db, places);
            }
            ahead.map(|index| index * step).for_each(|at| visit(self, at, args.get(at)));
        }
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
            self.notify(NotifyClasses::KEY_MISS, "keymiss", key.bytes);
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

    /// As [`Cx::read_untouched`], and a miss is not told as an event: OBJECT.
    pub fn inspect(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        if self.peek(key).is_none() {
            self.core.stats.keyspace_misses += 1;
            return None;
        }
        self.core.stats.keyspace_hits += 1;
        self.peek(key)
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

    /// The collection at a key, for a reader: counts the hit or miss, touches the access clock.
    ///
    /// # Errors
    /// `WrongType` when the key holds something else.
    #[inline]
    pub fn read_collection<C: Stored>(
        &mut self,
        key: &[u8],
    ) -> Result<Option<C::View<'_>>, CommandError> {
        let Some((hit, access)) = self.read_hit(key) else { return Ok(None) };
        let entry = self.core.keyspace.visit(hit, access);
        entry.collection::<C>().map(Some).ok_or(CommandError::WrongType)
    }

    /// The collection at a key that is there, to be changed; `None` without such a key.
    ///
    /// # Errors
    /// `WrongType` when the key holds something else.
    pub fn edit<'k, C: Stored>(
        &'k mut self,
        key: &'k [u8],
    ) -> Result<Option<Editor<'k, C>>, CommandError> {
        let editor = self.edit_or_new(key)?;
        Ok(Some(editor).filter(Editor::existed))
    }

    /// The collection at a key, to be changed; a missing key gets one, unless it stays empty.
    ///
    /// # Errors
    /// `WrongType` when the key holds something else, `KeyTooLong`.
    pub fn edit_or_new<'k, C: Stored>(
        &'k mut self,
        key: &'k [u8],
    ) -> Result<Editor<'k, C>, CommandError> {
        self.check_sizes(key, 0)?;
        let db = self.caller.db;
        let key = self.key(key);
        let hit = self.hit(db, &key);
        if let Some(hit) = hit {
            if self.core.keyspace.entry(hit.handle).kind() != C::KIND {
                return Err(CommandError::WrongType);
            }
            let access = self.touched(hit);
            self.core.keyspace.visit(hit, access);
        }
        Ok(Editor::new(self.core, db, key, hit.map(|hit| hit.handle)))
    }

    /// Puts a whole collection at a key, whatever was there; an empty one removes the key. The
    /// deadline goes. Whether there is such a key now.
    pub fn set_collection<C: Stored>(&mut self, key: &[u8], collection: C) -> bool {
        let db = self.caller.db;
        let some = !collection.is_empty();
        if some {
            let key = self.key(key);
            self.before_put(db, &key);
            self.put_value(db, &key, collection.into_value(), None);
        } else {
            self.delete(key);
        }
        some
    }

    /// As [`Cx::set_collection`] for a command that stores its result, with `event`, or `del` when
    /// there is no result and a key goes. The size of what was stored.
    ///
    /// # Errors
    /// `KeyTooLong`.
    pub fn store<C: Stored>(
        &mut self,
        key: &[u8],
        collection: C,
        class: NotifyClasses,
        event: &'static str,
    ) -> Result<usize, CommandError> {
        self.check_sizes(key, 0)?;
        let len = collection.len();
        if len > 0 {
            self.set_collection(key, collection);
            self.notify(class, event, key);
        } else if self.delete(key) {
            self.notify(NotifyClasses::GENERIC, "del", key);
        }
        Ok(len)
    }

    /// Puts a value at a key of the caller's database, whatever was there.
    pub fn set_value(&mut self, key: &[u8], value: Value, expiry: Option<UnixMillis>) {
        let (db, key) = (self.caller.db, self.key(key));
        self.put_value(db, &key, value, expiry);
    }

    /// Whether keys that the request does not name can be read now. If not, the handler returns
    /// without having changed anything and runs again when they have been brought here.
    ///
    /// # Errors
    /// `CrossSlot` on a core's own port when one of them belongs to another core.
    pub fn reach(
        &mut self,
        mut keys: impl Iterator<Item = Box<[u8]>>,
    ) -> Result<bool, CommandError> {
        if self.core.cores == 1 || self.core.reached {
            return Ok(true);
        }
        if self.caller.port == PortKind::Core {
            let here = keys.all(|key| self.is_here(&key));
            return if here { Ok(true) } else { Err(CommandError::CrossSlot) };
        }
        let keys: Vec<Box<[u8]>> = keys.collect();
        if keys.is_empty() {
            return Ok(true);
        }
        self.core.unreached = Some(keys);
        Ok(false)
    }

    fn put_value(&mut self, db: u8, key: &KeyRef<'_>, value: Value, expiry: Option<UnixMillis>) {
        let access = self.access_of_written(db, key);
        if let Some(view) = value.view() {
            self.core.effects.push_value(db, key.bytes, view, expiry);
        }
        self.core.keyspace.set_collection(db, key, value, expiry, access);
    }

    /// Notes a keyspace event, published once the command has run. Costs a branch while nobody
    /// has asked for events of the class.
    #[inline]
    pub fn notify(&mut self, class: NotifyClasses, event: &'static str, key: &[u8]) {
        self.core.effects.notify(class, event, self.caller.db, key);
    }

    /// Whether this core has the key's slot. A blocked command that is served on the core of one
    /// of its keys passes over the others.
    pub fn is_here(&self, key: &[u8]) -> bool {
        self.core.keyspace.owns(Slot::of_key(key))
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

    /// As [`Cx::set`], with the encoding `raw` whatever the length (BITOP, PFADD).
    pub fn set_raw(&mut self, key: &[u8], value: &[u8], expiry: Expiry) {
        self.set_as(StringForm::Raw, key, value, expiry);
    }

    #[inline]
    fn set_as(&mut self, form: StringForm, key: &[u8], value: &[u8], expiry: Expiry) {
        let db = self.caller.db;
        let key = self.key(key);
        self.before_put(db, &key);
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

    /// Something is about to be put at a key: says if the key is new, or has just expired.
    #[inline]
    fn before_put(&mut self, db: u8, key: &KeyRef<'_>) {
        if self.core.effects.wants_history() && self.find_in(db, key).is_none() {
            self.core.effects.notify(NotifyClasses::NEW, "new", db, key.bytes);
        }
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

    /// Moves a live key to `(to_db, to)`, deadline and all; whatever was there goes. O(1) while
    /// no log wants to know what the key holds.
    pub fn move_key(&mut self, from: &[u8], to_db: u8, to: &[u8]) {
        let db = self.caller.db;
        let (from, to) = (self.key(from), self.core.keyspace.key_ref(to));
        let Some(taken) = self.core.keyspace.take(db, &from) else { return };
        self.core.effects.push(Effect::Delete { db, key: from.bytes, gone: Gone::Deleted });
        self.core.keyspace.put(to_db, &to, taken);
        self.core.note_whole(to_db, to.bytes);
    }

    /// Copies a live key to `(to_db, to)`, deadline and all; whatever was there goes. O(n).
    pub fn copy_key(&mut self, from: &[u8], to_db: u8, to: &[u8]) {
        let (from, to) = (self.key(from), self.core.keyspace.key_ref(to));
        let Some(entry) = self.core.keyspace.get(self.caller.db, &from) else { return };
        let expiry = entry.expiry();
        if let ValueRef::Collection(value) = entry.value() {
            let value = value.duplicate(self.core.keyspace.rules());
            self.put_value(to_db, &to, value, expiry);
        } else {
            let (form, mut digits) = (entry.form(), itoa::Buffer::new());
            let text = entry.value().text(&mut digits).to_vec();
            self.put(form, to_db, &to, &text, expiry);
        }
    }

    /// Writes `bytes` at `offset` of the string at `key`, made when missing, zeros in any gap.
    /// The caller has checked type and length. Returns the new length.
    pub fn splice(&mut self, key: &[u8], offset: usize, bytes: &[u8]) -> usize {
        let db = self.caller.db;
        let key = self.key(key);
        self.before_put(db, &key);
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

    /// As [`Cx::delete`], with the event "del".
    pub fn delete_and_tell(&mut self, key: &[u8]) -> bool {
        let gone = self.delete(key);
        if gone {
            self.notify(NotifyClasses::GENERIC, "del", key);
        }
        gone
    }

    /// Gives a live key a new deadline and tells the event. One that is not in the future deletes
    /// the key, as in Redis.
    pub fn set_expiry(&mut self, key: &[u8], at: Option<UnixMillis>) -> bool {
        let db = self.caller.db;
        let key = self.key(key);
        if self.find_in(db, &key).is_none() {
            return false;
        }
        if at.is_some_and(|at| at <= self.core.now.unix_ms) {
            self.core.keyspace.remove(db, &key);
            self.core.effects.push(Effect::Delete { db, key: key.bytes, gone: Gone::Deleted });
            self.notify(NotifyClasses::GENERIC, "del", key.bytes);
            return true;
        }
        self.core.keyspace.set_expiry(db, &key, at);
        self.core.effects.push(Effect::Expire { db, key: key.bytes, at });
        let event = if at.is_some() { "expire" } else { "persist" };
        self.notify(NotifyClasses::GENERIC, event, key.bytes);
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
        let core = &mut *self.core;
        core.keyspace.swap(a, b);
        let (keyspace, now) = (&core.keyspace, core.now.unix_ms);
        core.effects.watches.swapped(a, b, |db, key| {
            let entry = keyspace.get(db, &keyspace.key_ref(key));
            entry.is_some_and(|entry| !entry.is_expired(now))
        });
        core.effects.push(Effect::SwapDb { a, b });
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
        _ => Err(CommandError::WrongType),
    }
}
