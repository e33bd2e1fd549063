//! Payloads below that are given in hexadecimal are DUMP's answers of redis-server 7.0.15.

use super::output::put_bytes;
use super::stream::{ConsumerDraft, GroupDraft, StreamEncoder, put_group};
use super::*;
use crate::base::random::Random;

const INTEGER: &str = "00c1d08a0a00d57cb019a3f85d10";
const TEXT: &str = "000568656c6c6f0a006372df766534200a";
const PACKED: &str = "00c30a405102616261e043010162630a00741c914583f6a4fb";
const LIST: &str = "\
    120102c32e406f1b6f00000009008161020101dffb02c12c02f270110104f400f2052a01401a02e04678e03c\
    0006488001d00002ff0a00977b428a267b05ff";
const LIST_NODES: &str = "\
    1203020d0d0000000200816102816202ff020d0d0000000200816302816402ff020a0a0000000100816502ff\
    0a00ec5236a76020a1db";
const INTEGERS: &str = "0b140400000003000000ffffffff03000000701101000a00faf9076ba102fb14";
const SET: &str = "0203016100c0010a008f60719d73756ddf";
const HASH_LISTPACK: &str = "1012120000000400816602817602816e020c01ff0a0001369481d35b8974";
const HASH: &str = "04020166c3094041017878e03400017878016ec00c0a006e0e717f0d0282a2";
const SORTED_LISTPACK: &str = "\
    111c1c0000000600816202842d696e660581610201010c0183322e3504ff0a005923cd44e489c360";
const SORTED: &str = "\
    0503c3094041017878e03400017878000000000000f07fc00c00000000000004400161000000000000f03f0a\
    004e33fcc0accd833e";
const STREAM: &str = "\
    13011000000000000000050000000000000001c34045404b124b0000001f0003010101020181610281620200\
    200900002001401102050103600902030104200b40130bdfff02010181630281780206202800024010020501\
    06201d00ff0307000501050204020167060081ffffffffffffffff0200000000000000050000000000000001\
    28c17b04a2010000010000000000000006000000000000000028c17b04a2010000010205616c69636528c17b\
    04a201000002000000000000000500000000000000010000000000000006000000000000000003626f6228c1\
    7b04a2010000000168070081ffffffffffffffff00000a0003e874f7385135dc";
const STREAM_EMPTY: &str = "\
    13000000000000000000010167000081ffffffffffffffff00000a00a01a953dfb9cddde";

const ALL: &[&str] = &[
    INTEGER,
    TEXT,
    PACKED,
    LIST,
    LIST_NODES,
    INTEGERS,
    SET,
    HASH_LISTPACK,
    HASH,
    SORTED_LISTPACK,
    SORTED,
    STREAM,
    STREAM_EMPTY,
];

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.bytes().map(|c| (c as char).to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The parts of a value as text, duplicates refused as a real value would.
fn parts_of(body: &[u8]) -> Decoded<Vec<String>> {
    let mut input = Input::new(body, 1 << 20);
    let form = Form::of(input.byte()?).ok_or(Malformed)?;
    let mut parts: Vec<String> = Vec::new();
    match form.kind() {
        Kind::String => parts.push(shown(input.text()?.bytes(&mut itoa::Buffer::new()))),
        Kind::List => decode_list(form, &mut input, &mut |element| parts.push(shown(element)))?,
        Kind::Set => decode_set(form, &mut input, &mut |member| {
            let is_new = !parts.contains(&shown(member));
            parts.push(shown(member));
            is_new
        })?,
        Kind::SortedSet => decode_sorted_set(form, &mut input, &mut |member, score| {
            parts.push(format!("{} {score}", shown(member)));
            true
        })?,
        Kind::Hash => decode_hash(form, &mut input, &mut |field, value, deadline| {
            let at = deadline.map_or(String::new(), |at| format!(" until {at}"));
            parts.push(format!("{}={}{at}", shown(field), shown(value)));
            true
        })?,
        Kind::Stream => decode_stream(form, &mut input, &mut |part| {
            parts.push(match part {
                StreamPart::Entry { id, fields } => format!("{id:?} {}", shown(fields)),
                StreamPart::Group { group, last, read } => {
                    format!("group {} {last:?} {read:?}", shown(group))
                }
                StreamPart::Consumer { consumer, .. } => format!("consumer {}", shown(consumer)),
                StreamPart::Pending { consumer, id, deliveries, .. } => {
                    format!("{} has {id:?} {deliveries}", shown(consumer))
                }
                state => format!("{state:?}"),
            });
            true
        })?,
    }
    input.finish()?;
    Ok(parts)
}

fn opened(hex: &str) -> Vec<String> {
    let payload = bytes_of(hex);
    let (body, _) = footer::open(&payload).expect("version and checksum are right");
    parts_of(body).expect("Redis wrote it")
}

#[test]
fn strings_of_redis_read_back() {
    assert_eq!(opened(INTEGER), ["-30000"]);
    assert_eq!(opened(TEXT), ["hello"]);
    assert_eq!(opened(PACKED), ["ab".repeat(40) + "c"]);
}

#[test]
fn collections_of_redis_read_back() {
    let x = "x".repeat(70);
    let list = ["a", "1", "-5", "300", "70000", "5000000000", &x, "", "-4096"];
    assert_eq!(opened(LIST), list);
    assert_eq!(opened(LIST_NODES), ["a", "b", "c", "d", "e"]);
    assert_eq!(opened(INTEGERS), ["-1", "3", "70000"]);
    let mut set = opened(SET);
    set.sort();
    assert_eq!(set, ["", "1", "a"]);
    assert_eq!(opened(HASH_LISTPACK), ["f=v", "n=12"]);
    assert_eq!(opened(HASH), [format!("f={}", &"x".repeat(65)), "n=12".to_owned()]);
    assert_eq!(opened(SORTED_LISTPACK), ["b -inf", "a 1", "12 2.5"]);
    assert_eq!(opened(SORTED), [format!("{} inf", "x".repeat(65)), "12 2.5".into(), "a 1".into()]);
}

#[test]
fn streams_of_redis_read_back() {
    let frame = |words: &[&str]| -> String {
        words.iter().map(|word| format!("{}\0\0\0{word}", char::from(word.len() as u8))).collect()
    };
    let expected = [
        format!("(5, 1) {}", frame(&["a", "1", "b", "2"])),
        format!("(6, 0) {}", frame(&["c", "x"])),
        format!("(7, 0) {}", frame(&["a", "5", "b", "6"])),
        "State { last: (7, 0), max_deleted: (5, 2), added: 4 }".to_owned(),
        "group g (6, 0) Unknown".to_owned(),
        "consumer alice".to_owned(),
        "alice has (5, 1) 1".to_owned(),
        "alice has (6, 0) 1".to_owned(),
        "consumer bob".to_owned(),
        "group h (7, 0) Unknown".to_owned(),
    ];
    assert_eq!(opened(STREAM), expected);
    let empty = ["State { last: (0, 0), max_deleted: (0, 0), added: 0 }", "group g (0, 0) Unknown"];
    assert_eq!(opened(STREAM_EMPTY), empty);
}

/// Bytes that are no value must be an error: no panic, no endless loop, no allocation by what
/// they declare. With the checksum out of the way, every byte is tried.
#[test]
fn damaged_payloads_are_refused_or_read_but_never_panic() {
    for (seed, hex) in ALL.iter().enumerate() {
        let payload = bytes_of(hex);
        let (body, _) = footer::open(&payload).expect("sound");
        for at in 0..body.len() {
            assert!(parts_of(&body[..at]).is_err(), "{hex} cut at {at}");
            for value in 0..=255 {
                let mut changed = body.to_vec();
                changed[at] = value;
                let _either_way = parts_of(&changed);
            }
        }
        let mut random = Random::new(seed as u64);
        for _ in 0..20_000 {
            let mut changed = body.to_vec();
            for _ in 0..1 + random.below(4) {
                let at = random.below(changed.len() as u64) as usize;
                changed[at] = random.next_u64() as u8;
            }
            let _either_way = parts_of(&changed);
        }
    }
}

#[test]
fn random_bytes_behind_every_type_byte_never_panic() {
    let mut random = Random::new(7);
    for _ in 0..200_000 {
        let mut body = vec![FORMS[random.below(FORMS.len() as u64) as usize] as u8];
        body.extend((0..random.below(40)).map(|_| match random.below(3) {
            0 => random.next_u64() as u8,
            _ => random.below(4) as u8,
        }));
        let _either_way = parts_of(&body);
    }
}

fn packed(form: Form, blob: &[u8]) -> Vec<u8> {
    let mut body = vec![form as u8];
    put_bytes(blob, &mut body);
    body
}

/// A ziplist, its entries given as encoding and data.
fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
    let (mut bytes, mut before, mut last) = (vec![0; 10], 0, 10);
    for entry in entries {
        last = bytes.len();
        if before < 254 {
            bytes.push(before as u8);
        } else {
            bytes.push(254);
            bytes.extend_from_slice(&(before as u32).to_le_bytes());
        }
        bytes.extend_from_slice(entry);
        before = bytes.len() - last;
    }
    bytes.push(255);
    let (length, count) = (bytes.len() as u32, entries.len() as u16);
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..8].copy_from_slice(&(last as u32).to_le_bytes());
    bytes[8..10].copy_from_slice(&count.to_le_bytes());
    bytes
}

#[test]
fn ziplists_read_in_every_encoding() {
    let long = [&[0x41, 0x2c][..], &[b'y'; 300]].concat(); // 14 bits of length
    let entries: &[&[u8]] = &[
        b"\x03foo",
        b"\xf1",
        b"\xfd",
        b"\xfe\x80",
        b"\xf0\x00\x00\x80",
        b"\xc0\xff\x7f",
        &long,
        b"\xd0\x00\x00\x00\x80",
        b"\xe0\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80\x00\x00\x00\x02hi",
    ];
    let y = "y".repeat(300);
    let expected = [
        "foo",
        "0",
        "12",
        "-128",
        "-8388608",
        "32767",
        &y,
        "-2147483648",
        "9223372036854775807",
        "hi",
    ];
    let list = ziplist(entries);
    assert_eq!(parts_of(&packed(Form::ListZiplist, &list)).expect("sound"), expected);
    let mut quicklist = vec![Form::ListQuicklist as u8, 2];
    put_bytes(&list, &mut quicklist);
    put_bytes(&ziplist(&[]), &mut quicklist);
    assert_eq!(parts_of(&quicklist).expect("sound"), expected);
    for at in 0..list.len() {
        let mut changed = list.clone();
        changed[at] ^= 1;
        let _either_way = parts_of(&packed(Form::ListZiplist, &changed));
        assert!(parts_of(&packed(Form::ListZiplist, &list[..at])).is_err(), "cut at {at}");
    }
}

#[test]
fn hashes_and_sorted_sets_in_ziplists_and_zipmaps_read() {
    let hash = ziplist(&[b"\x01f", b"\x01v", b"\x01n", b"\xf3"]);
    assert_eq!(parts_of(&packed(Form::HashZiplist, &hash)), Ok(vec!["f=v".into(), "n=2".into()]));
    let scores = ziplist(&[b"\x01a", b"\x032.5", b"\x01b", b"\xf8"]);
    let sorted = vec!["a 2.5".to_owned(), "b 7".to_owned()];
    assert_eq!(parts_of(&packed(Form::SortedSetZiplist, &scores)), Ok(sorted));
    let zipmap = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world??\xff";
    let expected = vec!["foo=bar".to_owned(), "hello=world".to_owned()];
    assert_eq!(parts_of(&packed(Form::HashZipmap, zipmap)), Ok(expected));
    assert!(parts_of(&packed(Form::HashZiplist, &ziplist(&[b"\x01f"]))).is_err(), "no value");
    let nan = ziplist(&[b"\x01a", b"\x03nan"]);
    assert!(parts_of(&packed(Form::SortedSetZiplist, &nan)).is_err());
}

#[test]
fn plain_scores_read_as_text_and_as_bytes_and_nan_is_refused() {
    let text = b"\x03\x03\x01a\x032.5\x01b\xff\x01c\xfe";
    let expected = vec!["a 2.5".to_owned(), "b -inf".to_owned(), "c inf".to_owned()];
    assert_eq!(parts_of(text), Ok(expected));
    assert!(parts_of(b"\x03\x01\x01a\xfd").is_err());
    let mut bytes = b"\x05\x01\x01a".to_vec();
    bytes.extend_from_slice(&f64::NAN.to_le_bytes());
    assert!(parts_of(&bytes).is_err());
}

fn listpack(elements: &[&str]) -> Vec<u8> {
    let mut draft = listpack::Draft::new();
    elements.iter().for_each(|element| draft.push_text(element.as_bytes()));
    draft.finish()
}

#[test]
fn fields_with_deadlines_read_in_all_forms_of_both_projects() {
    let expected = vec!["f=v until 1000".to_owned(), "g=w".to_owned()];
    let triples = listpack(&["f", "v", "1000", "g", "w", "0"]);
    let early = packed(Form::HashListpackDeadlinesEarly, &triples);
    assert_eq!(parts_of(&early).as_ref(), Ok(&expected));
    let mut body = vec![Form::HashListpackDeadlines as u8];
    body.extend_from_slice(&1000_u64.to_le_bytes());
    put_bytes(&triples, &mut body);
    assert_eq!(parts_of(&body).as_ref(), Ok(&expected));
    let early = [&[Form::HashDeadlinesEarly as u8, 2][..], b"\x43\xe8\x01f\x01v\x00\x01g\x01w"];
    assert_eq!(parts_of(&early.concat()).as_ref(), Ok(&expected));
    let mut body = vec![Form::HashDeadlines as u8];
    let mut put = encode_hash(2, Some(1000), &mut body);
    put(b"f", b"v", Some(1000));
    put(b"g", b"w", None);
    drop(put);
    assert_eq!(parts_of(&body).as_ref(), Ok(&expected));
    let mut body = b"\x02\x01f\x01v".to_vec();
    body.extend_from_slice(&1000_i64.to_le_bytes());
    body.extend_from_slice(b"\x01g\x01w");
    body.extend_from_slice(&(-1_i64).to_le_bytes());
    let form = Form::in_dialect(22, Dialect::Valkey).expect("Valkey 9 has it");
    let mut valkey = Vec::new();
    decode_hash(form, &mut Input::new(&body, 100), &mut |field, value, deadline| {
        valkey.push((field.to_vec(), value.to_vec(), deadline));
        true
    })
    .expect("sound");
    let field = |name: &[u8], value: &[u8], at| (name.to_vec(), value.to_vec(), at);
    assert_eq!(valkey, [field(b"f", b"v", Some(1000)), field(b"g", b"w", None)]);
    let beyond = listpack(&["f", "v", "281474976710656"]);
    assert!(parts_of(&packed(Form::HashListpackDeadlinesEarly, &beyond)).is_err());
}

#[test]
fn listpacks_read_back_what_was_written() {
    let mut random = Random::new(3);
    for _ in 0..3000 {
        let elements: Vec<String> = (0..1 + random.below(8))
            .map(|_| match random.below(3) {
                0 => {
                    let most = [10, 200, 20_000][random.below(3) as usize];
                    "z".repeat(random.below(most) as usize)
                }
                _ => ((random.next_u64() as i64) >> random.below(64)).to_string(),
            })
            .collect();
        let words: Vec<&str> = elements.iter().map(String::as_str).collect();
        let mut body = vec![Form::ListQuicklist2 as u8, 1, 2];
        put_bytes(&listpack(&words), &mut body);
        assert_eq!(parts_of(&body), Ok(elements));
    }
}

#[test]
fn a_set_that_is_out_of_order_or_names_a_member_twice_is_refused() {
    let ints = |members: &[i16]| {
        let mut blob = 2_u32.to_le_bytes().to_vec();
        blob.extend_from_slice(&(members.len() as u32).to_le_bytes());
        members.iter().for_each(|member| blob.extend_from_slice(&member.to_le_bytes()));
        packed(Form::SetIntset, &blob)
    };
    assert_eq!(parts_of(&ints(&[-2, 7])), Ok(vec!["-2".to_owned(), "7".to_owned()]));
    assert!(parts_of(&ints(&[7, -2])).is_err());
    assert!(parts_of(&ints(&[7, 7])).is_err());
    assert!(parts_of(&ints(&[])).is_err(), "no value is empty");
    assert!(parts_of(b"\x02\x02\x01a\x01a").is_err());
    assert!(parts_of(&packed(Form::SetListpack, &listpack(&["a", "a"]))).is_err());
    assert!(parts_of(&packed(Form::SetListpack, &listpack(&["a", "b"]))).is_ok());
}

#[test]
fn lengths_read_back_in_every_size() {
    for length in [0, 63, 64, 16_383, 16_384, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        let mut bytes = Vec::new();
        put_length(length, &mut bytes);
        let mut input = Input::new(&bytes, 0);
        assert_eq!(input.length(), Ok(length));
        assert_eq!(input.finish(), Ok(()));
    }
}

#[test]
fn strings_read_back_and_integers_are_short() {
    for (text, bytes) in [("0", 2), ("-128", 2), ("128", 3), ("-32769", 5), ("2147483647", 5)] {
        let mut out = Vec::new();
        put_text(text.as_bytes(), &mut out);
        assert_eq!(out.len(), bytes, "{text}");
    }
    for text in ["", "-0", "007", "2147483648", "-2147483648", "1.5", &"9".repeat(30)] {
        let mut out = Vec::new();
        put_text(text.as_bytes(), &mut out);
        let read = Input::new(&out, 100).text().expect("sound");
        assert_eq!(read.bytes(&mut itoa::Buffer::new()), text.as_bytes());
    }
    assert!(Input::new(b"\x05hello", 4).text().is_err(), "longer than a string may be");
}

#[test]
fn streams_read_back_what_was_written() {
    for form in [Form::Stream2, Form::Stream3] {
        let mut encoder = StreamEncoder::default();
        for number in 0..250_u64 {
            let value = "v".repeat(number as usize);
            let other = if number % 7 == 3 { "other" } else { "name" };
            let texts = [&b"f"[..], value.as_bytes(), other.as_bytes(), b"-17"];
            let fields = texts.map(Text::Slice);
            encoder.entry((number / 3, number), &fields);
        }
        let mut body = vec![form as u8];
        encoder.finish((900, 1), (800, 2), 1000, &mut body);
        put_length(1, &mut body);
        let pending = vec![((1, 4), 77, 2), ((2, 6), 78, 1)];
        let alice = ConsumerDraft { name: b"alice", seen: 5, active: None, pending: vec![(2, 6)] };
        let bob = ConsumerDraft { name: b"12", seen: 5, active: Some(4), pending: vec![(1, 4)] };
        let consumers = vec![alice, bob];
        let group = GroupDraft { name: b"g", last: (5, 0), read: Some(9), pending, consumers };
        put_group(form, &group, &mut body);
        let parts = parts_of(&body).expect("sound");
        assert_eq!(parts.len(), 250 + 1 + 1 + 2 + 2);
        assert!(parts[249].starts_with("(83, 249)"), "{}", parts[249]);
        assert_eq!(parts[251], "group g (5, 0) Known(9)");
        assert_eq!(parts[253], "alice has (2, 6) 1");
    }
}
