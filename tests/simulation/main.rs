//! A node of several cores on one thread, turned one core at a time in the order a seed decides,
//! and its history judged by the checkers. What took a lucky accident on real cores takes a seed
//! here, and the seed replays it.
#![forbid(unsafe_code)]

mod append;
mod bank;
mod durability;
mod player;
