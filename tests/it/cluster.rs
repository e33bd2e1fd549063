//! One host as a cluster of cores: what CLUSTER commands advertise, and that a core port teaches
//! clients where a key lives while the plain port serves everything.

use freehold_protocol::Slot;
use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{Server, freehold};
use freehold_tests::show::{bytes, items};

const MODE: &[&str] = &["--cluster-enabled", "yes", "--cluster-view", "core"];

fn start(cores: u16) -> Server {
    freehold(cores).with(MODE).start()
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Integer(number) => *number as u64,
        other => panic!("{other:?} is no number"),
    }
}

/// First slot, last slot and port of each range of CLUSTER SLOTS.
fn ranges(client: &mut Client) -> Vec<(u64, u64, u16)> {
    let reply = client.call(&["CLUSTER", "SLOTS"]);
    let ranges = items(&reply).expect("an array").iter().map(|range| {
        let range = items(range).expect("a range");
        let node = items(&range[2]).expect("a node");
        assert_eq!(bytes(&node[0]), Some(&b"127.0.0.1"[..]));
        assert_eq!(bytes(&node[2]).map(<[u8]>::len), Some(40), "a node has an id of 40 letters");
        (number(&range[0]), number(&range[1]), number(&node[1]) as u16)
    });
    ranges.collect()
}

on_one_and_two_cores!(
    cluster_slots_name_one_core_port_a_core_and_every_slot_once,
    a_core_port_serves_its_slots_and_redirects_the_rest,
    the_plain_port_serves_everything,
    cluster_commands_describe_one_healthy_host,
    keys_are_counted_and_listed_by_slot,
    commands_over_two_slots_are_refused_on_core_ports,
);

fn cluster_slots_name_one_core_port_a_core_and_every_slot_once(cores: u16) {
    let server = start(cores);
    let mut ranges = ranges(&mut server.client());
    ranges.sort_unstable();

    let mut next = 0;
    for (first, last, _) in &ranges {
        assert_eq!(*first, next, "slots are advertised once each: {ranges:?}");
        next = last + 1;
    }
    assert_eq!(next, 16_384);
    let mut ports: Vec<u16> = ranges.iter().map(|(_, _, port)| *port).collect();
    ports.sort_unstable();
    ports.dedup();
    let mut expected = server.core_ports().to_vec();
    expected.sort_unstable();
    assert_eq!(ports, expected);
}

fn a_core_port_serves_its_slots_and_redirects_the_rest(cores: u16) {
    let server = start(cores);
    let ranges = ranges(&mut server.client());
    let mut cores: Vec<(u16, Client)> = server
        .core_ports()
        .iter()
        .map(|port| (*port, Client::connect(&format!("127.0.0.1:{port}"))))
        .collect();

    for key in (0..200).map(|number| format!("key:{number}")) {
        let slot = u64::from(Slot::of_key(key.as_bytes()).number());
        let (_, _, owner) = ranges
            .iter()
            .find(|(first, last, _)| (first..=last).contains(&&slot))
            .expect("every slot has an owner");
        for (port, client) in &mut cores {
            let said = client.said(&format!("SET {key} v"));
            let expected = match port == owner {
                true => "+OK".to_owned(),
                false => format!("(error) MOVED {slot} 127.0.0.1:{owner}"),
            };
            assert_eq!(said, expected, "{key} at port {port}");
        }
    }
}

fn the_plain_port_serves_everything(cores: u16) {
    let server = start(cores);
    let mut client = server.client();
    for number in 0..200 {
        assert_eq!(client.said(&format!("SET key:{number} {number}")), "+OK");
    }
    assert_eq!(client.said("MGET key:1 key:2 key:3"), "[\"1\", \"2\", \"3\"]");
    assert_eq!(client.said("DBSIZE"), "(integer) 200");
}

fn cluster_commands_describe_one_healthy_host(cores: u16) {
    let server = start(cores);
    let mut client = server.client();

    let info = client.said("CLUSTER INFO");
    for field in ["cluster_state:ok", "cluster_slots_assigned:16384", "cluster_slots_ok:16384"] {
        assert!(info.contains(field), "{field} is missing in {info}");
    }
    assert_eq!(client.said("CLUSTER KEYSLOT foo"), "(integer) 12182");
    assert_eq!(client.said("CLUSTER KEYSLOT {user}.x"), client.said("CLUSTER KEYSLOT user"));
    let id = client.said("CLUSTER MYID");
    assert_eq!(id.len(), 42, "40 letters in quotes: {id}");
    let nodes = client.call(&["CLUSTER", "NODES"]);
    let nodes = String::from_utf8_lossy(bytes(&nodes).expect("text")).into_owned();
    assert_eq!(nodes.lines().filter(|line| line.contains("myself,master")).count(), 1, "{nodes}");
    for line in nodes.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        assert!(fields.len() >= 8 && fields[0].len() == 40 && fields[1].contains('@'), "{line}");
        assert_eq!(fields[7], "connected", "{line}");
    }
    assert_eq!(nodes.lines().count(), usize::from(cores), "one line a core: {nodes}");
    let shards = client.call(&["CLUSTER", "SHARDS"]);
    assert_eq!(items(&shards).map(<[Value]>::len), Some(usize::from(cores)));
    assert!(client.info("cluster", "cluster_enabled").contains('1'));
    assert_eq!(client.said("SELECT 1"), "(error) ERR SELECT is not allowed in cluster mode");
}

fn keys_are_counted_and_listed_by_slot(cores: u16) {
    let server = start(cores);
    let mut client = server.client();
    for tag in ["a", "b", "c", "d"] {
        for number in 0..5 {
            assert_eq!(client.said(&format!("SET {{{tag}}}{number} v")), "+OK");
        }
        let slot = Slot::of_key(tag.as_bytes()).number();
        assert_eq!(client.said(&format!("CLUSTER COUNTKEYSINSLOT {slot}")), "(integer) 5");
        let listed = client.call(&["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), "3"]);
        assert_eq!(items(&listed).map(<[Value]>::len), Some(3));
    }
    assert!(client.said("CLUSTER COUNTKEYSINSLOT 16384").starts_with("(error) ERR Invalid"));
}

fn commands_over_two_slots_are_refused_on_core_ports(cores: u16) {
    let server = start(cores);
    let mut client = Client::connect(&format!("127.0.0.1:{}", server.core_ports()[0]));
    let refusal = "(error) CROSSSLOT Keys in request don't hash to the same slot";

    assert_eq!(client.said("MSET a 1 b 2"), refusal);
    assert_eq!(client.said("MGET a b"), refusal);
    assert_eq!(client.said("PING"), "+PONG");
}

#[test]
fn the_host_view_advertises_one_endpoint() {
    let server = freehold(2).with(MODE).with(&["--cluster-view", "host"]).start();
    let mut client = server.client();

    let ranges = ranges(&mut client);
    assert!(ranges.iter().all(|(_, _, port)| *port == server.port()), "{ranges:?}");
    let nodes = client.said("CLUSTER NODES");
    assert_eq!(nodes.matches("connected").count(), 1, "{nodes}");
}

#[test]
fn without_cluster_mode_cluster_commands_say_so() {
    let server = freehold(1).start();
    let said = server.client().said("CLUSTER INFO");
    assert_eq!(said, "(error) ERR This instance has cluster support disabled");
}
