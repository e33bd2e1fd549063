//! Reads all accounts at one instant, in every way a client can ask for that.

use super::session::{Session, Trouble, number, numbers};
use super::stage::{ACCOUNTS, Stage};
use crate::random::Random;

/// Readings of a pipeline.
const PIPELINE_MAX: usize = 4;

#[derive(Clone, Copy)]
enum Form {
    /// One MGET.
    One,
    /// A transaction of GETs.
    Gets,
    /// A transaction of two MGETs.
    Halves,
}

/// The balances of every reading of the round.
pub fn read(stage: &Stage, seed: u64) -> Result<Vec<Vec<i64>>, Trouble> {
    let (mut session, mut random) = (Session::open(stage)?, Random::new(seed));
    let mut readings = Vec::new();
    loop {
        let forms: Vec<Form> = (0..1 + random.below(PIPELINE_MAX))
            .map(|_| *random.pick(&[Form::One, Form::Gets, Form::Halves]))
            .collect();
        for form in &forms {
            // Each begins with another account, so that cores are asked in every order.
            let turn = random.below(ACCOUNTS);
            queue(&mut session, *form, stage, turn);
        }
        for form in forms {
            readings.push(hear(&mut session, form)?);
        }
        if stage.is_over() {
            return Ok(readings);
        }
    }
}

fn queue(session: &mut Session, form: Form, stage: &Stage, turn: usize) {
    let mut names: Vec<&str> = stage.accounts.iter().map(String::as_str).collect();
    names.rotate_left(turn);
    match form {
        Form::One => session.queue(&mget(&names)),
        Form::Gets => {
            session.queue(&["MULTI"]);
            names.iter().for_each(|name| session.queue(&["GET", name]));
            session.queue(&["EXEC"]);
        }
        Form::Halves => {
            session.queue(&["MULTI"]);
            let (one, other) = names.split_at(ACCOUNTS / 2);
            session.queue(&mget(one));
            session.queue(&mget(other));
            session.queue(&["EXEC"]);
        }
    }
}

fn mget<'a>(names: &[&'a str]) -> Vec<&'a str> {
    [&["MGET"], names].concat()
}

fn hear(session: &mut Session, form: Form) -> Result<Vec<i64>, Trouble> {
    let refused = || "EXEC refused a reading".to_owned();
    match form {
        Form::One => numbers(session.read()?),
        Form::Gets => {
            let replies = session.transaction(ACCOUNTS)?.ok_or_else(refused)?;
            replies.iter().map(number).collect()
        }
        Form::Halves => {
            let replies = session.transaction(2)?.ok_or_else(refused)?;
            let halves: Result<Vec<Vec<i64>>, Trouble> = replies.into_iter().map(numbers).collect();
            Ok(halves?.concat())
        }
    }
}
