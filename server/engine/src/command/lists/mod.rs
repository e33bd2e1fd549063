//! Lists. The rows stand here; the functions are kept by where they work: `ends` (push and pop),
//! `middle` (set, insert, remove, trim), `read`, `transfer` (from one list to another). `words`
//! reads their arguments.

mod ends;
mod middle;
mod read;
mod transfer;
mod words;

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::error::CommandError;
use super::spec::{
    Arity, BLOCKING, Blocking, DENYOOM, FAST, Find, Handler, KeySpec, LIST, MOVABLE_KEYS, NOSCRIPT,
    READONLY, Run, Spec, WRITE,
};
use crate::value::packed::Element;

const SOURCE_AND_TARGET: &[KeySpec] =
    &[KeySpec::at(1, &["RW", "access", "delete"]), KeySpec::at(2, &["RW", "insert"])];

const SOURCE: &[&str] = &["RW", "access", "delete"];

/// All arguments but the last, which is a timeout.
const ALL_BUT_LAST: KeySpec =
    KeySpec { flags: SOURCE, begin: 1, find: Find::Range { last: -2, step: 1 }, notes: "" };

/// Keys behind their number.
const fn counted(begin: u8) -> KeySpec {
    KeySpec { flags: SOURCE, begin, find: Find::Counted { first: 1, step: 1 }, notes: "" }
}

/// A row that waits for an element. Lists answer a timeout with a nil array whatever they answer
/// otherwise, as in Redis.
const fn waiting(
    attempt: Handler,
    timeout: fn(Args<'_>) -> Result<Option<u64>, CommandError>,
) -> Run {
    Run::Blocking(Blocking { attempt, timeout, nothing: |reply| reply.null_array() })
}

/// Answers an element.
#[inline]
fn put(reply: &mut Reply<'_>, element: Element<'_>) {
    match element {
        Element::Bytes(bytes) => reply.bulk(bytes),
        Element::Integer(value) => reply.bulk_int(value),
    }
}

/// The place an index names in a list of `len`; negative ones count from the right end.
fn index_of(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < len)
}

/// Where the elements from `start` to `stop`, both included, begin in a list of `len`, and how
/// many there are.
fn range_of(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let len = len as i64;
    let from_left = |index: i64| if index < 0 { index + len } else { index };
    let start = from_left(start).max(0);
    let stop = from_left(stop).min(len - 1);
    if start > stop { (0, 0) } else { (start as usize, (stop - start + 1) as usize) }
}

pub const TABLE: &[Spec] = &[
    Spec {
        name: "LPUSH",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(ends::lpush),
        group: "list",
        summary: "Prepend one or multiple elements to a list",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
        called \
             with multiple arguments.",
        examples: &[
            ("LPUSH l a", ":1\r\n"),
            ("LPUSH l a b c", ":3\r\n"),
            ("LPUSH l a b c\nLRANGE l 0 -1", "*3\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n"),
            (
                "SET s x\nLPUSH s a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "LPUSH l 1 -1 007 9223372036854775807 \"\"\nLRANGE l 0 -1",
                "*5\r\n$0\r\n\r\n$19\r\n9223372036854775807\r\n$3\r\n007\r\n$2\r\n-1\r\n$1\r\n\
                 1\r\n",
            ),
            ("LPUSH l a\nTYPE l", "+list\r\n"),
            ("LPUSH l", "-ERR wrong number of arguments for 'lpush' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RPUSH",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(ends::rpush),
        group: "list",
        summary: "Append one or multiple elements to a list",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
        called \
             with multiple arguments.",
        examples: &[
            ("RPUSH l a b c", ":3\r\n"),
            ("RPUSH l a b c\nLRANGE l 0 -1", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            (
                "SET s x\nRPUSH s a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("RPUSH l a\nEXPIRE l 100\nRPUSH l b\nTTL l", ":100\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LPUSHX",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(ends::lpushx),
        since: "2.2.0",
        group: "list",
        summary: "Prepend an element to a list, only if the list exists",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
        called \
             with multiple arguments.",
        examples: &[
            ("LPUSHX l a", ":0\r\n"),
            ("LPUSHX l a\nEXISTS l", ":0\r\n"),
            ("RPUSH l a\nLPUSHX l b c\nLRANGE l 0 -1", "*3\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n"),
            (
                "SET s x\nLPUSHX s a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RPUSHX",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(ends::rpushx),
        since: "2.2.0",
        group: "list",
        summary: "Append an element to a list, only if the list exists",
        complexity: "O(1) for each element added, so O(N) to add N elements when the command is \
        called \
             with multiple arguments.",
        examples: &[
            ("RPUSHX l a", ":0\r\n"),
            ("RPUSH l a\nRPUSHX l b c", ":3\r\n"),
            (
                "SET s x\nRPUSHX s a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LPOP",
        arity: Arity::AtLeast(2),
        flags: WRITE | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"])],
        run: Run::Owner(ends::lpop),
        group: "list",
        summary: "Remove and get the first elements in a list",
        complexity: "O(N) where N is the number of elements returned",
        examples: &[
            ("LPOP l", "$-1\r\n"),
            ("LPOP l 1", "*-1\r\n"),
            ("RPUSH l a b c\nLPOP l", "$1\r\na\r\n"),
            ("RPUSH l a b c\nLPOP l 2", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            ("RPUSH l a b c\nLPOP l 9\nEXISTS l", ":0\r\n"),
            ("RPUSH l a b c\nLPOP l 0", "*0\r\n"),
            ("RPUSH l a b c\nLPOP l -1", "-ERR value is out of range, must be positive\r\n"),
            ("RPUSH l a b c\nLPOP l x", "-ERR value is out of range, must be positive\r\n"),
            (
                "SET s x\nLPOP s",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RPOP",
        arity: Arity::AtLeast(2),
        flags: WRITE | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"])],
        run: Run::Owner(ends::rpop),
        group: "list",
        summary: "Remove and get the last elements in a list",
        complexity: "O(N) where N is the number of elements returned",
        examples: &[
            ("RPOP l", "$-1\r\n"),
            ("RPOP l 1", "*-1\r\n"),
            ("RPUSH l a b c\nRPOP l", "$1\r\nc\r\n"),
            ("RPUSH l a b c\nRPOP l 2", "*2\r\n$1\r\nc\r\n$1\r\nb\r\n"),
            ("RPUSH l a b c\nRPOP l 2\nLRANGE l 0 -1", "*1\r\n$1\r\na\r\n"),
            ("RPUSH l 5 6\nRPOP l", "$1\r\n6\r\n"),
            (
                "SET s x\nRPOP s",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("RPOP l 1 2", "-ERR wrong number of arguments for 'rpop' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LLEN",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(read::llen),
        group: "list",
        summary: "Get the length of a list",
        examples: &[
            ("LLEN l", ":0\r\n"),
            ("RPUSH l a b c\nLLEN l", ":3\r\n"),
            (
                "SET s x\nLLEN s",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LINDEX",
        arity: Arity::Exactly(3),
        flags: READONLY,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::lindex),
        group: "list",
        summary: "Get an element from a list by its index",
        complexity: "O(N) where N is the number of elements to traverse to get to the element at \
        index. \
             This makes asking for the first or the last element of the list O(1).",
        examples: &[
            ("LINDEX l 0", "$-1\r\n"),
            ("LINDEX l x", "$-1\r\n"),
            ("RPUSH l a b c\nLINDEX l 0", "$1\r\na\r\n"),
            ("RPUSH l a b c\nLINDEX l -1", "$1\r\nc\r\n"),
            ("RPUSH l a b c\nLINDEX l 3", "$-1\r\n"),
            ("RPUSH l a b c\nLINDEX l -4", "$-1\r\n"),
            ("RPUSH l a b c\nLINDEX l x", "-ERR value is not an integer or out of range\r\n"),
            ("RPUSH l 10 20\nLINDEX l 1", "$2\r\n20\r\n"),
            (
                "SET s x\nLINDEX s 0",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LRANGE",
        arity: Arity::Exactly(4),
        flags: READONLY,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::lrange),
        group: "list",
        summary: "Get a range of elements from a list",
        complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, \
        from \
             nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the \
             specified range.",
        examples: &[
            ("LRANGE l 0 -1", "*0\r\n"),
            ("RPUSH l a b c\nLRANGE l 0 -1", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("RPUSH l a b c\nLRANGE l 1 1", "*1\r\n$1\r\nb\r\n"),
            ("RPUSH l a b c\nLRANGE l -2 9", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("RPUSH l a b c\nLRANGE l -9 0", "*1\r\n$1\r\na\r\n"),
            ("RPUSH l a b c\nLRANGE l 2 1", "*0\r\n"),
            ("RPUSH l a b c\nLRANGE l 3 9", "*0\r\n"),
            (
                "RPUSH l a b c\nLRANGE l -9223372036854775808 9223372036854775807",
                "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
            ),
            ("LRANGE l x 1", "-ERR value is not an integer or out of range\r\n"),
            ("LRANGE l 0 x", "-ERR value is not an integer or out of range\r\n"),
            (
                "SET s x\nLRANGE s 0 -1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LSET",
        arity: Arity::Exactly(4),
        flags: WRITE | DENYOOM,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(middle::lset),
        group: "list",
        summary: "Set the value of an element in a list by its index",
        complexity: "O(N) where N is the length of the list. Setting either the first or the last \
             element of the list is O(1).",
        examples: &[
            ("RPUSH l a b c\nLSET l 1 x", "+OK\r\n"),
            (
                "RPUSH l a b c\nLSET l -1 x\nLRANGE l 0 -1",
                "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nx\r\n",
            ),
            ("RPUSH l a b c\nLSET l 3 x", "-ERR index out of range\r\n"),
            ("RPUSH l a b c\nLSET l -4 x", "-ERR index out of range\r\n"),
            ("LSET l 0 x", "-ERR no such key\r\n"),
            ("LSET l x x", "-ERR no such key\r\n"),
            ("RPUSH l a b c\nLSET l x x", "-ERR value is not an integer or out of range\r\n"),
            (
                "SET s x\nLSET s 0 x",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LINSERT",
        arity: Arity::Exactly(5),
        flags: WRITE | DENYOOM,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "insert"])],
        run: Run::Owner(middle::linsert),
        since: "2.2.0",
        group: "list",
        summary: "Insert an element before or after another element in a list",
        complexity: "O(N) where N is the number of elements to traverse before seeing the value \
        pivot. \
             This means that inserting somewhere on the left end on the list (head) can be \
             considered O(1) and inserting somewhere on the right end (tail) is O(N).",
        examples: &[
            ("RPUSH l a b c\nLINSERT l BEFORE b x", ":4\r\n"),
            (
                "RPUSH l a b c\nLINSERT l before b x\nLRANGE l 0 -1",
                "*4\r\n$1\r\na\r\n$1\r\nx\r\n$1\r\nb\r\n$1\r\nc\r\n",
            ),
            (
                "RPUSH l a b c\nLINSERT l AFTER c x\nLRANGE l 0 -1",
                "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            ("RPUSH l a b c\nLINSERT l BEFORE z x", ":-1\r\n"),
            ("LINSERT l BEFORE z x", ":0\r\n"),
            ("RPUSH l a b c\nLINSERT l BESIDE a x", "-ERR syntax error\r\n"),
            (
                "SET s x\nLINSERT s BEFORE a x",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LREM",
        arity: Arity::Exactly(4),
        flags: WRITE,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(middle::lrem),
        group: "list",
        summary: "Remove elements from a list",
        complexity: "O(N+M) where N is the length of the list and M is the number of elements remov\
     ed.",
        examples: &[
            ("RPUSH l a b a c a\nLREM l 0 a", ":3\r\n"),
            (
                "RPUSH l a b a c a\nLREM l 2 a\nLRANGE l 0 -1",
                "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n",
            ),
            (
                "RPUSH l a b a c a\nLREM l -2 a\nLRANGE l 0 -1",
                "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
            ),
            ("RPUSH l a b a c a\nLREM l 0 z", ":0\r\n"),
            ("RPUSH l a\nLREM l 0 a\nEXISTS l", ":0\r\n"),
            ("LREM l 0 a", ":0\r\n"),
            ("LREM l x a", "-ERR value is not an integer or out of range\r\n"),
            ("RPUSH l a b a c a\nLREM l -9223372036854775808 a", ":3\r\n"),
            ("RPUSH l 1 01 1\nLREM l 0 1", ":2\r\n"),
            (
                "SET s x\nLREM s 0 a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LTRIM",
        arity: Arity::Exactly(4),
        flags: WRITE,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RW", "delete"])],
        run: Run::Owner(middle::ltrim),
        group: "list",
        summary: "Trim a list to the specified range",
        complexity: "O(N) where N is the number of elements to be removed by the operation.",
        examples: &[
            ("RPUSH l a b c\nLTRIM l 1 1\nLRANGE l 0 -1", "*1\r\n$1\r\nb\r\n"),
            ("RPUSH l a b c\nLTRIM l 0 -2\nLRANGE l 0 -1", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            ("RPUSH l a b c\nLTRIM l 5 1", "+OK\r\n"),
            ("RPUSH l a b c\nLTRIM l 5 1\nEXISTS l", ":0\r\n"),
            ("LTRIM l 0 1", "+OK\r\n"),
            ("LTRIM l x 1", "-ERR value is not an integer or out of range\r\n"),
            (
                "SET s x\nLTRIM s 0 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LPOS",
        arity: Arity::AtLeast(3),
        flags: READONLY,
        acl: LIST,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(read::lpos),
        since: "6.0.6",
        group: "list",
        summary: "Return the index of matching elements on a list",
        complexity: "O(N) where N is the number of elements in the list, for the average case. \
        When \
             searching for elements near the head or the tail of the list, or when the MAXLEN \
             option is provided, the command may run in constant time.",
        examples: &[
            ("RPUSH l a b a c a\nLPOS l a", ":0\r\n"),
            ("RPUSH l a b a c a\nLPOS l a RANK 2", ":2\r\n"),
            ("RPUSH l a b a c a\nLPOS l a RANK -1", ":4\r\n"),
            ("RPUSH l a b a c a\nLPOS l a COUNT 0", "*3\r\n:0\r\n:2\r\n:4\r\n"),
            ("RPUSH l a b a c a\nLPOS l a RANK -1 COUNT 2", "*2\r\n:4\r\n:2\r\n"),
            ("RPUSH l a b a c a\nLPOS l a RANK 2 COUNT 0 MAXLEN 3", "*1\r\n:2\r\n"),
            ("RPUSH l a b a c a\nLPOS l c MAXLEN 3", "$-1\r\n"),
            ("RPUSH l a b a c a\nLPOS l z", "$-1\r\n"),
            ("RPUSH l a b a c a\nLPOS l z COUNT 0", "*0\r\n"),
            ("LPOS l a", "$-1\r\n"),
            ("LPOS l a COUNT 1", "*0\r\n"),
            ("LPOS l a RANK 0", "-ERR RANK can't be zero*"),
            ("LPOS l a RANK x", "-ERR value is not an integer or out of range\r\n"),
            ("LPOS l a COUNT -1", "-ERR COUNT can't be negative\r\n"),
            ("LPOS l a MAXLEN -1", "-ERR MAXLEN can't be negative\r\n"),
            ("LPOS l a COUNT", "-ERR syntax error\r\n"),
            ("LPOS l a LEN 1", "-ERR syntax error\r\n"),
            (
                "SET s x\nLPOS s a",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LMOVE",
        arity: Arity::Exactly(5),
        flags: WRITE | DENYOOM,
        acl: LIST,
        keys: SOURCE_AND_TARGET,
        run: Run::Owner(transfer::lmove),
        since: "6.2.0",
        group: "list",
        summary: "Pop an element from a list, push it to another list and return it",
        examples: &[
            ("RPUSH l a b c\nLMOVE l m LEFT RIGHT", "$1\r\na\r\n"),
            (
                "RPUSH l a b c\nRPUSH m x\nLMOVE l m RIGHT LEFT\nLRANGE m 0 -1",
                "*2\r\n$1\r\nc\r\n$1\r\nx\r\n",
            ),
            (
                "RPUSH l a b c\nLMOVE l l LEFT RIGHT\nLRANGE l 0 -1",
                "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n",
            ),
            (
                "RPUSH l a b c\nLMOVE l l LEFT LEFT\nLRANGE l 0 -1",
                "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
            ),
            ("RPUSH l a\nLMOVE l m LEFT LEFT\nEXISTS l", ":0\r\n"),
            ("RPUSH l a\nEXPIRE l 100\nLMOVE l l LEFT RIGHT\nTTL l", ":100\r\n"),
            ("LMOVE l m LEFT RIGHT", "$-1\r\n"),
            ("RPUSH l a b c\nLMOVE l m LEFT UP", "-ERR syntax error\r\n"),
            (
                "RPUSH l a b c\nSET s x\nLMOVE l s LEFT RIGHT",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("RPUSH l a b c\nSET s x\nLMOVE l s LEFT RIGHT\nLLEN l", ":3\r\n"),
            ("SET s x\nLMOVE l s LEFT RIGHT", "$-1\r\n"),
            (
                "SET s x\nLMOVE s l LEFT RIGHT",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RPOPLPUSH",
        arity: Arity::Exactly(3),
        flags: WRITE | DENYOOM,
        acl: LIST,
        keys: SOURCE_AND_TARGET,
        run: Run::Owner(transfer::rpoplpush),
        since: "1.2.0",
        group: "list",
        summary: "Remove the last element in a list, prepend it to another list and return it",
        examples: &[
            ("RPUSH l a b c\nRPOPLPUSH l m", "$1\r\nc\r\n"),
            (
                "RPUSH l a b c\nRPOPLPUSH l l\nLRANGE l 0 -1",
                "*3\r\n$1\r\nc\r\n$1\r\na\r\n$1\r\nb\r\n",
            ),
            ("RPOPLPUSH l m", "$-1\r\n"),
            (
                "SET s x\nRPOPLPUSH s m",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LMPOP",
        arity: Arity::AtLeast(4),
        flags: WRITE | MOVABLE_KEYS,
        acl: LIST,
        keys: &[counted(1)],
        run: Run::Owner(ends::lmpop),
        since: "7.0.0",
        group: "list",
        summary: "Pop elements from a list",
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements \
             returned.",
        examples: &[
            ("RPUSH l a b c\nLMPOP 1 l LEFT", "*2\r\n$1\r\nl\r\n*1\r\n$1\r\na\r\n"),
            (
                "RPUSH l a b c\nLMPOP 2 none l RIGHT COUNT 2",
                "*2\r\n$1\r\nl\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n",
            ),
            ("RPUSH l a b c\nLMPOP 1 l LEFT COUNT 9\nEXISTS l", ":0\r\n"),
            ("LMPOP 2 a b LEFT", "*-1\r\n"),
            (
                "SET s x\nRPUSH l a b c\nLMPOP 2 s l LEFT",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            ("RPUSH l a b c\nSET s x\nLMPOP 2 l s LEFT", "*2\r\n$1\r\nl\r\n*1\r\n$1\r\na\r\n"),
            ("LMPOP 0 l LEFT", "-ERR numkeys should be greater than 0\r\n"),
            ("LMPOP x l LEFT", "-ERR numkeys should be greater than 0\r\n"),
            ("LMPOP 2 l LEFT", "-ERR syntax error\r\n"),
            ("LMPOP 1 l UP", "-ERR syntax error\r\n"),
            ("LMPOP 1 l LEFT COUNT", "-ERR syntax error\r\n"),
            ("LMPOP 1 l LEFT COUNT 0", "-ERR count should be greater than 0\r\n"),
            ("LMPOP 1 l LEFT COUNT 1 COUNT 1", "-ERR syntax error\r\n"),
            ("LMPOP 1 l LEFT COUNT x", "-ERR count should be greater than 0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BLPOP",
        arity: Arity::AtLeast(3),
        flags: WRITE | NOSCRIPT | BLOCKING,
        acl: LIST,
        keys: &[ALL_BUT_LAST],
        run: waiting(ends::blpop, words::last_timeout),
        since: "2.0.0",
        group: "list",
        summary: "Remove and get the first element in a list, or block until one is available",
        complexity: "O(N) where N is the number of provided keys.",
        examples: &[
            ("RPUSH l a b c\nBLPOP l 0", "*2\r\n$1\r\nl\r\n$1\r\na\r\n"),
            ("RPUSH l a b c\nBLPOP none l 0.5", "*2\r\n$1\r\nl\r\n$1\r\na\r\n"),
            ("RPUSH l a b c\nBLPOP l 0\nLLEN l", ":2\r\n"),
            ("BLPOP l x", "-ERR timeout is not a float or out of range\r\n"),
            ("BLPOP l -1", "-ERR timeout is negative\r\n"),
            ("RPUSH l a b c\nBLPOP l x", "-ERR timeout is not a float or out of range\r\n"),
            (
                "SET s x\nBLPOP s 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BRPOP",
        arity: Arity::AtLeast(3),
        flags: WRITE | NOSCRIPT | BLOCKING,
        acl: LIST,
        keys: &[ALL_BUT_LAST],
        run: waiting(ends::brpop, words::last_timeout),
        since: "2.0.0",
        group: "list",
        summary: "Remove and get the last element in a list, or block until one is available",
        complexity: "O(N) where N is the number of provided keys.",
        examples: &[
            ("RPUSH l a b c\nBRPOP l 0", "*2\r\n$1\r\nl\r\n$1\r\nc\r\n"),
            ("RPUSH l a b c\nBRPOP none l 0.5", "*2\r\n$1\r\nl\r\n$1\r\nc\r\n"),
            ("BRPOP l x", "-ERR timeout is not a float or out of range\r\n"),
            (
                "SET s x\nBRPOP s 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BLMOVE",
        arity: Arity::Exactly(6),
        flags: WRITE | DENYOOM | NOSCRIPT | BLOCKING,
        acl: LIST,
        keys: SOURCE_AND_TARGET,
        run: waiting(transfer::blmove, words::blmove_timeout),
        since: "6.2.0",
        group: "list",
        summary: "Pop an element from a list, push it to another list and return it; or block \
        until \
             one is available",
        examples: &[
            ("RPUSH l a b c\nBLMOVE l m LEFT RIGHT 0", "$1\r\na\r\n"),
            (
                "RPUSH l a b c\nBLMOVE l l LEFT RIGHT 1\nLRANGE l 0 -1",
                "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\na\r\n",
            ),
            ("RPUSH l a b c\nBLMOVE l m UP LEFT x", "-ERR syntax error\r\n"),
            (
                "RPUSH l a b c\nBLMOVE l m LEFT LEFT x",
                "-ERR timeout is not a float or out of range\r\n",
            ),
            (
                "RPUSH l a b c\nSET s x\nBLMOVE l s LEFT RIGHT 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BRPOPLPUSH",
        arity: Arity::Exactly(4),
        flags: WRITE | DENYOOM | NOSCRIPT | BLOCKING,
        acl: LIST,
        keys: SOURCE_AND_TARGET,
        run: waiting(transfer::brpoplpush, words::third_timeout),
        since: "2.2.0",
        group: "list",
        summary: "Pop an element from a list, push it to another list and return it; or block \
        until \
             one is available",
        examples: &[
            ("RPUSH l a b c\nBRPOPLPUSH l m 0", "$1\r\nc\r\n"),
            ("RPUSH l a b c\nBRPOPLPUSH l m -1", "-ERR timeout is negative\r\n"),
            (
                "SET s x\nBRPOPLPUSH s m 1",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BLMPOP",
        arity: Arity::AtLeast(5),
        flags: WRITE | BLOCKING | MOVABLE_KEYS,
        acl: LIST,
        keys: &[counted(2)],
        run: waiting(ends::blmpop, words::blmpop_timeout),
        since: "7.0.0",
        group: "list",
        summary: "Pop elements from a list, or block until one is available",
        complexity: "O(N+M) where N is the number of provided keys and M is the number of elements \
             returned.",
        examples: &[
            ("RPUSH l a b c\nBLMPOP 0 1 l LEFT", "*2\r\n$1\r\nl\r\n*1\r\n$1\r\na\r\n"),
            (
                "RPUSH l a b c\nBLMPOP 1 2 none l RIGHT COUNT 2",
                "*2\r\n$1\r\nl\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n",
            ),
            ("BLMPOP x 1 l LEFT", "-ERR timeout is not a float or out of range\r\n"),
            ("BLMPOP 1 0 l LEFT", "-ERR numkeys should be greater than 0\r\n"),
            ("BLMPOP -1 1 l LEFT COUNT 0", "-ERR count should be greater than 0\r\n"),
            ("BLMPOP -1 1 l LEFT", "-ERR timeout is negative\r\n"),
            (
                "SET s x\nBLMPOP 1 1 s LEFT",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "LMOVEM",
        arity: Arity::AtLeast(5),
        flags: WRITE | DENYOOM,
        acl: LIST,
        keys: SOURCE_AND_TARGET,
        run: Run::Owner(transfer::lmovem),
        since: "8.10.0",
        group: "list",
        summary: "Move up to, or exactly, a number of elements from one list to another and return \
             them",
        complexity: "O(N) where N is the number of elements moved.",
        examples: &[
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m LEFT LEFT COUNT 2 OBO",
                "*2\r\n$1\r\n2\r\n$1\r\n1\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m LEFT LEFT COUNT 2 OBO\nLRANGE m 0 -1",
                "*5\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m LEFT LEFT COUNT 2 BULK\nLRANGE m 0 -1",
                "*5\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m RIGHT RIGHT COUNT 2 OBO\nLRANGE m 0 -1",
                "*5\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n4\r\n$1\r\n3\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m RIGHT RIGHT COUNT 2 BULK\nLRANGE m 0 \
                 -1",
                "*5\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n3\r\n$1\r\n4\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m RIGHT LEFT COUNT 9 OBO",
                "*4\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n",
            ),
            ("RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m LEFT RIGHT", "*1\r\n$1\r\n1\r\n"),
            ("RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m LEFT LEFT EXACTLY 5 BULK", "*-1\r\n"),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nLMOVEM l m LEFT LEFT EXACTLY 4 BULK\nEXISTS l",
                ":0\r\n",
            ),
            (
                "RPUSH l a b c\nLMOVEM l l LEFT LEFT EXACTLY 2 OBO\nLRANGE l 0 -1",
                "*3\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nc\r\n",
            ),
            (
                "RPUSH l a b c\nLMOVEM l l LEFT RIGHT COUNT 2 BULK\nLRANGE l 0 -1",
                "*3\r\n$1\r\nc\r\n$1\r\na\r\n$1\r\nb\r\n",
            ),
            ("LMOVEM l m LEFT LEFT", "*0\r\n"),
            ("LMOVEM l m LEFT LEFT COUNT 2", "-ERR syntax error\r\n"),
            ("LMOVEM l m LEFT LEFT COUNT 2 ALL", "-ERR syntax error\r\n"),
            ("LMOVEM l m LEFT LEFT COUNT 0 OBO", "-ERR count should be greater than 0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BLMOVEM",
        arity: Arity::AtLeast(6),
        flags: WRITE | DENYOOM | BLOCKING,
        acl: LIST,
        keys: SOURCE_AND_TARGET,
        run: waiting(transfer::blmovem, words::blmove_timeout),
        since: "8.10.0",
        group: "list",
        summary: "Move up to, or exactly, a number of elements from one list to another and return \
             them; or block until they are available",
        complexity: "O(N) where N is the number of elements moved.",
        examples: &[
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nBLMOVEM l m LEFT LEFT 0 COUNT 2 OBO",
                "*2\r\n$1\r\n2\r\n$1\r\n1\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nBLMOVEM l m RIGHT LEFT 1 EXACTLY 2 BULK\nLRANGE \
                 m 0 -1",
                "*5\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nBLMOVEM l m LEFT LEFT x",
                "-ERR timeout is not a float or out of range\r\n",
            ),
            (
                "RPUSH l 1 2 3 4\nRPUSH m 5 6 7\nBLMOVEM l m LEFT LEFT 1 COUNT 2",
                "-ERR syntax error\r\n",
            ),
        ],
        ..Spec::ROW
    },
];

#[cfg(test)]
mod tests;
