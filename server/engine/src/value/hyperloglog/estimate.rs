//! From registers to a number: Otmar Ertl's improved raw estimator (arXiv:1702.01284), which needs
//! no table and no switch between ranges. Computed as Redis computes it, so that both answer the
//! same.

use super::{REGISTERS, RUN_BITS};

/// 1 / (2 ln 2).
const ALPHA_INFINITY: f64 = 0.721_347_520_444_481_7;

/// The estimate, where `histogram[n]` registers hold the value `n`.
pub(super) fn cardinality(histogram: &[u32; 64]) -> u64 {
    let registers = REGISTERS as f64;
    let full = f64::from(histogram[RUN_BITS as usize + 1]);
    let mut z = registers * tau((registers - full) / registers);
    for &count in histogram[1..=RUN_BITS as usize].iter().rev() {
        z = (z + f64::from(count)) * 0.5;
    }
    z += registers * sigma(f64::from(histogram[0]) / registers);
    let estimate = ALPHA_INFINITY * registers * registers / z;
    // Through i64: a sketch no hash can have made may stand for infinity, and the answer is signed.
    estimate.round() as i64 as u64
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
