//! What the fuzz targets share: the promise about memory, and the checksums of our own files.
//!
//! While an input is worked on, only so much may be allocated beyond what was; the allocator
//! enforces it: an allocation above the limit fails, which aborts the process, which the fuzzer
//! reports with the input. A panic lifts the limit before anything else, so that it can be told.

mod files;

use cap::Cap;
use std::alloc::System;
use std::panic;
use std::sync::Once;

pub use files::{DATABASES, fits, mend_log, mend_snapshot};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Puts a hook before the fuzzer's own, which has set it before the first input.
static REPORT: Once = Once::new();

/// Runs `body`, which may have `bytes` allocated at a time.
pub fn bounded<T>(bytes: usize, body: impl FnOnce() -> T) -> T {
    REPORT.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A backtrace takes more than most inputs may.
            let _ = ALLOCATOR.set_limit(usize::MAX);
            report(panic);
        }));
    });
    let limit = ALLOCATOR.allocated() + bytes;
    ALLOCATOR.set_limit(limit).expect("the limit is above what is allocated");
    let result = body();
    ALLOCATOR.set_limit(usize::MAX).expect("no limit is above everything");
    result
}
