//! A disk that fills up and is emptied: writes are refused while it is full, reads go on, and
//! nothing that was acknowledged is lost. Needs root for a small file system of its own.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{Options, freehold};
use freehold_tests::wait;

on_one_and_two_cores!(writes_are_refused_while_the_disk_is_full_and_none_is_lost);

/// A file system in memory, unmounted when it is dropped.
pub(crate) struct Small(PathBuf);

impl Small {
    /// `None`: this process may not mount.
    pub(crate) fn mount(name: &str) -> Option<Small> {
        let place = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a place to mount");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=300m", "tmpfs"])
            .arg(&place)
            .output();
        let small = Small(place);
        mounted.is_ok_and(|output| output.status.success()).then_some(small)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    pub(crate) fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("a file");
        for size in [1 << 20, 4096] {
            let chunk = vec![7; size];
            while file.write_all(&chunk).is_ok() {}
        }
    }

    pub(crate) fn empty(&self) {
        fs::remove_file(self.ballast()).expect("the ballast is there");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Nothing is mounted there if this process may not mount.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
        let _ = fs::remove_dir(&self.0);
    }
}

fn options(cores: u16, data: &Path) -> Options {
    let data = data.display().to_string();
    let words = ["--appendonly", "yes", "--appendfsync", "always", "--appenddirname", &data];
    // A log that is begun on a disk that is just full has no space set aside: what is written
    // before that is known is neither refused nor acknowledged until there is space.
    freehold(cores).with(&words).with(&["--auto-aof-rewrite-percentage", "0"])
}

/// Keys that lie on all cores.
const KEYS: usize = 16;

struct Writer {
    client: Client,
    value: String,
    /// The last number acknowledged for each key.
    acknowledged: [u64; KEYS],
    next: u64,
}

impl Writer {
    /// Sets the next key. False: it was refused for want of space.
    fn write(&mut self) -> bool {
        self.next += 1;
        let key = self.next as usize % KEYS;
        let value = format!("{}:{}", self.next, self.value);
        match self.client.call(&["SET", &format!("k{key}"), &value]) {
            Value::Simple(_) => self.acknowledged[key] = self.next,
            Value::Error(text) => {
                assert!(text.starts_with(b"MISCONF"), "{}", String::from_utf8_lossy(&text));
                return false;
            }
            other => panic!("SET answered {other:?}"),
        }
        true
    }

    /// Every key holds what was acknowledged last.
    fn check(&self, client: &mut Client) {
        for (key, number) in self.acknowledged.iter().enumerate() {
            let reply = client.call(&["GETRANGE", &format!("k{key}"), "0", "19"]);
            let Value::Bulk(text) = reply else { panic!("GETRANGE answered {reply:?}") };
            let text = String::from_utf8_lossy(&text).into_owned();
            let held: u64 = text.split(':').next().and_then(|n| n.parse().ok()).unwrap_or(0);
            assert_eq!(held, *number, "k{key}");
        }
    }
}

fn writes_are_refused_while_the_disk_is_full_and_none_is_lost(cores: u16) {
    let Some(small) = Small::mount(&format!("freehold-full-{cores}")) else {
        eprintln!("skipped: mounting a small file system needs root");
        return;
    };
    let data = small.0.join("data");
    let server = options(cores, &data).start();
    let (client, mut reader) = (server.client(), server.client());
    let value = "v".repeat(100_000);
    let mut writer = Writer { client, value, acknowledged: [0; KEYS], next: 0 };
    (0..KEYS).for_each(|_| assert!(writer.write()));
    for round in 1..=3 {
        small.fill();
        while writer.write() {}
        // One core has found it full: within a second all refuse, and go on refusing.
        let refused = Instant::now();
        let mut in_a_row = 0;
        wait::until("all cores to refuse", wait::fair(Duration::from_secs(1)), || {
            in_a_row = if writer.write() { 0 } else { in_a_row + 1 };
            in_a_row > KEYS
        });
        writer.check(&mut reader);
        let shown = refused.elapsed();
        small.empty();
        let limit = wait::fair(Duration::from_secs(2));
        wait::until("writes to be accepted", limit, || writer.write());
        let limit = wait::fair(Duration::from_secs(5));
        assert!(shown < limit, "round {round}: reads took {shown:?}");
    }
    writer.check(&mut reader);
    server.signal("KILL");
    drop(server);
    let server = options(cores, &data).start();
    writer.check(&mut server.client());
}
