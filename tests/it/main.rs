//! Live servers: what a client, a hostile peer or an operator meets. The important suites run
//! twice, with one core and with two. Nothing here waits for an amount of time to pass, only for
//! what must become true (`freehold_tests::wait`).
#![forbid(unsafe_code)]

/// Makes each function, which takes a number of cores, a test with one core and one with two.
macro_rules! on_one_and_two_cores {
    ($($name:ident),* $(,)?) => {
        mod one_core {
            $(#[test] fn $name() { super::$name(1); })*
        }
        mod two_cores {
            $(#[test] fn $name() { super::$name(2); })*
        }
    };
}

mod access;
mod atomicity;
mod binary;
mod check;
mod cluster;
mod configuration;
mod connections;
mod cuts;
mod disk_full;
mod exchange;
mod expiry;
mod export;
mod hostile;
mod import;
mod kills;
mod lengths;
mod loading;
mod log_growth;
mod log_switch;
mod lossy_disk;
mod memory_limit;
mod order;
mod pubsub;
mod rdb_copy;
mod rdb_save;
mod shutdown;
mod slow_readers;
mod transactions;
