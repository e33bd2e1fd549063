//! What an executor does now and then: the end of the warm-up, reports, stalls, reconnects, the
//! slot map, and the decision to give a run up.
//!
//! Whatever would block is done by a helper on glommio's blocking thread, which leaves its news
//! for the next upkeep, so that the other connections go on meanwhile.

use super::{Executor, thread_cpu_ns};
use crate::cluster::SlotMap;
use crate::connection::Broken;
use crate::record::Record;
use crate::session::{Socket, connect};
use crate::wire::Complaint;

/// How often an executor looks after these things.
const UPKEEP_NS: u64 = 20_000_000;
const REPORT_NS: u64 = 1_000_000_000;
/// Pause between two attempts to open a connection again.
pub const RETRY_NS: u64 = 100_000_000;

/// What helper tasks have to say.
pub enum News {
    Connected(usize, Result<Socket, String>),
    Map(Result<SlotMap, String>),
}

impl Executor {
    /// Everything that is not urgent; `true` when the run has to be given up.
    pub fn upkeep(&mut self, now_ns: u64) -> bool {
        self.upkeep_ns = now_ns + UPKEEP_NS;
        if self.measure_from_ns.is_some_and(|from_ns| now_ns >= from_ns) {
            self.measure_from_ns = None;
            self.measured_from_ns = now_ns;
            self.judge.record = Record::new();
            self.cpu_from_ns = thread_cpu_ns();
        }
        if self.plan.reports_live && now_ns >= self.report_ns {
            self.report_ns = now_ns + REPORT_NS;
            let record = std::mem::take(&mut self.judge.record);
            // Nobody listens any more only when the process is ending anyway.
            let _ = self.report.send(record);
        }
        let news = std::mem::take(&mut *self.news.borrow_mut());
        news.into_iter().for_each(|news| self.hear(news, now_ns));
        self.end_stalls(now_ns);
        self.reopen(now_ns);
        if self.plan.cluster && now_ns >= self.refresh_ns && !self.refreshing {
            self.refresh_map();
        }
        let hopeless = now_ns.saturating_sub(self.progress_ns) > 2 * self.plan.timeout_ns;
        let is_waiting = !self.source.is_exhausted(now_ns) && self.source.next_due_ns().is_none();
        let over = now_ns > self.phase.end_ns.saturating_add(self.plan.timeout_ns);
        (hopeless && is_waiting) || over
    }

    fn hear(&mut self, news: News, now_ns: u64) {
        match news {
            News::Connected(at, Ok(socket)) => {
                if self.adopt(at, socket).is_err() {
                    self.connections[at].retry_ns = now_ns + RETRY_NS;
                }
            }
            News::Connected(at, Err(text)) => {
                self.connections[at].connecting = false;
                self.connections[at].retry_ns = now_ns + RETRY_NS;
                self.judge.record.error(Complaint { kind: "reconnect".into(), text }, 1);
            }
            News::Map(map) => {
                self.refreshing = false;
                self.refresh_ns = now_ns + self.plan.refresh_ns;
                if let Ok(map) = map {
                    self.router.replace(&map);
                    self.make_room();
                    self.source.reroute(&mut self.router);
                    (0..self.router.addresses().len()).for_each(|endpoint| self.populate(endpoint));
                }
            }
        }
    }

    fn end_stalls(&mut self, now_ns: u64) {
        for at in 0..self.connections.len() {
            let connection = &self.connections[at];
            let stalled_ns = now_ns.saturating_sub(connection.progress_ns);
            if !connection.in_flight.is_empty() && stalled_ns > self.plan.timeout_ns {
                let text = format!(
                    "no answer for {} ms; raise --timeout if the server may take that long",
                    stalled_ns / 1_000_000
                );
                self.fail(at, &Broken { kind: "timeout", text }, now_ns);
            }
        }
    }

    /// Opens failed connections again, each by a helper so that the others go on meanwhile.
    fn reopen(&mut self, now_ns: u64) {
        if self.source.is_exhausted(now_ns) {
            return;
        }
        for (at, connection) in self.connections.iter_mut().enumerate() {
            if connection.socket.is_some() || connection.connecting || connection.retry_ns > now_ns
            {
                continue;
            }
            connection.connecting = true;
            let address = self.router.addresses()[connection.endpoint].clone();
            let (login, news) = (self.plan.login.clone(), self.news.clone());
            glommio::spawn_local(async move {
                let helper = glommio::executor();
                let socket = helper.spawn_blocking(move || connect(&address, &login)).await;
                news.borrow_mut().push(News::Connected(at, socket));
            })
            .detach();
        }
        if self.connections.iter().any(|connection| connection.socket.is_none()) {
            self.refresh_ns = self.refresh_ns.min(now_ns + RETRY_NS); // its slots may have moved
        }
    }

    /// Fetches the slot map again, from any endpoint that is still there.
    fn refresh_map(&mut self) {
        self.refreshing = true;
        let addresses = self.router.addresses().to_vec();
        let (login, news) = (self.plan.login.clone(), self.news.clone());
        glommio::spawn_local(async move {
            let helper = glommio::executor();
            let fetch = move || {
                let mut answers = addresses.iter().map(|address| SlotMap::fetch(address, &login));
                let first = answers.next().unwrap_or_else(|| Err("no endpoint".into()));
                first.or_else(|error| answers.find(Result::is_ok).unwrap_or(Err(error)))
            };
            let map = helper.spawn_blocking(fetch).await;
            news.borrow_mut().push(News::Map(map));
        })
        .detach();
    }
}
