//! The worked examples of `BINARY.md`, played: what the page says is what the code does.

use super::header::{FIRST_BYTE, HEADER_BYTES, Header, REQUEST_MAGIC};
use super::{Framing, Opcode, client, parse_binary, reply};
use crate::batch::{Batch, Stop};
use crate::limits::Limits;

const PAGE: &str = include_str!("../../BINARY.md");

#[derive(Default, Debug)]
struct Example {
    request: Vec<u8>,
    command: Option<String>,
    refusal: Option<String>,
    resp: Vec<u8>,
    response: Vec<u8>,
}

fn examples() -> Vec<Example> {
    let blocks = PAGE.split("```example\n").skip(1);
    blocks.map(|block| example(block.split("```").next().expect("a closed block"))).collect()
}

fn example(block: &str) -> Example {
    let mut example = Example::default();
    for line in block.lines() {
        let (mark, text) = line.split_once(' ').expect("a mark and a text");
        match mark {
            ">" => example.request.extend(bytes_of(text)),
            "<" => example.response.extend(bytes_of(text)),
            "=" => example.command = Some(text.to_string()),
            "!" => example.refusal = Some(text.to_string()),
            "-" => example.resp.extend(text.replace("\\r\\n", "\r\n").bytes()),
            _ => panic!("no mark begins {line:?}"),
        }
    }
    example
}

fn bytes_of(text: &str) -> Vec<u8> {
    let hex = text.split(';').next().unwrap_or_default().replace(' ', "");
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two hex digits");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// The only request of the example, as text, and its framing.
fn parsed(example: &Example) -> (String, Framing) {
    let mut batch = Batch::new();
    let stop = parse_binary(&example.request, &Limits::DEFAULT, 8, &mut batch);
    assert_eq!(stop, (example.request.len(), Stop::NeedMore), "{example:X?}");
    assert_eq!(batch.len(), 1);
    let words: Vec<_> =
        batch.args(0, &[]).iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    (words.join(" "), batch.framing(0).expect("a binary request"))
}

#[test]
fn every_example_parses_to_its_command_and_is_answered_as_written() {
    for example in examples() {
        let (command, framing) = parsed(&example);
        let mut response = Vec::new();
        match &example.refusal {
            None => {
                assert_eq!(framing.refusal, None);
                assert_eq!(Some(command), example.command);
                reply::write(framing, &example.resp, &mut response);
            }
            Some(text) => {
                assert_eq!(command, "");
                assert_eq!(framing.refusal.map(|refusal| refusal.text()), Some(text.as_str()));
                reply::refuse(framing, &mut response);
            }
        }
        assert_eq!(response, example.response, "{response:02X?} for {example:02X?}");
    }
}

#[test]
fn every_response_of_the_page_is_one_a_client_can_read() {
    for example in examples().iter().filter(|example| !example.response.is_empty()) {
        let (response, bytes) = client::decode(&example.response).expect("sound").expect("whole");
        assert_eq!(bytes, example.response.len());
        assert_eq!(response.opcode, example.request[2]);
    }
}

#[test]
fn the_page_has_an_example_of_every_opcode() {
    let shown: Vec<u8> = examples().iter().map(|example| example.request[2]).collect();
    for opcode in Opcode::ALL {
        assert!(shown.contains(&(opcode as u8)), "{opcode:?}");
    }
}

#[test]
fn the_header_is_the_one_drawn() {
    for example in examples() {
        assert_eq!(example.request[0], FIRST_BYTE);
        let header = Header::decode(&example.request, REQUEST_MAGIC).expect("magic").expect("all");
        assert_eq!(header.encode(REQUEST_MAGIC), example.request[..HEADER_BYTES]);
        assert_eq!(header.frame_bytes(), example.request.len());
    }
}
