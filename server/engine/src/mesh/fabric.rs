//! The fabric: one ring from every core to every other one, and the protocol by which a sender
//! learns that the receiver sleeps.
//!
//! A [`Port`] is one core's end of all its rings. It is moved into the core's thread and stays
//! there; it is not `Clone`, which is what makes every ring single-writer and single-reader.

use super::board::{Board, Published};
use super::spsc::{self, Consumer, Producer};
use super::sync::{Ordering, fence};

/// A core of this host, counted from zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CoreId(pub u16);

impl CoreId {
    /// As an index into per-core arrays.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Builds the rings between cores.
pub struct Fabric<T>(std::marker::PhantomData<T>);

impl<T: Send> Fabric<T> {
    /// One port for each of `cores`, joined by rings of `capacity` messages each way. Rings are
    /// allocated here and never grow: `cores * (cores - 1) * capacity` cells.
    ///
    /// # Panics
    /// When there is no core, or `capacity` is not a power of two.
    #[expect(clippy::new_ret_no_self, reason = "a fabric lives on as its ports")]
    pub fn new(cores: u16, capacity: usize) -> Vec<Port<T>> {
        assert!(cores > 0);
        let count = usize::from(cores);
        let board = Board::new(cores);
        let mut ports: Vec<Port<T>> = (0..cores)
            .map(|core| Port {
                core: CoreId(core),
                to: Vec::with_capacity(count),
                from: Vec::with_capacity(count),
                touched: Vec::with_capacity(count),
                first: 0,
                board: board.clone(),
            })
            .collect();
        for sender in 0..count {
            for receiver in 0..count {
                let (producer, consumer) = if sender == receiver {
                    (None, None)
                } else {
                    let (producer, consumer) = spsc::ring(capacity);
                    (Some(producer), Some(consumer))
                };
                ports[sender].to.push(producer);
                ports[receiver].from.push(consumer);
            }
        }
        ports
    }
}

/// One core's end of the fabric.
pub struct Port<T> {
    core: CoreId,
    /// By receiver; none to itself.
    to: Vec<Option<Producer<T>>>,
    /// By sender; none from itself.
    from: Vec<Option<Consumer<T>>>,
    /// Receivers that were sent something since the last [`Port::cores_to_wake`].
    touched: Vec<CoreId>,
    /// The sender whose turn it is to come first.
    first: usize,
    board: Board,
}

impl<T: Send> Port<T> {
    /// The core this port belongs to.
    pub fn core(&self) -> CoreId {
        self.core
    }

    /// How many cores the fabric joins.
    pub fn cores(&self) -> u16 {
        self.to.len() as u16
    }

    /// What all cores publish.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// What this core publishes.
    pub fn published(&self) -> &Published {
        self.board.core(self.core)
    }

    /// Puts a message into the ring to `to`, or gives it back when that ring is full. The
    /// receiver may sleep: call [`Port::cores_to_wake`] before the end of the turn.
    ///
    /// # Panics
    /// When `to` is this core or none at all.
    pub fn send(&mut self, to: CoreId, message: T) -> Result<(), T> {
        let Some(Some(ring)) = self.to.get_mut(to.index()) else {
            panic!("core {} has no ring to core {}", self.core.0, to.0);
        };
        ring.push(message)?;
        if self.touched.last() != Some(&to) && !self.touched.contains(&to) {
            self.touched.push(to);
        }
        Ok(())
    }

    /// How many messages the ring to `to` takes at least before it is full.
    pub fn room(&mut self, to: CoreId) -> usize {
        self.to[to.index()].as_mut().map_or(0, Producer::room)
    }

    /// The oldest message from `from`, if there is one.
    pub fn receive(&mut self, from: CoreId) -> Option<T> {
        self.from[from.index()].as_mut()?.pop()
    }

    /// Visits messages of all senders, at most `each` of one sender, and starts with another
    /// sender every time, so that a busy one delays nobody beyond a turn. Returns whether a
    /// sender had its full share, so that more may be waiting.
    pub fn receive_each(&mut self, each: usize, mut visit: impl FnMut(CoreId, T)) -> bool {
        let cores = self.from.len();
        let mut more = false;
        for offset in 0..cores {
            let sender = (self.first + offset) % cores;
            let Some(ring) = self.from[sender].as_mut() else { continue };
            let mut taken = 0;
            while taken < each {
                let Some(message) = ring.pop() else { break };
                visit(CoreId(sender as u16), message);
                taken += 1;
            }
            more |= taken == each;
        }
        self.first = (self.first + 1) % cores;
        more
    }

    /// Whether no message waits for this core at this moment.
    pub fn is_empty(&self) -> bool {
        self.from.iter().flatten().all(Consumer::is_empty)
    }

    /// Announces that this core is about to sleep, and tells whether it may. `false`: a message
    /// has come meanwhile, and the core stays announced as awake. `true`: sleep; whoever sends
    /// from now on learns from [`Port::cores_to_wake`] that it must ring this core's doorbell.
    /// After waking, for whatever reason, call [`Port::woke`].
    ///
    /// No wake-up is lost: the receiver writes `sleeping`, fences, and reads the rings; the
    /// sender writes a ring, fences, and reads `sleeping`. Two sequentially consistent fences are
    /// ordered one before the other, so either the receiver sees the message or the sender sees
    /// the sleeper. loom checks it.
    pub fn prepare_sleep(&self) -> bool {
        let sleeping = &self.published().sleeping.0;
        sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.is_empty() {
            return true;
        }
        sleeping.store(false, Ordering::Relaxed);
        false
    }

    /// Announces that this core is awake, so that senders spare it the doorbell.
    pub fn woke(&self) {
        self.published().sleeping.0.store(false, Ordering::Relaxed);
    }

    /// The cores that were sent something since the last call and sleep: their doorbells must be
    /// rung, each by exactly one of its senders. Costs one fence for all messages of a turn.
    pub fn cores_to_wake(&mut self, mut ring: impl FnMut(CoreId)) {
        if self.touched.is_empty() {
            return;
        }
        fence(Ordering::SeqCst);
        for core in self.touched.drain(..) {
            let sleeping = &self.board.core(core).sleeping.0;
            // The plain read first: a swap would take the line from a core that is awake.
            if sleeping.load(Ordering::Relaxed) && sleeping.swap(false, Ordering::Relaxed) {
                ring(core);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const A: CoreId = CoreId(0);
    const B: CoreId = CoreId(1);
    const C: CoreId = CoreId(2);

    fn three() -> [Port<u32>; 3] {
        Fabric::new(3, 4).try_into().ok().unwrap()
    }

    #[test]
    fn a_message_reaches_the_core_it_was_sent_to_and_no_other() {
        let [mut a, mut b, mut c] = three();
        a.send(C, 7).unwrap();
        assert!(b.is_empty());
        assert!(!c.is_empty());
        assert_eq!(b.receive(A), None);
        assert_eq!(c.receive(B), None);
        assert_eq!(c.receive(A), Some(7));
        assert!(c.is_empty());
    }

    #[test]
    fn a_full_ring_gives_the_message_back_and_concerns_no_other_ring() {
        let [mut a, mut b, _c] = three();
        for message in 0..4 {
            a.send(B, message).unwrap();
        }
        assert_eq!(a.room(B), 0);
        assert_eq!(a.send(B, 4), Err(4));
        a.send(C, 5).unwrap();
        assert_eq!(b.receive(A), Some(0));
        assert_eq!(a.send(B, 4), Ok(()));
    }

    #[test]
    fn a_busy_sender_gets_its_share_and_no_more() {
        let [mut a, mut b, mut c] = three();
        for message in 0..4 {
            a.send(C, message).unwrap();
        }
        b.send(C, 100).unwrap();
        let mut seen = Vec::new();
        let more = c.receive_each(2, |from, message| seen.push((from, message)));
        assert!(more);
        assert_eq!(seen, [(A, 0), (A, 1), (B, 100)]);
        b.send(C, 101).unwrap();
        seen.clear();
        c.receive_each(2, |from, message| seen.push((from, message)));
        assert_eq!(seen, [(B, 101), (A, 2), (A, 3)], "another sender comes first this time");
        assert!(!c.receive_each(2, |_, _| panic!("nothing is left")));
    }

    #[test]
    fn only_sleepers_are_rung_and_only_by_one_sender() {
        let [mut a, mut b, c] = three();
        let rung = |port: &mut Port<u32>| {
            let mut cores = Vec::new();
            port.cores_to_wake(|core| cores.push(core));
            cores
        };
        a.send(C, 1).unwrap();
        assert_eq!(rung(&mut a), [], "awake");
        assert!(!c.prepare_sleep(), "a message waits");
        let mut c = c;
        assert_eq!(c.receive(A), Some(1));
        assert!(c.prepare_sleep());
        a.send(C, 2).unwrap();
        a.send(C, 3).unwrap();
        b.send(C, 4).unwrap();
        assert_eq!(rung(&mut a), [C], "once, however many messages");
        assert_eq!(rung(&mut b), [], "already rung");
        c.woke();
        assert_eq!(rung(&mut a), [], "nothing new was sent");
    }

    #[test]
    #[should_panic(expected = "core 0 has no ring to core 0")]
    fn a_core_does_not_write_to_itself() {
        let [mut a, _b, _c] = three();
        let _ = a.send(A, 1);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;

    #[test]
    fn no_interleaving_lets_a_core_sleep_over_a_message() {
        loom::model(|| {
            let mut ports = Fabric::<u32>::new(2, 1);
            let mut receiver = ports.pop().unwrap();
            let mut sender = ports.pop().unwrap();
            let thread = loom::thread::spawn(move || {
                sender.send(CoreId(1), 7).unwrap();
                let mut rung = false;
                sender.cores_to_wake(|_| rung = true);
                rung
            });
            let sleeps = receiver.prepare_sleep();
            let rung = thread.join().unwrap();
            assert!(rung || !sleeps, "asleep, a message waiting, and nobody rings");
            assert_eq!(receiver.receive(CoreId(0)), Some(7));
        });
    }
}
