//! Sets. The rows stand here; the functions are kept by what they do: `members` (one set), `random`
//! (draws), `algebra` (several sets made one).

mod algebra;
mod members;
mod random;

use super::spec::{
    Arity, DENYOOM, FAST, Find, KeySpec, MOVABLE_KEYS, READONLY, Run, SET, Spec, WRITE,
};

pub const TABLE: &[Spec] = &[
    Spec {
        name: "SADD",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(members::sadd),
        since: "1.0.0",
        group: "set",
        summary: "Add one or more members to a set",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command \
             is called with multiple arguments.",
        examples: &[
            ("SADD s a b a", ":2\r\n"),
            ("SADD s a\nSADD s a", ":0\r\n"),
            ("SADD s 3 1 2\nSMEMBERS s", "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"),
            (
                "SET k v\nSADD k a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("SADD s", "-ERR wrong number of arguments for 'sadd' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SREM",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(members::srem),
        since: "1.0.0",
        group: "set",
        summary: "Remove one or more members from a set",
        complexity: "O(N) where N is the number of members to be removed.",
        examples: &[
            ("SADD s a b c\nSREM s a b x", ":2\r\n"),
            ("SADD s a\nSREM s a\nEXISTS s", ":0\r\n"),
            ("SREM s a", ":0\r\n"),
            ("SADD s 1 2 3\nSREM s 2 x\nSMEMBERS s", "*2\r\n$1\r\n1\r\n$1\r\n3\r\n"),
            (
                "SET k v\nSREM k a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SISMEMBER",
        arity: Arity::Exactly(3),
        flags: READONLY | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(members::sismember),
        since: "1.0.0",
        group: "set",
        summary: "Determine if a given value is a member of a set",
        examples: &[
            ("SADD s a\nSISMEMBER s a", ":1\r\n"),
            ("SADD s a\nSISMEMBER s b", ":0\r\n"),
            ("SADD s 1\nSISMEMBER s 01", ":0\r\n"),
            ("SISMEMBER s a", ":0\r\n"),
            (
                "SET k v\nSISMEMBER k a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SMISMEMBER",
        arity: Arity::AtLeast(3),
        flags: READONLY | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(members::smismember),
        since: "6.2.0",
        group: "set",
        summary: "Returns the membership associated with the given elements for a set",
        complexity: "O(N) where N is the number of elements being checked for membership",
        examples: &[
            ("SADD s a 7\nSMISMEMBER s a b 7", "*3\r\n:1\r\n:0\r\n:1\r\n"),
            ("SMISMEMBER s a b", "*2\r\n:0\r\n:0\r\n"),
            (
                "SET k v\nSMISMEMBER k a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SCARD",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(members::scard),
        since: "1.0.0",
        group: "set",
        summary: "Get the number of members in a set",
        examples: &[
            ("SCARD s", ":0\r\n"),
            ("SADD s a b\nSCARD s", ":2\r\n"),
            (
                "SET k v\nSCARD k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SMEMBERS",
        arity: Arity::Exactly(2),
        flags: READONLY,
        acl: SET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(members::smembers),
        tips: &["nondeterministic_output_order"],
        since: "1.0.0",
        group: "set",
        summary: "Get all the members in a set",
        complexity: "O(N) where N is the set cardinality.",
        examples: &[
            ("SMEMBERS s", "*0\r\n"),
            ("SADD s -5 70000 3\nSMEMBERS s", "*3\r\n$2\r\n-5\r\n$1\r\n3\r\n$5\r\n70000\r\n"),
            ("SADD s a\nSMEMBERS s", "*1\r\n$1\r\na\r\n"),
            (
                "SET k v\nSMEMBERS k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SPOP",
        arity: Arity::AtLeast(2),
        flags: WRITE | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"])],
        run: Run::Owner(random::spop),
        tips: &["nondeterministic_output"],
        since: "1.0.0",
        group: "set",
        summary: "Remove and return one or multiple random members from a set",
        complexity: "Without the count argument O(1), otherwise O(N) where N is the value of \
             the passed count.",
        examples: &[
            ("SPOP s", "$-1\r\n"),
            ("SPOP s 3", "*0\r\n"),
            ("SADD s a\nSPOP s", "$1\r\na\r\n"),
            ("SADD s a\nSPOP s\nEXISTS s", ":0\r\n"),
            ("SADD s a b c\nSPOP s 2\nSCARD s", ":1\r\n"),
            ("SADD s 1 2\nSPOP s 5", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
            ("SADD s 1 2\nSPOP s 5\nEXISTS s", ":0\r\n"),
            ("SADD s a\nSPOP s 0", "*0\r\n"),
            ("SPOP s -1", "-ERR value is out of range, must be positive\r\n"),
            ("SPOP s x", "-ERR value is out of range, must be positive\r\n"),
            ("SPOP s 1 2", "-ERR syntax error\r\n"),
            (
                "SET k v\nSPOP k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SRANDMEMBER",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: SET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(random::srandmember),
        tips: &["nondeterministic_output"],
        since: "1.0.0",
        group: "set",
        summary: "Get one or multiple random members from a set",
        complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute \
             value of the passed count.",
        examples: &[
            ("SRANDMEMBER s", "$-1\r\n"),
            ("SRANDMEMBER s 3", "*0\r\n"),
            ("SADD s a\nSRANDMEMBER s", "$1\r\na\r\n"),
            ("SADD s a\nSRANDMEMBER s -3", "*3\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n"),
            ("SADD s 1 2\nSRANDMEMBER s 5", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
            ("SADD s a\nSRANDMEMBER s 0", "*0\r\n"),
            ("SADD s a\nSRANDMEMBER s x", "-ERR value is not an integer or out of range\r\n"),
            (
                "SADD s a\nSRANDMEMBER s -9223372036854775808",
                "-ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807\r\n",
            ),
            ("SADD s a\nSRANDMEMBER s 9223372036854775807", "*1\r\n$1\r\na\r\n"),
            ("SRANDMEMBER s 1 2", "-ERR syntax error\r\n"),
            (
                "SET k v\nSRANDMEMBER k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SMOVE",
        arity: Arity::Exactly(4),
        flags: WRITE | FAST,
        acl: SET,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"]), KeySpec::at(2, &["RW", "insert"])],
        run: Run::Owner(members::smove),
        since: "1.0.0",
        group: "set",
        summary: "Move a member from one set to another",
        examples: &[
            ("SADD a x y\nSMOVE a b x", ":1\r\n"),
            ("SADD a x y\nSMOVE a b x\nSMEMBERS b", "*1\r\n$1\r\nx\r\n"),
            ("SADD a x\nSMOVE a b x\nEXISTS a", ":0\r\n"),
            ("SADD a x\nSMOVE a b z", ":0\r\n"),
            ("SMOVE a b x", ":0\r\n"),
            ("SADD a x\nSMOVE a a x", ":1\r\n"),
            (
                "SADD a x\nSET b v\nSMOVE a b x",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("SET b v\nSMOVE a b x", ":0\r\n"),
            ("SADD a x\nSADD b x\nSMOVE a b x\nSCARD b", ":1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SINTER",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: SET,
        keys: &[KeySpec::from(1, 1, &["RO", "access"])],
        run: Run::Owner(algebra::sinter),
        tips: &["nondeterministic_output_order"],
        since: "1.0.0",
        group: "set",
        summary: "Intersect multiple sets",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is \
             the number of sets.",
        examples: &[
            ("SADD a 1 2 3\nSADD b 2 3 4\nSINTER a b", "*2\r\n$1\r\n2\r\n$1\r\n3\r\n"),
            ("SADD a 1\nSINTER a b", "*0\r\n"),
            ("SADD a x 1\nSADD b x 2\nSINTER a b", "*1\r\n$1\r\nx\r\n"),
            ("SADD a 2 1\nSINTER a", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
            (
                "SADD a 1\nSET b v\nSINTER a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "SET b v\nSINTER a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SINTERSTORE",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM,
        acl: SET,
        keys: &[KeySpec::at(1, &["RW", "update"]), KeySpec::from(2, 1, &["RO", "access"])],
        run: Run::Owner(algebra::sinterstore),
        since: "1.0.0",
        group: "set",
        summary: "Intersect multiple sets and store the resulting set in a key",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is \
             the number of sets.",
        examples: &[
            ("SADD a 1 2 3\nSADD b 2 3 4\nSINTERSTORE c a b", ":2\r\n"),
            (
                "SADD a 1 2 3\nSADD b 2 3 4\nSINTERSTORE c a b\nSMEMBERS c",
                "*2\r\n$1\r\n2\r\n$1\r\n3\r\n",
            ),
            ("SET c v\nSADD a 1\nSINTERSTORE c a b", ":0\r\n"),
            ("SET c v\nSADD a 1\nSINTERSTORE c a b\nEXISTS c", ":0\r\n"),
            ("SET c v EX 100\nSADD a 1\nSINTERSTORE c a a\nTTL c", ":-1\r\n"),
            ("SADD a 1 2\nSADD b 2\nSINTERSTORE a a b\nSMEMBERS a", "*1\r\n$1\r\n2\r\n"),
            (
                "SET b v\nSINTERSTORE c a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SINTERCARD",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::sintercard),
        since: "7.0.0",
        group: "set",
        summary: "Intersect multiple sets and return the cardinality of the result",
        complexity: "O(N*M) worst case where N is the cardinality of the smallest set and M is \
             the number of sets.",
        examples: &[
            ("SADD a 1 2 3\nSADD b 2 3 4\nSINTERCARD 2 a b", ":2\r\n"),
            ("SADD a 1 2 3\nSADD b 2 3 4\nSINTERCARD 2 a b LIMIT 1", ":1\r\n"),
            ("SADD a 1 2 3\nSADD b 2 3 4\nSINTERCARD 2 a b limit 0", ":2\r\n"),
            ("SINTERCARD 1 a", ":0\r\n"),
            ("SINTERCARD 0 a", "-ERR numkeys should be greater than 0\r\n"),
            ("SINTERCARD x a", "-ERR numkeys should be greater than 0\r\n"),
            ("SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args\r\n"),
            ("SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative\r\n"),
            ("SINTERCARD 1 a LIMIT x", "-ERR LIMIT can't be negative\r\n"),
            ("SINTERCARD 1 a LIMIT", "-ERR syntax error\r\n"),
            ("SINTERCARD 1 a b", "-ERR syntax error\r\n"),
            (
                "SET a v\nSINTERCARD 1 a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SUNION",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: SET,
        keys: &[KeySpec::from(1, 1, &["RO", "access"])],
        run: Run::Owner(algebra::sunion),
        tips: &["nondeterministic_output_order"],
        since: "1.0.0",
        group: "set",
        summary: "Add multiple sets",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        examples: &[
            ("SADD a 1 2\nSADD b 3 2\nSUNION a b none", "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"),
            ("SUNION a b", "*0\r\n"),
            ("SADD a x\nSUNION a a", "*1\r\n$1\r\nx\r\n"),
            (
                "SET b v\nSUNION a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SUNIONSTORE",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM,
        acl: SET,
        keys: &[KeySpec::at(1, &["OW", "update"]), KeySpec::from(2, 1, &["RO", "access"])],
        run: Run::Owner(algebra::sunionstore),
        since: "1.0.0",
        group: "set",
        summary: "Add multiple sets and store the resulting set in a key",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        examples: &[
            ("SADD a 1 2\nSADD b 3 x\nSUNIONSTORE c a b", ":4\r\n"),
            (
                "SADD a 1 2\nSADD b 3\nSUNIONSTORE a a b\nSMEMBERS a",
                "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n",
            ),
            ("SADD c x\nSUNIONSTORE c a b\nEXISTS c", ":0\r\n"),
            (
                "SET b v\nSUNIONSTORE c a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SDIFF",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: SET,
        keys: &[KeySpec::from(1, 1, &["RO", "access"])],
        run: Run::Owner(algebra::sdiff),
        tips: &["nondeterministic_output_order"],
        since: "1.0.0",
        group: "set",
        summary: "Subtract multiple sets",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        examples: &[
            ("SADD a 1 2 3\nSADD b 2\nSADD c 3 9\nSDIFF a b c none", "*1\r\n$1\r\n1\r\n"),
            ("SADD b 1\nSDIFF a b", "*0\r\n"),
            ("SADD a 1 2\nSDIFF a", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
            ("SADD a 1\nSDIFF a a", "*0\r\n"),
            (
                "SET b v\nSDIFF a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SDIFFSTORE",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM,
        acl: SET,
        keys: &[KeySpec::at(1, &["OW", "update"]), KeySpec::from(2, 1, &["RO", "access"])],
        run: Run::Owner(algebra::sdiffstore),
        since: "1.0.0",
        group: "set",
        summary: "Subtract multiple sets and store the resulting set in a key",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        examples: &[
            ("SADD a 1 2 3\nSADD b 2\nSDIFFSTORE c a b", ":2\r\n"),
            (
                "SADD a 1 2 3\nSADD b 2\nSDIFFSTORE a a b\nSMEMBERS a",
                "*2\r\n$1\r\n1\r\n$1\r\n3\r\n",
            ),
            ("SET c v\nSDIFFSTORE c a b\nEXISTS c", ":0\r\n"),
            (
                "SET b v\nSDIFFSTORE c a b",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SUNIONCARD",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::sunioncard),
        since: "8.10.0",
        group: "set",
        summary: "Count the members of the union of multiple sets",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        examples: &[
            ("SADD a 1 2\nSADD b 3 2\nSUNIONCARD 2 a b", ":3\r\n"),
            ("SADD a 1 2\nSUNIONCARD 1 a LIMIT 1", ":1\r\n"),
            ("SUNIONCARD 0 a", "-ERR numkeys should be greater than 0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SDIFFCARD",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::sdiffcard),
        since: "8.10.0",
        group: "set",
        summary: "Count the members of the difference of multiple sets",
        complexity: "O(N) where N is the total number of elements in all given sets.",
        examples: &[
            ("SADD a 1 2 3\nSADD b 3 9\nSDIFFCARD 2 a b", ":2\r\n"),
            ("SADD a 1 2 3\nSDIFFCARD 1 a LIMIT 2", ":2\r\n"),
            ("SDIFFCARD 2 a", "-ERR Number of keys can't be greater than number of args\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SSCAN",
        arity: Arity::AtLeast(3),
        flags: READONLY,
        acl: SET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(members::sscan),
        tips: &["nondeterministic_output"],
        since: "2.8.0",
        group: "set",
        summary: "Incrementally iterate Set elements",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough \
             command calls for the cursor to return back to 0. N is the number of \
             elements inside the collection..",
        examples: &[
            ("SSCAN s 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
            (
                "SADD s 1 2 33\nSSCAN s 0",
                "*2\r\n$1\r\n0\r\n*3\r\n$1\r\n1\r\n$1\r\n2\r\n$2\r\n33\r\n",
            ),
            ("SADD s 1 2 33\nSSCAN s 0 COUNT 100 MATCH 3*", "*2\r\n$1\r\n0\r\n*1\r\n$2\r\n33\r\n"),
            ("SADD s a\nSSCAN s x", "-ERR invalid cursor\r\n"),
            ("SADD s a\nSSCAN s 0 COUNT 0", "-ERR syntax error\r\n"),
            ("SADD s a\nSSCAN s 0 COUNT x", "-ERR value is not an integer or out of range\r\n"),
            ("SADD s a\nSSCAN s 0 NOVALUES", "-ERR syntax error\r\n"),
            ("SSCAN s 0 FOO", "*2\r\n$1\r\n0\r\n*0\r\n"),
            (
                "SET k v\nSSCAN k 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
];

#[cfg(test)]
mod tests;
