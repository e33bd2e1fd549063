//! The command table against the world: COMMAND INFO of every row against redis-server's, the
//! examples of every row by wire, against Freehold and, where it knows the command, redis-server,
//! the list of commands in the README, and RDB files both ways.
#![forbid(unsafe_code)]

mod command_rows;
mod events;
mod examples;
mod exceptions;
mod rdb_files;
mod readme;
