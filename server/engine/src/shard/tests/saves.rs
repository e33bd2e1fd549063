//! Who may save while a snapshot is under way, and what becomes of a save that has to wait.

use crate::shard::testing::TestNode;

const STARTED: &str = "+Background saving started\r\n";
const SCHEDULED: &str = "+Background saving scheduled\r\n";
const SAVING: &str = "-ERR Background save already in progress\r\n";
const REWRITING: &str = "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use \
                         BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.\r\n";

/// SCHEDULE was heard during a save as well, and another one followed; redis-server refuses it.
#[test]
fn a_save_is_scheduled_behind_a_rewriting_and_refused_during_a_save() {
    for cores in [1, 2] {
        let mut node = TestNode::new(cores);
        assert_eq!(node.run("BGSAVE"), STARTED);
        for refused in ["BGSAVE", "BGSAVE SCHEDULE", "bgsave schedule", "SAVE"] {
            assert_eq!(node.run(refused), SAVING, "{refused}, {cores} cores");
        }
        let rewriting = "+Background append only file rewriting scheduled\r\n";
        assert_eq!(node.run("BGREWRITEAOF"), rewriting, "{cores} cores");

        let mut node = TestNode::new(cores);
        let rewriting = "+Background append only file rewriting started\r\n";
        assert_eq!(node.run("BGREWRITEAOF"), rewriting, "{cores} cores");
        assert_eq!(node.run("BGSAVE"), REWRITING, "{cores} cores");
        assert_eq!(node.run("BGSAVE SCHEDULE"), SCHEDULED, "{cores} cores");
        assert_eq!(node.run("BGSAVE"), REWRITING, "{cores} cores");
    }
}

/// The core that was to begin it found the right to a snapshot free, then taken by another core,
/// and forgot about it.
#[test]
fn a_scheduled_save_is_still_due_when_another_core_claims_first() {
    let mut node = TestNode::new(1);
    let snapshots = node.shards[0].snapshots().clone();
    assert!(snapshots.claim(1, 1, 0), "a rewriting");
    assert_eq!(node.run("BGSAVE SCHEDULE"), SCHEDULED);
    node.shards[0].begin_scheduled_save();
    node.pump();
    assert!(node.shards[0].take_milestones().is_empty(), "the other is under way");
    snapshots.end(true, 1);
    node.pump();
    assert_eq!(node.shards[0].take_milestones().len(), 1, "now it has cut");
    assert!(!snapshots.is_rewriting() && snapshots.running() > 0, "for who wants it saved");
}
