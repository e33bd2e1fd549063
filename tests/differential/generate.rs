//! Random requests from a table of templates. A word that begins with `$` stands for something
//! random, everything else for itself in random case; one request in seven is then damaged: an
//! argument dropped, doubled, replaced or added, which is how wrong arities, bad numbers and
//! contradicting options come about.

use freehold_tests::random::Random;

use crate::collections;
use crate::newer::CURRENT;
use crate::step::{CONNECTIONS, Request, Step, Turn, request};
use crate::vocabulary::{self as word, CENTURY, FAR};

/// Templates with their weights: strings, keys, connection and server. Those of the collections
/// stand in `collections.rs`.
const TEMPLATES: &[(usize, &str)] = &[
    // Strings.
    (40, "SET $key $value"),
    (40, "SET $key $value $set* $set* $set*"),
    (20, "GET $key"),
    (12, "GETEX $key $expiry*"),
    (4, "GETEX $key PERSIST"),
    (8, "GETDEL $key"),
    (8, "GETSET $key $value"),
    (12, "MGET $keys"),
    (12, "MSET $pairs"),
    (10, "MSETNX $pairs"),
    (6, "SETEX $key $time $value"),
    (6, "PSETEX $key $time $value"),
    (6, "SETNX $key $value"),
    (12, "SETRANGE $key $offset $value"),
    (12, "GETRANGE $key $offset $offset"),
    (4, "SUBSTR $key $offset $offset"),
    (8, "STRLEN $key"),
    (12, "APPEND $key $value"),
    (8, "INCR $key"),
    (6, "DECR $key"),
    (10, "INCRBY $key $number"),
    (8, "DECRBY $key $number"),
    (14, "INCRBYFLOAT $key $float"),
    (6, "LCS $key $key"),
    (8, "LCS $key $key $lcs* $lcs* $lcs*"),
    // Bits and sketches.
    (10, "SETBIT $key $bit $flag"),
    (6, "GETBIT $key $bit"),
    (4, "BITCOUNT $key"),
    (8, "BITCOUNT $key $offset $offset $unit*"),
    (4, "BITPOS $key $flag"),
    (10, "BITPOS $key $flag $offset* $offset* $unit*"),
    (12, "BITOP $bitop $key $keys"),
    (16, "BITFIELD $key $field* $field* $field* $field*"),
    (6, "BITFIELD_RO $key $field*"),
    (20, "PFADD $sketch $elements"),
    (4, "PFADD $key $elements"),
    (10, "PFCOUNT $sketch"),
    (6, "PFCOUNT $sketches"),
    (10, "PFMERGE $sketch $sketches"),
    (4, "GET $sketch"),
    (4, "SETRANGE $sketch $offset $value"),
    (4, "PFDEBUG ENCODING $sketch"),
    (2, "PFDEBUG TODENSE $sketch"),
    // Keys.
    (10, "DEL $keys"),
    (4, "UNLINK $keys"),
    (8, "EXISTS $keys"),
    (4, "TYPE $key"),
    (8, "EXPIRE $key $time"),
    (8, "EXPIRE $key $time $when* $when*"),
    (8, "PEXPIRE $key $time $when*"),
    (8, "EXPIREAT $key $seconds $when*"),
    (8, "PEXPIREAT $key $millis $when* $when*"),
    (8, "TTL $key"),
    (8, "PTTL $key"),
    (6, "EXPIRETIME $key"),
    (6, "PEXPIRETIME $key"),
    (8, "PERSIST $key"),
    (8, "RENAME $key $key"),
    (6, "RENAMENX $key $key"),
    (8, "COPY $key $key"),
    (8, "COPY $key $key $copy* $copy*"),
    (8, "MOVE $key $db"),
    (6, "KEYS $pattern"),
    (4, "TOUCH $keys"),
    (10, "OBJECT ENCODING $key"),
    (2, "OBJECT IDLETIME $key"),
    (2, "OBJECT FREQ $key"),
    (2, "OBJECT REFCOUNT $key"),
    (1, "OBJECT $junk $key"),
    (2, "MEMORY USAGE $key"),
    (2, "MEMORY USAGE $key SAMPLES $number"),
    (6, "DBSIZE"),
    (1, "FLUSHDB"),
    (1, "FLUSHDB $flush"),
    (1, "FLUSHALL $flush"),
    (3, "SWAPDB $db $db"),
    // Connection and server.
    (8, "SELECT $db"),
    (4, "PING"),
    (3, "PING $value"),
    (4, "ECHO $value"),
    (2, "HELLO"),
    (2, "HELLO $proto"),
    (1, "HELLO $proto SETNAME $name"),
    (1, "HELLO $proto AUTH $name $name"),
    (1, "RESET"),
    (1, "AUTH $name"),
    (1, "AUTH $name $name"),
    (2, "CLIENT ID"),
    (2, "CLIENT GETNAME"),
    (3, "CLIENT SETNAME $name"),
    (2, "CLIENT INFO"),
    (1, "CLIENT LIST"),
    (1, "CLIENT LIST TYPE $kind"),
    (1, "CLIENT LIST ID 999999 888888"),
    (1, "CLIENT KILL ID 999999"),
    (1, "CLIENT KILL 127.0.0.1:1"),
    (1, "CLIENT KILL TYPE $junk"),
    (1, "CLIENT NO-EVICT $switch"),
    (1, "CLIENT REPLY $junk"),
    (1, "CLIENT PAUSE $junk"),
    (1, "CLIENT PAUSE 1 WRITE"),
    (1, "CLIENT UNPAUSE"),
    (1, "CLIENT $junk"),
    (2, "COMMAND GETKEYS SET $key $value"),
    (2, "COMMAND GETKEYS MSET $pairs"),
    (1, "COMMAND GETKEYS LCS $key $key"),
    (1, "COMMAND GETKEYS PING"),
    (1, "COMMAND GETKEYS $junk $key"),
    (2, "COMMAND GETKEYSANDFLAGS COPY $key $key"),
    (1, "COMMAND GETKEYSANDFLAGS SET $key $value GET"),
    (1, "COMMAND INFO nosuchcommand"),
    (1, "COMMAND DOCS nosuchcommand"),
    (1, "COMMAND $junk"),
    (2, "CONFIG GET maxmemory"),
    (1, "CONFIG GET maxmemory-policy"),
    (1, "CONFIG GET $junk"),
    (1, "CONFIG SET maxmemory $bytes"),
    (1, "CONFIG SET maxmemory-policy $policy"),
    (1, "CONFIG SET $junk $junk"),
    (1, "CONFIG SET maxmemory 0 maxmemory 0"),
    (1, "CONFIG RESETSTAT"),
    (1, "CONFIG $junk"),
    (2, "INFO $section"),
    (2, "INFO keyspace"),
    (1, "TIME"),
    (1, "LOLWUT"),
    (1, "ROLE"),
    (1, "WAIT 0 0"),
    (1, "WAIT 0 $junk"),
    (1, "WAIT $junk 1"),
    (1, "DEBUG SLEEP 0"),
    (1, "DEBUG OBJECT $key"),
    (2, "$unknown $key $value"),
    (1, "$unknown"),
    (1, "MEMORY $junk"),
];

/// Templates of commands that redis-server 7.0 does not know; see `newer.rs`.
const NEWER: &[&str] = &[
    "SET $key $value IFEQ $current",
    "SET $key $value IFEQ $current GET",
    "SET $key $value IFEQ $current EX $far",
    "SET $key $value GET IFEQ $current KEEPTTL",
    "DELIFEQ $key $current",
    "MSETEX $counted",
    "MSETEX $counted NX",
    "MSETEX $counted XX",
    "MSETEX $counted EX $far",
    "MSETEX $counted NX PX $far",
    "MSETEX $counted XX KEEPTTL",
];

/// Families whose requests are not damaged: a random word there could stop the run.
const HANDLED_WITH_CARE: &[&str] =
    &["CLIENT", "CONFIG", "DEBUG", "COMMAND", "INFO", "MEMORY", "HELLO", "WAIT", "AUTH"];

/// Neither are those of commands that wait, as a damaged timeout could be a long one, nor of those
/// that draw at random unless they are asked for nothing or everything.
const FRAGILE: &[&str] = &[
    "BLPOP",
    "BRPOP",
    "BLMOVE",
    "BRPOPLPUSH",
    "BLMPOP",
    "BZPOPMIN",
    "BZPOPMAX",
    "BZMPOP",
    "XREAD",
    "XREADGROUP",
    "SPOP",
    "SRANDMEMBER",
    "HRANDFIELD",
    "ZRANDMEMBER",
];

/// The turns of one chapter. `newer` asks for the commands that only the subject knows.
pub fn chapter(seed: u64, turns: usize, newer: bool) -> Vec<Turn> {
    let mut random = Random::new(seed);
    let mut connection = 0;
    let mut left = 0;
    let mut chapter: Vec<Turn> = Vec::new();
    while chapter.len() < turns {
        if left == 0 {
            connection = random.below(CONNECTIONS);
            let deepest = if random.percent(30) { 64 } else { 8 };
            left = 1 + random.below(deepest);
        }
        left -= 1;
        if random.percent(2) {
            let steps = transaction(&mut random).into_iter().map(Step::Plain);
            chapter.extend(steps.map(|step| Turn { connection, step, sends: false }));
        }
        chapter.push(Turn { connection, step: step(&mut random, newer), sends: left == 0 });
    }
    chapter.push(Turn { connection: 0, step: Step::Audit, sends: true });
    chapter
}

fn step(random: &mut Random, newer: bool) -> Step {
    match random.below(400) {
        0 => Step::Quit,
        1 | 2 => lapse(random),
        3..=8 => Step::Scan(scan_options(random)),
        9..=13 => Step::RandomKey,
        14 | 15 => quiet(random),
        16..=18 => Step::Audit,
        19..=40 if newer => {
            let template = *random.pick(NEWER);
            Step::Newer(tame(expand(random, template)))
        }
        _ => Step::Plain(plain(random)),
    }
}

/// One ordinary request.
pub fn plain(random: &mut Random) -> Request {
    let template = choose(random);
    let mut made = expand(random, template);
    let name = template.split(' ').next().unwrap_or_default();
    let ordered_by_name = template.contains("$flat"); // damage would mix its scores
    if random.percent(14)
        && !ordered_by_name
        && !FRAGILE.contains(&name)
        && !HANDLED_WITH_CARE.contains(&name)
    {
        damage(random, &mut made);
    }
    tame(made)
}

fn choose(random: &mut Random) -> &'static str {
    let all = || TEMPLATES.iter().chain(collections::TEMPLATES);
    let total: usize = all().map(|(weight, _)| weight).sum();
    let mut at = random.below(total);
    let chosen = all().find(|(weight, _)| {
        let here = at < *weight;
        at = at.saturating_sub(*weight);
        here
    });
    chosen.map_or("PING", |(_, template)| template)
}

/// A whole transaction, from MULTI (or a WATCH before it) to EXEC (or DISCARD).
fn transaction(random: &mut Random) -> Vec<Request> {
    let mut requests = Vec::new();
    if random.percent(30) {
        requests.push(expand(random, "WATCH $keys"));
    }
    requests.push(request(&["MULTI"]));
    for _ in 0..random.below(8) {
        let template = choose(random);
        if collections::fits_a_transaction(template) {
            requests.push(tame(expand(random, template)));
        }
    }
    requests
        .push(request(&[*random.pick(&["EXEC", "EXEC", "EXEC", "exec", "DISCARD", "UNWATCH"])]));
    requests.push(request(&["EXEC"])); // an error, unless UNWATCH was queued
    requests
}

fn expand(random: &mut Random, template: &str) -> Request {
    let mut made = Vec::new();
    for part in template.split(' ') {
        match part.strip_prefix('$') {
            Some(name) => fill(random, name, &mut made),
            None => made.push(random_case(random, part)),
        }
    }
    made
}

fn random_case(random: &mut Random, part: &str) -> Vec<u8> {
    match random.below(10) {
        0 => part.to_lowercase().into_bytes(),
        1 => part
            .bytes()
            .map(|byte| if random.percent(50) { byte.to_ascii_lowercase() } else { byte })
            .collect(),
        _ => part.as_bytes().to_vec(),
    }
}

fn fill(random: &mut Random, name: &str, made: &mut Request) {
    if collections::fill(random, name, made) {
        return;
    }
    match name {
        "key" => made.push(word::key(random)),
        "keys" => (0..=random.below(5)).for_each(|_| made.push(word::key(random))),
        "pairs" => pairs(random, made),
        "counted" => counted_pairs(random, made),
        "value" => made.push(word::value(random)),
        "current" if random.percent(60) => made.push(CURRENT.to_vec()),
        "current" => made.push(word::value(random)),
        "far" => made.push(random.between(FAR, FAR * 1000).to_string().into_bytes()),
        "number" => made.push(word::number(random)),
        "float" => made.push(word::float(random)),
        "offset" => made.push(word::offset(random)),
        "time" => made.push(word::relative(random)),
        "seconds" => made.push(word::absolute_seconds(random)),
        "millis" => made.push(word::absolute_millis(random)),
        "db" => made.push(word::database(random)),
        "pattern" => made.push(word::pattern(random)),
        "junk" => made.push(word::junk(random)),
        "bit" => made.push(word::bit(random)),
        "sketch" => made.push(word::sketch(random)),
        "sketches" => (0..random.below(4)).for_each(|_| made.push(word::sketch(random))),
        "elements" => (0..random.below(30)).for_each(|_| made.push(word::element(random))),
        "field*" => field(random, made),
        "offset*" | "unit*" if random.percent(40) => {}
        "offset*" => made.push(word::offset(random)),
        "when*" if random.percent(40) => {}
        "set*" => option(random, made, true),
        "expiry*" => option(random, made, false),
        "lcs*" => lcs_option(random, made),
        "copy*" => copy_option(random, made),
        _ => made.push(random.pick(choices(name)).as_bytes().to_vec()),
    }
}

fn choices(name: &str) -> &'static [&'static str] {
    match name {
        "when*" => &["NX", "XX", "GT", "LT", "nx", "gt", "FOO"],
        "unit*" => &["BYTE", "BIT", "bit", "FOO"],
        "flag" => &["0", "1", "1", "2", "x"],
        "bitop" => &["AND", "OR", "XOR", "NOT", "FOO"],
        "flush" => &["SYNC", "ASYNC", "async", "FOO"],
        "proto" => &["2", "3", "3", "1", "4", "x", ""],
        "name" => &["alice", "bob", "default", "", "with space", "x-1", "new\nline"],
        "kind" => &["normal", "pubsub", "master", "replica", "FOO"],
        "switch" => &["on", "off", "ON", "maybe"],
        "bytes" => &["0", "1gb", "2G", "1000000000", "x", "-1", ""],
        "policy" => &["noeviction", "allkeys-lru", "volatile-lfu", "allkeys-lfu", "nonsense"],
        "section" => &["server", "clients", "memory", "stats", "replication", "cpu", "nosuch"],
        "unknown" => &["NOSUCH", "GETT", "", "get\r\nset", "FOO.BAR"],
        _ => panic!("no word is called ${name}"),
    }
}

fn pairs(random: &mut Random, made: &mut Request) {
    for _ in 0..=random.below(5) {
        made.push(word::key(random));
        made.push(word::value(random));
    }
}

/// `2 key value key value`, keys all different: MSETEX says nothing about doubled ones.
fn counted_pairs(random: &mut Random, made: &mut Request) {
    let mut keys: Vec<Vec<u8>> = (0..=random.below(4)).map(|_| word::key(random)).collect();
    keys.sort();
    keys.dedup();
    made.push(keys.len().to_string().into_bytes());
    for key in keys {
        made.push(key);
        made.push(word::value(random));
    }
}

/// An option of SET or GETEX, or none.
fn option(random: &mut Random, made: &mut Request, set: bool) {
    let (name, time) = match random.below(if set { 12 } else { 5 }) {
        0 => ("EX", Some(word::relative(random))),
        1 => ("PX", Some(word::relative(random))),
        2 => ("EXAT", Some(word::absolute_seconds(random))),
        3 => ("PXAT", Some(word::absolute_millis(random))),
        4 => return,
        5 | 6 => ("NX", None),
        7 => ("XX", None),
        8 | 9 => ("GET", None),
        10 => ("KEEPTTL", None),
        _ => return,
    };
    made.push(random_case(random, name));
    made.extend(time);
}

/// One operation of BITFIELD.
fn field(random: &mut Random, made: &mut Request) {
    let operation = *random.pick(&["GET", "SET", "INCRBY", "INCRBY", "OVERFLOW"]);
    made.push(random_case(random, operation));
    if operation == "OVERFLOW" {
        return made.push(random.pick(&["WRAP", "SAT", "FAIL", "FOO"]).as_bytes().to_vec());
    }
    let sign = *random.pick(&["i", "u", "u", "x"]);
    made.push(format!("{sign}{}", random.below(66)).into_bytes());
    made.push(match random.below(3) {
        0 => format!("#{}", random.below(20)).into_bytes(),
        _ => word::bit(random),
    });
    if operation != "GET" {
        made.push(word::number(random));
    }
}

fn lcs_option(random: &mut Random, made: &mut Request) {
    match random.below(5) {
        0 => made.push(random_case(random, "LEN")),
        1 | 2 => made.push(random_case(random, "IDX")),
        3 => made.push(random_case(random, "WITHMATCHLEN")),
        _ => {
            made.push(random_case(random, "MINMATCHLEN"));
            made.push(word::number(random));
        }
    }
}

fn copy_option(random: &mut Random, made: &mut Request) {
    if random.percent(50) {
        made.push(random_case(random, "REPLACE"));
    } else {
        made.push(random_case(random, "DB"));
        made.push(word::database(random));
    }
}

fn damage(random: &mut Random, made: &mut Request) {
    let at = random.below(made.len());
    match random.below(5) {
        0 if at > 0 => drop(made.remove(at)),
        1 if at > 0 => made[at] = word::junk(random),
        2 if at > 0 => made[at] = word::number(random),
        3 => made.insert(at + 1, word::junk(random)),
        _ => {
            let doubled = made[made.len() - 1].clone();
            made.push(doubled);
        }
    }
}

/// Moves times that damage brought near out of reach again: an answer must not depend on how fast
/// either server was. SET with a time long past leaves a key that is dead but counted by DBSIZE
/// until somebody meets it, so its points in time are moved to the next century as well.
fn tame(mut made: Request) -> Request {
    let name = made.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
    if [b"SETBIT".as_slice(), b"BITFIELD", b"BITFIELD_RO"].contains(&name.as_slice()) {
        made.iter_mut().for_each(bring_bit_near);
    }
    if name.starts_with(b"Z") {
        leave_counting_out(&mut made);
    }
    let direct: &[&[u8]] = &[b"EXPIRE", b"PEXPIRE", b"SETEX", b"PSETEX"];
    let by_option: &[&[u8]] = &[b"SET", b"GETEX", b"MSETEX"];
    for at in 2..made.len() {
        let before = made[at - 1].to_ascii_uppercase();
        let (past, shift) = match before.as_slice() {
            _ if direct.contains(&name.as_slice()) && at == 2 => (FAR, FAR),
            _ if !by_option.contains(&name.as_slice()) => continue,
            b"EX" | b"PX" => (FAR, FAR),
            b"EXAT" => (CENTURY, CENTURY),
            b"PXAT" => (CENTURY * 1000, CENTURY * 1000),
            _ => continue,
        };
        let number: Option<i64> = String::from_utf8_lossy(&made[at]).parse().ok();
        if let Some(near) = number.filter(|number| (1..past).contains(number)) {
            made[at] = (shift + near).to_string().into_bytes();
        }
    }
    made
}

/// AGGREGATE COUNT came with Redis 8: where redis-server 7 refuses it the contents part.
fn leave_counting_out(made: &mut Request) {
    for at in 1..made.len() {
        let (before, word) = (&made[at - 1], &made[at]);
        if before.eq_ignore_ascii_case(b"AGGREGATE") && word.eq_ignore_ascii_case(b"COUNT") {
            made[at] = b"MAX".to_vec();
        }
    }
}

/// Redis would make a string of half a gigabyte for the highest bit it admits.
fn bring_bit_near(word: &mut Vec<u8>) {
    let number: Option<i64> = String::from_utf8_lossy(word).parse().ok();
    if number.is_some_and(|number| (100_000..4_294_967_296).contains(&number)) {
        *word = b"77".to_vec();
    }
}

fn lapse(random: &mut Random) -> Step {
    let key = word::key(random);
    let millis = (1 + random.below(20)).to_string();
    let (first, option) = *random.pick(&[("SET", "PX"), ("PSETEX", ""), ("PEXPIRE", "")]);
    let mut made = vec![first.as_bytes().to_vec(), key.clone()];
    match option {
        "PX" => made.extend([b"v".to_vec(), b"PX".to_vec(), millis.into_bytes()]),
        _ if first == "PSETEX" => made.extend([millis.into_bytes(), b"v".to_vec()]),
        _ => made.push(millis.into_bytes()),
    }
    Step::Lapse(made, key)
}

fn scan_options(random: &mut Random) -> Request {
    let mut options = Vec::new();
    if random.percent(40) {
        options.extend([b"MATCH".to_vec(), word::pattern(random)]);
    }
    if random.percent(40) {
        let count = *random.pick(&["1", "2", "10", "1000", "0", "-1", "x"]);
        options.extend([b"COUNT".to_vec(), count.as_bytes().to_vec()]);
    }
    if random.percent(20) {
        let kind = *random.pick(&["string", "STRING", "list", "zset"]);
        options.extend([b"TYPE".to_vec(), kind.as_bytes().to_vec()]);
    }
    if random.percent(5) {
        options.push(word::junk(random));
    }
    options
}

fn quiet(random: &mut Random) -> Step {
    let mut requests: Vec<Request> = (0..=random.below(4)).map(|_| plain(random)).collect();
    // These decide themselves which replies are sent.
    requests.retain(|request| !request[0].eq_ignore_ascii_case(b"CLIENT"));
    requests.retain(|request| !request[0].eq_ignore_ascii_case(b"RESET"));
    if random.percent(50) {
        requests.insert(0, request(&["CLIENT", "REPLY", "OFF"]));
        requests.push(request(&["CLIENT", "REPLY", "ON"]));
    } else {
        requests.truncate(1);
        requests.insert(0, request(&["CLIENT", "REPLY", "SKIP"]));
        requests.push(request(&["PING"]));
        if requests.len() == 2 {
            requests.insert(1, request(&["DBSIZE"]));
        }
    }
    Step::Quiet(requests)
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATES, chapter, expand, tame};
    use crate::collections;
    use crate::step::request;
    use freehold_tests::random::Random;

    #[test]
    fn every_template_expands() {
        let mut random = Random::new(1);
        for (_, template) in TEMPLATES.iter().chain(collections::TEMPLATES) {
            for _ in 0..20 {
                assert!(!expand(&mut random, template).is_empty());
            }
        }
    }

    #[test]
    fn a_seed_gives_one_chapter() {
        let text = |seed| format!("{:?}", chapter(seed, 300, true));
        assert_eq!(text(5), text(5));
        assert_ne!(text(5), text(6));
    }

    #[test]
    fn no_deadline_comes_near() {
        let tamed = tame(request(&["SET", "k", "7", "px", "5", "exat", "5"]));
        assert_eq!(tamed, request(&["SET", "k", "7", "px", "3600005", "exat", "4102444805"]));
    }
}
