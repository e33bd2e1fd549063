//! What cores tell each other about subscriptions and messages.

use std::sync::Arc;

use crate::command::channels::{Change, Publication};

/// A piece of mail between two cores.
pub enum Mail {
    /// So many listen to these names on the sender's core from now on.
    Interest { number: u64, changes: Arc<[Change]> },
    /// The sender has noted that announcement.
    Heard { number: u64 },
    /// Messages for subscribers of the receiver's core.
    Publications(Batch),
    /// They have been written to the subscribers; here they are back.
    Delivered(Batch),
}

/// Messages of one core for another.
#[derive(Default)]
pub struct Batch {
    pub items: Vec<Arc<Publication>>,
    /// What they count for in the bound of what may be under way.
    pub bytes: usize,
}
