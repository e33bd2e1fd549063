//! The files of a node: [`performer`] does with a core's ring what its log asks for, [`directory`]
//! opens the data directory and reads it at start.

pub mod directory;
pub mod performer;
pub mod recovery;
