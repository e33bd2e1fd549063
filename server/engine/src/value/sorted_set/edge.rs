//! A place between two elements of the order (score, member): where a range begins or ends.

/// A place in the order, named by what lies next to it. Scores are not NaN.
#[derive(Clone, Copy, Debug)]
pub enum Edge<'a> {
    /// Before the first element.
    Start,
    /// Before the elements with this score.
    BeforeScore(f64),
    /// Behind the elements with this score.
    AfterScore(f64),
    /// Before this element, or where it would be.
    Before(f64, &'a [u8]),
    /// Behind this element, or where it would be.
    After(f64, &'a [u8]),
    /// Behind the last element.
    End,
}

impl Edge<'_> {
    /// Whether the element lies before the edge.
    #[inline]
    pub fn is_behind(&self, score: f64, member: &[u8]) -> bool {
        match *self {
            Edge::Start => false,
            Edge::BeforeScore(bound) => score < bound,
            Edge::AfterScore(bound) => score <= bound,
            Edge::Before(bound, name) => score < bound || (score == bound && member < name),
            Edge::After(bound, name) => score < bound || (score == bound && member <= name),
            Edge::End => true,
        }
    }
}
