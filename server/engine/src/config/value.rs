//! What the value of an option may be: how it is read, what is refused and with which words, and
//! how it is printed.
//!
//! The refusals are those of Redis 7.0.15's CONFIG SET, tried one by one against a server;
//! scripts and humans know them. Options of our own speak the same language.

use super::kinds::{OutputClass, OutputLimit};
use super::notify::NotifyClasses;
use crate::base::number::{parse_f64, parse_i64, parse_memory, write_f64};

/// The kind of an option's value: syntax, bounds, and how CONFIG GET prints it.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    Bool,
    /// A decimal integer.
    Integer { min: i64, max: i64 },
    /// File permissions in octal, at most 777.
    Octal,
    /// An amount of memory: `1048576`, `1mb`.
    Bytes { min: u64, max: u64 },
    /// An amount of memory, or `n%` of another one.
    BytesOrPercent,
    /// Any text, after a check of its own. The check returns the refusal.
    Text { check: fn(&str) -> Result<(), &'static str> },
    /// One of a list of names.
    Choice(&'static [&'static str]),
    /// A list of words, after a check of its own.
    Words { check: fn(&[String]) -> Result<(), &'static str> },
    /// The letters of notify-keyspace-events.
    Notify,
    /// Groups of client class, hard limit, soft limit, seconds.
    OutputLimits,
    /// Percentiles between 0 and 100.
    Percentiles,
}

/// A value that has passed its option's [`Kind`].
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Parsed {
    Bool(bool),
    Integer(i64),
    Bytes(u64),
    Percent(u32),
    Text(String),
    /// Index into the names of [`Kind::Choice`].
    Choice(usize),
    Words(Vec<String>),
    Notify(NotifyClasses),
    /// The classes that were named; the others keep their limits.
    OutputLimits(Vec<(OutputClass, OutputLimit)>),
    Percentiles(Vec<f64>),
}

impl Kind {
    /// Whether a line of the configuration file may carry several words for this option.
    pub fn takes_words(&self) -> bool {
        matches!(self, Kind::Words { .. } | Kind::OutputLimits | Kind::Percentiles)
    }

    /// Reads the words of a line of the configuration file.
    pub(super) fn parse(&self, words: &[String]) -> Result<Parsed, String> {
        if self.takes_words() {
            let none = words.len() == 1 && words[0].is_empty(); // `bind ""`
            return self.parse_words(if none { &[] } else { words });
        }
        match words {
            [word] => self.parse_word(word),
            _ => Err("wrong number of arguments".to_owned()),
        }
    }

    /// Reads the one argument that CONFIG SET has for a value. Lists are split at each space.
    pub(super) fn parse_argument(&self, argument: &str) -> Result<Parsed, String> {
        if self.takes_words() {
            let words: Vec<String> = argument.split(' ').map(str::to_owned).collect();
            self.parse(&words)
        } else {
            self.parse_word(argument)
        }
    }

    fn parse_word(&self, word: &str) -> Result<Parsed, String> {
        match *self {
            Kind::Bool if word.eq_ignore_ascii_case("yes") => Ok(Parsed::Bool(true)),
            Kind::Bool if word.eq_ignore_ascii_case("no") => Ok(Parsed::Bool(false)),
            Kind::Bool => Err("argument must be 'yes' or 'no'".to_owned()),
            Kind::Integer { min, max } => parse_integer(word, min, max),
            Kind::Octal => parse_octal(word),
            Kind::Bytes { min, max } => parse_bytes(word, min, max),
            Kind::BytesOrPercent => parse_bytes_or_percent(word),
            Kind::Text { check } => {
                check(word)?;
                Ok(Parsed::Text(word.to_owned()))
            }
            Kind::Choice(names) => names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(word))
                .map(Parsed::Choice)
                .ok_or_else(|| {
                    format!("argument(s) must be one of the following: {}", names.join(", "))
                }),
            Kind::Notify => NotifyClasses::parse(word)
                .map(Parsed::Notify)
                .ok_or_else(|| "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned()),
            Kind::Words { .. } | Kind::OutputLimits | Kind::Percentiles => {
                self.parse_words(std::slice::from_ref(&word.to_owned()))
            }
        }
    }

    fn parse_words(&self, words: &[String]) -> Result<Parsed, String> {
        match *self {
            Kind::Words { check } => {
                check(words)?;
                Ok(Parsed::Words(words.to_vec()))
            }
            Kind::OutputLimits => parse_output_limits(words),
            Kind::Percentiles => parse_percentiles(words),
            _ => self.parse(words),
        }
    }

    /// The value as CONFIG GET prints it.
    pub(super) fn show(&self, value: &Parsed) -> String {
        match (self, value) {
            (_, Parsed::Bool(value)) => (if *value { "yes" } else { "no" }).to_owned(),
            (Kind::Octal, Parsed::Integer(value)) => format!("{value:o}"),
            (_, Parsed::Integer(value)) => value.to_string(),
            (_, Parsed::Bytes(value)) => value.to_string(),
            (_, Parsed::Percent(value)) => format!("{value}%"),
            (_, Parsed::Text(value)) => value.clone(),
            (Kind::Choice(names), Parsed::Choice(index)) => names[*index].to_owned(),
            (_, Parsed::Choice(index)) => index.to_string(),
            (_, Parsed::Words(words)) => words.join(" "),
            (_, Parsed::Notify(classes)) => classes.to_string(),
            (_, Parsed::OutputLimits(limits)) => {
                let limits = limits.iter().map(|(class, limit)| limit.show(*class));
                limits.collect::<Vec<_>>().join(" ")
            }
            (_, Parsed::Percentiles(values)) => {
                values.iter().map(|value| percentile_text(*value)).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// What is allowed, for people: the help and the complaint about a line of the file.
    pub fn allowed(&self) -> String {
        match *self {
            Kind::Bool => "yes or no".to_owned(),
            Kind::Integer { min, max } => format!("an integer from {min} to {max}"),
            Kind::Octal => "file permissions in octal, 0 to 777".to_owned(),
            Kind::Bytes { min, max } => {
                format!("an amount of memory such as 100mb, from {min} to {max} bytes")
            }
            Kind::BytesOrPercent => "an amount of memory such as 100mb, or 0% to 100%".to_owned(),
            Kind::Text { .. } => "text".to_owned(),
            Kind::Choice(names) => format!("one of: {}", names.join(", ")),
            Kind::Words { .. } => "words separated by spaces".to_owned(),
            Kind::Notify => "a string of the letters Ag$lshzxeKEtmdn, or \"\"".to_owned(),
            Kind::OutputLimits => {
                "groups of: normal|replica|pubsub, hard limit, soft limit, seconds".to_owned()
            }
            Kind::Percentiles => "numbers from 0 to 100 separated by spaces".to_owned(),
        }
    }
}

fn parse_integer(word: &str, min: i64, max: i64) -> Result<Parsed, String> {
    let value = parse_i64(word.as_bytes())
        .ok_or_else(|| "argument couldn't be parsed into an integer".to_owned())?;
    if (min..=max).contains(&value) {
        Ok(Parsed::Integer(value))
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

fn parse_octal(word: &str) -> Result<Parsed, String> {
    let is_octal = !word.is_empty() && word.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let value = is_octal.then(|| i64::from_str_radix(word, 8).ok()).flatten();
    match value {
        Some(value @ 0..=0o777) => Ok(Parsed::Integer(value)),
        Some(_) => Err("argument must be between 0 and 777 inclusive".to_owned()),
        None => Err("argument couldn't be parsed as an octal number".to_owned()),
    }
}

fn parse_bytes(word: &str, min: u64, max: u64) -> Result<Parsed, String> {
    let value = parse_memory(word.as_bytes())
        .ok_or_else(|| "argument must be a memory value".to_owned())?;
    if (min..=max).contains(&value) {
        Ok(Parsed::Bytes(value))
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

fn parse_bytes_or_percent(word: &str) -> Result<Parsed, String> {
    let refusal = || "argument must be a memory or percent value".to_owned();
    let Some(percent) = word.strip_suffix('%') else {
        return parse_memory(word.as_bytes()).map(Parsed::Bytes).ok_or_else(refusal);
    };
    match parse_i64(percent.as_bytes()) {
        Some(value @ 0..=100) => Ok(Parsed::Percent(value as u32)),
        Some(101..) => Err("percentage argument must be less or equal to 100".to_owned()),
        _ => Err(refusal()),
    }
}

fn parse_output_limits(words: &[String]) -> Result<Parsed, String> {
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    let mut limits = Vec::with_capacity(words.len() / 4);
    for group in words.chunks_exact(4) {
        let class = OutputClass::parse(&group[0]).ok_or_else(|| {
            "Invalid client class specified in buffer limit configuration.".to_owned()
        })?;
        let hard_bytes = parse_memory(group[1].as_bytes());
        let soft_bytes = parse_memory(group[2].as_bytes());
        let soft_seconds = parse_i64(group[3].as_bytes()).and_then(|value| value.try_into().ok());
        let (Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)) =
            (hard_bytes, soft_bytes, soft_seconds)
        else {
            return Err("Error in hard, soft or soft_seconds setting in buffer limit \
                        configuration."
                .to_owned());
        };
        limits.push((class, OutputLimit { hard_bytes, soft_bytes, soft_seconds }));
    }
    Ok(Parsed::OutputLimits(limits))
}

fn parse_percentiles(words: &[String]) -> Result<Parsed, String> {
    let mut values = Vec::with_capacity(words.len());
    for word in words {
        let value = parse_f64(word.as_bytes())
            .ok_or_else(|| "Invalid latency-tracking-info-percentiles parameters".to_owned())?;
        if !(0.0..=100.0).contains(&value) {
            return Err("latency-tracking-info-percentiles parameters should sit between \
                        [0.0,100.0]"
                .to_owned());
        }
        values.push(value);
    }
    Ok(Parsed::Percentiles(values))
}

/// Six digits behind the point at most, as Redis prints percentiles.
fn percentile_text(value: f64) -> String {
    let rounded: f64 = format!("{value:.6}").parse().unwrap_or(value);
    let mut text = Vec::new();
    write_f64(rounded, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
