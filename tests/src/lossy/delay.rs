//! How long a sync takes.

use std::str::FromStr;
use std::time::Duration;

use crate::random::Random;

/// From the shorter to the longer, in milliseconds, and anything between.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Delay {
    shortest_ms: u32,
    longest_ms: u32,
}

impl Delay {
    pub fn draw(self, random: &mut Random) -> Duration {
        let micros = random.between(1_000 * i64::from(self.shortest_ms), self.longest_us());
        Duration::from_micros(micros as u64)
    }

    fn longest_us(self) -> i64 {
        1_000 * i64::from(self.longest_ms)
    }
}

/// `2`, or `0..3000`.
impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Delay, String> {
        let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
        match (shortest.parse(), longest.parse()) {
            (Ok(shortest_ms), Ok(longest_ms)) if shortest_ms <= longest_ms => {
                Ok(Delay { shortest_ms, longest_ms })
            }
            _ => Err(format!("{text}: milliseconds are meant, as 2, or a range, as 0..3000")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Delay;
    use crate::random::Random;

    #[test]
    fn a_delay_is_a_number_or_a_range_of_milliseconds() {
        let mut random = Random::new(1);
        let fixed: Delay = "2".parse().expect("a number");
        assert_eq!(fixed.draw(&mut random), Duration::from_millis(2));
        let range: Delay = "0..3000".parse().expect("a range");
        let drawn: Vec<Duration> = (0..50).map(|_| range.draw(&mut random)).collect();
        assert!(drawn.iter().any(|drawn| *drawn < Duration::from_millis(1_000)));
        assert!(drawn.iter().any(|drawn| *drawn > Duration::from_millis(2_000)));
        assert!(drawn.iter().all(|drawn| *drawn <= Duration::from_millis(3_000)));
        for wrong in ["", "x", "3..1", "-1", "1..", "1..2..3"] {
            assert!(wrong.parse::<Delay>().is_err(), "{wrong}");
        }
    }
}
