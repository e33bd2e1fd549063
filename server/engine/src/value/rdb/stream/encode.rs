//! Writing a stream: entries one by one, then what it remembers, then group by group. Either in
//! the form of Redis 7.0 or in that of 7.2, which also knows when a consumer was last active.

use super::super::output::{put_bytes, put_length, put_text};
use super::super::{Form, Text};
use super::Id;
use super::node::NodeDraft;

/// A stream on its way out.
#[derive(Default)]
pub struct StreamEncoder {
    nodes: Vec<u8>,
    node_count: u64,
    node: Option<NodeDraft>,
    entries: u64,
    first: Id,
}

/// A consumer and the ids of what it has pending, ascending.
pub struct ConsumerDraft<'c> {
    pub name: &'c [u8],
    pub seen: i64,
    pub active: Option<i64>,
    pub pending: Vec<Id>,
}

/// A group; `pending` holds ids, ascending, with time and number of deliveries.
pub struct GroupDraft<'g> {
    pub name: &'g [u8],
    pub last: Id,
    pub read: Option<u64>,
    pub pending: Vec<(Id, i64, u64)>,
    pub consumers: Vec<ConsumerDraft<'g>>,
}

impl StreamEncoder {
    /// Adds an entry; ids ascend, `fields` holds names and values in turn.
    pub fn entry(&mut self, id: Id, fields: &[Text<'_>]) {
        if self.node.as_ref().is_some_and(NodeDraft::is_full) {
            self.close_node();
        }
        if self.entries == 0 {
            self.first = id;
        }
        self.entries += 1;
        self.node.get_or_insert_with(|| NodeDraft::new(id, fields)).push(id, fields);
    }

    fn close_node(&mut self) {
        let Some(node) = self.node.take() else { return };
        let (key, listpack) = node.finish();
        put_bytes(&key, &mut self.nodes);
        put_bytes(&listpack, &mut self.nodes);
        self.node_count += 1;
    }

    /// Appends all that stands in front of the groups and of their number.
    pub fn finish(mut self, last: Id, max_deleted: Id, added: u64, out: &mut Vec<u8>) {
        self.close_node();
        put_length(self.node_count, out);
        out.extend_from_slice(&self.nodes);
        put_length(self.entries, out);
        [last, self.first, max_deleted].into_iter().for_each(|id| put_id(id, out));
        put_length(added, out);
    }
}

/// Appends a group of a stream in `form`.
pub fn put_group(form: Form, group: &GroupDraft<'_>, out: &mut Vec<u8>) {
    put_text(group.name, out);
    put_id(group.last, out);
    put_length(group.read.unwrap_or(u64::MAX), out);
    put_length(group.pending.len() as u64, out);
    for &(id, at, deliveries) in &group.pending {
        put_raw_id(id, out);
        out.extend_from_slice(&at.to_le_bytes());
        put_length(deliveries, out);
    }
    put_length(group.consumers.len() as u64, out);
    for consumer in &group.consumers {
        put_text(consumer.name, out);
        out.extend_from_slice(&consumer.seen.to_le_bytes());
        if form == Form::Stream3 {
            out.extend_from_slice(&consumer.active.unwrap_or(-1).to_le_bytes());
        }
        put_length(consumer.pending.len() as u64, out);
        consumer.pending.iter().for_each(|&id| put_raw_id(id, out));
    }
}

fn put_id(id: Id, out: &mut Vec<u8>) {
    put_length(id.0, out);
    put_length(id.1, out);
}

fn put_raw_id(id: Id, out: &mut Vec<u8>) {
    out.extend_from_slice(&id.0.to_be_bytes());
    out.extend_from_slice(&id.1.to_be_bytes());
}
