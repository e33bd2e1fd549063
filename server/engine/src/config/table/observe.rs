//! Logs, slow commands and latencies.

use super::super::kinds::{LogFormat, LogLevel};
use super::super::value::Kind;
use super::{ANY_TEXT, COUNT, OptionRow, field};

/// A threshold that -1 switches off.
const THRESHOLD: Kind = Kind::Integer { min: -1, max: i64::MAX };

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new("loglevel", Kind::Choice(LogLevel::NAMES), "notice", field!(loglevel))
        .says("How much is logged"),
    OptionRow::new("logfile", ANY_TEXT, "", field!(logfile))
        .at_start()
        .says("File the log is appended to; empty writes to standard output"),
    OptionRow::new("log-format", Kind::Choice(LogFormat::NAMES), "text", field!(log_format))
        .at_start()
        .says("Shape of a log line"),
    OptionRow::new("slowlog-log-slower-than", THRESHOLD, "10000", field!(slowlog_slower_than_us))
        .alias("commandlog-execution-slower-than")
        .says("(no effect yet) Microseconds from which a command enters SLOWLOG; 0 all, -1 none"),
    OptionRow::new("slowlog-max-len", COUNT, "128", field!(slowlog_entries_max))
        .alias("commandlog-slow-execution-max-len")
        .says("(no effect yet) Entries that SLOWLOG keeps"),
    OptionRow::new(
        "commandlog-request-larger-than",
        THRESHOLD,
        "1048576",
        field!(large_request_bytes),
    )
    .says("(no effect yet) Bytes from which a request enters COMMANDLOG large-request; -1 none"),
    OptionRow::new("commandlog-large-request-max-len", COUNT, "128", field!(large_request_entries))
        .says("(no effect yet) Entries that COMMANDLOG large-request keeps"),
    OptionRow::new("commandlog-reply-larger-than", THRESHOLD, "1048576", field!(large_reply_bytes))
        .says("(no effect yet) Bytes from which a reply enters COMMANDLOG large-reply; -1 none"),
    OptionRow::new("commandlog-large-reply-max-len", COUNT, "128", field!(large_reply_entries))
        .says("(no effect yet) Entries that COMMANDLOG large-reply keeps"),
    OptionRow::new("latency-monitor-threshold", COUNT, "0", field!(latency_monitor_threshold_ms))
        .says("(no effect yet) Milliseconds from which LATENCY remembers an event"),
    OptionRow::new("latency-tracking", Kind::Bool, "yes", field!(latency_tracking))
        .says("Keep a histogram of latencies for each command"),
    OptionRow::new(
        "latency-tracking-info-percentiles",
        Kind::Percentiles,
        "50 99 99.9",
        field!(latency_tracking_percentiles),
    )
    .says("Percentiles that INFO latencystats prints"),
];
