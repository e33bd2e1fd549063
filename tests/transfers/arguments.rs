//! The command line of the transfers.

use freehold_tests::transactions::planted::Bug;

/// What to run.
#[derive(Clone, Debug)]
pub struct Arguments {
    pub transfers: u64,
    pub cores: u16,
    pub seed: u64,
    /// What a proxy in between does wrongly.
    pub bug: Option<Bug>,
    /// Runs redis-server instead, about which there must be nothing to complain.
    pub redis: bool,
}

pub const USAGE: &str = "transfers [--transfers N] [--cores N] [--seed S] [--against-redis] \
                         [--bug torn|lost|halved|doubled|denied|stale|unwatched|split-mset|\
                         split-rename]";

impl Arguments {
    /// # Errors
    /// The word that was not understood.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments =
            Arguments { transfers: 20_000, cores: 4, seed: 1, bug: None, redis: false };
        let mut words = words;
        while let Some(word) = words.next() {
            if word == "--against-redis" {
                arguments.redis = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let wrong = || format!("{word} {value}");
            match word.as_str() {
                "--transfers" => arguments.transfers = value.parse().map_err(|_| wrong())?,
                "--cores" => arguments.cores = value.parse().map_err(|_| wrong())?,
                "--seed" => arguments.seed = value.parse().map_err(|_| wrong())?,
                "--bug" => arguments.bug = Some(Bug::named(&value).ok_or_else(wrong)?),
                _ => return Err(word),
            }
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Bug, USAGE};

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_run_is_named_by_its_size_its_cores_and_its_seed() {
        let arguments = parse("--transfers 9 --cores 2 --seed 7 --bug lost").expect("a good line");
        assert_eq!((arguments.transfers, arguments.cores, arguments.seed), (9, 2, 7));
        assert_eq!(arguments.bug, Some(Bug::Lost));
        assert_eq!(parse("--bug none").expect_err("no such bug"), "--bug none");
        assert_eq!(parse("--transfer 7").expect_err("a typo"), "--transfer");
    }

    #[test]
    fn the_usage_names_every_bug() {
        assert!(Bug::ALL.iter().all(|(name, _)| USAGE.contains(name)));
    }
}
