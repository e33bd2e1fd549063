//! The end of a round: one transaction reads all balances and logs and begins new books, so what it
//! reads is one instant even while requests of dead clients are still under way; those fall whole
//! into the next round.

use std::collections::HashMap;

use freehold_protocol::resp::value::Value;

use super::Plan;
use super::mover::opening_request;
use super::session::{Trouble, numbers};
use super::stage::{ACCOUNTS, OPENING, Stage, account, list_name};
use crate::checkers::bank::Books;
use crate::client::Client;
use crate::show::show;

pub struct Audit {
    client: Client,
    accounts: Vec<String>,
    logs: Vec<String>,
}

impl Audit {
    /// Opens the books: every account has its opening balance.
    pub fn open(plan: &Plan) -> Result<Audit, Trouble> {
        let client = Client::try_connect(&plan.truth)
            .map_err(|error| format!("connect {}: {error}", plan.truth))?;
        let stage = Stage::new(plan);
        let mut audit = Audit { client, accounts: stage.accounts, logs: stage.logs };
        audit.transaction(&[opening_balances(), opening_request()])?;
        Ok(audit)
    }

    pub fn close_books(&mut self) -> Result<Books, Trouble> {
        let mut requests = vec![words(&["MGET"], &self.accounts)];
        requests.extend(self.logs.iter().map(|log| strings(&["LRANGE", log, "0", "-1"])));
        requests.push(words(&["DEL"], &self.logs));
        requests.push(opening_balances());
        let mut replies = self.transaction(&requests)?;
        let logs = replies.drain(1..=self.logs.len()).map(numbers).collect::<Result<_, _>>()?;
        Ok(Books { balances: numbers(replies.swap_remove(0))?, logs })
    }

    /// The lists of the round as they stand, which nobody uses any more.
    pub fn close_lists(&mut self, stage: &Stage) -> Result<HashMap<u32, Vec<u64>>, Trouble> {
        let lists = stage.round_lists();
        let names: Vec<String> = lists.iter().map(|list| list_name(*list)).collect();
        let mut requests: Vec<Vec<String>> =
            names.iter().map(|name| strings(&["LRANGE", name, "0", "-1"])).collect();
        requests.push(words(&["DEL"], &names));
        let replies = self.transaction(&requests)?;
        let listed = lists.into_iter().zip(replies);
        listed.map(|(list, reply)| numbers(reply).map(|values| (list, values))).collect()
    }

    fn transaction(&mut self, requests: &[Vec<String>]) -> Result<Vec<Value>, Trouble> {
        self.client.queue(&["MULTI"]);
        requests.iter().for_each(|request| self.client.queue(request));
        self.client.queue(&["EXEC"]);
        let mut last = Value::Null;
        for _ in 0..requests.len() + 2 {
            last = self.client.try_read().map_err(|error| format!("no audit: {error}"))?;
        }
        match last {
            Value::Array(replies) if replies.len() == requests.len() => Ok(replies),
            other => Err(format!("the audit's EXEC answered {}", show(&other))),
        }
    }
}

fn opening_balances() -> Vec<String> {
    let pairs = (0..ACCOUNTS).flat_map(|index| [account(index), OPENING.to_string()]);
    std::iter::once("MSET".to_owned()).chain(pairs).collect()
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn words(first: &[&str], rest: &[String]) -> Vec<String> {
    strings(first).into_iter().chain(rest.iter().cloned()).collect()
}
