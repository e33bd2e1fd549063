//! One answer of several, and one request into several.

use freehold_protocol::resp::reply::Reply;
use freehold_protocol::resp::value;

use super::plan::Positions;
use crate::command::request::OwnedRequest;
use crate::command::spec::{Combine, Find};
use crate::mesh::CoreId;
use crate::shard::parcel::Answer;

/// The part of a request that has only the keys at `positions`, with what belongs to each.
pub fn part_of(request: &OwnedRequest, positions: &[usize]) -> OwnedRequest {
    let args = request.args();
    let step = match request.command.spec.keys {
        [spec, ..] => match spec.find {
            Find::Range { step, .. } | Find::Counted { step, .. } => usize::from(step),
            Find::Halved { .. } | Find::After { .. } => 1,
            Find::LastOption { .. } | Find::Unknown => 1,
        },
        [] => 1,
    };
    let keys = positions.iter().flat_map(|&at| (at..at + step).filter_map(|i| args.try_get(i)));
    OwnedRequest::new(request.command, std::iter::once(args.name()).chain(keys))
}

/// The one reply of a split command, as RESP bytes. An error of any part is the reply.
pub fn combine(
    how: Combine,
    resp3: bool,
    places: &Positions,
    answers: Vec<(CoreId, Answer)>,
) -> Vec<u8> {
    let parts: Vec<(CoreId, Vec<u8>)> = answers
        .into_iter()
        .filter_map(|(core, answer)| match answer {
            Answer::Reply(bytes) => Some((core, bytes)),
            Answer::Partial(_) => None,
        })
        .collect();
    if let Some((_, error)) = parts.iter().find(|(_, bytes)| bytes.first() == Some(&b'-')) {
        return error.clone();
    }
    let mut out = Vec::new();
    match how {
        Combine::Ok => Reply::new(&mut out, resp3).ok(),
        Combine::Sum => {
            let sum = parts.iter().filter_map(|(_, bytes)| integer(bytes)).sum();
            Reply::new(&mut out, resp3).integer(sum);
        }
        Combine::Interleave => {
            let mut elements: Vec<(usize, &[u8])> = Vec::new();
            for (core, bytes) in &parts {
                let places = places.iter().find(|(other, _)| other == core);
                let positions = places.map_or(&[][..], |(_, positions)| &positions[..]);
                elements.extend(positions.iter().copied().zip(elements_of(bytes)));
            }
            elements.sort_by_key(|&(position, _)| position);
            Reply::new(&mut out, resp3).array(elements.len());
            elements.iter().for_each(|(_, element)| out.extend_from_slice(element));
        }
    }
    out
}

fn integer(reply: &[u8]) -> Option<i64> {
    crate::base::number::parse_i64(reply.strip_prefix(b":")?.strip_suffix(b"\r\n")?)
}

/// The elements of a flat RESP array, uncut.
fn elements_of(reply: &[u8]) -> impl Iterator<Item = &[u8]> {
    let header = reply.iter().position(|&byte| byte == b'\n').map_or(reply.len(), |at| at + 1);
    let mut rest = &reply[header..];
    std::iter::from_fn(move || {
        let (_, bytes) = value::skip(rest).ok().flatten()?;
        let (element, tail) = rest.split_at(bytes);
        rest = tail;
        Some(element)
    })
}
