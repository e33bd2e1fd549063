//! The sockets of one core: which session each belongs to and which operations it has under way.
//!
//! A connection leaves its place only when the kernel has reported the end of every operation it
//! began, so a completion always finds the connection it was meant for or, by its tag, nobody.
//! Between the end of the session and that moment it is `closing`: it has a socket and no session.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use freehold_engine::command::session::SessionId;

use crate::runtime::token::Tag;

/// Where a connection's multishot receive stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receiving {
    /// Not armed.
    No,
    Armed,
    /// Told to end; the end has not been reported yet.
    Ending,
}

/// One accepted socket.
pub struct Connection {
    pub socket: OwnedFd,
    /// `None` while it is closing.
    pub session: Option<SessionId>,
    pub receiving: Receiving,
    /// The send under way, if there is one. Never two: replies stay in order.
    pub sending: Option<Tag>,
    /// Bytes of that send.
    pub sending_bytes: usize,
    /// Replies that wait for the log, by what they wait for.
    pub kept: VecDeque<(u64, Vec<u8>)>,
    /// Replies that have waited, and wait for the send under way.
    pub released: Vec<u8>,
    /// The peer has finished sending.
    pub ended: bool,
    /// Filled buffers of it that wait for a later turn.
    pub held: u16,
    /// The turn in which it last received, and how much in that turn.
    pub turn: u64,
    pub turn_bytes: usize,
    /// The window of [`super::gather`] in which it was last heard.
    pub heard: u32,
    /// Stands in the list of connections that wait for receive buffers.
    pub starved: bool,
}

impl Connection {
    fn new(socket: OwnedFd, session: SessionId) -> Connection {
        Connection {
            socket,
            session: Some(session),
            receiving: Receiving::No,
            sending: None,
            sending_bytes: 0,
            kept: VecDeque::new(),
            released: Vec::new(),
            ended: false,
            held: 0,
            turn: 0,
            turn_bytes: 0,
            heard: 0,
            starved: false,
        }
    }

    /// The kernel has nothing of it under way.
    pub fn is_quiet(&self) -> bool {
        self.receiving == Receiving::No && self.sending.is_none()
    }

    /// Every reply it was given has left.
    #[inline]
    pub fn has_answered(&self) -> bool {
        self.sending.is_none() && self.kept.is_empty() && self.released.is_empty()
    }

    /// Bytes of replies on their way.
    pub fn waiting_bytes(&self) -> usize {
        let kept: usize = self.kept.iter().map(|(_, replies)| replies.len()).sum();
        self.sending_bytes + self.released.len() + kept
    }

    /// Books received bytes. True while the connection keeps within its share of this turn.
    pub fn book(&mut self, turn: u64, bytes: usize, bytes_per_turn_max: usize) -> bool {
        if self.turn != turn {
            self.turn = turn;
            self.turn_bytes = 0;
        }
        if self.turn_bytes >= bytes_per_turn_max {
            return false;
        }
        self.turn_bytes += bytes;
        true
    }

    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The connections of one core, by tag and by session.
#[derive(Default)]
pub struct Connections {
    places: Vec<(Tag, Option<Connection>)>,
    free: Vec<u32>,
    by_session: Vec<Option<Tag>>,
}

impl Connections {
    /// Takes a socket in for `session`.
    pub fn insert(&mut self, socket: OwnedFd, session: SessionId) -> Tag {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = self.places.len() as u32;
            self.places.push((Tag::first(index), None));
            index
        });
        let (tag, place) = &mut self.places[index as usize];
        debug_assert!(place.is_none());
        *place = Some(Connection::new(socket, session));
        let tag = *tag;
        let session = session.0 as usize;
        if self.by_session.len() <= session {
            self.by_session.resize(session + 1, None);
        }
        self.by_session[session] = Some(tag);
        tag
    }

    /// The connection a completion belongs to; `None` when it is nobody's any more.
    #[inline]
    pub fn get_mut(&mut self, tag: Tag) -> Option<&mut Connection> {
        match self.places.get_mut(tag.index as usize) {
            Some((current, place)) if *current == tag => place.as_mut(),
            _ => None,
        }
    }

    /// The connection of a session.
    #[inline]
    pub fn of_session(&self, session: SessionId) -> Option<Tag> {
        self.by_session.get(session.0 as usize).copied().flatten()
    }

    /// The session is over; the connection is closing from here on. Returns the session.
    pub fn end_session(&mut self, tag: Tag) -> Option<SessionId> {
        let session = self.get_mut(tag)?.session.take()?;
        self.by_session[session.0 as usize] = None;
        Some(session)
    }

    /// Takes a quiet, closing connection out and frees its place for the next tenant.
    pub fn remove(&mut self, tag: Tag) -> Option<OwnedFd> {
        let (current, place) = self.places.get_mut(tag.index as usize)?;
        if *current != tag {
            return None;
        }
        let connection = place.take()?;
        assert!(connection.session.is_none(), "a session is ended before its connection goes");
        assert!(connection.is_quiet(), "the kernel still has something of this connection");
        *current = current.next();
        self.free.push(tag.index);
        Some(connection.socket)
    }

    /// Tags of all connections, closing ones included.
    pub fn tags(&self) -> Vec<Tag> {
        let taken = self.places.iter().filter(|(_, place)| place.is_some());
        taken.map(|&(tag, _)| tag).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
}

/// Output buffers between two replies. A reply takes one, the completion of its send brings it
/// back; in the steady state nothing is allocated.
#[derive(Default)]
pub struct SpareBuffers {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// Buffers a core keeps in reserve, in bytes. 1,024 connections answered in one turn find a
/// buffer of 1 KiB each.
const SPARE_BYTES_MAX: usize = 1024 * 1024;

/// A larger buffer is freed instead of kept: one large value must not pin memory for ever.
const SPARE_BUFFER_BYTES_MAX: usize = 64 * 1024;

impl SpareBuffers {
    /// An empty buffer, with room if one is in reserve.
    #[inline]
    pub fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Puts a buffer into reserve, or frees it when there is enough.
    #[inline]
    pub fn put(&mut self, mut buffer: Vec<u8>) {
        let bytes = buffer.capacity();
        if bytes == 0 || bytes > SPARE_BUFFER_BYTES_MAX || self.bytes + bytes > SPARE_BYTES_MAX {
            return;
        }
        buffer.clear();
        self.bytes += bytes;
        self.buffers.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use freehold_engine::command::session::SessionId;

    use super::{Connections, Receiving, SPARE_BUFFER_BYTES_MAX, SPARE_BYTES_MAX, SpareBuffers};

    fn socket() -> OwnedFd {
        UnixStream::pair().expect("a pair").0.into()
    }

    #[test]
    fn a_tag_of_an_earlier_tenant_finds_nobody() {
        let mut connections = Connections::default();
        let first = connections.insert(socket(), SessionId(4));
        assert_eq!(connections.of_session(SessionId(4)), Some(first));
        assert_eq!(connections.end_session(first), Some(SessionId(4)));
        assert!(connections.remove(first).is_some());

        let second = connections.insert(socket(), SessionId(4));
        assert_eq!(first.index, second.index, "the place is used again");
        assert!(connections.get_mut(first).is_none());
        assert!(connections.remove(first).is_none());
        assert!(connections.get_mut(second).is_some());
    }

    #[test]
    fn a_closing_connection_keeps_its_place_and_has_no_session() {
        let mut connections = Connections::default();
        let tag = connections.insert(socket(), SessionId(0));
        connections.end_session(tag);
        assert_eq!(connections.of_session(SessionId(0)), None);
        assert!(connections.get_mut(tag).expect("still there").session.is_none());
        assert!(connections.end_session(tag).is_none(), "a session ends once");
    }

    #[test]
    #[should_panic(expected = "the kernel still has something")]
    fn a_connection_with_an_operation_under_way_cannot_be_removed() {
        let mut connections = Connections::default();
        let tag = connections.insert(socket(), SessionId(0));
        connections.get_mut(tag).expect("there").receiving = Receiving::Ending;
        connections.end_session(tag);
        connections.remove(tag);
    }

    #[test]
    fn a_connection_gets_its_share_of_a_turn_and_a_new_share_with_the_next() {
        let mut connections = Connections::default();
        let tag = connections.insert(socket(), SessionId(0));
        let connection = connections.get_mut(tag).expect("there");
        assert!(connection.book(1, 60, 100));
        assert!(connection.book(1, 60, 100));
        assert!(!connection.book(1, 60, 100));
        assert!(connection.book(2, 60, 100));
    }

    #[test]
    fn spare_buffers_are_bounded_in_bytes() {
        let mut spare = SpareBuffers::default();
        for _ in 0..10_000 {
            spare.put(Vec::with_capacity(1_000));
        }
        assert!(spare.bytes <= SPARE_BYTES_MAX);
        spare.put(Vec::with_capacity(SPARE_BUFFER_BYTES_MAX + 1));
        while spare.bytes > 0 {
            let buffer = spare.take();
            assert!(buffer.is_empty());
            assert!((1..=SPARE_BUFFER_BYTES_MAX).contains(&buffer.capacity()));
        }
        assert_eq!(spare.take().capacity(), 0);
    }
}
