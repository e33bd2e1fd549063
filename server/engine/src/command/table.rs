//! All rows as one table: found by name, numbered for statistics, subcommands included.

use std::sync::OnceLock;

use super::spec::{Run, Spec};

/// A row in its place.
pub struct Command {
    pub spec: &'static Spec,
    /// The container of a subcommand.
    pub parent: Option<&'static Spec>,
    /// Dense number, the index into per-command statistics.
    pub index: usize,
    /// Lower case, `config|get` for subcommands: as INFO and COMMAND print it.
    pub full_name: Box<str>,
    /// Where the only key stands, when there is exactly one at a fixed place.
    pub key_at: Option<usize>,
    /// Indices of the subcommands in [`Table::commands`].
    pub subcommands: Vec<usize>,
}

impl Command {
    pub fn is_container(&self) -> bool {
        matches!(self.spec.run, Run::Container)
    }
}

/// Every command this server knows.
pub struct Table {
    commands: Vec<Command>,
    /// Open addressing over the folded first eight bytes of the name and its length; index + 1.
    cells: Vec<u16>,
}

/// Cells of the name table: sparse enough that nearly every look-up ends at its first cell.
const CELLS: usize = 2048;

impl Table {
    /// The table of this build.
    pub fn get() -> &'static Table {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Table::build(super::FAMILIES))
    }

    fn build(families: &[&'static [Spec]]) -> Table {
        let mut table = Table { commands: Vec::new(), cells: vec![0; CELLS] };
        for spec in families.iter().flat_map(|family| family.iter()) {
            let index = table.add(spec, None);
            let subcommands = spec.subcommands.iter().map(|sub| table.add(sub, Some(spec)));
            let subcommands: Vec<usize> = subcommands.collect();
            table.commands[index].subcommands = subcommands;
            let mut cell = cell_of(spec.name.as_bytes());
            while table.cells[cell] != 0 {
                cell = (cell + 1) % CELLS;
            }
            table.cells[cell] = index as u16 + 1;
        }
        table
    }

    fn add(&mut self, spec: &'static Spec, parent: Option<&'static Spec>) -> usize {
        let name = spec.name.to_ascii_lowercase();
        let full_name = match parent {
            Some(parent) => format!("{}|{name}", parent.name.to_ascii_lowercase()),
            None => name,
        };
        self.commands.push(Command {
            spec,
            parent,
            index: self.commands.len(),
            full_name: full_name.into(),
            key_at: spec.single_key(),
            subcommands: Vec::new(),
        });
        self.commands.len() - 1
    }

    /// The command of this name in any mix of case; containers are not entered.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Command> {
        let mut cell = cell_of(name);
        loop {
            let index = usize::from(self.cells[cell]).checked_sub(1)?;
            let command = &self.commands[index];
            if command.spec.name.as_bytes().eq_ignore_ascii_case(name) {
                return Some(command);
            }
            cell = (cell + 1) % CELLS;
        }
    }

    /// The subcommand of `container` called `name`.
    pub fn find_sub(&self, container: &Command, name: &[u8]) -> Option<&Command> {
        container
            .subcommands
            .iter()
            .map(|&index| &self.commands[index])
            .find(|command| command.spec.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The command of a full name such as `config|get`.
    pub fn find_full(&self, name: &[u8]) -> Option<&Command> {
        match name.iter().position(|&byte| byte == b'|') {
            None => self.find(name),
            Some(bar) => self.find_sub(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    /// All commands, each container followed by its subcommands.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// Commands that are no subcommands.
    pub fn top(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().filter(|command| command.parent.is_none())
    }
}

/// Case folded by clearing one bit a byte; a collision costs one more comparison.
fn cell_of(name: &[u8]) -> usize {
    let mut head = [0; 8];
    let length = name.len().min(8);
    head[..length].copy_from_slice(&name[..length]);
    let folded = (u64::from_le_bytes(head) & 0xDFDF_DFDF_DFDF_DFDF) ^ name.len() as u64;
    (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as usize
}

const _: () = assert!(CELLS == 1 << (64 - 53));
