//! DUMP and RESTORE beside redis-server 7.0: what either dumps, the other restores, with the same
//! content, and an encoding that the restoring server would have chosen itself.

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{freehold, redis};
use freehold_tests::show::show;

on_one_and_two_cores!(
    what_redis_dumps_is_restored_here,
    what_is_dumped_here_redis_restores,
    a_payload_that_redis_refuses_is_refused_here,
);

/// Requests that make the key `k` a value; words are separated by spaces.
fn makings() -> Vec<Vec<String>> {
    let one = |request: &str| vec![request.to_owned()];
    let many = |verb: &str, count: u32, word: &dyn Fn(u32) -> String| {
        vec![format!("{verb} k {}", (0..count).map(word).collect::<Vec<_>>().join(" "))]
    };
    let long = "x".repeat(100);
    vec![
        one("SET k v"),
        one("SET k -1234567890"),
        one("SET k 12345678901234567890"),
        vec![format!("SET k {}", "abc".repeat(500))],
        one("RPUSH k a b 1 -1 300 70000 5000000000 -9223372036854775808"),
        many("RPUSH", 3000, &|n| format!("element:{n}")),
        vec![format!("RPUSH k {} small", "y".repeat(20_000))],
        one("SADD k 1 2 3 -40000 5000000000"),
        one("SADD k a b 1"),
        many("SADD", 1000, &|n| format!("member:{n}")),
        many("SADD", 1000, &|n| n.to_string()),
        one("HSET k f v n 12 empty x"),
        many("HSET", 1000, &|n| format!("field:{n} {n}")),
        vec![format!("HSET k f {long}")],
        one("ZADD k 1 a 2.5 b -inf c inf d 1e15 e -0.125 f"),
        many("ZADD", 1000, &|n| format!("{}.25 member:{n}", n % 17)),
        vec![format!("ZADD k 3 {long}")],
        one("PFADD k a b c d"),
        one("SETBIT k 4000 1"),
        stream(),
        vec!["XGROUP CREATE k g $ MKSTREAM".to_owned()],
    ]
}

fn stream() -> Vec<String> {
    let mut requests: Vec<String> = (1..=300)
        .map(|n| {
            let other = if n % 7 == 0 { "other" } else { "name" };
            format!("XADD k {}-{} {other} {n} value text:{n}", n / 3, n % 3)
        })
        .filter(|request| !request.contains(" 0-0 "))
        .collect();
    for request in [
        "XDEL k 5-1",
        "XGROUP CREATE k g 0",
        "XREADGROUP GROUP g alice COUNT 5 STREAMS k >",
        "XREADGROUP GROUP g bob COUNT 3 STREAMS k >",
        "XGROUP CREATECONSUMER k g idle",
        "XGROUP CREATE k h 20-0",
        "XTRIM k MAXLEN 250",
    ] {
        requests.push(request.to_owned());
    }
    requests
}

fn make(client: &mut Client, making: &[String]) {
    client.call(&["DEL", "k"]);
    for request in making {
        let words: Vec<&str> = request.split(' ').collect();
        let answer = client.call(&words);
        assert!(!matches!(answer, Value::Error(_)), "{request:.60}: {}", show(&answer));
    }
}

/// Everything there is to see of `k`.
fn content(client: &mut Client) -> Vec<String> {
    let questions: &[&[&str]] = match show(&client.call(&["TYPE", "k"])).as_str() {
        "+string" => &[&["GET", "k"]],
        "+list" => &[&["LRANGE", "k", "0", "-1"]],
        "+set" => &[&["SORT", "k", "ALPHA"]],
        "+hash" => &[&["HGETALL", "k"]],
        "+zset" => &[&["ZRANGE", "k", "0", "-1", "WITHSCORES"]],
        "+stream" => &[
            &["XRANGE", "k", "-", "+"],
            &["XINFO", "GROUPS", "k"],
            &["XPENDING", "k", "g", "-", "+", "100"],
            &["XPENDING", "k", "g"],
        ],
        other => panic!("{other}"),
    };
    questions.iter().map(|question| shown(client, question)).collect()
}

fn shown(client: &mut Client, question: &[&str]) -> String {
    let answer = client.call(question);
    let Value::Array(items) = &answer else { return show(&answer) };
    match question[0] {
        "HGETALL" => {
            let mut pairs: Vec<String> =
                items.chunks(2).map(|pair| pair.iter().map(show).collect::<String>()).collect();
            pairs.sort();
            pairs.concat()
        }
        // How long ago is not the same a moment later.
        "XPENDING" if question.len() > 3 => {
            let without_idle = |entry: &Value| match entry {
                Value::Array(parts) => [0, 1, 3].map(|at| show(&parts[at])).join(" "),
                other => show(other),
            };
            items.iter().map(without_idle).collect::<Vec<_>>().join("\n")
        }
        _ => show(&answer),
    }
}

/// Dumps `k` of one server into the other and compares all that can be seen.
fn carry(from: &mut Client, to: &mut Client, making: &[String]) {
    make(from, making);
    let Value::Bulk(payload) = from.call(&["DUMP", "k"]) else { panic!("a payload") };
    to.call(&["DEL", "k"]);
    let restored = to.call(&[b"RESTORE".as_slice(), b"k", b"0", &payload]);
    assert_eq!(show(&restored), "+OK", "{:.60}", making[0]);
    assert_eq!(content(to), content(from), "{:.60}", making[0]);
    // What it would have made of the same requests.
    let encoding = show(&to.call(&["OBJECT", "ENCODING", "k"]));
    if !making[0].starts_with("PFADD") && !making[0].starts_with("SETBIT") {
        make(to, making);
        let own = show(&to.call(&["OBJECT", "ENCODING", "k"]));
        assert_eq!(encoding, own, "{:.60}", making[0]);
    }
}

fn what_redis_dumps_is_restored_here(cores: u16) {
    let (theirs, ours) = (redis().start(), freehold(cores).start());
    let (mut redis, mut freehold) = (theirs.client(), ours.client());
    makings().iter().for_each(|making| carry(&mut redis, &mut freehold, making));
}

fn what_is_dumped_here_redis_restores(cores: u16) {
    let (theirs, ours) = (redis().start(), freehold(cores).start());
    let (mut redis, mut freehold) = (theirs.client(), ours.client());
    makings().iter().for_each(|making| carry(&mut freehold, &mut redis, making));
}

fn a_payload_that_redis_refuses_is_refused_here(cores: u16) {
    let (theirs, ours) = (redis().start(), freehold(cores).start());
    let (mut redis, mut freehold) = (theirs.client(), ours.client());
    make(&mut redis, &["RPUSH k a b c".to_owned()]);
    let Value::Bulk(payload) = redis.call(&["DUMP", "k"]) else { panic!("a payload") };
    for at in 0..payload.len() {
        let mut changed = payload.clone();
        changed[at] ^= 4;
        for client in [&mut redis, &mut freehold] {
            let said = client.call(&[b"RESTORE".as_slice(), b"other", b"0", &changed]);
            let expected = "(error) ERR DUMP payload version or checksum are wrong";
            assert_eq!(show(&said), expected, "byte {at}");
        }
    }
}
