//! HyperLogLog commands. The rows stand here; `change` holds PFADD and PFMERGE, `read` PFCOUNT,
//! `debug` what only tests of the format ask for. The sketch is an ordinary string whose bytes
//! `value::hyperloglog` knows.

mod change;
mod debug;
mod read;

use super::error::CommandError;
use super::spec::{ADMIN, Arity, DENYOOM, FAST, HYPERLOGLOG, KeySpec, READONLY, Run, Spec, WRITE};
use crate::value::hyperloglog::{Corrupted, Sketch};

const NO_SKETCH: CommandError =
    CommandError::Said("WRONGTYPE Key is not a valid HyperLogLog string value.");

impl From<Corrupted> for CommandError {
    fn from(_: Corrupted) -> CommandError {
        CommandError::Said("INVALIDOBJ Corrupted HLL object detected")
    }
}

fn sketch(string: &[u8]) -> Result<Sketch<'_>, CommandError> {
    Sketch::of(string).ok_or(NO_SKETCH)
}

pub const TABLE: &[Spec] = &[
    Spec {
        name: "PFADD",
        arity: Arity::AtLeast(2),
        flags: WRITE | DENYOOM | FAST,
        acl: HYPERLOGLOG,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(change::pfadd),
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Adds the specified elements to the specified HyperLogLog.",
        complexity: "O(1) to add every element.",
        examples: &[
            ("PFADD k", ":1\r\n"),
            ("PFADD k\nPFADD k", ":0\r\n"),
            ("PFADD k a b c", ":1\r\n"),
            ("PFADD k a\nPFADD k a", ":0\r\n"),
            ("PFADD k a b\nPFADD k b c", ":1\r\n"),
            ("PFADD k\nSTRLEN k", ":18\r\n"),
            ("PFADD k a\nOBJECT ENCODING k", "$3\r\nraw\r\n"),
            ("PFADD k a b c\nGETRANGE k 0 3", "$4\r\nHYLL\r\n"),
            ("SET k v\nPFADD k a", "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n"),
            ("SET k 1\nPFADD k a", "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n"),
            ("SET k v PXAT 4102444800000\nDEL k\nPFADD k a\nPTTL k", ":-1\r\n"),
            (
                "SET k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x80\"\n\
             PFADD k a",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PFCOUNT",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: HYPERLOGLOG,
        keys: &[KeySpec::from(1, 1, &["RW", "access"]).noted(
            "RW because it may change the internal representation of the key, and \
                    propagate to replicas",
        )],
        run: Run::Owner(read::pfcount),
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Return the approximated cardinality of the set(s) observed by the \
                     HyperLogLog at key(s).",
        complexity: "O(1) with a very small average constant time when called with a single \
                        key. O(N) with N being the number of keys, and much bigger constant \
                        times, when called with multiple keys.",
        examples: &[
            ("PFCOUNT k", ":0\r\n"),
            ("PFADD k a b c\nPFCOUNT k", ":3\r\n"),
            ("PFADD k a b c a b c\nPFCOUNT k\nPFADD k d\nPFCOUNT k", ":4\r\n"),
            ("PFADD a 1 2 3\nPFADD b 3 4 5\nPFCOUNT a b", ":5\r\n"),
            ("PFADD a 1 2 3\nPFCOUNT a none", ":3\r\n"),
            ("PFCOUNT a b", ":0\r\n"),
            ("SET k v\nPFCOUNT k", "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n"),
            (
                "PFADD a x\nSET k HYLL\nPFCOUNT a k",
                "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n",
            ),
            (
                "SET k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"\n\
             PFCOUNT k",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
            (
                "SET k \
             \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff\\x80\
             \"\nPFCOUNT k",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
            (
                "SET k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"\n\
             PFCOUNT k none",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
            (
                "SET k \
             \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\\xff\"\n\
             PFCOUNT k",
                ":0\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PFMERGE",
        arity: Arity::AtLeast(2),
        flags: WRITE | DENYOOM,
        acl: HYPERLOGLOG,
        keys: &[
            KeySpec::at(1, &["RW", "access", "insert"]),
            KeySpec::from(2, 1, &["RO", "access"]),
        ],
        run: Run::Owner(change::pfmerge),
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Merge N different HyperLogLogs into a single one.",
        complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
        examples: &[
            ("PFMERGE d", "+OK\r\n"),
            ("PFMERGE d\nSTRLEN d", ":18\r\n"),
            ("PFADD a 1 2 3\nPFADD b 3 4 5\nPFMERGE d a b\nPFCOUNT d", ":5\r\n"),
            ("PFADD d 9\nPFADD a 1 2 3\nPFMERGE d a none\nPFCOUNT d", ":4\r\n"),
            ("PFADD a 1\nPFMERGE a a", "+OK\r\n"),
            (
                "PFADD a 1\nSET b v\nPFMERGE d a b",
                "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n",
            ),
            ("SET d v\nPFMERGE d a", "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n"),
            (
                "SET k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"\n\
             PFMERGE d k",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PFDEBUG",
        arity: Arity::Exactly(3),
        flags: WRITE | DENYOOM | ADMIN,
        acl: HYPERLOGLOG,
        keys: &[KeySpec::at(2, &["RW", "access"])],
        run: Run::Owner(debug::pfdebug),
        since: "2.8.9",
        group: "hyperloglog",
        summary: "Internal commands for debugging HyperLogLog values",
        complexity: "N/A",
        examples: &[
            ("PFADD k a b c\nPFDEBUG ENCODING k", "+sparse\r\n"),
            (
                "PFADD k a b c\nPFDEBUG DECODE k",
                "$44\r\nZ:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603\r\n",
            ),
            ("PFADD k a\nPFDEBUG TODENSE k", ":1\r\n"),
            ("PFADD k a\nPFDEBUG TODENSE k\nPFDEBUG TODENSE k", ":0\r\n"),
            ("PFADD k a\nPFDEBUG TODENSE k\nSTRLEN k", ":12304\r\n"),
            (
                "PFADD k a\nPFDEBUG TODENSE k\nPFDEBUG DECODE k",
                "-ERR HLL encoding is not sparse\r\n",
            ),
            ("PFADD k a\nPFDEBUG TODENSE k\nPFDEBUG ENCODING k", "+dense\r\n"),
            ("PFADD k a\nPFDEBUG GETREG k", "*16384\r\n:0\r\n*"),
            ("PFDEBUG ENCODING k", "-ERR The specified key does not exist\r\n"),
            ("PFADD k a\nPFDEBUG FOO k", "-ERR Unknown PFDEBUG subcommand 'FOO'\r\n"),
            (
                "SET k v\nPFDEBUG ENCODING k",
                "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n",
            ),
            (
                "SET k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"\n\
             PFDEBUG TODENSE k",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
            (
                "SET k \"HYLL\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x80\\x7f\"\n\
             PFDEBUG GETREG k",
                "-INVALIDOBJ Corrupted HLL object detected\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PFSELFTEST",
        arity: Arity::Exactly(1),
        flags: ADMIN,
        acl: HYPERLOGLOG,
        run: Run::Here(debug::pfselftest),
        since: "2.8.9",
        group: "hyperloglog",
        summary: "An internal command for testing HyperLogLog values",
        complexity: "N/A",
        examples: &[("PFSELFTEST", "+OK\r\n")],
        ..Spec::ROW
    },
];

#[cfg(test)]
mod tests;
