//! SORT and SORT_RO. `options` reads the request, `pattern` finds what BY and GET stand for,
//! `order`
//! holds the comparison; here the elements are loaded, weighed, cut and answered.
//!
//! Keys that BY and GET make of elements are not in the request. Where they may live on other cores
//! the command runs twice: the first time it says which keys it needs (`Cx::reach`), the second
//! time
//! they are there. Nothing changes in between, all cores keep still.

mod options;
mod order;
mod pattern;

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::spec::{
    Arity, DANGEROUS, DENYOOM, Done, Find, KeySpec, LIST, MOVABLE_KEYS, READONLY, Run, SET,
    SORTEDSET, Spec, WRITE,
};
use crate::config::NotifyClasses;
use crate::keyspace::ValueRef;
use crate::value::list::{Elements, End};
use crate::value::{Collection, Kind, List, ListEdit, ValueView};
use options::Options;
use order::{Ranked, Weight};
use pattern::Pattern;

const BAD_SCORE: CommandError =
    CommandError::Said("ERR One or more scores can't be converted into double");

const SORTED: KeySpec = KeySpec::at(1, &["RO", "access"]);
const BY_PATTERNS: KeySpec =
    KeySpec { flags: &["RO", "access"], begin: 0, find: Find::Unknown, notes: PATTERNS_NOTE };
const STORED: KeySpec = KeySpec {
    flags: &["OW", "update"],
    begin: 2,
    find: Find::LastOption { word: "STORE", skips: options::SKIPS },
    notes: STORE_NOTE,
};
const PATTERNS_NOTE: &str = "For the optional BY/GET keyword. It is marked 'unknown' because the \
    key names derive from the content of the key we sort";
const STORE_NOTE: &str = "For the optional STORE keyword. It is marked 'unknown' because the \
    keyword can appear anywhere in the argument array";

pub const TABLE: &[Spec] = &[
    Spec {
        name: "SORT",
        arity: Arity::AtLeast(2),
        flags: WRITE | DENYOOM | MOVABLE_KEYS,
        acl: SET | SORTEDSET | LIST | DANGEROUS,
        keys: &[SORTED, BY_PATTERNS, STORED],
        reaches: Some(options::has_patterns),
        run: Run::Owner(sort),
        since: "1.0.0",
        group: "generic",
        summary: "Sort the elements in a list, set or sorted set",
        complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to \
                        sort, and M the number of returned elements. When the elements are not \
                        sorted, complexity is O(N).",
        examples: &[
            ("SORT none", "*0\r\n"),
            ("RPUSH l 3 1 2\nSORT l", "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n"),
            (
                "RPUSH l 3 1 10 2\nSORT l DESC",
                "*4\r\n$2\r\n10\r\n$1\r\n3\r\n$1\r\n2\r\n$1\r\n1\r\n",
            ),
            (
                "RPUSH l b a 10 9\nSORT l ALPHA",
                "*4\r\n$2\r\n10\r\n$1\r\n9\r\n$1\r\na\r\n$1\r\nb\r\n",
            ),
            ("RPUSH l b a\nSORT l", "-ERR One or more scores can't be converted into double\r\n"),
            ("SADD s 3 1 2\nSORT s LIMIT 1 1", "*1\r\n$1\r\n2\r\n"),
            ("ZADD z 1 c 2 b 3 a\nSORT z ALPHA", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
            ("ZADD z 1 c 2 b 3 a\nSORT z BY nosort", "*3\r\n$1\r\nc\r\n$1\r\nb\r\n$1\r\na\r\n"),
            ("ZADD z 1 c 2 b 3 a\nSORT z BY nosort DESC LIMIT 0 2", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
            (
                "RPUSH l 1 2 3\nMSET w1 3 w2 2 w3 1\nSORT l BY w*",
                "*3\r\n$1\r\n3\r\n$1\r\n2\r\n$1\r\n1\r\n",
            ),
            (
                "RPUSH l 1 2 3\nMSET w1 3 w2 2 w3 1 d1 one d2 two\nSORT l BY w* GET d* GET #",
                "*6\r\n$-1\r\n$1\r\n3\r\n$3\r\ntwo\r\n$1\r\n2\r\n$3\r\none\r\n$1\r\n1\r\n",
            ),
            (
                "RPUSH l 1 2\nHSET h1 f 9 n x\nHSET h2 f 8\nSORT l BY h*->f GET h*->n",
                "*2\r\n$-1\r\n$1\r\nx\r\n",
            ),
            (
                "RPUSH l 3 1 2\nSORT l STORE d\nLRANGE d 0 -1",
                "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n",
            ),
            ("RPUSH l 3 1 2\nSORT l STORE d", ":3\r\n"),
            ("SET d x\nSORT none STORE d\nEXISTS d", ":0\r\n"),
            ("RPUSH l 1\nSORT l STORE d GET nothing*\nLRANGE d 0 -1", "*1\r\n$0\r\n\r\n"),
            ("RPUSH l 1 2\nSORT l GET fixed", "*2\r\n$-1\r\n$-1\r\n"),
            ("RPUSH l 1 2 3 4\nSORT l LIMIT 2 -1", "*2\r\n$1\r\n3\r\n$1\r\n4\r\n"),
            ("RPUSH l 1 2 3 4\nSORT l LIMIT 9 1", "*0\r\n"),
            ("RPUSH l 1 2\nSORT l LIMIT 0 x", "-ERR value is not an integer or out of range\r\n"),
            ("RPUSH l 1 2\nSORT l FOO", "-ERR syntax error\r\n"),
            (
                "SET k x\nSORT k",
                "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            ),
            (
                "RPUSH l 1 2 3\nMSET w1 b w3 a\nSORT l BY w* ALPHA",
                "*3\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n1\r\n",
            ),
            ("SADD s b a\nSORT s BY nosort STORE d\nLRANGE d 0 -1", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SORT_RO",
        arity: Arity::AtLeast(2),
        flags: READONLY | MOVABLE_KEYS,
        acl: SET | SORTEDSET | LIST | DANGEROUS,
        keys: &[SORTED, BY_PATTERNS],
        reaches: Some(options::has_patterns),
        run: Run::Owner(sort_ro),
        since: "7.0.0",
        group: "generic",
        summary: "Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
        complexity: "O(N+M*log(M)) where N is the number of elements in the list or set to \
                        sort, and M the number of returned elements. When the elements are not \
                        sorted, complexity is O(N).",
        examples: &[
            ("RPUSH l 3 1 2\nSORT_RO l DESC", "*3\r\n$1\r\n3\r\n$1\r\n2\r\n$1\r\n1\r\n"),
            ("RPUSH l 3 1 2\nSORT_RO l STORE d", "-ERR syntax error\r\n"),
            (
                "RPUSH l 1 2\nMSET d1 one d2 two\nSORT_RO l DESC GET d*",
                "*2\r\n$3\r\ntwo\r\n$3\r\none\r\n",
            ),
        ],
        ..Spec::ROW
    },
];

fn sort(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, reply, true)
}

fn sort_ro(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, reply, false)
}

fn run(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, may_store: bool) -> Done {
    let mut options = Options::read(args.tail(2), may_store)?;
    let (kind, mut elements) = load(cx, args.get(1))?;
    if options.is_unsorted() && kind == Kind::Set && options.store.is_some() {
        // What is stored must not depend on the order in which a set happens to lie.
        (options.by, options.alpha) = (None, true);
    }
    let range = options.range(elements.len());
    if options.is_unsorted() {
        if options.descending && kind != Kind::Set {
            elements.reverse();
        }
        elements = elements.drain(range.clone()).collect();
    }
    if !reach(cx, &options, &elements)? {
        return Ok(()); // it will run again, with all the keys it needs
    }
    if !options.is_unsorted() {
        elements = ordered(cx, &options, elements)?.drain(range).collect();
    }
    let answers = answers(cx, &options, elements);
    match options.store {
        Some(target) => store(cx, target, &answers, reply),
        None => {
            reply.array(answers.len());
            for answer in &answers {
                match answer {
                    Some(bytes) => reply.bulk(bytes),
                    None => reply.null(),
                }
            }
            Ok(())
        }
    }
}

type Texts = Vec<Box<[u8]>>;

/// The elements of a list, set or sorted set in its own order; a missing key is an empty list.
///
/// # Errors
/// `WrongType`.
fn load(cx: &mut Cx<'_>, key: &[u8]) -> Result<(Kind, Texts), CommandError> {
    let Some(entry) = cx.read(key) else { return Ok((Kind::List, Vec::new())) };
    let ValueRef::Collection(value) = entry.value() else { return Err(CommandError::WrongType) };
    let mut digits = itoa::Buffer::new();
    let elements = match value {
        ValueView::List(list) => list.iter().map(|e| e.text(&mut digits).into()).collect(),
        ValueView::Set(set) => set.iter().map(|e| e.text(&mut digits).into()).collect(),
        ValueView::SortedSet(sorted) => sorted.iter().map(|(member, _)| member.into()).collect(),
        ValueView::Hash(_) | ValueView::Stream(_) => return Err(CommandError::WrongType),
    };
    Ok((value.kind(), elements))
}

/// Whether every key that patterns make of the elements can be read now.
fn reach(
    cx: &mut Cx<'_>,
    options: &Options<'_>,
    elements: &[Box<[u8]>],
) -> Result<bool, CommandError> {
    let patterns: Vec<Pattern<'_>> = options.patterns().map(Pattern::parse).collect();
    let keys = elements.iter().flat_map(|e| patterns.iter().filter_map(|p| p.key(e)));
    cx.reach(keys)
}

fn ordered(
    cx: &mut Cx<'_>,
    options: &Options<'_>,
    elements: Vec<Box<[u8]>>,
) -> Result<Vec<Box<[u8]>>, CommandError> {
    let by = options.by.map(Pattern::parse);
    let mut ranked: Vec<Ranked> = Vec::with_capacity(elements.len());
    for element in elements {
        let found = by.as_ref().map(|pattern| pattern.look_up(cx, &element));
        let weight = match (options.alpha, found) {
            (true, None) => Weight::Itself,
            (true, Some(text)) => Weight::Text(text),
            (false, None) => Weight::number(&element).ok_or(BAD_SCORE)?,
            (false, Some(None)) => Weight::Number(0.0),
            (false, Some(Some(text))) => Weight::number(&text).ok_or(BAD_SCORE)?,
        };
        ranked.push(Ranked { weight, element });
    }
    ranked.sort_by(|a, b| if options.descending { b.compare(a) } else { a.compare(b) });
    Ok(ranked.into_iter().map(|ranked| ranked.element).collect())
}

/// What is answered for each element: itself, or what the GET patterns stand for.
fn answers(
    cx: &mut Cx<'_>,
    options: &Options<'_>,
    elements: Vec<Box<[u8]>>,
) -> Vec<Option<Box<[u8]>>> {
    if options.get.is_empty() {
        return elements.into_iter().map(Some).collect();
    }
    let patterns: Vec<Pattern<'_>> = options.get.iter().copied().map(Pattern::parse).collect();
    let mut of_element = |element: &[u8]| -> Vec<Option<Box<[u8]>>> {
        patterns.iter().map(|pattern| pattern.look_up(cx, element)).collect()
    };
    elements.iter().flat_map(|element| of_element(element)).collect()
}

fn store(
    cx: &mut Cx<'_>,
    target: &[u8],
    answers: &[Option<Box<[u8]>>],
    reply: &mut Reply<'_>,
) -> Done {
    cx.check_sizes(target, 0)?;
    let mut list = List::default();
    for answer in answers {
        let elements = Elements::One(answer.as_deref().unwrap_or_default());
        list.apply(ListEdit::Push { end: End::Right, elements }, cx.core.keyspace.rules());
    }
    let existed = cx.peek(target).is_some();
    if cx.set_collection(target, list) {
        cx.notify(NotifyClasses::LIST, "sortstore", target);
    } else if existed {
        cx.notify(NotifyClasses::GENERIC, "del", target);
    }
    reply.integer(answers.len() as i64);
    Ok(())
}

#[cfg(test)]
mod tests;
