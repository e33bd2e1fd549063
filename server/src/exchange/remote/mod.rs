//! Exchange with a server that runs, of any make: `freehold export` reads its keys by SCAN and
//! DUMP, `freehold import` gives it keys by RESTORE.

mod export;
mod import;
mod meter;
mod peer;
mod walk;

use crate::config::Remote;

/// Does what is asked and says on the standard output what has come of it.
///
/// # Errors
/// A sentence for whoever asked: what was refused, and what can be done about it.
pub fn run(remote: &Remote) -> Result<(), String> {
    match remote {
        Remote::Export { server, file } => export::run(server, file),
        Remote::Import { server, path, replace } => import::run(server, path, *replace),
    }
}
