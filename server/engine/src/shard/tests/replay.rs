//! Effects tell the whole truth: replayed on an empty keyspace they give the same content.

use crate::base::random::Random;
use crate::effect::{apply, decode_all};
use crate::keyspace::Keyspace;
use crate::shard::testing::TestNode;

const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "{a}f"];

fn random_command(random: &mut Random) -> String {
    let pick = |random: &mut Random| KEYS[random.below(KEYS.len() as u64) as usize];
    let (key, other) = (pick(random), pick(random));
    let number = random.below(1000);
    match random.below(30) {
        0 => format!("SET {key} {number}"),
        1 => format!("SET {key} value{number} PX {number}"),
        2 => format!("SET {key} v{number} KEEPTTL"),
        3 => format!("APPEND {key} {number}"),
        4 => format!("SETRANGE {key} {} xyz", number % 50),
        5 => format!("INCR {key}"),
        6 => format!("INCRBYFLOAT {key} 0.{number}"),
        7 => format!("MSET {key} 1 {other} {number}"),
        8 => format!("MSETNX {key} 1 {other} {number}"),
        9 => format!("DEL {key} {other}"),
        10 => format!("UNLINK {key}"),
        11 => format!("EXPIRE {key} {}", number % 3),
        12 => format!("PEXPIRE {key} {number}"),
        13 => format!("PERSIST {key}"),
        14 => format!("RENAME {key} {other}"),
        15 => format!("RENAMENX {key} {other}"),
        16 => format!("COPY {key} {other} REPLACE"),
        17 => format!("COPY {key} {other} DB 1"),
        18 => format!("MOVE {key} 1"),
        19 => format!("GETDEL {key}"),
        20 => format!("GETEX {key} PX {number}"),
        21 => format!("GETSET {key} {number}"),
        22 => "SWAPDB 0 1".to_owned(),
        23 if number < 50 => "FLUSHDB".to_owned(),
        24 if number < 20 => "FLUSHALL".to_owned(),
        25 => format!("SELECT {}", number % 2),
        26 => format!("SET {key} {}", "long".repeat(number as usize)),
        27 => format!("DECRBY {key} {number}"),
        _ => format!("GET {key}"),
    }
}

/// Replays each core's effects on a fresh keyspace and adds the digests up.
fn replayed_digest(node: &mut TestNode) -> u128 {
    let mut sum = 0u128;
    for shard in &mut node.shards {
        let effects = shard.core.effects.take();
        let slots = shard.core.keyspace.slots();
        let mut fresh = Keyspace::new(slots, shard.core.keyspace.databases(), [9, 9, 9, 9]);
        decode_all(&effects, |effect| apply(&mut fresh, &effect, 0)).expect("they decode");
        sum = sum.wrapping_add(fresh.digest());
    }
    sum
}

#[test]
fn replaying_the_effects_of_random_commands_gives_the_same_digest() {
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let cores = [1, 2, 4][(seed % 3) as usize];
        let mut node = TestNode::new(cores);
        node.shards.iter_mut().for_each(|shard| shard.core.effects.listen());
        for _ in 0..120 {
            let command = random_command(&mut random);
            node.run(&command);
            if random.below(8) == 0 {
                node.advance_ms(random.below(300) as i64);
                node.pump();
            }
        }
        let digest = node.digest();
        assert_eq!(replayed_digest(&mut node), digest, "seed {seed}, {cores} cores");
    }
}

#[test]
fn the_digest_test_would_notice_a_missing_effect() {
    let mut node = TestNode::new(1);
    node.run("SET a 1");
    node.shards[0].core.effects.listen();
    node.run("SET b 2");
    assert_ne!(node.digest(), replayed_digest(&mut node), "SET a was never told");
}
