//! Which core owns which slot.

use std::ops::Range;

use freehold_protocol::{SLOT_COUNT, Slot};

use super::fabric::CoreId;

/// The slots core `id` of `cores` owns: contiguous, as even as can be.
pub fn slots_of(id: CoreId, cores: u16) -> Range<u16> {
    let edge = |core: u32| (core * u32::from(SLOT_COUNT) / u32::from(cores)) as u16;
    edge(u32::from(id.0))..edge(u32::from(id.0) + 1)
}

/// Whether core `id` of `cores` owns any of `slots`.
pub fn slots_meet(id: CoreId, cores: u16, slots: &Range<u16>) -> bool {
    let own = slots_of(id, cores);
    own.start < slots.end && slots.start < own.end
}

/// The core that owns `slot`: the inverse of [`slots_of`].
#[inline]
pub fn owner_of(slot: Slot, cores: u16) -> CoreId {
    let (slot, cores) = (u32::from(slot.number()), u32::from(cores));
    CoreId((((slot + 1) * cores - 1) / u32::from(SLOT_COUNT)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_the_owner_whose_range_holds_it() {
        for cores in [1, 2, 3, 4, 5, 7, 64, 100, 128] {
            for id in (0..cores).map(CoreId) {
                for number in slots_of(id, cores) {
                    let slot = Slot::new(number).expect("in range");
                    assert_eq!(owner_of(slot, cores), id, "slot {number} of {cores} cores");
                }
            }
        }
    }
}
