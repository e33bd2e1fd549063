//! The command line of the differential run.

/// What to run.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// Requests in all, spread over the combinations of cores and protocols.
    pub commands: u64,
    pub seed: u64,
    pub cores: Vec<u16>,
    pub resp: Vec<u8>,
    /// Replays this one chapter only.
    pub chapter: Option<u64>,
    /// Runs redis-server against itself, which must find nothing.
    pub against_itself: bool,
}

pub const USAGE: &str = "differential [--commands N] [--seed S] [--cores 1,2,4] [--resp 2,3] \
                         [--chapter SEED] [--against-itself]";

impl Arguments {
    /// # Errors
    /// The word that was not understood.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments {
            commands: 20_000,
            seed: 1,
            cores: vec![1, 2, 4],
            resp: vec![2, 3],
            chapter: None,
            against_itself: false,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            if word == "--against-itself" {
                arguments.against_itself = true;
                arguments.cores = vec![1];
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let wrong = || format!("{word} {value}");
            match word.as_str() {
                "--commands" => arguments.commands = value.parse().map_err(|_| wrong())?,
                "--seed" => arguments.seed = value.parse().map_err(|_| wrong())?,
                "--chapter" => arguments.chapter = Some(value.parse().map_err(|_| wrong())?),
                "--cores" => arguments.cores = numbers(&value).ok_or_else(wrong)?,
                "--resp" => arguments.resp = numbers(&value).ok_or_else(wrong)?,
                _ => return Err(word),
            }
        }
        Ok(arguments)
    }
}

fn numbers<N: std::str::FromStr>(list: &str) -> Option<Vec<N>> {
    list.split(',').map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_replay_is_one_chapter_of_one_combination() {
        let arguments = parse("--chapter 77 --cores 2 --resp 3").expect("a good line");
        assert_eq!(arguments.chapter, Some(77));
        assert_eq!((arguments.cores, arguments.resp), (vec![2], vec![3]));
    }

    #[test]
    fn an_unknown_word_is_named() {
        assert_eq!(parse("--comands 7").expect_err("a typo"), "--comands");
        assert_eq!(parse("--seed x").expect_err("no number"), "--seed x");
    }
}
