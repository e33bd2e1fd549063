//! A set of integers: sorted, as narrow as the widest of them asks (2, 4 or 8 bytes each), behind
//! one byte that says that width. Membership is a binary search.

use crate::value::collection::fit_buffer;

/// Integers in order, each once.
#[derive(Debug, Default)]
pub struct Ints(Vec<u8>);

/// The same, read where the bytes lie.
#[derive(Clone, Copy, Debug)]
pub struct IntsView<'a>(&'a [u8]);

impl<'a> IntsView<'a> {
    /// The bytes of [`Ints::into_bytes`].
    #[inline]
    pub fn new(bytes: &'a [u8]) -> IntsView<'a> {
        IntsView(bytes)
    }

    pub fn len(self) -> usize {
        self.0.len().saturating_sub(1) / self.width()
    }

    /// The integer at `index`.
    ///
    /// # Panics
    /// When there are not so many.
    #[inline]
    pub fn get(self, index: usize) -> i64 {
        let width = self.width();
        let at = 1 + index * width;
        let bytes = &self.0[at..at + width];
        let fill = if bytes[width - 1] >= 0x80 { 0xff } else { 0 };
        i64::from_le_bytes(std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(fill)))
    }

    pub fn iter(self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(move |index| self.get(index))
    }

    pub fn contains(self, value: i64) -> bool {
        self.find(value).is_ok()
    }

    /// Its index, or the one it would get.
    fn find(self, value: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        // Ids are often added in order.
        if high > 0 && value > self.get(high - 1) {
            return Err(high);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(&value) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn width(self) -> usize {
        self.0.first().map_or(2, |&width| usize::from(width))
    }
}

impl Ints {
    /// The integers of these bytes, or none, growing in an empty buffer.
    pub fn new(bytes: Vec<u8>) -> Ints {
        Ints(bytes)
    }

    #[inline]
    pub fn view(&self) -> IntsView<'_> {
        IntsView(&self.0)
    }

    /// What they are, for [`Ints::new`] and [`IntsView::new`].
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn fit(&mut self) {
        fit_buffer(&mut self.0);
    }

    pub fn len(&self) -> usize {
        self.view().len()
    }

    pub fn heap_bytes(&self) -> usize {
        self.0.capacity()
    }

    /// Whether it is new.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(index) = self.view().find(value) else { return false };
        if self.0.is_empty() {
            self.0.reserve_exact(1 + width_of(value));
            self.0.push(width_of(value) as u8);
        }
        let width = width_of(value).max(self.view().width());
        self.widen(width);
        let (at, end) = (1 + index * width, self.0.len());
        self.0.reserve_exact(width);
        self.0.extend_from_slice(&[0; 8][..width]);
        self.0.copy_within(at..end, at + width);
        self.0[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        true
    }

    /// Whether it was there.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.view().find(value) else { return false };
        let width = self.view().width();
        let at = 1 + index * width;
        self.0.copy_within(at + width.., at);
        self.0.truncate(self.0.len() - width);
        true
    }

    /// Gives each integer so many bytes, if it has fewer.
    fn widen(&mut self, width: usize) {
        let (old, len) = (self.view().width(), self.len());
        if width <= old {
            return;
        }
        self.0.reserve_exact((len + 1) * width + 1 - self.0.len());
        self.0.resize(1 + len * width, 0);
        for index in (0..len).rev() {
            let value = IntsView(&self.0).get(index).to_le_bytes();
            self.0[1 + index * width..][..width].copy_from_slice(&value[..width]);
        }
        self.0[0] = width as u8;
    }

    pub fn check_invariants(&self) {
        assert_eq!(
            self.0.len(),
            if self.0.is_empty() { 0 } else { 1 + self.len() * self.view().width() }
        );
        let ints = || self.view().iter();
        assert!(ints().zip(ints().skip(1)).all(|(left, right)| left < right));
    }
}

/// Bytes an integer needs.
fn width_of(value: i64) -> usize {
    match value {
        -0x8000..0x8000 => 2,
        -0x8000_0000..0x8000_0000 => 4,
        _ => 8,
    }
}
