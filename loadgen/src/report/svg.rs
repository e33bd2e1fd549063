//! The latency plot: time against percentile, both on logarithmic scales.
//!
//! The horizontal axis spreads out the nines (90, 99, 99.9 ... each take the same width), because
//! that is where systems differ; the vertical one has a line for each 1, 2 and 5.

use std::fmt::Write;

use super::{grouped, rows, time};
use crate::plan::Plan;
use crate::run::Outcome;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 56.0;
const COLOURS: [&str; 4] = ["#1b4f72", "#1e8449", "#b03a2e", "#7d3c98"];

struct Curve {
    name: &'static str,
    points: Vec<(f64, u64)>,
}

/// Maps quantiles and nanoseconds to the drawing.
struct Axes {
    nines: f64,
    low_ns: f64,
    high_ns: f64,
}

impl Axes {
    fn x(&self, quantile: f64) -> f64 {
        let nines = -(1.0 - quantile).max(1e-12).log10();
        LEFT + nines / self.nines * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, ns: f64) -> f64 {
        let height = (ns.max(self.low_ns) / self.low_ns).ln() / (self.high_ns / self.low_ns).ln();
        HEIGHT - BOTTOM - height * (HEIGHT - TOP - BOTTOM)
    }
}

/// The plot of one phase.
pub fn of(plan: &Plan, outcome: &Outcome) -> String {
    let record = &outcome.record;
    let curves: Vec<Curve> = rows(record)
        .into_iter()
        .map(|(name, kind)| Curve { name, points: record.latencies(kind).tail() })
        .filter(|curve| !curve.points.is_empty())
        .collect();
    let times = || curves.iter().flat_map(|curve| &curve.points).map(|(_, ns)| *ns as f64);
    let low = times().fold(f64::INFINITY, f64::min).clamp(100.0, 1e12);
    let high = times().fold(low, f64::max);
    let deepest = curves.iter().filter_map(|curve| curve.points.last()).map(|(q, _)| 1.0 - q);
    let axes = Axes {
        nines: (-deepest.fold(0.1, f64::min).log10()).ceil().max(2.0),
        low_ns: step_below(low),
        high_ns: step_above(high.max(low * 1.5)),
    };
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = frame(&mut out, &title(plan, outcome), &axes)
        .and_then(|()| draw(&mut out, &curves, &axes))
        .and_then(|()| writeln!(out, "</svg>"));
    out
}

fn title(plan: &Plan, outcome: &Outcome) -> String {
    format!(
        "{}, {} connections x pipeline {}, {}/s, {} to {}",
        outcome.phase.name,
        outcome.connections,
        outcome.phase.pipeline,
        grouped(outcome.record.rate() as u64),
        outcome.phase.dialect.wire.name(),
        plan.address,
    )
}

fn frame(out: &mut String, title: &str, axes: &Axes) -> std::fmt::Result {
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"15\">{}</text>",
        escaped(title)
    )?;
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for ns in steps(axes.low_ns, axes.high_ns) {
        let y = axes.y(ns);
        writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.5,
            short_time(ns as u64)
        )?;
    }
    for (label, quantile) in marks(axes.nines) {
        let x = axes.x(quantile);
        writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#ddd\"/>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 20.0
        )?;
    }
    writeln!(
        out,
        "<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" \
         stroke=\"#888\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">percent of requests answered \
         within</text>\n\
         <text transform=\"translate(18 {:.1}) rotate(-90)\" text-anchor=\"middle\">latency</text>",
        right - LEFT,
        bottom - TOP,
        (LEFT + right) / 2.0,
        HEIGHT - 12.0,
        (TOP + bottom) / 2.0,
    )
}

fn draw(out: &mut String, curves: &[Curve], axes: &Axes) -> std::fmt::Result {
    for (at, curve) in curves.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        write!(out, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"")?;
        for (quantile, ns) in &curve.points {
            write!(out, "{:.1},{:.1} ", axes.x(*quantile), axes.y(*ns as f64))?;
        }
        let x = LEFT + 130.0 * at as f64;
        writeln!(
            out,
            "\"/>\n<line x1=\"{x}\" y1=\"46\" x2=\"{}\" y2=\"46\" stroke=\"{colour}\" \
             stroke-width=\"3\"/>\n<text x=\"{}\" y=\"50\">{}</text>",
            x + 24.0,
            x + 30.0,
            curve.name
        )?;
    }
    Ok(())
}

/// 50, 90, 99 ... as far as the axis reaches.
fn marks(nines: f64) -> Vec<(String, f64)> {
    let mut marks = vec![("0".to_owned(), 0.0), ("50".to_owned(), 0.5)];
    for depth in 1..=nines as usize {
        let label = match depth {
            1 => "90".to_owned(),
            2 => "99".to_owned(),
            _ => format!("99.{}", "9".repeat(depth - 2)),
        };
        marks.push((label, 1.0 - 10f64.powi(-(depth as i32))));
    }
    marks
}

/// The numbers 1, 2, 5, 10, 20 ... between two of their kind, ends included.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let mut steps = vec![low];
    while steps.last().is_some_and(|last| last * 1.01 < high) {
        let last = steps[steps.len() - 1];
        let lead = last / 10f64.powf(last.log10().floor());
        steps.push(last * if (1.9..2.1).contains(&lead) { 2.5 } else { 2.0 });
    }
    steps
}

fn step_below(ns: f64) -> f64 {
    let power = 10f64.powf(ns.log10().floor());
    [5.0, 2.0].into_iter().map(|lead| lead * power).find(|step| *step <= ns).unwrap_or(power)
}

fn step_above(ns: f64) -> f64 {
    let power = 10f64.powf(ns.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|lead| lead * power)
        .find(|step| *step >= ns)
        .unwrap_or(power * 10.0)
}

/// A round number of nanoseconds without decimals.
fn short_time(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        _ => time(ns).replace(".00", "").replace(".0 ", " "),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_plot_has_a_curve_a_kind_and_readable_axes() {
        let (plan, outcomes) = sample::run();
        let text = of(&plan, &outcomes[0]);
        assert_eq!(text.matches("<polyline").count(), 3);
        for label in [">50<", ">99<", ">99.99<", ">1 ms<", ">2 us<", ">latency<"] {
            assert!(text.contains(label), "no {label} in\n{text}");
        }
        assert!(text.starts_with("<svg") && text.ends_with("</svg>\n"));
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn a_run_without_a_single_answer_still_draws() {
        let (plan, mut outcomes) = sample::run();
        outcomes[0].record = crate::record::Record::new();
        let text = of(&plan, &outcomes[0]);
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn scale_steps_are_ones_twos_and_fives() {
        assert_eq!((step_below(3_400.0), step_above(3_400.0)), (2_000.0, 5_000.0));
        let steps: Vec<u64> =
            steps(100.0, 2_000.0).iter().map(|step| step.round() as u64).collect();
        assert_eq!(steps, [100, 200, 500, 1000, 2000]);
    }
}
