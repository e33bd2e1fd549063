//! Where each request of a transaction runs, and what each core is asked to keep still for it:
//! found out before anything is locked, from the keys, the cursors and the SELECTs of the requests.

use freehold_protocol::slot::Slot;

use crate::command::error::CommandError;
use crate::command::request::OwnedRequest;
use crate::command::session::PortKind;
use crate::command::spec::{DENYOOM, Run};
use crate::command::{connection, spec::Spec};
use crate::effect::Watched;
use crate::keyspace::KeyRef;
use crate::mesh::CoreId;
use crate::shard::Shard;
use crate::shard::gate::cursor_slot;
use crate::shard::locks::{LockKey, Wanted};

/// One request of a transaction.
pub struct Task {
    pub request: OwnedRequest,
    /// The database it works in, by the SELECTs before it.
    pub db: u8,
    pub place: Place,
    /// Keys it needs beyond those it names, by owner; none while it has not asked for any.
    pub beyond: Option<KeysByOwner>,
}

/// Where a task runs.
pub enum Place {
    /// On the connection's core: it has no key, or none that can be made out.
    Home,
    /// On the core that owns all its keys, or what its cursor points to.
    One(CoreId),
    /// Each owner runs its own part.
    Split(Positions),
    /// On the connection's core, which the owners lend the keys.
    Pull(Positions),
    /// Every core contributes.
    Everywhere,
    /// Nowhere: a key is too long for any core, and none is to begin.
    Refused(CommandError),
}

/// Keys, by owner.
pub type KeysByOwner = Vec<(CoreId, Vec<Box<[u8]>>)>;

/// The positions of a request's keys, by owner, in order.
pub type Positions = Vec<(CoreId, Vec<usize>)>;

/// What one core has to do with a transaction.
pub struct Share {
    pub core: CoreId,
    pub wanted: Wanted,
    pub watched: Vec<Watched>,
    /// Bytes its commands may add, when they may.
    pub adds: Option<u64>,
}

/// A transaction before it begins.
#[derive(Default)]
pub struct Plan {
    pub tasks: Vec<Task>,
    pub shares: Vec<Share>,
}

impl Plan {
    fn share(&mut self, core: CoreId) -> &mut Share {
        let at = self.shares.iter().position(|share| share.core == core).unwrap_or_else(|| {
            self.shares.push(Share {
                core,
                wanted: Wanted::default(),
                watched: vec![],
                adds: None,
            });
            self.shares.len() - 1
        });
        &mut self.shares[at]
    }

    fn want_key(&mut self, core: CoreId, key: &KeyRef<'_>, write: bool) {
        if let Wanted::Keys(keys) = &mut self.share(core).wanted {
            keys.push(LockKey { fingerprint: key.hash, write });
        }
    }

    /// A key named by several requests is locked once, for writing if any of them writes.
    fn merge_locks(&mut self) {
        for share in &mut self.shares {
            let Wanted::Keys(keys) = &mut share.wanted else { continue };
            keys.sort_unstable_by_key(|key| key.fingerprint);
            keys.dedup_by(|next, first| {
                let same = next.fingerprint == first.fingerprint;
                first.write |= same && next.write;
                same
            });
        }
    }
}

impl Shard {
    /// Plans `requests`, which begin in database `db` and come through a port of this kind.
    ///
    /// # Errors
    /// On a core's own port: keys of several slots, as in a Redis cluster.
    pub(in crate::shard) fn plan_transaction(
        &self,
        port: PortKind,
        mut db: u8,
        requests: Vec<OwnedRequest>,
        watched: &[Watched],
    ) -> Result<Plan, CommandError> {
        let mut plan = Plan::default();
        let mut slot = None;
        for request in requests {
            let place = self.plan_request(port, &request, &mut plan, &mut slot)?;
            let own = db;
            if request.command.spec.name == SELECT
                && let Ok(selected) = connection::selected(&self.core, request.args())
            {
                db = selected;
            }
            plan.tasks.push(Task { request, db: own, place, beyond: None });
        }
        for watched in watched {
            let key = self.core.keyspace.key_ref(&watched.key);
            let owner = self.owner(key.slot);
            plan.want_key(owner, &key, false);
            plan.share(owner).watched.push(watched.clone());
        }
        plan.merge_locks();
        Ok(plan)
    }

    fn plan_request(
        &self,
        port: PortKind,
        request: &OwnedRequest,
        plan: &mut Plan,
        slot: &mut Option<Slot>,
    ) -> Result<Place, CommandError> {
        let home = self.core.id;
        let alone = self.core.cores == 1 || port == PortKind::Core;
        let spec = request.command.spec;
        match spec.run {
            Run::Here(_) | Run::Container | Run::Transaction(_) => {
                plan.share(home);
                Ok(Place::Home)
            }
            Run::Cursor(_) => {
                let slot = cursor_slot(request.args()).filter(|_| !alone);
                let core = slot.map_or(home, |slot| self.owner(slot));
                plan.share(core).wanted = Wanted::Whole;
                Ok(Place::One(core))
            }
            Run::Everywhere { .. } if alone => {
                plan.share(home).wanted = Wanted::Whole;
                Ok(Place::Home)
            }
            Run::Everywhere { .. } => {
                for core in 0..self.core.cores {
                    plan.share(CoreId(core)).wanted = Wanted::Whole;
                }
                Ok(Place::Everywhere)
            }
            _ => self.plan_keys(port, request, plan, slot),
        }
    }

    fn plan_keys(
        &self,
        port: PortKind,
        request: &OwnedRequest,
        plan: &mut Plan,
        slot: &mut Option<Slot>,
    ) -> Result<Place, CommandError> {
        let (spec, args) = (request.command.spec, request.args());
        let mut positions = Positions::new();
        if spec.key_positions(args).is_err() {
            plan.share(self.core.id);
            return Ok(Place::Home);
        }
        if let Err(error) = self.check_key_lengths(spec, request) {
            plan.share(self.core.id);
            return Ok(Place::Refused(error));
        }
        let mut crossed = false;
        for keys in spec.keys {
            let _checked_before = keys.positions(args, |at| {
                let key = self.core.keyspace.key_ref(args.get(at));
                crossed |= *slot.get_or_insert(key.slot) != key.slot;
                let owner = self.owner(key.slot);
                plan.want_key(owner, &key, keys.is_write());
                match positions.iter_mut().find(|(core, _)| *core == owner) {
                    Some((_, of_core)) => of_core.push(at),
                    None => positions.push((owner, vec![at])),
                }
            });
        }
        if crossed && port == PortKind::Core {
            return Err(CommandError::CrossSlot);
        }
        for (core, _) in positions.iter().filter(|_| spec.is(DENYOOM)) {
            *plan.share(*core).adds.get_or_insert(0) += request.bytes.len() as u64;
        }
        let alone = self.core.cores == 1 || port == PortKind::Core;
        if !alone && spec.reaches.is_some_and(|reaches| reaches(args)) {
            for core in 0..self.core.cores {
                plan.share(CoreId(core)).wanted = Wanted::Whole;
            }
            return Ok(Place::Pull(positions));
        }
        Ok(match (&positions[..], spec.run) {
            ([], _) => {
                plan.share(self.core.id);
                Place::Home
            }
            ([(core, _)], _) => Place::One(*core),
            (_, Run::Split(..)) => Place::Split(positions),
            _ => {
                // Lent keys are nobody else's, even if they are only read.
                for &(core, ref at) in &positions {
                    for &at in at {
                        plan.want_key(core, &self.core.keyspace.key_ref(args.get(at)), true);
                    }
                }
                Place::Pull(positions)
            }
        })
    }

    /// A key one core would refuse is refused before any core has begun: all or nothing.
    fn check_key_lengths(&self, spec: &Spec, request: &OwnedRequest) -> Result<(), CommandError> {
        let limit = self.core.config.max_key_bytes as usize;
        if !spec.is(DENYOOM) {
            return Ok(());
        }
        let args = request.args();
        let positions = spec.key_positions(args).unwrap_or_default();
        let lengths = positions.iter().map(|&at| args.get(at).len());
        match lengths.max().filter(|&bytes| bytes > limit) {
            Some(bytes) => Err(CommandError::KeyTooLong { bytes, limit }),
            None => Ok(()),
        }
    }
}

const SELECT: &str = "SELECT";
