//! Freehold, a thread-per-core cache and key-value server. The command line becomes a
//! configuration, the configuration a node; `node` tells the rest of the story. Or it asks
//! something of a server that runs: `exchange::remote`.

mod check;
mod config;
mod disk;
mod exchange;
mod net;
mod node;
mod observe;
mod runtime;
mod worker;

use std::process::ExitCode;

use config::Errand;
use runtime::allocator::{self, CountingAllocator};

#[global_allocator]
static GLOBAL: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    abort_on_panic();
    if let Some(asked) = check::asked(std::env::args_os()) {
        return check::run(&asked);
    }
    let outcome = config::from_command_line(std::env::args_os()).and_then(|errand| match errand {
        Errand::Serve(start) => runtime::signals::block()
            .map_err(|error| format!("signals cannot be blocked: {error}"))
            .and_then(|()| {
                allocator::spare_the_cores();
                node::run(*start)
            }),
        Errand::Ask(remote) => exchange::remote::run(&remote),
    });
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            observe::log::error(&sentence, &[]);
            if !observe::log::is_seen() {
                eprintln!("freehold: {sentence}");
            }
            ExitCode::FAILURE
        }
    };
    observe::log::flush();
    code
}

/// A core that has broken its own rules must not go on answering, and the others cannot go on
/// without it. Release builds abort by themselves.
fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        std::process::abort();
    }));
}
