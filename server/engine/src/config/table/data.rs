//! Databases, sizes of keys and values, encodings, and events about keys.

use super::super::value::Kind;
use super::{COUNT, INT, MEMORY, OptionRow, field};

const MIB: u64 = 1 << 20;

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new("databases", Kind::Integer { min: 1, max: 256 }, "16", field!(databases))
        .at_start()
        .says("Databases that SELECT can choose from, outside cluster mode"),
    OptionRow::new(
        "max-key-bytes",
        Kind::Integer { min: 512, max: 65_535 },
        "65535",
        field!(max_key_bytes),
    )
    .says("Longest key; a command with a longer one is refused"),
    OptionRow::new(
        "value-soft-bytes",
        Kind::Bytes { min: 1024, max: 512 * MIB },
        "1mb",
        field!(value_soft_bytes),
    )
    .says("(no effect yet) A value above this size is counted and mentioned in the log"),
    OptionRow::new(
        "value-hard-bytes",
        Kind::Bytes { min: 1024, max: 512 * MIB },
        "100mb",
        field!(value_hard_bytes),
    )
    .says("Largest string value or element, however it grew; more is refused"),
    OptionRow::new("notify-keyspace-events", Kind::Notify, "", field!(notify))
        .says("Events about keys that are published: K or E, and classes of Ag$lshzxetdmn"),
    OptionRow::new("hash-max-listpack-entries", COUNT, "512", field!(hash_max_listpack_entries))
        .alias("hash-max-ziplist-entries")
        .says("Fields up to which a hash stays packed"),
    OptionRow::new("hash-max-listpack-value", MEMORY, "64", field!(hash_max_listpack_value_bytes))
        .alias("hash-max-ziplist-value")
        .says("Longest field or value of a packed hash"),
    OptionRow::new(
        "list-max-listpack-size",
        Kind::Integer { min: i32::MIN as i64, max: i32::MAX as i64 },
        "-2",
        field!(list_max_listpack_size),
    )
    .alias("list-max-ziplist-size")
    .says("Size of a packed piece of a list: elements, or -1 to -5 for 4 to 64 KiB"),
    OptionRow::new("list-compress-depth", INT, "0", field!(list_compress_depth))
        .says("(no effect yet) Pieces at each end of a list that stay uncompressed"),
    OptionRow::new("set-max-intset-entries", COUNT, "512", field!(set_max_intset_entries))
        .says("Members up to which a set of integers stays packed"),
    OptionRow::new("set-max-listpack-entries", COUNT, "128", field!(set_max_listpack_entries))
        .says("Members up to which a set stays packed"),
    OptionRow::new("set-max-listpack-value", MEMORY, "64", field!(set_max_listpack_value_bytes))
        .says("Longest member of a packed set"),
    OptionRow::new("zset-max-listpack-entries", COUNT, "128", field!(zset_max_listpack_entries))
        .alias("zset-max-ziplist-entries")
        .says("Members up to which a sorted set stays packed"),
    OptionRow::new("zset-max-listpack-value", MEMORY, "64", field!(zset_max_listpack_value_bytes))
        .alias("zset-max-ziplist-value")
        .says("Longest member of a packed sorted set"),
    OptionRow::new("hll-sparse-max-bytes", MEMORY, "3000", field!(hll_sparse_max_bytes))
        .says("Size up to which a HyperLogLog stays sparse"),
    OptionRow::new("stream-node-max-bytes", MEMORY, "4096", field!(stream_node_max_bytes))
        .says("Size of a packed piece of a stream; 0 sets no limit"),
    OptionRow::new("stream-node-max-entries", COUNT, "100", field!(stream_node_max_entries))
        .says("Entries in a packed piece of a stream; 0 sets no limit"),
];
