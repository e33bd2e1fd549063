//! Messages reach whom they should, in order, from any core to any core, and cost a bounded amount.

mod delivery;
mod events;
mod flow;
mod queued;

use crate::shard::testing::{TestClient, TestNode};

/// What has come for a client, as text.
fn text(node: &mut TestNode, client: TestClient) -> String {
    String::from_utf8_lossy(&node.output(client)).into_owned()
}

/// Sends a line, lets everything settle, and returns what the client got.
fn say(node: &mut TestNode, client: TestClient, line: &str) -> String {
    String::from_utf8_lossy(&node.exchange(client, format!("{line}\r\n").as_bytes())).into_owned()
}

/// A message as RESP2 writes it.
fn message(parts: &[&str]) -> String {
    let parts = parts.iter().map(|part| format!("${}\r\n{part}\r\n", part.len()));
    let parts: Vec<String> = parts.collect();
    format!("*{}\r\n{}", parts.len(), parts.concat())
}
