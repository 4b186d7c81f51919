//! What a benchmark leaves behind: a table on the screen, `docs/benchmarks/<area>.json`, and a plot beside it.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use plotters::prelude::*;
use serde::Serialize;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much of a machine's time a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// What is written down in docs/benchmarks.
    Full,
    /// Small parameters, to see that it works; written to target/benchmarks.
    Trial,
}

impl Effort {
    /// One of two parameters.
    pub fn pick<T>(self, full: T, trial: T) -> T {
        if self == Self::Full { full } else { trial }
    }
}

/// One area's figures. The keys are listed in `docs/benchmarks.md`.
#[derive(Serialize)]
pub struct Report {
    area: &'static str,
    commit: String,
    machine: String,
    /// The machine's one-minute load average when the run began; the run itself adds one or two.
    load: String,
    rows: Vec<Row>,
    #[serde(skip)]
    effort: Effort,
}

/// One figure, and what it is measured against.
#[derive(Clone, Serialize)]
pub struct Row {
    /// `<what>.<which>`, stable between runs.
    pub key: &'static str,
    /// Of `value`, `min`, `max` and `against_value`.
    pub unit: &'static str,
    /// The median over the rounds.
    pub value: f64,
    /// The best round.
    pub min: f64,
    /// The worst round.
    pub max: f64,
    /// The contender.
    pub against: String,
    /// The contender's median in the same run.
    pub against_value: Option<f64>,
    /// `value / against_value`.
    pub ratio: Option<f64>,
    /// What we want of the ratio, or of the value where there is no contender.
    pub aim: &'static str,
    /// How it was measured.
    pub how: String,
}

/// The figures of several rounds.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// At least one figure.
    pub fn new(mut figures: Vec<f64>) -> Self {
        assert!(!figures.is_empty(), "a benchmark without rounds");
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }
    /// The figure that `share` (0 to 1) of all figures do not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }
    /// Half of them are below.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
    /// The figure that `share` of all do not exceed, alone.
    pub fn only(&self, share: f64) -> Self {
        Self(vec![self.quantile(share)])
    }
    /// A row without a contender.
    pub fn row(&self, key: &'static str, unit: &'static str, aim: &'static str, how: impl Into<String>) -> Row {
        Row {
            key,
            unit,
            value: self.median(),
            min: self.quantile(0.0),
            max: self.quantile(1.0),
            against: String::new(),
            against_value: None,
            ratio: None,
            aim,
            how: how.into(),
        }
    }
    /// A row against a contender of the same run.
    pub fn against(
        &self,
        other: &Self,
        name: &str,
        key: &'static str,
        unit: &'static str,
        aim: &'static str,
        how: impl Into<String>,
    ) -> Row {
        let ratio = self.median() / other.median();
        Row { against: name.into(), against_value: Some(other.median()), ratio: Some(ratio), ..self.row(key, unit, aim, how) }
    }
}

/// A curve for the plot: a name and its points.
pub type Series = (String, Vec<(f64, f64)>);

impl Report {
    /// Takes down where and of what this run is.
    pub fn begin(area: &'static str, effort: Effort) -> Self {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("?").into();
        Self { area, commit: commit(), machine: machine(), load, rows: Vec::new(), effort }
    }

    /// Adds figures.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows);
    }

    /// Prints the table and writes the JSON.
    pub fn finish(&self) -> Result<()> {
        let folder = self.folder()?;
        std::fs::write(folder.join(format!("{}.json", self.area)), serde_json::to_string_pretty(self)? + "\n")?;
        let table = self.table();
        println!("\n{table}");
        if self.effort == Effort::Trial {
            return Ok(());
        }
        tell(&folder.join("../benchmarks.md"), self.area, &table)
    }

    fn folder(&self) -> Result<PathBuf> {
        let place = self.effort.pick("../docs/benchmarks", "../target/benchmarks");
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(place);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder)
    }

    fn table(&self) -> String {
        let mut table = format!("{} at {} on {} (load {})\n\n", self.area, self.commit, self.machine, self.load);
        table += "| key | median | min | max | unit | against | its median | ratio | aim |\n|---|---|---|---|---|---|---|---|---|\n";
        for row in &self.rows {
            let other = row.against_value.map(figure).unwrap_or_default();
            let ratio = row.ratio.map(|ratio| format!("{}x", figure(ratio))).unwrap_or_default();
            let (value, min, max) = (figure(row.value), figure(row.min), figure(row.max));
            table += &format!(
                "| `{}` | {value} | {min} | {max} | {} | {} | {other} | {ratio} | {} |\n",
                row.key, row.unit, row.against, row.aim
            );
        }
        table
    }

    /// Draws one bar for each contender, with its spread between best and worst round.
    pub fn bars(&self, name: &str, title: &str, unit: &str, bars: &[(&str, &Samples)]) -> Result<()> {
        let path = self.folder()?.join(format!("{name}.svg"));
        let area = SVGBackend::new(&path, (760, 60 + 46 * bars.len() as u32)).into_drawing_area();
        area.fill(&WHITE)?;
        let longest = bars.iter().map(|(_, samples)| samples.quantile(1.0)).fold(0.0, f64::max);
        area.draw(&Text::new(title, (14, 14), ("sans-serif", 18)))?;
        for (index, (name, samples)) in bars.iter().enumerate() {
            let top = 52 + 46 * index as i32;
            let end = |value: f64| 150 + (value / longest * 430.0) as i32;
            let color = Palette99::pick(index);
            area.draw(&Text::new(name.to_string(), (14, top + 4), ("sans-serif", 14)))?;
            area.draw(&Rectangle::new([(150, top), (end(samples.median()), top + 22)], color.filled()))?;
            area.draw(&PathElement::new(
                vec![(end(samples.quantile(0.0)), top + 11), (end(samples.quantile(1.0)), top + 11)],
                BLACK.stroke_width(2),
            ))?;
            let label = format!("{} {unit}", figure(samples.median()));
            area.draw(&Text::new(label, (end(samples.quantile(1.0)) + 10, top + 4), ("sans-serif", 14)))?;
        }
        area.present()?;
        Ok(())
    }

    /// Draws one plot beside the JSON with both axes logarithmic, where a power law is a straight line.
    pub fn growth(&self, name: &str, title: &str, axes: (&str, &str), series: &[Series]) -> Result<()> {
        let path = self.folder()?.join(format!("{name}.svg"));
        let range = |of: fn(&(f64, f64)) -> f64| {
            let all = || series.iter().flat_map(|(_, points)| points.iter().map(of)).filter(|value| *value > 0.0);
            all().fold(f64::INFINITY, f64::min) * 0.8..all().fold(0.0, f64::max) * 1.4
        };
        let area = SVGBackend::new(&path, (760, 520)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(14)
            // Room for the legend.
            .margin_right(130)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(range(|(x, _)| *x).log_scale(), range(|(_, y)| *y).log_scale())?;
        // Towards the next power of ten the ticks are too near to each other for all their labels.
        let sparse =
            |x: &f64| if [1.0, 2.0, 5.0].contains(&(x / 10_f64.powf(x.log10().floor())).round()) { x.to_string() } else { String::new() };
        chart.configure_mesh().x_label_formatter(&sparse).x_desc(axes.0).y_desc(axes.1).light_line_style(WHITE).draw()?;
        let mut names = Vec::new();
        for (index, (name, points)) in series.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            chart.draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3))?;
            let (x, y) = chart.backend_coord(&points.last().copied().unwrap_or_default());
            names.push((y - 6, x + 8, name.clone(), color));
        }
        // Each name stands behind the end of its line, below those of the lines above.
        names.sort_by_key(|(y, ..)| *y);
        let mut free = 0;
        for (y, x, name, color) in names {
            let y = y.max(free);
            free = y + 14;
            area.draw(&Text::new(name, (x, y), ("sans-serif", 13).into_font().color(&color)))?;
        }
        area.present()?;
        Ok(())
    }

    /// Draws one plot beside the JSON.
    pub fn plot(&self, name: &str, title: &str, axes: (&str, &str), series: &[Series]) -> Result<()> {
        let path = self.folder()?.join(format!("{name}.svg"));
        let points = || series.iter().flat_map(|(_, points)| points.iter().copied());
        let x_max = points().map(|(x, _)| x).fold(0.0, f64::max) * 1.02;
        let y_max = points().map(|(_, y)| y).fold(0.0, f64::max) * 1.35;
        let area = SVGBackend::new(&path, (760, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(14)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..x_max, 0.0..y_max)?;
        chart.configure_mesh().x_desc(axes.0).y_desc(axes.1).light_line_style(WHITE).draw()?;
        for (index, (name, points)) in series.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .background_style(WHITE)
            .border_style(BLACK.mix(0.2))
            .position(SeriesLabelPosition::UpperLeft)
            .draw()?;
        area.present()?;
        Ok(())
    }
}

/// Runs every contender once a round, in turn, so that a slow minute of the machine meets all of them; each answers with its figure.
pub fn interleave(rounds: usize, contenders: &mut [(&str, &mut dyn FnMut() -> f64)]) -> Vec<Samples> {
    let mut figures = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (index, (name, contender)) in contenders.iter_mut().enumerate() {
            progress(&format!("round {round}/{rounds}, {name}"));
            let figure = contender();
            // Round 0 warms up.
            if round > 0 {
                figures[index].push(figure);
            }
        }
    }
    progress("");
    figures.into_iter().map(Samples::new).collect()
}

/// Shows on a terminal where a long run stands; an empty text clears the line.
pub fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    }
}

/// A bar for what is counted and takes minutes; hidden where nobody looks.
pub fn bar(name: &str, length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len}, {eta} left  {msg}").expect("the template is ours");
    ProgressBar::new(length as u64).with_style(style).with_prefix(name.to_owned())
}

/// The exponent k of the power law y = c * x^k that fits the points best (least squares on the logarithms).
pub fn growth_exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<_> = points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) = (logs.iter().map(|p| p.0).sum::<f64>() / count, logs.iter().map(|p| p.1).sum::<f64>() / count);
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    covariance / logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum::<f64>()
}

/// Three significant digits.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Puts the table into the story, between the area's marks.
fn tell(story: &Path, area: &str, table: &str) -> Result<()> {
    let text = std::fs::read_to_string(story).with_context(|| format!("{} cannot be read", story.display()))?;
    let (begin, end) = (format!("<!-- {area} -->\n"), format!("<!-- end of {area} -->\n"));
    let (before, rest) = text.split_once(&begin).with_context(|| format!("{} has no mark {begin:?}", story.display()))?;
    let (_, after) = rest.split_once(&end).with_context(|| format!("{} has no mark {end:?}", story.display()))?;
    Ok(std::fs::write(story, format!("{before}{begin}\n{table}\n{end}{after}"))?)
}

/// The commit that was measured, with a mark when the tree has other changes.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let hash = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let dirty = git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"]).is_some_and(|changes| !changes.is_empty());
    if dirty { hash + "+" } else { hash }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")).map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} threads")
}
