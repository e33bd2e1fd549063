//! The log: one line an event, text or JSON, to standard output or a file.
//!
//! ```text
//! 2026-11-22T14:00:00.123Z INFO Ready to accept connections tcp=127.0.0.1:6379 cores=2
//! {"time":"2026-11-22T14:00:00.123Z","level":"INFO","message":"Ready …","tcp":"127.0.0.1:6379"}
//! ```
//! Lines are formatted where the event happens and written by a thread of their own, so a core
//! never waits for a disk or a full pipe. The queue between is bounded; when it is full a line is
//! dropped and counted, and the next line that gets through says how many were lost.

use std::fmt::{Display, Write as _};
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use crate::runtime::clock;

/// Lines waiting to be written; a core that logs more than this at once has worse trouble.
const QUEUE_LINES: usize = 1024;

/// Importance, ascending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARN",
            Level::Error => "ERROR",
        }
    }
}

/// The shape of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Text,
    Json,
}

enum Order {
    Line(String),
    /// Everything before this has been written when the answer comes.
    Flush(SyncSender<()>),
}

struct Log {
    queue: SyncSender<Order>,
    level: AtomicU8,
    format: Format,
    lost: AtomicU64,
    /// It goes where the standard error goes as well: to a terminal.
    is_seen: bool,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// Opens the log. Before this, and in tests, events go nowhere.
///
/// # Errors
/// The file cannot be opened for appending.
pub fn open(level: Level, format: Format, file: Option<&Path>) -> io::Result<()> {
    let sink: Box<dyn Write + Send> = match file {
        Some(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
        None => Box::new(io::stdout()),
    };
    let (queue, orders) = sync_channel(QUEUE_LINES);
    thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(sink, &orders))?;
    let level = AtomicU8::new(level as u8);
    let is_seen = file.is_none() && io::stdout().is_terminal() && io::stderr().is_terminal();
    let log = Log { queue, level, format, lost: AtomicU64::new(0), is_seen };
    assert!(LOG.set(log).is_ok(), "the log is opened once");
    Ok(())
}

/// Whether who reads the standard error on a terminal reads the log there, too: what the log says
/// need not be said again.
pub fn is_seen() -> bool {
    LOG.get().is_some_and(|log| log.is_seen)
}

/// Changes what is written from now on.
pub fn set_level(level: Level) {
    if let Some(log) = LOG.get() {
        log.level.store(level as u8, Ordering::Relaxed);
    }
}

/// Waits until everything logged so far is written: the last thing a process does.
pub fn flush() {
    let Some(log) = LOG.get() else { return };
    let (done, wait) = sync_channel(1);
    if log.queue.send(Order::Flush(done)).is_ok() {
        // An error means the writer is gone, and with it everything it could write.
        let _ = wait.recv();
    }
}

/// Something an operator may want to know.
pub fn info(message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Info, message, fields);
}

/// Something an operator should look at.
pub fn warning(message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Warning, message, fields);
}

/// Something that keeps the server from its duty.
pub fn error(message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Error, message, fields);
}

/// Something a developer may want to know.
pub fn debug(message: &str, fields: &[(&str, &dyn Display)]) {
    write(Level::Debug, message, fields);
}

fn write(level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
    let Some(log) = LOG.get() else { return };
    if (level as u8) < log.level.load(Ordering::Relaxed) {
        return;
    }
    let lost = log.lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        let line = format_line(
            log.format,
            clock::unix_ms(),
            Level::Warning,
            "log lines were lost because the log could not be written fast enough",
            &[("lines", &lost)],
        );
        send(log, line, lost + 1);
    }
    send(log, format_line(log.format, clock::unix_ms(), level, message, fields), 1);
}

fn send(log: &Log, line: String, lines: u64) {
    if let Err(TrySendError::Full(_)) = log.queue.try_send(Order::Line(line)) {
        log.lost.fetch_add(lines, Ordering::Relaxed);
    }
}

fn write_lines(mut sink: Box<dyn Write + Send>, orders: &Receiver<Order>) {
    for order in orders {
        match order {
            // A log that cannot be written is no reason to stop serving, and there is nowhere to
            // complain to.
            Order::Line(line) => drop(sink.write_all(line.as_bytes())),
            Order::Flush(done) => {
                drop(sink.flush());
                // Whoever asked has gone: nobody waits for the answer.
                let _ = done.send(());
            }
        }
    }
}

fn format_line(
    format: Format,
    unix_ms: i64,
    level: Level,
    message: &str,
    fields: &[(&str, &dyn Display)],
) -> String {
    let mut line = String::with_capacity(160);
    match format {
        Format::Text => {
            push_time(&mut line, unix_ms);
            line.push(' ');
            line.push_str(level.name());
            line.push(' ');
            line.push_str(&one_line(message));
            for (name, value) in fields {
                let value = one_line(&value.to_string());
                let quote = value.is_empty() || value.contains([' ', '"', '=']);
                line.push(' ');
                line.push_str(name);
                line.push('=');
                if quote {
                    push_json(&mut line, &value);
                } else {
                    line.push_str(&value);
                }
            }
        }
        Format::Json => {
            line.push_str("{\"time\":\"");
            push_time(&mut line, unix_ms);
            line.push_str("\",\"level\":\"");
            line.push_str(level.name());
            line.push_str("\",\"message\":");
            push_json(&mut line, message);
            for (name, value) in fields {
                line.push(',');
                push_json(&mut line, name);
                line.push(':');
                push_json(&mut line, &value.to_string());
            }
            line.push('}');
        }
    }
    line.push('\n');
    line
}

/// What a client sent may stand in a message: it must not be able to forge a second line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn push_json(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{:04x}", c as u32);
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

/// `2026-11-22T14:00:00.123Z`.
pub fn push_time(line: &mut String, unix_ms: i64) {
    let (seconds, ms) = (unix_ms.div_euclid(1000), unix_ms.rem_euclid(1000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    // Writing to a String cannot fail.
    let _ =
        write!(line, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z");
}

/// The civil date `days` after 1970-01-01: H. Hinnant's `civil_from_days`, which counts in eras of
/// 400 years that begin in March so that the leap day comes last.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{Format, Level, date_of, format_line};

    const MOMENT: i64 = 1_795_356_000_123; // 2026-11-22T14:00:00.123Z

    #[test]
    fn a_text_line_has_time_level_message_and_fields() {
        let line =
            format_line(Format::Text, MOMENT, Level::Info, "Ready", &[("tcp", &"127.0.0.1:6379")]);
        assert_eq!(line, "2026-11-22T14:00:00.123Z INFO Ready tcp=127.0.0.1:6379\n");
    }

    #[test]
    fn a_json_line_is_one_object() {
        let line = format_line(Format::Json, MOMENT, Level::Warning, "a \"b\"", &[("n", &3)]);
        assert_eq!(
            line,
            "{\"time\":\"2026-11-22T14:00:00.123Z\",\"level\":\"WARN\",\
             \"message\":\"a \\\"b\\\"\",\"n\":\"3\"}\n"
        );
    }

    #[test]
    fn nothing_in_a_message_can_forge_a_second_line() {
        for format in [Format::Text, Format::Json] {
            let line = format_line(format, MOMENT, Level::Error, "a\nb", &[("f", &"x\r\ny")]);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert!(!line.contains('\r'));
        }
    }

    #[test]
    fn a_field_with_spaces_is_quoted() {
        let line = format_line(Format::Text, MOMENT, Level::Info, "m", &[("why", &"two words")]);
        assert!(line.ends_with("why=\"two words\"\n"), "{line}");
    }

    #[test]
    fn dates_follow_the_civil_calendar() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(-1), (1969, 12, 31));
        assert_eq!(date_of(11_016), (2000, 2, 29));
        assert_eq!(date_of(20_779), (2026, 11, 22));
    }
}
