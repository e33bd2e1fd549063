//! Requests of all families, drawn from the command table's examples, in a node of one to four
//! cores: every reply is well-formed, everything comes to rest, what must hold of keyspaces and
//! values holds, the effects replayed give the same content, and memory stays bounded. The first
//! two bytes decide the node (cores, thresholds, memory limit, events), then every eight a step.

#![no_main]

use freehold_engine::shard::testing::walk::{Ground, Scope, Throw, Walk};
use freehold_engine_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

/// Enough for commands to meet; more would only be slower.
const STEPS_MAX: usize = 30;

/// A node of four cores with three databases in use takes two MiB; strings are at most 64 KiB long,
/// and a step makes a few of them.
const NODE_BYTES: usize = 16 * 1024 * 1024;

fuzz_target!(|input: &[u8]| {
    let Some((ground, steps)) = input.split_first_chunk::<2>() else { return };
    let ground = Ground::new(Scope::Everything, u64::from(u16::from_le_bytes(*ground)));
    let (throws, _) = steps.as_chunks::<{ Throw::BYTES }>();
    bounded(NODE_BYTES, || {
        let mut walk = Walk::new(&ground);
        for throw in throws.iter().take(STEPS_MAX) {
            let step = walk.draw(Throw::from_bytes(*throw));
            walk.perform(&step);
        }
        walk.finish();
        assert!(walk.replays(|_| true), "the effects do not tell what has changed");
    });
});
