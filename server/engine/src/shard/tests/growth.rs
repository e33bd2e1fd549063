//! When growth begins a snapshot: the rule over the figures of all cores, and its patience with a
//! disk on which snapshots fail.

use crate::command::context::LogFigures;
use crate::config::Config;
use crate::effect::Records;
use crate::keyspace::{Chunk, CutBudget, CutState};
use crate::shard::testing::TestNode;

const MIN_BYTES: u64 = 10_000;

/// A node that logs, with a snapshot of 20,000 bytes.
fn node(percentage: u32) -> TestNode {
    let mut config = Config::default();
    config.persistence.appendonly = true;
    config.persistence.rewrite_percentage = percentage;
    config.persistence.rewrite_min_bytes = MIN_BYTES;
    let mut node = TestNode::from_config(2, config, 1);
    node.shards.iter_mut().for_each(|shard| shard.start_log(Records::default()));
    node.shards[0].snapshots().sizes().found(20_000, 0);
    node
}

fn log_holds(node: &mut TestNode, core: usize, bytes: u64) {
    node.shards[core].note_log(LogFigures { bytes, ..LogFigures::default() });
}

/// Whether a snapshot has begun by now, in all its parts.
fn begins(node: &mut TestNode) -> bool {
    node.advance_ms(200);
    node.pump();
    let cuts = node.shards.iter_mut().map(|shard| shard.take_milestones().len()).sum::<usize>();
    assert!(cuts == 0 || cuts == node.shards.len(), "{cuts} cores have cut");
    cuts > 0
}

#[test]
fn the_logs_of_all_cores_together_begin_a_snapshot_when_they_have_grown_by_the_percentage() {
    let mut node = node(100);
    assert!(!begins(&mut node));
    log_holds(&mut node, 0, 12_000);
    log_holds(&mut node, 1, 7_799);
    assert!(!begins(&mut node), "98.9 %");
    log_holds(&mut node, 1, 8_000);
    assert!(begins(&mut node), "100 %");
    log_holds(&mut node, 1, 90_000);
    assert!(!begins(&mut node), "one is under way");
}

#[test]
fn small_logs_may_grow_and_a_percentage_of_zero_lets_all_grow() {
    let mut small = node(1);
    small.shards[0].snapshots().sizes().found(0, MIN_BYTES);
    assert!(!begins(&mut small));
    log_holds(&mut small, 0, 1);
    assert!(begins(&mut small), "larger than the least size, from a base of nothing");

    let mut off = node(0);
    log_holds(&mut off, 0, 1 << 40);
    assert!(!begins(&mut off));
    assert_eq!(off.run("CONFIG SET auto-aof-rewrite-percentage 100"), "+OK\r\n");
    assert!(begins(&mut off));
}

#[test]
fn snapshots_that_fail_are_tried_again_after_longer_and_longer_times() {
    let mut node = node(100);
    log_holds(&mut node, 0, 50_000);
    for wait_ms in [0, 5_000, 5_000, 60_000, 120_000, 240_000, 480_000] {
        if wait_ms > 0 {
            assert!(!begins(&mut node), "{wait_ms}");
            node.advance_ms(wait_ms - 1_000);
            assert!(!begins(&mut node), "{wait_ms}");
            node.advance_ms(1_000);
        }
        assert!(begins(&mut node), "{wait_ms}");
        for shard in &mut node.shards {
            shard.keyspace_mut().give_up_cut();
            while shard.keyspace_mut().cut_state() != CutState::Complete {
                let mut budget = CutBudget { visits: 20_000, bytes: 1_000 };
                shard.keyspace_mut().cut_slice(&mut budget, &mut Chunk::default());
            }
            shard.snapshots().end_part(None);
        }
        node.shards[0].end_snapshot(false);
    }
}
