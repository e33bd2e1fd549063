//! Whether the changes of a slot are all there. The effects of every slot are numbered, through all
//! logs and lives: what is missing between two of them, a whole log or what once was its end, shows
//! as a number left out. What came later may rest on it.
//!
//! Numbers may come twice: those of transactions that were left out are given again by the next
//! life. And behind a snapshot the first one of a slot is any: snapshots do not say how far the
//! slots were.

use std::ops::Range;

use freehold_protocol::slot::Slot;

/// With what number a slot begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// With 1: the logs reach back to when there was nothing.
    FromOne,
    /// With any: what came before is in a snapshot.
    FromAny,
    /// Nobody asks: the operator takes what is there.
    Unchecked,
}

/// The numbers found so far, of a range of slots.
pub struct Numbering {
    first_slot: u16,
    numbers: Numbers,
    /// The highest of each slot; [`ANY`] while the next one may be any.
    highest: Vec<u64>,
}

const ANY: u64 = u64::MAX;

impl Numbering {
    pub fn new(slots: &Range<u16>, numbers: Numbers) -> Numbering {
        let none_yet = if numbers == Numbers::FromOne { 0 } else { ANY };
        Numbering { first_slot: slots.start, numbers, highest: vec![none_yet; slots.len()] }
    }

    /// An effect of one of the slots comes next.
    ///
    /// # Errors
    /// The highest number before it: there were others in between.
    pub fn note(&mut self, slot: Slot, number: u64) -> Result<(), u64> {
        let index = usize::from(slot.number().wrapping_sub(self.first_slot));
        let Some(highest) = self.highest.get_mut(index) else { return Ok(()) };
        if *highest == ANY {
            *highest = number;
        } else if number.saturating_sub(1) <= *highest || self.numbers == Numbers::Unchecked {
            *highest = number.max(*highest);
        } else {
            return Err(*highest);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the numbers of a slot are not believed.
    fn wrong_at(numbers: Numbers, given: &[u64]) -> Option<u64> {
        let mut numbering = Numbering::new(&(100..200), numbers);
        let slot = Slot::new(150).expect("a slot");
        given.iter().copied().find(|number| numbering.note(slot, *number).is_err())
    }

    #[test]
    fn a_number_left_out_is_noticed_and_one_given_twice_is_not() {
        assert_eq!(wrong_at(Numbers::FromOne, &[1, 2, 3, 3, 4, 2, 5]), None);
        assert_eq!(wrong_at(Numbers::FromOne, &[1, 2, 4]), Some(4));
        assert_eq!(wrong_at(Numbers::FromOne, &[2]), Some(2));
        assert_eq!(wrong_at(Numbers::FromAny, &[7, 8, 1, 9]), None);
        assert_eq!(wrong_at(Numbers::FromAny, &[7, 9]), Some(9));
        assert_eq!(wrong_at(Numbers::Unchecked, &[7, 9, 1]), None);
        assert_eq!(wrong_at(Numbers::FromOne, &[1, u64::MAX]), Some(u64::MAX));
    }

    #[test]
    fn slots_are_numbered_each_for_itself_and_others_are_not_looked_at() {
        let mut numbering = Numbering::new(&(100..200), Numbers::FromOne);
        for slot in [100, 199] {
            assert_eq!(numbering.note(Slot::new(slot).expect("a slot"), 1), Ok(()));
            assert_eq!(numbering.note(Slot::new(slot).expect("a slot"), 3), Err(1));
        }
        for slot in [99, 200] {
            assert_eq!(numbering.note(Slot::new(slot).expect("a slot"), 9), Ok(()));
        }
    }
}
