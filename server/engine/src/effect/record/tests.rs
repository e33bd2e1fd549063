use super::super::Gone;
use super::*;

fn delete(key: &[u8]) -> Effect<'_> {
    Effect::Delete { db: 0, key, gone: Gone::Deleted }
}

/// A record's part, and number and key of its effects.
type Said = (Option<Part>, Vec<(u64, Vec<u8>)>);

fn all(mut bytes: &[u8]) -> Vec<Said> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = first_record(bytes).expect("our own bytes");
        let mut effects = Vec::new();
        let each = |placed: Placed<'_>| {
            effects.push((placed.sequence, placed.effect.key().unwrap_or(b"").to_vec()));
        };
        record.for_each(each).expect("our own effects");
        found.push((record.part, effects));
        bytes = rest;
    }
    found
}

fn taken(records: &mut Records) -> Vec<u8> {
    let mut bytes = Vec::new();
    records.seal();
    records.take(records.end(), &mut bytes);
    bytes
}

#[test]
fn what_is_sealed_together_is_one_record_and_slots_are_numbered_without_a_gap() {
    let mut records = Records::default();
    records.add(&delete(b"a"));
    records.add(&delete(b"b"));
    records.seal();
    records.add(&delete(b"a"));
    records.add(&Effect::Flush { db: None });
    let bytes = taken(&mut records);

    let group = |effects: &[(u64, &[u8])]| {
        (None, effects.iter().map(|(number, key)| (*number, key.to_vec())).collect())
    };
    assert_eq!(all(&bytes), [group(&[(1, b"a"), (1, b"b")]), group(&[(2, b"a"), (0, b"")])]);
    assert_eq!(records.end(), bytes.len() as u64);
}

#[test]
fn a_transactions_steps_are_one_part_numbered_where_it_stands() {
    let mut records = Records::default();
    records.begin_step();
    records.add(&delete(b"a"));
    records.seal();
    records.add(&delete(b"a"));
    let mut effects = records.end_step();
    records.add(&delete(b"a"));
    records.begin_step();
    records.add(&delete(b"b"));
    effects.extend(records.end_step());
    let part = Part { ticket: 7, members: vec![0, 3], locked: true };
    records.add_part(Some(&part), &effects);
    records.add_part(None, &[]);
    let bytes = taken(&mut records);

    let found = all(&bytes);
    assert_eq!(found.len(), 2, "an empty transaction of one core is nothing");
    assert_eq!(found[0].1, [(1, b"a".to_vec())]);
    assert_eq!(found[1].0, Some(part));
    assert_eq!(found[1].1, [(2, b"a".to_vec()), (3, b"a".to_vec()), (1, b"b".to_vec())]);
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_record_is_noticed() {
    let mut records = Records::default();
    records.add(&Effect::Put {
        db: 1,
        key: b"some key",
        kind: crate::value::Kind::Hash,
        edits: &[1, 0, 0, 0, 7],
        expiry: Some(crate::base::time::UnixMillis(5)),
    });
    let mut bytes = taken(&mut records);
    for cut in 0..bytes.len() {
        assert!(matches!(first_record(&bytes[..cut]), Err(Unreadable::Short(_))), "cut at {cut}");
    }
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(first_record(&bytes).is_err(), "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn numbering_goes_on_where_an_earlier_log_ended() {
    let slot = Slot::of_key(b"a");
    let mut records = Records::default();
    records.resume(slot, 41);
    records.resume(slot, 7);
    records.add(&delete(b"a"));
    assert_eq!(all(&taken(&mut records)), [(None, vec![(42, b"a".to_vec())])]);
}
