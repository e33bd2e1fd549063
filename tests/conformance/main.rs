//! The command table against the world: COMMAND INFO of every row against redis-server's, the
//! examples of every row by wire, against Freehold and, where it knows the command, redis-server,
//! and the list of commands in the README.
#![forbid(unsafe_code)]

mod command_rows;
mod events;
mod examples;
mod exceptions;
mod readme;
