//! How connections reach the cores: listeners shared by all of them, and arrivals on their way in.

pub mod accept;
pub mod listen;
