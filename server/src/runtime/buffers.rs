//! The provided-buffer ring: memory the kernel fills when bytes arrive on any connection.
//!
//! A connection that waits for bytes holds no buffer; the kernel takes one from here at the moment
//! bytes are there. A filled buffer reaches us as a [`Filled`], which cannot be copied and is
//! spent by [`ReceivePool::give_back`], so a buffer is ours or the kernel's, never both and never
//! twice. Buffers given back become visible to the kernel with [`ReceivePool::publish`], once a
//! turn. When the pool is empty the kernel ends a multishot receive with ENOBUFS; the connection
//! re-arms it when buffers have come back.

use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// How many buffers a core has and how large they are.
#[derive(Clone, Copy, Debug)]
pub struct PoolShape {
    /// A power of two, at most 32,768.
    pub buffers: u16,
    /// At most 2^31.
    pub buffer_bytes: u32,
}

/// 2 MiB a core. 16 KiB is what Redis reads at once; a deep pipeline or a large value takes
/// several, and no connection can pin more than its share (see the worker's fairness bounds).
pub const POOL_SHAPE: PoolShape = PoolShape { buffers: 128, buffer_bytes: 16 * 1024 };

/// The group under which the kernel knows the pool; a ring has one.
const GROUP: u16 = 0;

/// A buffer the kernel has filled, to be given back to the pool it came from.
#[must_use = "a buffer that is not given back is lost to the pool"]
#[derive(PartialEq, Eq, Debug)]
pub struct Filled {
    buffer: u16,
    bytes: u32,
}

impl Filled {
    /// Names what a completion of this ring said it filled.
    pub(super) fn new(buffer: u16, bytes: u32) -> Filled {
        Filled { buffer, bytes }
    }

    /// How many bytes arrived; never zero.
    pub fn len(&self) -> usize {
        self.bytes as usize
    }
}

/// Anonymous pages, zeroed, page-aligned, unmapped on drop.
struct Pages {
    start: NonNull<u8>,
    bytes: usize,
}

impl Pages {
    fn map(bytes: usize) -> io::Result<Pages> {
        // SAFETY: a fresh private anonymous mapping at an address of the kernel's choice touches
        // nothing that exists.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).expect("mmap never answers null without MAP_FIXED");
        Ok(Pages { start, bytes })
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours alone and nothing refers to it any more: the pool is
        // unregistered before its pages are dropped.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// The buffers of one ring.
pub struct ReceivePool {
    entries: Pages,
    memory: Pages,
    shape: PoolShape,
    /// Where the next buffer goes, ahead of what the kernel has been told.
    tail: u16,
    /// Buffers that are ours at the moment: taken by completions, not yet published again.
    taken: u16,
}

impl ReceivePool {
    /// Maps the buffers, registers them with `ring` and hands all of them to the kernel.
    pub fn register(ring: &IoUring, shape: PoolShape) -> io::Result<ReceivePool> {
        assert!(shape.buffers.is_power_of_two());
        assert!(shape.buffers <= 1 << 15);
        assert!(shape.buffer_bytes > 0);
        let count = usize::from(shape.buffers);
        let entries = Pages::map(count * size_of::<BufRingEntry>())?;
        let memory = Pages::map(count * shape.buffer_bytes as usize)?;
        let address = entries.start.as_ptr() as u64;
        // SAFETY: the entries are page-aligned, hold `buffers` entries and stay mapped until
        // `unregister` has run (or, should it never run, for ever: `Ring` sees to that).
        unsafe {
            ring.submitter().register_buf_ring_with_flags(address, shape.buffers, GROUP, 0)?;
        }
        let mut pool = ReceivePool { entries, memory, shape, tail: 0, taken: shape.buffers };
        for buffer in 0..shape.buffers {
            pool.give_back(Filled { buffer, bytes: 0 });
        }
        pool.publish();
        Ok(pool)
    }

    /// Takes the pool from the kernel, before its memory goes away.
    pub fn unregister(&mut self, ring: &IoUring) -> io::Result<()> {
        ring.submitter().unregister_buf_ring(GROUP)
    }

    /// The group number operations name.
    pub fn group(&self) -> u16 {
        GROUP
    }

    /// Books that a completion took a buffer.
    pub(super) fn note_taken(&mut self) {
        self.taken += 1;
        debug_assert!(self.taken <= self.shape.buffers);
    }

    /// The bytes that arrived in `filled`.
    #[inline]
    pub fn bytes(&self, filled: &Filled) -> &[u8] {
        self.peek(filled.buffer, filled.bytes)
    }

    /// The bytes a completion says have arrived in `buffer`, before its [`Filled`] is made.
    #[inline]
    pub(super) fn peek(&self, buffer: u16, bytes: u32) -> &[u8] {
        assert!(buffer < self.shape.buffers);
        assert!(bytes <= self.shape.buffer_bytes);
        let offset = usize::from(buffer) * self.shape.buffer_bytes as usize;
        // SAFETY: the range lies in the mapping by the two assertions. The kernel wrote those
        // bytes before it posted the completion that names the buffer, and writes to it again
        // only after `give_back`, which consumes the one `Filled` that names it and needs
        // `&mut self` while this borrow lives.
        unsafe {
            let start = self.memory.start.as_ptr().add(offset);
            std::slice::from_raw_parts(start, bytes as usize)
        }
    }

    /// Returns a buffer; the kernel sees it after the next [`Self::publish`].
    #[inline]
    pub fn give_back(&mut self, filled: Filled) {
        assert!(filled.buffer < self.shape.buffers);
        assert!(self.taken > 0, "more buffers came back than were taken");
        let offset = usize::from(filled.buffer) * self.shape.buffer_bytes as usize;
        let place = usize::from(self.tail & (self.shape.buffers - 1));
        // SAFETY: `place` is below the number of entries. The kernel reads entries only between
        // its head and the published tail; this one lies at or beyond the published tail, since
        // at most `buffers` buffers exist and the one named here is not in the ring.
        unsafe {
            let entry = &mut *self.entries.start.as_ptr().cast::<BufRingEntry>().add(place);
            entry.set_addr(self.memory.start.as_ptr().add(offset) as u64);
            entry.set_len(self.shape.buffer_bytes);
            entry.set_bid(filled.buffer);
        }
        self.tail = self.tail.wrapping_add(1);
        self.taken -= 1;
    }

    /// Shows the kernel every buffer given back so far.
    #[inline]
    pub fn publish(&mut self) {
        // SAFETY: the first entry is mapped and initialised (zeroed pages); its reserved field is
        // the ring's tail, two-byte aligned, which the kernel reads and only we write.
        unsafe {
            let tail = BufRingEntry::tail(self.entries.start.as_ptr().cast()).cast_mut();
            AtomicU16::from_ptr(tail).store(self.tail, Ordering::Release);
        }
    }

    /// Buffers the kernel may fill, once what was given back is published.
    pub fn available(&self) -> u16 {
        self.shape.buffers - self.taken
    }

    /// Gives the mappings up without unmapping them, for a ring whose kernel side may live on.
    pub fn leak(self) {
        std::mem::forget(self);
    }
}
