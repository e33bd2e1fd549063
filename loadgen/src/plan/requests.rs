//! Which requests were asked for: commands, keys, values, their distributions.

use std::sync::Arc;

use crate::cli::Cli;
use crate::notation;
use crate::wire::{Dialect, Wire};
use crate::workload::command::{TtlRange, split};
use crate::workload::{Keys, Kind, Pattern, Share, Sizes, Template, Values, Zipf};

/// Of a lognormal size that names no maximum.
const LOGNORMAL_BYTES_MAX: usize = 1 << 20;

/// The requests that were asked for.
pub struct Asked {
    pub keys: Arc<Keys>,
    pub fill: Arc<Dialect>,
    pub load: Arc<Dialect>,
    pub share: Share,
}

impl Asked {
    pub fn new(cli: &Cli, wire: Wire) -> Result<Asked, String> {
        let ttl = cli.ttl.as_deref().map(ttl).transpose()?;
        let command = cli.command.as_deref().unwrap_or_default();
        let prefix = match (&cli.key_prefix, command) {
            (Some(prefix), _) => prefix,
            (None, "incr") => "cnt:",
            (None, _) => "key:",
        };
        let count = notation::count(&cli.keys)?;
        if count == 0 {
            return Err("--keys 0 leaves nothing to ask for: give at least 1".into());
        }
        let keys = Arc::new(Keys::new(count, prefix, cli.key_size, pattern(&cli.pattern, count)?)?);
        let values = Arc::new(Values::new(sizes(&cli.value_size)?));
        let template = |line: &str| Template::new(&split(line)?, &keys);
        let set = if ttl.is_some() {
            template("SET __key__ __value__ PX __ttl__")?
        } else {
            template("SET __key__ __value__")?
        };
        let get = template("GET __key__")?;
        let dialect = |read: &Template, write: &Template| {
            let (keys, values) = (keys.clone(), values.clone());
            Arc::new(Dialect { wire, keys, values, ttl, read: read.clone(), write: write.clone() })
        };
        let fill = dialect(&get, &set);
        let (load, share) = match command {
            "" => (fill.clone(), share(&cli.ratio)?),
            "get" => (fill.clone(), Share::Only(Kind::Read)),
            "set" => (fill.clone(), Share::Only(Kind::Write)),
            line => {
                let one = template(&builtin(line)?)?;
                (dialect(&one, &one), Share::Only(one.kind))
            }
        };
        Ok(Asked { keys, fill, load, share })
    }

    /// Whether only plain get and set are asked.
    pub fn is_get_and_set(&self) -> bool {
        Arc::ptr_eq(&self.fill, &self.load)
    }
}

/// Spells a built-in command out.
fn builtin(line: &str) -> Result<String, String> {
    let (name, number) = line.split_once(':').unwrap_or((line, ""));
    let many = |piece: &str| -> Result<String, String> {
        let count = notation::count(number)?;
        if !(1..=1000).contains(&count) {
            return Err(format!(
                "--command {line}: between 1 and 1000 keys a request, e.g. {name}:10"
            ));
        }
        Ok(piece.repeat(count as usize))
    };
    Ok(match (name, line) {
        ("ping", "ping") => "PING".into(),
        ("incr", "incr") => "INCR __key__".into(),
        ("mget", _) => format!("MGET{}", many(" __key__")?),
        ("mset", _) => format!("MSET{}", many(" __key__ __value__")?),
        _ => line.into(),
    })
}

fn share(ratio: &str) -> Result<Share, String> {
    let wrong = || format!("--ratio {ratio}: write reads:writes, for example 9:1");
    let (reads, writes) = ratio.split_once(':').ok_or_else(wrong)?;
    let (reads, writes) = (notation::quantity(reads)?, notation::quantity(writes)?);
    match (reads > 0.0, writes > 0.0) {
        (true, true) => Ok(Share::Reads(reads / (reads + writes))),
        (true, false) => Ok(Share::Only(Kind::Read)),
        (false, true) => Ok(Share::Only(Kind::Write)),
        (false, false) => Err(wrong()),
    }
}

fn pattern(text: &str, count: u64) -> Result<Pattern, String> {
    let wrong = || {
        format!(
            "--pattern {text}: write uniform, sequential, zipf:0.99 (above 0, at most 10) or \
             hot:0.01:0.9 (fractions between 0 and 1)"
        )
    };
    let number = |text: &str| text.parse::<f64>().map_err(|_| wrong());
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        ["uniform"] => Ok(Pattern::Uniform),
        ["sequential"] => Ok(Pattern::Sequential),
        ["zipf"] => Ok(Pattern::Zipf(Zipf::new(count, 0.99))),
        ["zipf", theta] => match number(theta)? {
            theta if theta > 0.0 && theta <= 10.0 => Ok(Pattern::Zipf(Zipf::new(count, theta))),
            _ => Err(wrong()),
        },
        ["hot", fraction, share] => match (number(fraction)?, number(share)?) {
            (fraction, share)
                if (0.0..=1.0).contains(&fraction) && (0.0..=1.0).contains(&share) =>
            {
                let keys = ((count as f64 * fraction) as u64).clamp(1, count);
                Ok(Pattern::Hot { keys, share })
            }
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn sizes(text: &str) -> Result<Sizes, String> {
    let wrong = |why: &str| {
        format!(
            "--value-size {text}: {why}; write 64, 10-1k, lognormal:300:1.2, \
             lognormal:300:1.2:64k or 64:50,1k:40,16k:10"
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    let sizes = match parts[..] {
        ["lognormal", median, sigma, ..] if parts.len() <= 4 => {
            let max = parts.get(3).map_or(Ok(LOGNORMAL_BYTES_MAX), |max| notation::bytes(max))?;
            let sigma = sigma.parse().map_err(|_| wrong("sigma is no number"))?;
            if !(0.0..=10.0).contains(&sigma) {
                return Err(wrong("sigma is between 0 and 10"));
            }
            Sizes::LogNormal { median: notation::bytes(median)? as f64, sigma, max: max.max(1) }
        }
        [_] => {
            let (low, high) = notation::range(text, notation::bytes)?;
            if low == high { Sizes::Fixed(low) } else { Sizes::Uniform(low, high) }
        }
        _ => {
            let list: Result<Vec<(usize, f64)>, String> = text
                .split(',')
                .map(|part| {
                    let (size, weight) =
                        part.split_once(':').ok_or_else(|| wrong("a size has no weight"))?;
                    Ok((notation::bytes(size)?, notation::quantity(weight)?))
                })
                .collect();
            let list = list?;
            if list.iter().all(|(_, weight)| *weight == 0.0) {
                return Err(wrong("all weights are 0"));
            }
            Sizes::weighted(&list)
        }
    };
    match sizes.largest() {
        0..=0x2000_0000 => Ok(sizes),
        _ => Err(wrong("values above 512 MiB fit no server")),
    }
}

fn ttl(text: &str) -> Result<TtlRange, String> {
    let (low, high) = notation::range(text, notation::duration_ns)?;
    let (min_ms, max_ms) = (low / 1_000_000, high / 1_000_000);
    if min_ms == 0 {
        return Err(format!("--ttl {text}: a time to live is at least 1ms"));
    }
    Ok(TtlRange { min_ms, max_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_read() {
        assert_eq!(sizes("10-20").unwrap(), Sizes::Uniform(10, 20));
        assert_eq!(sizes("4k").unwrap(), Sizes::Fixed(4096));
        assert!(matches!(
            sizes("lognormal:300:1.2:64k").unwrap(),
            Sizes::LogNormal { max: 65536, .. }
        ));
        assert_eq!(sizes("64:50,1k:50").unwrap().largest(), 1024);
        assert!(matches!(pattern("zipf:1.2", 10).unwrap(), Pattern::Zipf(_)));
        assert!(matches!(pattern("hot:0.5:0.9", 10).unwrap(), Pattern::Hot { keys: 5, .. }));
    }
}
