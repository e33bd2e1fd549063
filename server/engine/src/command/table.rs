//! All rows as one table: found by name, numbered for statistics, subcommands included.

use std::sync::OnceLock;

use freehold_protocol::args::Args;

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
    /// See [`head_of`].
    head: u64,
    /// Whether length and head of a name say that it is this one.
    head_is_name: bool,
    /// Indices of the subcommands in [`Table::commands`].
    pub subcommands: Vec<usize>,
}

impl Command {
    /// Whether `name`, whose head is this command's, is its name.
    #[inline]
    fn is_called(&self, name: &[u8]) -> bool {
        let own = self.spec.name.as_bytes();
        own.len() == name.len() && (self.head_is_name || own.eq_ignore_ascii_case(name))
    }

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
            let mut cell = cell_of(head_of(spec.name.as_bytes()), spec.name.len());
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
            head: head_of(spec.name.as_bytes()),
            head_is_name: spec.name.len() <= 8 && spec.name.bytes().all(|b| b.is_ascii_uppercase()),
            subcommands: Vec::new(),
        });
        self.commands.len() - 1
    }

    /// The command of this name in any mix of case; containers are not entered.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Command> {
        self.find_by_head(head_of(name), name)
    }

    /// The command a request names.
    #[inline]
    pub fn find_of(&self, args: Args<'_>) -> Option<&Command> {
        self.find_by_head(args.head(0) & CASE, args.try_get(0)?)
    }

    #[inline]
    fn find_by_head(&self, head: u64, name: &[u8]) -> Option<&Command> {
        let mut cell = cell_of(head, name.len());
        loop {
            let index = usize::from(self.cells[cell]).checked_sub(1)?;
            let command = &self.commands[index];
            if command.head == head && command.is_called(name) {
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

/// The first eight bytes of a name with the bit cleared that tells cases apart. Of all bytes only a
/// letter's two cases fold to that letter, so for names of at most eight letters equal heads and
/// lengths are equal names.
#[inline]
fn head_of(name: &[u8]) -> u64 {
    let head = match name.first_chunk::<8>() {
        Some(head) => u64::from_le_bytes(*head),
        None => name.iter().rev().fold(0, |head, &byte| head << 8 | u64::from(byte)),
    };
    head & CASE
}

/// All but the bits that tell cases apart.
const CASE: u64 = 0xDFDF_DFDF_DFDF_DFDF;

#[inline]
fn cell_of(head: u64, length: usize) -> usize {
    ((head ^ length as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as usize
}

const _: () = assert!(CELLS == 1 << (64 - 53));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_case_and_nothing_else_is() {
        let table = Table::get();
        for command in table.top() {
            let name = command.spec.name.as_bytes();
            for given in [name.to_vec(), name.to_ascii_lowercase()] {
                let found = table.find(&given).map(|found| found.index);
                assert_eq!(found, Some(command.index), "{}", command.full_name);
            }
            for at in 0..name.len() {
                for byte in 0..=255u8 {
                    let mut other = name.to_vec();
                    other[at] = byte;
                    let known = table
                        .top()
                        .any(|command| command.spec.name.as_bytes().eq_ignore_ascii_case(&other));
                    assert_eq!(table.find(&other).is_some(), known, "{other:?}");
                }
            }
        }
        assert!(table.find(b"").is_none());
    }
}
