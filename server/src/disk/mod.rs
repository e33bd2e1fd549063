//! The files of a node: [`performer`] does with a core's ring what its log asks for, [`directory`]
//! opens the data directory, [`recovery`] reads it at start, [`rdb_file`] writes what a snapshot
//! holds as an RDB file, which takes its place as a [`part_file`] does.

pub mod directory;
pub mod part_file;
pub mod performer;
pub mod rdb_file;
pub mod recovery;
