//! By what elements are compared.

use std::cmp::Ordering;

use crate::base::number::parse_f64;

pub(super) enum Weight {
    Number(f64),
    /// What BY found under ALPHA; nothing comes before everything.
    Text(Option<Box<[u8]>>),
    /// ALPHA without BY.
    Itself,
}

impl Weight {
    /// The number a text stands for, as `strtod` reads it: the empty text is zero.
    pub fn number(text: &[u8]) -> Option<Weight> {
        let number = if text.is_empty() { 0.0 } else { parse_f64(text.trim_ascii_start())? };
        Some(Weight::Number(number))
    }
}

/// An element and its weight.
pub(super) struct Ranked {
    pub weight: Weight,
    pub element: Box<[u8]>,
}

impl Ranked {
    /// Equal numbers are told apart by their elements, so that the order is settled; equal texts
    /// are not. Texts compare byte by byte, as `strcoll` does in the C locale.
    pub fn compare(&self, other: &Ranked) -> Ordering {
        match (&self.weight, &other.weight) {
            (Weight::Number(a), Weight::Number(b)) => {
                let by_number = a.partial_cmp(b).unwrap_or(Ordering::Equal);
                by_number.then_with(|| self.element.cmp(&other.element))
            }
            (Weight::Text(a), Weight::Text(b)) => a.cmp(b),
            _ => self.element.cmp(&other.element),
        }
    }
}
