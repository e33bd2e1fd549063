//! The requests random walks are made of: the lines of the command table's own examples, each under
//! the row it names. A new command is drawn from the day its row is there.

use std::sync::OnceLock;

use freehold_protocol::resp::parse::{Resume, parse};
use freehold_protocol::{Batch, Limits};

use crate::command::spec::{DENYOOM, KeySpec, Run, WRITE};
use crate::command::table::{Command, Table};

/// A request as its arguments.
pub type Request = Vec<Vec<u8>>;

/// Which rows a walk may draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// What reads or changes keys, and the transactions around it.
    Keys,
    /// Those and all others that leave the walk its limits and its connections their replies.
    Everything,
}

/// A row with the requests that its own and other rows' examples make of it.
pub struct Row {
    pub command: &'static Command,
    pub requests: Vec<Request>,
    /// Its own examples of several requests: what comes before the last makes what that needs.
    pub scripts: Vec<Vec<Request>>,
}

/// The rows of one scope.
pub struct Rows {
    rows: Vec<Row>,
    /// Indices into `rows`, each as often as it has chances to be drawn.
    lots: Vec<u16>,
    /// The groups whose commands have keys: each has a few keys of its own.
    pub families: Vec<Family>,
}

/// Commands of one group.
pub struct Family {
    pub name: &'static str,
    /// As [`Rows::lots`], of this group only.
    lots: Vec<u16>,
}

/// The families a walk is mostly about, by number: so that what one of its commands makes, others
/// find.
pub type Focus = [usize; 2];

impl Rows {
    /// The rows of `scope`.
    pub fn of(scope: Scope) -> &'static Rows {
        static KEYS: OnceLock<Rows> = OnceLock::new();
        static EVERYTHING: OnceLock<Rows> = OnceLock::new();
        match scope {
            Scope::Keys => KEYS.get_or_init(|| Rows::collect(scope)),
            Scope::Everything => EVERYTHING.get_or_init(|| Rows::collect(scope)),
        }
    }

    fn collect(scope: Scope) -> Rows {
        let table = Table::get();
        let mut requests: Vec<Vec<Request>> = table.commands().iter().map(|_| Vec::new()).collect();
        for (lines, _) in table.commands().iter().flat_map(|command| command.spec.examples) {
            for request in lines.lines().map(words_of) {
                let Some(command) = command_of(&request) else { continue };
                let known = &mut requests[command.index];
                if !known.contains(&request) {
                    known.push(request);
                }
            }
        }
        let mut rows = Rows { rows: Vec::new(), lots: Vec::new(), families: Vec::new() };
        for (command, requests) in table.commands().iter().zip(requests) {
            let chances = chances(command, scope);
            if chances == 0 || requests.is_empty() {
                continue;
            }
            let lots = std::iter::repeat_n(rows.rows.len() as u16, chances);
            rows.lots.extend(lots.clone());
            let scripts = scripts_of(command, scope);
            rows.rows.push(Row { command, requests, scripts });
            if command.spec.keys.iter().any(KeySpec::is_key) {
                let name = command.spec.group;
                match rows.families.iter_mut().find(|family| family.name == name) {
                    Some(family) => family.lots.extend(lots),
                    None => rows.families.push(Family { name, lots: lots.collect() }),
                }
            }
        }
        rows
    }

    /// The row a draw names: one of the focus mostly.
    pub fn pick(&self, draw: u16, focus: Focus) -> &Row {
        let lots = match draw % 8 {
            0 | 1 => &self.lots,
            part => &self.families[focus[usize::from(part) % focus.len()]].lots,
        };
        &self.rows[usize::from(lots[usize::from(draw / 8) % lots.len()])]
    }

    /// The row of this name.
    ///
    /// # Panics
    /// When the scope has none.
    pub fn named(&self, name: &str) -> &Row {
        self.rows.iter().find(|row| row.command.spec.name == name).expect("a row of the scope")
    }

    /// The rows that change keys.
    pub fn writing(&self) -> impl Iterator<Item = &'static Command> {
        self.rows.iter().map(|row| row.command).filter(|command| command.spec.is(WRITE))
    }
}

/// How often a row is drawn. Writing is what a walk is about; what empties whole databases comes
/// seldom enough that something is there to go.
fn chances(command: &Command, scope: Scope) -> usize {
    let spec = command.spec;
    if command.is_container() {
        return 0;
    }
    match (spec.name, spec.run) {
        ("MULTI" | "DUMP" | "SELECT", _) => 8,
        (_, Run::Transaction(_)) => 3,
        (_, Run::Everywhere { .. }) if spec.is(WRITE) => 1,
        _ if spec.is(WRITE) && spec.is(DENYOOM) => 16, // most of them make something
        _ if spec.is(WRITE) => 8,
        _ if spec.keys.iter().any(KeySpec::is_key) => 2,
        // CONFIG would lift the limits of the walk, and DEBUG goes round all rules.
        _ if command.full_name.starts_with("config|") || spec.name == "DEBUG" => 0,
        _ if command.full_name.starts_with("debug|") => 0,
        // A copy of the data is no reply, and its client is closed behind it.
        ("SYNC" | "PSYNC", _) => 0,
        _ => usize::from(scope == Scope::Everything),
    }
}

/// The examples of several requests, all of which the scope may draw.
fn scripts_of(command: &Command, scope: Scope) -> Vec<Vec<Request>> {
    let may_draw =
        |request: &Request| command_of(request).is_some_and(|command| chances(command, scope) > 0);
    let scripts = command.spec.examples.iter();
    let scripts = scripts.map(|(lines, _)| lines.lines().map(words_of).collect::<Vec<Request>>());
    scripts.filter(|lines| lines.len() > 1 && lines.iter().all(may_draw)).collect()
}

/// The command a request names, a subcommand where there is one.
pub fn command_of(request: &[Vec<u8>]) -> Option<&'static Command> {
    let table = Table::get();
    let command = table.find(request.first()?)?;
    match command.is_container() {
        true => table.find_sub(command, request.get(1)?),
        false => Some(command),
    }
}

/// The arguments of an inline request.
fn words_of(line: &str) -> Request {
    let bytes = [line.as_bytes(), b"\r\n"].concat();
    let mut batch = Batch::new();
    let mut resume = Resume::default();
    parse(&mut resume, &bytes, &Limits::DEFAULT, 1, &mut batch);
    match batch.is_empty() {
        true => Vec::new(),
        false => batch.args(0, &bytes).iter().map(<[u8]>::to_vec).collect(),
    }
}
