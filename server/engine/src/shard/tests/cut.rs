//! A cut of every core under real commands, drawn from the whole command table: what it hands out
//! is what the core held, whoever changes what while it is being taken, keys lent to other cores
//! and field deadlines included. `FREEHOLD_CUT_WALKS` says how many walks, `FREEHOLD_SEED` which
//! one is the first.

use std::cell::RefCell;
use std::env;
use std::rc::Rc;

use crate::base::random::Random;
use crate::effect::{apply, decode_all, encode_entry};
use crate::keyspace::{Chunk, CutBudget, CutState, Flaw, Keyspace};
use crate::shard::Shard;
use crate::shard::testing::walk::{Ground, Scope, Throw, Walk};

/// About fifteen seconds of the profile tests are built with.
const WALKS: u64 = 10_000;
const STEPS: usize = 40;

fn number_from(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// The cut of one core and what it has handed out so far.
struct Copy {
    copy: Keyspace,
    digest: u128,
    keys: usize,
    taken: usize,
}

impl Copy {
    fn begin(keyspace: &mut Keyspace) -> Copy {
        keyspace.begin_cut(encode_entry);
        let databases = keyspace.databases();
        let keys = (0..databases).map(|db| keyspace.len(db as u8)).sum();
        let copy = Keyspace::new(keyspace.slots(), databases, [9; 4]);
        Copy { copy, digest: keyspace.digest(), keys, taken: 0 }
    }

    fn take(&mut self, chunk: &Chunk) {
        self.taken += chunk.keys as usize;
        let replay = |effect| assert!(apply(&mut self.copy, &effect, 0), "our own edits");
        decode_all(&chunk.bytes, replay).expect("our own bytes");
    }
}

/// All cuts of a node.
struct Cuts {
    random: Random,
    of_core: Vec<Option<Copy>>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Default, Debug)]
struct Outcome {
    complete: u64,
    given_up: u64,
    keys: u64,
    wrong: u64,
}

impl Cuts {
    /// One slice of a core: of a few keys, or of everything that is left.
    fn slice(&mut self, shard: &mut Shard) {
        let at = shard.id().index();
        let mut budget = CutBudget { visits: 1, bytes: 200 };
        let most = [40, 500, 4000][self.random.below(3) as usize];
        budget.visits += self.random.below(most) as usize;
        self.slice_of(&mut shard.core.keyspace, at, budget);
    }

    fn slice_of(&mut self, keyspace: &mut Keyspace, at: usize, mut budget: CutBudget) {
        let mut walked = Chunk::default();
        let given_up = keyspace.cut_state() == CutState::GivenUp;
        keyspace.cut_slice(&mut budget, &mut walked);
        let Some(copy) = &mut self.of_core[at] else { return };
        if given_up {
            self.outcome.given_up += 1;
            self.of_core[at] = None;
            return;
        }
        copy.take(&walked);
        while let Some(saved) = keyspace.take_saved(true) {
            copy.take(&saved);
        }
        if keyspace.cut_state() == CutState::Complete {
            self.outcome.complete += 1;
            self.outcome.keys += copy.keys as u64;
            let same = copy.taken == copy.keys && copy.copy.digest() == copy.digest;
            self.outcome.wrong += u64::from(!same);
            copy.copy.check_invariants();
            self.of_core[at] = None;
        }
    }

    /// Cuts the cores that have none under way.
    fn begin(&mut self, shards: &mut [Shard]) {
        for (shard, copy) in shards.iter_mut().zip(&mut self.of_core) {
            let keyspace = &mut shard.core.keyspace;
            if copy.is_none() && keyspace.cut_state() == CutState::Complete {
                *copy = Some(Copy::begin(keyspace));
            }
        }
    }

    fn finish(&mut self, shards: &mut [Shard]) {
        for (at, shard) in shards.iter_mut().enumerate() {
            let all = CutBudget { visits: usize::MAX, bytes: usize::MAX };
            self.slice_of(&mut shard.core.keyspace, at, all);
        }
    }
}

/// Plays the walk of a seed with a cut under way most of the time.
fn wander(seed: u64, flaw: Option<Flaw>) -> Outcome {
    let ground = Ground::new(Scope::Keys, seed);
    let mut random = Random::new(seed);
    let mut walk = Walk::new(&ground);
    let of_core = walk.node.shards.iter().map(|_| None).collect();
    let cuts = Cuts { random: random.split(), of_core, outcome: Outcome::default() };
    let cuts = Rc::new(RefCell::new(cuts));
    let hook = cuts.clone();
    walk.node.before_turn = Some(Box::new(move |shard| hook.borrow_mut().slice(shard)));
    if let Some(flaw) = flaw {
        walk.node.shards.iter_mut().for_each(|shard| shard.core.keyspace.set_cut_flaw(flaw));
    }
    for _ in 0..STEPS {
        let step = walk.draw(Throw::random(&mut random));
        walk.perform(&step);
        if walk.is_settled() && random.below(3) == 0 {
            cuts.borrow_mut().begin(&mut walk.node.shards);
        }
    }
    walk.finish();
    cuts.borrow_mut().finish(&mut walk.node.shards);
    cuts.borrow().outcome
}

#[test]
fn a_cut_under_any_commands_is_what_the_core_held() {
    let first = number_from("FREEHOLD_SEED", 0);
    let walks = number_from("FREEHOLD_CUT_WALKS", WALKS);
    let mut sum = Outcome::default();
    for seed in first..first + walks {
        let outcome = wander(seed, None);
        assert_eq!(outcome.wrong, 0, "FREEHOLD_SEED={seed}: {outcome:?}");
        sum.complete += outcome.complete;
        sum.given_up += outcome.given_up;
        sum.keys += outcome.keys;
    }
    println!("{walks} walks of {STEPS} steps: {sum:?}");
    if walks >= WALKS {
        assert!(sum.complete > walks && sum.given_up > 0 && sum.keys > 5 * walks, "{sum:?}");
    }
}

/// A handler, or a verb of the keyspace, that changes a key and does not save it first.
#[test]
fn a_command_that_forgets_the_cut_is_noticed() {
    // The tables of a walk are too small for the one that is about tables.
    for flaw in Flaw::ALL.into_iter().filter(|flaw| *flaw != Flaw::SkipsMoved) {
        let noticed = (0..2_000).find(|&seed| wander(seed, Some(flaw)).wrong > 0);
        let seed = noticed.unwrap_or_else(|| panic!("nobody notices {flaw:?}"));
        println!("{flaw:?} is noticed by seed {seed}");
    }
}
