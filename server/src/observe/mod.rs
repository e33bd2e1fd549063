//! What an operator sees of the server, and what the engine sees of the machine.

pub mod host;
pub mod log;
