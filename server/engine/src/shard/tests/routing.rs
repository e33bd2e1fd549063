//! Who answers for which key, and what the doors let through.

use crate::command::session::PortKind;
use crate::shard::testing::TestNode;

#[test]
fn a_core_port_redirects_what_another_core_owns_and_the_plain_port_never_does() {
    let mut node = TestNode::with_config(2, &[]);
    let client = node.connect_through(0, PortKind::Core);
    // foo lives in slot 12182, the second core's half
    assert_eq!(node.exchange(client, b"GET foo\r\n"), b"-MOVED 12182 127.0.0.1:7001\r\n");
    assert_eq!(node.exchange(client, b"GET bar\r\n"), b"$-1\r\n");
    assert_eq!(
        node.exchange(client, b"MGET foo bar\r\n"),
        b"-CROSSSLOT Keys in request don't hash to the same slot\r\n"
    );
    assert_eq!(node.run("GET foo"), "$-1\r\n");
    assert_eq!(node.run("MSET foo 1 bar 2\nMGET foo bar"), "*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
    assert_eq!(node.exchange(client, b"DBSIZE\r\n"), b":1\r\n", "a core port counts its own keys");
    assert_eq!(node.run("DBSIZE"), ":2\r\n");
}

#[test]
fn nothing_but_the_handshake_runs_before_auth() {
    let mut node = TestNode::with_config(1, &[("requirepass", "secret")]);
    assert_eq!(node.run("GET k"), "-NOAUTH Authentication required.\r\n");
    assert!(node.run("AUTH wrong").starts_with("-WRONGPASS"));
    assert_eq!(node.run("AUTH secret\nGET k"), "$-1\r\n");
}

#[test]
fn a_muted_client_gets_no_reply_wherever_the_command_runs() {
    for cores in [1, 2, 4] {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        let mut out = node.exchange(client, b"CLIENT REPLY OFF\r\nSET foo 1\r\nSET bar 2\r\n");
        out.extend(node.exchange(client, b"MSET x 1 y 2 z 3\r\nCLIENT REPLY ON\r\nGET foo\r\n"));
        assert_eq!(String::from_utf8_lossy(&out), "+OK\r\n$1\r\n1\r\n", "{cores} cores");
        let out = node.exchange(client, b"CLIENT REPLY SKIP\r\nGET foo\r\nGET bar\r\n");
        assert_eq!(String::from_utf8_lossy(&out), "$1\r\n2\r\n", "{cores} cores");
    }
}

#[test]
fn an_end_that_waits_for_its_snapshot_holds_writes_until_it_is_called_off() {
    for cores in [1, 2, 4] {
        let mut node = TestNode::new(cores);
        let last = usize::from(cores) - 1;
        let (asker, writer, other) = (node.connect(0), node.connect(last), node.connect(last));
        assert_eq!(node.exchange(asker, b"SHUTDOWN SAVE FORCE\r\n"), b"");
        assert_eq!(node.exchange(writer, b"SET foo 1\r\n"), b"", "{cores} cores");
        assert_eq!(node.exchange(other, b"GET foo\r\n"), b"$-1\r\n");
        node.advance_ms(500);
        node.pump();
        assert_eq!(node.output(writer), b"", "the snapshot has not ended");

        assert_eq!(node.exchange(other, b"SHUTDOWN ABORT\r\n"), b"+OK\r\n");
        node.advance_ms(10);
        node.pump();
        node.advance_ms(10);
        node.pump();

        let refused: &[u8] = b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n";
        assert_eq!(node.output(asker), refused, "{cores} cores");
        assert_eq!(node.output(writer), b"+OK\r\n");
        let nothing: &[u8] = b"-ERR No shutdown in progress.\r\n";
        assert_eq!(node.exchange(other, b"SHUTDOWN ABORT\r\n"), nothing);
    }
}

#[test]
fn a_pause_holds_writes_and_lets_reads_through() {
    let mut node = TestNode::new(2);
    let (writer, reader) = (node.connect(0), node.connect(1));
    node.run("CLIENT PAUSE 100 WRITE");
    assert_eq!(node.exchange(writer, b"SET foo 1\r\n"), b"");
    assert_eq!(node.exchange(reader, b"GET foo\r\n"), b"$-1\r\n");
    node.advance_ms(101);
    node.pump();
    assert_eq!(node.output(writer), b"+OK\r\n");
    assert_eq!(node.exchange(reader, b"GET foo\r\n"), b"$1\r\n1\r\n");
}
