//! What a snapshot costs without a disk: bytes a key takes in the file, nanoseconds a key takes to
//! be walked, encoded, packed and summed, and nanoseconds to be loaded into an empty keyspace. One
//! core, values of `--bytes` random hexadecimal digits, the shortest of `--passes` passes.

use std::time::Instant;

use freehold_engine::base::random::Random;
use freehold_engine::disk::{Completion, FileName, Memory, Requests};
use freehold_engine::effect::apply;
use freehold_engine::keyspace::Keyspace;
use freehold_engine::snapshot::{Header, Writer, load};

use crate::Options;
use crate::cases::empty_keyspace;
use crate::json::Object;
use crate::keys;

const HEADER: Header = Header { generation: 1, core: 0, cores: 1, cut_unix_ms: 0 };
const FILE: FileName = FileName::Snapshot { generation: 1, core: 0 };

/// Entries a slice may visit.
const VISITS: usize = 1000;

/// Does what the writer asks for.
fn perform(files: &mut Memory, requests: &mut Requests, writer: &mut Writer) {
    while !requests.is_empty() {
        for request in requests.take() {
            let buffer = files.perform(request.operation);
            let (owner, tag, outcome) = (request.owner, request.tag, Ok(()));
            writer.completed(&Completion { owner, tag, outcome, buffer }, requests);
        }
    }
}

/// Fills a keyspace, saves and loads it, and prints the figures.
pub fn measure(options: &Options) -> String {
    let mut keyspace = filled(options);
    let (mut walk_ns, mut load_ns, mut file_bytes) = (u128::MAX, u128::MAX, 0);
    for _ in 0..options.passes {
        let (mut files, mut requests) = (Memory::default(), Requests::default());
        let started = Instant::now();
        let mut writer = Writer::begin(&mut keyspace, HEADER, &mut requests);
        perform(&mut files, &mut requests, &mut writer);
        while writer.outcome().is_none() {
            writer.slice(&mut keyspace, VISITS, &mut requests);
            perform(&mut files, &mut requests, &mut writer);
        }
        walk_ns = walk_ns.min(started.elapsed().as_nanos());
        let mut copy = empty_keyspace();
        let started = Instant::now();
        load(&mut files, FILE, 0..16384, &mut |effect| apply(&mut copy, effect, 0))
            .expect("what was just written");
        load_ns = load_ns.min(started.elapsed().as_nanos());
        assert_eq!(copy.digest(), keyspace.digest());
        file_bytes = files.0[&FILE].len();
    }
    let per_key = |sum: f64| sum / options.keys as f64;
    Object::new()
        .count("keys", options.keys)
        .count("value_bytes", options.bytes)
        .count("passes", options.passes)
        .number("file_bytes_per_key", per_key(file_bytes as f64))
        .number("write_ns_per_key", per_key(walk_ns as f64))
        .number("load_ns_per_key", per_key(load_ns as f64))
        .end()
}

fn filled(options: &Options) -> Keyspace {
    let (mut keyspace, mut random) = (empty_keyspace(), Random::new(1));
    for index in 0..options.keys {
        let mut value = String::new();
        while value.len() < options.bytes as usize {
            value.push_str(&format!("{:016x}", random.next_u64()));
        }
        value.truncate(options.bytes as usize);
        let key = keys::key(index);
        let key = keyspace.key_ref(&key);
        keyspace.set_string(0, &key, value.as_bytes(), None, 0);
    }
    keyspace
}
