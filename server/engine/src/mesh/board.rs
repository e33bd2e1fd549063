//! What the cores tell each other without a message: a few figures of each, whether it sleeps,
//! and the order of transactions. Written by one core, read by all, each core's on cache lines of
//! its own; nothing here is touched more than once a turn.

use super::Padded;
use super::fabric::CoreId;
use super::loading::Loading;
use super::snapshots::Snapshots;
use super::sync::{Arc, AtomicBool, AtomicI64, AtomicU64, Ordering};

/// What one core tells the others and the control thread. Written by that core once a turn, read
/// by whoever asks; the figures are independent of each other and may be a turn old.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Published {
    memory_used_bytes: AtomicI64,
    evictable_keys: AtomicU64,
    connections: AtomicU64,
    commands: AtomicU64,
    changes: AtomicU64,
    log_bytes: AtomicU64,
    /// On its own lines: senders read it often, and the figures are written often.
    pub(super) sleeping: Padded<AtomicBool>,
}

impl Published {
    /// Memory the core's data and buffers take.
    pub fn memory_used_bytes(&self) -> i64 {
        self.memory_used_bytes.load(Ordering::Relaxed)
    }

    /// Keys the core may evict; kept while `maxmemory` is set.
    pub fn evictable_keys(&self) -> u64 {
        self.evictable_keys.load(Ordering::Relaxed)
    }

    /// Replaces the count of keys that may go; the core calls this once a turn.
    pub fn publish_evictable_keys(&self, keys: u64) {
        self.evictable_keys.store(keys, Ordering::Relaxed);
    }

    /// Connections the core serves.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Commands the core has run since the start.
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Relaxed)
    }

    /// Changes of keys the core has noted since the start.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Bytes of the logs the core has written since the start.
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes.load(Ordering::Relaxed)
    }

    /// Replaces the count of bytes logged; the core calls this once a turn while it logs.
    pub fn publish_log_bytes(&self, bytes: u64) {
        self.log_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Replaces the count of changes; the core calls this once a turn.
    pub fn publish_changes(&self, changes: u64) {
        self.changes.store(changes, Ordering::Relaxed);
    }

    /// Replaces the figures; the core calls this once a turn.
    pub fn publish(&self, memory_used_bytes: i64, connections: u64, commands: u64) {
        self.memory_used_bytes.store(memory_used_bytes, Ordering::Relaxed);
        self.connections.store(connections, Ordering::Relaxed);
        self.commands.store(commands, Ordering::Relaxed);
    }
}

/// What all cores publish, by core. Cheap to clone: every port and the control thread have one.
#[derive(Clone, Debug)]
pub struct Board {
    cores: Arc<Vec<Published>>,
    /// Cores whose log finds no space, and those whose log is broken.
    troubles: Arc<[AtomicU64; 2]>,
    snapshots: Snapshots,
    loading: Loading,
}

impl Board {
    /// The figures of `cores` cores, all zero. [`Fabric::new`] makes the one a node needs.
    pub fn new(cores: u16) -> Board {
        Board {
            cores: Arc::new((0..cores).map(|_| Published::default()).collect()),
            troubles: Arc::default(),
            snapshots: Snapshots::default(),
            loading: Loading::default(),
        }
    }

    /// What `core` publishes.
    ///
    /// # Panics
    /// When there is no such core.
    pub fn core(&self, core: CoreId) -> &Published {
        &self.cores[core.index()]
    }

    /// What each core publishes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Published> {
        self.cores.iter()
    }

    /// The snapshots of the node.
    pub fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// What the node reads at its start.
    pub fn loading(&self) -> &Loading {
        &self.loading
    }

    /// Changes noted by all cores together since the start.
    pub fn changes(&self) -> u64 {
        self.iter().map(Published::changes).sum()
    }

    /// Bytes of the logs all cores together have written since the start.
    pub fn log_bytes(&self) -> u64 {
        self.iter().map(Published::log_bytes).sum()
    }

    /// Counts one core more, or one fewer, whose log is in this kind of trouble.
    pub fn note_trouble(&self, kind: usize, begins: bool) {
        // Wrapping: minus one is a large number.
        let change = if begins { 1 } else { u64::MAX };
        self.troubles[kind].fetch_add(change, Ordering::Relaxed);
    }

    /// Whether any core's log is in this kind of trouble.
    pub fn has_trouble(&self, kind: usize) -> bool {
        self.troubles[kind].load(Ordering::Relaxed) > 0
    }

    /// Memory of all cores together.
    pub fn memory_used_bytes(&self) -> i64 {
        self.iter().map(Published::memory_used_bytes).sum()
    }

    /// Keys that may be evicted, of all cores together.
    pub fn evictable_keys(&self) -> u64 {
        self.iter().map(Published::evictable_keys).sum()
    }

    /// Connections of all cores together.
    pub fn connections(&self) -> u64 {
        self.iter().map(Published::connections).sum()
    }

    /// Commands run by all cores together since the start.
    pub fn commands(&self) -> u64 {
        self.iter().map(Published::commands).sum()
    }
}

/// The place of a transaction over several cores in the order of all of them: the lower ticket
/// goes first, so waiting is only ever for lower ones and cannot form a circle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// The shared source of tickets. One atomic for all cores, touched only by transactions that
/// span several of them.
#[derive(Clone, Debug)]
pub struct Tickets(Arc<AtomicU64>);

impl Tickets {
    /// A source whose first ticket is 1.
    #[expect(clippy::new_without_default, reason = "a second source by accident breaks the order")]
    pub fn new() -> Tickets {
        Tickets(Arc::new(AtomicU64::new(1)))
    }

    /// A ticket nobody has had, higher than all that were taken before on this core.
    pub fn take(&self) -> Ticket {
        // Relaxed: the read-modify-write alone makes tickets unique and gives them one order;
        // the parcels that carry them order everything else.
        Ticket(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up_over_the_cores() {
        let board = Board::new(3);
        board.core(CoreId(0)).publish(10, 1, 100);
        board.core(CoreId(1)).publish(20, 2, 200);
        assert_eq!(board.memory_used_bytes(), 30);
        assert_eq!(board.connections(), 3);
        assert_eq!(board.commands(), 300);
        assert_eq!(board.core(CoreId(1)).commands(), 200);
    }

    #[test]
    fn each_core_publishes_on_cache_lines_of_its_own() {
        assert_eq!(align_of::<Published>(), 128);
        assert!(size_of::<Published>() >= 256, "the sleeping flag stands apart");
    }

    #[test]
    fn no_ticket_is_given_twice() {
        let tickets = Tickets::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let tickets = tickets.clone();
                std::thread::spawn(move || (0..100).map(|_| tickets.take()).collect::<Vec<_>>())
            })
            .collect();
        let mut taken: Vec<Ticket> =
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        taken.sort_unstable();
        assert_eq!(taken, (1..=200).map(Ticket).collect::<Vec<_>>());
    }
}
