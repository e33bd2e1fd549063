//! Append-only files put together by hand, repeated.

use freehold_protocol::resp::value::encode_request;

use super::*;
use crate::base::time::{Now, UnixMillis};
use crate::config::Config;
use crate::exchange::{Fault, Limits, ReadError};
use crate::mesh::{CoreId, Fabric, Tickets};
use crate::shard::Blueprint;
use crate::shard::testing::TestNode;

const LIMITS: Limits = Limits { key_bytes_max: 100, string_bytes_max: 1 << 20, databases: 16 };
const NOW_MS: i64 = 1_700_000_000_000;

fn replay() -> Replay {
    let node = TestNode::new(1);
    let port = Fabric::<()>::new(1, 2).remove(0);
    let blueprint = Blueprint {
        id: CoreId(0),
        cores: 1,
        config: std::sync::Arc::new(Config::default()),
        node: node.shards[0].core.node.clone(),
        hash_seed: [1, 2, 3, 4],
        random_seed: 1,
        board: port.board().clone(),
        tickets: Tickets::new(),
        now: Now { unix_ms: UnixMillis(NOW_MS), mono_us: 1 },
    };
    Replay::new(blueprint, LIMITS).expect("room for a connection")
}

/// Requests given as lines, in the form of a file.
fn file(lines: &str) -> Vec<u8> {
    let mut file = Vec::new();
    for line in lines.lines() {
        if line.starts_with('#') {
            file.extend_from_slice(line.as_bytes());
            file.extend_from_slice(b"\r\n");
        } else {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            encode_request(&words, &mut file);
        }
    }
    file
}

/// A node that holds what was repeated.
fn handed_out(replay: Replay) -> TestNode {
    let mut node = TestNode::new(2);
    let (parts, _) = replay.hand_out(2, UnixMillis(NOW_MS));
    for (core, part) in parts.into_iter().enumerate() {
        part.into_iter().for_each(|handed| handed.put(&mut node.shards[core]));
    }
    node
}

fn repeat(bytes: &[u8]) -> Result<(Replay, Option<Torn>), ReadError> {
    let mut replay = replay();
    let torn = replay.file(bytes, true, |_, _| {})?;
    Ok((replay, torn))
}

#[test]
fn commands_databases_and_transactions_reach_their_owners() {
    let bytes = file(
        "SELECT 0\nSET a 1\n#TS:1700000000\nMULTI\nINCR a\nRPUSH l x y\nEXEC\nSELECT 2\n\
         MSET b 1 c 2",
    );
    let (replay, torn) = repeat(&bytes).expect("sound");
    assert_eq!(torn, None);
    let mut node = handed_out(replay);
    assert_eq!(node.run("GET a"), "$1\r\n2\r\n");
    assert_eq!(node.run("LLEN l"), ":2\r\n");
    assert_eq!(node.run("SELECT 2\nMGET b c"), "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
}

#[test]
fn a_key_that_was_changed_before_its_deadline_does_not_come_back_without_one() {
    let past = NOW_MS - 1000;
    let (replay, _) = repeat(&file(&format!("SET k 5 PXAT {past}\nINCR k"))).expect("sound");
    let (_, filled) = replay.hand_out(1, UnixMillis(NOW_MS));
    assert_eq!((filled.total(), filled.expired), (0, 1));
}

#[test]
fn a_torn_tail_is_told_and_a_torn_transaction_left_out() {
    let whole = file("SET a 1");
    let bytes = file("SET a 1\nMULTI\nSET b 2\nSET c 3\nEXEC");
    for cut in whole.len() + 1..bytes.len() {
        let (replay, torn) = repeat(&bytes[..cut]).expect("a torn tail is no fault");
        assert_eq!(torn, Some(Torn { offset: whole.len() as u64 }), "cut at {cut}");
        let mut node = handed_out(replay);
        assert_eq!(node.run("DBSIZE"), ":1\r\n", "cut at {cut}");
        let error = self::replay().file(&bytes[..cut], false, |_, _| {});
        assert_eq!(error.map_err(|error| error.fault), Err(Fault::Ended), "not the last file");
    }
}

#[test]
fn damage_in_the_middle_and_commands_we_do_not_have_are_faults() {
    let first = file("SET a 1").len() as u64;
    let damaged = [file("SET a 1"), b"rubbish\r\n".to_vec(), file("SET b 1")].concat();
    let error = repeat(&damaged).err().expect("damage");
    assert_eq!(error, Fault::Command { expected: '*' }.at(first));
    let error = repeat(&file("SET a 1\nSADD a x")).err().expect("refused");
    assert_eq!(error.offset, first);
    assert!(error.to_string().contains("SADD a cannot be repeated here: WRONGTYPE"), "{error}");
}

#[test]
fn a_claim_keeps_its_time_and_a_new_consumer_is_not_idle_since_the_beginning() {
    let at = NOW_MS - 5000;
    let lines = format!(
        "XADD s 1-1 f v\nXGROUP CREATE s g 0\nXGROUP CREATECONSUMER s g c\n\
         XCLAIM s g c 0 1-1 TIME {at} RETRYCOUNT 3 FORCE JUSTID LASTID 1-1"
    );
    let (replay, _) = repeat(&file(&lines)).expect("sound");
    let mut node = handed_out(replay);
    assert_eq!(
        node.run("XPENDING s g - + 1"),
        "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:5000\r\n:3\r\n"
    );
}
