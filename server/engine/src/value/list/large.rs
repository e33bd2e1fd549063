//! A large list: blocks in a directory of two levels. A push or pop touches one end block; a place
//! in the middle is found by adding up the counts of chunks from the nearer end, then of the
//! blocks of one chunk. Ten million elements of a block each are 40,000 chunks: 1.6 MB, which is
//! the most that any one call moves.

use std::collections::VecDeque;

use super::block::{BLOCK_BYTES, Block, End, Size};
use crate::value::packed::{Element, Encoded};

/// Blocks of a chunk at most.
const CHUNK_BLOCKS: usize = 256;

/// Two neighbours are joined when one of them has lost most of its elements and the other has room.
const JOIN_BYTES: usize = BLOCK_BYTES / 4 * 3;

/// A stretch of blocks, never empty.
#[derive(Clone, Debug, Default)]
struct Chunk {
    blocks: VecDeque<Block>,
    /// Sums over the blocks.
    size: Size,
}

impl Chunk {
    /// Bytes of its own array.
    fn held(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }
}

fn add(sum: &mut Size, old: Size, new: Size) {
    sum.count = sum.count - old.count + new.count;
    sum.used = sum.used - old.used + new.used;
    sum.held = sum.held - old.held + new.held;
}

/// Where a block stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    chunk: usize,
    block: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Large {
    chunks: VecDeque<Chunk>,
    /// Sums over all blocks; `held` has the arrays of the chunks as well, and the debris.
    size: Size,
    /// Chunks that were cut off whole and are still to be freed.
    debris: Vec<Chunk>,
}

impl Large {
    #[inline]
    pub fn len(&self) -> usize {
        self.size.count
    }

    /// Bytes of all runs.
    pub fn used(&self) -> usize {
        self.size.used
    }

    pub fn heap_bytes(&self) -> usize {
        let chunks = self.chunks.capacity() + self.debris.capacity();
        size_of::<Large>() + chunks * size_of::<Chunk>() + self.size.held
    }

    /// Adds an element at an end. O(1).
    pub fn push(&mut self, end: End, new: &Encoded<'_>) {
        let last = self.end(end);
        if let Some(at) = last {
            if self.block(at).fits_at(end, new) {
                return self.change(at, |block| block.push(end, new));
            }
            self.change(at, Block::trim);
        }
        let mut block = Block::default();
        block.push(end, new);
        self.push_block(end, block);
    }

    /// Takes `count` elements at an end, or all there are. Whole chunks are only cut off: half of
    /// ten million elements are too many to be freed in one call.
    pub fn pop(&mut self, end: End, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(at) = self.end(end) else { return };
            let chunk = &self.chunks[at.chunk];
            if chunk.blocks.len() > 1 && chunk.size.count <= left {
                left -= chunk.size.count;
                self.cut_off(at.chunk);
                continue;
            }
            let here = self.block(at).count();
            if left >= here {
                self.remove_block(at);
            } else if left == 1 {
                self.change(at, |block| block.pop(end));
            } else {
                self.change(at, |block| block.cut(end, left));
            }
            left = left.saturating_sub(here);
        }
    }

    /// Moves a chunk to the debris.
    fn cut_off(&mut self, chunk: usize) {
        if let Some(chunk) = self.chunks.remove(chunk) {
            self.size.count -= chunk.size.count;
            self.size.used -= chunk.size.used;
            self.debris.push(chunk);
        }
    }

    pub fn has_debris(&self) -> bool {
        !self.debris.is_empty()
    }

    /// The debris as a list of its own; this one has none any more.
    pub fn take_debris(&mut self) -> Large {
        let mut taken = Large { debris: std::mem::take(&mut self.debris), ..Large::default() };
        taken.size.held = taken.debris.iter().map(|chunk| chunk.size.held + chunk.held()).sum();
        self.size.held -= taken.size.held;
        taken
    }

    /// Frees up to `count` blocks of the debris; how many it was.
    pub fn clear_debris(&mut self, count: usize) -> usize {
        let mut freed = 0;
        while let Some(chunk) = self.debris.last_mut() {
            let held = chunk.held();
            let first = chunk.blocks.len().saturating_sub(count - freed);
            freed += chunk.blocks.len() - first;
            let gone = chunk.blocks.drain(first..).map(|block| block.size().held).sum::<usize>();
            chunk.size.held -= gone;
            self.size.held -= gone;
            if first > 0 {
                break;
            }
            self.size.held -= held;
            self.debris.pop();
        }
        if self.debris.is_empty() {
            self.debris = Vec::new();
        }
        freed
    }

    /// Puts an element where `index` are before it; there are that many.
    pub fn insert(&mut self, index: usize, new: &Encoded<'_>) {
        if index == self.len() {
            return self.push(End::Right, new);
        }
        if index == 0 {
            return self.push(End::Left, new);
        }
        let Some((mut at, mut inside)) = self.find(index) else { return };
        if inside == 0 && at.block > 0 {
            let before = At { block: at.block - 1, ..at };
            if self.block(before).fits(new) {
                (at, inside) = (before, self.block(before).count());
            }
        }
        if self.block(at).fits(new) {
            return self.change(at, |block| block.insert(inside, new));
        }
        let count = self.block(at).count();
        if count > 1 && new.bytes() <= BLOCK_BYTES / 4 {
            (at, inside) = self.split(at, count / 2, inside);
            if self.block(at).fits(new) {
                return self.change(at, |block| block.insert(inside, new));
            }
        }
        if inside > 0 && inside < self.block(at).count() {
            (at, inside) = self.split(at, inside, inside);
        }
        let mut block = Block::default();
        block.push(End::Right, new);
        block.trim();
        self.insert_block(At { block: at.block + usize::from(inside > 0), ..at }, block);
    }

    /// Splits the block at `at` behind `first` elements. Returns where the place with `inside`
    /// elements of the old block before it is now.
    fn split(&mut self, at: At, first: usize, inside: usize) -> (At, usize) {
        let at = self.make_room(at);
        let mut behind = Block::default();
        self.change(at, |block| behind = block.split_off(first));
        let next = At { block: at.block + 1, ..at };
        self.insert_block(next, behind);
        if inside <= first { (at, inside) } else { (next, inside - first) }
    }

    /// Replaces the element at `index`, which there is.
    pub fn set(&mut self, index: usize, new: &Encoded<'_>) {
        let Some((at, inside)) = self.find(index) else { return };
        let block = self.block(at);
        if block.count() == 1 {
            let mut block = Block::default();
            block.push(End::Right, new);
            block.trim();
            return self.change(at, |old| *old = block);
        }
        if block.used() + new.bytes() <= BLOCK_BYTES {
            return self.change(at, |block| block.set(inside, new));
        }
        self.insert(index, new);
        self.remove(index + 1);
    }

    /// Takes the element at `index`, which there is.
    fn remove(&mut self, index: usize) {
        let Some((at, inside)) = self.find(index) else { return };
        let count = self.block(at).count();
        if count == 1 {
            return self.remove_block(at);
        }
        if inside == 0 || inside == count - 1 {
            let end = if inside == 0 { End::Left } else { End::Right };
            return self.change(at, |block| block.pop(end));
        }
        let (behind, _) = self.split(at, inside, inside + 1);
        self.change(behind, |block| block.pop(End::Left));
        self.join_before(behind);
    }

    /// Takes at most `limit` elements equal to `needle`, the ones nearest to `end`. O(n).
    pub fn remove_equal(&mut self, needle: &Encoded<'_>, end: End, limit: usize) -> usize {
        let mut taken = 0;
        let mut next = self.end(end);
        while let Some(mut at) = next {
            let here = self.change(at, |block| block.remove_equal(needle, end, limit - taken));
            taken += here;
            next = self.beside(at, end);
            if self.block(at).count() == 0 {
                let chunk_goes = self.chunks[at.chunk].blocks.len() == 1;
                self.remove_block(at);
                if end == End::Left {
                    // What stood behind has moved up.
                    next = next.map(|next| match next.chunk == at.chunk {
                        true => at,
                        false => At { chunk: next.chunk - usize::from(chunk_goes), ..next },
                    });
                }
            } else if here > 0 {
                if end == End::Right {
                    at.block += 1;
                }
                if self.join_before(at) && end == End::Left {
                    next = next.map(|next| if next.chunk == at.chunk { at } else { next });
                }
            }
            if taken == limit {
                break;
            }
        }
        taken
    }

    /// The element at `index`.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        let (at, inside) = self.find(index)?;
        let block = self.block(at);
        let run = block.run();
        Some(run.next(run.place(inside, block.count()))?.0)
    }

    /// The block holding the element at `index`, and how many are before that in it. Adds up from
    /// the nearer end.
    pub fn find(&self, index: usize) -> Option<(At, usize)> {
        if index >= self.len() {
            return None;
        }
        let (chunk, inside) =
            nth(self.chunks.iter().map(|chunk| chunk.size.count), index, self.len())?;
        let blocks = &self.chunks[chunk].blocks;
        let counts = blocks.iter().map(Block::count);
        let (block, inside) = nth(counts, inside, self.chunks[chunk].size.count)?;
        Some((At { chunk, block }, inside))
    }

    /// The block at an end; none in an empty list.
    #[inline]
    pub fn end(&self, end: End) -> Option<At> {
        match end {
            End::Left => (!self.chunks.is_empty()).then_some(At { chunk: 0, block: 0 }),
            End::Right => {
                let chunk = self.chunks.len().checked_sub(1)?;
                Some(At { chunk, block: self.chunks[chunk].blocks.len() - 1 })
            }
        }
    }

    #[inline]
    pub fn block(&self, at: At) -> &Block {
        &self.chunks[at.chunk].blocks[at.block]
    }

    /// The block that comes after `at` for one who walks from `end`.
    pub fn beside(&self, at: At, end: End) -> Option<At> {
        match end {
            End::Left if at.block + 1 < self.chunks[at.chunk].blocks.len() => {
                Some(At { block: at.block + 1, ..at })
            }
            End::Left => {
                (at.chunk + 1 < self.chunks.len()).then_some(At { chunk: at.chunk + 1, block: 0 })
            }
            End::Right if at.block > 0 => Some(At { block: at.block - 1, ..at }),
            End::Right => {
                let chunk = at.chunk.checked_sub(1)?;
                Some(At { chunk, block: self.chunks[chunk].blocks.len() - 1 })
            }
        }
    }

    /// Changes one block and the sums with it.
    #[inline]
    fn change<T>(&mut self, at: At, change: impl FnOnce(&mut Block) -> T) -> T {
        let chunk = &mut self.chunks[at.chunk];
        let block = &mut chunk.blocks[at.block];
        let old = block.size();
        let result = change(block);
        let new = block.size();
        add(&mut chunk.size, old, new);
        add(&mut self.size, old, new);
        result
    }

    /// Changes the blocks of one chunk and the sums with it; `old` and `new` are the sizes of what
    /// leaves and comes.
    fn rearrange<T>(
        &mut self,
        chunk: usize,
        old: Size,
        new: Size,
        change: impl FnOnce(&mut VecDeque<Block>) -> T,
    ) -> T {
        let chunk = &mut self.chunks[chunk];
        let held = chunk.held();
        let result = change(&mut chunk.blocks);
        add(&mut chunk.size, old, new);
        add(&mut self.size, old, new);
        self.size.held = self.size.held - held + chunk.held();
        result
    }

    fn push_block(&mut self, end: End, block: Block) {
        let full = |chunk: &Chunk| chunk.blocks.len() == CHUNK_BLOCKS;
        let size = block.size();
        if end == End::Left {
            if self.chunks.front().is_none_or(full) {
                self.chunks.push_front(Chunk::default());
            }
            self.rearrange(0, Size::default(), size, |blocks| blocks.push_front(block));
        } else {
            if self.chunks.back().is_none_or(full) {
                self.chunks.push_back(Chunk::default());
            }
            let last = self.chunks.len() - 1;
            self.rearrange(last, Size::default(), size, |blocks| blocks.push_back(block));
        }
    }

    fn insert_block(&mut self, at: At, block: Block) {
        let At { chunk, block: index } = self.make_room(at);
        let size = block.size();
        self.rearrange(chunk, Size::default(), size, |blocks| blocks.insert(index, block));
    }

    /// Splits the chunk at `at` when it is full. Returns where `at` is now.
    fn make_room(&mut self, at: At) -> At {
        let chunk = &mut self.chunks[at.chunk];
        if chunk.blocks.len() < CHUNK_BLOCKS {
            return at;
        }
        let half = CHUNK_BLOCKS / 2;
        let blocks = chunk.blocks.split_off(half);
        let mut size = Size::default();
        blocks.iter().for_each(|block| add(&mut size, Size::default(), block.size()));
        add(&mut chunk.size, size, Size::default());
        let behind = Chunk { blocks, size };
        self.size.held += behind.held();
        self.chunks.insert(at.chunk + 1, behind);
        if at.block < half { at } else { At { chunk: at.chunk + 1, block: at.block - half } }
    }

    fn remove_block(&mut self, at: At) {
        let size = self.block(at).size();
        self.rearrange(at.chunk, size, Size::default(), |blocks| {
            blocks.remove(at.block);
            if blocks.len() < blocks.capacity() / 4 {
                blocks.shrink_to(blocks.len() * 2);
            }
        });
        if self.chunks[at.chunk].blocks.is_empty() {
            self.size.held -= self.chunks[at.chunk].held();
            self.chunks.remove(at.chunk);
        }
    }

    /// Joins the block at `at` with the one before it in its chunk, when there are both and one
    /// has become small; whether it did.
    fn join_before(&mut self, at: At) -> bool {
        if at.block == 0 || at.block >= self.chunks[at.chunk].blocks.len() {
            return false;
        }
        let before = At { block: at.block - 1, ..at };
        let (a, b) = (self.block(before), self.block(at));
        let fits = a.used() + b.used() <= JOIN_BYTES && a.fits_count(b);
        if !fits || a.count() == 0 || b.count() == 0 {
            return false;
        }
        let behind = self.chunks[at.chunk].blocks[at.block].clone();
        self.remove_block(at);
        self.change(before, |block| block.join(&behind));
        true
    }

    /// Frees up to `count` blocks of a list nobody refers to any more; whether any are left.
    pub fn drop_some(&mut self, count: usize) -> bool {
        let end = self.chunks.len().saturating_sub(count); // a chunk has a block at least
        while self.chunks.len() > end {
            self.cut_off(self.chunks.len() - 1);
        }
        self.clear_debris(count);
        !self.chunks.is_empty() || self.has_debris()
    }

    /// Asserts what must hold between any two calls.
    pub fn check_invariants(&self) {
        let mut size = Size::default();
        for chunk in &self.chunks {
            assert!(!chunk.blocks.is_empty());
            assert!(chunk.blocks.len() <= CHUNK_BLOCKS);
            let mut own = Size::default();
            for block in &chunk.blocks {
                assert!(block.count() > 0);
                assert_eq!(block.count(), block.run().count());
                add(&mut own, Size::default(), block.size());
            }
            assert_eq!(own, chunk.size);
            add(&mut size, Size::default(), own);
            size.held += chunk.held();
        }
        for chunk in &self.debris {
            size.held += chunk.held() + chunk.blocks.iter().map(|b| b.size().held).sum::<usize>();
        }
        assert_eq!(size, self.size);
    }
}

/// The item that holds the element at `index` of `len`, and how many elements are before that one
/// in it, when items have these counts. Walks from the nearer end.
fn nth(
    mut counts: impl DoubleEndedIterator<Item = usize> + ExactSizeIterator,
    index: usize,
    len: usize,
) -> Option<(usize, usize)> {
    let items = counts.len();
    if index < len / 2 {
        let mut left = index;
        for (item, count) in counts.enumerate() {
            if left < count {
                return Some((item, left));
            }
            left -= count;
        }
        return None;
    }
    let mut start = len;
    let mut item = items;
    while let Some(count) = counts.next_back() {
        item -= 1;
        start -= count;
        if index >= start {
            return Some((item, index - start));
        }
    }
    None
}
