//! The door. Every command, whoever sent it and however it came, runs here and nowhere else; its
//! effects leave through the context it is given.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use crate::command::context::{Core, Cx, KeyHint};
use crate::command::error::CommandError;
use crate::command::gather::Partial;
use crate::command::request::OwnedRequest;
use crate::command::session::Caller;
use crate::command::session::{ReplyMode, Session};
use crate::command::spec::{DENYOOM, Done, Run, WRITE};
use crate::command::table::Command;

/// A command about to run on the core that owns its keys.
#[derive(Clone, Copy)]
pub struct Execution {
    pub command: &'static Command,
    pub caller: Caller,
    pub hint: KeyHint,
    /// Whether its duration is sampled.
    pub timed: bool,
}

impl Execution {
    /// Runs it and appends its reply to `out`: exactly one, whatever happens.
    pub fn execute(self, core: &mut Core, args: Args<'_>, out: &mut Vec<u8>) {
        let index = self.command.index;
        let spec = self.command.spec;
        if core.memory_limit_bytes.is_some() && spec.is(DENYOOM) && !core.make_room(bytes_of(args))
        {
            core.stats.commands[index].rejected_calls += 1;
            let error = CommandError::OutOfMemory;
            core.stats.count_error(error.code());
            Reply::new(out, self.caller.resp3).error(&error.line());
            return;
        }
        if let Some(trouble) = core.trouble
            && spec.is(WRITE)
        {
            core.stats.commands[index].rejected_calls += 1;
            let error = CommandError::NotKept(trouble);
            core.stats.count_error(error.code());
            Reply::new(out, self.caller.resp3).error(&error.line());
            return;
        }
        core.stats.commands_processed += 1;
        core.stats.commands[index].calls += 1;
        let started = if self.timed { core.node.host.ticks_ns() } else { 0 };
        let mark = out.len();
        let mut reply = Reply::new(out, self.caller.resp3);
        if let Err(error) = self.run(core, args, &mut reply) {
            out.truncate(mark);
            Reply::new(out, self.caller.resp3).error(&error.line());
            core.stats.commands[index].failed_calls += 1;
            core.stats.count_error(error.code());
        }
        core.effects.seal();
        if self.timed {
            let took = core.node.host.ticks_ns().saturating_sub(started);
            core.stats.commands[index].record_sample(took);
        }
    }

    /// As [`Execution::execute`] for a row that may wait, where its client can.
    pub fn attempt(self, core: &mut Core, args: Args<'_>, out: &mut Vec<u8>) -> Attempt {
        core.found_nothing = None;
        self.execute(core, args, out);
        match core.found_nothing.take() {
            None => Attempt::Answered,
            Some(request) => Attempt::Nothing(
                request.map(|args| OwnedRequest::new(self.command, args.iter().map(|arg| &**arg))),
            ),
        }
    }

    fn run(self, core: &mut Core, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
        let mut cx = Cx::new(core, self.caller, self.command.spec, self.hint);
        match self.command.spec.run {
            Run::Here(handler)
            | Run::Owner(handler)
            | Run::Split(handler, _)
            | Run::Cursor(handler) => handler(&mut cx, args, reply),
            Run::Blocking(blocking) => {
                (blocking.timeout)(args)?;
                match (blocking.attempt)(&mut cx, args, reply) {
                    Err(CommandError::Nothing) => {
                        let request = cx.wait_as.take();
                        core.found_nothing = Some(request);
                        (blocking.nothing)(reply);
                        Ok(())
                    }
                    done => done,
                }
            }
            Run::Everywhere { collect, finish, .. } => {
                let part = collect(&mut cx, args)?;
                finish(&mut cx, args, vec![part], reply)
            }
            // Of these only UNWATCH is ever queued, and when it runs nothing is watched any more.
            Run::Transaction(_) => {
                reply.ok();
                Ok(())
            }
            Run::Container => {
                let command = self.command.full_name.to_string();
                Err(CommandError::Arity { command })
            }
        }
    }

    /// This core's contribution to a command that runs on all of them.
    pub fn contribute(self, core: &mut Core, args: Args<'_>) -> Partial {
        let Run::Everywhere { collect, .. } = self.command.spec.run else {
            return Partial::Done;
        };
        let mut cx = Cx::new(core, self.caller, self.command.spec, self.hint);
        collect(&mut cx, args).unwrap_or_else(Partial::Failed)
    }
}

/// What became of a command that may wait.
pub enum Attempt {
    Answered,
    /// There was nothing to take, and nothing has changed. It waits with this request, if another
    /// than it came with.
    Nothing(Option<OwnedRequest>),
}

/// What a request may add to the memory in use, roughly.
fn bytes_of(args: Args<'_>) -> u64 {
    args.iter().map(|arg| arg.len() as u64).sum()
}

/// CLIENT REPLY: whether this command's answer is dropped. SKIP ends with it.
pub fn is_muted(session: &mut Session) -> bool {
    match session.reply {
        ReplyMode::On => false,
        ReplyMode::Off => true,
        ReplyMode::SkipNext => {
            session.reply = ReplyMode::On;
            true
        }
    }
}
