use crate::base::random::Random;
use crate::shard::testing::TestNode;

/// The bits of a string as Redis counts them.
fn bit(string: &[bool], at: usize) -> bool {
    string.get(at).copied().unwrap_or(false)
}

#[test]
fn bits_set_one_by_one_are_the_bits_that_are_found() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut node = TestNode::new(1);
        let mut model: Vec<bool> = Vec::new();
        for step in 0..200 {
            let at = random.below(300) as usize;
            let on = random.below(2) == 1;
            let old = bit(&model, at);
            model.resize(model.len().max(at / 8 * 8 + 8), false);
            model[at] = on;
            let said = node.run(&format!("SETBIT k {at} {}", u8::from(on)));
            assert_eq!(said, format!(":{}\r\n", u8::from(old)), "seed {seed}, step {step}");
            let probe = random.below(400) as usize;
            let said = node.run(&format!("GETBIT k {probe}"));
            assert_eq!(said, format!(":{}\r\n", u8::from(bit(&model, probe))), "seed {seed}");
        }
        let ones = model.iter().filter(|&&on| on).count();
        assert_eq!(node.run("BITCOUNT k"), format!(":{ones}\r\n"), "seed {seed}");
        let first = model.iter().position(|&on| on).map_or(-1, |at| at as i64);
        assert_eq!(node.run("BITPOS k 1"), format!(":{first}\r\n"), "seed {seed}");
        assert_eq!(node.run("STRLEN k"), format!(":{}\r\n", model.len() / 8), "seed {seed}");
    }
}

/// The number a field holds, bit by bit.
fn field_of(model: &[bool], signed: bool, bits: usize, offset: usize) -> i128 {
    let raw = (offset..offset + bits).fold(0_i128, |n, at| n << 1 | i128::from(bit(model, at)));
    if signed && bit(model, offset) { raw - (1 << bits) } else { raw }
}

#[test]
fn fields_hold_the_numbers_arithmetic_gives() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut node = TestNode::new(1);
        let mut model: Vec<bool> = Vec::new();
        for step in 0..100 {
            let signed = random.below(2) == 1;
            let bits = 1 + random.below(if signed { 64 } else { 63 }) as usize;
            let offset = random.below(200) as usize;
            let by = random.next_u64() as i64 >> random.below(64);
            let overflow = ["WRAP", "SAT", "FAIL"][random.below(3) as usize];
            let shape = format!("{}{bits}", if signed { 'i' } else { 'u' });
            let said =
                node.run(&format!("BITFIELD k OVERFLOW {overflow} INCRBY {shape} {offset} {by}"));

            model.resize(model.len().max((offset + bits).div_ceil(8) * 8), false);
            let old = field_of(&model, signed, bits, offset);
            let (min, max) = if signed {
                (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
            } else {
                (0, (1 << bits) - 1)
            };
            let sum = old + i128::from(by);
            let new = match overflow {
                _ if (min..=max).contains(&sum) => Some(sum),
                "WRAP" => Some((sum - min).rem_euclid(1 << bits) + min),
                "SAT" => Some(sum.clamp(min, max)),
                _ => None,
            };
            let expected = new.map_or("$-1".to_owned(), |new| format!(":{new}"));
            assert_eq!(said, format!("*1\r\n{expected}\r\n"), "seed {seed}, step {step}");
            let new = new.unwrap_or(old);
            for at in 0..bits {
                model[offset + at] = new >> (bits - 1 - at) & 1 == 1;
            }
        }
        assert_eq!(node.run("STRLEN k"), format!(":{}\r\n", model.len() / 8), "seed {seed}");
        let ones = model.iter().filter(|&&on| on).count();
        assert_eq!(node.run("BITCOUNT k"), format!(":{ones}\r\n"), "seed {seed}");
    }
}

#[test]
fn every_operation_on_several_strings_is_what_each_bit_says() {
    let operations = ["AND", "OR", "XOR", "DIFF", "DIFF1", "ANDOR", "ONE"];
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut node = TestNode::new(1 + random.below(3) as u16);
        let count = 2 + random.below(3) as usize;
        let keys: Vec<String> = (0..count).map(|at| format!("k{at}")).collect();
        let mut sources: Vec<Vec<u8>> = Vec::new();
        for key in &keys {
            let bytes: Vec<u8> = (0..random.below(12)).map(|_| random.next_u64() as u8).collect();
            let text: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            node.run(&format!("SET {key} \"{text}\""));
            sources.push(bytes);
        }
        let length = sources.iter().map(Vec::len).max().unwrap_or(0);
        for operation in operations {
            let said = node.run(&format!("BITOP {operation} d {}", keys.join(" ")));
            assert_eq!(said, format!(":{length}\r\n"), "seed {seed}, {operation}");
            for at in 0..length * 8 {
                let bits: Vec<bool> = sources
                    .iter()
                    .map(|s| s.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1))
                    .collect();
                let (first, ones) = (bits[0], bits.iter().filter(|&&on| on).count());
                let others = bits[1..].iter().any(|&on| on);
                let expected = match operation {
                    "AND" => ones == count,
                    "OR" => ones > 0,
                    "XOR" => ones % 2 == 1,
                    "DIFF" => first && !others,
                    "DIFF1" => !first && others,
                    "ANDOR" => first && others,
                    _ => ones == 1,
                };
                let said = node.run(&format!("GETBIT d {at}"));
                let expected = format!(":{}\r\n", u8::from(expected));
                assert_eq!(said, expected, "seed {seed}, {operation}, bit {at}");
            }
        }
    }
}

#[test]
fn no_offset_reaches_beyond_the_longest_string() {
    let mut node =
        TestNode::with_config(1, &[("value-hard-bytes", "1024"), ("value-soft-bytes", "1024")]);
    assert_eq!(node.run("SETBIT k 8191 1"), ":0\r\n");
    let beyond = "-ERR bit offset is not an integer or out of range\r\n";
    assert_eq!(node.run("SETBIT k 8192 1"), beyond);
    assert_eq!(node.run("BITFIELD k GET u8 8192"), beyond);
    assert_eq!(node.run("BITFIELD k SET u8 #9223372036854775807 1"), beyond);
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    assert_eq!(node.run("BITFIELD k SET u8 8190 1"), too_long);
    assert_eq!(node.run("STRLEN k"), ":1024\r\n");
}

#[test]
fn a_bit_that_is_already_so_leaves_no_trace() {
    let mut node = TestNode::new(1);
    node.run("SETBIT k 7 1");
    let before = node.shards[0].core.effects.changes();
    node.run("SETBIT k 7 1");
    node.run("BITFIELD k SET u8 0 1 INCRBY u8 0 0 GET u8 0");
    assert_eq!(node.shards[0].core.effects.changes(), before);
    node.run("SETBIT k 15 0");
    assert_eq!(node.shards[0].core.effects.changes(), before + 1, "it grew");
}
