//! Whole collections to and from their RDB forms: the types of this house on one side, forms and
//! elements on the other. Strings never come here, since they live in their entries.

use super::output::put_length;
use super::stream::{ConsumerDraft, GroupDraft, Read, StreamEncoder, StreamPart, put_group};
use super::{
    Decoded, Form, Input, Malformed, Text, decode_hash, decode_list, decode_set, decode_sorted_set,
    decode_stream, encode_hash, encode_list, encode_set, encode_sorted_set, footer,
};
use crate::value::list::{Elements, End};
use crate::value::stream::{self, Fields, Group, StreamEdit, StreamId};
use crate::value::{
    Collection, Hash, HashEdit, Kind, List, ListEdit, Rules, Set, SetEdit, SortedSet,
    SortedSetEdit, Stored, Stream, Value, ValueView, View,
};

/// Appends type byte and body of a collection; returns the RDB version a reader needs.
pub fn encode_value(value: ValueView<'_>, out: &mut Vec<u8>) -> u16 {
    let form = match value {
        ValueView::List(_) => Form::List,
        ValueView::Set(_) => Form::Set,
        ValueView::SortedSet(_) => Form::SortedSet,
        ValueView::Hash(hash) if hash.next_deadline().is_some() => Form::HashDeadlines,
        ValueView::Hash(_) => Form::Hash,
        ValueView::Stream(_) => Form::Stream2,
    };
    out.push(form as u8);
    let mut digits = itoa::Buffer::new();
    match value {
        ValueView::List(list) => {
            let mut put = encode_list(list.len(), out);
            list.iter().for_each(|element| put(element.text(&mut digits)));
        }
        ValueView::Set(set) => {
            let mut put = encode_set(set.len(), out);
            set.iter().for_each(|member| put(member.text(&mut digits)));
        }
        ValueView::SortedSet(sorted) => {
            let mut put = encode_sorted_set(sorted.len(), out);
            sorted.iter().for_each(|(member, score)| put(member, score));
        }
        ValueView::Hash(hash) => {
            let mut put = encode_hash(hash.len(), hash.next_deadline(), out);
            hash.iter().for_each(|entry| put(entry.field, entry.value, entry.deadline));
        }
        ValueView::Stream(stream) => put_stream(stream, form, out),
    }
    if form == Form::HashDeadlines { footer::VERSION_DEADLINES } else { footer::VERSION_PLAIN }
}

/// Reads the body of a collection in `form`.
///
/// # Errors
/// [`Malformed`], also for strings.
pub fn decode_value(form: Form, input: &mut Input<'_>, rules: &Rules) -> Decoded<Value> {
    match form.kind() {
        Kind::String => Err(Malformed),
        Kind::List => {
            let mut list = List::default();
            decode_list(form, input, &mut |element| {
                let elements = Elements::One(element);
                list.apply(ListEdit::Push { end: End::Right, elements }, rules);
            })?;
            Ok(list.into_value())
        }
        Kind::Set => {
            let mut set = Set::default();
            decode_set(form, input, &mut |member| set.apply(SetEdit::Add(member), rules))?;
            Ok(set.into_value())
        }
        Kind::SortedSet => {
            let mut sorted = SortedSet::default();
            decode_sorted_set(form, input, &mut |member, score| {
                let before = sorted.len();
                sorted.apply(SortedSetEdit::Set { member, score }, rules);
                sorted.len() > before
            })?;
            Ok(sorted.into_value())
        }
        Kind::Hash => {
            let mut hash = Hash::default();
            decode_hash(form, input, &mut |field, value, deadline| {
                let before = hash.len();
                hash.apply(HashEdit::Set { field, value, keep_deadline: false }, rules);
                if deadline.is_some() {
                    hash.apply(HashEdit::Deadline(field, deadline), rules);
                }
                hash.len() > before
            })?;
            Ok(hash.into_value())
        }
        Kind::Stream => {
            let mut stream = Stream::default();
            decode_stream(form, input, &mut |part| take_part(&mut stream, part, rules))?;
            Ok(stream.into_value())
        }
    }
}

/// What a value of any type is read as: strings live in their entries, collections beside them.
pub enum Content<'a> {
    Text(Text<'a>),
    Collection(Value),
}

/// Reads the body of a value of any type in `form`, which must be all there is.
///
/// # Errors
/// [`Malformed`].
pub fn decode_content<'a>(form: Form, mut input: Input<'a>, rules: &Rules) -> Decoded<Content<'a>> {
    let content = match form.kind() {
        Kind::String => Content::Text(input.text()?),
        _ => Content::Collection(decode_value(form, &mut input, rules)?),
    };
    input.finish()?;
    Ok(content)
}

fn id_of((ms, seq): super::Id) -> StreamId {
    StreamId::new(ms, seq)
}

fn raw(id: StreamId) -> super::Id {
    (id.ms, id.seq)
}

/// Adds what a stream is made of; whether it fits.
fn take_part(stream: &mut Stream, part: StreamPart<'_>, rules: &Rules) -> bool {
    use StreamEdit as E;
    match part {
        StreamPart::Entry { id, fields } => Fields::decode(fields)
            .is_some_and(|fields| stream.apply(E::Add { id: id_of(id), fields }, rules)),
        StreamPart::State { last, max_deleted, added } => {
            let (last, max_deleted) = (id_of(last), id_of(max_deleted));
            stream.apply(E::Set { last, added, max_deleted }, rules);
            true
        }
        StreamPart::Group { group, last, read } => {
            let last = id_of(last);
            let read = match read {
                Read::Known(read) => Some(read),
                Read::Unknown => None,
                Read::Derived => stream.distance_to(last),
            };
            stream.apply(E::CreateGroup { group, last, read }, rules)
        }
        StreamPart::Consumer { group, consumer, seen, active } => {
            let is_new = stream.apply(E::CreateConsumer { group, consumer, at: seen }, rules);
            if let Some(at) = active {
                stream.apply(E::See { group, consumer, at, active: true }, rules);
                stream.apply(E::See { group, consumer, at: seen, active: false }, rules);
            }
            is_new
        }
        StreamPart::Pending { group, consumer, id, at, deliveries } => {
            let id = id_of(id);
            stream.apply(E::Assign { group, consumer, id, at, deliveries }, rules)
        }
    }
}

fn put_stream(stream: &Stream, form: Form, out: &mut Vec<u8>) {
    let mut encoder = StreamEncoder::default();
    let mut fields = Vec::new();
    for entry in stream.range(StreamId::MIN, StreamId::MAX) {
        fields.clear();
        fields.extend(entry.fields().flat_map(|(name, value)| [name, value]).map(text_of));
        encoder.entry(raw(entry.id), &fields);
    }
    let (last, max_deleted) = (raw(stream.last_id()), raw(stream.max_deleted_id()));
    encoder.finish(last, max_deleted, stream.entries_added(), out);
    put_length(stream.groups().len() as u64, out);
    stream.groups().for_each(|group| put_group(form, &draft_of(group), out));
}

fn text_of(element: stream::Element<'_>) -> Text<'_> {
    match element {
        stream::Element::Text(text) => Text::Slice(text),
        stream::Element::Integer(number) => Text::Integer(number),
    }
}

fn draft_of(group: &Group) -> GroupDraft<'_> {
    let pending = group.pending_from(StreamId::MIN);
    let consumers = group.consumers().map(|consumer| ConsumerDraft {
        name: consumer.name(),
        seen: consumer.seen_at(),
        active: consumer.active_at(),
        pending: consumer.pending_from(StreamId::MIN).map(raw).collect(),
    });
    GroupDraft {
        name: group.name(),
        last: raw(group.last_id()),
        read: group.entries_read(),
        pending: pending.map(|p| (raw(p.id), p.delivered_at, p.deliveries)).collect(),
        consumers: consumers.collect(),
    }
}

#[cfg(test)]
mod tests;
