use crate::shard::testing::TestNode;

fn stored(node: &mut TestNode, key: &str) -> String {
    node.run(&format!("GET {key}"))
}

#[test]
fn a_merge_holds_what_adding_everything_would_hold() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        for number in 0..900 {
            node.run(&format!("PFADD part:{} {number}", number % 3));
            node.run(&format!("PFADD whole {number}"));
        }
        let count = node.run("PFCOUNT whole");
        assert_eq!(node.run("PFCOUNT part:0 part:1 part:2"), count, "{cores} cores");
        assert_eq!(node.run("PFMERGE merged part:0 part:1 part:2"), "+OK\r\n");
        assert_eq!(node.run("PFCOUNT merged"), count, "{cores} cores");
        assert_eq!(node.run("PFDEBUG GETREG merged"), node.run("PFDEBUG GETREG whole"));
    }
}

#[test]
fn an_element_added_to_a_dense_sketch_is_an_effect_of_a_few_bytes() {
    let mut node = TestNode::new(1);
    node.run("PFADD k a");
    node.run("PFDEBUG TODENSE k");
    let effects = &mut node.shards[0].core.effects;
    effects.listen();
    effects.take();
    node.run("PFADD k b c d");
    let bytes = node.shards[0].core.effects.take().len();
    assert!(bytes > 0 && bytes < 100, "{bytes} bytes");
}

#[test]
fn an_element_seen_before_changes_nothing() {
    for dense in [false, true] {
        let mut node = TestNode::new(1);
        node.run("PFADD k a b c");
        if dense {
            node.run("PFDEBUG TODENSE k");
        }
        node.run("PFCOUNT k");
        let before = (stored(&mut node, "k"), node.shards[0].core.effects.changes());
        assert_eq!(node.run("PFADD k c b a"), ":0\r\n");
        assert_eq!(node.run("PFCOUNT k"), ":3\r\n");
        let after = (stored(&mut node, "k"), node.shards[0].core.effects.changes());
        assert_eq!(after, before, "dense: {dense}");
    }
}

#[test]
fn a_deadline_outlives_what_is_added() {
    let mut node = TestNode::new(1);
    node.run("PFADD k a");
    node.run("EXPIRE k 100");
    for number in 0..2000 {
        node.run(&format!("PFADD k {number}")); // runs split and join, and it turns dense
    }
    assert_eq!(node.run("PFDEBUG ENCODING k"), "+dense\r\n");
    node.run("PFADD other x");
    node.run("PFMERGE k other");
    assert_eq!(node.run("TTL k"), ":100\r\n");
}

#[test]
fn the_threshold_of_the_configuration_decides_when_a_sketch_turns_dense() {
    let mut node = TestNode::with_config(1, &[("hll-sparse-max-bytes", "60")]);
    let mut added = 0;
    while node.run("PFDEBUG ENCODING k") != "+dense\r\n" {
        node.run(&format!("PFADD k {added}"));
        added += 1;
        assert!(added < 40, "{}", node.run("STRLEN k"));
    }
    assert_eq!(node.run("STRLEN k"), ":12304\r\n");
}
