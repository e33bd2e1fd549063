//! The promises every row makes, whatever family it belongs to.

use std::collections::BTreeSet;

use super::spec::{Arity, Control, Find, KeySpec, Run, Spec, WRITE};
use super::table::{Command, Table};
use crate::base::random::Random;
use crate::effect::{apply, decode_all};
use crate::keyspace::Keyspace;
use crate::shard::testing::TestNode;

/// An example's expectation: the whole answer, or its beginning when it ends in `*`.
fn agrees(answer: &str, expected: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(beginning) => answer.starts_with(beginning),
        None => answer == expected,
    }
}

fn failing_examples(command: &Command, cores: u16) -> Vec<String> {
    let mut failing = Vec::new();
    for (requests, expected) in command.spec.examples {
        let answer = TestNode::new(cores).run(requests);
        if !agrees(&answer, expected) {
            failing.push(format!(
                "{} on {cores} cores: {requests:?}\n  expected {expected:?}\n  answered {answer:?}",
                command.full_name
            ));
        }
    }
    failing
}

#[test]
fn every_example_holds_on_one_core_and_on_several() {
    let commands = Table::get().commands().iter();
    let failing: Vec<String> = commands
        .flat_map(|command| [1, 2, 3].map(|cores| failing_examples(command, cores)))
        .flatten()
        .collect();
    assert!(failing.is_empty(), "{}", failing.join("\n"));
}

#[test]
fn every_row_has_examples_and_says_what_it_is() {
    for command in Table::get().commands() {
        let name = &command.full_name;
        let spec = command.spec;
        assert!(!spec.examples.is_empty() || command.is_container(), "{name} has no example");
        assert!(!spec.summary.is_empty(), "{name} has no summary");
        assert!(!spec.group.is_empty() && !spec.since.is_empty(), "{name}");
    }
}

#[test]
fn names_are_upper_case_and_unique() {
    let mut seen = BTreeSet::new();
    for command in Table::get().commands() {
        assert!(seen.insert(&command.full_name), "{} is there twice", command.full_name);
        assert_eq!(command.spec.name, command.spec.name.to_ascii_uppercase());
    }
}

#[test]
fn every_name_is_found_in_any_mix_of_case() {
    let table = Table::get();
    for command in table.commands() {
        let mixed: String = command
            .full_name
            .char_indices()
            .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c })
            .collect();
        let found = table.find_full(mixed.as_bytes());
        assert_eq!(found.map(|found| found.index), Some(command.index), "{mixed}");
    }
    assert!(table.find(b"NOSUCHCOMMAND").is_none());
    assert!(table.find(b"").is_none());
}

/// What changes keys must name them, or say that it concerns all cores.
#[test]
fn write_commands_have_keys() {
    for command in Table::get().commands() {
        let spec = command.spec;
        let everywhere = matches!(spec.run, Run::Everywhere { .. });
        let named = !spec.keys.is_empty() || !spec.is(WRITE);
        assert!(named || everywhere, "{} writes without keys", command.full_name);
    }
}

#[test]
fn a_row_that_runs_where_its_keys_are_has_keys() {
    for command in Table::get().commands() {
        let by_key = matches!(
            command.spec.run,
            Run::Owner(_) | Run::Blocking(_) | Run::Split(..) | Run::Transaction(Control::Watch)
        );
        let has_keys = command.spec.keys.iter().any(KeySpec::is_key);
        assert_eq!(by_key, has_keys, "{}", command.full_name);
    }
}

#[test]
fn key_positions_lie_inside_the_arity() {
    for command in Table::get().commands() {
        let (Arity::Exactly(count) | Arity::AtLeast(count)) = command.spec.arity;
        for KeySpec { begin, find, .. } in command.spec.keys.iter().filter(|key| key.is_key()) {
            let last = match *find {
                // An open range may be empty: PFMERGE without sources.
                Find::Range { last, .. } if last < 0 => i16::from(*begin) - 1,
                Find::Range { last, .. } => i16::from(*begin) + i16::from(last),
                Find::Counted { first, .. } => i16::from(*begin) + i16::from(first),
                Find::Halved { .. } => i16::from(*begin),
                // Options, or what only the handler knows.
                Find::After { .. } | Find::LastOption { .. } | Find::Unknown => continue,
            };
            assert!(*begin > 0 && last < i16::from(count), "{}", command.full_name);
        }
    }
}

/// The parts of a split request are its name and, for each key, the key with its `step - 1`
/// followers: so a row that is split must have exactly that form.
#[test]
fn rows_that_are_split_have_one_key_range_to_the_end() {
    for command in Table::get().commands() {
        let Spec { run: Run::Split(..), keys, .. } = command.spec else { continue };
        let whole = matches!(keys, [KeySpec { begin: 1, find: Find::Range { last: -1, .. }, .. }]);
        assert!(whole, "{}", command.full_name);
    }
}

/// Commands that change keys, with the arguments of their examples: a dictionary for random runs.
fn dictionary() -> Vec<&'static str> {
    let changes = |command: &&Command| {
        command.spec.is(WRITE) && matches!(command.spec.group, "string" | "generic" | "server")
    };
    let commands = Table::get().commands().iter().filter(changes);
    let examples = commands.flat_map(|command| command.spec.examples);
    examples.flat_map(|(requests, _)| requests.lines()).collect()
}

/// A random walk through the dictionary. Returns the answers.
fn wander(node: &mut TestNode, seed: u64, steps: usize) -> Vec<String> {
    let dictionary = dictionary();
    let mut random = Random::new(seed);
    (0..steps)
        .map(|_| {
            let request = dictionary[random.below(dictionary.len() as u64) as usize];
            node.advance_ms(random.below(3) as i64);
            format!("{request} -> {}", node.run(request))
        })
        .collect()
}

#[test]
fn the_number_of_cores_changes_no_answer_and_no_content() {
    for seed in 1..=6 {
        let mut one = TestNode::new(1);
        let answers = wander(&mut one, seed, 600);
        for cores in [2, 3] {
            let mut several = TestNode::new(cores);
            let others = wander(&mut several, seed, 600);
            for (step, (answer, other)) in answers.iter().zip(&others).enumerate() {
                assert_eq!(answer, other, "seed {seed}, step {step}, {cores} cores");
            }
            assert_eq!(one.digest(), several.digest(), "seed {seed}, {cores} cores");
        }
    }
}

#[test]
fn replaying_the_effects_of_a_core_gives_what_the_core_holds() {
    for seed in 1..=6 {
        let mut node = TestNode::new(2);
        node.shards.iter_mut().for_each(|shard| shard.core.effects.listen());
        wander(&mut node, seed, 600);
        for shard in &mut node.shards {
            let held = &shard.core.keyspace;
            let mut replayed = Keyspace::new(held.slots(), held.databases(), [9; 4]);
            let effects = shard.core.effects.take();
            let replay = |effect| assert!(apply(&mut replayed, &effect, 0), "our own edits");
            decode_all(&effects, replay).expect("our own bytes");
            assert_eq!(replayed.digest(), held.digest(), "seed {seed}, core {:?}", shard.id());
        }
    }
}
