use super::*;

#[test]
fn a_word_keeps_its_three_parts_apart() {
    let handle = Handle::from_bits((1 << 36) - 1);
    let word = word::new(0xabcd, 0, handle);
    assert_eq!((word::hash16(word), word::due(word), word::handle(word)), (0xabcd, 0, handle));
    let due = word::with_due(word, 0xfff);
    assert_eq!((word::hash16(due), word::due(due), word::handle(due)), (0xabcd, 0xfff, handle));
    assert_eq!(word::with_due(due, 0), word);
}

#[test]
fn homes_keep_the_order_of_hashes_at_every_size() {
    for buckets in 1..200 {
        let homes: Vec<usize> = (0..=255u16).map(|high| home(buckets, high << 8 | 0x80)).collect();
        assert!(homes.is_sorted());
        assert!(homes.iter().all(|home| *home < buckets));
    }
}

#[test]
fn matching_finds_every_word_with_the_hash_and_no_other() {
    let handle = Handle::from_bits(1);
    let bucket: Bucket =
        [7, 8, 7, 0xffff, 7, 0, 0x7fff, 7].map(|hash16| word::new(hash16, 0xfff, handle));
    assert_eq!(matching(&bucket, 7), 0b1001_0101);
    assert_eq!(matching(&bucket, 0xffff), 0b0000_1000);
    assert_eq!(matching(&bucket, 0), 0b0010_0000);
    assert_eq!(matching(&bucket, 9), 0);
}
