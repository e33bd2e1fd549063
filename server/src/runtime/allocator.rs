//! The process's allocator: mimalloc, counted per thread.
//!
//! mimalloc gives each thread its own heap, so what a core allocates comes from pages no other
//! core touches. On top of it every thread keeps one plain integer: usable bytes allocated minus
//! usable bytes freed *by this thread*. A block freed by another thread than the one that asked
//! for it lowers the other thread's figure, so single figures may be off (even below zero) while
//! the sum over threads is exact. No atomic and no lock is touched per allocation; a worker
//! publishes its figure once a turn.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ffi::c_long;

use libmimalloc_sys::{mi_collect, mi_free, mi_malloc, mi_usable_size, mi_zalloc};
use libmimalloc_sys::{mi_option_set_default, mi_option_t};
use mimalloc::MiMalloc;

/// How many milliseconds memory stays free before some allocation gives it back to the system:
/// `mi_option_purge_delay`, which the bindings do not name.
const PURGE_DELAY: mi_option_t = 15;

/// How many allocations that have to look for a page a heap sees between two rounds through all its
/// pages: `mi_option_generic_collect`, which the bindings do not name. A round takes more than a
/// millisecond in a heap of a few hundred MB, and some command pays for it.
const COLLECT_EVERY: mi_option_t = 34;

/// The most that mimalloc takes, a hundred times what it does by itself. Rounds are for what other
/// threads have freed, which is little here.
const SELDOM: c_long = 1_000_000;

/// Longer than any memory stays free beside [`give_back`].
const NOT_ON_A_CORE_MS: c_long = 24 * 3_600_000;

/// mimalloc with a per-thread count of usable bytes; the binary's `#[global_allocator]`.
pub struct CountingAllocator;

thread_local! {
    // `const` and without a destructor: reading it is one load relative to the thread pointer,
    // and it stays usable while other thread-locals are being torn down.
    static USED: Cell<i64> = const { Cell::new(0) };
}

/// Usable bytes this thread has allocated minus those it has freed. Negative when it frees what
/// others allocated.
pub fn used_bytes_of_this_thread() -> i64 {
    USED.with(Cell::get)
}

/// From now on only [`give_back`] gives memory back to the system, and heaps are seldom gone
/// through, unless the environment says otherwise (`MIMALLOC_PURGE_DELAY`,
/// `MIMALLOC_GENERIC_COLLECT`). Left alone, mimalloc does both within an allocation of some core,
/// the first a second after memory was freed and all at once.
pub fn spare_the_cores() {
    // SAFETY: options may be set at any time, by any thread.
    unsafe {
        mi_option_set_default(PURGE_DELAY, NOT_ON_A_CORE_MS);
        mi_option_set_default(COLLECT_EVERY, SELDOM);
    }
}

/// Gives the system back what is free, whoever freed it. It takes milliseconds where there is much:
/// no core calls it.
pub fn give_back() {
    // SAFETY: it may be called by any thread at any time, and touches nothing that is in use.
    unsafe { mi_collect(true) };
}

#[inline]
fn count(bytes: i64) {
    USED.with(|used| used.set(used.get() + bytes));
}

/// Adds the block at `block` to this thread's count, unless the allocation failed.
///
/// # Safety
/// `block` is null or a live block of mimalloc.
#[inline]
unsafe fn counted(block: *mut u8) -> *mut u8 {
    if !block.is_null() {
        // SAFETY: not null, hence a live block by this function's contract.
        count(unsafe { mi_usable_size(block.cast()) } as i64);
    }
    block
}

// SAFETY: every call is passed on to mimalloc, which keeps the contract of `GlobalAlloc`. The
// counting beside it neither allocates nor panics.
unsafe impl GlobalAlloc for CountingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A block of mimalloc is always aligned to a word; the aligned entry point only adds work.
        if layout.align() <= align_of::<usize>() {
            // SAFETY: any size is allowed; the result is null or a live block.
            return unsafe { counted(mi_malloc(layout.size()).cast()) };
        }
        // SAFETY: the caller's promise about `layout` is mimalloc's precondition.
        unsafe { counted(MiMalloc.alloc(layout)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= align_of::<usize>() {
            // SAFETY: as in `alloc`.
            return unsafe { counted(mi_zalloc(layout.size()).cast()) };
        }
        // SAFETY: as in `alloc`.
        unsafe { counted(MiMalloc.alloc_zeroed(layout)) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the caller hands back a live block of this allocator, which is mimalloc's.
        unsafe {
            count(-(mi_usable_size(block.cast()) as i64));
            mi_free(block.cast());
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller hands over a live block. When the call fails the old block stays
        // live and stays counted, because its size is only taken off after a success.
        unsafe {
            let before = mi_usable_size(block.cast()) as i64;
            let moved = counted(MiMalloc.realloc(block, layout, new_size));
            if !moved.is_null() {
                count(-before);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::runtime::process::resident_bytes;

    use libmimalloc_sys::mi_option_get;

    use super::{COLLECT_EVERY, NOT_ON_A_CORE_MS, PURGE_DELAY, SELDOM};
    use super::{give_back, spare_the_cores, used_bytes_of_this_thread};

    #[test]
    fn a_block_counts_while_it_lives_and_not_after() {
        let before = used_bytes_of_this_thread();

        let block = vec![0u8; 100_000];
        let during = used_bytes_of_this_thread();
        drop(block);

        assert!(during - before >= 100_000);
        assert_eq!(used_bytes_of_this_thread(), before);
    }

    #[test]
    fn growing_a_block_counts_its_new_size_once() {
        let before = used_bytes_of_this_thread();

        let mut block: Vec<u8> = Vec::with_capacity(64);
        block.reserve_exact(1 << 20);
        let during = used_bytes_of_this_thread() - before;

        assert!((1 << 20..(1 << 20) + (1 << 18)).contains(&during), "{during}");
        drop(block);
        assert_eq!(used_bytes_of_this_thread(), before);
    }

    #[test]
    fn what_one_thread_allocates_and_another_frees_cancels_out_in_the_sum() {
        let before = used_bytes_of_this_thread();
        let block = vec![0u8; 50_000];
        let here = used_bytes_of_this_thread() - before;

        let there = std::thread::spawn(move || {
            let start = used_bytes_of_this_thread();
            drop(block);
            used_bytes_of_this_thread() - start
        })
        .join()
        .expect("the thread only frees");

        assert!(here >= 50_000);
        assert!(there <= -50_000);
    }

    /// They are numbers, and another version of mimalloc may number them otherwise: their defaults
    /// tell them apart.
    #[test]
    fn the_options_are_those_that_are_meant() {
        // SAFETY: options may be read at any time, by any thread.
        let [delay, every] = [PURGE_DELAY, COLLECT_EVERY].map(|o| unsafe { mi_option_get(o) });
        assert!([1_000, NOT_ON_A_CORE_MS].contains(&delay), "{delay}");
        assert!([10_000, SELDOM].contains(&every), "{every}");
    }

    fn resident_mib() -> u64 {
        resident_bytes() >> 20
    }

    /// The bug: a second after a large key had been freed, some command on some core paid for
    /// giving all of its memory back.
    #[test]
    fn what_is_free_is_given_back_when_that_is_asked_for_and_by_no_allocation() {
        spare_the_cores();
        let blocks: Vec<Vec<u8>> = (0..128).map(|_| vec![1; 1 << 20]).collect();
        let full = resident_mib();
        drop(blocks);
        std::thread::sleep(Duration::from_millis(1_300)); // mimalloc by itself waits a second
        let others: Vec<Vec<u8>> = (0..3_000).map(|n| vec![1; 1_000 + n]).collect();

        let kept = resident_mib();
        give_back();
        let left = resident_mib();

        assert_eq!(others.len(), 3_000);
        assert!(kept + 40 > full, "{kept} MiB of {full}");
        assert!(left + 60 < kept, "{left} MiB of {kept}");
    }
}
