//! The table of options: one row each, and everything follows from the rows: the command line and
//! its help, the configuration file, CONFIG GET, SET and REWRITE, and the published list of what
//! is accepted without a meaning here.
//!
//! A row has a typed field in [`Config`](super::Config) (`field!`), or it is `kept` (accepted,
//! remembered and reported back, because tools set it or stock configuration files contain it,
//! and harmless to ignore), or `fixed` (only the default is accepted: any other value would
//! promise something this server does not do).

use super::Config;
use super::value::{Kind, Parsed};

mod accepted;
mod cluster;
mod data;
mod memory;
mod network;
mod observe;
mod persistence;

/// When an option may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// By the file and the command line only.
    AtStart,
    /// By CONFIG SET as well.
    AtRunTime,
    /// By CONFIG SET only where enable-protected-configs allows it.
    Protected,
}

/// What an option does here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// What its summary says.
    Effective,
    /// Nothing; it is remembered and reported back. The text says why that is harmless.
    Kept(&'static str),
    /// Only its default is accepted. The text says what is missing.
    Fixed(&'static str),
}

/// Where the value of an option lives.
#[derive(Clone, Copy)]
pub(super) enum Access {
    Field {
        read: fn(&Config) -> Parsed,
        write: fn(&mut Config, Parsed),
    },
    /// Among the values that nobody reads but CONFIG GET.
    Kept,
}

/// One option.
#[derive(Clone, Copy)]
pub struct OptionRow {
    /// The name, in lower case.
    pub name: &'static str,
    /// An older name that means the same, answered by CONFIG GET as well.
    pub alias: Option<&'static str>,
    /// What its value may be.
    pub kind: Kind,
    /// The default, as one would write it in the file.
    pub default: &'static str,
    /// When it may change.
    pub change: Change,
    /// What it does.
    pub meaning: Meaning,
    /// Whether its value is a secret: not to appear in logs, SLOWLOG or MONITOR.
    pub sensitive: bool,
    /// One line for the help.
    pub summary: &'static str,
    pub(super) access: Access,
}

/// A group of rows, as the help presents them.
pub struct Section {
    pub title: &'static str,
    pub rows: &'static [OptionRow],
}

/// Every option, in the order of the help and of a rewritten file.
pub const SECTIONS: &[Section] = &[
    Section { title: "Network", rows: network::ROWS },
    Section { title: "Memory", rows: memory::ROWS },
    Section { title: "Data", rows: data::ROWS },
    Section { title: "Persistence", rows: persistence::ROWS },
    Section { title: "Cluster", rows: cluster::ROWS },
    Section { title: "Logs and figures", rows: observe::ROWS },
    Section { title: "Not there yet: only the default is accepted", rows: accepted::FIXED },
    Section { title: "Accepted without a meaning here", rows: accepted::KEPT },
];

/// Every option.
pub fn rows() -> impl Iterator<Item = &'static OptionRow> {
    SECTIONS.iter().flat_map(|section| section.rows)
}

/// The option of this name or alias, in any case.
pub fn find(name: &[u8]) -> Option<&'static OptionRow> {
    rows().find(|row| row.names().any(|known| known.as_bytes().eq_ignore_ascii_case(name)))
}

/// The options that are accepted without a meaning, for the documentation.
pub fn accepted_without_meaning() -> impl Iterator<Item = &'static OptionRow> {
    rows().filter(|row| matches!(row.meaning, Meaning::Kept(_)))
}

impl OptionRow {
    /// The name, and the alias if there is one.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.alias)
    }

    /// Writes the default into `config`.
    pub(super) fn reset(&self, config: &mut Config) {
        let default = self.kind.parse_argument(self.default);
        let default = default.expect("a test reads every default");
        self.store(config, default);
    }

    pub(super) fn value(&self, config: &Config) -> Parsed {
        match self.access {
            Access::Field { read, .. } => read(config),
            Access::Kept => config.kept_value(self.name),
        }
    }

    /// Checks the meaning and stores the value.
    pub(super) fn assign(&self, config: &mut Config, value: Parsed) -> Result<(), String> {
        if let Meaning::Fixed(why) = self.meaning
            && value != self.value(config)
        {
            let default = if self.default.is_empty() { "\"\"" } else { self.default };
            return Err(format!("only {default} is accepted: {why}"));
        }
        self.store(config, value);
        Ok(())
    }

    fn store(&self, config: &mut Config, value: Parsed) {
        match self.access {
            Access::Field { write, .. } => write(config, value),
            Access::Kept => config.keep(self.name, value),
        }
    }

    const fn new(name: &'static str, kind: Kind, default: &'static str, access: Access) -> Self {
        OptionRow {
            name,
            alias: None,
            kind,
            default,
            change: Change::AtRunTime,
            meaning: Meaning::Effective,
            sensitive: false,
            summary: "",
            access,
        }
    }

    const fn kept(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        why: &'static str,
    ) -> Self {
        let row = OptionRow::new(name, kind, default, Access::Kept).says(why);
        OptionRow { meaning: Meaning::Kept(why), ..row }
    }

    const fn fixed(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        why: &'static str,
    ) -> Self {
        let row = OptionRow::new(name, kind, default, Access::Kept).says(why);
        OptionRow { meaning: Meaning::Fixed(why), ..row }
    }

    const fn says(self, summary: &'static str) -> Self {
        OptionRow { summary, ..self }
    }

    const fn alias(self, alias: &'static str) -> Self {
        OptionRow { alias: Some(alias), ..self }
    }

    const fn at_start(self) -> Self {
        OptionRow { change: Change::AtStart, ..self }
    }

    const fn protected(self) -> Self {
        OptionRow { change: Change::Protected, ..self }
    }

    const fn sensitive(self) -> Self {
        OptionRow { sensitive: true, ..self }
    }
}

/// The access to a typed field of [`Config`].
macro_rules! field {
    ($($path:tt)+) => {
        $crate::config::table::Access::Field {
            read: |config| $crate::config::kinds::Setting::read(&config.$($path)+),
            write: |config, value| {
                $crate::config::kinds::Setting::write(&mut config.$($path)+, value)
            },
        }
    };
}
use field;

/// Text without a rule of its own.
const ANY_TEXT: Kind = Kind::Text { check: |_| Ok(()) };
/// Words without a rule of their own.
const ANY_WORDS: Kind = Kind::Words { check: |_| Ok(()) };
/// A count as wide as Redis allows.
const COUNT: Kind = Kind::Integer { min: 0, max: i64::MAX };
/// A number as wide as a C `int` from zero.
const INT: Kind = Kind::Integer { min: 0, max: i32::MAX as i64 };
/// An amount of memory as wide as Redis allows.
const MEMORY: Kind = Kind::Bytes { min: 0, max: i64::MAX as u64 };
/// A TCP port; zero means none.
const PORT: Kind = Kind::Integer { min: 0, max: 65535 };
