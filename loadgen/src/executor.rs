//! One glommio executor: its connections, its share of the load, its loop.
//!
//! A turn: take what has become due, give it to free connections, ask epoll which sockets have
//! something, read and judge, send the next batches. All sockets stand in one epoll set and the
//! executor sleeps on that set's descriptor. The obvious design, a task a connection on glommio's
//! own sockets, was measured first: each answer then interrupts this core with its own completion
//! while the sender still holds the socket's lock. Prototypes of both against redis-server, GET at
//! pipeline 16, spent 0.9 us a request that way and 0.5 us with the set (single runs on a shared
//! box). glommio pins, times, sleeps and reconnects.
//!
//! Before it sleeps an executor polls for `--spin-us`, because waking up costs more than most
//! answers take; that time is reported apart from the CPU that requests cost.

mod mishap;
mod upkeep;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use glommio::io::{PollState, PollableFd};
use rustix::event::{Timespec, epoll};
use rustix::time::{ClockId, clock_gettime};

use crate::cluster::Router;
use crate::connection::{Bounced, Broken, Connection};
use crate::judge::Judge;
use crate::plan::{Phase, Plan};
use crate::record::Record;
use crate::session::{Socket, connect};
use crate::source::Source;
use crate::wire::Complaint;
use upkeep::News;

/// What an executor reads into, whatever the number of its connections.
const READ_BUFFER_BYTES: usize = 256 * 1024;
/// Sockets looked at in one turn.
const EVENTS_MAX: usize = 64;
/// Batches given out in one turn before sockets are looked at again.
const FEEDS_MAX: usize = 256;
/// How long before a due time an executor is awake again, unless it is told not to poll.
const WAKE_EARLY_NS: u64 = 80_000;

/// A stretch of turns in which nothing was found.
struct Idle {
    since_ns: u64,
    /// CPU time of the thread up to the last of these turns.
    cpu_ns: u64,
}

/// Everything one thread needs to run one phase.
pub struct Executor {
    plan: Arc<Plan>,
    phase: Arc<Phase>,
    origin: Instant,
    source: Source,
    router: Router,
    judge: Judge,
    connections: Vec<Connection>,
    /// Connections with room, by endpoint.
    free: Vec<VecDeque<usize>>,
    epoll: PollableFd<OwnedFd>,
    waiting: PollState,
    events: Vec<epoll::Event>,
    buffer: Vec<u8>,
    bounced: Bounced,
    news: Rc<RefCell<Vec<News>>>,
    report: Sender<Record>,
    upkeep_ns: u64,
    report_ns: u64,
    refresh_ns: u64,
    refreshing: bool,
    /// From when on results count, until the warm-up is over.
    measure_from_ns: Option<u64>,
    measured_from_ns: u64,
    cpu_from_ns: u64,
    idle: Option<Idle>,
    progress_ns: u64,
}

/// What the coordinator prepared for an executor.
pub struct Order {
    pub plan: Arc<Plan>,
    pub phase: Arc<Phase>,
    pub source: Source,
    pub router: Router,
    pub judge: Judge,
    /// Connections of this executor to each endpoint.
    pub connections: Vec<usize>,
    pub report: Sender<Record>,
}

impl Executor {
    /// Opens the connections of an order; must run on a glommio executor.
    ///
    /// # Errors
    /// When a connection cannot be opened, or the kernel refuses the epoll set.
    pub fn open(order: Order) -> Result<Executor, String> {
        let kernel = |error: String| format!("the kernel refuses an epoll set: {error}");
        let set = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|e| kernel(e.to_string()))?;
        let epoll = PollableFd::new(set).map_err(|error| kernel(error.to_string()))?;
        let mut executor = Executor {
            origin: Instant::now(),
            source: order.source,
            router: order.router,
            judge: order.judge,
            connections: Vec::new(),
            free: Vec::new(),
            epoll,
            waiting: PollState::new(),
            events: Vec::with_capacity(EVENTS_MAX),
            buffer: vec![0; READ_BUFFER_BYTES],
            bounced: Vec::new(),
            news: Rc::default(),
            report: order.report,
            upkeep_ns: 0,
            report_ns: 1_000_000_000,
            refresh_ns: order.plan.refresh_ns,
            refreshing: false,
            measure_from_ns: Some(order.phase.warmup_ns),
            measured_from_ns: 0,
            cpu_from_ns: 0,
            idle: None,
            progress_ns: 0,
            plan: order.plan,
            phase: order.phase,
        };
        executor.make_room();
        for (endpoint, count) in order.connections.iter().enumerate() {
            for _ in 0..*count {
                let socket = connect(&executor.router.addresses()[endpoint], &executor.plan.login)?;
                executor.connections.push(Connection::new(endpoint, None));
                executor.adopt(executor.connections.len() - 1, socket)?;
            }
        }
        Ok(executor)
    }

    /// Runs the phase to its end. All times count from `origin`, which the executors of a phase
    /// have in common.
    pub async fn run(mut self, origin: Instant) -> Record {
        self.origin = origin;
        loop {
            let now_ns = self.now_ns();
            if now_ns >= self.upkeep_ns && self.upkeep(now_ns) {
                break;
            }
            self.source.arrive(now_ns, &mut self.router);
            self.serve_free(now_ns);
            let found = self.poll_sockets();
            if found == 0 {
                if self.is_finished() {
                    break;
                }
                self.rest(now_ns).await;
            } else {
                self.idle = None;
            }
            glommio::yield_if_needed().await;
        }
        self.finish()
    }

    fn now_ns(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Files for all endpoints known by now.
    fn make_room(&mut self) {
        let endpoints = self.router.addresses().len();
        self.free.resize_with(endpoints, VecDeque::new);
        self.source.endpoints(endpoints);
    }

    /// Puts a fresh socket into the set and its connection among the free ones.
    fn adopt(&mut self, at: usize, socket: Socket) -> Result<(), String> {
        let flags = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        epoll::add(self.epoll.get_ref(), &socket, epoll::EventData::new_u64(at as u64), flags)
            .map_err(|error| format!("the kernel refuses to watch a socket: {error}"))?;
        let connection = &mut self.connections[at];
        connection.socket = Some(socket);
        connection.connecting = false;
        self.set_free(at);
        Ok(())
    }

    fn set_free(&mut self, at: usize) {
        let connection = &mut self.connections[at];
        if !connection.is_free {
            connection.is_free = true;
            self.free[connection.endpoint].push_back(at);
        }
    }

    /// Gives waiting operations to connections that have room for them.
    fn serve_free(&mut self, now_ns: u64) {
        let mut feeds = 0;
        for endpoint in 0..self.free.len() {
            let mut share = usize::MAX;
            if self.source.is_open() {
                // As many connections as there are share what is due, as independent clients do.
                let due = self.source.waiting(endpoint);
                share = due.div_ceil(self.free[endpoint].len().max(1)).max(1);
                if due == 0 {
                    continue;
                }
            }
            while feeds < FEEDS_MAX {
                let Some(at) = self.free[endpoint].pop_front() else { break };
                self.connections[at].is_free = false;
                if self.connections[at].socket.is_none() {
                    continue; // listed again when it is connected again
                }
                if !self.feed(at, now_ns, share) {
                    self.connections[at].is_free = true;
                    self.free[endpoint].push_front(at);
                    break;
                }
                feeds += 1;
            }
        }
    }

    /// Sends the next batch of at most `share` operations on a connection; `false` when there is
    /// nothing to send.
    fn feed(&mut self, at: usize, now_ns: u64, share: usize) -> bool {
        let Executor { connections, source, router, judge, phase, .. } = self;
        let connection = &mut connections[at];
        let room = phase.pipeline.saturating_sub(connection.in_flight.len()).min(share);
        let mut taken = 0;
        while taken < room {
            let drawn = connection.followups.pop_front();
            let drawn = drawn.or_else(|| source.next(connection.endpoint, now_ns, router));
            let Some(drawn) = drawn else { break };
            let operation = judge.prepare(drawn);
            judge.dialect.encode(&operation, &mut connection.out);
            connection.in_flight.push_back(operation);
            taken += 1;
        }
        if taken == 0 {
            return false;
        }
        let sent_ns = self.now_ns();
        let connection = &mut self.connections[at];
        connection.sent_ns = sent_ns;
        connection.progress_ns = sent_ns;
        let sent = connection.transmit(&mut self.judge);
        let has_room = connection.in_flight.len() < self.phase.pipeline;
        if let Err(broken) = sent {
            self.fail(at, &broken, sent_ns);
        } else if self.source.is_open() && has_room {
            self.set_free(at);
        }
        true
    }

    /// Asks epoll once, without waiting, and serves what it names; returns how many it named.
    fn poll_sockets(&mut self) -> usize {
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let spare = rustix::buffer::spare_capacity(&mut events);
        // An interruption is a turn in which nothing was found.
        let _ = epoll::wait(self.epoll.get_ref(), spare, Some(&zero));
        for event in &events {
            self.serve(event.data.u64() as usize);
        }
        let found = events.len();
        self.events = events;
        found
    }

    /// Reads what a connection has, judges it, and goes on with it.
    fn serve(&mut self, at: usize) {
        if self.connections[at].socket.is_none() {
            return; // failed earlier in this turn
        }
        match self.exchange(at) {
            Err(broken) => {
                let now_ns = self.now_ns();
                self.fail(at, &broken, now_ns);
            }
            Ok(Some(now_ns)) => {
                self.progress_ns = now_ns;
                self.go_on(at, now_ns);
            }
            Ok(None) => {}
        }
    }

    /// Reads until nothing is left and writes what waits; the time of the last read, if any.
    fn exchange(&mut self, at: usize) -> Result<Option<u64>, Broken> {
        let Executor { connections, judge, buffer, bounced, origin, .. } = self;
        let connection = &mut connections[at];
        if connection.is_congested() {
            connection.transmit(judge)?;
        }
        let mut read_ns = None;
        while let Some(bytes) = connection.receive(buffer)? {
            let now_ns = origin.elapsed().as_nanos() as u64;
            connection.absorb(&buffer[..bytes], now_ns, judge, bounced)?;
            read_ns = Some(now_ns);
            if bytes < buffer.len() {
                break; // the set is edge-triggered: what comes later raises a new event
            }
        }
        Ok(read_ns)
    }

    /// After answers: follows redirections and sends the next batch.
    fn go_on(&mut self, at: usize, now_ns: u64) {
        if !self.bounced.is_empty() {
            self.follow_moved(self.connections[at].endpoint);
        }
        let connection = &self.connections[at];
        let may_send = if self.source.is_open() {
            connection.in_flight.len() < self.phase.pipeline
        } else {
            connection.in_flight.is_empty()
        };
        if !may_send || connection.is_congested() {
            return;
        }
        if !connection.followups.is_empty() || !self.source.is_open() {
            if !self.feed(at, now_ns, usize::MAX) {
                self.set_free(at);
            }
        } else {
            self.set_free(at);
        }
    }

    fn is_finished(&self) -> bool {
        self.source.is_exhausted(self.now_ns())
            && self.connections.iter().all(|connection| {
                connection.in_flight.is_empty() && connection.followups.is_empty()
            })
    }

    /// Nothing to do: polls a while longer, then sleeps until a socket or the clock calls.
    async fn rest(&mut self, now_ns: u64) {
        let cpu_ns = thread_cpu_ns();
        let idle = self.idle.get_or_insert(Idle { since_ns: now_ns, cpu_ns });
        self.judge.record.idle_ns += cpu_ns.saturating_sub(idle.cpu_ns);
        idle.cpu_ns = cpu_ns;
        let since_ns = idle.since_ns;
        let due_ns = self.source.next_due_ns().unwrap_or(u64::MAX);
        let early_ns = if self.plan.spin_ns == 0 { 0 } else { WAKE_EARLY_NS };
        let wake_ns = self.upkeep_ns.min(due_ns.saturating_sub(early_ns));
        if now_ns.saturating_sub(since_ns) < self.plan.spin_ns || wake_ns <= now_ns {
            return;
        }
        let mut timer =
            Box::pin(glommio::timer::Timer::new(Duration::from_nanos(wake_ns - now_ns)));
        let Executor { epoll, waiting, .. } = self;
        std::future::poll_fn(|cx| {
            // The registration outlives a sleep the clock ended, so it is made once an event.
            if epoll.poll_readable(cx, waiting).is_ready() {
                return std::task::Poll::Ready(());
            }
            timer.as_mut().poll(cx).map(|_| ())
        })
        .await;
        self.idle = None;
    }

    fn finish(mut self) -> Record {
        let now_ns = self.now_ns();
        let why = Complaint { kind: "unanswered".into(), text: "the run ended first".into() };
        for connection in &mut self.connections {
            for operation in connection.reset() {
                self.judge.lost(&operation, &why);
            }
        }
        let text = "never sent: the server did not keep up with --rate, or was gone for too long"
            .to_owned();
        let unsent = self.source.unsent(now_ns);
        self.judge.record.error(Complaint { kind: "unsent".into(), text }, unsent);
        let mut record = self.judge.record;
        // A server that went silent was measured to the end; answers that came late count too.
        let until_ns = self.progress_ns.max(now_ns.min(self.phase.end_ns));
        record.elapsed_ns = until_ns.saturating_sub(self.measured_from_ns);
        record.cpu_ns = thread_cpu_ns().saturating_sub(self.cpu_from_ns);
        record
    }
}

/// CPU time of the calling thread.
fn thread_cpu_ns() -> u64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as u64 * 1_000_000_000 + spent.tv_nsec as u64
}
