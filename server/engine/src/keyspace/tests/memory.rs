//! Bytes per key: the budget of design.md (24, with a deadline 32) with room to spare. And how
//! memory goes: in slices.

use super::*;
use crate::value::stream::{StreamEdit, StreamId};
use crate::value::{Collection, Set, SetEdit, Stored, Stream};

const KEYS: usize = if cfg!(miri) { 1_000 } else { 1_000_000 };

fn filled(expiry: bool) -> Keyspace {
    let mut keyspace = Keyspace::new(0..16384, 16, [1, 2, 3, 4]);
    for n in 0..KEYS {
        let key = format!("key:{n:012}");
        set(&mut keyspace, key.as_bytes(), b"8 bytes!", expiry.then_some(1 << 40));
    }
    keyspace
}

fn overhead(keyspace: &Keyspace) -> f64 {
    keyspace.accounted_bytes() as f64 / KEYS as f64 - 24.0
}

#[test]
#[cfg_attr(miri, ignore = "a million keys")]
fn a_million_small_keys_cost_at_most_22_bytes_each_beyond_key_and_value() {
    let mut keyspace = filled(false);
    assert!(overhead(&keyspace) <= 22.0, "{} bytes", overhead(&keyspace));
    for n in 0..KEYS {
        let name = format!("key:{n:012}");
        assert!(keyspace.remove(0, &keyspace.key_ref(name.as_bytes())));
    }
    let left = keyspace.accounted_bytes();
    assert!(left < 2 << 20, "{left} bytes stay when every key is gone");
    keyspace.check_invariants();
}

#[test]
#[cfg_attr(miri, ignore = "a million keys")]
fn with_deadlines_they_cost_at_most_30() {
    let keyspace = filled(true);
    assert!(overhead(&keyspace) <= 30.0, "{} bytes", overhead(&keyspace));
}

/// Slices that free a set of 100,000 members once its key is gone.
fn slices_after(forget: impl FnOnce(&mut Keyspace)) -> usize {
    let mut keyspace = keyspace();
    let mut members = Set::default();
    for n in 0..100_000 {
        members.apply(SetEdit::Add(format!("member:{n:012}").as_bytes()), keyspace.rules());
    }
    let key = keyspace.key_ref(b"big");
    keyspace.set_collection(0, &key, members.into_value(), None, 0);
    forget(&mut keyspace);
    let mut slices = 1;
    while keyspace.reclaim_slice(64) {
        slices += 1;
    }
    assert!(keyspace.is_empty());
    slices
}

/// FLUSHALL freed eight times as much a slice as UNLINK: half a millisecond of it.
#[test]
#[cfg_attr(miri, ignore = "a hundred thousand members")]
fn a_flushed_collection_is_freed_in_slices_about_as_short_as_those_of_an_unlinked_one() {
    let unlinked = slices_after(|keyspace| {
        assert!(keyspace.remove(0, &keyspace.key_ref(b"big")));
    });
    let flushed = slices_after(Keyspace::flush_all);
    assert!(unlinked > 20, "{unlinked}");
    assert!(flushed * 3 > unlinked, "{flushed} slices, and {unlinked} when unlinked");
}

/// Under `maxmemory` every write asks what is held, and each time all values were looked at that
/// had been unlinked and waited to be freed. Their account has to hold while they go.
#[test]
#[cfg_attr(miri, ignore = "tens of thousands of members")]
fn what_waits_to_be_freed_is_accounted_for_while_it_goes() {
    let mut keyspace = keyspace();
    let names = [b"a", b"b", b"c"];
    for name in names {
        let mut members = Set::default();
        for n in 0..20_000 {
            members.apply(SetEdit::Add(format!("member:{n:012}").as_bytes()), keyspace.rules());
        }
        let key = keyspace.key_ref(name);
        keyspace.set_collection(0, &key, members.into_value(), None, 0);
    }
    let mut held = keyspace.accounted_bytes();
    for name in names {
        assert!(keyspace.remove(0, &keyspace.key_ref(name)));
    }
    assert!(keyspace.accounted_bytes() > held / 2, "it is not free yet");
    while keyspace.reclaim_slice(64) {
        keyspace.check_invariants();
        assert!(keyspace.accounted_bytes() <= held);
        held = keyspace.accounted_bytes();
    }
    keyspace.check_invariants();
}

/// A stream whose group had 3,000 entries pending with a consumer that is gone, and one with
/// another.
fn untidy_stream(keyspace: &Keyspace) -> Stream {
    use StreamEdit as E;
    let (mut stream, group) = (Stream::default(), &b"g"[..]);
    let mut apply = |edit| assert!(stream.apply(edit, keyspace.rules()));
    apply(E::CreateGroup { group, last: StreamId::MIN, read: None });
    for (consumer, ids) in [(&b"stays"[..], 0..1), (b"goes", 1..3_001)] {
        apply(E::CreateConsumer { group, consumer, at: 0 });
        for ms in ids {
            apply(E::Assign { group, consumer, id: StreamId::new(ms, 1), at: 0, deliveries: 1 });
        }
    }
    apply(E::DeleteConsumer { group, consumer: b"goes" });
    stream
}

#[test]
fn what_an_edit_leaves_undone_in_a_value_is_done_wherever_the_value_goes() {
    let mut keyspace = keyspace();
    let (here, there) = (keyspace.key_ref(b"here"), keyspace.key_ref(b"there"));
    let stream = untidy_stream(&keyspace);
    let bytes = stream.heap_bytes();
    keyspace.set_collection(0, &here, stream.into_value(), None, 0);
    assert!(keyspace.reclaim_slice(1), "there is more to do");
    let taken = keyspace.take(0, &here).expect("the key is there");
    keyspace.put(1, &there, taken);
    keyspace.check_invariants();
    let digest = keyspace.digest();
    while keyspace.reclaim_slice(10) {}
    keyspace.check_invariants();
    assert_eq!(keyspace.digest(), digest);
    let left = keyspace.outside.heap_bytes;
    assert!(left < bytes / 10, "{left} of {bytes} bytes");
}

#[test]
fn work_left_in_a_value_goes_with_it() {
    let mut keyspace = keyspace();
    let key = keyspace.key_ref(b"k");
    keyspace.set_collection(0, &key, untidy_stream(&keyspace).into_value(), None, 0);
    keyspace.remove(0, &key);
    while keyspace.reclaim_slice(10) {}
    keyspace.set_collection(0, &key, untidy_stream(&keyspace).into_value(), None, 0);
    set(&mut keyspace, b"k", &[7; 3_000], None); // takes the place the stream had
    while keyspace.reclaim_slice(10) {}
    keyspace.check_invariants();
    assert_eq!(keyspace.outside.heap_bytes, 3_000);
}
