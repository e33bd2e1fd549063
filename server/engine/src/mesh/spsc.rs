//! A bounded ring with exactly one writer and one reader, on two threads: how parcels travel
//! between cores. A push or a pop is a handful of instructions, and in the steady state it reads
//! no cache line of the other side: each end remembers how far the other had come when it last
//! looked, and looks again only when the ring seems full or empty.
//!
//! The rule of one writer and one reader is in the types: neither end can be cloned, and both
//! verbs take `&mut self`. Positions count for ever (wrapping) and are masked on use, so the ring
//! can be filled to its last cell. Checked by loom (every interleaving of small runs), by Miri,
//! and against a plain queue.

use super::Padded;
use super::sync::{Arc, AtomicUsize, Ordering};
use std::mem::MaybeUninit;

struct Ring<T> {
    /// Position of the next pop; written by the consumer only.
    head: Padded<AtomicUsize>,
    /// Position of the next push; written by the producer only.
    tail: Padded<AtomicUsize>,
    /// The cells of positions `head..tail` hold a value; the length is a power of two.
    cells: Box<[Cell<T>]>,
}

// SAFETY: the ring hands each value from one thread to another, never shares one (so `Send` is
// enough), and the ends keep their accesses to a cell apart by `head` and `tail`, see below.
unsafe impl<T: Send> Sync for Ring<T> {}
// SAFETY: as above; the ring owns its values and nothing else.
unsafe impl<T: Send> Send for Ring<T> {}

/// The writing end. Deliberately not `Clone`: one producer is what makes `push` sound.
pub struct Producer<T> {
    ring: Arc<Ring<T>>,
    tail: usize,
    head_seen: usize,
}

/// The reading end. Deliberately not `Clone`: one consumer is what makes `pop` sound.
pub struct Consumer<T> {
    ring: Arc<Ring<T>>,
    head: usize,
    tail_seen: usize,
}

/// A ring of `capacity` cells, all of them usable, allocated at once.
///
/// # Panics
/// When `capacity` is not a power of two.
pub fn ring<T: Send>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    assert!(capacity.is_power_of_two(), "a ring's capacity is a power of two, not {capacity}");
    let ring = Arc::new(Ring {
        head: Padded(AtomicUsize::new(0)),
        tail: Padded(AtomicUsize::new(0)),
        cells: (0..capacity).map(|_| Cell::new(MaybeUninit::uninit())).collect(),
    });
    let producer = Producer { ring: Arc::clone(&ring), tail: 0, head_seen: 0 };
    (producer, Consumer { ring, head: 0, tail_seen: 0 })
}

impl<T> Ring<T> {
    fn cell(&self, position: usize) -> &Cell<T> {
        &self.cells[position & (self.cells.len() - 1)]
    }
}

impl<T> Producer<T> {
    /// Returns the value when the ring is full, so the caller decides who waits.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.tail.wrapping_sub(self.head_seen) == self.ring.cells.len() {
            self.head_seen = self.ring.head.0.load(Ordering::Acquire);
            if self.tail.wrapping_sub(self.head_seen) == self.ring.cells.len() {
                return Err(value);
            }
        }
        self.ring.cell(self.tail).with_mut(|cell| {
            // SAFETY: `tail - head < len`, so the consumer is done with this cell (it stored
            // `head` with Release, we loaded it with Acquire) and will not look at it again
            // before the Release below; `&mut self` on a type without Clone rules out a second
            // writer.
            unsafe { (*cell).write(value) };
        });
        self.tail = self.tail.wrapping_add(1);
        self.ring.tail.0.store(self.tail, Ordering::Release);
        Ok(())
    }

    /// Values that can be pushed before the ring is full, at least: the consumer may have made
    /// more room meanwhile.
    pub fn room(&mut self) -> usize {
        self.head_seen = self.ring.head.0.load(Ordering::Acquire);
        self.ring.cells.len() - self.tail.wrapping_sub(self.head_seen)
    }
}

impl<T> Consumer<T> {
    /// The oldest value, if there is one.
    pub fn pop(&mut self) -> Option<T> {
        if self.head == self.tail_seen {
            self.tail_seen = self.ring.tail.0.load(Ordering::Acquire);
            if self.head == self.tail_seen {
                return None;
            }
        }
        let value = self.ring.cell(self.head).with(|cell| {
            // SAFETY: `head < tail`, so the producer has written this cell (it stored `tail`
            // with Release, we loaded it with Acquire) and will not touch it before it sees the
            // `head` we store below; the value is moved out once, because `head` passes each
            // position once and `&mut self` on a type without Clone rules out a second reader.
            unsafe { (*cell).assume_init_read() }
        });
        self.head = self.head.wrapping_add(1);
        self.ring.head.0.store(self.head, Ordering::Release);
        Some(value)
    }

    /// Whether there is nothing to pop at this moment.
    pub fn is_empty(&self) -> bool {
        self.head == self.tail_seen && self.head == self.ring.tail.0.load(Ordering::Acquire)
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        // Both ends are gone, and the Arc has ordered their last stores before this.
        let tail = self.tail.0.load(Ordering::Relaxed);
        let mut head = self.head.0.load(Ordering::Relaxed);
        while head != tail {
            self.cell(head).with_mut(|cell| {
                // SAFETY: positions `head..tail` hold values that nobody has moved out, and
                // `&mut self` shows that no end is left to do so.
                unsafe { (*cell).assume_init_drop() };
            });
            head = head.wrapping_add(1);
        }
    }
}

#[cfg(loom)]
type Cell<T> = loom::cell::UnsafeCell<MaybeUninit<T>>;

/// The interface of loom's cell, which tracks who looks when.
#[cfg(not(loom))]
struct Cell<T>(std::cell::UnsafeCell<MaybeUninit<T>>);

#[cfg(not(loom))]
impl<T> Cell<T> {
    fn new(value: MaybeUninit<T>) -> Cell<T> {
        Cell(std::cell::UnsafeCell::new(value))
    }

    #[inline]
    fn with<R>(&self, read: impl FnOnce(*const MaybeUninit<T>) -> R) -> R {
        read(self.0.get())
    }

    #[inline]
    fn with_mut<R>(&self, write: impl FnOnce(*mut MaybeUninit<T>) -> R) -> R {
        write(self.0.get())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use std::collections::VecDeque;
    use std::sync::Arc as Counted;

    #[test]
    fn a_random_history_agrees_with_a_bounded_queue() {
        let seed = 0x5eed_0002;
        let mut random = Random::new(seed);
        let rounds = if cfg!(miri) { 300 } else { 20_000 };
        for capacity in [1, 2, 8, 64] {
            let (mut producer, mut consumer) = ring::<u64>(capacity);
            let mut twin = VecDeque::new();
            for round in 0..rounds {
                if random.below(2) == 0 {
                    let pushed = producer.push(round).is_ok();
                    assert_eq!(pushed, twin.len() < capacity, "seed {seed:#x} round {round}");
                    if pushed {
                        twin.push_back(round);
                    }
                } else {
                    assert_eq!(consumer.pop(), twin.pop_front(), "seed {seed:#x} round {round}");
                }
                assert_eq!(consumer.is_empty(), twin.is_empty());
                assert_eq!(producer.room(), capacity - twin.len());
            }
        }
    }

    #[test]
    fn every_value_arrives_once_and_in_order_on_another_thread() {
        let count = if cfg!(miri) { 200 } else { 200_000 };
        let (mut producer, mut consumer) = ring::<Box<u64>>(16);
        let writer = std::thread::spawn(move || {
            for number in 0..count {
                let mut value = Box::new(number);
                while let Err(refused) = producer.push(value) {
                    value = refused;
                    std::thread::yield_now();
                }
            }
        });
        for expected in 0..count {
            let value = loop {
                match consumer.pop() {
                    Some(value) => break value,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(*value, expected);
        }
        writer.join().unwrap();
        assert!(consumer.is_empty());
    }

    #[test]
    fn a_full_ring_gives_the_value_back() {
        let (mut producer, mut consumer) = ring::<&str>(2);
        assert_eq!(producer.push("a"), Ok(()));
        assert_eq!(producer.push("b"), Ok(()));
        assert_eq!(producer.push("c"), Err("c"));
        assert_eq!(consumer.pop(), Some("a"));
        assert_eq!(producer.push("c"), Ok(()));
    }

    #[test]
    fn values_nobody_received_are_dropped_with_the_ring() {
        let value = Counted::new(());
        let (mut producer, mut consumer) = ring(4);
        for _ in 0..3 {
            producer.push(Counted::clone(&value)).unwrap();
        }
        drop(consumer.pop());
        drop(consumer);
        assert_eq!(Counted::strong_count(&value), 3, "the producer still holds the ring");
        drop(producer);
        assert_eq!(Counted::strong_count(&value), 1);
    }

    #[test]
    fn positions_may_wrap_around() {
        let (mut producer, mut consumer) = ring::<u32>(4);
        let near_the_end = usize::MAX - 2;
        producer.ring.head.0.store(near_the_end, Ordering::Relaxed);
        producer.ring.tail.0.store(near_the_end, Ordering::Relaxed);
        (producer.tail, producer.head_seen) = (near_the_end, near_the_end);
        (consumer.head, consumer.tail_seen) = (near_the_end, near_the_end);
        for round in 0..4u32 {
            for value in 0..4 {
                producer.push(round * 4 + value).unwrap();
            }
            assert!(producer.push(0).is_err());
            for value in 0..4 {
                assert_eq!(consumer.pop(), Some(round * 4 + value));
            }
        }
    }

    #[test]
    #[should_panic(expected = "power of two")]
    fn a_capacity_that_cannot_be_masked_is_refused() {
        let _ = ring::<u8>(3);
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;

    #[test]
    fn no_interleaving_loses_reorders_or_races_a_value() {
        loom::model(|| {
            let (mut producer, mut consumer) = ring::<u32>(2);
            let writer = loom::thread::spawn(move || {
                let mut pushed = 0;
                for value in 0..3 {
                    if producer.push(value).is_err() {
                        break; // full: the reader has not come round yet
                    }
                    pushed += 1;
                }
                pushed
            });
            let mut received = 0;
            for _ in 0..3 {
                if let Some(value) = consumer.pop() {
                    assert_eq!(value, received);
                    received += 1;
                }
            }
            let pushed = writer.join().unwrap();
            while let Some(value) = consumer.pop() {
                assert_eq!(value, received);
                received += 1;
            }
            assert_eq!(received, pushed);
            assert!(pushed >= 2);
        });
    }
}
