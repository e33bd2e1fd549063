//! What is asked: keys, values, the mix of operations and the commands that carry them.
//!
//! Nothing here knows of sockets or clocks, so all of it is tested with seeds alone.

pub mod command;
pub mod keys;
pub mod mix;
pub mod random;
pub mod values;

pub use command::Template;
pub use keys::{Keys, Pattern, Zipf};
pub use mix::{Kind, Mix, Operation, Share};
pub use random::Dice;
pub use values::{Sizes, Values};
