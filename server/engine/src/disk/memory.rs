//! A disk in memory that does one thing after the other and loses nothing: for tests, benchmarks
//! and fuzz targets. The one that loses what was not made durable is the simulation's.

use std::collections::BTreeMap;

use super::{FileName, Files, Operation, ReadError};

/// Files by name.
#[derive(Clone, Default, Debug)]
pub struct Memory(pub BTreeMap<FileName, Vec<u8>>);

impl Memory {
    /// Does it; returns the bytes of a write, for its completion.
    ///
    /// # Panics
    /// When a file is written or renamed that was not created.
    pub fn perform(&mut self, operation: Operation) -> Vec<u8> {
        match operation {
            Operation::Create(file) => drop(self.0.insert(file, Vec::new())),
            Operation::Write { file, offset, bytes, .. } => {
                let content = self.0.get_mut(&file).expect("it was created");
                let end = offset as usize + bytes.len();
                content.resize(content.len().max(end), 0);
                content[offset as usize..end].copy_from_slice(&bytes);
                return bytes;
            }
            Operation::Rename { from, to } => {
                let content = self.0.remove(&from).expect("it was created");
                self.0.insert(to, content);
            }
            Operation::Remove(file) => drop(self.0.remove(&file)),
            Operation::Allocate { .. }
            | Operation::Sync(_)
            | Operation::Close(_)
            | Operation::SyncDirectory => {}
        }
        Vec::new()
    }

    fn content(&self, file: FileName) -> Result<&[u8], ReadError> {
        let content = self.0.get(&file).map(Vec::as_slice);
        content.ok_or_else(|| ReadError { file, reason: "there is no such file".to_owned() })
    }
}

impl Files for Memory {
    fn list(&self) -> Result<Vec<FileName>, String> {
        Ok(self.0.keys().copied().collect())
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        Ok(self.content(file)?.len() as u64)
    }

    fn sync(&mut self, _: FileName) -> Result<(), ReadError> {
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn is_older_than(&mut self, _: FileName, _: i64) -> Result<bool, ReadError> {
        Ok(true)
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let rest = self.content(file)?.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}
