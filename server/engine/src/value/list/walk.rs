//! Walking over a list from a place toward either end, and looking for an element on the way.

use super::block::End;
use super::large::{At, Large};
use crate::value::packed::{Element, Encoded, Place, Run};

/// Elements in order, as seen by one who walks away from an end.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    run: Run<'a>,
    place: Place,
    /// Elements of this run that are still ahead, and of the whole walk.
    left_here: usize,
    left: usize,
    /// Who walks away from the left end sees the elements from left to right.
    from: End,
    /// Where `run` is from; none for a small list.
    block: Option<(&'a Large, At)>,
}

impl<'a> Walk<'a> {
    pub(super) fn nothing() -> Walk<'a> {
        Walk::in_run(Run::default(), 0, End::Left, 0, 0)
    }

    /// `left` elements of a run of `count`, behind the first `skip` as seen from `from`.
    pub(super) fn in_run(
        run: Run<'a>,
        count: usize,
        from: End,
        skip: usize,
        left: usize,
    ) -> Walk<'a> {
        let index = if from == End::Left { skip } else { count - skip };
        Walk {
            run,
            place: run.place(index, count),
            left_here: count - skip,
            left,
            from,
            block: None,
        }
    }

    /// As [`Walk::in_run`]; there are more than `skip` elements.
    pub(super) fn in_large(large: &'a Large, from: End, skip: usize, left: usize) -> Walk<'a> {
        let index = if from == End::Left { skip } else { large.len() - 1 - skip };
        let Some((at, inside)) = large.find(index) else { return Walk::nothing() };
        let block = large.block(at);
        let count = block.count();
        let skip_here = if from == End::Left { inside } else { count - 1 - inside };
        let walk = Walk::in_run(block.run(), count, from, skip_here, left);
        Walk { block: Some((large, at)), ..walk }
    }

    /// Goes on to the next block; whether there is one.
    #[cold]
    fn enter_next(&mut self) -> bool {
        let Some((large, at)) = self.block else { return false };
        let Some(at) = large.beside(at, self.from) else { return false };
        let block = large.block(at);
        self.run = block.run();
        self.place = if self.from == End::Left { Place::FRONT } else { self.run.back() };
        self.left_here = block.count();
        self.block = Some((large, at));
        true
    }

    /// Goes on to the next element equal to `needle` and behind it. Returns how many elements were
    /// passed, or `None` and the walk is at its end.
    pub fn find_equal(&mut self, needle: &Encoded<'_>) -> Option<usize> {
        let mut passed = 0;
        while self.left > 0 && (self.left_here > 0 || self.enter_next()) {
            let found = match self.from {
                End::Left => self.run.find(needle, self.place),
                End::Right => self.run.find_back(needle, self.place),
            };
            let skipped = found.map_or(self.left_here, |(skipped, _)| skipped);
            if skipped >= self.left {
                break;
            }
            self.left -= skipped;
            self.left_here -= skipped;
            passed += skipped;
            if let Some((_, place)) = found {
                self.place = place;
                self.next();
                return Some(passed);
            }
        }
        self.left = 0;
        None
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.left == 0 || (self.left_here == 0 && !self.enter_next()) {
            return None;
        }
        let (element, place) = match self.from {
            End::Left => self.run.next(self.place)?,
            End::Right => self.run.prev(self.place)?,
        };
        self.place = place;
        self.left -= 1;
        self.left_here -= 1;
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}
