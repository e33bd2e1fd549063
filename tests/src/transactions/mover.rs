//! Single commands over several cores: MSET of twins that are always equal, RENAME of a treasure
//! that is always in one place, and clients that look for the moment in between.

use std::sync::atomic::Ordering;

use freehold_protocol::resp::value::Value;

use super::session::{Session, Trouble, array, number, numbers};
use super::stage::Stage;
use crate::random::Random;

const TWINS: usize = 8;
const PLACES: usize = 4;

/// Something that no order of whole commands explains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sight {
    HalfAnMset {
        seen: Vec<u64>,
    },
    /// Older than an MSET that had been acknowledged before the question was sent.
    OldMset {
        acknowledged: u64,
        seen: u64,
    },
    /// The treasure is in so many places.
    Places {
        count: u64,
    },
}

#[derive(Default)]
pub struct Sightings {
    pub count: u64,
    pub wrong: Vec<Sight>,
}

impl Sightings {
    pub fn add(&mut self, mut other: Sightings) {
        self.count += other.count;
        self.wrong.append(&mut other.wrong);
    }
}

fn twin(index: usize) -> String {
    format!("twin:{index}")
}

fn place(index: usize) -> String {
    format!("place:{index}")
}

fn words(name: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(names).collect()
}

/// Gives all twins the next number, again and again.
pub fn set_twins(stage: &Stage) -> Result<(), Trouble> {
    let mut session = Session::open(stage)?;
    let mut next = stage.twins_set.load(Ordering::Relaxed);
    while !stage.is_over() {
        next += 1;
        let pairs = (0..TWINS).flat_map(|index| [twin(index), next.to_string()]);
        session.queue(&words("MSET", pairs));
        session.status("OK")?;
        stage.twins_set.store(next, Ordering::Release);
    }
    Ok(())
}

/// Carries the treasure from place to place.
pub fn move_treasure(stage: &Stage, seed: u64) -> Result<(), Trouble> {
    let (mut session, mut random) = (Session::open(stage)?, Random::new(seed));
    let there = array(session.call(&words("MGET", (0..PLACES).map(place)))?)?;
    let mut from = there
        .iter()
        .position(|value| *value != Value::Null)
        .ok_or("the treasure is nowhere, before anybody moved it in this round")?;
    while !stage.is_over() {
        let to = random.below(PLACES);
        session.queue(&["RENAME", &place(from), &place(to)]);
        session.status("OK")?;
        from = to;
    }
    Ok(())
}

/// What must be there before anybody looks.
pub fn opening_request() -> Vec<String> {
    let twins = (0..TWINS).flat_map(|index| [twin(index), "0".to_owned()]);
    words("MSET", twins.chain([place(0), "treasure".to_owned()]))
}

/// Looks at both, alone and in transactions.
pub fn look(stage: &Stage, seed: u64) -> Result<Sightings, Trouble> {
    let (mut session, mut random) = (Session::open(stage)?, Random::new(seed));
    let mut sightings = Sightings::default();
    let twins = words("MGET", (0..TWINS).map(twin));
    let places = words("EXISTS", (0..PLACES).map(place));
    while !stage.is_over() {
        let acknowledged = stage.twins_set.load(Ordering::Acquire);
        let in_transaction = random.percent(50);
        if in_transaction {
            session.queue(&["MULTI"]);
        }
        session.queue(&twins);
        session.queue(&places);
        let replies = match in_transaction {
            true => {
                session.queue(&["EXEC"]);
                session.transaction(2)?.ok_or("EXEC refused a reading")?
            }
            false => vec![session.read()?, session.read()?],
        };
        let [seen, count] = <[Value; 2]>::try_from(replies).map_err(|_| "two replies were due")?;
        sightings.count += 2;
        sightings.wrong.extend(judge_twins(seen, acknowledged)?);
        let count: u64 = number(&count)?;
        if count != 1 {
            sightings.wrong.push(Sight::Places { count });
        }
    }
    Ok(sightings)
}

fn judge_twins(seen: Value, acknowledged: u64) -> Result<Option<Sight>, Trouble> {
    let seen: Vec<u64> = numbers(seen)?;
    if seen.iter().any(|value| *value != seen[0]) {
        return Ok(Some(Sight::HalfAnMset { seen }));
    }
    let old = Sight::OldMset { acknowledged, seen: seen[0] };
    Ok((seen[0] < acknowledged).then_some(old))
}
