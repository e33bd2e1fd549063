//! Hashes. The rows stand here; the functions are kept by what they do: `read`, `write`, `deadline`
//! (fields that expire), `extended` (values and deadlines at once). `live` is how all of them see a
//! hash, `fields` reads the field lists of the newer commands,
//! `sweep` is called by upkeep.

mod deadline;
mod extended;
mod fields;
mod live;
mod read;
mod sweep;
mod write;

pub use sweep::sweep;

use super::spec::{Arity, DENYOOM, FAST, HASH, KeySpec, READONLY, Run, Spec, WRITE};

pub const TABLE: &[Spec] = &[
    Spec {
        name: "HSET",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(write::hset),
        since: "2.0.0",
        group: "hash",
        summary: "Set the string value of a hash field",
        complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs \
             when the command is called with multiple field/value pairs.",
        examples: &[
            ("HSET h f v", ":1\r\n"),
            ("HSET h f v g w f x", ":2\r\n"),
            ("HSET h f v\nHSET h f w\nHGET h f", "$1\r\nw\r\n"),
            ("HSET h f v g", "-ERR wrong number of arguments for 'hset' command\r\n"),
            (
                "SET k v\nHSET k f v",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HSETNX",
        arity: Arity::Exactly(4),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(write::hsetnx),
        since: "2.0.0",
        group: "hash",
        summary: "Set the value of a hash field, only if the field does not exist",
        examples: &[
            ("HSETNX h f v", ":1\r\n"),
            ("HSET h f v\nHSETNX h f w", ":0\r\n"),
            ("HSET h f v\nHSETNX h f w\nHGET h f", "$1\r\nv\r\n"),
            (
                "SET k v\nHSETNX k f v",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HMSET",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(write::hmset),
        since: "2.0.0",
        group: "hash",
        summary: "Set multiple hash fields to multiple values",
        complexity: "O(N) where N is the number of fields being set.",
        examples: &[
            ("HMSET h f v g w", "+OK\r\n"),
            ("HMSET h f v g", "-ERR wrong number of arguments for 'hmset' command\r\n"),
            (
                "SET k v\nHMSET k f v",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HGET",
        arity: Arity::Exactly(3),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hget),
        since: "2.0.0",
        group: "hash",
        summary: "Get the value of a hash field",
        examples: &[
            ("HGET h f", "$-1\r\n"),
            ("HSET h f v\nHGET h f", "$1\r\nv\r\n"),
            ("HSET h f \"\"\nHGET h f", "$0\r\n\r\n"),
            ("HSET h f v\nHGET h g", "$-1\r\n"),
            (
                "SET k v\nHGET k f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HMGET",
        arity: Arity::AtLeast(3),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hmget),
        since: "2.0.0",
        group: "hash",
        summary: "Get the values of all the given hash fields",
        complexity: "O(N) where N is the number of fields being requested.",
        examples: &[
            ("HSET h f v\nHMGET h f g f", "*3\r\n$1\r\nv\r\n$-1\r\n$1\r\nv\r\n"),
            ("HMGET h f g", "*2\r\n$-1\r\n$-1\r\n"),
            (
                "SET k v\nHMGET k f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HDEL",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(write::hdel),
        since: "2.0.0",
        group: "hash",
        summary: "Delete one or more hash fields",
        complexity: "O(N) where N is the number of fields to be removed.",
        examples: &[
            ("HSET h f v g w\nHDEL h f x f", ":1\r\n"),
            ("HDEL h f", ":0\r\n"),
            ("HSET h f v\nHDEL h f\nEXISTS h", ":0\r\n"),
            (
                "SET k v\nHDEL k f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HEXISTS",
        arity: Arity::Exactly(3),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(read::hexists),
        since: "2.0.0",
        group: "hash",
        summary: "Determine if a hash field exists",
        examples: &[
            ("HSET h f v\nHEXISTS h f", ":1\r\n"),
            ("HSET h f v\nHEXISTS h g", ":0\r\n"),
            ("HEXISTS h f", ":0\r\n"),
            (
                "SET k v\nHEXISTS k f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HLEN",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(read::hlen),
        since: "2.0.0",
        group: "hash",
        summary: "Get the number of fields in a hash",
        examples: &[
            ("HLEN h", ":0\r\n"),
            ("HSET h f v g w\nHLEN h", ":2\r\n"),
            (
                "SET k v\nHLEN k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HSTRLEN",
        arity: Arity::Exactly(3),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(read::hstrlen),
        since: "3.2.0",
        group: "hash",
        summary: "Get the length of the value of a hash field",
        examples: &[
            ("HSET h f hello\nHSTRLEN h f", ":5\r\n"),
            ("HSTRLEN h f", ":0\r\n"),
            ("HSET h f v\nHSTRLEN h g", ":0\r\n"),
            (
                "SET k v\nHSTRLEN k f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HKEYS",
        arity: Arity::Exactly(2),
        flags: READONLY,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hkeys),
        tips: &["nondeterministic_output_order"],
        since: "2.0.0",
        group: "hash",
        summary: "Get all the fields in a hash",
        complexity: "O(N) where N is the size of the hash.",
        examples: &[
            ("HKEYS h", "*0\r\n"),
            ("HSET h b 1 a 2\nHKEYS h", "*2\r\n$1\r\nb\r\n$1\r\na\r\n"),
            (
                "SET k v\nHKEYS k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HVALS",
        arity: Arity::Exactly(2),
        flags: READONLY,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hvals),
        tips: &["nondeterministic_output_order"],
        since: "2.0.0",
        group: "hash",
        summary: "Get all the values in a hash",
        complexity: "O(N) where N is the size of the hash.",
        examples: &[
            ("HVALS h", "*0\r\n"),
            ("HSET h b 1 a 2\nHVALS h", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
            (
                "SET k v\nHVALS k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HGETALL",
        arity: Arity::Exactly(2),
        flags: READONLY,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hgetall),
        tips: &["nondeterministic_output_order"],
        since: "2.0.0",
        group: "hash",
        summary: "Get all the fields and values in a hash",
        complexity: "O(N) where N is the size of the hash.",
        examples: &[
            ("HGETALL h", "*0\r\n"),
            ("HSET h b 1 a 2\nHGETALL h", "*4\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n"),
            (
                "HSET h a 1 b 2\nHSET h a 3\nHGETALL h",
                "*4\r\n$1\r\na\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            (
                "SET k v\nHGETALL k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HINCRBY",
        arity: Arity::Exactly(4),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "access", "update"])],
        run: Run::Owner(write::hincrby),
        since: "2.0.0",
        group: "hash",
        summary: "Increment the integer value of a hash field by the given number",
        examples: &[
            ("HINCRBY h f 5", ":5\r\n"),
            ("HSET h f 5\nHINCRBY h f -7", ":-2\r\n"),
            ("HSET h f v\nHINCRBY h f 1", "-ERR hash value is not an integer\r\n"),
            (
                "HSET h f 9223372036854775807\nHINCRBY h f 1",
                "-ERR increment or decrement would overflow\r\n",
            ),
            ("HINCRBY h f x", "-ERR value is not an integer or out of range\r\n"),
            (
                "SET k v\nHINCRBY k f 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("SET k v\nHINCRBY k f x", "-ERR value is not an integer or out of range\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HINCRBYFLOAT",
        arity: Arity::Exactly(4),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "access", "update"])],
        run: Run::Owner(write::hincrbyfloat),
        since: "2.6.0",
        group: "hash",
        summary: "Increment the float value of a hash field by the given amount",
        examples: &[
            ("HINCRBYFLOAT h f 0.1", "$3\r\n0.1\r\n"),
            ("HSET h f 10.50\nHINCRBYFLOAT h f 0.1", "$4\r\n10.6\r\n"),
            ("HSET h f 5.0e3\nHINCRBYFLOAT h f 2.0e2", "$4\r\n5200\r\n"),
            ("HSET h f v\nHINCRBYFLOAT h f 1", "-ERR hash value is not a float\r\n"),
            ("HINCRBYFLOAT h f x", "-ERR value is not a valid float\r\n"),
            ("HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity\r\n"),
            (
                "SET k v\nHINCRBYFLOAT k f 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HRANDFIELD",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hrandfield),
        tips: &["nondeterministic_output"],
        since: "6.2.0",
        group: "hash",
        summary: "Get one or multiple random fields from a hash",
        complexity: "O(N) where N is the number of fields returned",
        examples: &[
            ("HRANDFIELD h", "$-1\r\n"),
            ("HRANDFIELD h 2", "*0\r\n"),
            ("HSET h f v\nHRANDFIELD h", "$1\r\nf\r\n"),
            ("HSET h f v\nHRANDFIELD h -2", "*2\r\n$1\r\nf\r\n$1\r\nf\r\n"),
            ("HSET h f v\nHRANDFIELD h 5 WITHVALUES", "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"),
            ("HSET h f v\nHRANDFIELD h 0", "*0\r\n"),
            ("HRANDFIELD h x", "-ERR value is not an integer or out of range\r\n"),
            ("HRANDFIELD h 1 FOO", "-ERR syntax error\r\n"),
            ("HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error\r\n"),
            (
                "HSET h f v\nHRANDFIELD h -9223372036854775808",
                "-ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807\r\n",
            ),
            (
                "HSET h f v\nHRANDFIELD h -9223372036854775807 WITHVALUES",
                "-ERR value is out of range\r\n",
            ),
            (
                "SET k v\nHRANDFIELD k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HSCAN",
        arity: Arity::AtLeast(3),
        flags: READONLY,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::hscan),
        tips: &["nondeterministic_output"],
        since: "2.8.0",
        group: "hash",
        summary: "Incrementally iterate hash fields and associated values",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough \
             command calls for the cursor to return back to 0. N is the number of \
             elements inside the collection..",
        examples: &[
            ("HSCAN h 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
            (
                "HSET h a 1 b 2\nHSCAN h 0",
                "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            (
                "HSET h a 1 b 2\nHSCAN h 0 MATCH b COUNT 10",
                "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("HSET h a 1 b 2\nHSCAN h 0 NOVALUES", "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            ("HSCAN h x", "-ERR invalid cursor\r\n"),
            ("HSET h a 1\nHSCAN h 0 COUNT 0", "-ERR syntax error\r\n"),
            ("HSET h a 1\nHSCAN h 0 FOO bar", "-ERR syntax error\r\n"),
            (
                "SET k v\nHSCAN k 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HEXPIRE",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(deadline::hexpire),
        since: "7.4.0",
        group: "hash",
        summary: "Set the time to live of hash fields in seconds",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HEXPIRE h 100 FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHEXPIRE h 100 FIELDS 2 f x", "*2\r\n:1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHEXPIRE h 100 NX FIELDS 1 f\nHEXPIRE h 100 NX FIELDS 1 f",
                "*1\r\n:0\r\n",
            ),
            ("HSET h f v g w\nHEXPIRE h 100 XX FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHEXPIRE h 100 GT FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHEXPIRE h 100 LT FIELDS 1 f", "*1\r\n:1\r\n"),
            ("HSET h f v g w\nHEXPIRE h 0 FIELDS 1 f\nHGET h f", "$-1\r\n"),
            ("HSET h f v g w\nHEXPIRE h 0 FIELDS 2 f g", "*2\r\n:2\r\n:2\r\n"),
            ("HSET h f v g w\nHEXPIRE h 0 FIELDS 2 f g\nEXISTS h", ":0\r\n"),
            (
                "HSET h f v g w\nHEXPIRE h -1 FIELDS 1 f",
                "-ERR invalid expire time, must be >= 0\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h x FIELDS 1 f",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h 9223372036854775807 FIELDS 1 f",
                "-ERR invalid expire time in 'hexpire' command\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELD 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELDS 0 f",
                "-ERR Parameter `numFields` should be greater than 0\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "SET k v\nHEXPIRE k 100 FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nHTTL h FIELDS 1 f", "*1\r\n:100\r\n"),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nHSET h f w\nHTTL h FIELDS 1 f",
                "*1\r\n:-1\r\n",
            ),
            (
                "HSET h f 1\nHEXPIRE h 100 FIELDS 1 f\nHINCRBY h f 1\nHTTL h FIELDS 1 f",
                "*1\r\n:100\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nOBJECT ENCODING h",
                "$10\r\nlistpackex\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HPEXPIRE",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(deadline::hpexpire),
        since: "7.4.0",
        group: "hash",
        summary: "Set the time to live of hash fields in milliseconds",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HPEXPIRE h 100000 FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHPEXPIRE h 100000 FIELDS 2 f x", "*2\r\n:1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHPEXPIRE h 100000 NX FIELDS 1 f\nHPEXPIRE h 100000 NX FIELDS 1 f",
                "*1\r\n:0\r\n",
            ),
            ("HSET h f v g w\nHPEXPIRE h 100000 XX FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHPEXPIRE h 100000 GT FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHPEXPIRE h 100000 LT FIELDS 1 f", "*1\r\n:1\r\n"),
            ("HSET h f v g w\nHPEXPIRE h 0 FIELDS 1 f\nHGET h f", "$-1\r\n"),
            ("HSET h f v g w\nHPEXPIRE h 0 FIELDS 2 f g", "*2\r\n:2\r\n:2\r\n"),
            ("HSET h f v g w\nHPEXPIRE h 0 FIELDS 2 f g\nEXISTS h", ":0\r\n"),
            (
                "HSET h f v g w\nHPEXPIRE h -1 FIELDS 1 f",
                "-ERR invalid expire time, must be >= 0\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRE h x FIELDS 1 f",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRE h 9223372036854775807 FIELDS 1 f",
                "-ERR invalid expire time in 'hpexpire' command\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRE h 100000 FIELD 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRE h 100000 FIELDS 0 f",
                "-ERR Parameter `numFields` should be greater than 0\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRE h 100000 FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "SET k v\nHPEXPIRE k 100000 FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HEXPIREAT",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(deadline::hexpireat),
        since: "7.4.0",
        group: "hash",
        summary: "Set the Unix time in seconds at which hash fields expire",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HEXPIREAT h 33177117420 FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHEXPIREAT h 33177117420 FIELDS 2 f x", "*2\r\n:1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHEXPIREAT h 33177117420 NX FIELDS 1 f\nHEXPIREAT h 33177117420 \
                 NX FIELDS 1 f",
                "*1\r\n:0\r\n",
            ),
            ("HSET h f v g w\nHEXPIREAT h 33177117420 XX FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHEXPIREAT h 33177117420 GT FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHEXPIREAT h 33177117420 LT FIELDS 1 f", "*1\r\n:1\r\n"),
            ("HSET h f v g w\nHEXPIREAT h 1 FIELDS 1 f\nHGET h f", "$-1\r\n"),
            ("HSET h f v g w\nHEXPIREAT h 1 FIELDS 2 f g", "*2\r\n:2\r\n:2\r\n"),
            ("HSET h f v g w\nHEXPIREAT h 1 FIELDS 2 f g\nEXISTS h", ":0\r\n"),
            (
                "HSET h f v g w\nHEXPIREAT h -1 FIELDS 1 f",
                "-ERR invalid expire time, must be >= 0\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIREAT h x FIELDS 1 f",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIREAT h 9223372036854775807 FIELDS 1 f",
                "-ERR invalid expire time in 'hexpireat' command\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIREAT h 33177117420 FIELD 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIREAT h 33177117420 FIELDS 0 f",
                "-ERR Parameter `numFields` should be greater than 0\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIREAT h 33177117420 FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "SET k v\nHEXPIREAT k 33177117420 FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HPEXPIREAT",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(deadline::hpexpireat),
        since: "7.4.0",
        group: "hash",
        summary: "Set the Unix time in milliseconds at which hash fields expire",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HPEXPIREAT h 33177117420123 FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHPEXPIREAT h 33177117420123 FIELDS 2 f x", "*2\r\n:1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHPEXPIREAT h 33177117420123 NX FIELDS 1 f\nHPEXPIREAT h \
                 33177117420123 NX FIELDS 1 f",
                "*1\r\n:0\r\n",
            ),
            ("HSET h f v g w\nHPEXPIREAT h 33177117420123 XX FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHPEXPIREAT h 33177117420123 GT FIELDS 1 f", "*1\r\n:0\r\n"),
            ("HSET h f v g w\nHPEXPIREAT h 33177117420123 LT FIELDS 1 f", "*1\r\n:1\r\n"),
            ("HSET h f v g w\nHPEXPIREAT h 1 FIELDS 1 f\nHGET h f", "$-1\r\n"),
            ("HSET h f v g w\nHPEXPIREAT h 1 FIELDS 2 f g", "*2\r\n:2\r\n:2\r\n"),
            ("HSET h f v g w\nHPEXPIREAT h 1 FIELDS 2 f g\nEXISTS h", ":0\r\n"),
            (
                "HSET h f v g w\nHPEXPIREAT h -1 FIELDS 1 f",
                "-ERR invalid expire time, must be >= 0\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIREAT h x FIELDS 1 f",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIREAT h 9223372036854775807 FIELDS 1 f",
                "-ERR invalid expire time in 'hpexpireat' command\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIREAT h 33177117420123 FIELD 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIREAT h 33177117420123 FIELDS 0 f",
                "-ERR Parameter `numFields` should be greater than 0\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIREAT h 33177117420123 FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "SET k v\nHPEXPIREAT k 33177117420123 FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HTTL",
        arity: Arity::AtLeast(5),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(deadline::httl),
        since: "7.4.0",
        group: "hash",
        summary: "Get the time to live of hash fields in seconds",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HTTL h FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHTTL h FIELDS 2 f x", "*2\r\n:-1\r\n:-2\r\n"),
            ("HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nHTTL h FIELDS 1 f", "*1\r\n:100\r\n"),
            (
                "HSET h f v g w\nHTTL h FIELDS 0 f",
                "-ERR Number of fields must be a positive integer\r\n",
            ),
            (
                "HSET h f v g w\nHTTL h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "HSET h f v g w\nHTTL h X 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "SET k v\nHTTL k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HPTTL",
        arity: Arity::AtLeast(5),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(deadline::hpttl),
        since: "7.4.0",
        group: "hash",
        summary: "Get the time to live of hash fields in milliseconds",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HPTTL h FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHPTTL h FIELDS 2 f x", "*2\r\n:-1\r\n:-2\r\n"),
            ("HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nHPTTL h FIELDS 1 f", "*1\r\n:*"),
            (
                "HSET h f v g w\nHPTTL h FIELDS 0 f",
                "-ERR Number of fields must be a positive integer\r\n",
            ),
            (
                "HSET h f v g w\nHPTTL h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "HSET h f v g w\nHPTTL h X 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "SET k v\nHPTTL k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HEXPIRETIME",
        arity: Arity::AtLeast(5),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(deadline::hexpiretime),
        since: "7.4.0",
        group: "hash",
        summary: "Get the Unix time in seconds at which hash fields expire",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HEXPIRETIME h FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHEXPIRETIME h FIELDS 2 f x", "*2\r\n:-1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHEXPIREAT h 33177117420 FIELDS 1 f\nHEXPIRETIME h FIELDS 1 f",
                "*1\r\n:33177117420\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRETIME h FIELDS 0 f",
                "-ERR Number of fields must be a positive integer\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRETIME h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRETIME h X 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "SET k v\nHEXPIRETIME k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HPEXPIRETIME",
        arity: Arity::AtLeast(5),
        flags: READONLY | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(deadline::hpexpiretime),
        since: "7.4.0",
        group: "hash",
        summary: "Get the Unix time in milliseconds at which hash fields expire",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HPEXPIRETIME h FIELDS 1 f", "*1\r\n:-2\r\n"),
            ("HSET h f v g w\nHPEXPIRETIME h FIELDS 2 f x", "*2\r\n:-1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHPEXPIREAT h 33177117420123 FIELDS 1 f\nHPEXPIRETIME h FIELDS 1 f",
                "*1\r\n:33177117420123\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRETIME h FIELDS 0 f",
                "-ERR Number of fields must be a positive integer\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRETIME h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "HSET h f v g w\nHPEXPIRETIME h X 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "SET k v\nHPEXPIRETIME k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HPERSIST",
        arity: Arity::AtLeast(5),
        flags: WRITE | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(deadline::hpersist),
        since: "7.4.0",
        group: "hash",
        summary: "Remove the expiration of hash fields",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HPERSIST h FIELDS 1 f", "*1\r\n:-2\r\n"),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nHPERSIST h FIELDS 3 f g x",
                "*3\r\n:1\r\n:-1\r\n:-2\r\n",
            ),
            (
                "HSET h f v g w\nHEXPIRE h 100 FIELDS 1 f\nHPERSIST h FIELDS 1 f\nHTTL h FIELDS 1 \
                 f",
                "*1\r\n:-1\r\n",
            ),
            (
                "HSET h f v g w\nHPERSIST h FIELDS 0 f",
                "-ERR Number of fields must be a positive integer\r\n",
            ),
            (
                "HSET h f v g w\nHPERSIST h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "SET k v\nHPERSIST k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HGETDEL",
        arity: Arity::AtLeast(5),
        flags: WRITE | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"])],
        run: Run::Owner(extended::hgetdel),
        since: "8.0.0",
        group: "hash",
        summary: "Get the values of hash fields and delete them",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HGETDEL h FIELDS 1 f", "*1\r\n$-1\r\n"),
            ("HSET h f v g w\nHGETDEL h FIELDS 2 f x", "*2\r\n$1\r\nv\r\n$-1\r\n"),
            ("HSET h f v g w\nHGETDEL h FIELDS 2 f g\nEXISTS h", ":0\r\n"),
            (
                "HSET h f v g w\nHGETDEL h FIELDS 0 f",
                "-ERR Number of fields must be a positive integer\r\n",
            ),
            (
                "HSET h f v g w\nHGETDEL h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "HSET h f v g w\nHGETDEL h X 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "SET k v\nHGETDEL k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HGETEX",
        arity: Arity::AtLeast(5),
        flags: WRITE | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "access", "update"])],
        run: Run::Owner(extended::hgetex),
        since: "8.0.0",
        group: "hash",
        summary: "Get the values of hash fields and optionally set their expiration",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HGETEX h FIELDS 1 f", "*1\r\n$-1\r\n"),
            ("HSET h f v g w\nHGETEX h EX 100 FIELDS 2 f x", "*2\r\n$1\r\nv\r\n$-1\r\n"),
            (
                "HSET h f v g w\nHGETEX h EX 100 FIELDS 1 f\nHTTL h FIELDS 2 f g",
                "*2\r\n:100\r\n:-1\r\n",
            ),
            (
                "HSET h f v g w\nHGETEX h PXAT 33177117420123 FIELDS 1 f\nHPEXPIRETIME h FIELDS 1 \
                 f",
                "*1\r\n:33177117420123\r\n",
            ),
            (
                "HSET h f v g w\nHGETEX h EX 100 FIELDS 1 f\nHGETEX h PERSIST FIELDS 1 f\nHTTL h \
                 FIELDS 1 f",
                "*1\r\n:-1\r\n",
            ),
            ("HSET h f v g w\nHGETEX h EXAT 1 FIELDS 1 f", "*1\r\n$1\r\nv\r\n"),
            ("HSET h f v g w\nHGETEX h EXAT 1 FIELDS 1 f\nHKEYS h", "*1\r\n$1\r\ng\r\n"),
            (
                "HSET h f v g w\nHGETEX h EX -1 FIELDS 1 f",
                "-ERR invalid expire time, must be >= 0\r\n",
            ),
            (
                "HSET h f v g w\nHGETEX h EX 9223372036854775807 FIELDS 1 f",
                "-ERR invalid expire time in 'hgetex' command\r\n",
            ),
            (
                "HSET h f v g w\nHGETEX h FIELDS 2 f",
                "-ERR The `numfields` parameter must match the number of arguments\r\n",
            ),
            (
                "HSET h f v g w\nHGETEX h FOO 1 f",
                "-ERR Mandatory argument FIELDS is missing or not at the right position\r\n",
            ),
            (
                "SET k v\nHGETEX k FIELDS 1 f",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "HSETEX",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | FAST,
        acl: HASH,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(extended::hsetex),
        since: "8.0.0",
        group: "hash",
        summary: "Set the values of hash fields and optionally their expiration",
        complexity: "O(N) where N is the number of specified fields",
        examples: &[
            ("HSETEX h EX 100 FIELDS 2 f v g w", ":1\r\n"),
            ("HSETEX h EX 100 FIELDS 1 f v\nHTTL h FIELDS 1 f", "*1\r\n:100\r\n"),
            ("HSETEX h FNX FIELDS 1 f v\nHSETEX h FNX FIELDS 2 g w f v", ":0\r\n"),
            ("HSETEX h FXX FIELDS 1 f v", ":0\r\n"),
            ("HSET h f v\nHSETEX h FXX PX 100000 FIELDS 1 f w\nHGET h f", "$1\r\nw\r\n"),
            (
                "HSETEX h EX 100 FIELDS 1 f v\nHSETEX h KEEPTTL FIELDS 1 f w\nHTTL h FIELDS 1 f",
                "*1\r\n:100\r\n",
            ),
            (
                "HSETEX h EX 100 FIELDS 1 f v\nHSETEX h FIELDS 1 f w\nHTTL h FIELDS 1 f",
                "*1\r\n:-1\r\n",
            ),
            ("HSET h f v\nHSETEX h EXAT 1 FIELDS 1 f w\nEXISTS h", ":0\r\n"),
            (
                "HSETEX h FNX FXX FIELDS 1 f v",
                "-ERR Only one of FXX or FNX arguments can be specified\r\n",
            ),
            (
                "HSETEX h EX 1 KEEPTTL FIELDS 1 f v",
                "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n",
            ),
            ("HSETEX h FOO FIELDS 1 f v", "-ERR unknown argument: FOO\r\n"),
            ("HSETEX h FIELDS 0 f v", "-ERR invalid number of fields\r\n"),
            ("HSETEX h FIELDS 2 f v", "-ERR wrong number of arguments for 'hsetex' command\r\n"),
            (
                "HSETEX h EX 0 FNX KEEPTTL EX",
                "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n",
            ),
            (
                "SET k v\nHSETEX k FIELDS 1 f v",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
];

#[cfg(test)]
mod tests;
