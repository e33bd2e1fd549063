//! Templates for lists, sets, sorted sets, hashes, streams and places. Their keys are mostly of
//! the type a command wants and sometimes of another; members are few, so that commands meet, and
//! now and then long enough to end a packed form.

use freehold_tests::random::Random;

use crate::vocabulary as word;

/// Templates with their weights, as in `generate.rs`.
pub const TEMPLATES: &[(usize, &str)] = &[
    // Lists.
    (24, "RPUSH $list $members"),
    (16, "LPUSH $list $members"),
    (3, "LPUSHX $list $members"),
    (3, "RPUSHX $list $members"),
    (8, "LPOP $list"),
    (8, "RPOP $list"),
    (6, "LPOP $list $number"),
    (4, "RPOP $list $number"),
    (4, "LLEN $list"),
    (8, "LINDEX $list $offset"),
    (8, "LINSERT $list $side $member $member"),
    (8, "LSET $list $offset $member"),
    (16, "LRANGE $list $offset $offset"),
    (8, "LREM $list $few $member"),
    (6, "LTRIM $list $offset $offset"),
    (6, "LPOS $list $member"),
    (8, "LPOS $list $member $lpos* $lpos* $lpos*"),
    (8, "LMOVE $list $list $end $end"),
    (6, "RPOPLPUSH $list $list"),
    (6, "LMPOP 1 $list $end"),
    (6, "LMPOP 2 $list $list $end COUNT $few"),
    (3, "BLPOP $list $list 0.008"),
    (3, "BRPOP $list 0.008"),
    (3, "BLMOVE $list $list $end $end 0.008"),
    (2, "BRPOPLPUSH $list $list 0.008"),
    (3, "BLMPOP 0.008 2 $list $list $end"),
    // Sets.
    (24, "SADD $set $members"),
    (10, "SREM $set $members"),
    (6, "SISMEMBER $set $member"),
    (6, "SMISMEMBER $set $members"),
    (4, "SCARD $set"),
    (8, "SMEMBERS $set"),
    (6, "SMOVE $set $set $member"),
    (2, "SPOP $set 1000000"),
    (2, "SRANDMEMBER $set 0"),
    (6, "SINTER $sets"),
    (6, "SUNION $sets"),
    (6, "SDIFF $sets"),
    (6, "SINTERSTORE $set $sets"),
    (6, "SUNIONSTORE $set $sets"),
    (6, "SDIFFSTORE $set $sets"),
    (4, "SINTERCARD 2 $set $set"),
    (4, "SINTERCARD 2 $set $set LIMIT $few"),
    // Hashes.
    (24, "HSET $hash $fields"),
    (4, "HMSET $hash $fields"),
    (4, "HSETNX $hash $member $value"),
    (8, "HGET $hash $member"),
    (6, "HMGET $hash $members"),
    (10, "HDEL $hash $members"),
    (4, "HLEN $hash"),
    (4, "HEXISTS $hash $member"),
    (4, "HSTRLEN $hash $member"),
    (4, "HKEYS $hash"),
    (4, "HVALS $hash"),
    (8, "HGETALL $hash"),
    (8, "HINCRBY $hash $member $number"),
    (8, "HINCRBYFLOAT $hash $member $float"),
    (2, "HRANDFIELD $hash 0"),
    // Sorted sets.
    (24, "ZADD $zset $scored"),
    (14, "ZADD $flat 0 $member 0 $member 0 $member"),
    (14, "ZADD $zset $zadd* $zadd* $zadd* $scored"),
    (6, "ZADD $zset $zadd* INCR $score $member"),
    (8, "ZINCRBY $zset $score $member"),
    (10, "ZREM $zset $members"),
    (6, "ZSCORE $zset $member"),
    (4, "ZMSCORE $zset $members"),
    (3, "ZCARD $zset"),
    (6, "ZCOUNT $zset $bound $bound"),
    (6, "ZLEXCOUNT $flat $lex $lex"),
    (6, "ZRANK $zset $member"),
    (6, "ZREVRANK $zset $member"),
    (10, "ZRANGE $zset $offset $offset $scores*"),
    (4, "ZREVRANGE $zset $offset $offset $scores*"),
    (8, "ZRANGE $zset $bound $bound BYSCORE $rev* $limit* $scores*"),
    (6, "ZRANGE $flat $lex $lex BYLEX $rev* $limit*"),
    (6, "ZRANGEBYSCORE $zset $bound $bound $scores* $limit*"),
    (4, "ZREVRANGEBYSCORE $zset $bound $bound $scores* $limit*"),
    (4, "ZRANGEBYLEX $flat $lex $lex $limit*"),
    (4, "ZREVRANGEBYLEX $flat $lex $lex $limit*"),
    (6, "ZRANGESTORE $zset $zset $offset $offset $rev*"),
    (4, "ZRANGESTORE $zset $zset $bound $bound BYSCORE $limit*"),
    (3, "ZREMRANGEBYRANK $zset $offset $offset"),
    (3, "ZREMRANGEBYSCORE $zset $bound $bound"),
    (3, "ZREMRANGEBYLEX $flat $lex $lex"),
    (5, "ZPOPMIN $zset"),
    (5, "ZPOPMAX $zset $few"),
    (4, "ZMPOP 2 $zset $zset $extreme COUNT $few"),
    (3, "BZPOPMIN $zset $zset 0.008"),
    (3, "BZPOPMAX $zset 0.008"),
    (3, "BZMPOP 0.008 1 $zset $extreme"),
    (6, "ZUNIONSTORE $zset 2 $zset $zset $aggregate*"),
    (6, "ZINTERSTORE $zset 2 $zset $zset WEIGHTS $few $score $aggregate*"),
    (4, "ZDIFFSTORE $zset 2 $zset $zset"),
    (5, "ZUNION 2 $zset $set $aggregate* $scores*"),
    (5, "ZINTER 2 $zset $zset $aggregate* $scores*"),
    (4, "ZDIFF 2 $zset $zset $scores*"),
    (3, "ZINTERCARD 2 $zset $zset"),
    (2, "ZRANDMEMBER $zset 0"),
    // Places.
    (10, "GEOADD $geo $place $member"),
    (4, "GEODIST $geo $member $member $metre*"),
    (4, "GEOHASH $geo $members"),
    (4, "GEOPOS $geo $members"),
    (5, "GEOSEARCH $geo FROMLONLAT $place BYRADIUS $range km ASC WITHDIST WITHCOORD WITHHASH"),
    (4, "GEOSEARCH $geo FROMMEMBER $member BYBOX $range $range km DESC COUNT $few"),
    (3, "GEOSEARCHSTORE $geo $geo FROMLONLAT $place BYRADIUS $range km ASC"),
    (3, "GEORADIUS $geo $place $range km ASC WITHDIST"),
    // Streams.
    (24, "XADD $stream $id $fields"),
    (6, "XADD $stream $trim $id $fields"),
    (4, "XLEN $stream"),
    (8, "XRANGE $stream $from $to"),
    (4, "XRANGE $stream $from $to COUNT $few"),
    (6, "XREVRANGE $stream $to $from"),
    (6, "XDEL $stream $entry $entry"),
    (5, "XTRIM $stream $trim"),
    (6, "XREAD COUNT $few STREAMS $stream $stream $entry $entry"),
    (3, "XSETID $stream $entry"),
    (8, "XGROUP CREATE $stream $group $entry MKSTREAM"),
    (3, "XGROUP SETID $stream $group $entry"),
    (2, "XGROUP DESTROY $stream $group"),
    (3, "XGROUP CREATECONSUMER $stream $group $member"),
    (3, "XGROUP DELCONSUMER $stream $group $member"),
    (12, "XREADGROUP GROUP $group $member COUNT $few STREAMS $stream >"),
    (6, "XREADGROUP GROUP $group $member STREAMS $stream $entry"),
    (6, "XACK $stream $group $entry $entry"),
    (6, "XPENDING $stream $group"),
    (4, "XCLAIM $stream $group $member 0 $entry $entry JUSTID"),
    (4, "XAUTOCLAIM $stream $group $member 0 $entry COUNT 5 JUSTID"),
    (3, "XINFO GROUPS $stream"),
    // Sorting.
    (4, "SORT $list ALPHA"),
    (3, "SORT $list LIMIT $few $few DESC ALPHA"),
    (3, "SORT $list BY nosort GET # GET key:*"),
    (3, "SORT $set ALPHA STORE $list"),
    (3, "SORT_RO $list ALPHA GET key:* GET #"),
    (3, "SORT $list"),
];

/// What may stand in a transaction of a random run: its reply has an order and no clock.
pub fn fits_a_transaction(template: &str) -> bool {
    const NAMES: &[&str] = &[
        "SET",
        "GET",
        "INCR",
        "APPEND",
        "MSET",
        "MGET",
        "DEL",
        "RENAME",
        "LRANGE",
        "RPUSH",
        "LPOP",
        "LMOVE",
        "SADD",
        "SREM",
        "SISMEMBER",
        "SINTERSTORE",
        "HSET",
        "HGET",
        "HDEL",
        "HINCRBY",
        "ZADD",
        "ZRANGE",
        "ZSCORE",
        "ZPOPMIN",
        "ZUNIONSTORE",
        "XADD",
        "XLEN",
        "XRANGE",
        "BLPOP",
        "EXISTS",
        "DBSIZE",
        "SELECT",
        "COPY",
        "LPUSH",
        "SETNX",
        "BLMOVE",
        "BZPOPMIN",
    ];
    let name = template.split(' ').next().unwrap_or_default();
    NAMES.contains(&name) && !template.contains("$set*")
}

/// Appends what a word of these templates stands for; false when it is none of them.
pub fn fill(random: &mut Random, name: &str, made: &mut Vec<Vec<u8>>) -> bool {
    let optional = name.ends_with('*');
    if optional && random.percent(45) {
        return is_known(name);
    }
    let text = |text: &'static str| text.split(' ').map(|part| part.as_bytes().to_vec()).collect();
    let words: Vec<Vec<u8>> = match name {
        "list" | "set" | "hash" | "zset" | "geo" | "stream" => vec![typed_key(random, name)],
        // All of one score, as ranges by name need it.
        "flat" => vec![format!("flat:{}", random.below(3)).into_bytes()],
        "sets" => (0..=random.below(3)).map(|_| typed_key(random, "set")).collect(),
        "member" => vec![member(random)],
        "members" => (0..=random.below(5)).map(|_| member(random)).collect(),
        "fields" => {
            (0..=random.below(4)).flat_map(|_| [member(random), word::value(random)]).collect()
        }
        "scored" => (0..=random.below(4)).flat_map(|_| [score(random), member(random)]).collect(),
        "score" => vec![score(random)],
        "few" => vec![random.between(-2, 6).to_string().into_bytes()],
        "bound" => vec![bound(random)],
        "place" => {
            let degrees = |random: &mut Random, most: i64| {
                format!("{}.{}", random.between(-most, most), random.below(10_000)).into_bytes()
            };
            vec![degrees(random, 30), degrees(random, 20)]
        }
        "range" => vec![random.between(1, 5_000).to_string().into_bytes()],
        "id" => text(random.pick::<&'static str>(&["*-*", "1-*", "0-1", "9999-*", "1-1", "x"])),
        "entry" => vec![entry(random)],
        "trim" => {
            text(random.pick::<&'static str>(&["MAXLEN 5", "MAXLEN = 3", "MINID 20-0", "MAXLEN x"]))
        }
        _ => match choices(name) {
            [] => return false,
            choices => text(random.pick::<&'static str>(choices)),
        },
    };
    if name == "id" && words[0] == b"*-*" {
        made.push(entry(random));
    } else {
        made.extend(words);
    }
    true
}

fn is_known(name: &str) -> bool {
    !choices(name).is_empty()
}

fn choices(name: &str) -> &'static [&'static str] {
    match name {
        "side" => &["BEFORE", "AFTER", "before", "FOO"],
        "end" => &["LEFT", "RIGHT", "left", "FOO"],
        "extreme" => &["MIN", "MAX", "max", "FOO"],
        "lpos*" => &["RANK 1", "RANK -1", "RANK 2", "COUNT 0", "COUNT 2", "MAXLEN 5", "RANK 0"],
        "zadd*" => &["NX", "XX", "GT", "LT", "CH", "ch"],
        "scores*" => &["WITHSCORES", "withscores"],
        "rev*" => &["REV"],
        "limit*" => &["LIMIT 0 2", "LIMIT 1 -1", "LIMIT 2 3", "LIMIT -1 5", "LIMIT x 1"],
        "aggregate*" => &["AGGREGATE SUM", "AGGREGATE MIN", "AGGREGATE MAX", "AGGREGATE FOO"],
        "lex" => &["-", "+", "[a", "(a", "[b", "(c", "[e", "(f", "[", "x", "(1"],
        "metre*" => &["m", "km", "ft", "mi", "FOO"],
        "from" => &["-", "0", "1-1", "(1-1", "10", "20-3", "x"],
        "to" => &["+", "50", "30-2", "(40-0", "9", "x"],
        "group" => &["g", "g", "g", "h"],
        _ => &[],
    }
}

fn typed_key(random: &mut Random, kind: &str) -> Vec<u8> {
    match random.below(25) {
        0 => word::key(random),
        _ => format!("{kind}:{}", random.below(4)).into_bytes(),
    }
}

fn member(random: &mut Random) -> Vec<u8> {
    match random.below(40) {
        0 => vec![b'x'; 65],
        1 => Vec::new(),
        2 => b"bin\r\n\x00\xff".to_vec(),
        3..=18 => random.between(-20, 600).to_string().into_bytes(),
        _ => vec![*random.pick(b"abcdef")],
    }
}

fn score(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        // Only what seventeen digits and the fewest that are exact print alike: the reference
        // prints the former, Redis 7.2 and we the latter.
        0 => random.pick(&["1.25", "0.125", "x", "", "1e3"]).as_bytes().to_vec(),
        1 => random.pick(&["inf", "-inf", "+inf", "nan"]).as_bytes().to_vec(),
        2 => format!("{}.5", random.between(-9, 9)).into_bytes(),
        _ => random.between(-5, 20).to_string().into_bytes(),
    }
}

fn bound(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => b"-inf".to_vec(),
        1 => b"+inf".to_vec(),
        2 => format!("({}", random.between(-5, 20)).into_bytes(),
        _ => score(random),
    }
}

/// An entry's id, mostly one that there may be.
fn entry(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 => b"x-1".to_vec(),
        1 => b"18446744073709551615-18446744073709551615".to_vec(),
        2 => b"5-".to_vec(),
        _ => format!("{}-{}", random.below(60), random.below(4)).into_bytes(),
    }
}
