//! A file that takes its place when it is complete: written beside it, synced, renamed; gone if it
//! is given up.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub struct PartFile {
    file: File,
    part: PathBuf,
    place: PathBuf,
    is_complete: bool,
}

impl PartFile {
    pub fn create(place: &Path) -> io::Result<PartFile> {
        let name = place.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let mut part: OsString = name.to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = place.with_file_name(part);
        let file = File::create(&part)?;
        Ok(PartFile { file, part, place: place.to_owned(), is_complete: false })
    }

    /// Writes over what stands at `offset`.
    pub fn overwrite(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)
    }

    /// Gives the file its place, so that it is there after a loss of power too.
    pub fn complete(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.part, &self.place)?;
        self.is_complete = true;
        let folder = self.place.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.is_complete {
            // It cannot be taken away where it could not be written either.
            let _ = fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::PartFile;

    #[test]
    fn the_old_file_stays_until_the_new_one_is_complete() {
        let folder = std::env::temp_dir().join(format!("freehold-part-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let place = folder.join("dump.rdb");
        fs::write(&place, "old").expect("written");
        let names = || fs::read_dir(&folder).expect("a folder").count();

        let mut given_up = PartFile::create(&place).expect("a file");
        given_up.write_all(b"half").expect("written");
        assert_eq!(names(), 2);
        drop(given_up);
        assert_eq!((names(), fs::read(&place).expect("read")), (1, b"old".to_vec()));

        let mut done = PartFile::create(&place).expect("a file");
        done.write_all(b"xew").expect("written");
        done.overwrite(0, b"n").expect("written");
        done.complete().expect("renamed");
        assert_eq!((names(), fs::read(&place).expect("read")), (1, b"new".to_vec()));
        fs::remove_dir_all(&folder).expect("removed");
    }
}
