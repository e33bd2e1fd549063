use crate::shard::testing::{TestClient, TestNode};

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn payload_of(node: &mut TestNode, client: TestClient, key: &str) -> Vec<u8> {
    let reply = node.exchange(client, &request(&[b"DUMP", key.as_bytes()]));
    let start = reply.iter().position(|&byte| byte == b'\n').expect("a bulk string") + 1;
    reply[start..reply.len() - 2].to_vec()
}

fn restored(node: &mut TestNode, client: TestClient, words: &[&[u8]]) -> String {
    let words = [&[&b"RESTORE"[..]], words].concat();
    String::from_utf8_lossy(&node.exchange(client, &request(&words))).into_owned()
}

/// Requests that make `k` a value of each kind and size.
fn makings() -> Vec<String> {
    let many = |verb: &str, word: fn(u32) -> String| {
        let words: String = (0..1000).map(word).collect();
        format!("{verb} k{words}")
    };
    vec![
        "SET k 12345".to_owned(),
        format!("SET k {}", "x".repeat(2000)),
        "RPUSH k a 1 -5 longer".to_owned(),
        many("RPUSH", |n| format!(" element:{n}")),
        "SADD k 1 2 3".to_owned(),
        "SADD k a b 3".to_owned(),
        many("SADD", |n| format!(" member:{n}")),
        "HSET k f v n 12".to_owned(),
        many("HSET", |n| format!(" field:{n} {n}")),
    ]
}

#[test]
fn what_is_dumped_is_restored_with_its_encoding_wherever_it_lives() {
    for cores in [1, 2] {
        for making in makings() {
            let mut node = TestNode::new(cores);
            let client = node.connect(0);
            node.run(&making);
            let payload = payload_of(&mut node, client, "k");
            for key in ["other", "another"] {
                let said = restored(&mut node, client, &[key.as_bytes(), b"0", &payload]);
                assert_eq!(said, "+OK\r\n", "{making:.40}");
                let encoding = node.run("OBJECT ENCODING k");
                assert_eq!(node.run(&format!("OBJECT ENCODING {key}")), encoding, "{making:.40}");
                assert_eq!(payload_of(&mut node, client, key).len(), payload.len());
                node.run("RENAME k before");
                node.run(&format!("COPY {key} k"));
                let digest = node.digest();
                node.run("RENAME before k");
                node.run("COPY k before");
                assert_eq!(node.digest(), digest, "{making:.40}: equal content");
                node.run("DEL before");
            }
        }
    }
}

#[test]
fn every_changed_byte_of_a_payload_is_noticed() {
    let mut node = TestNode::new(1);
    let client = node.connect(0);
    node.run("RPUSH k a b c");
    let payload = payload_of(&mut node, client, "k");
    for at in 0..payload.len() {
        let mut changed = payload.clone();
        changed[at] ^= 0x10;
        let said = restored(&mut node, client, &[b"other", b"0", &changed]);
        assert_eq!(said, "-ERR DUMP payload version or checksum are wrong\r\n", "byte {at}");
    }
}

#[test]
fn a_restored_key_lives_as_long_as_it_was_given() {
    let mut node = TestNode::new(1);
    let client = node.connect(0);
    node.run("SET k v");
    let payload = payload_of(&mut node, client, "k");
    restored(&mut node, client, &[b"other", b"500", &payload]);
    assert_eq!(node.run("PTTL other"), ":500\r\n");
    node.advance_ms(501);
    assert_eq!(node.run("EXISTS other"), ":0\r\n");
    let far = i64::MAX.to_string();
    assert_eq!(restored(&mut node, client, &[b"other", far.as_bytes(), &payload]), "+OK\r\n");
    assert_eq!(node.run("EXISTS other"), ":1\r\n", "no overflow into the past");
}

#[test]
fn the_last_use_is_restored_where_the_policy_keeps_it() {
    let mut node = TestNode::new(1);
    let client = node.connect(0);
    node.run("SET k v");
    let payload = payload_of(&mut node, client, "k");
    restored(&mut node, client, &[b"other", b"0", &payload, b"IDLETIME", b"1000"]);
    assert_eq!(node.run("OBJECT IDLETIME other"), ":1000\r\n");
    node.run("CONFIG SET maxmemory-policy allkeys-lfu");
    restored(&mut node, client, &[b"third", b"0", &payload, b"FREQ", b"77"]);
    assert_eq!(node.run("OBJECT FREQ third"), ":77\r\n");
}

#[test]
fn a_payload_cannot_hold_a_longer_string_than_a_key_may() {
    let options = [("value-hard-bytes", "1024"), ("value-soft-bytes", "1024")];
    let mut node = TestNode::with_config(1, &options);
    let client = node.connect(0);
    // A letter, then copies of it: 15 bytes that unpack to 1025.
    let mut payload = b"\x00\xc3\x0e\x44\x01\x00x".to_vec();
    payload.extend_from_slice(&[0xe0, 255, 0].repeat(3));
    payload.extend_from_slice(&[0xe0, 223, 0]);
    crate::value::rdb::footer::seal(&mut payload, 10);
    let said = restored(&mut node, client, &[b"k", b"0", &payload]);
    assert_eq!(said, "-ERR Bad data format\r\n");
}
