use super::*;
use crate::base::random::Random;
use std::collections::HashMap;

/// Fills a block with what only this block holds.
fn stamp(slab: &mut Slab, handle: Handle, tag: u8) {
    slab.bytes_mut(handle).fill(tag);
}

#[test]
fn blocks_are_exactly_whole_granules() {
    let mut slab = Slab::new();
    for bytes in 1..=BLOCK_BYTES_MAX {
        let handle = slab.alloc(bytes);
        assert_eq!(slab.bytes(handle).len(), bytes.next_multiple_of(8));
        assert_eq!(slab.block_bytes(handle), Slab::class_bytes(bytes));
    }
    slab.check_invariants();
}

#[test]
#[should_panic(expected = "BLOCK_BYTES_MAX")]
fn a_block_beyond_the_largest_class_is_refused() {
    Slab::new().alloc(BLOCK_BYTES_MAX + 1);
}

#[test]
fn no_handle_is_zero_and_all_fit_36_bits() {
    let mut slab = Slab::new();
    for _ in 0..10_000 {
        let bits = slab.alloc(8).bits();
        assert_ne!(bits, 0);
        assert_eq!(bits >> Handle::BITS, 0);
    }
}

#[test]
fn live_blocks_never_overlap_and_keep_their_bytes() {
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let mut slab = Slab::new();
        let mut live: Vec<(Handle, u8)> = Vec::new();
        let steps = if cfg!(miri) { 500 } else { 60_000 };
        for step in 0..steps {
            // Waves: mostly filling, then mostly freeing, so that pages close and open again.
            let freeing = (step / 7_000) % 2 == 1;
            if random.below(10) < if freeing { 7 } else { 3 } && !live.is_empty() {
                let (handle, tag) = live.swap_remove(random.below(live.len() as u64) as usize);
                assert!(slab.bytes(handle).iter().all(|byte| *byte == tag), "seed {seed}");
                slab.free(handle);
            } else {
                let small = random.below(4) > 0;
                let bytes = 1 + random.below(if small { 96 } else { 1024 }) as usize;
                let (handle, tag) = (slab.alloc(bytes), step as u8);
                stamp(&mut slab, handle, tag);
                live.push((handle, tag));
            }
            if step % 5_000 == 0 {
                slab.check_invariants();
            }
        }
        slab.check_invariants();
        let used: u64 = live.iter().map(|(handle, _)| slab.block_bytes(*handle) as u64).sum();
        assert_eq!(slab.used_bytes(), used);
        let distinct: HashMap<u64, u8> = live.iter().map(|(h, tag)| (h.bits(), *tag)).collect();
        assert_eq!(distinct.len(), live.len());
        for (handle, tag) in live {
            assert!(slab.bytes(handle).iter().all(|byte| *byte == tag), "seed {seed}");
            slab.free(handle);
        }
        assert_eq!(slab.used_bytes(), 0);
        slab.check_invariants();
    }
}

#[test]
fn empty_pages_go_back_except_a_few() {
    let mut slab = Slab::new();
    let handles: Vec<Handle> = (0..100_000).map(|_| slab.alloc(32)).collect();
    assert_eq!(slab.pages(), 100_000usize.div_ceil(PAGE_BYTES / 32));
    handles.into_iter().for_each(|handle| slab.free(handle));
    assert_eq!(slab.pages(), SPARE_PAGES_MAX);
}

#[test]
fn a_page_given_up_by_one_class_serves_another() {
    let mut slab = Slab::new();
    let small: Vec<Handle> = (0..4096).map(|_| slab.alloc(8)).collect();
    assert_eq!(slab.pages(), 1);
    small.into_iter().for_each(|handle| slab.free(handle));
    let large: Vec<Handle> = (0..32).map(|_| slab.alloc(1024)).collect();
    assert_eq!(slab.pages(), 1);
    assert_eq!(slab.bytes(large[31]).len(), 1024);
    slab.check_invariants();
}

#[test]
fn a_slab_nobody_refers_to_is_emptied_in_slices() {
    let mut slab = Slab::new();
    (0..10_000).for_each(|_| {
        slab.alloc(64);
    });
    let mut slices = 1;
    while slab.drop_some(4) {
        slices += 1;
    }
    assert_eq!(slices, 10_000usize.div_ceil(PAGE_BYTES / 64).div_ceil(4));
    assert_eq!((slab.pages(), slab.used_bytes()), (0, 0));
    slab.alloc(8);
    slab.check_invariants();
}
