//! Places on earth as numbers of 52 bits, and distances between them.
//!
//! The world between 85.05 degrees south and north is a square; `step` times it is quartered. A
//! cell's number interleaves the bits of its column (longitude, the odd ones) and row (latitude):
//! what lies in a cell has scores that begin with the cell's bits, so a cell is one range of a
//! sorted set. The arithmetic is Redis's operation for operation: answers are compared bit by bit.

/// Quarterings of a stored place: 52 bits, which a double holds exactly.
pub(super) const STEP_MAX: u32 = 26;
pub(super) const LONGITUDE_MAX: f64 = 180.0;
pub(super) const LATITUDE_MAX: f64 = 85.05112878;
/// Mean radius of the earth in metres, as Redis has it.
pub(super) const EARTH_RADIUS_M: f64 = 6372797.560856;

/// A place in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Place {
    pub longitude: f64,
    pub latitude: f64,
}

/// A square of the grid at some step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub column: u32,
    pub row: u32,
    pub step: u32,
}

/// The degrees a cell spans.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub longitude: (f64, f64),
    pub latitude: (f64, f64),
}

impl Place {
    /// Whether the grid has it; the poles are outside.
    pub fn is_valid(self) -> bool {
        (-LONGITUDE_MAX..=LONGITUDE_MAX).contains(&self.longitude)
            && (-LATITUDE_MAX..=LATITUDE_MAX).contains(&self.latitude)
    }

    /// The score under which it is stored.
    pub fn score(self) -> f64 {
        Cell::of(self, STEP_MAX, LATITUDE_MAX).bits() as f64
    }

    /// The middle of the smallest cell a score stands for.
    pub fn of_score(score: f64) -> Place {
        // What a score that is no place becomes: as the processor converts it for Redis.
        let bits = if score < 0.0 { score as i64 as u64 } else { score as u64 };
        let cell = Cell { column: gather(bits >> 1), row: gather(bits), step: STEP_MAX };
        let Area { longitude, latitude } = cell.area();
        Place {
            longitude: ((longitude.0 + longitude.1) / 2.0).clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: ((latitude.0 + latitude.1) / 2.0).clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }

    /// The name geohash.org gives it: eleven letters, of which the last is always 0. Its grid
    /// reaches to the poles, so a place is encoded anew.
    pub fn name(self) -> [u8; 11] {
        const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let bits = Cell::of(self, STEP_MAX, 90.0).bits();
        std::array::from_fn(|at| match at {
            10 => b'0',
            _ => LETTERS[(bits >> (52 - (at + 1) * 5)) as usize & 31],
        })
    }

    /// Metres along the great circle (haversine).
    pub fn distance_m(self, other: Place) -> f64 {
        let (here, there) = (self.longitude.to_radians_c(), other.longitude.to_radians_c());
        let across = ((there - here) / 2.0).sin();
        if across == 0.0 {
            return self.northing_m(other);
        }
        let (here, there) = (self.latitude.to_radians_c(), other.latitude.to_radians_c());
        let along = ((there - here) / 2.0).sin();
        let chord = along * along + here.cos() * there.cos() * across * across;
        2.0 * EARTH_RADIUS_M * chord.sqrt().asin()
    }

    /// Metres between the two latitudes.
    pub fn northing_m(self, other: Place) -> f64 {
        EARTH_RADIUS_M * (other.latitude.to_radians_c() - self.latitude.to_radians_c()).abs()
    }
}

/// Degrees and radians with C's rounding: the standard library multiplies by another constant.
pub(super) trait Angle {
    fn to_radians_c(self) -> f64;
    fn to_degrees_c(self) -> f64;
}

const RADIANS: f64 = std::f64::consts::PI / 180.0;

impl Angle for f64 {
    fn to_radians_c(self) -> f64 {
        self * RADIANS
    }

    fn to_degrees_c(self) -> f64 {
        self / RADIANS
    }
}

impl Cell {
    /// The cell of a valid place, in a grid that reaches `latitude_max` to both sides.
    pub fn of(place: Place, step: u32, latitude_max: f64) -> Cell {
        let squares = (1u64 << step) as f64;
        let share = |value: f64, max: f64| (value - -max) / (max - -max) * squares;
        Cell {
            column: share(place.longitude, LONGITUDE_MAX) as u32,
            row: share(place.latitude, latitude_max) as u32,
            step,
        }
    }

    pub fn bits(self) -> u64 {
        spread(self.row) | spread(self.column) << 1
    }

    /// The scores of what lies inside: from the first up to, but not including, the second.
    pub fn scores(self) -> (f64, f64) {
        let shift = 52 - 2 * self.step;
        ((self.bits() << shift) as f64, ((self.bits() + 1) << shift) as f64)
    }

    pub fn area(self) -> Area {
        let squares = (1u64 << self.step) as f64;
        let span = |number: u32, max: f64| {
            let degrees = |number: u32| -max + f64::from(number) / squares * (max - -max);
            (degrees(number), degrees(number.wrapping_add(1)))
        };
        Area { longitude: span(self.column, LONGITUDE_MAX), latitude: span(self.row, LATITUDE_MAX) }
    }

    /// The cell so many columns to the east and rows to the north, round the world.
    pub fn neighbour(self, east: i32, north: i32) -> Cell {
        let mask = (1u32 << self.step) - 1;
        let moved = |number: u32, by: i32| match by {
            0 => number,
            _ => number.wrapping_add_signed(by) & mask,
        };
        Cell { column: moved(self.column, east), row: moved(self.row, north), step: self.step }
    }
}

/// Puts a zero in front of each bit.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF;
    bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF;
    bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

/// Takes every other bit: the inverse of [`spread`].
fn gather(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0F0F_0F0F_0F0F_0F0F;
    bits = (bits | bits >> 4) & 0x00FF_00FF_00FF_00FF;
    bits = (bits | bits >> 8) & 0x0000_FFFF_0000_FFFF;
    (bits | bits >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    #[test]
    fn the_score_of_a_place_is_redis_s() {
        let palermo = Place { longitude: 13.361389, latitude: 38.115556 };
        assert_eq!(palermo.score(), 3479099956230698.0);
        let decoded = Place::of_score(palermo.score());
        assert_eq!(decoded.longitude, 13.361_389_338_970_184);
        assert_eq!(decoded.latitude, 38.115_556_395_496_3);
        assert_eq!(&decoded.name(), b"sqc8b49rny0");
    }

    #[test]
    fn a_place_comes_back_within_a_metre() {
        let seed = 6;
        let mut random = Random::new(seed);
        for _ in 0..10_000 {
            let place = Place {
                longitude: (random.f64() - 0.5) * 2.0 * LONGITUDE_MAX,
                latitude: (random.f64() - 0.5) * 2.0 * LATITUDE_MAX,
            };
            let distance = place.distance_m(Place::of_score(place.score()));
            assert!(distance < 1.0, "seed {seed}: {place:?} {distance}");
        }
    }

    #[test]
    fn spread_bits_are_gathered_again() {
        for number in [0, 1, 0x0155_5555, u32::MAX, 0x1234_5678] {
            assert_eq!(gather(spread(number)), number);
            assert_eq!(gather(spread(number) << 1), 0);
        }
    }

    #[test]
    fn any_score_is_some_place() {
        for score in [f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300, 0.5, f64::MIN_POSITIVE] {
            assert!(Place::of_score(score).is_valid(), "{score}");
        }
    }
}
