//! COMMAND INFO of every implemented command equals redis-server 7.0.15's: arity, flags, key
//! positions, ACL categories, tips, key specs, subcommands. `rows.txt` lists what differs and why.
//! Clients route by these fields, so a wrong one sends requests to the wrong node.

use std::collections::BTreeMap;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{freehold, redis};
use freehold_tests::show::{bytes, items, show};

use crate::exceptions::Exceptions;

/// What stands at each place of an answer of COMMAND INFO.
const FIELDS: &[&str] =
    &["name", "arity", "flags", "first key", "last key", "step", "categories", "tips", "key specs"];
/// Where the subcommands stand.
const SUBCOMMANDS: usize = 9;

/// The commands of issue 2: each must be there.
const REQUIRED: &str = "append auth client command config copy dbsize debug decr decrby del \
    delifeq echo exists expire expireat expiretime flushall flushdb get getdel getex getrange \
    getset hello incr incrby incrbyfloat info keys lcs lolwut memory mget move mset msetex msetnx \
    object persist pexpire pexpireat pexpiretime ping psetex pttl quit randomkey rename renamenx \
    reset role scan select set setex setnx setrange shutdown strlen substr swapdb time touch ttl \
    type unlink wait cluster client|getname client|id client|info client|kill client|list \
    client|no-evict client|no-touch client|pause client|reply client|setinfo client|setname \
    client|unpause command|count command|docs command|getkeys command|getkeysandflags \
    command|info command|list config|get config|set config|rewrite config|resetstat \
    cluster|slots cluster|shards cluster|nodes cluster|info cluster|myid cluster|keyslot \
    cluster|countkeysinslot cluster|getkeysinslot object|encoding object|freq object|idletime \
    object|refcount memory|usage memory|stats memory|doctor";

/// A command's fields as text, unordered ones sorted, by full name.
type Rows = BTreeMap<String, Vec<String>>;

fn rows(client: &mut Client) -> Rows {
    let mut rows = Rows::new();
    let reply = client.call(&["COMMAND", "INFO"]);
    let all = if items(&reply).is_some_and(|all| all.is_empty()) {
        client.call(&["COMMAND"])
    } else {
        reply
    };
    items(&all).expect("an array of commands").iter().for_each(|row| add(&mut rows, row));
    rows
}

fn add(rows: &mut Rows, row: &Value) {
    let fields = items(row).expect("a row is an array");
    let name = String::from_utf8_lossy(bytes(&fields[0]).expect("a name")).to_lowercase();
    let shown = fields.iter().take(SUBCOMMANDS).enumerate().map(|(at, field)| {
        // Flags, categories and tips have no order; key specs have.
        if [2, 6, 7].contains(&at) { sorted(field) } else { show(field).to_lowercase() }
    });
    rows.insert(name, shown.collect());
    let subcommands = fields.get(SUBCOMMANDS).and_then(items).unwrap_or_default();
    subcommands.iter().for_each(|subcommand| add(rows, subcommand));
}

fn sorted(field: &Value) -> String {
    let mut shown: Vec<String> = items(field).unwrap_or_default().iter().map(show).collect();
    shown.sort();
    shown.join(" ")
}

#[test]
fn every_row_equals_redis_servers() {
    let reference = redis().start();
    let subject = freehold(1).start();
    let theirs = rows(&mut reference.client());
    let ours = rows(&mut subject.client());
    let mut listed = Exceptions::parse("conformance/rows.txt", include_str!("rows.txt"));
    let mut complaints = Vec::new();

    for (name, row) in &ours {
        let Some(reference) = theirs.get(name) else {
            if !listed.admit(name, "new") {
                complaints.push(format!("{name}: redis-server 7.0.15 does not know it"));
            }
            continue;
        };
        for ((field, ours), theirs) in FIELDS.iter().zip(row).zip(reference) {
            if ours != theirs && !listed.admit(name, field) {
                complaints.push(format!("{name}: {field}\n    ours   {ours}\n    theirs {theirs}"));
            }
        }
    }
    complaints.extend(listed.idle());

    assert!(ours.len() > 50, "COMMAND answers only {} rows", ours.len());
    assert!(complaints.is_empty(), "{}\n{} differences", complaints.join("\n"), complaints.len());
}

#[test]
fn every_command_of_the_foundation_is_there() {
    let server = freehold(1).start();
    let ours = rows(&mut server.client());
    let missing: Vec<&str> =
        REQUIRED.split_whitespace().filter(|name| !ours.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not implemented: {missing:?}");
}

#[test]
fn command_count_and_list_agree_with_the_rows() {
    let server = freehold(1).start();
    let mut client = server.client();
    let ours = rows(&mut client);
    let top = ours.keys().filter(|name| !name.contains('|')).count();

    assert_eq!(client.said("COMMAND COUNT"), format!("(integer) {top}"));
    let listed = client.call(&["COMMAND", "LIST"]);
    assert_eq!(items(&listed).map(<[Value]>::len), Some(top));
    let by_name = client.call(&["COMMAND", "INFO", "get", "config|get", "nosuch"]);
    let by_name = items(&by_name).expect("an array");
    assert_eq!(by_name[2], Value::Null);
    assert_eq!(bytes(&items(&by_name[1]).expect("a row")[0]), Some(&b"config|get"[..]));
}

/// The test must be able to fail: a changed field shows.
#[test]
fn a_changed_field_is_seen() {
    let reference = redis().start();
    let theirs = rows(&mut reference.client());
    let set = &theirs["set"];

    assert_eq!(set[1], "(integer) -3");
    assert!(set[2].contains("denyoom") && set[8].contains("access"), "{set:?}");
    assert!(theirs["config|get"][6].contains("@admin"), "{:?}", theirs["config|get"]);
}
