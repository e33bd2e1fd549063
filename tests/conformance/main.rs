//! The command table against the world: COMMAND INFO of every row against redis-server's, and the
//! examples of every row by wire, against Freehold and, where it knows the command, redis-server.
#![forbid(unsafe_code)]

mod command_rows;
mod examples;
mod exceptions;
