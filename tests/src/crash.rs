//! What a loss of power may leave of what was written and not made durable: the words the disk
//! in memory (`tests/simulation/durability/disk.rs`) and the mounted one (`lossy`) share.

use std::ops::Range;

use crate::random::Random;

/// How the power goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// Only the process dies: what has completed stays, what is under way may have happened.
    Process,
    /// Nothing survives that was not durable.
    LosesAll,
    /// Everything survives that had begun.
    KeepsAll,
    /// Whole pieces survive or not.
    Pieces,
    /// Sectors of this size do.
    Sectors(usize),
    /// The last pieces survive and the first do not: the worst order.
    LastFirst,
}

impl Crash {
    pub const ALL: [Crash; 7] = [
        Crash::LosesAll,
        Crash::Sectors(512),
        Crash::Process,
        Crash::Sectors(4096),
        Crash::Pieces,
        Crash::LastFirst,
        Crash::KeepsAll,
    ];

    /// A way to lose the power, not only the process.
    pub fn of_power(random: &mut Random) -> Crash {
        let ways =
            Crash::ALL.map(|crash| if crash == Crash::Process { Crash::Pieces } else { crash });
        *random.pick(&ways)
    }

    /// Which bytes of an unsynced piece reach the disk, counted from its first. A piece without
    /// bytes, which is a change of length, survives as one empty range or not at all.
    pub fn survivors(
        self,
        (offset, length): (u64, usize),
        is_last: bool,
        random: &mut Random,
    ) -> Vec<Range<usize>> {
        let whole = |survives: bool| survives.then_some(0..length).into_iter().collect();
        match self {
            Crash::KeepsAll => whole(true),
            Crash::Pieces => whole(random.percent(50)),
            Crash::LastFirst => whole(is_last),
            Crash::Sectors(_) if length == 0 => whole(random.percent(50)),
            Crash::Sectors(size) => {
                let (mut from, mut survivors) = (0, Vec::new());
                while from < length {
                    let to = length.min(from + size - (offset as usize + from) % size);
                    if random.percent(50) {
                        survivors.push(from..to);
                    }
                    from = to;
                }
                survivors
            }
            Crash::LosesAll | Crash::Process => whole(false),
        }
    }

    /// Whether a change of names survives that its directory was not synced for.
    pub fn keeps_name(self, random: &mut Random) -> bool {
        self == Crash::KeepsAll || self != Crash::LosesAll && random.percent(50)
    }
}

#[cfg(test)]
mod tests {
    use super::Crash;
    use crate::random::Random;

    #[test]
    fn sectors_survive_whole_and_never_span_a_border() {
        let mut random = Random::new(1);
        let (mut kept, mut lost) = (0, 0);
        for _ in 0..100 {
            let survivors = Crash::Sectors(512).survivors((500, 1_000), false, &mut random);
            for range in &survivors {
                let borders = [0, 12, 524, 1_000];
                assert!(borders.contains(&range.start) && borders.contains(&range.end));
                assert!(range.len() <= 512);
            }
            kept += survivors.len();
            lost += 3 - survivors.len();
        }
        assert!(kept > 100 && lost > 100, "{kept} kept, {lost} lost");
    }

    #[test]
    fn a_crash_is_the_same_for_the_same_seed() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..9).map(|_| Crash::of_power(&mut random)).collect::<Vec<Crash>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
        assert!(!draw(5).contains(&Crash::Process));
    }
}
