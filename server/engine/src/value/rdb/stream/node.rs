//! A listpack of stream entries. Ids are distances from the node's master id, and entries that
//! have the fields of the node's first one do not name them again.
//!
//! ```text
//! live entries · deleted entries · fields · name… · 0 · entry…
//! entry  flags (1 deleted, 2 the master's fields) · ms - master · seq - master
//!        · [fields · {name · value}…] or [value…] · number of elements before this one
//! ```

use super::super::listpack::{Draft, Listpack};
use super::super::packed::Packed;
use super::super::{Decoded, Malformed, Text};
use super::Id;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// Calls `visit` with the id and the framed fields of each entry that is not deleted.
pub(super) fn each(
    master: Id,
    listpack: &[u8],
    mut visit: impl FnMut(Id, &[u8]) -> Decoded<()>,
) -> Decoded<()> {
    let mut rest = Listpack::new(listpack)?;
    let (live, deleted) = (integer(&mut rest)?, integer(&mut rest)?);
    let names = (0..integer(&mut rest)?).map(|_| rest.expected()).collect::<Decoded<Vec<_>>>()?;
    if integer(&mut rest)? != 0 {
        return Err(Malformed);
    }
    let (mut live_seen, mut deleted_seen) = (0, 0);
    let mut fields = Vec::new();
    while let Some(flags) = rest.element()? {
        let flags = flags.integer()?;
        let ms = master.0.wrapping_add_signed(integer(&mut rest)?);
        let seq = master.1.wrapping_add_signed(integer(&mut rest)?);
        fields.clear();
        let elements = if flags & SAME_FIELDS != 0 {
            same_fields(&names, &mut rest, &mut fields)?
        } else {
            own_fields(&mut rest, &mut fields)?
        };
        if integer(&mut rest)? != elements || fields.is_empty() {
            return Err(Malformed);
        }
        if flags & DELETED != 0 {
            deleted_seen += 1;
        } else {
            live_seen += 1;
            visit((ms, seq), &fields)?;
        }
    }
    if (live_seen, deleted_seen) == (live, deleted) { Ok(()) } else { Err(Malformed) }
}

fn integer<'a>(rest: &mut impl Packed<'a>) -> Decoded<i64> {
    rest.expected()?.integer()
}

fn frame(text: &Text<'_>, fields: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    let bytes = text.bytes(&mut digits);
    fields.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    fields.extend_from_slice(bytes);
}

/// Returns how many elements the entry has, the number itself not counted.
fn same_fields<'a>(
    names: &[Text<'_>],
    rest: &mut impl Packed<'a>,
    fields: &mut Vec<u8>,
) -> Decoded<i64> {
    for name in names {
        frame(name, fields);
        frame(&rest.expected()?, fields);
    }
    Ok(3 + names.len() as i64)
}

fn own_fields<'a>(rest: &mut impl Packed<'a>, fields: &mut Vec<u8>) -> Decoded<i64> {
    let pairs = integer(rest)?;
    for _ in 0..pairs {
        frame(&rest.expected()?, fields);
        frame(&rest.expected()?, fields);
    }
    pairs.checked_mul(2).and_then(|elements| elements.checked_add(4)).ok_or(Malformed)
}

/// A node that is being written.
pub(super) struct NodeDraft {
    master: Id,
    /// The names of the first entry, framed.
    names: Vec<u8>,
    names_count: usize,
    head: Draft,
    entries: Draft,
    count: i64,
}

impl NodeDraft {
    /// A node whose first entry will be `master` and have `fields` (names and values in turn).
    pub(super) fn new(master: Id, fields: &[Text<'_>]) -> NodeDraft {
        let mut head = Draft::new();
        let names = names_of(fields);
        head.push_integer((fields.len() / 2) as i64);
        fields.iter().step_by(2).for_each(|name| head.push(name));
        head.push_integer(0);
        let names_count = fields.len() / 2;
        NodeDraft { master, names, names_count, head, entries: Draft::new(), count: 0 }
    }

    pub(super) fn push(&mut self, id: Id, fields: &[Text<'_>]) {
        let same = fields.len() / 2 == self.names_count && names_of(fields) == self.names;
        let entries = &mut self.entries;
        entries.push_integer(if same { SAME_FIELDS } else { 0 });
        entries.push_integer(id.0.wrapping_sub(self.master.0) as i64);
        entries.push_integer(id.1.wrapping_sub(self.master.1) as i64);
        let elements = if same {
            fields.iter().skip(1).step_by(2).for_each(|value| entries.push(value));
            3 + fields.len() / 2
        } else {
            entries.push_integer((fields.len() / 2) as i64);
            fields.iter().for_each(|text| entries.push(text));
            4 + fields.len()
        };
        entries.push_integer(elements as i64);
        self.count += 1;
    }

    /// Whether Redis would begin another node.
    pub(super) fn is_full(&self) -> bool {
        self.entries.bytes() >= 4096 || self.count >= 100
    }

    /// The master id as a key, and the listpack.
    pub(super) fn finish(self) -> ([u8; 16], Vec<u8>) {
        let mut whole = Draft::new();
        whole.push_integer(self.count);
        whole.push_integer(0);
        whole.append(&self.head);
        whole.append(&self.entries);
        let master = u128::from(self.master.0) << 64 | u128::from(self.master.1);
        (master.to_be_bytes(), whole.finish())
    }
}

fn names_of(fields: &[Text<'_>]) -> Vec<u8> {
    let mut names = Vec::new();
    fields.iter().step_by(2).for_each(|name| frame(name, &mut names));
    names
}
