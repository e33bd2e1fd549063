//! The commands. One file a family, each with its rows and their functions; families never import
//! each other. What they share: the row (`spec`), the window on the core (`context`), the errors.

pub mod channels;
pub mod context;
mod cursor;
mod editor;
pub mod error;
pub mod gather;
mod help;
pub mod host;
pub mod replication;
pub mod request;
pub mod session;
pub mod spec;
pub mod stats;
pub mod table;
pub mod wait;

pub mod bitmaps;
pub mod client;
pub mod cluster;
pub mod configuration;
pub mod connection;
pub mod debug;
pub mod dump;
pub mod expiry;
pub mod geo;
pub mod hashes;
pub mod hyperloglog;
pub mod info;
pub mod introspect;
pub mod keys;
pub mod lists;
pub mod memory;
pub mod object;
pub mod persistence;
pub mod pubsub;
pub mod scan;
pub mod server;
pub mod sets;
pub mod shutdown;
pub mod sort;
pub mod sorted_sets;
pub mod streams;
pub mod strings;
pub mod transactions;

use spec::Spec;

/// The rows of every family. A new family is one line here.
pub const FAMILIES: &[&[Spec]] = &[
    strings::TABLE,
    bitmaps::TABLE,
    hyperloglog::TABLE,
    hashes::TABLE,
    sets::TABLE,
    sorted_sets::TABLE,
    geo::TABLE,
    streams::TABLE,
    keys::TABLE,
    dump::TABLE,
    sort::TABLE,
    lists::TABLE,
    expiry::TABLE,
    scan::TABLE,
    object::TABLE,
    memory::TABLE,
    transactions::TABLE,
    connection::TABLE,
    client::TABLE,
    configuration::TABLE,
    server::TABLE,
    shutdown::TABLE,
    persistence::TABLE,
    replication::TABLE,
    info::TABLE,
    introspect::TABLE,
    cluster::TABLE,
    debug::TABLE,
    pubsub::TABLE,
];

#[cfg(test)]
mod tests;
