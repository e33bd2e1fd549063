//! The commands. One file a family, each with its rows and their functions; families never import
//! each other. What they share: the row (`spec`), the window on the core (`context`), the errors.

pub mod context;
pub mod error;
pub mod gather;
mod help;
pub mod host;
pub mod session;
pub mod spec;
pub mod stats;
pub mod table;

pub mod client;
pub mod cluster;
pub mod configuration;
pub mod connection;
pub mod debug;
pub mod expiry;
pub mod info;
pub mod introspect;
pub mod keys;
pub mod memory;
pub mod object;
pub mod scan;
pub mod server;
pub mod strings;

use spec::Spec;

/// The rows of every family. A new family is one line here.
pub const FAMILIES: &[&[Spec]] = &[
    strings::TABLE,
    keys::TABLE,
    expiry::TABLE,
    scan::TABLE,
    object::TABLE,
    memory::TABLE,
    connection::TABLE,
    client::TABLE,
    configuration::TABLE,
    server::TABLE,
    info::TABLE,
    introspect::TABLE,
    cluster::TABLE,
    debug::TABLE,
];

#[cfg(test)]
mod tests;
