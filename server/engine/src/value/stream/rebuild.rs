//! A stream told as the edits that make it: what a copy, a snapshot and the digest are made of.

use xxhash_rust::xxh3::Xxh3;

use super::block::Entry;
use super::edit::StreamEdit;
use super::fields::Fields;
use super::group::Group;
use super::id::StreamId;
use super::{Collection, Stream};

impl Stream {
    /// [`Collection::for_each_edit`]. The same content gives the same edits, whatever its layout
    /// and history, so their hash is the content's.
    pub(super) fn visit_edits(&self, visit: &mut dyn FnMut(StreamEdit<'_>)) {
        let (mut framed, mut digits) = (Vec::new(), itoa::Buffer::new());
        for entry in self.range(StreamId::MIN, StreamId::MAX) {
            framed.clear();
            frame(&entry, &mut digits, &mut framed);
            if let Some(fields) = Fields::decode(&framed) {
                visit(StreamEdit::Add { id: entry.id, fields });
            }
        }
        visit(StreamEdit::Set {
            last: self.last_id(),
            added: self.entries_added(),
            max_deleted: self.max_deleted_id(),
        });
        self.groups().for_each(|group| edits_of(group, visit));
    }

    pub(super) fn hash_edits(&self) -> u64 {
        let (mut hash, mut bytes) = (Xxh3::new(), Vec::new());
        self.visit_edits(&mut |edit| {
            bytes.clear();
            Stream::encode_edit(edit, &mut bytes);
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(&bytes);
        });
        hash.digest()
    }
}

fn frame(entry: &Entry<'_>, digits: &mut itoa::Buffer, framed: &mut Vec<u8>) {
    for (name, value) in entry.fields() {
        Fields::frame(name.text(digits), framed);
        Fields::frame(value.text(digits), framed);
    }
}

fn edits_of(group: &Group, visit: &mut dyn FnMut(StreamEdit<'_>)) {
    let name = group.name();
    let (last, read) = (group.last_id(), group.entries_read());
    visit(StreamEdit::CreateGroup { group: name, last, read });
    for consumer in group.consumers() {
        let (group, at) = (name, consumer.seen_at());
        let consumer_name = consumer.name();
        visit(StreamEdit::CreateConsumer { group, consumer: consumer_name, at });
        if let Some(active_at) = consumer.active_at() {
            let at = active_at;
            visit(StreamEdit::See { group, consumer: consumer_name, at, active: true });
            let at = consumer.seen_at();
            visit(StreamEdit::See { group, consumer: consumer_name, at, active: false });
        }
    }
    for pending in group.pending_from(StreamId::MIN) {
        visit(StreamEdit::Assign {
            group: name,
            consumer: group.owner(pending).name(),
            id: pending.id,
            at: pending.delivered_at,
            deliveries: pending.deliveries,
        });
    }
}
