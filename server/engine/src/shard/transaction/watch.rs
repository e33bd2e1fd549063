//! WATCH: the owners of the keys remember them, the connection remembers when. EXEC asks under its
//! locks whether one has changed since.

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;

use crate::command::session::{PortKind, SessionId};
use crate::command::table::Command;
use crate::effect::Watched;
use crate::mesh::CoreId;
use crate::shard::connection::Await;
use crate::shard::parcel::Errand;
use crate::shard::receive::Dispatched;
use crate::shard::{Shard, execute};

/// A WATCH that other cores have yet to confirm.
pub struct Registration {
    session: SessionId,
    sequence: u64,
    awaiting: usize,
}

/// The stamp of a key whose owner has not answered yet.
const UNCONFIRMED: u64 = u64::MAX;

impl Shard {
    /// WATCH: answered when every owner has begun to look, so that no change after the answer is
    /// missed. Requests sent before it must have been executed, and those behind it wait.
    pub(super) fn watch(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        if self.awaits_replies(id) {
            return Dispatched::NotYet;
        }
        if self.port(id) == PortKind::Core
            && let Err(error) = self.place(id, command, args)
        {
            self.refuse(id, Some(command), framing, &error);
            return Dispatched::Taken;
        }
        let elsewhere = self.watch_own(id, args);
        if elsewhere.is_empty() {
            self.conclude(id, command, framing, Ok(()));
            return Dispatched::Taken;
        }
        self.count(command);
        let Some(session) = self.core.sessions.get_mut(id) else { return Dispatched::Taken };
        let (client_id, db) = (session.client_id, session.db);
        let muted = execute::is_muted(session);
        let connection = &mut self.connections[id.0 as usize];
        connection.alone = true;
        let sequence = connection.reserve(Await::new(framing, muted));
        let awaiting = elsewhere.len();
        self.registrations.insert(client_id, Registration { session: id, sequence, awaiting });
        for (core, keys) in elsewhere {
            self.tell(core, Errand::Watch { from: self.core.id, client_id, db, keys });
        }
        Dispatched::Taken
    }

    /// Notes the keys in the session and looks after those of this core; the others are returned
    /// by owner. A key watched already is watched since then.
    fn watch_own(&mut self, id: SessionId, args: Args<'_>) -> Vec<(CoreId, Vec<Box<[u8]>>)> {
        let mut elsewhere: Vec<(CoreId, Vec<Box<[u8]>>)> = Vec::new();
        for key in args.tail(1).iter() {
            let owner = self.owner(self.core.keyspace.key_ref(key).slot);
            let Some(session) = self.core.sessions.get(id) else { break };
            let db = session.db;
            if session.watched.iter().any(|w| w.db == db && *w.key == *key) {
                continue;
            }
            let stamp = match owner == self.core.id {
                true => self.watch_here(db, &[key.into()]),
                false => UNCONFIRMED,
            };
            if stamp == UNCONFIRMED {
                match elsewhere.iter_mut().find(|(core, _)| *core == owner) {
                    Some((_, keys)) => keys.push(key.into()),
                    None => elsewhere.push((owner, vec![key.into()])),
                }
            }
            if let Some(session) = self.core.sessions.get_mut(id) {
                session.watched.push(Watched { db, key: key.into(), stamp });
            }
        }
        elsewhere
    }

    /// An owner looks after its keys from the change number `stamp` on.
    pub(super) fn watching(&mut self, from: CoreId, client_id: u64, stamp: u64) {
        let Some(registration) = self.registrations.get_mut(&client_id) else { return };
        registration.awaiting -= 1;
        let (id, sequence) = (registration.session, registration.sequence);
        let last = registration.awaiting == 0;
        if last {
            self.registrations.remove(&client_id);
        }
        let cores = self.core.cores;
        let keyspace = &self.core.keyspace;
        let owned = |key: &[u8]| crate::mesh::owner_of(keyspace.key_ref(key).slot, cores) == from;
        let session = self.core.sessions.get_mut(id);
        let Some(session) = session.filter(|session| session.client_id == client_id) else {
            return;
        };
        let unconfirmed = session.watched.iter_mut().filter(|w| w.stamp == UNCONFIRMED);
        unconfirmed.filter(|w| owned(&w.key)).for_each(|w| w.stamp = stamp);
        if last {
            self.go_on(id, client_id, sequence, b"+OK\r\n");
        }
    }

    /// This core begins to look after keys of its own. One that has expired goes first: that it
    /// goes later would be no change. Returns the stamp.
    pub(super) fn watch_here(&mut self, db: u8, keys: &[Box<[u8]>]) -> u64 {
        let mut stamp = 0;
        for key in keys {
            let present = self.is_alive(db, key);
            stamp = self.core.effects.watches.add(db, key, present);
        }
        stamp
    }

    /// Whether a key of this core has changed since somebody began to watch it; its deadline may
    /// have passed without anybody having noticed.
    pub(super) fn has_changed(&mut self, watched: &Watched) -> bool {
        self.is_alive(watched.db, &watched.key);
        self.core.effects.watches.has_changed(watched)
    }

    fn is_alive(&mut self, db: u8, key: &[u8]) -> bool {
        let key = self.core.keyspace.key_ref(key);
        let now = self.core.now.unix_ms;
        match self.core.keyspace.get(db, &key) {
            Some(entry) if entry.is_expired(now) => {
                self.core.expire(db, &key);
                false
            }
            found => found.is_some(),
        }
    }

    /// Nobody of the connection they belonged to watches these keys any more.
    pub(in crate::shard) fn forget(&mut self, watched: Vec<Watched>) {
        let mut by_owner: Vec<(CoreId, Vec<Watched>)> = Vec::new();
        for watched in watched {
            let owner = self.owner(self.core.keyspace.key_ref(&watched.key).slot);
            match by_owner.iter_mut().find(|(core, _)| *core == owner) {
                Some((_, keys)) => keys.push(watched),
                None => by_owner.push((owner, vec![watched])),
            }
        }
        for (core, watched) in by_owner {
            if core == self.core.id {
                self.unwatch_here(&watched);
            } else {
                self.tell(core, Errand::Unwatch(watched));
            }
        }
    }

    pub(super) fn unwatch_here(&mut self, watched: &[Watched]) {
        for Watched { db, key, .. } in watched {
            self.core.effects.watches.remove(*db, key);
        }
    }
}
