//! Effects tell the whole truth: replayed on an empty keyspace they give the same content. Walks
//! through the whole command table are drawn and replayed; `FREEHOLD_REPLAY_WALKS` says how many,
//! `FREEHOLD_SEED` which one is the first. A walk that fails is shortened and told with its seed.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::base::random::Random;
use crate::effect::Effect;
use crate::shard::testing::walk::{Ground, Met, Scope, Step, Throw, Walk, writing_commands};

/// About ten seconds of the profile tests are built with.
const WALKS: u64 = 10_000;
const STEPS: usize = 40;

/// What is left out of a replay, to see whether anybody notices.
type Keep = fn(&Effect<'_>) -> bool;

fn number_from(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// Why a walk failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    Diverged,
    Panicked,
}

/// Draws and plays the walk of a seed, noting its steps.
fn wander(ground: &Ground, steps: &mut Vec<Step>, keep: Keep) -> (Result<(), Failure>, Met) {
    let mut random = Random::new(ground.seed);
    let mut walk = Walk::new(ground);
    let played = catch_unwind(AssertUnwindSafe(|| {
        for _ in 0..STEPS {
            steps.push(walk.draw(Throw::random(&mut random)));
            walk.perform(steps.last().expect("it was pushed"));
        }
        walk.finish();
        walk.replays(keep)
    }));
    (judge(played), walk.met)
}

/// Plays these steps.
fn play(ground: &Ground, steps: &[Step], keep: Keep) -> Result<(), Failure> {
    judge(catch_unwind(AssertUnwindSafe(|| {
        let mut walk = Walk::new(ground);
        steps.iter().for_each(|step| walk.perform(step));
        walk.finish();
        walk.replays(keep)
    })))
}

fn judge(played: std::thread::Result<bool>) -> Result<(), Failure> {
    match played {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Diverged),
        Err(_) => Err(Failure::Panicked),
    }
}

/// Drops steps, many at a time and then one by one, as long as the rest fails in the same way.
fn shorten(ground: &Ground, mut steps: Vec<Step>, failure: Failure, keep: Keep) -> Vec<Step> {
    let mut piece = steps.len();
    while piece > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + piece).min(steps.len()));
            if play(ground, &fewer, keep) == Err(failure) {
                steps = fewer;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    steps
}

/// # Panics
/// When the walk of this seed fails, with what there is to know about it.
fn must_hold(seed: u64) -> Met {
    let ground = Ground::new(Scope::Keys, seed);
    let mut steps = Vec::new();
    let (result, met) = wander(&ground, &mut steps, |_| true);
    if let Err(failure) = result {
        let steps = shorten(&ground, steps, failure, |_| true);
        panic!("FREEHOLD_SEED={seed}: {failure:?} on {ground:?}\n{steps:#?}");
    }
    met
}

#[test]
fn replaying_the_effects_of_any_walk_gives_the_same_digest() {
    let first = number_from("FREEHOLD_SEED", 0);
    let walks = number_from("FREEHOLD_REPLAY_WALKS", WALKS);
    let mut sum = must_hold(first);
    for seed in first + 1..first + walks {
        let met = must_hold(seed);
        sum.changes.iter_mut().zip(&met.changes).for_each(|(sum, changes)| *sum += changes);
        sum.served += met.served;
        sum.expired_keys += met.expired_keys;
        sum.evicted_keys += met.evicted_keys;
    }
    println!("{walks} walks of {STEPS} steps");
    if walks < WALKS {
        return; // a replay of a failure, or a first look
    }
    let idle: Vec<&str> = writing_commands()
        .filter(|command| sum.changes[command.index] == 0)
        .map(|command| &*command.full_name)
        .collect();
    assert!(idle.is_empty(), "never drawn with success: {idle:?}");
    assert!(sum.served > 0, "no waiting client was served");
    assert!(sum.expired_keys > 0, "no key has expired");
    assert!(sum.evicted_keys > 0, "no key was evicted");
}

/// What the first client sends; `settle`: all that follows from it happens before the next step.
fn send(line: &str, settle: bool) -> Step {
    let request = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    Step::Send { client: 0, request, settle }
}

/// COPY of a hash whose owner is another core: for that moment the value is lent, and the sweep
/// took the field out of what the owner had kept of it. The log said that the field had gone, and
/// it came back with the value.
#[test]
fn a_field_that_falls_due_while_its_hash_is_lent_goes_when_the_hash_is_back() {
    for seed in 0..200 {
        let ground = Ground::new(Scope::Keys, seed);
        let steps = [
            send(&format!("HSETEX h{seed} EX 100 FIELDS 2 f v g w"), false),
            send(&format!("HPEXPIRE h{seed} 1812 FIELDS 1 f"), false),
            send(&format!("COPY h{seed} copy NONSENSE"), false),
            Step::Wait { ms: 20_000 },
        ];
        assert_eq!(play(&ground, &steps, |_| true), Ok(()), "{ground:?}");
    }
}

/// The one field of a hash is due, and is set before anybody has swept it out: it goes, and comes
/// anew. Here the key stays for both; who replays it had removed the key, and its deadline, between
/// them.
#[test]
fn a_hash_that_is_empty_for_a_moment_keeps_its_deadline() {
    for seed in 0..20 {
        let mut walk = Walk::new(&Ground::new(Scope::Keys, seed));
        walk.perform(&send("HSETEX h PX 5 FIELDS 1 f v", true));
        walk.perform(&send("PEXPIRE h 100000", true));
        walk.node.advance_ms(20);
        walk.perform(&send("HSET h f w", true));
        assert!(walk.node.run("PTTL h").starts_with(":999"), "seed {seed}");
        walk.finish();
        assert!(walk.replays(|_| true), "seed {seed}");
    }
}

/// Whichever kind of effect is forgotten, some walk tells, and few of its steps suffice to show it.
#[test]
fn an_effect_that_is_left_out_is_noticed_and_the_walk_shortened_to_it() {
    let flaws: [(&str, Keep); 8] = [
        ("set", |effect| !matches!(effect, Effect::Set { .. })),
        ("splice", |effect| !matches!(effect, Effect::Splice { .. })),
        ("edit", |effect| !matches!(effect, Effect::Edit { .. })),
        ("put", |effect| !matches!(effect, Effect::Put { .. })),
        ("expire", |effect| !matches!(effect, Effect::Expire { .. })),
        ("delete", |effect| !matches!(effect, Effect::Delete { .. })),
        ("flush", |effect| !matches!(effect, Effect::Flush { .. })),
        ("swap", |effect| !matches!(effect, Effect::SwapDb { .. })),
    ];
    for (name, keep) in flaws {
        let mut steps = Vec::new();
        let found = (0..300).map(|seed| Ground::new(Scope::Keys, seed)).find(|ground| {
            steps.clear();
            wander(ground, &mut steps, keep).0 == Err(Failure::Diverged)
        });
        let ground = found.unwrap_or_else(|| panic!("no walk misses {name}"));
        let steps = shorten(&ground, steps, Failure::Diverged, keep);
        assert!(steps.len() <= 4, "{name} took {steps:#?}");
    }
}
