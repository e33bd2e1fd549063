//! Makes a failing chapter as short as it gets in reasonable time: cut behind the difference,
//! then leave out ever smaller runs of turns as long as the same request still differs.

use std::time::{Duration, Instant};

use crate::play::{Difference, Pair};
use crate::step::Turn;

const TIME_MAX: Duration = Duration::from_secs(20);

/// The shortest failing turns found, and how they fail. Gives back the whole beginning when the
/// difference does not repeat.
pub fn shorten(pair: &mut Pair, turns: &[Turn], first: &Difference) -> (Vec<Turn>, Difference) {
    let deadline = Instant::now() + TIME_MAX;
    let mut kept = turns[..end(turns, first)].to_vec();
    let mut difference = first.clone();
    // One request at a time is easier to read; the pipeline is kept only if it is needed.
    let single: Vec<Turn> = kept.iter().map(|turn| Turn { sends: true, ..turn.clone() }).collect();
    if let Some(found) = fails(pair, &single, first) {
        kept = single[..end(&single, &found)].to_vec();
        difference = found;
    }
    let mut run = kept.len() / 2;
    while run > 0 && Instant::now() < deadline {
        let mut start = 0;
        let mut shorter = false;
        while start < kept.len() && Instant::now() < deadline {
            let mut candidate = kept.clone();
            candidate.drain(start..(start + run).min(kept.len()));
            match fails(pair, &candidate, first) {
                Some(found) => {
                    kept = candidate;
                    kept.truncate(end(&kept, &found));
                    difference = found;
                    shorter = true;
                }
                None => start += run,
            }
        }
        run = if run == 1 && shorter { 1 } else { run / 2 };
    }
    (kept, difference)
}

/// How many turns explain a difference: those up to it; when a reply is missing, also the rest of
/// its pipeline, since the request that took the connection down may stand behind.
fn end(turns: &[Turn], difference: &Difference) -> usize {
    let at = difference.at.min(turns.len() - 1);
    let rest = &turns[at..];
    match lost(difference) {
        true => at + 1 + rest.iter().position(|turn| turn.sends).unwrap_or(rest.len() - 1),
        false => at + 1,
    }
}

fn lost(difference: &Difference) -> bool {
    difference.subject.starts_with("no reply")
}

/// The difference of these turns, when it is about the same request, or again a lost connection:
/// which reply of a pipeline is the first to be missing is chance.
fn fails(pair: &mut Pair, turns: &[Turn], like: &Difference) -> Option<Difference> {
    let found = pair.play(turns).err()?;
    let alike = found.request == like.request || (lost(&found) && lost(like));
    (alike && !turns.is_empty()).then_some(found)
}
