//! What can happen to a stream, in final form: every id, time and count is settled, so that a
//! replica or a log comes to the same stream whatever its clock says.
//!
//! ```text
//! edit    kind u8 · its parts in the order of the fields below · fields to the end
//! parts   id 16 bytes (ms, seq) · number 8 bytes · optional number u8 (0, 1) · [8 bytes]
//!         · name length u32 · bytes                                    all little-endian
//! ```

use super::fields::Fields;
use super::id::StreamId;

/// One change.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum StreamEdit<'e> {
    /// Adds an entry; its id is above the last one.
    Add {
        id: StreamId,
        fields: Fields<'e>,
    },
    Delete {
        id: StreamId,
    },
    /// Removes from the front until so many are left.
    Trim {
        keep: u64,
    },
    /// XSETID.
    Set {
        last: StreamId,
        added: u64,
        max_deleted: StreamId,
    },
    CreateGroup {
        group: &'e [u8],
        last: StreamId,
        read: Option<u64>,
    },
    DestroyGroup {
        group: &'e [u8],
    },
    SetGroup {
        group: &'e [u8],
        last: StreamId,
        read: Option<u64>,
    },
    CreateConsumer {
        group: &'e [u8],
        consumer: &'e [u8],
        at: i64,
    },
    /// What it has pending goes with it.
    DeleteConsumer {
        group: &'e [u8],
        consumer: &'e [u8],
    },
    /// A consumer asked for entries; `active`: and got some.
    See {
        group: &'e [u8],
        consumer: &'e [u8],
        at: i64,
        active: bool,
    },
    /// All entries behind the group's last id up to and with `to` were delivered for the first
    /// time, and are pending.
    Deliver {
        group: &'e [u8],
        consumer: &'e [u8],
        to: StreamId,
        at: i64,
        read: Option<u64>,
    },
    /// The entry is pending with this consumer now: a claim, or one more delivery.
    Assign {
        group: &'e [u8],
        consumer: &'e [u8],
        id: StreamId,
        at: i64,
        deliveries: u64,
    },
    /// The entry is not pending any more.
    Acknowledge {
        group: &'e [u8],
        id: StreamId,
    },
}

impl<'e> StreamEdit<'e> {
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        use StreamEdit as E;
        match self {
            E::Add { id, fields } => {
                let out = put(0, out).id(id).0;
                fields.encode(out);
                Out(out)
            }
            E::Delete { id } => put(1, out).id(id),
            E::Trim { keep } => put(2, out).number(keep),
            E::Set { last, added, max_deleted } => {
                put(3, out).id(last).number(added).id(max_deleted)
            }
            E::CreateGroup { group, last, read } => put(4, out).name(group).id(last).optional(read),
            E::DestroyGroup { group } => put(5, out).name(group),
            E::SetGroup { group, last, read } => put(6, out).name(group).id(last).optional(read),
            E::CreateConsumer { group, consumer, at } => {
                put(7, out).name(group).name(consumer).number(at as u64)
            }
            E::DeleteConsumer { group, consumer } => put(8, out).name(group).name(consumer),
            E::See { group, consumer, at, active } => {
                put(9, out).name(group).name(consumer).number(at as u64).number(active.into())
            }
            E::Deliver { group, consumer, to, at, read } => {
                let out = put(10, out).name(group).name(consumer);
                out.id(to).number(at as u64).optional(read)
            }
            E::Assign { group, consumer, id, at, deliveries } => {
                let out = put(11, out).name(group).name(consumer);
                out.id(id).number(at as u64).number(deliveries)
            }
            E::Acknowledge { group, id } => put(12, out).name(group).id(id),
        };
    }

    pub(super) fn decode(bytes: &'e [u8]) -> Option<StreamEdit<'e>> {
        use StreamEdit as E;
        let (&kind, rest) = bytes.split_first()?;
        let mut from = Parts(rest);
        let edit = match kind {
            0 => {
                let id = from.id()?;
                return Some(E::Add { id, fields: Fields::decode(from.0)? });
            }
            1 => E::Delete { id: from.id()? },
            2 => E::Trim { keep: from.number()? },
            3 => E::Set { last: from.id()?, added: from.number()?, max_deleted: from.id()? },
            4 => E::CreateGroup { group: from.name()?, last: from.id()?, read: from.optional()? },
            5 => E::DestroyGroup { group: from.name()? },
            6 => E::SetGroup { group: from.name()?, last: from.id()?, read: from.optional()? },
            7 => {
                E::CreateConsumer { group: from.name()?, consumer: from.name()?, at: from.time()? }
            }
            8 => E::DeleteConsumer { group: from.name()?, consumer: from.name()? },
            9 => E::See {
                group: from.name()?,
                consumer: from.name()?,
                at: from.time()?,
                active: from.number()? != 0,
            },
            10 => E::Deliver {
                group: from.name()?,
                consumer: from.name()?,
                to: from.id()?,
                at: from.time()?,
                read: from.optional()?,
            },
            11 => E::Assign {
                group: from.name()?,
                consumer: from.name()?,
                id: from.id()?,
                at: from.time()?,
                deliveries: from.number()?,
            },
            12 => E::Acknowledge { group: from.name()?, id: from.id()? },
            _ => return None,
        };
        from.0.is_empty().then_some(edit)
    }
}

struct Out<'o>(&'o mut Vec<u8>);

fn put(kind: u8, out: &mut Vec<u8>) -> Out<'_> {
    out.push(kind);
    Out(out)
}

impl Out<'_> {
    fn id(self, id: StreamId) -> Self {
        self.0.extend_from_slice(&id.to_bytes());
        self
    }

    fn number(self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn optional(self, number: Option<u64>) -> Self {
        self.0.push(u8::from(number.is_some()));
        match number {
            Some(number) => self.number(number),
            None => self,
        }
    }

    fn name(self, name: &[u8]) -> Self {
        self.0.extend_from_slice(&(name.len() as u32).to_le_bytes());
        self.0.extend_from_slice(name);
        self
    }
}

struct Parts<'e>(&'e [u8]);

impl<'e> Parts<'e> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn id(&mut self) -> Option<StreamId> {
        self.take().map(StreamId::from_bytes)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn time(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    fn optional(&mut self) -> Option<Option<u64>> {
        match self.take()? {
            [0] => Some(None),
            [1] => self.number().map(Some),
            _ => None,
        }
    }

    fn name(&mut self) -> Option<&'e [u8]> {
        let length = u32::from_le_bytes(self.take()?) as usize;
        let (name, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(name)
    }
}
