//! Any bytes as a value in RDB form, as RESTORE meets them behind a right checksum: a sound value
//! or an error, in memory bounded by the input. What was read is written and read again, and must
//! be the same. The same bytes as a whole payload with its footer must never panic either.

#![no_main]

use freehold_engine::value::rdb::{Form, Input, decode_value, encode_value, footer};
use freehold_engine::value::{Kind, Rules, Value, ValueView};
use freehold_engine_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

/// No string of a value may unpack to more.
const STRING_BYTES_MAX: usize = 64 * 1024;
const FREE_BYTES: usize = 4 * 1024 * 1024;
/// The most memory for a byte of input: a packed string grows 88 times, an empty group of a stream
/// takes eight bytes and a few hundred here.
const GROWTH_MAX: usize = 512;

fuzz_target!(|input: &[u8]| {
    bounded(FREE_BYTES + GROWTH_MAX * input.len(), || {
        let _either_way = footer::open(input);
        if let Some(value) = read(input) {
            check(&value);
        }
    });
});

fn check(value: &Value) {
    value.check_invariants(&Rules::default());
    let (mut body, value) = (Vec::new(), collection(value));
    encode_value(value, &mut body);
    let again = read(&body).expect("what was written reads");
    let again = collection(&again);
    if value.kind() == Kind::Stream {
        // The form that is written does not tell a consumer's attempts from its successes.
        let mut third = Vec::new();
        encode_value(again, &mut third);
        assert_eq!(third, body);
    } else {
        assert_eq!(again.digest(), value.digest());
    }
}

fn collection(value: &Value) -> ValueView<'_> {
    value.view().expect("only collections are read")
}

fn read(body: &[u8]) -> Option<Value> {
    let mut input = Input::new(body, STRING_BYTES_MAX);
    let form = Form::of(input.byte().ok()?)?;
    if form.kind() == Kind::String {
        let _either_way = input.text();
        return None;
    }
    let value = decode_value(form, &mut input, &Rules::default()).ok()?;
    input.finish().ok()?;
    Some(value)
}
