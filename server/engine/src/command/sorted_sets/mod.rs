//! Sorted sets. The rows stand here; the functions are kept by what they do: `add`, `remove`,
//! `read` (members and counts), `range`, `pop`, `draw` (at random, and ZSCAN) and `algebra`
//! (several
//! sets). `bounds` reads the ends of ranges for all of them.

mod add;
mod algebra;
mod bounds;
mod draw;
mod pop;
mod range;
mod read;
mod remove;
#[cfg(test)]
mod tests;

use super::spec::{
    Arity, BLOCKING, Blocking, DENYOOM, FAST, Find, KeySpec, MOVABLE_KEYS, NOSCRIPT, READONLY, Run,
    SORTEDSET, Spec, WRITE,
};

pub const TABLE: &[Spec] = &[
    Spec {
        name: "ZADD",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(add::zadd),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Add one or more members to a sorted set, or update its score if it already \
            exists",
        complexity: "O(log(N)) for each item added, where N is the number of elements in the \
            sorted set.",
        examples: &[
            ("ZADD z 1 a", ":1\r\n"),
            ("ZADD z 1 a 2 b\nZADD z 3 a 3 c", ":1\r\n"),
            ("ZADD z 1 a\nZADD z CH 3 a 3 c", ":2\r\n"),
            (
                "ZADD z 1 a\nZADD z NX 5 a 2 b\nZRANGE z 0 -1 WITHSCORES",
                "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z XX 1 a\nEXISTS z", ":0\r\n"),
            ("ZADD z 5 a\nZADD z GT CH 4 a", ":0\r\n"),
            ("ZADD z 5 a\nZADD z LT CH 4 a", ":1\r\n"),
            ("ZADD z 5 a\nZADD z GT CH 4 a 7 b", ":1\r\n"),
            ("ZADD z INCR 5 a\nZADD z INCR 1.5 a", "$3\r\n6.5\r\n"),
            ("ZADD z NX INCR 5 a\nZADD z NX INCR 1 a", "$-1\r\n"),
            ("ZADD z inf a\nZADD z INCR -inf a", "-ERR resulting score is not a number (NaN)\r\n"),
            ("ZADD z XX NX 1 a", "-ERR XX and NX options at the same time are not compatible\r\n"),
            (
                "ZADD z GT LT 1 a",
                "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n",
            ),
            (
                "ZADD z NX GT 1 a",
                "-ERR GT, LT, and/or NX options at the same time are not compatible\r\n",
            ),
            (
                "ZADD z INCR 1 a 2 b",
                "-ERR INCR option supports a single increment-element pair\r\n",
            ),
            ("ZADD z 1 a 2", "-ERR syntax error\r\n"),
            ("ZADD z x a", "-ERR value is not a valid float\r\n"),
            ("ZADD z nan a", "-ERR value is not a valid float\r\n"),
            ("ZADD z 1 a x b\nEXISTS z", ":0\r\n"),
            (
                "SET z v\nZADD z 1 a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command\r\n"),
            ("ZADD z 1 a\nOBJECT ENCODING z", "$8\r\nlistpack\r\n"),
            ("ZADD z 1e3 a\nZSCORE z a", "$4\r\n1000\r\n"),
            ("ZADD z -0 a\nZSCORE z a", "$1\r\n0\r\n"),
            ("ZADD z 0x10 a\nZSCORE z a", "$2\r\n16\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZINCRBY",
        arity: Arity::Exactly(4),
        flags: WRITE | DENYOOM | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "access", "update"])],
        run: Run::Owner(add::zincrby),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Increment the score of a member in a sorted set",
        complexity: "O(log(N)) where N is the number of elements in the sorted set.",
        examples: &[
            ("ZINCRBY z 2.5 a", "$3\r\n2.5\r\n"),
            ("ZADD z 1 a\nZINCRBY z -3 a", "$2\r\n-2\r\n"),
            ("ZINCRBY z x a", "-ERR value is not a valid float\r\n"),
            ("ZADD z inf a\nZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)\r\n"),
            (
                "SET z v\nZINCRBY z 1 a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZINCRBY z inf a", "$3\r\ninf\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREM",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(remove::zrem),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Remove one or more members from a sorted set",
        complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M \
            the number of elements to be removed.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZREM z a x", ":1\r\n"),
            ("ZREM z a", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREM z a b c\nEXISTS z", ":0\r\n"),
            (
                "SET z v\nZREM z a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZREM z a a", ":1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZCARD",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(read::zcard),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Get the number of members in a sorted set",
        examples: &[
            ("ZCARD z", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZCARD z", ":3\r\n"),
            (
                "SET z v\nZCARD z",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZSCORE",
        arity: Arity::Exactly(3),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::zscore),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Get the score associated with the given member in a sorted set",
        examples: &[
            ("ZSCORE z a", "$-1\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZSCORE z b", "$1\r\n2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZSCORE z x", "$-1\r\n"),
            (
                "SET z v\nZSCORE z a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z -inf a\nZSCORE z a", "$4\r\n-inf\r\n"),
            ("ZADD z 1.5 a\nZSCORE z a", "$3\r\n1.5\r\n"),
            ("ZADD z 1e20 a\nZSCORE z a", "$5\r\n1e+20\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZMSCORE",
        arity: Arity::AtLeast(3),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::zmscore),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Get the score associated with the given members in a sorted set",
        complexity: "O(N) where N is the number of members being requested.",
        examples: &[
            ("ZMSCORE z a b", "*2\r\n$-1\r\n$-1\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZMSCORE z a x c", "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n3\r\n"),
            (
                "SET z v\nZMSCORE z a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZCOUNT",
        arity: Arity::Exactly(4),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::zcount),
        since: "2.0.0",
        group: "sorted-set",
        summary: "Count the members in a sorted set with scores within the given values",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZCOUNT z -inf +inf", ":3\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZCOUNT z (1 3", ":2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZCOUNT z 1 (3", ":2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZCOUNT z 3 1", ":0\r\n"),
            ("ZCOUNT z 1 2", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZCOUNT z x 3", "-ERR min or max is not a float\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZCOUNT z (2 (2", ":0\r\n"),
            (
                "SET z v\nZCOUNT z 1 2",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZLEXCOUNT",
        arity: Arity::Exactly(4),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::zlexcount),
        since: "2.8.9",
        group: "sorted-set",
        summary: "Count the number of members in a sorted set between a given lexicographical \
            range",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        examples: &[
            ("ZADD l 0 a 0 b 0 c 0 d\nZLEXCOUNT l - +", ":4\r\n"),
            ("ZADD l 0 a 0 b 0 c 0 d\nZLEXCOUNT l [b (d", ":2\r\n"),
            ("ZADD l 0 a 0 b 0 c 0 d\nZLEXCOUNT l + -", ":0\r\n"),
            ("ZLEXCOUNT l - +", ":0\r\n"),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZLEXCOUNT l b d",
                "-ERR min or max not valid string range item\r\n",
            ),
            ("ZADD l 0 a 0 b 0 c 0 d\nZLEXCOUNT l [x +", ":0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZRANK",
        arity: Arity::AtLeast(3),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::zrank),
        since: "2.0.0",
        group: "sorted-set",
        summary: "Determine the index of a member in a sorted set",
        complexity: "O(log(N))",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZRANK z c", ":2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANK z x", "$-1\r\n"),
            ("ZRANK z a", "$-1\r\n"),
            (
                "SET z v\nZRANK z a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANK z b WITHSCORE", "*2\r\n:1\r\n$1\r\n2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANK z x WITHSCORE", "*-1\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANK z b x", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREVRANK",
        arity: Arity::AtLeast(3),
        flags: READONLY | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::zrevrank),
        since: "2.0.0",
        group: "sorted-set",
        summary: "Determine the index of a member in a sorted set, with scores ordered from \
            high to low",
        complexity: "O(log(N))",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZREVRANK z c", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREVRANK z x", "$-1\r\n"),
            ("ZREVRANK z a", "$-1\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREVRANK z b WITHSCORE", "*2\r\n:1\r\n$1\r\n2\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZREVRANK z b x y",
                "-ERR wrong number of arguments for 'zrevrank' command\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZRANGE",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(range::zrange),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements returned.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZRANGE z 0 -1", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z 1 1 WITHSCORES", "*2\r\n$1\r\nb\r\n$1\r\n2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z 0 1 REV", "*2\r\n$1\r\nc\r\n$1\r\nb\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z 2 1", "*0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z -2 100", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z (1 3 BYSCORE", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGE z 3 (1 BYSCORE REV WITHSCORES",
                "*4\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z -inf +inf BYSCORE LIMIT 1 1", "*1\r\n$1\r\nb\r\n"),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZRANGE l [b + BYLEX",
                "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
            ),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZRANGE l + [b BYLEX REV LIMIT 1 -1",
                "*2\r\n$1\r\nc\r\n$1\r\nb\r\n",
            ),
            ("ZADD l 0 a 0 b 0 c 0 d\nZRANGE l - + BYLEX LIMIT -1 2", "*0\r\n"),
            ("ZRANGE z 0 -1", "*0\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGE z 0 -1 LIMIT 0 1",
                "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
                 BYLEX\r\n",
            ),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZRANGE l - + BYLEX WITHSCORES",
                "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGE z a b",
                "-ERR value is not an integer or out of range\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z a b BYSCORE", "-ERR min or max is not a float\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGE z a b BYLEX",
                "-ERR min or max not valid string range item\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z 0 -1 FOO", "-ERR syntax error\r\n"),
            (
                "SET z v\nZRANGE z 0 -1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGE z 0 1 BYSCORE LIMIT 0", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREVRANGE",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(range::zrevrange),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by index, with scores ordered from \
            high to low",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements returned.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZREVRANGE z 0 -1", "*3\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREVRANGE z 0 0 WITHSCORES", "*2\r\n$1\r\nc\r\n$1\r\n3\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZREVRANGE z 0 -1 LIMIT 0 1",
                "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
                 BYLEX\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZREVRANGE z 0 -1 REV", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZRANGEBYSCORE",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(range::zrangebyscore),
        since: "1.0.5",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by score",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements being returned. If M is constant (e.g. always asking \
            for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZRANGEBYSCORE z 1 (3", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGEBYSCORE z -inf inf WITHSCORES LIMIT 1 1",
                "*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGEBYSCORE z 3 1", "*0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGEBYSCORE z 1 x", "-ERR min or max is not a float\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGEBYSCORE z 1 3 LIMIT 0 x",
                "-ERR value is not an integer or out of range\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGEBYSCORE z 1 3 LIMIT 5 1", "*0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREVRANGEBYSCORE",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(range::zrevrangebyscore),
        since: "2.2.0",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by score, with scores ordered from \
            high to low",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements being returned. If M is constant (e.g. always asking \
            for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZREVRANGEBYSCORE z 3 (1", "*2\r\n$1\r\nc\r\n$1\r\nb\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZREVRANGEBYSCORE z +inf -inf WITHSCORES LIMIT 1 1",
                "*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZREVRANGEBYSCORE z 1 3", "*0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZRANGEBYLEX",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(range::zrangebylex),
        since: "2.8.9",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by lexicographical range",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements being returned. If M is constant (e.g. always asking \
            for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        examples: &[
            ("ZADD l 0 a 0 b 0 c 0 d\nZRANGEBYLEX l [b (d", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("ZADD l 0 a 0 b 0 c 0 d\nZRANGEBYLEX l - + LIMIT 1 2", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZRANGEBYLEX l b d",
                "-ERR min or max not valid string range item\r\n",
            ),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZRANGEBYLEX l - + WITHSCORES",
                "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREVRANGEBYLEX",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(range::zrevrangebylex),
        since: "2.8.9",
        group: "sorted-set",
        summary: "Return a range of members in a sorted set, by lexicographical range, ordered \
            from higher to lower strings.",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements being returned. If M is constant (e.g. always asking \
            for the first 10 elements with LIMIT), you can consider it O(log(N)).",
        examples: &[
            ("ZADD l 0 a 0 b 0 c 0 d\nZREVRANGEBYLEX l (d [b", "*2\r\n$1\r\nc\r\n$1\r\nb\r\n"),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZREVRANGEBYLEX l + - LIMIT 1 2",
                "*2\r\n$1\r\nc\r\n$1\r\nb\r\n",
            ),
            ("ZADD l 0 a 0 b 0 c 0 d\nZREVRANGEBYLEX l [a [d", "*0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZRANGESTORE",
        arity: Arity::AtLeast(5),
        flags: WRITE | DENYOOM,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["OW", "update"]), KeySpec::at(2, &["RO", "access"])],
        run: Run::Owner(range::zrangestore),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Store a range of members from sorted set into another key",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements stored into the destination key.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZRANGESTORE y z 0 1", ":2\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANGESTORE y z (1 3 BYSCORE\nZRANGE y 0 -1 WITHSCORES",
                "*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nSET y v\nZRANGESTORE y z 9 9\nEXISTS y", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGESTORE z z 0 0\nZCARD z", ":1\r\n"),
            ("ZRANGESTORE y z 0 -1", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZRANGESTORE y z 0 -1 WITHSCORES", "-ERR syntax error\r\n"),
            (
                "SET z v\nZRANGESTORE y z 0 -1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANGESTORE y z 0 0 REV\nZRANGE y 0 -1", "*1\r\n$1\r\nc\r\n"),
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZRANGESTORE y l [b + BYLEX LIMIT 1 1\nZRANGE y 0 -1",
                "*1\r\n$1\r\nc\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREMRANGEBYRANK",
        arity: Arity::Exactly(4),
        flags: WRITE,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(remove::zremrangebyrank),
        since: "2.0.0",
        group: "sorted-set",
        summary: "Remove all members in a sorted set within the given indexes",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements removed by the operation.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZREMRANGEBYRANK z 0 1", ":2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREMRANGEBYRANK z 0 -1\nEXISTS z", ":0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREMRANGEBYRANK z 5 9", ":0\r\n"),
            ("ZREMRANGEBYRANK z 0 1", ":0\r\n"),
            ("ZREMRANGEBYRANK z a 1", "-ERR value is not an integer or out of range\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREMRANGEBYSCORE",
        arity: Arity::Exactly(4),
        flags: WRITE,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(remove::zremrangebyscore),
        since: "1.2.0",
        group: "sorted-set",
        summary: "Remove all members in a sorted set within the given scores",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements removed by the operation.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZREMRANGEBYSCORE z (1 inf\nZRANGE z 0 -1", "*1\r\n$1\r\na\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZREMRANGEBYSCORE z 2 2", ":1\r\n"),
            ("ZREMRANGEBYSCORE z a 1", "-ERR min or max is not a float\r\n"),
            (
                "SET z v\nZREMRANGEBYSCORE z 0 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZREMRANGEBYLEX",
        arity: Arity::Exactly(4),
        flags: WRITE,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(remove::zremrangebylex),
        since: "2.8.9",
        group: "sorted-set",
        summary: "Remove all members in a sorted set between the given lexicographical range",
        complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M \
            the number of elements removed by the operation.",
        examples: &[
            (
                "ZADD l 0 a 0 b 0 c 0 d\nZREMRANGEBYLEX l [b (d\nZRANGE l 0 -1",
                "*2\r\n$1\r\na\r\n$1\r\nd\r\n",
            ),
            ("ZADD l 0 a 0 b 0 c 0 d\nZREMRANGEBYLEX l - +", ":4\r\n"),
            ("ZREMRANGEBYLEX l a b", "-ERR min or max not valid string range item\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZPOPMIN",
        arity: Arity::AtLeast(2),
        flags: WRITE | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"])],
        run: Run::Owner(pop::zpopmin),
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return members with the lowest scores in a sorted set",
        complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M \
            being the number of elements popped.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZPOPMIN z", "*2\r\n$1\r\na\r\n$1\r\n1\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZPOPMIN z 2",
                "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZPOPMIN z 9\nEXISTS z", ":0\r\n"),
            ("ZPOPMIN z", "*0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZPOPMIN z 0", "*0\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZPOPMIN z -1",
                "-ERR value is out of range, must be positive\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZPOPMIN z x", "-ERR value is out of range, must be positive\r\n"),
            (
                "SET z v\nZPOPMIN z",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZPOPMIN z 1 2", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZPOPMAX",
        arity: Arity::AtLeast(2),
        flags: WRITE | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"])],
        run: Run::Owner(pop::zpopmax),
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return members with the highest scores in a sorted set",
        complexity: "O(log(N)*M) with N being the number of elements in the sorted set, and M \
            being the number of elements popped.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZPOPMAX z", "*2\r\n$1\r\nc\r\n$1\r\n3\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZPOPMAX z 2",
                "*4\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZPOPMAX z 3", "*0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZPOPMAX z 2\nZRANGE z 0 -1", "*1\r\n$1\r\na\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZMPOP",
        arity: Arity::AtLeast(4),
        flags: WRITE | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RW", "access", "delete"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(pop::zmpop),
        since: "7.0.0",
        group: "sorted-set",
        summary: "Remove and return members with scores in a sorted set",
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the \
            number of elements in the sorted set, and M being the number of elements \
            popped.",
        examples: &[
            (
                "ZADD z 1 a 2 b 3 c\nZMPOP 2 x z MIN",
                "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZMPOP 1 z MAX COUNT 2",
                "*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZMPOP 1 z MAX COUNT 2\nZRANGE z 0 -1", "*1\r\n$1\r\na\r\n"),
            ("ZMPOP 1 z MIN", "*-1\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZMPOP 0 z MIN", "-ERR numkeys should be greater than 0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZMPOP x z MIN", "-ERR numkeys should be greater than 0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZMPOP 1 z FOO", "-ERR syntax error\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZMPOP 1 z MIN COUNT 0",
                "-ERR count should be greater than 0\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZMPOP 1 z MIN COUNT 1 COUNT 1", "-ERR syntax error\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZMPOP 2 z MIN", "-ERR syntax error\r\n"),
            (
                "SET x v\nZMPOP 2 x z MIN",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZMPOP 1 z MIN FOO", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BZPOPMIN",
        arity: Arity::AtLeast(3),
        flags: WRITE | NOSCRIPT | BLOCKING | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RW", "access", "delete"],
            begin: 1,
            find: Find::Range { last: -2, step: 1 },
            notes: "",
        }],
        run: Run::Blocking(Blocking {
            attempt: pop::bzpopmin,
            timeout: pop::bzpop_timeout,
            nothing: pop::nothing,
        }),
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return the member with the lowest score from one or more sorted \
            sets, or block until one is available",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nBZPOPMIN x z 0", "*3\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\n1\r\n"),
            ("ZADD z 1 a 2 b 3 c\nBZPOPMIN z 0\nZRANGE z 0 -1", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("MULTI\nBZPOPMIN z 0\nEXEC", "*1\r\n*-1\r\n"),
            ("BZPOPMIN z x", "-ERR timeout is not a float or out of range\r\n"),
            ("BZPOPMIN z -1", "-ERR timeout is negative\r\n"),
            (
                "SET z v\nBZPOPMIN z 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BZPOPMAX",
        arity: Arity::AtLeast(3),
        flags: WRITE | NOSCRIPT | BLOCKING | FAST,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RW", "access", "delete"],
            begin: 1,
            find: Find::Range { last: -2, step: 1 },
            notes: "",
        }],
        run: Run::Blocking(Blocking {
            attempt: pop::bzpopmax,
            timeout: pop::bzpop_timeout,
            nothing: pop::nothing,
        }),
        since: "5.0.0",
        group: "sorted-set",
        summary: "Remove and return the member with the highest score from one or more sorted \
            sets, or block until one is available",
        complexity: "O(log(N)) with N being the number of elements in the sorted set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nBZPOPMAX x z 0", "*3\r\n$1\r\nz\r\n$1\r\nc\r\n$1\r\n3\r\n"),
            ("MULTI\nBZPOPMAX z 1.5\nEXEC", "*1\r\n*-1\r\n"),
            ("BZPOPMAX z -1", "-ERR timeout is negative\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BZMPOP",
        arity: Arity::AtLeast(5),
        flags: WRITE | BLOCKING | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RW", "access", "delete"],
            begin: 2,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Blocking(Blocking {
            attempt: pop::bzmpop,
            timeout: pop::bzmpop_timeout,
            nothing: pop::nothing,
        }),
        since: "7.0.0",
        group: "sorted-set",
        summary: "Remove and return members with scores in a sorted set or block until one is \
            available",
        complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the \
            number of elements in the sorted set, and M being the number of elements \
            popped.",
        examples: &[
            (
                "ZADD z 1 a 2 b 3 c\nBZMPOP 0 2 x z MIN COUNT 2",
                "*2\r\n$1\r\nz\r\n*2\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nBZMPOP 0 1 z MAX",
                "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n",
            ),
            ("MULTI\nBZMPOP 0 1 z MIN\nEXEC", "*1\r\n*-1\r\n"),
            ("BZMPOP 0 0 z MIN", "-ERR numkeys should be greater than 0\r\n"),
            ("BZMPOP x 1 z MIN", "-ERR timeout is not a float or out of range\r\n"),
            ("BZMPOP 0 1 z FOO", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZRANDMEMBER",
        arity: Arity::AtLeast(2),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        tips: &["nondeterministic_output"],
        run: Run::Owner(draw::zrandmember),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Get one or multiple random elements from a sorted set",
        complexity: "O(N) where N is the number of elements returned",
        examples: &[
            ("ZRANDMEMBER z", "$-1\r\n"),
            ("ZRANDMEMBER z 3", "*0\r\n"),
            ("ZADD z 1 a\nZRANDMEMBER z", "$1\r\na\r\n"),
            (
                "ZADD z 1 a\nZRANDMEMBER z -2 WITHSCORES",
                "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZRANDMEMBER z 5 WITHSCORES",
                "*6\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANDMEMBER z 0", "*0\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZRANDMEMBER z x",
                "-ERR value is not an integer or out of range\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZRANDMEMBER z 1 FOO", "-ERR syntax error\r\n"),
            (
                "SET z v\nZRANDMEMBER z",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "ZRANDMEMBER z -9223372036854775808",
                "-ERR value is out of range, value must between -9223372036854775807 and \
                 9223372036854775807\r\n",
            ),
            ("ZRANDMEMBER z 9223372036854775807 WITHSCORES", "-ERR value is out of range\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZSCAN",
        arity: Arity::AtLeast(3),
        flags: READONLY,
        acl: SORTEDSET,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        tips: &["nondeterministic_output"],
        run: Run::Owner(draw::zscan),
        since: "2.8.0",
        group: "sorted-set",
        summary: "Incrementally iterate sorted sets elements and associated scores",
        complexity: "O(1) for every call. O(N) for a complete iteration, including enough \
            command calls for the cursor to return back to 0. N is the number of \
            elements inside the collection..",
        examples: &[
            (
                "ZADD z 1 a 2 b 3 c\nZSCAN z 0",
                "*2\r\n$1\r\n0\r\n*6\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n\
                 $1\r\n3\r\n",
            ),
            ("ZSCAN z 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZSCAN z 0 MATCH b* COUNT 100",
                "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZSCAN z x", "-ERR invalid cursor\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZSCAN z 0 COUNT 0", "-ERR syntax error\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZSCAN z 0 COUNT x",
                "-ERR value is not an integer or out of range\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZSCAN z 0 FOO x", "-ERR syntax error\r\n"),
            (
                "SET z v\nZSCAN z 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZUNION",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::zunion),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Add multiple sorted sets",
        complexity: "O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted \
            sets, and M being the number of elements in the resulting sorted set.",
        examples: &[
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNION 2 z y",
                "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNION 2 z y WITHSCORES",
                "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n$1\r\n\
                 d\r\n$2\r\n30\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNION 2 z y WEIGHTS 2 1 AGGREGATE \
                 MAX WITHSCORES",
                "*8\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$2\r\n10\r\n$1\r\nc\r\n$2\r\n20\r\n$1\r\n\
                 d\r\n$2\r\n30\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZUNION 2 z x", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("ZUNION 1 x", "*0\r\n"),
            ("ZUNION 0 z", "-ERR at least 1 input key is needed for 'zunion' command\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZUNION x z", "-ERR value is not an integer or out of range\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZUNION 2 z", "-ERR syntax error\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZUNION 1 z WEIGHTS x", "-ERR weight value is not a float\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZUNION 1 z AGGREGATE AVG", "-ERR syntax error\r\n"),
            (
                "SET z v\nZUNION 1 z",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNION 2 z y WEIGHTS 1 5 AGGREGATE \
                 COUNT WITHSCORES",
                "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nd\r\n$1\r\n5\r\n$1\r\nb\r\n$1\r\n6\r\n$1\r\n\
                 c\r\n$1\r\n6\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZUNION 1 z LIMIT 1", "-ERR syntax error\r\n"),
            (
                "ZADD z inf a\nZADD y -inf a\nZUNION 2 z y WITHSCORES",
                "*2\r\n$1\r\na\r\n$1\r\n0\r\n",
            ),
            ("ZADD z inf a\nZUNION 1 z WEIGHTS 0 WITHSCORES", "*2\r\n$1\r\na\r\n$1\r\n0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZUNIONSTORE",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[
            KeySpec::at(1, &["OW", "update"]),
            KeySpec {
                flags: &["RO", "access"],
                begin: 2,
                find: Find::Counted { first: 1, step: 1 },
                notes: "",
            },
        ],
        run: Run::Owner(algebra::zunionstore),
        since: "2.0.0",
        group: "sorted-set",
        summary: "Add multiple sorted sets and store the resulting sorted set in a new key",
        complexity: "O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted \
            sets, and M being the number of elements in the resulting sorted set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNIONSTORE o 2 z y", ":4\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNIONSTORE o 2 z y AGGREGATE MIN\n\
                 ZRANGE o 0 -1 WITHSCORES",
                "*8\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\n\
                 d\r\n$2\r\n30\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZUNIONSTORE z 2 z y WEIGHTS 1 -1\n\
                 ZRANGE z 0 -1 WITHSCORES",
                "*8\r\n$1\r\nd\r\n$3\r\n-30\r\n$1\r\nc\r\n$3\r\n-17\r\n$1\r\nb\r\n$2\r\n-8\r\n\
                 $1\r\na\r\n$1\r\n1\r\n",
            ),
            ("SET o v\nZUNIONSTORE o 1 x\nEXISTS o", ":0\r\n"),
            (
                "ZUNIONSTORE o 0 z",
                "-ERR at least 1 input key is needed for 'zunionstore' command\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZUNIONSTORE o 1 z WITHSCORES", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZINTER",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::zinter),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Intersect multiple sorted sets",
        complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, \
            K being the number of input sorted sets and M being the number of elements \
            in the resulting sorted set.",
        examples: &[
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTER 2 z y",
                "*2\r\n$1\r\nb\r\n$1\r\nc\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTER 2 z y WITHSCORES",
                "*4\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n",
            ),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTER 2 z y WEIGHTS 2 1 AGGREGATE \
                 MIN WITHSCORES",
                "*4\r\n$1\r\nb\r\n$1\r\n4\r\n$1\r\nc\r\n$1\r\n6\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZINTER 2 z x", "*0\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZINTER 2 z z WITHSCORES",
                "*6\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n4\r\n$1\r\nc\r\n$1\r\n6\r\n",
            ),
            ("ZINTER 0 z", "-ERR at least 1 input key is needed for 'zinter' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZINTERSTORE",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[
            KeySpec::at(1, &["OW", "update"]),
            KeySpec {
                flags: &["RO", "access"],
                begin: 2,
                find: Find::Counted { first: 1, step: 1 },
                notes: "",
            },
        ],
        run: Run::Owner(algebra::zinterstore),
        since: "2.0.0",
        group: "sorted-set",
        summary: "Intersect multiple sorted sets and store the resulting sorted set in a new \
            key",
        complexity: "O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, \
            K being the number of input sorted sets and M being the number of elements \
            in the resulting sorted set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTERSTORE o 2 z y", ":2\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTERSTORE o 2 z y\nZRANGE o 0 -1 \
                 WITHSCORES",
                "*4\r\n$1\r\nb\r\n$2\r\n12\r\n$1\r\nc\r\n$2\r\n23\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nSET o v\nZINTERSTORE o 2 z x\nEXISTS o", ":0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZINTERCARD",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::zintercard),
        since: "7.0.0",
        group: "sorted-set",
        summary: "Intersect multiple sorted sets and return the cardinality of the result",
        complexity: "O(N*K) worst case with N being the smallest input sorted set, K being the \
            number of input sorted sets.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTERCARD 2 z y", ":2\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTERCARD 2 z y LIMIT 1", ":1\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTERCARD 2 z y LIMIT -1",
                "-ERR LIMIT can't be negative\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZINTERCARD 2 z x", ":0\r\n"),
            ("ZINTERCARD 0 z", "-ERR at least 1 input key is needed for 'zintercard' command\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZINTERCARD 1 z WEIGHTS 1", "-ERR syntax error\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZINTERCARD 2 z y LIMIT 0", ":2\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZDIFF",
        arity: Arity::AtLeast(3),
        flags: READONLY | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[KeySpec {
            flags: &["RO", "access"],
            begin: 1,
            find: Find::Counted { first: 1, step: 1 },
            notes: "",
        }],
        run: Run::Owner(algebra::zdiff),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Subtract multiple sorted sets",
        complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in \
            all the sets, N is the size of the first set, and K is the size of the \
            result set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZDIFF 2 z y", "*1\r\n$1\r\na\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZDIFF 2 z y WITHSCORES",
                "*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            ("ZADD z 1 a 2 b 3 c\nZDIFF 2 z x", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("ZDIFF 1 x", "*0\r\n"),
            ("ZADD z 1 a 2 b 3 c\nZDIFF 1 z WEIGHTS 1", "-ERR syntax error\r\n"),
            ("ZDIFF 0 z", "-ERR at least 1 input key is needed for 'zdiff' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ZDIFFSTORE",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM | MOVABLE_KEYS,
        acl: SORTEDSET,
        keys: &[
            KeySpec::at(1, &["OW", "update"]),
            KeySpec {
                flags: &["RO", "access"],
                begin: 2,
                find: Find::Counted { first: 1, step: 1 },
                notes: "",
            },
        ],
        run: Run::Owner(algebra::zdiffstore),
        since: "6.2.0",
        group: "sorted-set",
        summary: "Subtract multiple sorted sets and store the resulting sorted set in a new key",
        complexity: "O(L + (N-K)log(N)) worst case where L is the total number of elements in \
            all the sets, N is the size of the first set, and K is the size of the \
            result set.",
        examples: &[
            ("ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZDIFFSTORE o 2 z y", ":1\r\n"),
            (
                "ZADD z 1 a 2 b 3 c\nZADD y 10 b 20 c 30 d\nZDIFFSTORE o 2 y z\nZRANGE o 0 -1 \
                 WITHSCORES",
                "*2\r\n$1\r\nd\r\n$2\r\n30\r\n",
            ),
            ("SET o v\nZDIFFSTORE o 1 x\nEXISTS o", ":0\r\n"),
        ],
        ..Spec::ROW
    },
];
