//! A command that must see keys of several cores at once runs on the leader. The owners lend it
//! the keys, values and all: a list of millions crosses as one pointer. What has become of them
//! goes back, and the effects with it.

use super::plan::Place;
use super::{Changes, Outcome, Transaction};
use crate::command::context::KeyHint;
use crate::command::session::Caller;
use crate::effect::{Effect, Effects, decode_all};
use crate::keyspace::Keyspace;
use crate::mesh::CoreId;
use crate::shard::parcel::Lent;
use crate::shard::{Shard, execute};

impl Shard {
    /// All keys of this task are still and have been lent.
    pub(super) fn run_pulled(&mut self, transaction: &mut Transaction, task: usize) {
        let mut scratch = match self.core.scratch.take() {
            Some(scratch) => scratch,
            None => Box::new(self.core.keyspace.like()),
        };
        let mut kept = Vec::new();
        for (_, Lent { db, key, taken, .. }) in transaction.pulled.drain(..) {
            let key_ref = scratch.key_ref(&key);
            if let Some(taken) = taken {
                scratch.put(db, &key_ref, taken);
            }
            kept.push((db, key));
        }
        let mut reply = Vec::new();
        self.core.reached = transaction.tasks[task].beyond.is_some();
        let effects = self.run_on(&mut scratch, transaction, task, &mut reply);
        self.core.reached = false;
        transaction.outcomes[task] = Outcome::Reply(reply);
        let Place::Pull(positions) = &transaction.tasks[task].place else { return };
        let args = transaction.tasks[task].request.args();
        let mut changes: Vec<(CoreId, Changes)> = Vec::new();
        for (core, at) in positions {
            let mut returned = Vec::new();
            for &at in at {
                take_all(&mut scratch, args.get(at), &kept, &mut returned);
            }
            changes.push((*core, Changes { returned, effects: Vec::new() }));
        }
        for (core, keys) in transaction.tasks[task].beyond.iter().flatten() {
            let returned = match changes.iter_mut().position(|(other, _)| other == core) {
                Some(at) => &mut changes[at].1.returned,
                None => {
                    changes.push((*core, Changes::default()));
                    let last = changes.len() - 1;
                    &mut changes[last].1.returned
                }
            };
            keys.iter().for_each(|key| take_all(&mut scratch, key, &kept, returned));
        }
        debug_assert!(scratch.is_empty(), "a command touches only keys its row names");
        self.core.scratch = Some(scratch);
        let (cores, keyspace) = (self.core.cores, &self.core.keyspace);
        share_out(&effects, &mut changes, |key| {
            crate::mesh::owner_of(keyspace.key_ref(key).slot, cores)
        });
        transaction.changes = changes;
        if let Some(keys) = self.core.unreached.take() {
            self.run_again_with(transaction, task, keys);
        }
    }

    /// The task has found out that it needs more keys: the next step brings them, and it runs as
    /// if for the first time.
    fn run_again_with(
        &mut self,
        transaction: &mut Transaction,
        index: usize,
        mut keys: Vec<Box<[u8]>>,
    ) {
        let task = &mut transaction.tasks[index];
        let stats = &mut self.core.stats;
        stats.commands_processed -= 1;
        stats.commands[task.request.command.index].calls -= 1;
        let named = task.request.command.spec.key_positions(task.request.args());
        let named: Vec<&[u8]> =
            named.unwrap_or_default().iter().map(|&at| task.request.args().get(at)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| !named.contains(&&**key));
        let beyond = task.beyond.insert(Vec::new());
        for key in keys {
            let owner =
                crate::mesh::owner_of(self.core.keyspace.key_ref(&key).slot, self.core.cores);
            match beyond.iter_mut().find(|(core, _)| *core == owner) {
                Some((_, of_core)) => of_core.push(key),
                None => beyond.push((owner, vec![key])),
            }
        }
        transaction.outcomes[index] = Outcome::Nothing;
        transaction.next = index;
    }

    /// Runs a task on the keys in `scratch` and returns its effects.
    fn run_on(
        &mut self,
        scratch: &mut Keyspace,
        transaction: &mut Transaction,
        task: usize,
        reply: &mut Vec<u8>,
    ) -> Vec<u8> {
        let task = &transaction.tasks[task];
        let core = &mut self.core;
        std::mem::swap(&mut core.keyspace, scratch);
        let trace = Effects::trace_of(&core.effects);
        let effects = std::mem::replace(&mut core.effects, trace);
        let command = task.request.command;
        let caller = Caller { db: task.db, ..transaction.caller };
        let args = task.request.args();
        let limit = core.memory_limit_bytes.take(); // the members have made room
        let run = execute::Execution { command, caller, hint: KeyHint::default(), timed: false };
        core.found_nothing = None;
        run.execute(core, args, reply);
        transaction.found_nothing = core.found_nothing.take();
        core.memory_limit_bytes = limit;
        let mut traced = std::mem::replace(&mut core.effects, effects);
        core.effects.add_events(traced.take_events());
        std::mem::swap(&mut core.keyspace, scratch);
        traced.take()
    }
}

/// Takes a key out of every database. `kept`: the keys their owners wait for.
fn take_all(
    scratch: &mut Keyspace,
    key: &[u8],
    kept: &[(u8, Box<[u8]>)],
    returned: &mut Vec<Lent>,
) {
    let key_ref = scratch.key_ref(key);
    for db in scratch.numbers() {
        let taken = scratch.take(db, &key_ref);
        let kept = kept.iter().any(|(other, kept)| *other == db && **kept == *key);
        if (taken.is_some() || kept) && !returned.iter().any(|r| r.db == db && *r.key == *key) {
            returned.push(Lent { db, key: key.into(), taken, kept });
        }
    }
}

/// Sends each encoded effect to the share of the core that owns its key.
fn share_out(effects: &[u8], shares: &mut [(CoreId, Changes)], owner: impl Fn(&[u8]) -> CoreId) {
    let mut sorted: Vec<Effects> = shares.iter().map(|_| Effects::default()).collect();
    sorted.iter_mut().for_each(Effects::listen);
    let decoded = decode_all(effects, |effect: Effect<'_>| {
        let Some(key) = effect.key() else { return };
        let core = owner(key);
        if let Some(at) = shares.iter().position(|(other, _)| *other == core) {
            sorted[at].push(effect);
        }
    });
    debug_assert!(decoded.is_ok(), "this core has just encoded it");
    for ((_, share), mut effects) in shares.iter_mut().zip(sorted) {
        share.effects = effects.take();
    }
}
