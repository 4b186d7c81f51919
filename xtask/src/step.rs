//! Long tasks as named, timed steps: a spinner with the newest line on a terminal, plain lines elsewhere, the whole output when one fails.

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// The widest step name; times stand in one column after it.
const NAME_WIDTH: usize = 34;
/// What is shown of a program's newest line.
const LINE_CHARACTERS_MAX: usize = 90;

/// Runs steps and remembers how long all of them took.
pub struct Steps {
    started: Instant,
}

impl Steps {
    /// Starts the clock under a headline.
    pub fn new(title: &str) -> Self {
        eprintln!("{title}");
        Self { started: Instant::now() }
    }

    /// Runs a program to its end. A failure shows all that it printed.
    pub fn run(&self, name: &str, command: &mut Command) -> Result<()> {
        self.output(name, command).map(drop)
    }

    /// The same, and answers with what it printed, standard error included.
    pub fn output(&self, name: &str, command: &mut Command) -> Result<Vec<String>> {
        let bar = bar(name);
        let started = Instant::now();
        let (lines, success) = watch(command, |line| bar.set_message(excerpt(line))).with_context(|| format!("cannot run {command:?}"))?;
        finish(&bar, name, success, started.elapsed());
        if !success {
            eprintln!("\n{}\n", lines.join("\n"));
            bail!("{name} failed; to run it alone: {}", shell(command));
        }
        Ok(lines)
    }

    /// Runs tests, and shows the lines in which their runner sums up.
    pub fn tests(&self, name: &str, command: &mut Command) -> Result<()> {
        let lines = self.output(name, command)?;
        // Crates without tests sum up as well, and say nothing.
        let is_empty = |line: &str| line.contains(" 0 passed; 0 failed");
        let sums_up = |line: &&String| line.trim_start().starts_with("Summary [") || line.starts_with("test result:") && !is_empty(line);
        lines.iter().filter(sums_up).for_each(|line| println!("    {}", line.trim_start()));
        Ok(())
    }

    /// Runs something of our own as a step.
    pub fn call<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let bar = bar(name);
        let started = Instant::now();
        let answer = work();
        finish(&bar, name, answer.is_ok(), started.elapsed());
        answer
    }

    /// Says how long all steps took.
    pub fn done(self, message: &str) {
        eprintln!("{message} ({})", seconds(self.started.elapsed()));
    }
}

fn bar(name: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {spinner} {prefix} {elapsed:>7}  {msg:.dim}").expect("the template is ours");
    let bar = ProgressBar::new_spinner().with_style(style).with_prefix(format!("{name:NAME_WIDTH$}"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn finish(bar: &ProgressBar, name: &str, success: bool, took: Duration) {
    bar.finish_and_clear();
    let mark = if success { "ok" } else { "FAILED" };
    eprintln!("  {name:NAME_WIDTH$} {:>8}  {mark}", seconds(took));
}

/// Runs a program, hands each line to `show` as it comes, and answers with all of them and whether it succeeded.
fn watch(command: &mut Command, mut show: impl FnMut(&str)) -> std::io::Result<(Vec<String>, bool)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (sender, receiver) = channel();
    follow(child.stdout.take(), sender.clone());
    follow(child.stderr.take(), sender);
    let mut lines = Vec::new();
    for line in receiver {
        show(&line);
        lines.push(line);
    }
    Ok((lines, child.wait()?.success()))
}

/// Both streams are read at once: a program blocks when one of its pipes is full.
fn follow(stream: Option<impl Read + Send + 'static>, sender: Sender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

fn excerpt(line: &str) -> String {
    line.trim().chars().take(LINE_CHARACTERS_MAX).collect()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// The command as one would type it.
fn shell(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.get_args().fold(program, |line, argument| format!("{line} {}", argument.to_string_lossy()))
}
