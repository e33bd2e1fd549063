//! Connections: how many, what happens to one more, how they are spread, how they end.

use std::time::Duration;

use freehold_tests::client::Client;
use freehold_tests::process::{cpu_time, descriptors};
use freehold_tests::raw::Raw;
use freehold_tests::server::{Server, freehold};
use freehold_tests::wait;

on_one_and_two_cores!(
    one_client_too_many_is_told_so,
    a_full_descriptor_table_refuses_politely_and_never_spins,
    closed_connections_give_everything_back,
    an_idle_client_is_closed_after_the_timeout,
    clients_are_listed_and_killed_on_every_core,
    a_paused_server_answers_after_the_pause,
);

const MAXCLIENTS: usize = 50;
/// Connections of this machine that may come in beyond `maxclients`, for the operator.
const RESERVED: usize = 16;
const LIMIT: Duration = Duration::from_secs(10);

/// Whether this connection is served; if not, it was refused in words.
fn is_served(raw: &mut Raw) -> bool {
    if raw.send(b"PING\r\n").is_err() {
        return false;
    }
    let heard = raw.line();
    let Ok(line) = heard else { return false };
    match line.as_slice() {
        b"+PONG\r\n" => true,
        b"-ERR max number of clients reached\r\n" => false,
        other => panic!("neither served nor refused: {}", other.escape_ascii()),
    }
}

fn open(server: &Server, count: usize) -> (Vec<Raw>, usize) {
    let mut served = Vec::new();
    let mut refused = 0;
    for _ in 0..count {
        let connected = Raw::connect(server.address()).ok();
        match connected.and_then(|mut raw| is_served(&mut raw).then_some(raw)) {
            Some(raw) => served.push(raw),
            None => refused += 1,
        }
    }
    (served, refused)
}

fn one_client_too_many_is_told_so(cores: u16) {
    let server = freehold(cores).with(&["--maxclients", &MAXCLIENTS.to_string()]).start();
    let (mut served, refused) = open(&server, MAXCLIENTS + RESERVED + 30);

    assert!(served.len() >= MAXCLIENTS, "only {} served", served.len());
    assert!(served.len() <= MAXCLIENTS + RESERVED, "{} served", served.len());
    assert!(refused >= 30, "{refused} refused");
    assert!(served.iter_mut().all(is_served), "an old client lost its connection");

    served.clear();
    wait::until("a place to become free", LIMIT, || {
        Raw::connect(server.address()).is_ok_and(|mut raw| is_served(&mut raw))
    });
    let rejected = server.client().info_number("stats", "rejected_connections");
    assert!(rejected >= refused as u64, "{rejected} counted");
}

fn a_full_descriptor_table_refuses_politely_and_never_spins(cores: u16) {
    let server = freehold(cores).descriptors(256).start();
    let (mut served, refused) = open(&server, 400);

    assert!(refused > 0, "400 connections with 256 descriptors");
    assert!(served.len() >= 50, "only {} served", served.len());
    assert!(descriptors(server.pid()) <= 256);
    let before = cpu_time(server.pid());
    wait::throughout(Duration::from_secs(1), || {});
    let spent = cpu_time(server.pid()) - before;
    assert!(spent <= Duration::from_millis(50), "an idle full server spent {spent:?} in a second");

    assert!(served.iter_mut().all(is_served), "an old client lost its connection");
    served.clear();
    wait::until("a place to become free", LIMIT, || {
        Raw::connect(server.address()).is_ok_and(|mut raw| is_served(&mut raw))
    });
}

fn closed_connections_give_everything_back(cores: u16) {
    let server = freehold(cores).start();
    let mut onlooker = server.client();
    assert_eq!(onlooker.said("PING"), "+PONG");
    let before = descriptors(server.pid());

    for _ in 0..20 {
        let (served, refused) = open(&server, 50);
        assert_eq!((served.len(), refused), (50, 0));
    }

    wait::until("all descriptors to be closed", LIMIT, || descriptors(server.pid()) <= before);
    assert_eq!(onlooker.info_number("clients", "connected_clients"), 1);
    assert_eq!(onlooker.info_number("stats", "total_connections_received"), 1_001);
}

fn an_idle_client_is_closed_after_the_timeout(cores: u16) {
    let server = freehold(cores).with(&["--timeout", "1"]).start();
    let mut idle = server.raw();
    assert!(is_served(&mut idle));
    let mut busy = server.client();

    wait::until("the idle client to be closed", LIMIT, || {
        assert_eq!(busy.said("PING"), "+PONG");
        idle.is_closed()
    });
}

fn clients_are_listed_and_killed_on_every_core(cores: u16) {
    let server = freehold(cores).start();
    let mut clients: Vec<Client> = (0..12).map(|_| server.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.said(&format!("CLIENT SETNAME worker-{number}")), "+OK");
    }
    let mut operator = server.client();

    let listed = operator.said("CLIENT LIST");
    for number in 0..12 {
        assert!(listed.contains(&format!("name=worker-{number} ")), "{number} is not in {listed}");
    }
    let ids: Vec<String> = clients.iter_mut().map(|client| client.said("CLIENT ID")).collect();
    let mut different = ids.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 12, "ids are unique: {ids:?}");
    for id in &ids {
        let id = id.trim_start_matches("(integer) ");
        assert_eq!(operator.said(&format!("CLIENT KILL ID {id}")), "(integer) 1");
    }
    assert!(clients.iter_mut().all(|client| client.try_call(&["PING"]).is_err()));
    wait::until("only the operator to be left", LIMIT, || {
        operator.info_number("clients", "connected_clients") == 1
    });
}

fn a_paused_server_answers_after_the_pause(cores: u16) {
    let server = freehold(cores).start();
    let mut operator = server.client();
    let mut writers: Vec<Client> = (0..4).map(|_| server.client()).collect();
    assert_eq!(operator.said("CLIENT PAUSE 60000 WRITE"), "+OK");
    for (number, writer) in writers.iter_mut().enumerate() {
        writer.queue(&["SET", &format!("k{number}"), "v"]);
        writer.flush().expect("open");
    }

    assert_eq!(operator.said("MGET k0 k1 k2 k3"), "[(nil), (nil), (nil), (nil)]");
    assert_eq!(operator.said("CLIENT UNPAUSE"), "+OK");

    for writer in &mut writers {
        assert_eq!(freehold_tests::show::show(&writer.read()), "+OK");
    }
}
