//! A core that loads what was kept and answers meanwhile: between slices of the loading it takes a
//! turn like any other, in which commands that need the keys are refused.

use freehold_engine::shard::Shard;

use super::{Keeper, Phase, Worker};
use crate::disk::recovery::Loader;
use crate::runtime::clock;
use crate::runtime::ring::Patience;

impl Worker {
    /// Turns until `is_there`; whoever makes it so rings the core up. False: the node has ended
    /// before.
    ///
    /// # Errors
    /// The ring is broken.
    pub fn turn_until(&mut self, is_there: impl Fn() -> bool) -> std::io::Result<bool> {
        while !is_there() {
            if self.phase == Phase::Ended {
                return Ok(false);
            }
            let patience = self.patience();
            self.enter_and_turn(patience)?;
        }
        Ok(true)
    }

    /// From here on what changes is kept as `keeper` does it.
    pub fn keep_with(&mut self, keeper: Keeper) {
        self.keeper = keeper;
    }
}

impl Loader for Worker {
    fn shard(&mut self) -> &mut Shard {
        &mut self.shard
    }

    fn look_up(&mut self) {
        // A ring that is broken is so again when the core serves, and told of then.
        let _ = self.enter_and_turn(Patience::None);
    }
}

impl Worker {
    pub(super) fn enter_and_turn(&mut self, patience: Patience) -> std::io::Result<()> {
        self.ring.enter(patience)?;
        self.mesh.wake_up();
        self.turn(clock::read());
        Ok(())
    }
}
