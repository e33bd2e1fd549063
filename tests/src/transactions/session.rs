//! A client's connection, which now and then dies on purpose and is replaced by another.

use freehold_protocol::resp::value::Value;

use super::stage::Stage;
use crate::client::Client;
use crate::show::show;

/// What should not happen to a client at all: a connection that breaks by itself, a reply that the
/// command cannot give.
pub type Trouble = String;

pub struct Session<'a> {
    stage: &'a Stage,
    client: Client,
    /// Of this connection; the next one has another.
    pub id: u32,
    pub deaths: u64,
}

impl<'a> Session<'a> {
    pub fn open(stage: &'a Stage) -> Result<Session<'a>, Trouble> {
        let client = connect(&stage.address)?;
        Ok(Session { stage, client, id: stage.session(), deaths: 0 })
    }

    /// Sends what is queued and cuts the connection, whatever was still to come.
    pub fn die(&mut self) -> Result<(), Trouble> {
        self.client.flush().map_err(|error| format!("a request cannot be sent: {error}"))?;
        self.client = connect(&self.stage.address)?;
        self.id = self.stage.session();
        self.deaths += 1;
        Ok(())
    }

    pub fn queue<A: AsRef<[u8]>>(&mut self, words: &[A]) {
        self.client.queue(words);
    }

    pub fn read(&mut self) -> Result<Value, Trouble> {
        self.client.try_read().map_err(|error| format!("no reply: {error}"))
    }

    pub fn call<A: AsRef<[u8]>>(&mut self, words: &[A]) -> Result<Value, Trouble> {
        self.queue(words);
        self.read()
    }

    pub fn status(&mut self, expected: &str) -> Result<(), Trouble> {
        match self.read()? {
            Value::Simple(text) if text == expected.as_bytes() => Ok(()),
            other => Err(format!("{} where {expected} was due", show(&other))),
        }
    }

    /// The replies from MULTI to EXEC with `queued` commands in between; nothing when EXEC refused
    /// because of a watched key.
    pub fn transaction(&mut self, queued: usize) -> Result<Option<Vec<Value>>, Trouble> {
        self.status("OK")?;
        for _ in 0..queued {
            self.status("QUEUED")?;
        }
        match self.read()? {
            Value::Null => Ok(None),
            Value::Array(replies) if replies.len() == queued => Ok(Some(replies)),
            other => Err(format!("EXEC of {queued} commands answered {}", show(&other))),
        }
    }
}

fn connect(address: &str) -> Result<Client, Trouble> {
    Client::try_connect(address).map_err(|error| format!("connect {address}: {error}"))
}

/// A list of values.
pub fn array(value: Value) -> Result<Vec<Value>, Trouble> {
    match value {
        Value::Array(values) => Ok(values),
        other => Err(format!("{} where an array was due", show(&other))),
    }
}

/// A number in a bulk or a reply.
pub fn number<N: std::str::FromStr>(value: &Value) -> Result<N, Trouble> {
    let text = match value {
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Integer(number) => number.to_string(),
        other => return Err(format!("{} where a number was due", show(other))),
    };
    text.parse().map_err(|_| format!("{text} where a number was due"))
}

/// An array of numbers.
pub fn numbers<N: std::str::FromStr>(value: Value) -> Result<Vec<N>, Trouble> {
    array(value)?.iter().map(number).collect()
}
