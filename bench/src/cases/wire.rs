//! Parsing, the slot of a key, and writing replies: the parts that never touch the keyspace.

use std::hint::black_box;

use freehold_protocol::resp::parse::{Batch, Resume, parse};
use freehold_protocol::resp::value::encode_request;
use freehold_protocol::{Limits, Reply, Slot};

use super::{BATCH, Case, OPERATIONS};
use crate::keys;

/// A pipeline of `BATCH` requests as bytes.
fn pipeline(args_of: impl Fn(u64) -> Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in 0..BATCH as u64 {
        let args = args_of(index);
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        encode_request(&args, &mut bytes);
    }
    bytes
}

fn parsing(name: &'static str, bytes: Vec<u8>) -> Case {
    let mut batch = Batch::new();
    let mut resume = Resume::default();
    Case::new(name, move || {
        for _ in 0..OPERATIONS / BATCH as u64 {
            batch.clear();
            let (consumed, _) =
                parse(&mut resume, black_box(&bytes), &Limits::DEFAULT, BATCH, &mut batch);
            assert_eq!((consumed, batch.len()), (bytes.len(), BATCH));
            black_box(&batch);
        }
    })
}

pub fn parse_get(name: &'static str) -> Case {
    parsing(name, pipeline(|index| vec![b"GET".to_vec(), keys::key(index).to_vec()]))
}

pub fn parse_set(name: &'static str) -> Case {
    let set = |index| vec![b"SET".to_vec(), keys::key(index).to_vec(), vec![b'v'; 64]];
    parsing(name, pipeline(set))
}

pub fn slot(name: &'static str) -> Case {
    let drawn: Vec<keys::Key> = (0..1000).map(keys::key).collect();
    Case::new(name, move || {
        for _ in 0..OPERATIONS / 1000 {
            for key in &drawn {
                black_box(Slot::of_key(black_box(key)));
            }
        }
    })
}

pub fn reply_bulk(name: &'static str) -> Case {
    let mut out = Vec::with_capacity(4096);
    Case::new(name, move || {
        for _ in 0..OPERATIONS / BATCH as u64 {
            out.clear();
            for _ in 0..BATCH {
                Reply::new(&mut out, false).bulk(black_box(&[b'v'; 64]));
            }
            black_box(&out);
        }
    })
}

pub fn reply_integer(name: &'static str) -> Case {
    let mut out = Vec::with_capacity(4096);
    Case::new(name, move || {
        for _ in 0..OPERATIONS / BATCH as u64 {
            out.clear();
            for value in 0..BATCH {
                Reply::new(&mut out, false).integer(black_box(value as i64 * 1_000_003));
            }
            black_box(&out);
        }
    })
}
