//! The test house's harness: starts real servers on loopback, talks to them as a user would, and
//! waits for conditions. It knows the protocol crate and nothing of the engine; what it learns
//! about a server it learns by wire, from the log or from `/proc`.
#![forbid(unsafe_code)]

pub mod checkers;
pub mod client;
pub mod crash;
pub mod cuts;
pub mod folder;
pub mod kills;
pub mod lossy;
pub mod numbered;
pub mod ports;
pub mod process;
pub mod progress;
pub mod random;
pub mod raw;
pub mod redis_cli;
pub mod server;
pub mod show;
pub mod transactions;
pub mod wait;
