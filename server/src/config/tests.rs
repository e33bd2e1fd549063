use super::*;
use freehold_engine::config::{OutputClass, Permission, Policy};
use std::fs;

/// A directory of its own for each test, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("freehold-config-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn said(args: &[&str]) -> CommandLine {
    let args = std::iter::once("freehold").chain(args.iter().copied()).map(OsString::from);
    CommandLine::parse(args).unwrap()
}

fn config(args: &[&str]) -> Result<Config, String> {
    load(&said(args)).map(|start| start.config)
}

#[test]
fn every_option_is_a_switch() {
    let config = config(&[
        "--port",
        "7000",
        "--bind",
        "127.0.0.1",
        "-::1",
        "--maxmemory",
        "2gb",
        "--maxmemory-policy",
        "allkeys-lru",
        "--slowlog-log-slower-than",
        "-1",
        "--save",
        "",
        "--client-output-buffer-limit",
        "normal",
        "1mb",
        "0",
        "0",
        "--enable-debug-command",
        "local",
    ])
    .unwrap();
    assert_eq!(config.port, 7000);
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!(config.maxmemory_bytes, 2 << 30);
    assert_eq!(config.maxmemory_policy, Policy::AllKeysLru);
    assert_eq!(config.slowlog_slower_than_us, -1);
    assert_eq!(config.output_limit(OutputClass::Normal).hard_bytes, 1 << 20);
    assert_eq!(config.enable_debug_command, Permission::Local);
}

#[test]
fn the_command_line_wins_over_the_file_and_later_words_over_earlier() {
    let folder = Folder::new("order");
    let file = folder.file("a.conf", "port 7000\nhz 20\n");
    let start = load(&said(&[&file, "--hz", "30", "--hz", "40"])).unwrap();
    let (config, path) = (start.config, start.file);
    assert_eq!((config.port, config.hz), (7000, 40));
    assert_eq!(path.unwrap(), fs::canonicalize(&file).unwrap());
}

#[test]
fn lists_may_be_quoted_or_attached() {
    assert_eq!(config(&["--bind", "10.0.0.1 10.0.0.2"]).unwrap().bind, ["10.0.0.1", "10.0.0.2"]);
    assert_eq!(config(&["--bind=-::1", "--port=7001"]).unwrap().bind, ["-::1"]);
    assert_eq!(config(&["--bind", ""]).unwrap().bind, [""; 0]);
}

#[test]
fn aliases_are_switches_too() {
    assert_eq!(config(&["--hash-max-ziplist-entries", "9"]).unwrap().hash_max_listpack_entries, 9);
}

#[test]
fn a_wrong_value_is_named_with_what_would_be_right() {
    assert_eq!(
        config(&["--port", "70000"]).unwrap_err(),
        "--port 70000: argument must be between 0 and 65535 inclusive; port takes an integer \
         from 0 to 65535"
    );
    let error = config(&["--tls-port", "7000"]).unwrap_err();
    assert!(error.contains("TLS is not there yet"), "{error}");
}

#[test]
fn an_unknown_switch_is_refused_with_the_nearest_name() {
    let args = ["freehold", "--maxmemry", "1gb"].map(OsString::from);
    let error = CommandLine::parse(args).unwrap_err();
    assert!(error.use_stderr());
    assert!(error.to_string().contains("--maxmemory"), "{error}");
}

#[test]
fn help_and_version_are_answers_and_not_errors() {
    for (switch, expected) in
        [("--help", "maxmemory-policy"), ("-h", "Usage: freehold"), ("-v", "freehold 0.")]
    {
        let args = ["freehold", switch].map(OsString::from);
        let answer = CommandLine::parse(args).unwrap_err();
        assert!(!answer.use_stderr(), "{switch}");
        assert!(answer.to_string().contains(expected), "{switch}: {answer}");
    }
}

#[test]
fn a_wrong_line_is_named_with_file_line_and_remedy() {
    let folder = Folder::new("wrong");
    let file = folder.file("a.conf", "port 7000\n\nhz ten\n");
    assert_eq!(
        config(&[&file]).unwrap_err(),
        format!(
            "{file}, line 3: argument couldn't be parsed into an integer\n  >>> hz ten\n  \
             allowed: hz takes an integer from 0 to 2147483647"
        )
    );
    let missing = folder.0.join("missing.conf");
    let error = config(&[missing.to_str().unwrap()]).unwrap_err();
    assert!(error.starts_with("cannot read configuration file"), "{error}");
}

#[test]
fn includes_are_read_in_their_place_in_alphabetical_order() {
    let folder = Folder::new("include");
    folder.file("d/20.conf", "hz 20\ntimeout 20\n");
    folder.file("d/10.conf", "hz 10\ntimeout 10\n");
    folder.file("d/.hidden.conf", "hz 99\n");
    folder.file("d/readme.txt", "not a configuration\n");
    let pattern = folder.0.join("d/*.conf");
    let nothing = folder.0.join("none/*.conf");
    let text =
        format!("hz 5\ninclude {}\ninclude {}\ntimeout 7\n", pattern.display(), nothing.display());
    let config = config(&[&folder.file("main.conf", &text)]).unwrap();
    assert_eq!((config.hz, config.timeout_s), (20, 7));
}

#[test]
fn an_error_in_an_include_names_that_file() {
    let folder = Folder::new("nested");
    let inner = folder.file("inner.conf", "# fine\nport x\n");
    let outer = folder.file("outer.conf", &format!("include {inner}\n"));
    let error = config(&[&outer]).unwrap_err();
    assert!(error.starts_with(&format!("{inner}, line 2: ")), "{error}");
}

#[test]
fn a_file_that_includes_itself_is_refused() {
    let folder = Folder::new("loop");
    let path = folder.file("a.conf", "");
    fs::write(&path, format!("include {path}\n")).unwrap();
    assert!(config(&[&path]).unwrap_err().contains("nest deeper than 16"));
}

#[test]
fn a_file_that_is_not_text_is_refused_with_the_line() {
    let folder = Folder::new("bytes");
    let path = folder.file("a.conf", "");
    fs::write(&path, b"port 7000\nrequirepass \xff\n").unwrap();
    assert!(config(&[&path]).unwrap_err().ends_with("line 2: not UTF-8 text"));
}

#[test]
fn the_working_directory_is_absolute_and_must_exist() {
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    assert_eq!(config(&[]).unwrap().dir, here.to_str().unwrap());
    assert!(config(&["--dir", "/no/such/place"]).unwrap_err().starts_with("/no/such/place"));
}

#[test]
fn options_that_contradict_each_other_stop_the_start() {
    let error = config(&["--cluster-view", "core"]).unwrap_err();
    assert_eq!(error, "cluster-view core needs core-port-base");
}

/// Two sentences were joined by `.;`.
#[test]
fn a_complaint_has_one_mark_between_reason_and_remedy() {
    for (option, words, complaint) in [
        (
            "--save",
            &["abc"][..],
            "--save abc: Invalid save parameters; save takes words: Pairs of seconds and changes: \
             when a snapshot is taken by itself; \"\" for never",
        ),
        (
            "--notify-keyspace-events",
            &["q"],
            "--notify-keyspace-events q: Invalid event class character. Use 'Ag$lshzxeKEtmdn'; \
             notify-keyspace-events takes a string of the letters Ag$lshzxeKEtmdn, or \"\"",
        ),
    ] {
        let words: Vec<&str> = [option].iter().chain(words).copied().collect();
        assert_eq!(config(&words).unwrap_err(), complaint);
    }
}

fn errand(args: &[&str]) -> Errand {
    let args = std::iter::once("freehold").chain(args.iter().copied()).map(OsString::from);
    from_command_line(args).unwrap()
}

#[test]
fn export_and_import_are_words_and_anything_else_a_file() {
    let target = |port, user: Option<&str>, password: Option<&str>| Target {
        host: "127.0.0.1".to_owned(),
        port,
        user: user.map(str::to_owned),
        password: password.map(str::to_owned),
    };
    let words = ["export", "-p", "7000", "--user", "u", "--password", "-x", "d.rdb"];
    let Errand::Ask(Remote::Export { server, file }) = errand(&words) else { panic!("an export") };
    assert_eq!((server, file), (target(7000, Some("u"), Some("-x")), PathBuf::from("d.rdb")));
    let words = ["import", "--password", "p", "--replace", "d"];
    let Errand::Ask(Remote::Import { server, path, replace }) = errand(&words) else {
        panic!("an import")
    };
    assert_eq!((server, path, replace), (target(6379, None, Some("p")), PathBuf::from("d"), true));

    let folder = Folder::new("export");
    let file = folder.file("export", "port 7001\n");
    let Errand::Serve(start) = errand(&[&file]) else { panic!("a start") };
    assert_eq!(start.config.port, 7001);
    let Errand::Serve(start) = errand(&["--port", "7002"]) else { panic!("a start") };
    assert_eq!(start.config.port, 7002);
}
