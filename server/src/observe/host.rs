//! The world outside, as the engine is shown it.

use std::path::PathBuf;
use std::sync::Arc;

use freehold_engine::command::host::{Host, ProcessFigures};
use freehold_engine::config::{Config, rewrite};

use crate::disk::directory::DataPlace;
use crate::runtime::{allocator, clock, process};

/// This process on this machine.
pub struct ThisHost {
    config_file: Option<PathBuf>,
    /// None where no node is to start.
    place: Option<Arc<DataPlace>>,
}

impl ThisHost {
    /// `config_file` is where CONFIG REWRITE writes to, `place` where logs and snapshots are.
    pub fn new(config_file: Option<PathBuf>, place: Option<Arc<DataPlace>>) -> ThisHost {
        ThisHost { config_file, place }
    }
}

impl Host for ThisHost {
    fn open_data(&self) -> Result<(), String> {
        match &self.place {
            Some(place) => place.open().map(drop),
            None => Err("there is no directory for it".to_owned()),
        }
    }

    fn memory_used_bytes(&self) -> i64 {
        allocator::used_bytes_of_this_thread()
    }

    fn ticks_ns(&self) -> u64 {
        clock::mono_ns()
    }

    fn process(&self) -> ProcessFigures {
        let (process, thread) = (process::cpu_of_process(), process::cpu_of_this_thread());
        ProcessFigures {
            resident_bytes: process::resident_bytes(),
            total_system_memory_bytes: process::host_memory_bytes(),
            cpu_user_us: process.user_us,
            cpu_system_us: process.system_us,
            thread_cpu_user_us: thread.user_us,
            thread_cpu_system_us: thread.system_us,
        }
    }

    fn rewrite_config(&self, config: &Config) -> Result<(), String> {
        let Some(path) = &self.config_file else {
            return Err("The server is running without a config file".to_owned());
        };
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let old = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        replace_file(path, &rewrite(&old, config)).map_err(failed)
    }
}

/// Writes beside the file and renames over it, so that a crash leaves the old text or the new.
fn replace_file(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let write = || {
        let mut file = std::fs::File::create(&beside)?;
        if let Ok(old) = std::fs::metadata(path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().inspect_err(|_| {
        // What is left of a failed attempt helps nobody.
        let _ = std::fs::remove_file(&beside);
    })?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => std::fs::File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use freehold_engine::command::host::Host;
    use freehold_engine::config::Config;

    use super::ThisHost;

    #[test]
    fn without_a_file_there_is_nothing_to_rewrite() {
        let error =
            ThisHost::new(None, None).rewrite_config(&Config::default()).expect_err("no file");
        assert_eq!(error, "The server is running without a config file");
    }

    #[test]
    fn a_rewritten_file_keeps_its_comments_and_takes_the_present_values() {
        let file = format!("freehold-{}-rewrite.conf", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, "# mine\nmaxclients 5\n").expect("the temporary folder");
        let mut config = Config::default();
        config.maxclients = 77;

        ThisHost::new(Some(path.clone()), None).rewrite_config(&config).expect("written");

        let text = std::fs::read_to_string(&path).expect("still there");
        std::fs::remove_file(&path).expect("ours");
        assert!(text.contains("# mine"), "{text}");
        assert!(text.contains("maxclients 77"), "{text}");
    }

    #[test]
    fn a_thread_sees_the_memory_it_uses() {
        let host = ThisHost::new(None, None);
        let before = host.memory_used_bytes();
        let block = vec![1u8; 1 << 20];
        assert!(host.memory_used_bytes() >= before + (1 << 20));
        drop(block);
    }
}
