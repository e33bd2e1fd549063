//! How a log begins, from one small read: whose it is, and whether anything was ever written behind
//! its header. That says more of the logs before it than of itself: see [`Beginning::proves`].

use super::batch::{HEAD_BYTES, Head};
use super::header::{FIRST_BATCH, Header};
use crate::disk::{FileName, Files, ReadError};

/// What stands at the beginning of a log file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beginning {
    pub file: FileName,
    pub header: Header,
    /// Its first batch can be read, as far as its head goes. Without one there is nothing in it.
    pub has_batches: bool,
}

impl Beginning {
    /// Reads it; `None` when there is no header, which whoever examines the file says more of.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(files: &mut dyn Files, file: FileName) -> Result<Option<Beginning>, ReadError> {
        let mut start = vec![0; FIRST_BATCH as usize + HEAD_BYTES];
        let read = files.read(file, 0, &mut start)?;
        start.truncate(read);
        let Ok(header) = Header::decode(&start) else { return Ok(None) };
        let head = start.get(FIRST_BATCH as usize..).and_then(|rest| rest.first_chunk());
        let has_batches = head.and_then(Head::read).is_some_and(|head| head.number == 1);
        Ok(Some(Beginning { file, header, has_batches }))
    }

    /// Whether this log cannot be there unless all of `before` is durable, if both count.
    ///
    /// Either a later life began it: a start makes what it finds durable before it begins a log,
    /// and a life has one number of cores. Or a snapshot of the same life did: then a core writes
    /// no batch before its log before is durable.
    pub fn proves(&self, before: &Beginning) -> bool {
        let (later, earlier) = (&self.header, &before.header);
        let other_life = later.cores != earlier.cores;
        let went_on = later.core == earlier.core && self.has_batches;
        later.generation > earlier.generation && (other_life || went_on)
    }
}
