//! MULTI opens a queue, what follows is put into it, EXEC runs it and DISCARD throws it away.
//! Redis's rules: a request refused while queueing spoils the queue, and EXEC then refuses all; an
//! error of a command that runs stands in its place in the answer, and the others run.

use freehold_protocol::args::Args;
use freehold_protocol::binary::{self, Framing};
use freehold_protocol::resp::reply::Reply;

use super::plan::{Place, Plan};
use crate::command::context::KeyHint;
use crate::command::error::CommandError;
use crate::command::session::{PortKind, SessionId};
use crate::command::spec::{Control, NO_MULTI, Run};
use crate::command::table::Command;
use crate::effect::Watched;
use crate::shard::limits::{QUEUED_BYTES_MAX, QUEUED_REQUESTS_MAX};
use crate::shard::locks::Wanted;
use crate::shard::receive::Dispatched;
use crate::shard::{Shard, execute};

const NESTED: CommandError = CommandError::Said("ERR MULTI calls can not be nested");
const WATCH_INSIDE: CommandError = CommandError::Said("ERR WATCH inside MULTI is not allowed");
const NO_QUEUE_TO_RUN: CommandError = CommandError::Said("ERR EXEC without MULTI");
const NO_QUEUE_TO_DROP: CommandError = CommandError::Said("ERR DISCARD without MULTI");
const NOT_INSIDE: CommandError = CommandError::Said("ERR Command not allowed inside a transaction");
const SPOILED: CommandError =
    CommandError::Said("EXECABORT Transaction discarded because of previous errors.");

/// Why EXEC itself is refused, as Redis says it: without the code of a plain `ERR`.
pub fn aborted(error: &CommandError) -> CommandError {
    let line = error.line();
    let reason = line.strip_prefix("ERR ").unwrap_or(&line);
    CommandError::SaidOf(format!("EXECABORT Transaction discarded because of: {reason}"))
}

/// Whether a command runs at once between MULTI and EXEC.
pub fn runs_inside_multi(command: &Command) -> bool {
    match command.spec.run {
        Run::Transaction(control) => control != Control::Unwatch,
        Run::Here(_) => command.parent.is_none() && matches!(command.spec.name, "QUIT" | "RESET"),
        _ => false,
    }
}

impl Shard {
    /// A request between MULTI and EXEC.
    #[cold]
    pub(in crate::shard) fn enqueue(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) {
        if let Err(error) = self.may_enqueue(id, command, args) {
            return self.refuse(id, Some(command), framing, &error);
        }
        let session = self.core.sessions.get_mut(id);
        if let Some(queue) = session.and_then(|session| session.queue.as_deref_mut())
            && !queue.spoiled
        {
            queue.push(command, args);
        }
        self.answer(id, framing, |reply| reply.simple("QUEUED"));
    }

    fn may_enqueue(
        &mut self,
        id: SessionId,
        command: &Command,
        args: Args<'_>,
    ) -> Result<(), CommandError> {
        if command.spec.is(NO_MULTI) {
            return Err(NOT_INSIDE);
        }
        if self.port(id) == PortKind::Core {
            self.place(id, command, args)?;
        }
        // The queue itself is memory, so that a full server takes no request into it, whatever it
        // asks for.
        let bytes = args.iter().map(|arg| arg.len()).sum::<usize>();
        if self.core.memory_limit_bytes.is_some() && !self.core.make_room(bytes as u64) {
            return Err(CommandError::OutOfMemory);
        }
        let session = self.core.sessions.get(id);
        let Some(queue) = session.and_then(|session| session.queue.as_deref()) else {
            return Ok(());
        };
        if queue.requests.len() >= QUEUED_REQUESTS_MAX || queue.bytes + bytes > QUEUED_BYTES_MAX {
            return Err(CommandError::SaidOf(format!(
                "ERR a transaction holds at most {QUEUED_REQUESTS_MAX} commands and \
                 {QUEUED_BYTES_MAX} bytes"
            )));
        }
        Ok(())
    }

    /// A request is refused: it spoils the connection's queue. EXEC refused empties it, and says so
    /// in its own words, unless the client is to go elsewhere.
    #[cold]
    pub(in crate::shard) fn spoil_queue(
        &mut self,
        id: SessionId,
        command: Option<&'static Command>,
        error: &CommandError,
    ) -> Option<CommandError> {
        let exec = command
            .is_some_and(|command| matches!(command.spec.run, Run::Transaction(Control::Execute)));
        if exec {
            self.discard(id);
            let redirect = matches!(error, CommandError::Moved { .. } | CommandError::CrossSlot);
            return (!redirect).then(|| aborted(error));
        }
        let queue = self.core.sessions.get_mut(id)?.queue.as_deref_mut()?;
        queue.spoil();
        None
    }

    /// MULTI, EXEC, DISCARD, WATCH, UNWATCH.
    pub(in crate::shard) fn control(
        &mut self,
        id: SessionId,
        control: Control,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let Some(session) = self.core.sessions.get_mut(id) else { return Dispatched::Taken };
        let queueing = session.queue.is_some();
        let done = match (control, queueing) {
            (Control::Begin, true) => Err(NESTED),
            (Control::Begin, false) => {
                session.queue = Some(Box::default());
                Ok(())
            }
            (Control::Watch, true) => Err(WATCH_INSIDE),
            (Control::Watch, false) => return self.watch(id, command, args, framing),
            (Control::Execute, false) => Err(NO_QUEUE_TO_RUN),
            (Control::Execute, true) => return self.exec(id, command, framing),
            (Control::Discard, false) => Err(NO_QUEUE_TO_DROP),
            (Control::Discard, true) => {
                self.discard(id);
                Ok(())
            }
            (Control::Unwatch, _) => {
                let watched = std::mem::take(&mut session.watched);
                self.forget(watched);
                Ok(())
            }
        };
        self.conclude(id, command, framing, done);
        Dispatched::Taken
    }

    /// Counts one of these commands and answers OK, or why not.
    pub(super) fn conclude(
        &mut self,
        id: SessionId,
        command: &Command,
        framing: Option<Framing>,
        done: Result<(), CommandError>,
    ) {
        self.count(command);
        match done {
            Ok(()) => self.answer(id, framing, |reply| reply.ok()),
            Err(error) => {
                self.core.stats.commands[command.index].failed_calls += 1;
                self.core.stats.count_error(error.code());
                self.answer(id, framing, |reply| reply.error(&error.line()));
            }
        }
    }

    pub(super) fn count(&mut self, command: &Command) {
        self.core.stats.commands_processed += 1;
        self.core.stats.commands[command.index].calls += 1;
    }

    /// The connection is as if it had never said MULTI or WATCH.
    pub(in crate::shard) fn discard(&mut self, id: SessionId) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        session.queue = None;
        let watched = std::mem::take(&mut session.watched);
        self.forget(watched);
    }

    /// Runs the queue, here at once if all its keys are here and still, or as a transaction.
    fn exec(
        &mut self,
        id: SessionId,
        command: &'static Command,
        framing: Option<Framing>,
    ) -> Dispatched {
        if self.awaits_replies(id) {
            return Dispatched::NotYet;
        }
        let Some(session) = self.core.sessions.get_mut(id) else { return Dispatched::Taken };
        let (port, db) = (session.port, session.db);
        let Some(queue) = session.queue.as_deref_mut() else { return Dispatched::Taken };
        if queue.spoiled {
            self.discard(id);
            self.conclude(id, command, framing, Err(SPOILED));
            return Dispatched::Taken;
        }
        let requests = std::mem::take(&mut queue.requests);
        let watched = std::mem::take(&mut session.watched);
        let plan = match self.plan_transaction(port, db, requests, &watched) {
            Ok(plan) => plan,
            Err(error) => {
                self.forget(watched);
                self.discard(id);
                self.refuse(id, Some(command), framing, &error);
                return Dispatched::Taken;
            }
        };
        self.count(command);
        if self.is_all_here(&plan) {
            self.exec_here(id, &plan, watched, framing);
        } else {
            self.begin(id, plan, watched, true, framing);
        }
        Dispatched::Taken
    }

    /// Whether this core can run everything at once, without a lock.
    fn is_all_here(&self, plan: &Plan) -> bool {
        match &plan.shares[..] {
            [] => true,
            [share] if share.core == self.core.id => {
                self.locks.is_empty()
                    || match &share.wanted {
                        Wanted::Whole => false,
                        Wanted::Keys(keys) => !keys.iter().any(|key| self.locks.blocks(*key)),
                    }
            }
            _ => false,
        }
    }

    /// EXEC on the only core concerned: running to completion is all the isolation it takes.
    fn exec_here(
        &mut self,
        id: SessionId,
        plan: &Plan,
        watched: Vec<Watched>,
        framing: Option<Framing>,
    ) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        let muted = execute::is_muted(session);
        let mut text = std::mem::take(&mut self.framing_buffer);
        text.clear();
        let resp3 = session.caller(id).resp3;
        let changed = watched.iter().any(|watched| self.has_changed(watched));
        let adds = plan.shares.iter().find_map(|share| share.adds);
        let full = self.core.memory_limit_bytes.is_some()
            && adds.is_some_and(|adds| !self.core.make_room(adds));
        if changed {
            Reply::new(&mut text, resp3).null_array();
        } else if full {
            let error = aborted(&CommandError::OutOfMemory);
            self.core.stats.count_error(error.code());
            Reply::new(&mut text, resp3).error(&error.line());
        } else {
            self.core.effects.begin_step();
            self.run_tasks(id, plan, &mut text);
            let effects = self.core.effects.end_step();
            self.core.effects.add_part(None, &effects);
        }
        self.forget(watched);
        if let Some(session) = self.core.sessions.get_mut(id) {
            session.queue = None;
        }
        if self.core.channels.reply_waits && framing.is_none() && !muted {
            self.serve_pubsub(id, Some(text.clone()));
        } else if !muted {
            self.connections[id.0 as usize].write(|out| match framing {
                Some(framing) => binary::reply::write(framing, &text, out),
                None => out.extend_from_slice(&text),
            });
        }
        self.framing_buffer = text;
        if !self.core.requests.is_empty() {
            self.serve_requests(id);
        }
        self.serve_ready();
    }

    fn run_tasks(&mut self, id: SessionId, plan: &Plan, out: &mut Vec<u8>) {
        let limit = self.core.memory_limit_bytes.take(); // room has been made for all of them
        let trouble = self.core.trouble.take();
        Reply::new(out, false).array(plan.tasks.len());
        for task in &plan.tasks {
            let Some(caller) = self.core.sessions.get(id).map(|session| session.caller(id)) else {
                break;
            };
            if let Place::Refused(error) = &task.place {
                Reply::new(out, caller.resp3).error(&error.line());
                continue;
            }
            let (command, args) = (task.request.command, task.request.args());
            let timed = self.sample();
            let hint = KeyHint::default();
            let run = execute::Execution { command, caller, hint, timed };
            run.execute(&mut self.core, args, out);
        }
        self.core.memory_limit_bytes = limit;
        self.core.trouble = trouble;
    }
}
