//! Streams. The rows stand here; the functions are kept by what they do: `add` (XADD, XTRIM),
//! `entries` (ranges, XDEL, XSETID), `read` (XREAD, XREADGROUP), `groups` (XGROUP, XACK), `pending`
//! (XPENDING and the claims), `info` (XINFO). `ids` reads and writes ids.

mod add;
mod entries;
mod groups;
mod ids;
mod info;
mod pending;
mod read;

use super::spec::{
    Arity, BLOCKING, Blocking, DENYOOM, FAST, KeySpec, LOADING, MOVABLE_KEYS, READONLY, Run, STALE,
    STREAM, Spec, WRITE,
};

pub const TABLE: &[Spec] = &[
    Spec {
        name: "XADD",
        arity: Arity::AtLeast(5),
        flags: WRITE | DENYOOM | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "update"])
            .noted("UPDATE instead of INSERT because of the optional trimming feature")],
        run: Run::Owner(add::xadd),
        tips: &["nondeterministic_output"],
        since: "5.0.0",
        group: "stream",
        summary: "Appends a new entry to a stream",
        complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of \
            entries evicted.",
        examples: &[
            ("XADD s 1-1 a 1", "$3\r\n1-1\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3", "$3\r\n3-1\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXLEN s", ":3\r\n"),
            ("XADD s 5 a 1", "$3\r\n5-0\r\n"),
            ("XADD s 5-* a 1", "$3\r\n5-0\r\n"),
            ("XADD s 5-3 a 1\nXADD s 5-* a 1", "$3\r\n5-4\r\n"),
            ("XADD s 0-* a 1", "$3\r\n0-1\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 1-1 a 1",
                "-ERR The ID specified in XADD is equal or smaller than the target stream top \
                item\r\n",
            ),
            ("XADD s 0-0 a 1", "-ERR The ID specified in XADD must be greater than 0-0\r\n"),
            ("XADD s 0 a 1", "-ERR The ID specified in XADD must be greater than 0-0\r\n"),
            (
                "XADD s 18446744073709551615-18446744073709551615 a 1\nXADD s * a 1",
                "-ERR The stream has exhausted the last possible ID, unable to add more items\r\n",
            ),
            ("XADD s NOMKSTREAM * a 1", "$-1\r\n"),
            ("XADD s nomkstream 1-1 a 1\nEXISTS s", ":0\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s MAXLEN 1 2-1 a 2\nXRANGE s - +",
                "*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n",
            ),
            ("XADD s 1-1 a 1\nXADD s MAXLEN = 0 2-1 a 2\nXLEN s", ":0\r\n"),
            ("XADD s 1-1 a 1\nXADD s MAXLEN ~ 1 2-1 a 2\nXLEN s", ":2\r\n"),
            ("XADD s 1-1 a 1\nXADD s MINID 2 2-1 a 2\nXLEN s", ":1\r\n"),
            (
                "XADD s MAXLEN 1 MINID 2 * a 1",
                "-ERR syntax error, MAXLEN and MINID options at the same time are not \
                compatible\r\n",
            ),
            ("XADD s MAXLEN -1 * a 1", "-ERR The MAXLEN argument must be >= 0.\r\n"),
            ("XADD s MAXLEN x * a 1", "-ERR value is not an integer or out of range\r\n"),
            (
                "XADD s MAXLEN 1 LIMIT 1 * a 1",
                "-ERR syntax error, LIMIT cannot be used without the special ~ option\r\n",
            ),
            (
                "XADD s LIMIT 1 * a 1",
                "-ERR syntax error, LIMIT cannot be used without specifying a trimming \
                strategy\r\n",
            ),
            ("XADD s MAXLEN ~ 1 LIMIT -1 * a 1", "-ERR The LIMIT argument must be >= 0.\r\n"),
            ("XADD s * a", "-ERR wrong number of arguments for 'xadd' command\r\n"),
            ("XADD s MAXLEN ~ 1", "-ERR wrong number of arguments for 'xadd' command\r\n"),
            ("XADD s x a 1", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            ("XADD s - a 1", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            (
                "SET s x\nXADD s * a 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "XADD s 1-1 n -5 m 007\nXRANGE s - +",
                "*1\r\n*2\r\n$3\r\n1-1\r\n*4\r\n$1\r\nn\r\n$2\r\n-5\r\n$1\r\nm\r\n$3\r\n007\r\n",
            ),
            ("TYPE s\nXADD s 1-1 a 1\nTYPE s", "+stream\r\n"),
            ("XADD s 1-1 a 1\nOBJECT ENCODING s", "$6\r\nstream\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XLEN",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(entries::xlen),
        since: "5.0.0",
        group: "stream",
        summary: "Return the number of entries in a stream",
        examples: &[
            ("XLEN s", ":0\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXLEN s", ":3\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 2-1\nXLEN s", ":2\r\n"),
            (
                "SET s x\nXLEN s",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XRANGE",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(entries::xrange),
        since: "5.0.0",
        group: "stream",
        summary: "Return a range of elements in a stream, with IDs matching the specified IDs \
            interval",
        complexity: "O(N) with N being the number of elements being returned. If N is constant \
            (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1).",
        examples: &[
            ("XRANGE s - +", "*0\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s - +",
                "*3\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n\
                $1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n\
                $1\r\n3\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s 2 + COUNT 1",
                "*1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s (2-1 +",
                "*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s - (2-1",
                "*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s 2 2",
                "*1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s + -", "*0\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s - + COUNT 0", "*-1\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXRANGE s - + COUNT -1",
                "*-1\r\n",
            ),
            ("XRANGE s - + COUNT 0", "*0\r\n"),
            ("XRANGE s - + COUNT", "-ERR syntax error\r\n"),
            ("XRANGE s - + COUNT x", "-ERR value is not an integer or out of range\r\n"),
            ("XRANGE s ( +", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            ("XRANGE s (- +", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            (
                "XRANGE s (18446744073709551615-18446744073709551615 +",
                "-ERR invalid start ID for the interval\r\n",
            ),
            ("XRANGE s - (0-0", "-ERR invalid end ID for the interval\r\n"),
            ("XRANGE s x +", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            (
                "SET s x\nXRANGE s - +",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XREVRANGE",
        arity: Arity::AtLeast(4),
        flags: READONLY,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(entries::xrevrange),
        since: "5.0.0",
        group: "stream",
        summary: "Return a range of elements in a stream, with IDs matching the specified IDs \
            interval, in reverse order (from greater to smaller IDs) compared to XRANGE",
        complexity: "O(N) with N being the number of elements returned. If N is constant (e.g. \
            always asking for the first 10 elements with COUNT), you can consider it O(1).",
        examples: &[
            ("XREVRANGE s + -", "*0\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREVRANGE s + -",
                "*3\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n*2\r\n$3\r\n2-1\r\n*4\r\n\
                $1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n\
                $1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREVRANGE s 2 - COUNT 1",
                "*1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREVRANGE s (3-1 -",
                "*2\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n*2\r\n\
                $3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREVRANGE s + (2-1",
                "*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREVRANGE s - +", "*0\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREVRANGE s + - COUNT 0",
                "*-1\r\n",
            ),
            ("XREVRANGE s (0-0 -", "-ERR invalid end ID for the interval\r\n"),
            (
                "SET s x\nXREVRANGE s + -",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XDEL",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(entries::xdel),
        since: "5.0.0",
        group: "stream",
        summary: "Removes the specified entries from the stream. Returns the number of items \
            actually deleted, that may be different from the number of IDs passed in case certain \
            IDs do not exist.",
        complexity: "O(1) for each single item to delete in the stream, regardless of the stream \
            size.",
        examples: &[
            ("XDEL s 1-1", ":0\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 1-1 2-1 9-9", ":2\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 1-1 1-1", ":1\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 1-1 2-1 3-1\nEXISTS s",
                ":1\r\n",
            ),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 2\nXLEN s", ":3\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 1-1 x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
            ("XDEL s x", ":0\r\n"),
            (
                "SET s x\nXDEL s 1-1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XTRIM",
        arity: Arity::AtLeast(4),
        flags: WRITE,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(add::xtrim),
        tips: &["nondeterministic_output"],
        since: "5.0.0",
        group: "stream",
        summary: "Trims the stream to (approximately if '~' is passed) a certain size",
        complexity: "O(N), with N being the number of evicted entries. Constant times are very \
            small however, since entries are organized in macro nodes containing multiple entries \
            that can be released with a single deallocation.",
        examples: &[
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXTRIM s MAXLEN 1", ":2\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXTRIM s MAXLEN 1\n\
                XRANGE s - +",
                "*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXTRIM s MAXLEN ~ 1", ":0\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXTRIM s MINID = 3", ":2\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXTRIM s MINID 2-2\nXLEN s",
                ":1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXTRIM s MAXLEN 0\nEXISTS s",
                ":1\r\n",
            ),
            ("XTRIM s MAXLEN 1", ":0\r\n"),
            ("XTRIM s FOO 1", "-ERR syntax error\r\n"),
            (
                "XTRIM s LIMIT 1",
                "-ERR syntax error, LIMIT cannot be used without specifying a trimming \
                strategy\r\n",
            ),
            (
                "XTRIM s LIMIT 0",
                "-ERR syntax error, XTRIM must be called with a trimming strategy\r\n",
            ),
            (
                "XTRIM s MAXLEN 1 LIMIT 1",
                "-ERR syntax error, LIMIT cannot be used without the special ~ option\r\n",
            ),
            (
                "XTRIM s MAXLEN 1 MINID 1",
                "-ERR syntax error, MAXLEN and MINID options at the same time are not \
                compatible\r\n",
            ),
            ("XTRIM s MAXLEN -1", "-ERR The MAXLEN argument must be >= 0.\r\n"),
            ("XTRIM s MINID x", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            ("XTRIM s MAXLEN ~", "-ERR value is not an integer or out of range\r\n"),
            (
                "SET s x\nXTRIM s MAXLEN 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XSETID",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(entries::xsetid),
        since: "5.0.0",
        group: "stream",
        summary: "An internal command for replicating stream values",
        examples: &[
            ("XSETID s 1-1", "-ERR no such key\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXSETID s 9-9", "+OK\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXSETID s 9-9\nXADD s 9-* a 1",
                "$4\r\n9-10\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXSETID s 2-2",
                "-ERR The ID specified in XSETID is smaller than the target stream top item\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\n\
                XSETID s 9 ENTRIESADDED 9 MAXDELETEDID 2-1",
                "+OK\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\n\
                XSETID s 9 ENTRIESADDED 2 MAXDELETEDID 2-1",
                "-ERR The entries_added specified in XSETID is smaller than the target stream \
                length\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\n\
                XSETID s 9 ENTRIESADDED -1 MAXDELETEDID 2-1",
                "-ERR entries_added must be positive\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\n\
                XSETID s 9 ENTRIESADDED 9 MAXDELETEDID 10",
                "-ERR The ID specified in XSETID is smaller than the provided \
                max_deleted_entry_id\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXSETID s 9 FOO",
                "-ERR syntax error\r\n",
            ),
            ("XSETID s x", "-ERR Invalid stream ID specified as stream command argument\r\n"),
            (
                "SET s x\nXSETID s 1-1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XREAD",
        arity: Arity::AtLeast(4),
        flags: READONLY | BLOCKING | MOVABLE_KEYS,
        acl: STREAM,
        keys: &[KeySpec::halved(1, "STREAMS", false)],
        run: Run::Blocking(Blocking {
            attempt: read::xread,
            timeout: read::xread_timeout,
            nothing: read::nothing,
        }),
        since: "5.0.0",
        group: "stream",
        summary: "Return never seen elements in multiple streams, with IDs greater than the ones \
            reported by the caller for each stream. Can block.",
        complexity: "For each stream mentioned: O(N) with N being the number of elements being \
            returned, it means that XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK \
            option is used, XADD will pay O(M) time in order to serve the M clients blocked on the \
            stream getting new data.",
        examples: &[
            ("XREAD STREAMS s 0", "*-1\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREAD STREAMS s 2",
                "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\n\
                c\r\n$1\r\nx\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREAD COUNT 1 STREAMS s 0",
                "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREAD STREAMS s 3-1", "*-1\r\n"),
            ("XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREAD STREAMS s $", "*-1\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXADD t 1-1 x y\n\
                XREAD COUNT 1 STREAMS s t u 2-1 0 0",
                "*2\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n*2\r\n\
                $1\r\nt\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nx\r\n$1\r\ny\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXREAD BLOCK 10 STREAMS s 2-1",
                "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative\r\n"),
            ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range\r\n"),
            ("XREAD COUNT x STREAMS s 0", "-ERR value is not an integer or out of range\r\n"),
            (
                "XREAD STREAMS s t 0",
                "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be \
                specified.\r\n",
            ),
            ("XREAD COUNT 1 STREAMS", "-ERR syntax error\r\n"),
            (
                "XREAD STREAMS s >",
                "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP \
                <group> <consumer> option.\r\n",
            ),
            (
                "XREAD STREAMS s x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
            ("XREAD FOO STREAMS s 0", "-ERR syntax error\r\n"),
            (
                "XREAD GROUP g c STREAMS s 0",
                "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD \
                instead.\r\n",
            ),
            (
                "XREAD NOACK STREAMS s 0",
                "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD \
                instead.\r\n",
            ),
            (
                "SET s x\nXREAD STREAMS s 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("XADD s 1-1 a 1\nXDEL s 1-1\nXREAD STREAMS s 0", "*-1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XREADGROUP",
        arity: Arity::AtLeast(7),
        flags: WRITE | BLOCKING | MOVABLE_KEYS,
        acl: STREAM,
        keys: &[KeySpec::halved(4, "STREAMS", true)],
        run: Run::Blocking(Blocking {
            attempt: read::xreadgroup,
            timeout: read::xreadgroup_timeout,
            nothing: read::nothing,
        }),
        since: "5.0.0",
        group: "stream",
        summary: "Return new entries from a stream using a consumer group, or access the history \
            of the pending entries for a given consumer. Can block.",
        complexity: "For each stream mentioned: O(M) with M being the number of elements returned. \
            If M is constant (e.g. always asking for the first 10 elements with COUNT), you can \
            consider it O(1). On the other side when XREADGROUP blocks, XADD will pay the O(N) \
            time in order to serve the N clients blocked on the stream getting new data.",
        examples: &[
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >",
                "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n\
                $3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g c STREAMS s >",
                "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c STREAMS s >\nXREADGROUP GROUP g c STREAMS s >",
                "*-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g c STREAMS s 0",
                "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n\
                $3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g c STREAMS s 1-1",
                "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\n\
                c\r\n$1\r\nx\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g d STREAMS s 0",
                "*1\r\n*2\r\n$1\r\ns\r\n*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXDEL s 2-1\n\
                XREADGROUP GROUP g c STREAMS s 0",
                "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n\
                $3\r\n2-1\r\n*-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXACK s g 1-1\n\
                XREADGROUP GROUP g c STREAMS s 0",
                "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\n\
                c\r\n$1\r\nx\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c NOACK STREAMS s >\nXPENDING s g",
                "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXGROUP SETID s g 0\n\
                XREADGROUP GROUP g d COUNT 1 STREAMS s >\nXPENDING s g",
                "*4\r\n:2\r\n$3\r\n1-1\r\n$3\r\n2-1\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n*2\r\n\
                $1\r\nd\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XADD t 1-1 x y\nXGROUP CREATE t g 0\nXREADGROUP GROUP g c STREAMS s t 0 >",
                "*2\r\n*2\r\n$1\r\ns\r\n*0\r\n*2\r\n$1\r\nt\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n\
                $1\r\nx\r\n$1\r\ny\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g c COUNT 9 BLOCK 10 \
                STREAMS s >",
                "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n3\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP nog c STREAMS s >",
                "-NOGROUP No such key 's' or consumer group 'nog' in XREADGROUP with GROUP \
                option\r\n",
            ),
            (
                "XREADGROUP GROUP g c STREAMS s >",
                "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP \
                option\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c STREAMS s $",
                "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the \
                history of this consumer by specifying a proper ID, or use the > ID to get new \
                messages. The $ ID would just return an empty result set.\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c STREAMS s x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
            (
                "XREADGROUP GROUP g c STREAMS s t >",
                "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be \
                specified.\r\n",
            ),
            ("XREADGROUP GROUP g c BLOCK -1 STREAMS s >", "-ERR timeout is negative\r\n"),
            (
                "XREADGROUP NOACK COUNT 1 STREAMS s >",
                "-ERR Missing GROUP option for XREADGROUP\r\n",
            ),
            ("XREADGROUP GROUP g c FOO STREAMS s >", "-ERR syntax error\r\n"),
            (
                "SET s x\nXREADGROUP GROUP g c STREAMS s >",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XGROUP",
        arity: Arity::AtLeast(2),
        subcommands: &[
            Spec {
                name: "CREATE",
                arity: Arity::AtLeast(5),
                flags: WRITE | DENYOOM,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RW", "insert"])],
                run: Run::Owner(groups::create),
                since: "5.0.0",
                group: "stream",
                summary: "Create a consumer group.",
                examples: &[
                    (
                        "XGROUP CREATE s g 0",
                        "-ERR The XGROUP subcommand requires the key to exist. Note that for \
                        CREATE you may want to use the MKSTREAM option to create an empty stream \
                        automatically.\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0",
                        "+OK\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g $\n\
                        XREADGROUP GROUP g c STREAMS s >",
                        "*-1\r\n",
                    ),
                    ("XGROUP CREATE s g $ MKSTREAM\nXLEN s", ":0\r\n"),
                    ("XGROUP CREATE s g $ mkstream\nTYPE s", "+stream\r\n"),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP CREATE s g 0",
                        "-BUSYGROUP Consumer Group name already exists\r\n",
                    ),
                    (
                        "XGROUP CREATE s g x MKSTREAM",
                        "-ERR Invalid stream ID specified as stream command argument\r\n",
                    ),
                    ("XGROUP CREATE s g x MKSTREAM\nEXISTS s", ":0\r\n"),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\n\
                        XGROUP CREATE s g 2-1 ENTRIESREAD 2\nXINFO GROUPS s",
                        "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:0\r\n$7\r\n\
                        pending\r\n:0\r\n$17\r\nlast-delivered-id\r\n$3\r\n2-1\r\n$12\r\n\
                        entries-read\r\n:2\r\n$3\r\nlag\r\n:1\r\n",
                    ),
                    (
                        "XGROUP CREATE s g 0 ENTRIESREAD -2",
                        "-ERR value for ENTRIESREAD must be positive or -1\r\n",
                    ),
                    (
                        "XGROUP CREATE s g 0 ENTRIESREAD",
                        "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try \
                        XGROUP HELP.\r\n",
                    ),
                    (
                        "XGROUP CREATE s g 0 FOO",
                        "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try \
                        XGROUP HELP.\r\n",
                    ),
                    (
                        "XGROUP CREATE s g",
                        "-ERR wrong number of arguments for 'xgroup|create' command\r\n",
                    ),
                    (
                        "SET s x\nXGROUP CREATE s g 0",
                        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "CREATECONSUMER",
                arity: Arity::Exactly(5),
                flags: WRITE | DENYOOM,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RW", "insert"])],
                run: Run::Owner(groups::create_consumer),
                since: "6.2.0",
                group: "stream",
                summary: "Create a consumer in a consumer group.",
                examples: &[
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP CREATECONSUMER s g c",
                        ":1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXGROUP CREATECONSUMER s g c",
                        ":0\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP CREATECONSUMER s nog c",
                        "-NOGROUP No such consumer group 'nog' for key name 's'\r\n",
                    ),
                    (
                        "XGROUP CREATECONSUMER s g c",
                        "-ERR The XGROUP subcommand requires the key to exist. Note that for \
                        CREATE you may want to use the MKSTREAM option to create an empty stream \
                        automatically.\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "DELCONSUMER",
                arity: Arity::Exactly(5),
                flags: WRITE,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RW", "delete"])],
                run: Run::Owner(groups::delete_consumer),
                since: "5.0.0",
                group: "stream",
                summary: "Delete a consumer from a consumer group.",
                examples: &[
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXGROUP DELCONSUMER s g c",
                        ":2\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXGROUP DELCONSUMER s g c\n\
                        XPENDING s g",
                        "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXGROUP DELCONSUMER s g nobody",
                        ":0\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP DELCONSUMER s nog c",
                        "-NOGROUP No such consumer group 'nog' for key name 's'\r\n",
                    ),
                    (
                        "XGROUP DELCONSUMER s g c",
                        "-ERR The XGROUP subcommand requires the key to exist. Note that for \
                        CREATE you may want to use the MKSTREAM option to create an empty stream \
                        automatically.\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "DESTROY",
                arity: Arity::Exactly(4),
                flags: WRITE,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RW", "delete"])],
                run: Run::Owner(groups::destroy),
                since: "5.0.0",
                group: "stream",
                summary: "Destroy a consumer group.",
                complexity: "O(N) where N is the number of entries in the group's pending entries \
                    list (PEL).",
                examples: &[
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP DESTROY s g",
                        ":1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP DESTROY s nog",
                        ":0\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP DESTROY s g\nXINFO GROUPS s",
                        "*0\r\n",
                    ),
                    (
                        "XGROUP DESTROY s g",
                        "-ERR The XGROUP subcommand requires the key to exist. Note that for \
                        CREATE you may want to use the MKSTREAM option to create an empty stream \
                        automatically.\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "HELP",
                arity: Arity::Exactly(2),
                flags: LOADING | STALE,
                acl: STREAM,
                run: Run::Here(groups::help),
                since: "5.0.0",
                group: "stream",
                summary: "Show helpful text about the different subcommands",
                examples: &[("XGROUP HELP", "*")],
                ..Spec::ROW
            },
            Spec {
                name: "SETID",
                arity: Arity::AtLeast(5),
                flags: WRITE,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RW", "update"])],
                run: Run::Owner(groups::setid),
                since: "5.0.0",
                group: "stream",
                summary: "Set a consumer group to an arbitrary last delivered ID value.",
                examples: &[
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXGROUP SETID s g 0\n\
                        XREADGROUP GROUP g c COUNT 1 STREAMS s >",
                        "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n\
                        1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP SETID s g $\nXREADGROUP GROUP g c STREAMS s >",
                        "*-1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP SETID s g 2-1 ENTRIESREAD 2",
                        "+OK\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP SETID s g 0 MKSTREAM",
                        "-ERR unknown subcommand or wrong number of arguments for 'SETID'. Try \
                        XGROUP HELP.\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP SETID s g x",
                        "-ERR Invalid stream ID specified as stream command argument\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP SETID s nog 0",
                        "-NOGROUP No such consumer group 'nog' for key name 's'\r\n",
                    ),
                    (
                        "XGROUP SETID s g 0",
                        "-ERR The XGROUP subcommand requires the key to exist. Note that for \
                        CREATE you may want to use the MKSTREAM option to create an empty stream \
                        automatically.\r\n",
                    ),
                ],
                ..Spec::ROW
            },
        ],
        since: "5.0.0",
        group: "stream",
        summary: "A container for consumer groups commands",
        complexity: "Depends on subcommand.",
        ..Spec::ROW
    },
    Spec {
        name: "XACK",
        arity: Arity::AtLeast(4),
        flags: WRITE | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(groups::xack),
        since: "5.0.0",
        group: "stream",
        summary: "Marks a pending message as correctly processed, effectively removing it from the \
            pending entries list of the consumer group. Return value of the command is the number \
            of messages successfully acknowledged, that is, the IDs we were actually able to \
            resolve in the PEL.",
        complexity: "O(1) for each message ID processed.",
        examples: &[
            ("XACK s g 1-1", ":0\r\n"),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXACK s g 1-1 2-1 3-1",
                ":2\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXACK s g 1-1 1-1",
                ":1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXACK s nog 1-1",
                ":0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXACK s g 1-1 x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
            ("XACK s g x", ":0\r\n"),
            (
                "SET s x\nXACK s g 1-1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XPENDING",
        arity: Arity::AtLeast(3),
        flags: READONLY,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(pending::xpending),
        tips: &["nondeterministic_output"],
        since: "5.0.0",
        group: "stream",
        summary: "Return information and entries from a stream consumer group pending entries \
            list, that are messages fetched but never acknowledged.",
        complexity: "O(N) with N being the number of elements returned, so asking for a small \
            fixed number of entries per call is O(1). O(M), where M is the total number of entries \
            scanned when used with the IDLE filter. When the command returns just the summary and \
            the list of consumers is small, it runs in O(1) time; otherwise, an additional O(N) \
            time for iterating every consumer.",
        examples: &[
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g",
                "*4\r\n:2\r\n$3\r\n1-1\r\n$3\r\n2-1\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n2\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XPENDING s g",
                "*4\r\n:0\r\n$-1\r\n$-1\r\n*-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXREADGROUP GROUP g d STREAMS s >\n\
                XPENDING s g",
                "*4\r\n:3\r\n$3\r\n1-1\r\n$3\r\n3-1\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n2\r\n*2\r\n\
                $1\r\nd\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g (2-1 + 10",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g - + 0",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g - + -1",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g - + 10 nobody",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g IDLE 100000 - + 10 c",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g IDLE 1 - +",
                "-ERR syntax error\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g - +",
                "-ERR syntax error\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g - + x",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s g x + 1",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXPENDING s nog",
                "-NOGROUP No such key 's' or consumer group 'nog'\r\n",
            ),
            ("XPENDING s g", "-NOGROUP No such key 's' or consumer group 'g'\r\n"),
            (
                "SET s x\nXPENDING s g",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XCLAIM",
        arity: Arity::AtLeast(6),
        flags: WRITE | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(pending::xclaim),
        tips: &["nondeterministic_output"],
        since: "5.0.0",
        group: "stream",
        summary: "Changes (or acquires) ownership of a message in a consumer group, as if the \
            message was delivered to the specified consumer.",
        complexity: "O(log N) with N being the number of messages in the PEL of the consumer \
            group.",
        examples: &[
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1",
                "*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 2-1 3-1 JUSTID",
                "*2\r\n$3\r\n1-1\r\n$3\r\n2-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 100000 1-1",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 3-1 FORCE JUSTID",
                "*1\r\n$3\r\n3-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 9-9 FORCE JUSTID",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 IDLE 5 RETRYCOUNT 9 \
                JUSTID\nXPENDING s g IDLE 5 - 1-1 1 c",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 JUSTID\nXPENDING s g",
                "*4\r\n:2\r\n$3\r\n1-1\r\n$3\r\n2-1\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n*2\r\n\
                $1\r\nd\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXDEL s 1-1\nXCLAIM s g d 0 1-1",
                "*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXDEL s 1-1\nXCLAIM s g d 0 1-1\n\
                XPENDING s g",
                "*4\r\n:1\r\n$3\r\n2-1\r\n$3\r\n2-1\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 LASTID 3-1\n\
                XREADGROUP GROUP g c STREAMS s >",
                "*-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d x 1-1",
                "-ERR Invalid min-idle-time argument for XCLAIM\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 IDLE x",
                "-ERR Invalid IDLE option argument for XCLAIM\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 TIME x",
                "-ERR Invalid TIME option argument for XCLAIM\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 RETRYCOUNT x",
                "-ERR Invalid RETRYCOUNT option argument for XCLAIM\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 FOO",
                "-ERR Unrecognized XCLAIM option 'FOO'\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s g d 0 1-1 IDLE",
                "-ERR Unrecognized XCLAIM option 'IDLE'\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXCLAIM s nog d 0 1-1",
                "-NOGROUP No such key 's' or consumer group 'nog'\r\n",
            ),
            ("XCLAIM s g d 0 1-1", "-NOGROUP No such key 's' or consumer group 'g'\r\n"),
            (
                "SET s x\nXCLAIM s g d 0 1-1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XAUTOCLAIM",
        arity: Arity::AtLeast(6),
        flags: WRITE | FAST,
        acl: STREAM,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(pending::xautoclaim),
        tips: &["nondeterministic_output"],
        since: "6.2.0",
        group: "stream",
        summary: "Changes (or acquires) ownership of messages in a consumer group, as if the \
            messages were delivered to the specified consumer.",
        complexity: "O(1) if COUNT is small.",
        examples: &[
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 0 -",
                "*3\r\n$3\r\n0-0\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n\
                $3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 0 0 COUNT 1 JUSTID",
                "*3\r\n$3\r\n2-1\r\n*1\r\n$3\r\n1-1\r\n*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 100000 0",
                "*3\r\n$3\r\n0-0\r\n*0\r\n*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 0 (1-1 JUSTID",
                "*3\r\n$3\r\n0-0\r\n*1\r\n$3\r\n2-1\r\n*0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXDEL s 1-1\nXAUTOCLAIM s g d 0 0 JUSTID",
                "*3\r\n$3\r\n0-0\r\n*1\r\n$3\r\n2-1\r\n*1\r\n$3\r\n1-1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXDEL s 1-1\n\
                XAUTOCLAIM s g d 0 0 JUSTID COUNT 1\nXPENDING s g",
                "*4\r\n:1\r\n$3\r\n2-1\r\n$3\r\n2-1\r\n*1\r\n*2\r\n$1\r\nc\r\n$1\r\n1\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 0 0 COUNT 0",
                "-ERR COUNT must be > 0\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d x 0",
                "-ERR Invalid min-idle-time argument for XAUTOCLAIM\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 0 x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s g d 0 0 FOO",
                "-ERR syntax error\r\n",
            ),
            (
                "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXAUTOCLAIM s nog d 0 0",
                "-NOGROUP No such key 's' or consumer group 'nog'\r\n",
            ),
            ("XAUTOCLAIM s g d 0 0", "-NOGROUP No such key 's' or consumer group 'g'\r\n"),
            (
                "SET s x\nXAUTOCLAIM s g d 0 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "XINFO",
        arity: Arity::AtLeast(2),
        subcommands: &[
            Spec {
                name: "CONSUMERS",
                arity: Arity::Exactly(4),
                flags: READONLY,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RO", "access"])],
                run: Run::Owner(info::consumers),
                tips: &["nondeterministic_output"],
                since: "5.0.0",
                group: "stream",
                summary: "List the consumers in a consumer group",
                examples: &[
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XINFO CONSUMERS s g",
                        "*0\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXINFO CONSUMERS s g",
                        "*1\r\n*",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XINFO CONSUMERS s nog",
                        "-NOGROUP No such consumer group 'nog' for key name 's'\r\n",
                    ),
                    ("XINFO CONSUMERS s g", "-ERR no such key\r\n"),
                    (
                        "SET s x\nXINFO CONSUMERS s g",
                        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "GROUPS",
                arity: Arity::Exactly(3),
                flags: READONLY,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RO", "access"])],
                run: Run::Owner(info::groups),
                since: "5.0.0",
                group: "stream",
                summary: "List the consumer groups of a stream",
                examples: &[
                    ("XINFO GROUPS s", "-ERR no such key\r\n"),
                    ("XADD s 1-1 a 1\nXINFO GROUPS s", "*0\r\n"),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XINFO GROUPS s",
                        "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:0\r\n$7\r\n\
                        pending\r\n:0\r\n$17\r\nlast-delivered-id\r\n$3\r\n0-0\r\n$12\r\n\
                        entries-read\r\n$-1\r\n$3\r\nlag\r\n:3\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXINFO GROUPS s",
                        "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:1\r\n$7\r\n\
                        pending\r\n:2\r\n$17\r\nlast-delivered-id\r\n$3\r\n2-1\r\n$12\r\n\
                        entries-read\r\n:2\r\n$3\r\nlag\r\n:1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XREADGROUP GROUP g c COUNT 2 STREAMS s >\nXDEL s 3-1\nXINFO GROUPS s",
                        "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:1\r\n$7\r\n\
                        pending\r\n:2\r\n$17\r\nlast-delivered-id\r\n$3\r\n2-1\r\n$12\r\n\
                        entries-read\r\n:2\r\n$3\r\nlag\r\n$-1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XGROUP SETID s g 2-1\nXINFO GROUPS s",
                        "*1\r\n*12\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:0\r\n$7\r\n\
                        pending\r\n:0\r\n$17\r\nlast-delivered-id\r\n$3\r\n2-1\r\n$12\r\n\
                        entries-read\r\n$-1\r\n$3\r\nlag\r\n$-1\r\n",
                    ),
                    (
                        "SET s x\nXINFO GROUPS s",
                        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "HELP",
                arity: Arity::Exactly(2),
                flags: LOADING | STALE,
                acl: STREAM,
                run: Run::Here(info::help),
                since: "5.0.0",
                group: "stream",
                summary: "Show helpful text about the different subcommands",
                examples: &[("XINFO HELP", "*")],
                ..Spec::ROW
            },
            Spec {
                name: "STREAM",
                arity: Arity::AtLeast(3),
                flags: READONLY,
                acl: STREAM,
                keys: &[KeySpec::at(2, &["RO", "access"])],
                run: Run::Owner(info::stream),
                since: "5.0.0",
                group: "stream",
                summary: "Get information about a stream",
                examples: &[
                    (
                        "XADD s 1-1 a 1\nXINFO STREAM s",
                        "*20\r\n$6\r\nlength\r\n:1\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\n\
                        radix-tree-nodes\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n1-1\r\n$20\r\n\
                        max-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:1\r\n$23\r\n\
                        recorded-first-entry-id\r\n$3\r\n1-1\r\n$6\r\ngroups\r\n:0\r\n$11\r\n\
                        first-entry\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n$10\r\n\
                        last-entry\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXDEL s 1-1\n\
                        XGROUP CREATE s g 0\nXINFO STREAM s",
                        "*20\r\n$6\r\nlength\r\n:2\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\n\
                        radix-tree-nodes\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n3-1\r\n$20\r\n\
                        max-deleted-entry-id\r\n$3\r\n1-1\r\n$13\r\nentries-added\r\n:3\r\n$23\r\n\
                        recorded-first-entry-id\r\n$3\r\n2-1\r\n$6\r\ngroups\r\n:1\r\n$11\r\n\
                        first-entry\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n\
                        $1\r\nx\r\n$10\r\nlast-entry\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n\
                        3\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXDEL s 1-1\nXINFO STREAM s",
                        "*20\r\n$6\r\nlength\r\n:0\r\n$15\r\nradix-tree-keys\r\n:0\r\n$16\r\n\
                        radix-tree-nodes\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n1-1\r\n$20\r\n\
                        max-deleted-entry-id\r\n$3\r\n1-1\r\n$13\r\nentries-added\r\n:1\r\n$23\r\n\
                        recorded-first-entry-id\r\n$3\r\n0-0\r\n$6\r\ngroups\r\n:0\r\n$11\r\n\
                        first-entry\r\n$-1\r\n$10\r\nlast-entry\r\n$-1\r\n",
                    ),
                    ("XINFO STREAM s", "-ERR no such key\r\n"),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\n\
                        XINFO STREAM s FULL COUNT 2",
                        "*18\r\n$6\r\nlength\r\n:3\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\n\
                        radix-tree-nodes\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n3-1\r\n$20\r\n\
                        max-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:3\r\n$23\r\n\
                        recorded-first-entry-id\r\n$3\r\n1-1\r\n$7\r\nentries\r\n*2\r\n*2\r\n$3\r\n\
                        1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n\
                        $1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n$6\r\ngroups\r\n*0\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXADD s 2-1 b 2 c x\nXADD s 3-1 a 3\nXGROUP CREATE s g 0\n\
                        XINFO STREAM s FULL",
                        "*18\r\n$6\r\nlength\r\n:3\r\n$15\r\nradix-tree-keys\r\n:1\r\n$16\r\n\
                        radix-tree-nodes\r\n:2\r\n$17\r\nlast-generated-id\r\n$3\r\n3-1\r\n$20\r\n\
                        max-deleted-entry-id\r\n$3\r\n0-0\r\n$13\r\nentries-added\r\n:3\r\n$23\r\n\
                        recorded-first-entry-id\r\n$3\r\n1-1\r\n$7\r\nentries\r\n*3\r\n*2\r\n$3\r\n\
                        1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$3\r\n2-1\r\n*4\r\n$1\r\nb\r\n\
                        $1\r\n2\r\n$1\r\nc\r\n$1\r\nx\r\n*2\r\n$3\r\n3-1\r\n*2\r\n$1\r\na\r\n$1\r\n\
                        3\r\n$6\r\ngroups\r\n*1\r\n*14\r\n$4\r\nname\r\n$1\r\ng\r\n$17\r\n\
                        last-delivered-id\r\n$3\r\n0-0\r\n$12\r\nentries-read\r\n$-1\r\n$3\r\n\
                        lag\r\n:3\r\n$9\r\npel-count\r\n:0\r\n$7\r\npending\r\n*0\r\n$9\r\n\
                        consumers\r\n*0\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXINFO STREAM s FOO",
                        "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try \
                        XINFO HELP.\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXINFO STREAM s FULL COUNT",
                        "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try \
                        XINFO HELP.\r\n",
                    ),
                    (
                        "XADD s 1-1 a 1\nXINFO STREAM s FULL COUNT x",
                        "-ERR value is not an integer or out of range\r\n",
                    ),
                    (
                        "SET s x\nXINFO STREAM s",
                        "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
                    ),
                ],
                ..Spec::ROW
            },
        ],
        since: "5.0.0",
        group: "stream",
        summary: "A container for stream introspection commands",
        complexity: "Depends on subcommand.",
        ..Spec::ROW
    },
];

#[cfg(test)]
mod tests;
