use super::table::{Access, Meaning};
use super::value::Kind;
use super::*;

fn set(changes: &[(&str, &str)]) -> Result<Config, String> {
    Config::default().with(changes, Caller::Elsewhere).map_err(|error| error.to_string())
}

fn text(config: &Config, name: &str) -> String {
    config.get(&[name])[0].1.clone()
}

#[test]
fn every_default_is_a_value_of_its_own_kind() {
    for row in table::rows() {
        let value = row.kind.parse_argument(row.default);
        assert!(value.is_ok(), "{}: {value:?}", row.name);
    }
}

#[test]
fn every_default_survives_a_round_through_its_text() {
    let config = Config::default();
    for row in table::rows() {
        let shown = config.text(row);
        let value = row.kind.parse_argument(&shown).expect(row.name);
        let mut copy = config.clone();
        row.assign(&mut copy, value).expect(row.name);
        assert_eq!(copy.text(row), shown, "{}", row.name);
    }
}

#[test]
fn names_are_lower_case_and_occur_once() {
    let names: Vec<&str> = table::rows().flat_map(|row| row.names()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len());
    assert!(names.iter().all(|name| *name == name.to_ascii_lowercase()));
}

#[test]
fn every_row_says_in_one_line_what_it_does() {
    for row in table::rows() {
        assert!((5..=90).contains(&row.summary.len()), "{}: {:?}", row.name, row.summary);
        assert!(!row.summary.ends_with('.'), "{}", row.name);
        let kept = matches!(row.access, Access::Kept);
        assert_eq!(kept, row.meaning != Meaning::Effective, "{}", row.name);
    }
}

#[test]
fn the_bounds_of_a_number_fit_the_field_behind_it() {
    for row in table::rows() {
        let ends: Vec<String> = match row.kind {
            Kind::Integer { min, max } => vec![min.to_string(), max.to_string()],
            Kind::Bytes { min, max } => vec![min.to_string(), max.to_string()],
            Kind::Octal => vec!["0".into(), "777".into()],
            Kind::BytesOrPercent => vec!["0".into(), "7mb".into(), "100%".into()],
            _ => continue,
        };
        if matches!(row.meaning, Meaning::Fixed(_)) {
            continue;
        }
        for end in ends {
            let mut config = Config::default();
            let value = row.kind.parse_argument(&end).expect(row.name);
            row.assign(&mut config, value.clone()).expect(row.name);
            assert_eq!(config.text(row), row.kind.show(&value), "{}", row.name);
        }
    }
}

#[test]
fn every_choice_reaches_its_field() {
    for row in table::rows() {
        let Kind::Choice(names) = row.kind else { continue };
        for name in names {
            let mut config = Config::default();
            let value = row.kind.parse_argument(&name.to_ascii_uppercase()).expect(row.name);
            if row.assign(&mut config, value).is_ok() {
                assert_eq!(config.text(row), *name, "{}", row.name);
            }
        }
    }
}

#[test]
fn a_change_makes_a_new_configuration_and_leaves_the_old_one_alone() {
    let old = Config::default();
    let new = old.with(&[("MaxMemory", "100mb"), ("hz", "50")], Caller::Elsewhere).unwrap();
    assert_eq!((new.maxmemory_bytes, new.hz), (100 << 20, 50));
    assert_eq!((old.maxmemory_bytes, old.hz), (0, 10));
    assert_eq!(text(&new, "maxmemory"), "104857600");
}

#[test]
fn several_changes_are_made_together_or_not_at_all() {
    let error = set(&[("maxmemory", "1mb"), ("maxmemory-samples", "0")]).unwrap_err();
    assert_eq!(
        error,
        "CONFIG SET failed (possibly related to argument 'maxmemory-samples') - argument must be \
         between 1 and 2147483647 inclusive"
    );
}

#[test]
fn refusals_are_those_of_redis_7_0_15() {
    let lead = "CONFIG SET failed (possibly related to argument 'NAME') - ";
    for (name, value, reason) in [
        ("timeout", "abc", "argument couldn't be parsed into an integer"),
        ("timeout", "5.0", "argument couldn't be parsed into an integer"),
        ("timeout", "", "argument couldn't be parsed into an integer"),
        ("lfu-log-factor", "-1", "argument must be between 0 and 2147483647 inclusive"),
        (
            "slowlog-log-slower-than",
            "-5",
            "argument must be between -1 and 9223372036854775807 inclusive",
        ),
        ("maxmemory", "5 mb", "argument must be a memory value"),
        ("latency-tracking", "1", "argument must be 'yes' or 'no'"),
        ("maxmemory-clients", "101%", "percentage argument must be less or equal to 100"),
        ("maxmemory-clients", "-1%", "argument must be a memory or percent value"),
        (
            "maxmemory-policy",
            "foo",
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, \
             volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction",
        ),
        ("save", "900 -1", "Invalid save parameters"),
        ("save", "900 1 300", "Invalid save parameters"),
        (
            "client-output-buffer-limit",
            "foo 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "normal 1 2",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "slave 1 1 -1",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        ("notify-keyspace-events", "KEQ", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        (
            "latency-tracking-info-percentiles",
            "50 101",
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        ),
        (
            "latency-tracking-info-percentiles",
            "a",
            "Invalid latency-tracking-info-percentiles parameters",
        ),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        (
            "oom-score-adj-values",
            "1 2 99999",
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        ),
        ("databases", "4", "can't set immutable config"),
        ("dir", "/tmp", "can't set protected config"),
    ] {
        let error = set(&[(name, value)]).unwrap_err();
        assert_eq!(error, format!("{}{reason}", lead.replace("NAME", name)), "{name} {value:?}");
    }
    let unknown = "Unknown option or number of arguments for CONFIG SET - 'NoSuch'";
    assert_eq!(set(&[("maxmemory", "1"), ("NoSuch", "x")]).unwrap_err(), unknown);
    assert_eq!(
        set(&[("hz", "1"), ("HZ", "2")]).unwrap_err(),
        "CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter"
    );
}

#[test]
fn what_is_not_there_yet_is_refused_and_its_default_is_not() {
    let error = set(&[("activedefrag", "yes")]).unwrap_err();
    assert!(error.contains("only no is accepted: the allocator"), "{error}");
    assert!(set(&[("activedefrag", "no")]).is_ok());
}

#[test]
fn options_without_a_meaning_are_remembered() {
    let config = set(&[("repl-backlog-size", "2mb"), ("lua-time-limit", "100")]).unwrap();
    assert_eq!(text(&config, "repl-backlog-size"), "2097152");
    assert_eq!(text(&config, "busy-reply-threshold"), "100", "the alias names the same option");
    assert!(table::accepted_without_meaning().any(|row| row.name == "repl-backlog-size"));
    assert!(table::accepted_without_meaning().all(|row| row.name != "maxmemory"));
}

#[test]
fn get_matches_globs_in_any_case_and_answers_aliases() {
    let config = Config::default();
    let names = |patterns: &[&str]| -> Vec<&str> {
        config.get(patterns).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&["MAXMEMORY"]), ["maxmemory"]);
    assert_eq!(names(&["list-max*"]), ["list-max-listpack-size", "list-max-ziplist-size"]);
    assert_eq!(
        names(&["maxmemory", "maxm*y", "maxmemory"]),
        ["maxmemory", "maxmemory-policy", "maxmemory-eviction-tenacity"]
    );
    assert_eq!(names(&["nosuch"]), [""; 0]);
    assert_eq!(config.get(&["*"]).len(), table::rows().flat_map(|row| row.names()).count());
}

#[test]
fn values_print_as_redis_prints_them() {
    for (name, value, printed) in [
        ("notify-keyspace-events", "KEA", "AKE"),
        ("notify-keyspace-events", "xeg", "gxe"),
        ("notify-keyspace-events", "KEn", "nKE"),
        ("notify-keyspace-events", "AKEtdmn", "AnKEm"),
        ("latency-tracking-info-percentiles", "1e1 99.900000001 0x10", "10 99.9 16"),
        ("latency-tracking-info-percentiles", "", ""),
        ("maxmemory-clients", "10%", "10%"),
        ("maxmemory-clients", "5gb", "5368709120"),
        ("maxmemory-policy", "ALLKEYS-LRU", "allkeys-lru"),
        ("latency-tracking", "YES", "yes"),
        ("shutdown-on-sigint", "save now", "save now"),
        (
            "client-output-buffer-limit",
            "normal 1mb 2kb 3 pubsub 0 0 0",
            "normal 1048576 2048 3 slave 268435456 67108864 60 pubsub 0 0 0",
        ),
        ("hz", "1000", "500"),
        ("hz", "0", "1"),
    ] {
        let config = set(&[(name, value)]).expect(name);
        assert_eq!(text(&config, name), printed, "{name} {value:?}");
    }
}

#[test]
fn paths_change_at_run_time_only_where_the_file_allows_it() {
    let mut config = Config::default();
    for (permission, here, elsewhere) in [
        (Permission::No, false, false),
        (Permission::Local, true, false),
        (Permission::Yes, true, true),
    ] {
        config.enable_protected_configs = permission;
        let change = [("dir", "/tmp")];
        assert_eq!(config.with(&change, Caller::ThisHost).is_ok(), here, "{permission:?}");
        assert_eq!(config.with(&change, Caller::Elsewhere).is_ok(), elsewhere, "{permission:?}");
    }
}

#[test]
fn options_that_contradict_each_other_are_refused_together() {
    let error = set(&[("hz", "20"), ("value-hard-bytes", "64kb")]).unwrap_err();
    assert!(error.ends_with("value-soft-bytes must not exceed value-hard-bytes"), "{error}");
    assert!(set(&[("value-hard-bytes", "64kb"), ("value-soft-bytes", "32kb")]).is_ok());
    assert!(set(&[("cluster-view", "core")]).unwrap_err().contains("core-port-base"));
    let file = "cluster-view core\ncore-port-base 65000\ncores 536\n";
    assert!(parse_file(file).is_ok());
    assert!(parse_file(&file.replace("536", "537")).is_err());
}

#[test]
fn a_file_is_read_with_quotes_comments_and_lists() {
    let config = parse_file(
        "# a comment\n\n  PORT 7000\r\nbind 127.0.0.1 -::1\nrequirepass \"a \\x41 b\"\n\
         client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit pubsub 1mb 1kb 5\n\
         save \"\"\nlogfile ''\nunixsocketperm 700\nslave-read-only yes\nmaxmemory 2gb\n",
    )
    .unwrap();
    assert_eq!(config.port, 7000);
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!(config.requirepass, "a A b");
    assert_eq!(config.unixsocket_mode, 0o700);
    assert_eq!(config.maxmemory_bytes, 2 << 30);
    assert_eq!(config.output_limit(OutputClass::Normal), OutputLimit::default());
    assert_eq!(config.output_limit(OutputClass::PubSub).soft_seconds, 5);
    assert_eq!(config.output_limit(OutputClass::Replica).hard_bytes, 256 << 20);
}

#[test]
fn a_wrong_line_is_named_with_what_would_be_right() {
    let error = parse_file("port 1\n\nhz ten\n").unwrap_err();
    assert_eq!((error.line, error.text.as_str()), (3, "hz ten"));
    assert_eq!(error.reason, "argument couldn't be parsed into an integer");
    assert_eq!(error.allowed, "hz takes an integer from 0 to 2147483647");
    for (line, reason) in [
        ("nonsense 1", "Bad directive or wrong number of arguments"),
        ("port 1 2", "wrong number of arguments"),
        ("port", "wrong number of arguments"),
        ("requirepass \"a", "Unbalanced quotes in configuration line"),
        ("user alice on", "ACL users are not there yet; use requirepass"),
        ("include x.conf", "include is not possible here"),
    ] {
        assert_eq!(parse_file(line).unwrap_err().reason, reason, "{line}");
    }
    let error = parse_file("replicaof 127.0.0.1 6379").unwrap_err();
    assert_eq!(error.allowed, "replicaof no one");
    let error = parse_file("save abc").unwrap_err();
    let allowed = "save takes words: Pairs of seconds and changes: ";
    assert_eq!(error.reason, "Invalid save parameters");
    assert!(error.allowed.starts_with(allowed), "{}", error.allowed);
}

/// A file that ended the following of another server as redis-server lets one was refused.
#[test]
fn no_one_is_nobody_to_follow_in_a_file_too() {
    for line in ["slaveof no one", "replicaof NO ONE", "replicaof \"\""] {
        assert!(parse_file(line).is_ok(), "{line}");
    }
    for line in ["slaveof no", "slaveof one no", "bind no one\nreplicaof no one more"] {
        assert!(parse_file(line).is_err(), "{line}");
    }
}

#[test]
fn includes_are_handed_to_who_can_open_files() {
    let mut loader = Loader::new();
    let step = loader.line("include a.conf \"b c/*.conf\"").unwrap();
    assert_eq!(step, Step::Include(vec!["a.conf".to_owned(), "b c/*.conf".to_owned()]));
    assert_eq!(loader.line("hz 20").unwrap(), Step::Done);
    assert_eq!(loader.finish().unwrap().hz, 20);
}

#[test]
fn a_rewrite_keeps_comments_and_order_and_adds_what_changed() {
    let old = "# mine\nport 7000\n\ninclude /etc/x.conf\nhz 20\nmaxmemory 1mb\n";
    let config = parse_file(&old.replace("include /etc/x.conf\n", "")).unwrap();
    let config = config
        .with(
            &[
                ("maxmemory", "100mb"),
                ("hz", "10"),
                ("notify-keyspace-events", "Ex"),
                ("maxmemory-policy", "allkeys-lfu"),
                ("client-output-buffer-limit", "pubsub 1mb 1025 5"),
            ],
            Caller::Elsewhere,
        )
        .unwrap();
    let new = rewrite(old, &config);
    assert_eq!(
        new,
        "# mine\nport 7000\n\ninclude /etc/x.conf\nhz 10\nmaxmemory 100mb\n\
         # Generated by CONFIG REWRITE\n\
         client-output-buffer-limit pubsub 1mb 1025 5\n\
         maxmemory-policy allkeys-lfu\n\
         notify-keyspace-events \"xE\"\n"
    );
    assert_eq!(rewrite(&new, &config), new, "a second rewrite changes nothing");
    assert_eq!(parse_file(&new.replace("include /etc/x.conf\n", "")).unwrap(), config);
}

#[test]
fn a_rewritten_file_reads_back_whatever_was_set() {
    for row in table::rows().filter(|row| !matches!(row.meaning, Meaning::Fixed(_))) {
        let text = match row.kind {
            Kind::Bool => {
                if row.default == "yes" {
                    "no"
                } else {
                    "yes"
                }
            }
            Kind::Integer { max: 65_535, .. } => "1234",
            Kind::Integer { .. } => "7",
            Kind::Octal => "750",
            Kind::Bytes { .. } => "1049600",
            Kind::BytesOrPercent => "7%",
            Kind::Text { check } if check("a \"b\" 'c'").is_ok() => "a \"b\" 'c'",
            Kind::Text { .. } => "7.2.4",
            Kind::Choice(names) => names[names.len() - 1],
            Kind::Words { check } if check(&["default".into()]).is_ok() => "default now",
            Kind::Words { check } if check(&["1".into(), "2".into()]).is_ok() => "1 2",
            Kind::Words { .. } => "1 2 3",
            Kind::Notify => "KEA",
            Kind::OutputLimits => "normal 1 2 3",
            Kind::Percentiles => "1 2.5",
        };
        // A port base makes every choice of cluster-view consistent.
        let mut config = Config { core_port_base: 1, ..Config::default() };
        let value = row.kind.parse_argument(text).expect(row.name);
        row.assign(&mut config, value).expect(row.name);
        if config.clone().settle().is_err() {
            continue; // bounds that depend on each other have their own test
        }
        let text = rewrite("", &config);
        assert_eq!(parse_file(&text).expect(row.name), config, "{}\n{text}", row.name);
    }
}

#[test]
fn an_option_that_needs_fewer_lines_leaves_the_others_out() {
    let old = "bind 1.1.1.1\nbind 2.2.2.2\nhz 10\n";
    let config = parse_file(old).unwrap();
    assert_eq!(config.bind, ["2.2.2.2"], "the last line wins, as in Redis");
    assert_eq!(rewrite(old, &config), "bind 2.2.2.2\nhz 10\n");
}

#[test]
fn a_percentage_of_memory_without_a_limit_is_no_limit() {
    assert_eq!(MemoryCap::Percent(10).bytes(0), None);
    assert_eq!(MemoryCap::Percent(10).bytes(1000), Some(100));
    assert_eq!(MemoryCap::Bytes(0).bytes(1000), None);
    assert_eq!(MemoryCap::Bytes(7).bytes(0), Some(7));
}

#[test]
fn an_event_needs_its_class_and_a_channel() {
    let classes = |letters: &str| {
        let config = set(&[("notify-keyspace-events", letters)]).unwrap();
        config.notify
    };
    assert!(classes("Ex").publishes(NotifyClasses::EXPIRED));
    assert!(!classes("Ex").publishes(NotifyClasses::EVICTED));
    assert!(!classes("x").publishes(NotifyClasses::EXPIRED), "no channel, no event");
    assert!(classes("KA").publishes(NotifyClasses::STREAM));
    assert!(!classes("KA").publishes(NotifyClasses::KEY_MISS));
    assert!(classes("Kn").publishes(NotifyClasses::NEW));
}
