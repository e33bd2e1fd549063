//! The binary protocol by wire: it and RESP see one keyspace, answers mean the same, and both
//! speak on the same port.

use std::io::Read;

use freehold_protocol::binary::client::{Request, command_value, decode, multi_get_value};
use freehold_protocol::binary::{Opcode, Status};
use freehold_protocol::resp::value::{Value, decode as decode_resp};
use freehold_tests::raw::Raw;
use freehold_tests::server::freehold;
use freehold_tests::show::show;

on_one_and_two_cores!(
    both_protocols_see_one_keyspace,
    the_command_opcode_answers_what_resp_answers,
    pipelined_frames_are_answered_in_order,
    a_frame_with_another_magic_closes_only_its_connection,
    a_value_is_replaced_only_at_the_expected_version,
);

struct Binary {
    raw: Raw,
    received: Vec<u8>,
}

impl Binary {
    fn send(&mut self, request: &Request<'_>) {
        let mut frame = Vec::new();
        request.encode(&mut frame);
        self.raw.send(&frame).expect("the connection is open");
    }

    fn receive(&mut self) -> (Status, Vec<u8>) {
        loop {
            if let Some((response, used)) = decode(&self.received).expect("a response") {
                let answer = (response.status, response.value.to_vec());
                self.received.drain(..used);
                return answer;
            }
            let mut chunk = [0; 4096];
            let count = self.raw.stream.read(&mut chunk).expect("a response");
            assert!(count > 0, "the server closed");
            self.received.extend_from_slice(&chunk[..count]);
        }
    }

    fn call(&mut self, request: &Request<'_>) -> (Status, Vec<u8>) {
        self.send(request);
        self.receive()
    }
}

fn connect(server: &freehold_tests::server::Server) -> Binary {
    Binary { raw: server.raw(), received: Vec::new() }
}

fn both_protocols_see_one_keyspace(cores: u16) {
    let server = freehold(cores).start();
    let mut binary = connect(&server);
    let mut resp = server.client();

    for number in 0..100 {
        let (key, value) = (format!("k{number}"), format!("v{number}"));
        let set = Request::new(Opcode::Set, key.as_bytes(), value.as_bytes());
        assert_eq!(binary.call(&set), (Status::Ok, Vec::new()));
        assert_eq!(resp.said(&format!("GET {key}")), format!("\"{value}\""));
        resp.said(&format!("APPEND {key} +"));
        let get = Request::new(Opcode::Get, key.as_bytes(), b"");
        assert_eq!(binary.call(&get), (Status::Ok, format!("{value}+").into_bytes()));
    }
    let mut keys = Vec::new();
    multi_get_value(&[b"k1", b"nothing", b"k2"], &mut keys);
    let (status, values) = binary.call(&Request::new(Opcode::MultiGet, b"", &keys));
    assert_eq!(status, Status::Ok);
    assert_eq!(values, b"\x00\x00\x00\x03v1+\xFF\xFF\xFF\xFF\x00\x00\x00\x03v2+");
    let missing = binary.call(&Request::new(Opcode::Get, b"nothing", b""));
    assert_eq!(missing, (Status::NotFound, Vec::new()));
    assert_eq!(binary.call(&Request::new(Opcode::Delete, b"k1", b"")).0, Status::Ok);
    assert_eq!(resp.said("EXISTS k1"), "(integer) 0");
}

fn the_command_opcode_answers_what_resp_answers(cores: u16) {
    let server = freehold(cores).start();
    let mut binary = connect(&server);
    let mut resp = server.client();
    assert!(resp.said("HELLO 3").contains("proto"));

    for words in [
        "SET k v",
        "GET k",
        "GET nothing",
        "INCR k",
        "MSET a 1 b 2",
        "MGET a b c",
        "TTL a",
        "NOSUCH x",
        "SET k",
        "CONFIG GET maxmemory",
        "EXISTS a b k",
        "OBJECT ENCODING a",
        "LCS a b IDX",
    ] {
        let args: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let mut value = Vec::new();
        command_value(&args, &mut value);
        let (_, answer) = binary.call(&Request::new(Opcode::Command, b"", &value));
        let (reply, used) = decode_resp(&answer).expect("RESP3").expect("a whole reply");
        assert_eq!(used, answer.len(), "{words}");
        assert_eq!(show(&reply), resp.said(words), "{words}");
    }
}

fn pipelined_frames_are_answered_in_order(cores: u16) {
    let server = freehold(cores).start();
    let mut binary = connect(&server);
    let mut frames = Vec::new();
    for number in 0..2_000_u64 {
        let key = format!("k{}", number % 100);
        Request::new(Opcode::Set, key.as_bytes(), &number.to_be_bytes()).encode(&mut frames);
        Request::new(Opcode::Get, key.as_bytes(), b"").encode(&mut frames);
    }
    binary.raw.send(&frames).expect("open");
    for number in 0..2_000_u64 {
        assert_eq!(binary.receive(), (Status::Ok, Vec::new()));
        assert_eq!(binary.receive(), (Status::Ok, number.to_be_bytes().to_vec()));
    }
}

fn a_frame_with_another_magic_closes_only_its_connection(cores: u16) {
    let server = freehold(cores).start();
    let mut neighbour = server.client();
    let mut hostile = connect(&server);
    assert_eq!(hostile.call(&Request::new(Opcode::Ping, b"", b"")).1, b"PONG");

    hostile.raw.send(&[0xF0, 0x00, 1, 0, 0, 0, 0, 0, 0, 0]).expect("open");

    let rest = hostile.raw.rest();
    assert_eq!(&rest[..3], &[0xF0, 0xE2, 0], "one last response with opcode 0");
    assert_eq!(rest[9], 5, "bad request");
    assert_eq!(neighbour.said("PING"), "+PONG");
}

fn a_value_is_replaced_only_at_the_expected_version(cores: u16) {
    let server = freehold(cores).start();
    let mut binary = connect(&server);
    let mut resp = server.client();
    assert_eq!(resp.said("SET k old"), "+OK");
    let version = freehold_protocol::binary::version_of(b"old");

    let swap = Request::new(Opcode::CompareAndSwap, b"k", b"new").expected_version(version);
    assert_eq!(binary.call(&swap).0, Status::Ok);
    assert_eq!(binary.call(&swap).0, Status::ConditionFailed);
    assert_eq!(resp.call(&["GET", "k"]), Value::Bulk(b"new".to_vec()));
}
