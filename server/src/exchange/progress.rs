//! How far an import has come: each core says where it stands, whoever waits for them all tells
//! the log, at most once a second.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::observe::log;

/// Time between two lines.
pub const INTERVAL: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Place {
    bytes: AtomicU64,
    keys: AtomicU64,
}

pub struct Progress {
    places: Vec<Place>,
    bytes: u64,
    started: Instant,
    told: Mutex<Instant>,
}

impl Progress {
    /// Of so many bytes that all cores read together.
    pub fn new(cores: u16, bytes: u64) -> Progress {
        let now = Instant::now();
        let places = (0..cores).map(|_| Place::default()).collect();
        Progress { places, bytes, started: now, told: Mutex::new(now) }
    }

    /// A core has come so far.
    pub fn at(&self, core: usize, bytes: u64, keys: u64) {
        self.places[core].bytes.store(bytes, Ordering::Relaxed);
        self.places[core].keys.store(keys, Ordering::Relaxed);
    }

    /// Says how far all have come, unless that was said within the last second.
    pub fn tell(&self) {
        let Ok(mut told) = self.told.lock() else { return };
        if told.elapsed() < INTERVAL {
            return;
        }
        *told = Instant::now();
        let sum = |of: fn(&Place) -> &AtomicU64| -> u64 {
            self.places.iter().map(|place| of(place).load(Ordering::Relaxed)).sum()
        };
        let percent = sum(|place| &place.bytes).min(self.bytes) * 100 / self.bytes.max(1);
        let keys = sum(|place| &place.keys) as f64 / self.started.elapsed().as_secs_f64();
        log::info(
            "Importing",
            &[("percent", &percent), ("keys-per-second", &format!("{keys:.0}"))],
        );
    }
}
