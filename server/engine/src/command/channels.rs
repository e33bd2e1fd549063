//! Who listens to what. Every core keeps one table each of channels, patterns and shard channels;
//! an entry has the sessions of this core that listen, and how many listen on each other core.
//! The other cores' numbers come by message (`shard::pubsub`), so any core can tell at once who
//! is to get a message, and how many receivers it has in the whole node.
//!
//! What holds while subscriptions change: a core counts its own subscribers exactly and those of
//! others as they were when last announced. A subscriber's confirmation leaves only after every
//! core has taken note, so whoever publishes after seeing it, anywhere, reaches that subscriber
//! and counts it. The same holds the other way round for UNSUBSCRIBE. In between, a message may
//! reach or miss the subscriber, and the count may say either, as in a race on one core; and who
//! leaves may miss what was under way to it from another core.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context::Core;
use super::session::SessionId;
use crate::base::collections::{NameMap, SecretHasher};
use crate::base::glob::{self, Case};
use crate::config::NotifyClasses;
use crate::effect::Event;
use crate::mesh::CoreId;

/// What a client can listen to. The values are indices of tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topic {
    Channel = 0,
    Pattern = 1,
    /// SSUBSCRIBE: a channel that belongs to a slot, and is matched by no pattern.
    Shard = 2,
}

impl Topic {
    pub const ALL: [Topic; 3] = [Topic::Channel, Topic::Pattern, Topic::Shard];
}

/// What one session listens to.
#[derive(Default)]
pub struct Listening {
    names: [BTreeSet<Arc<[u8]>>; 3],
}

impl Listening {
    pub fn count(&self, topic: Topic) -> usize {
        self.names[topic as usize].len()
    }

    pub fn names(&self, topic: Topic) -> impl Iterator<Item = &Arc<[u8]>> {
        self.names[topic as usize].iter()
    }

    pub fn is_empty(&self) -> bool {
        self.names.iter().all(BTreeSet::is_empty)
    }
}

/// Who listens to one name.
#[derive(Default)]
pub struct Listeners {
    /// Sessions of this core, in order of their ids.
    pub here: Vec<SessionId>,
    /// Other cores that have any, and how many.
    elsewhere: Vec<(CoreId, u32)>,
}

impl Listeners {
    fn count(&self) -> u64 {
        let elsewhere = self.elsewhere.iter().map(|&(_, count)| u64::from(count));
        self.here.len() as u64 + elsewhere.sum::<u64>()
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.elsewhere.is_empty()
    }
}

/// A core has this many listeners to a name from now on: what the other cores are told.
#[derive(Clone, Debug)]
pub struct Change {
    pub topic: Topic,
    pub name: Arc<[u8]>,
    pub listeners: u32,
}

/// A published message, in the form every receiver gets: what differs between receivers (dialect,
/// the pattern that matched) stands before it.
#[derive(Debug)]
pub struct Publication {
    /// `Channel` or `Shard`.
    pub topic: Topic,
    channel: (u32, u32),
    tail: Vec<u8>,
}

impl Publication {
    pub fn new(topic: Topic, channel: &[u8], message: &[u8]) -> Publication {
        let mut tail = Vec::with_capacity(channel.len() + message.len() + 32);
        let mut reply = freehold_protocol::Reply::new(&mut tail, false);
        reply.bulk(channel);
        let start = reply.out.len() - 2 - channel.len();
        reply.bulk(message);
        Publication { topic, channel: (start as u32, channel.len() as u32), tail }
    }

    pub fn channel(&self) -> &[u8] {
        let (start, length) = self.channel;
        &self.tail[start as usize..(start + length) as usize]
    }

    /// Channel and message as two bulk strings.
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }
}

/// A publication that has not left its core yet, and who is to get it.
pub struct Outgoing {
    pub publication: Publication,
    /// Somebody on this core.
    pub here: bool,
    pub elsewhere: Vec<CoreId>,
}

/// The subscriptions of a node, as one core knows them.
pub struct Channels {
    tables: [NameMap<Listeners>; 3],
    /// Whether there is anybody to tell of changes.
    announces: bool,
    /// What the other cores have not been told yet.
    pub changes: Vec<Change>,
    /// The command that runs has changed subscriptions: its reply waits until all cores know.
    pub reply_waits: bool,
    /// Published by commands, expiry and eviction since the shard last looked.
    pub outgoing: Vec<Outgoing>,
    /// Sessions of this core that listen to anything.
    pub sessions: usize,
}

impl Channels {
    pub fn new(cores: u16, seed: u64) -> Channels {
        Channels {
            tables: [(); 3].map(|()| NameMap::with_hasher(SecretHasher(seed))),
            announces: cores > 1,
            changes: Vec::new(),
            reply_waits: false,
            outgoing: Vec::new(),
            sessions: 0,
        }
    }

    /// Whether the shard has something to do for the command that has just run.
    #[inline]
    pub fn has_news(&self) -> bool {
        self.reply_waits || !self.outgoing.is_empty()
    }

    /// Adds a subscription. False when the session had it already.
    pub fn subscribe(
        &mut self,
        id: SessionId,
        listening: &mut Listening,
        topic: Topic,
        name: &[u8],
    ) -> bool {
        if listening.names[topic as usize].contains(name) {
            return false;
        }
        let table = &mut self.tables[topic as usize];
        let name = match table.get_key_value(name) {
            Some((name, _)) => name.clone(),
            None => Arc::from(name),
        };
        let listeners = table.entry(name.clone()).or_default();
        if let Err(place) = listeners.here.binary_search(&id) {
            listeners.here.insert(place, id);
        }
        let count = listeners.here.len();
        self.sessions += usize::from(listening.is_empty());
        listening.names[topic as usize].insert(name.clone());
        self.announce(topic, name, count);
        true
    }

    /// Ends a subscription. False when the session had none.
    pub fn unsubscribe(
        &mut self,
        id: SessionId,
        listening: &mut Listening,
        topic: Topic,
        name: &[u8],
    ) -> bool {
        let Some(name) = listening.names[topic as usize].take(name) else { return false };
        self.sessions -= usize::from(listening.is_empty());
        let table = &mut self.tables[topic as usize];
        let Some(listeners) = table.get_mut(&name) else { return false };
        if let Ok(place) = listeners.here.binary_search(&id) {
            listeners.here.remove(place);
        }
        let count = listeners.here.len();
        if listeners.is_empty() {
            table.remove(&name);
        }
        self.announce(topic, name, count);
        true
    }

    /// Ends all subscriptions of a session that leaves or resets.
    pub fn leave_all(&mut self, id: SessionId, mut listening: Box<Listening>) {
        for topic in Topic::ALL {
            while let Some(name) = listening.names[topic as usize].first().cloned() {
                self.unsubscribe(id, &mut listening, topic, &name);
            }
        }
    }

    fn announce(&mut self, topic: Topic, name: Arc<[u8]>, listeners: usize) {
        if self.announces {
            self.changes.push(Change { topic, name, listeners: listeners as u32 });
            self.reply_waits = true;
        }
    }

    /// Another core has told how many listen there.
    pub fn note(&mut self, core: CoreId, change: &Change) {
        let table = &mut self.tables[change.topic as usize];
        let listeners = table.entry(change.name.clone()).or_default();
        listeners.elsewhere.retain(|&(other, _)| other != core);
        if change.listeners > 0 {
            listeners.elsewhere.push((core, change.listeners));
        } else if listeners.is_empty() {
            table.remove(&change.name);
        }
    }

    /// Publishes: the message leaves when the command that runs has been answered. Returns how
    /// many receive it, a client once for each of its subscriptions that fits, as in Redis.
    pub fn publish(&mut self, topic: Topic, channel: &[u8], message: &[u8]) -> u64 {
        debug_assert!(topic != Topic::Pattern);
        let mut audience = Audience::default();
        if let Some(listeners) = self.tables[topic as usize].get(channel) {
            audience.add(listeners);
        }
        if topic == Topic::Channel {
            for (pattern, listeners) in &self.tables[Topic::Pattern as usize] {
                if glob::matches(pattern, channel, Case::Sensitive) {
                    audience.add(listeners);
                }
            }
        }
        let Audience { receivers, here, elsewhere } = audience;
        if receivers > 0 {
            let publication = Publication::new(topic, channel, message);
            self.outgoing.push(Outgoing { publication, here, elsewhere });
        }
        receivers
    }

    /// Publishes what has happened to a key, on the channels `classes` asks for.
    fn tell(&mut self, classes: NotifyClasses, event: &Event) {
        let Event { name, db, ref key, .. } = *event;
        let channel = |kind: &str, end: &[u8]| {
            let mut channel = format!("__{kind}@{db}__:").into_bytes();
            channel.extend_from_slice(end);
            channel
        };
        if classes.contains(NotifyClasses::KEYSPACE) {
            self.publish(Topic::Channel, &channel("keyspace", key), name.as_bytes());
        }
        if classes.contains(NotifyClasses::KEYEVENT) {
            self.publish(Topic::Channel, &channel("keyevent", name.as_bytes()), key);
        }
    }

    /// Who listens to this very name.
    pub fn listeners(&self, topic: Topic, name: &[u8]) -> Option<&Listeners> {
        self.tables[topic as usize].get(name)
    }

    /// All names of a kind somebody in the node listens to, in no order.
    pub fn all(&self, topic: Topic) -> impl Iterator<Item = (&[u8], &Listeners)> {
        self.tables[topic as usize].iter().map(|(name, listeners)| (&**name, listeners))
    }

    /// How many different names of a kind somebody in the node listens to.
    pub fn count(&self, topic: Topic) -> usize {
        self.tables[topic as usize].len()
    }

    /// How many in the node listen to this very name.
    pub fn listener_count(&self, topic: Topic, name: &[u8]) -> u64 {
        self.listeners(topic, name).map_or(0, Listeners::count)
    }
}

impl Core {
    /// Publishes what has happened to keys of this core since the last call, in order. Events are
    /// noted where a command runs, so each is told by one core, once.
    pub fn tell_events(&mut self) {
        let heard = self.channels.count(Topic::Channel) + self.channels.count(Topic::Pattern) > 0;
        let events = self.effects.take_events();
        for event in events.iter().filter(|_| heard) {
            self.channels.tell(self.config.notify, event);
        }
    }
}

/// Who is to get a message.
#[derive(Default)]
struct Audience {
    receivers: u64,
    here: bool,
    elsewhere: Vec<CoreId>,
}

impl Audience {
    fn add(&mut self, listeners: &Listeners) {
        self.receivers += listeners.count();
        self.here |= !listeners.here.is_empty();
        for &(core, _) in &listeners.elsewhere {
            if !self.elsewhere.contains(&core) {
                self.elsewhere.push(core);
            }
        }
    }
}
