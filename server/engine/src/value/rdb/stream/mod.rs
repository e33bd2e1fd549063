//! Streams: listpacks of entries, then what the stream remembers, then its groups.
//!
//! ```text
//! nodes · node… · entries · last id · [first id · highest deleted id · entries ever added]
//! · groups · group…                      numbers are lengths; an id is two of them
//! node      string of 16 bytes: master id, big-endian · string: listpack (see `node`)
//! group     name · last id · [entries read] · pending · {id · delivered at · deliveries}…
//!           · consumers · consumer…
//! consumer  name · seen at · [active at] · pending · id…
//! ```
//! Here ids have 16 bytes and times eight. What stands in brackets came with the second and, for
//! the activity of consumers, with the third form.

mod encode;
mod node;

pub use encode::{ConsumerDraft, GroupDraft, StreamEncoder, put_group};

use super::{Decoded, Form, Input, Malformed, Text};

/// Milliseconds and sequence number.
pub type Id = (u64, u64);

/// What a stream is made of, in the order in which it can be built.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum StreamPart<'p> {
    /// Ids ascend. `fields` holds names and values in turn, each behind its length (u32,
    /// little-endian): at least one pair.
    Entry {
        id: Id,
        fields: &'p [u8],
    },
    /// `last` is at least the id of the last entry, and of `max_deleted`; `added` at least the
    /// number of entries.
    State {
        last: Id,
        max_deleted: Id,
        added: u64,
    },
    /// `read` is `None` when it is not known; [`Read::Derived`] when it is to be found out.
    Group {
        group: &'p [u8],
        last: Id,
        read: Read,
    },
    Consumer {
        group: &'p [u8],
        consumer: &'p [u8],
        seen: i64,
        active: Option<i64>,
    },
    /// Each id once in a group.
    Pending {
        group: &'p [u8],
        consumer: &'p [u8],
        id: Id,
        at: i64,
        deliveries: u64,
    },
}

/// How many entries a group has read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Read {
    Known(u64),
    Unknown,
    /// The form is too old to say; it follows from the group's last id.
    Derived,
}

/// Where the parts go; whether the part is acceptable: groups and consumers have to be new.
type Take<'t> = &'t mut dyn FnMut(StreamPart<'_>) -> bool;

/// Calls `take` with each part.
///
/// # Errors
/// [`Malformed`], also when `take` refuses.
pub fn decode_stream(form: Form, input: &mut Input<'_>, take: Take<'_>) -> Decoded<()> {
    if !matches!(form, Form::Stream1 | Form::Stream2 | Form::Stream3) {
        return Err(Malformed);
    }
    let mut take = |part: StreamPart<'_>| if take(part) { Ok(()) } else { Err(Malformed) };
    let (mut entries, mut newest) = (0, None);
    for _ in 0..input.length()? {
        let master = master_id(&input.text()?)?;
        let listpack = input.blob()?;
        node::each(master, &listpack, |id, fields| {
            if newest.is_some_and(|newest| newest >= id) {
                return Err(Malformed);
            }
            newest = Some(id);
            entries += 1;
            take(StreamPart::Entry { id, fields })
        })?;
    }
    let declared = input.length()?;
    let last = id(input)?;
    let (max_deleted, added) = if form == Form::Stream1 {
        ((0, 0), entries)
    } else {
        id(input)?; // of the first entry, which we have seen
        (id(input)?, input.length()?)
    };
    let in_order = last >= newest.unwrap_or((0, 0)) && last >= max_deleted;
    if declared != entries || added < entries || !in_order {
        return Err(Malformed);
    }
    take(StreamPart::State { last, max_deleted, added })?;
    for _ in 0..input.length()? {
        group(form, input, &mut take)?;
    }
    Ok(())
}

fn master_id(key: &Text<'_>) -> Decoded<Id> {
    let bytes = key.bytes(&mut itoa::Buffer::new()).try_into().map_err(|_| Malformed)?;
    Ok(raw_id(bytes))
}

fn raw_id(bytes: [u8; 16]) -> Id {
    let whole = u128::from_be_bytes(bytes);
    ((whole >> 64) as u64, whole as u64)
}

fn id(input: &mut Input<'_>) -> Decoded<Id> {
    Ok((input.length()?, input.length()?))
}

/// An entry that was delivered and not acknowledged.
struct Delivery {
    id: Id,
    at: i64,
    count: u64,
    owned: bool,
}

fn group(
    form: Form,
    input: &mut Input<'_>,
    take: &mut impl FnMut(StreamPart<'_>) -> Decoded<()>,
) -> Decoded<()> {
    let name = input.text()?;
    let mut digits = itoa::Buffer::new();
    let group = name.bytes(&mut digits);
    let last = id(input)?;
    let read = match form {
        Form::Stream1 => Read::Derived,
        _ => match input.length()? {
            u64::MAX => Read::Unknown,
            read => Read::Known(read),
        },
    };
    take(StreamPart::Group { group, last, read })?;
    let mut deliveries: Vec<Delivery> = Vec::new();
    for _ in 0..input.length()? {
        let id = raw_id(input.array::<16>()?);
        if deliveries.last().is_some_and(|before| before.id >= id) {
            return Err(Malformed);
        }
        let (at, count) = (input.millis()?, input.length()?);
        deliveries.push(Delivery { id, at, count, owned: false });
    }
    for _ in 0..input.length()? {
        consumer(form, group, &mut deliveries, input, take)?;
    }
    if deliveries.iter().all(|delivery| delivery.owned) { Ok(()) } else { Err(Malformed) }
}

fn consumer(
    form: Form,
    group: &[u8],
    deliveries: &mut [Delivery],
    input: &mut Input<'_>,
    take: &mut impl FnMut(StreamPart<'_>) -> Decoded<()>,
) -> Decoded<()> {
    let name = input.text()?;
    let mut digits = itoa::Buffer::new();
    let consumer = name.bytes(&mut digits);
    let seen = input.millis()?;
    let active = if form == Form::Stream3 { input.millis()? } else { seen };
    let active = (active >= 0).then_some(active);
    take(StreamPart::Consumer { group, consumer, seen, active })?;
    for _ in 0..input.length()? {
        let id = raw_id(input.array::<16>()?);
        let place = deliveries.binary_search_by_key(&id, |delivery| delivery.id);
        let delivery = place.ok().and_then(|at| deliveries.get_mut(at));
        let delivery = delivery.filter(|delivery| !delivery.owned).ok_or(Malformed)?;
        delivery.owned = true;
        let (at, deliveries) = (delivery.at, delivery.count);
        take(StreamPart::Pending { group, consumer, id, at, deliveries })?;
    }
    Ok(())
}
