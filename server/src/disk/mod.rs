//! The files of a node: [`performer`] does with a core's ring what its log asks for, [`directory`]
//! opens the data directory and reads it at start,
//! [`rdb_file`] writes what a snapshot holds as an RDB file.

pub mod directory;
pub mod part_file;
pub mod performer;
pub mod rdb_file;
pub mod recovery;
