//! Replies that outgrow what their connection's core expects. A core lets a connection have many
//! replies under way while they are short; a client can earn that with short ones and then ask for
//! long ones. The owner of the keys is the first to see it. Once the unexpected replies to one
//! connection add up to a bound, it leaves the rest of that connection's requests unrun: they go
//! back, and come again, in their order, when there is room.

use std::collections::BTreeMap;

use super::limits::{FORWARDED_BYTES_MAX, LONG_REPLY_BYTES};
use super::parcel::Item;
use crate::command::session::SessionId;
use crate::mesh::CoreId;

/// A reply is unexpected from so many times the expected length on.
const UNEXPECTED_TIMES: usize = 4;

/// A connection that has been sent unexpectedly long replies.
struct Flood {
    client_id: u64,
    /// Of unexpected replies, since the connection's core last knew better.
    bytes: usize,
    /// The longest of them.
    longest: usize,
    /// The first request that was left unrun. Later ones must not overtake it.
    first_postponed: Option<u64>,
}

/// The floods of one core. One small entry for each connection that has had an unexpected reply
/// and asked for nothing since; usually there are none.
#[derive(Default)]
pub struct Floods {
    by_session: BTreeMap<(CoreId, SessionId), Flood>,
}

impl Floods {
    /// Whether a request from core `from` may run; if not, it must go back unrun.
    #[inline]
    pub fn admits(&mut self, from: CoreId, item: &Item) -> bool {
        self.by_session.is_empty() || self.admits_one(from, item)
    }

    #[cold]
    fn admits_one(&mut self, from: CoreId, item: &Item) -> bool {
        let session = (from, item.session);
        let Some(flood) = self.by_session.get_mut(&session) else { return true };
        let over = match flood.first_postponed {
            _ if flood.client_id != item.caller.client_id => true, // the place has a new tenant
            Some(first) => first == item.sequence,
            None => item.reply_bytes_expected as usize * UNEXPECTED_TIMES >= flood.longest,
        };
        if over {
            self.by_session.remove(&session);
            return true;
        }
        if flood.first_postponed.is_none() && flood.bytes <= FORWARDED_BYTES_MAX {
            return true;
        }
        let first = flood.first_postponed.unwrap_or(item.sequence);
        flood.first_postponed = Some(first.min(item.sequence));
        false
    }

    /// A request has been answered with so many bytes.
    #[inline]
    pub fn note(&mut self, from: CoreId, item: &Item, bytes: usize) {
        if bytes > LONG_REPLY_BYTES && bytes > item.reply_bytes_expected as usize * UNEXPECTED_TIMES
        {
            self.note_long(from, item, bytes);
        }
    }

    #[cold]
    fn note_long(&mut self, from: CoreId, item: &Item, bytes: usize) {
        let client_id = item.caller.client_id;
        let new = Flood { client_id, bytes: 0, longest: 0, first_postponed: None };
        let flood = self.by_session.entry((from, item.session)).or_insert(new);
        flood.bytes += bytes;
        flood.longest = flood.longest.max(bytes);
    }
}
