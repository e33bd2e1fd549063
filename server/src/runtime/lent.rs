//! Buffers lent to the kernel by send operations.
//!
//! While a send is under way the kernel may read its buffer at any moment, also after the
//! connection has died. So the buffer moves into a slot here when the operation begins and comes
//! out only with the operation's completion; nobody else can reach it meanwhile, which is what
//! makes the raw pointer in the submission sound. A completion whose generation is not the slot's
//! is nobody's and changes nothing.
//!
//! A *prompt* send either ends within the call that submits it or is reported by the kernel as
//! not done. For those there is no completion to wait for: what has not been reported when the
//! call is over is done.

use std::os::fd::RawFd;

use super::token::Tag;

/// One send under way.
struct Loan {
    /// Where the rest of the buffer goes when the kernel took only a part.
    descriptor: RawFd,
    /// Whom to tell.
    connection: Tag,
    buffer: Vec<u8>,
    sent: usize,
    /// Nobody wants the rest to be sent.
    abandoned: bool,
    /// Done unless the kernel says otherwise within the submitting call.
    prompt: bool,
}

/// The sends under way on one ring.
#[derive(Default)]
pub struct Loans {
    slots: Vec<(Tag, Option<Loan>)>,
    free: Vec<u32>,
    /// Prompt sends since the last [`Loans::settle_prompt`].
    prompt: Vec<Tag>,
}

/// What the kernel is to read: the part of a lent buffer that has not been sent.
pub struct Unsent {
    pub descriptor: RawFd,
    pub start: *const u8,
    pub bytes: u32,
}

/// What a send's completion means.
pub enum Settled {
    /// The kernel took a part, or nothing for the moment; the rest must be submitted under the
    /// same tag.
    More { connection: Tag, rest: Unsent },
    /// The operation is over and the buffer is ours again.
    Over { connection: Tag, buffer: Vec<u8>, outcome: Result<(), i32> },
    /// Not a send of ours, or one that was settled before.
    Unknown,
}

/// The most one send submits; longer buffers go in several, because the kernel reports nothing of
/// a send before its end: a client that takes a long reply slowly must look different from one
/// that takes nothing. One completion a MiB is not to be seen in what sending a MiB costs.
const SEND_BYTES_MAX: usize = 1 << 20;

/// A prompt send goes whole, since nothing would be reported of its first part. The length field
/// of an operation is 32 bits wide and the kernel cuts at 2^31 minus a page.
const PROMPT_BYTES_MAX: usize = 1 << 30;

impl Loans {
    /// Takes `buffer` into keeping until the send completes. Returns the operation's tag.
    pub fn lend(&mut self, descriptor: RawFd, connection: Tag, buffer: Vec<u8>) -> Tag {
        assert!(!buffer.is_empty(), "an empty send would look like a closed connection");
        let index = self.free.pop().unwrap_or_else(|| {
            let index = self.slots.len() as u32;
            self.slots.push((Tag::first(index), None));
            index
        });
        let (tag, loan) = &mut self.slots[index as usize];
        debug_assert!(loan.is_none());
        *loan =
            Some(Loan { descriptor, connection, buffer, sent: 0, abandoned: false, prompt: false });
        *tag
    }

    /// As [`Loans::lend`] for a prompt send.
    pub fn lend_promptly(&mut self, descriptor: RawFd, connection: Tag, buffer: Vec<u8>) -> Tag {
        let tag = self.lend(descriptor, connection, buffer);
        if let Some(loan) = self.loan_mut(tag) {
            loan.prompt = true;
        }
        self.prompt.push(tag);
        tag
    }

    /// Prompt sends wait to be settled.
    pub fn has_prompt(&self) -> bool {
        !self.prompt.is_empty()
    }

    /// The kernel has reported on a send, so it is not done by being prompt.
    pub fn reported(&mut self, tag: Tag) {
        if let Some(loan) = self.loan_mut(tag) {
            loan.prompt = false;
        }
    }

    /// Ends the prompt sends that were not [reported](Loans::reported) and gives their connections
    /// and buffers to `done`. To be called when the calls that submitted them are over and all
    /// they reported has been told.
    pub fn settle_prompt(&mut self, mut done: impl FnMut(Tag, Vec<u8>)) {
        let mut prompt = std::mem::take(&mut self.prompt); // and back, for its capacity
        for tag in prompt.drain(..) {
            if self.loan_mut(tag).is_some_and(|loan| loan.prompt)
                && let Some(loan) = self.end(tag)
            {
                done(loan.connection, loan.buffer);
            }
        }
        self.prompt = prompt;
    }

    /// Takes a loan out and frees its slot for the next one.
    fn end(&mut self, tag: Tag) -> Option<Loan> {
        let (current, loan) = self.slots.get_mut(tag.index as usize)?;
        if *current != tag {
            return None;
        }
        *current = current.next();
        self.free.push(tag.index);
        loan.take()
    }

    fn loan_mut(&mut self, tag: Tag) -> Option<&mut Loan> {
        let (current, loan) = self.slots.get_mut(tag.index as usize)?;
        if *current == tag { loan.as_mut() } else { None }
    }

    /// The part of the loan that is still to be sent; `None` when `tag` names no loan.
    pub fn unsent(&self, tag: Tag) -> Option<Unsent> {
        let (current, loan) = self.slots.get(tag.index as usize)?;
        if *current != tag {
            return None;
        }
        let loan = loan.as_ref()?;
        let rest = &loan.buffer[loan.sent..];
        let bytes_max = if loan.prompt { PROMPT_BYTES_MAX } else { SEND_BYTES_MAX };
        Some(Unsent {
            descriptor: loan.descriptor,
            start: rest.as_ptr(),
            bytes: rest.len().min(bytes_max) as u32,
        })
    }

    /// Gives up on a send: its next completion is its last. A cancelled send that had already
    /// taken a part completes with that part's length, so the errno alone cannot tell.
    pub fn abandon(&mut self, tag: Tag) {
        if let Some(loan) = self.loan_mut(tag) {
            loan.abandoned = true;
        }
    }

    /// Books a completion with the kernel's `result`: bytes taken, or a negative errno.
    pub fn settle(&mut self, tag: Tag, result: i32) -> Settled {
        let Some(loan) = self.loan_mut(tag) else { return Settled::Unknown };

        if result > 0 {
            loan.sent += result as usize;
            assert!(loan.sent <= loan.buffer.len(), "the kernel sent more than it was lent");
        }
        let transient = result == -libc::EINTR || result == -libc::EAGAIN;
        let short = loan.sent < loan.buffer.len();
        let connection = loan.connection;
        if short && !loan.abandoned && (result > 0 || transient) {
            return match self.unsent(tag) {
                Some(rest) => Settled::More { connection, rest },
                None => Settled::Unknown,
            };
        }

        let outcome = match result {
            taken if taken > 0 && short => Err(libc::ECANCELED),
            taken if taken > 0 => Ok(()),
            0 => Err(libc::EPIPE),
            negative => Err(-negative),
        };
        match self.end(tag) {
            Some(Loan { connection, buffer, .. }) => Settled::Over { connection, buffer, outcome },
            None => Settled::Unknown,
        }
    }

    /// Sends under way.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Gives up the buffers without freeing them. For a ring that goes away while the kernel may
    /// still read them: losing memory is the lesser harm.
    pub fn forget(&mut self) {
        for (_, loan) in self.slots.drain(..) {
            if let Some(loan) = loan {
                std::mem::forget(loan.buffer);
            }
        }
        self.free.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Loans, Settled};
    use crate::runtime::token::Tag;

    fn connection() -> Tag {
        Tag::first(9).next()
    }

    #[test]
    fn a_buffer_comes_back_with_its_completion_and_names_its_connection() {
        let mut loans = Loans::default();
        let tag = loans.lend(5, connection(), b"hello".to_vec());

        let Settled::Over { connection: owner, buffer, outcome } = loans.settle(tag, 5) else {
            panic!("all five bytes were taken");
        };

        assert_eq!(owner, connection());
        assert_eq!(buffer, b"hello");
        assert_eq!(outcome, Ok(()));
        assert_eq!(loans.len(), 0);
    }

    #[test]
    fn a_short_send_goes_on_where_it_stopped() {
        let mut loans = Loans::default();
        let tag = loans.lend(5, connection(), b"hello".to_vec());

        let Settled::More { rest, .. } = loans.settle(tag, 2) else { panic!("three are left") };
        assert_eq!((rest.descriptor, rest.bytes), (5, 3));
        assert!(matches!(loans.settle(tag, 3), Settled::Over { outcome: Ok(()), .. }));
    }

    /// Nothing was heard of a reply of 200 MB before its end, so a client that took it at its
    /// leisure could not be told from one that had stopped reading.
    #[test]
    fn a_long_send_goes_by_the_mebibyte_and_tells_whose_it_is() {
        const MIB: i32 = 1 << 20;
        let mut loans = Loans::default();
        let tag = loans.lend(5, connection(), vec![b'v'; 2 * MIB as usize + 7]);
        for left in [MIB as u32, 7] {
            let Settled::More { connection: owner, rest } = loans.settle(tag, MIB) else {
                panic!("more than {left} bytes are left")
            };
            assert_eq!((owner, rest.bytes), (connection(), left));
        }
        assert!(matches!(loans.settle(tag, 7), Settled::Over { outcome: Ok(()), .. }));
    }

    #[test]
    fn a_prompt_send_is_over_with_its_call_unless_the_kernel_reports_on_it() {
        let mut loans = Loans::default();
        let whole = loans.lend_promptly(5, connection(), b"whole".to_vec());
        let short = loans.lend_promptly(6, connection(), b"short".to_vec());
        loans.reported(short);

        let mut done = Vec::new();
        loans.settle_prompt(|connection, buffer| done.push((connection, buffer)));

        assert_eq!(done, [(connection(), b"whole".to_vec())]);
        assert!(loans.unsent(whole).is_none(), "it is over");
        let Settled::More { rest, .. } = loans.settle(short, 2) else { panic!("three are left") };
        assert_eq!(rest.bytes, 3);
        loans.settle_prompt(|_, _| panic!("a send that was reported ends with a completion"));
        assert!(matches!(loans.settle(short, 3), Settled::Over { outcome: Ok(()), .. }));
    }

    #[test]
    fn a_completion_that_comes_late_is_nobodys() {
        let mut loans = Loans::default();
        let first = loans.lend(5, connection(), b"one".to_vec());
        assert!(matches!(loans.settle(first, -libc::ECONNRESET), Settled::Over { .. }));
        let second = loans.lend(6, connection(), b"two".to_vec());
        assert_eq!(first.index, second.index, "the slot is used again");

        assert!(matches!(loans.settle(first, 3), Settled::Unknown));
        assert!(loans.unsent(first).is_none());

        let Settled::Over { buffer, .. } = loans.settle(second, 3) else { panic!("it is over") };
        assert_eq!(buffer, b"two");
    }

    #[test]
    fn a_completion_for_a_slot_that_never_was_changes_nothing() {
        let mut loans = Loans::default();
        assert!(matches!(loans.settle(Tag::first(77), 1), Settled::Unknown));
        assert!(matches!(loans.settle(Tag::first(u32::MAX), -1), Settled::Unknown));
    }

    #[test]
    fn an_interrupted_send_is_tried_again() {
        let mut loans = Loans::default();
        let tag = loans.lend(5, connection(), b"abc".to_vec());
        assert!(matches!(loans.settle(tag, -libc::EINTR), Settled::More { .. }));
        assert_eq!(loans.len(), 1);
    }

    /// A cancelled send that had taken a part completed with that part's length, was taken for a
    /// short send and sent on, so closing a connection whose peer did not read never ended.
    #[test]
    fn an_abandoned_send_is_over_even_when_a_part_was_taken() {
        let mut loans = Loans::default();
        let tag = loans.lend(5, connection(), b"hello".to_vec());
        loans.abandon(tag);
        let Settled::Over { outcome, .. } = loans.settle(tag, 2) else { panic!("it is over") };
        assert_eq!(outcome, Err(libc::ECANCELED));
    }

    #[test]
    fn a_send_that_takes_nothing_has_failed() {
        let mut loans = Loans::default();
        let tag = loans.lend(5, connection(), b"abc".to_vec());
        let Settled::Over { outcome, .. } = loans.settle(tag, 0) else { panic!("it is over") };
        assert_eq!(outcome, Err(libc::EPIPE));
    }
}
