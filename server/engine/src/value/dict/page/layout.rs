//! How a page gets more or fewer buckets, becomes two, or takes in its sibling. Buckets lie in the
//! order of hashes: only the doubling of buckets has to hash, the rest moves whole runs.

use super::{NEVER, OVERFLOW, Outside, Page, block_bytes};
use crate::value::dict::element::{Element, Elements, Rest, Text};

/// Elements and where the buckets end in them: a page about to be built.
#[derive(Default)]
struct Draft {
    ends: Vec<usize>,
    elements: Vec<u8>,
}

impl<const PAIRS: bool> Page<PAIRS> {
    /// Twice as many buckets. `tail_of` hashes a field as for [`Page::insert`].
    pub fn refine(&mut self, tail_of: impl Fn(&[u8]) -> u64) {
        let bits = u32::from(self.bucket_bits) + 1;
        let mut draft = Draft::default();
        draft.elements.reserve_exact(self.bytes.len());
        let mut upper = Vec::new();
        for bucket in 0..1 << self.bucket_bits {
            let range = self.range(bucket);
            let mut elements = Elements::<PAIRS>::new(
                &self.bytes[..range.end],
                range.start,
                self.outside.as_deref(),
            );
            while let Some((element, range)) = elements.next_element() {
                let field = element.resolve(self.outside.as_deref()).field;
                let is_upper = tail_of(field) >> (64 - bits) & 1 == 1;
                let half = if is_upper { &mut upper } else { &mut draft.elements };
                half.extend_from_slice(&self.bytes[range]);
            }
            draft.ends.push(draft.elements.len());
            draft.elements.append(&mut upper);
            draft.ends.push(draft.elements.len());
        }
        self.bytes = draft.build();
        self.bucket_bits += 1;
    }

    /// Half as many buckets; nothing when there is one.
    pub fn coarsen(&mut self) {
        if self.bucket_bits == 0 {
            return;
        }
        let mut draft = self.draft(0..1 << self.bucket_bits);
        draft.ends = draft.ends.into_iter().skip(1).step_by(2).collect();
        self.bytes = draft.build();
        self.bucket_bits -= 1;
    }

    /// Keeps the elements whose `tail` begins with 0 and returns the others.
    #[must_use]
    pub fn split(&mut self, tail_of: impl Fn(&[u8]) -> u64) -> Page<PAIRS> {
        if self.bucket_bits == 0 {
            self.refine(tail_of);
        }
        let buckets = 1 << self.bucket_bits;
        let (lower, upper) = (self.draft(0..buckets / 2), self.draft(buckets / 2..buckets));
        let bucket_bits = self.bucket_bits - 1;
        let mut sibling = Page { bytes: upper.build(), bucket_bits, ..Page::default() };
        sibling.count = sibling.count_elements() as u16;
        sibling.adopt_outside(0, &mut self.outside);
        sibling.due = if self.due == NEVER { NEVER } else { sibling.earliest() };
        self.bytes = lower.build();
        self.bucket_bits = bucket_bits;
        self.count -= sibling.count;
        self.due = if self.due == NEVER { NEVER } else { self.earliest() };
        sibling
    }

    /// Takes in what [`Page::split`] would return.
    pub fn merge(&mut self, mut upper: Page<PAIRS>) {
        while self.bucket_bits > upper.bucket_bits {
            self.coarsen();
        }
        while upper.bucket_bits > self.bucket_bits {
            upper.coarsen();
        }
        let mut draft = self.draft(0..1 << self.bucket_bits);
        let more = upper.draft(0..1 << upper.bucket_bits);
        let before = draft.elements.len();
        draft.ends.extend(more.ends.iter().map(|end| end + before));
        draft.elements.extend_from_slice(&more.elements);
        self.bytes = draft.build();
        self.bucket_bits += 1;
        self.count += upper.count;
        self.due = self.due.min(upper.due);
        let adopted_at = self.header_bytes() + before;
        self.adopt_outside(adopted_at, &mut upper.outside);
        while self.bucket_bits > 0 && self.len() < 1 << self.bucket_bits {
            self.coarsen();
        }
    }

    fn draft(&self, buckets: std::ops::Range<usize>) -> Draft {
        let start = self.range(buckets.start).start;
        Draft {
            elements: self.bytes[start..self.end(buckets.end - 1)].to_vec(),
            ends: buckets.map(|bucket| self.end(bucket) - start).collect(),
        }
    }

    /// How many elements there are, when neither the count is known nor where long texts are.
    fn count_elements(&self) -> usize {
        let mut elements = self.iter();
        std::iter::from_fn(|| elements.next_element()).count()
    }

    /// Moves the outside texts of the elements from `at` on (0: all) from `other` to here.
    fn adopt_outside(&mut self, at: usize, other: &mut Option<Box<Outside>>) {
        let Some(theirs) = other else { return };
        let mut at = at.max(self.header_bytes());
        while at < self.bytes.len() {
            let (element, end) = Element::read::<PAIRS>(&self.bytes, at);
            let mut take = |text: Text<'_>| {
                text.outside().map(|index| {
                    let ours = self.outside.get_or_insert_default();
                    Text::Outside(ours.insert(theirs.remove(index)))
                })
            };
            let field = take(element.field);
            let value = element.rest.value.and_then(take);
            if field.is_some() || value.is_some() {
                let element = Element {
                    field: field.unwrap_or(element.field),
                    rest: Rest { value: value.or(element.rest.value), ..element.rest },
                };
                let mut moved = vec![0; end - at];
                element.write(&mut moved);
                self.bytes[at..end].copy_from_slice(&moved);
            }
            at = end;
        }
        if theirs.len() == 0 {
            *other = None;
        }
    }
}

impl Draft {
    /// The page's bytes.
    fn build(&self) -> Vec<u8> {
        let header_bytes = 2 * self.ends.len();
        let total = header_bytes + self.elements.len();
        assert!(total <= usize::from(u16::MAX), "{OVERFLOW}");
        let mut bytes = Vec::with_capacity(block_bytes(total));
        for end in &self.ends {
            bytes.extend_from_slice(&((header_bytes + end) as u16).to_le_bytes());
        }
        bytes.extend_from_slice(&self.elements);
        bytes
    }
}
