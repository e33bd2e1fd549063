//! The capacity calculator: sizes a cluster from its inputs and checks the design's own figures.
//!
//! The two designs Freehold answers to state figures (requirements R24 to R30). Each is a row here
//! with its formula; with the default inputs the row is held against what was stated, and where a
//! figure does not follow from its inputs, or leaves something out, that is said. Overriding an
//! input recalculates everything that depends on it.

mod figures;

use std::fmt::Write;

use crate::notation;
use figures::{FIGURES, Figure, INPUTS, Unit};

/// A stated amount may be rounded this far and still follow; a count may not.
const ROUNDING: f64 = 0.018;
const SECONDS_PER_DAY: f64 = 86_400.0;

/// The inputs of a calculation, by position in [`INPUTS`].
#[derive(Clone, PartialEq, Debug)]
pub struct Inputs(Vec<f64>);

impl Default for Inputs {
    fn default() -> Self {
        Inputs(INPUTS.iter().map(|input| input.default).collect())
    }
}

impl Inputs {
    /// The defaults with `name=number` changes.
    ///
    /// # Errors
    /// When a name is unknown or a number is none.
    pub fn assuming(changes: &[String]) -> Result<Inputs, String> {
        let mut inputs = Inputs::default();
        for change in changes {
            let (name, number) = change
                .split_once('=')
                .ok_or_else(|| format!("--assume {change}: write name=number"))?;
            let at = INPUTS.iter().position(|input| input.name == name).ok_or_else(|| {
                let names: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
                format!("--assume {name}: there is no such input; there are {}", names.join(", "))
            })?;
            let number = notation::quantity(number)?;
            if number <= 0.0 {
                return Err(format!("--assume {change}: the number must be above 0"));
            }
            inputs.0[at] = number;
        }
        Ok(inputs)
    }

    /// # Panics
    /// When there is no such input, which a test rules out.
    pub fn get(&self, name: &str) -> f64 {
        let at = INPUTS.iter().position(|input| input.name == name);
        self.0[at.unwrap_or_else(|| panic!("no input is called {name}"))]
    }
}

/// How a calculated figure relates to the stated one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Follows,
    DoesNotFollow,
    /// Nothing was stated, or not for these inputs.
    Unstated,
}

fn standing(figure: &Figure, inputs: &Inputs) -> Standing {
    let value = (figure.formula)(inputs);
    match figure.stated {
        Some(stated) if *inputs == Inputs::default() => {
            let slack = if figure.unit == Unit::Number { 0.0 } else { ROUNDING * stated };
            if (value - stated).abs() <= slack {
                Standing::Follows
            } else {
                Standing::DoesNotFollow
            }
        }
        _ => Standing::Unstated,
    }
}

/// The whole report, within 80 columns.
///
/// # Errors
/// As [`Inputs::assuming`].
pub fn report(changes: &[String]) -> Result<String, String> {
    let inputs = Inputs::assuming(changes)?;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_inputs(&mut out, &inputs).and_then(|()| write_figures(&mut out, &inputs));
    Ok(out)
}

fn write_inputs(out: &mut String, inputs: &Inputs) -> std::fmt::Result {
    writeln!(out, "Inputs (change one with --assume name=number)")?;
    for input in INPUTS {
        let value = shown(inputs.get(input.name), input.unit);
        writeln!(out, "  {:<22}{value:>12}  {}", input.name, input.what)?;
    }
    writeln!(out)
}

fn write_figures(out: &mut String, inputs: &Inputs) -> std::fmt::Result {
    writeln!(out, "Figures{:>43}{:>14}", "calculated", "stated")?;
    for figure in FIGURES {
        let value = shown((figure.formula)(inputs), figure.unit);
        let standing = standing(figure, inputs);
        let stated = match (standing, figure.stated) {
            (Standing::Unstated, _) | (_, None) => "-".into(),
            (_, Some(stated)) => shown(stated, figure.unit),
        };
        let word = match standing {
            Standing::Follows => "follows",
            Standing::DoesNotFollow => "DOES NOT",
            Standing::Unstated => "",
        };
        let line =
            format!("{:<4} {:<33}{value:>12}{stated:>14}  {word}", figure.requirement, figure.name);
        writeln!(out, "{}", line.trim_end())?;
        for line in wrapped(&(figure.remark)(inputs), 70) {
            writeln!(out, "       {line}")?;
        }
    }
    Ok(())
}

/// A number with the unit that reads best, decimal prefixes.
fn shown(value: f64, unit: Unit) -> String {
    let scaled = |base: &str| {
        let (factor, prefix) = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")]
            .into_iter()
            .find(|(factor, _)| value >= *factor)
            .unwrap_or((1.0, ""));
        let number = value / factor;
        let decimals = match number {
            ..10.0 => 3,
            ..100.0 => 2,
            _ => 1,
        };
        let digits = format!("{number:.decimals$}");
        format!("{} {prefix}{base}", digits.trim_end_matches('0').trim_end_matches('.'))
    };
    match unit {
        Unit::Number => scaled("").trim_end().to_owned(),
        Unit::PerSecond => scaled("/s"),
        Unit::Bytes => scaled("B"),
        Unit::BytesPerSecond => scaled("B/s"),
        Unit::Hours => format!("{value} h"),
    }
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> f64 {
        let figure = FIGURES.iter().find(|figure| figure.name == name).expect("a figure");
        (figure.formula)(&Inputs::default())
    }

    #[test]
    fn the_designs_figures_come_out_of_their_inputs() {
        assert_eq!(value("total rate"), 1_200_000.0);
        assert_eq!(value("nodes for that rate, at least"), 12.0);
        assert_eq!(value("data"), 1e12);
        assert_eq!(value("a node of those, with replicas"), 250e9);
        assert!((value("a node as provisioned") - 83.3e9).abs() < 0.1e9);
        assert_eq!(value("write-ahead log a day"), 1.728e12);
        assert_eq!(value("one snapshot"), 200e9);
        assert!((value("cold data a node") - 277.8e9).abs() < 0.1e9);
        assert_eq!(value("reads"), 1e9);
        assert_eq!(value("writes"), 200e6);
        assert_eq!(value("replication"), 400e6);
        assert_eq!(value("gossip"), 36e3);
        assert_eq!(value("primaries by memory"), 157.0);
        assert_eq!(value("nodes with replicas"), 320.0);
        assert_eq!(value("rate a primary"), 62_500.0);
    }

    #[test]
    fn exactly_the_figures_that_do_not_follow_are_named() {
        let inputs = Inputs::default();
        let wrong: Vec<&str> = FIGURES
            .iter()
            .filter(|figure| standing(figure, &inputs) == Standing::DoesNotFollow)
            .map(|figure| figure.name)
            .collect();
        assert_eq!(wrong, ["a node as provisioned", "primaries by memory"]);
    }

    #[test]
    fn every_requirement_has_a_figure_and_the_report_fits_eighty_columns() {
        let text = report(&[]).expect("the defaults are valid");
        for requirement in ["R24", "R25", "R26", "R27", "R28", "R29", "R30"] {
            assert!(text.contains(requirement), "{requirement} is missing");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn an_overridden_input_recalculates_what_depends_on_it() {
        let text = report(&["reads_per_second=3.8m".into()]).expect("valid");
        assert!(text.contains("4 M/s"), "{text}");
        assert!(!text.contains("follows"), "nothing was stated for these inputs");
        assert!(report(&["reads=1".into()]).unwrap_err().contains("reads_per_second"));
        assert!(report(&["keys=0".into()]).unwrap_err().contains("above 0"));
    }
}
