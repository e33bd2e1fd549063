//! A set of integers: sorted, as narrow as the widest of them asks (2, 4 or 8 bytes each), in one
//! exact allocation whose first byte is that width. Membership is a binary search.

/// Integers in order, each once.
#[derive(Debug, Default)]
pub struct Ints(Box<[u8]>);

impl Ints {
    pub fn len(&self) -> usize {
        self.0.len().saturating_sub(1) / self.width()
    }

    pub fn heap_bytes(&self) -> usize {
        self.0.len()
    }

    /// The integer at `index`.
    ///
    /// # Panics
    /// When there are not so many.
    #[inline]
    pub fn get(&self, index: usize) -> i64 {
        let width = self.width();
        let at = 1 + index * width;
        let bytes = &self.0[at..at + width];
        let fill = if bytes[width - 1] >= 0x80 { 0xff } else { 0 };
        i64::from_le_bytes(std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(fill)))
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(|index| self.get(index))
    }

    pub fn contains(&self, value: i64) -> bool {
        self.find(value).is_ok()
    }

    /// Whether it is new.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(index) = self.find(value) else { return false };
        let width = self.width().max(width_of(value));
        if width > self.width() {
            let mut wider = vec![width as u8];
            wider.reserve_exact((self.len() + 1) * width);
            self.iter().for_each(|value| wider.extend_from_slice(&value.to_le_bytes()[..width]));
            self.0 = wider.into_boxed_slice();
        }
        let at = 1 + index * width;
        let mut bytes = std::mem::take(&mut self.0).into_vec();
        if bytes.is_empty() {
            bytes.reserve_exact(1 + width);
            bytes.push(width as u8);
        }
        bytes.reserve_exact(width);
        bytes.extend_from_slice(&[0; 8][..width]);
        let end = bytes.len();
        bytes.copy_within(at..end - width, at + width);
        bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        self.0 = bytes.into_boxed_slice();
        true
    }

    /// Whether it was there.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.find(value) else { return false };
        let width = self.width();
        let at = 1 + index * width;
        let mut bytes = std::mem::take(&mut self.0).into_vec();
        bytes.copy_within(at + width.., at);
        bytes.truncate(bytes.len() - width);
        self.0 = bytes.into_boxed_slice();
        true
    }

    /// Its index, or the one it would get.
    fn find(&self, value: i64) -> Result<usize, usize> {
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

    fn width(&self) -> usize {
        self.0.first().map_or(2, |&width| usize::from(width))
    }

    pub fn check_invariants(&self) {
        assert_eq!(self.0.len(), if self.0.is_empty() { 0 } else { 1 + self.len() * self.width() });
        assert!(self.iter().zip(self.iter().skip(1)).all(|(left, right)| left < right));
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
