//! Elements as places: GEOADD, GEOPOS, GEOHASH, GEODIST, and how requests and answers spell
//! coordinates, units and distances.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::grid::Place;
use crate::base::number::parse_f64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, SortedSet, SortedSetEdit};

const UNKNOWN_UNIT: CommandError =
    CommandError::Said("ERR unsupported unit provided. please use M, KM, FT, MI");

/// Reads coordinates.
///
/// # Errors
/// Not numbers, or a place the grid does not have.
pub(super) fn read(longitude: &[u8], latitude: &[u8]) -> Result<Place, CommandError> {
    let degrees = |text| parse_f64(text).ok_or(CommandError::NotAFloat);
    let place = Place { longitude: degrees(longitude)?, latitude: degrees(latitude)? };
    if place.is_valid() {
        return Ok(place);
    }
    let Place { longitude, latitude } = place;
    let line = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
    Err(CommandError::SaidOf(line))
}

/// Metres of a unit.
///
/// # Errors
/// There is no such unit.
pub(super) fn unit_m(name: &[u8]) -> Result<f64, CommandError> {
    match name.to_ascii_lowercase().as_slice() {
        b"m" => Ok(1.0),
        b"km" => Ok(1000.0),
        b"ft" => Ok(0.3048),
        b"mi" => Ok(1609.34),
        _ => Err(UNKNOWN_UNIT),
    }
}

/// A distance with the four decimals that make sense.
pub(super) fn distance_text(distance: f64) -> String {
    format!("{distance:.4}")
}

/// A coordinate with 17 decimals, less the zeros at its end: a double in RESP3.
pub(super) fn write_coordinate(degrees: f64, reply: &mut Reply<'_>) {
    let text = format!("{degrees:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let text = if text == "-0" { "0" } else { text };
    if reply.resp3 {
        reply.out.push(b',');
        reply.out.extend_from_slice(text.as_bytes());
        reply.out.extend_from_slice(b"\r\n");
    } else {
        reply.text(text);
    }
}

pub(super) fn geoadd(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (mut only_new, mut only_present, mut count_changed) = (false, false, false);
    let mut at = 2;
    while let Some(word) = args.try_get(at) {
        match word.to_ascii_lowercase().as_slice() {
            b"nx" => only_new = true,
            b"xx" => only_present = true,
            b"ch" => count_changed = true,
            _ => break,
        }
        at += 1;
    }
    let triples = args.tail(at);
    if triples.is_empty() || !triples.len().is_multiple_of(3) || (only_new && only_present) {
        return Err(CommandError::Syntax);
    }
    let positions = (0..triples.len()).step_by(3);
    let places: Result<Vec<Place>, CommandError> =
        positions.clone().map(|at| read(triples.get(at), triples.get(at + 1))).collect();
    let places = places?;

    let mut set = cx.edit_or_new::<SortedSet>(args.get(1))?;
    let (before, mut changed) = (set.len(), 0);
    for (at, place) in positions.zip(places) {
        let member = triples.get(at + 2);
        if (only_new || only_present) && set.score(member).is_some() == only_new {
            continue;
        }
        changed += usize::from(set.edit(SortedSetEdit::Set { member, score: place.score() }));
    }
    if changed > 0 {
        set.notify(NotifyClasses::SORTED_SET, "zadd");
    }
    let added = set.len() - before;
    reply.integer(if count_changed { changed } else { added } as i64);
    Ok(())
}

pub(super) fn geopos(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    reply.array(args.len() - 2);
    for member in args.tail(2).iter() {
        match set.and_then(|set| set.score(member)).map(Place::of_score) {
            Some(place) => {
                reply.array(2);
                write_coordinate(place.longitude, reply);
                write_coordinate(place.latitude, reply);
            }
            None => reply.null_array(),
        }
    }
    Ok(())
}

pub(super) fn geohash(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    reply.array(args.len() - 2);
    for member in args.tail(2).iter() {
        match set.and_then(|set| set.score(member)).map(Place::of_score) {
            Some(place) => reply.bulk(&place.name()),
            None => reply.null(),
        }
    }
    Ok(())
}

pub(super) fn geodist(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let unit_m = match args.try_get(4) {
        None => 1.0,
        Some(unit) if args.len() == 5 => unit_m(unit)?,
        Some(_) => return Err(CommandError::Syntax),
    };
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    let place = |at| set.and_then(|set| set.score(args.get(at))).map(Place::of_score);
    match place(2).zip(place(3)) {
        Some((from, to)) => reply.text(&distance_text(from.distance_m(to) / unit_m)),
        None => reply.null(),
    }
    Ok(())
}
