//! The smoke run, in a process of its own: the candidate is cast in small worlds, by the game's own code, before anybody can cast it in theirs. What it does there is no
//! proof of anything, but most spells that would be stopped in their first minute are stopped here, and their author reads why, and where.
//!
//! Standard input: the public key that the artifact is signed with, as 64 hex digits, and the artifact. Standard output: an [`Answer`] as JSON.

use crate::diagnostics::placeless;
use crate::limits::{SMOKE_CASTS_MAX, SMOKE_OUTPUT_BYTES_MAX};
use game::scenario::{self, Fault, Report};
use game::{Capabilities, EPOCH_TICK_MS, LoadedRevision, Loader, PublicKey, Runtime, TICK_HZ};
use protocol::job::{Diagnostic, Severity};
use protocol::limits::{ARTIFACT_BYTES_MAX, DIAGNOSTICS_MAX};
use protocol::manifest::Measured;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::time::Duration;

/// Characters of a public key in hex.
const KEY_CHARS: usize = 64;
/// Mana that players of a world have, if nothing else is said.
const USUAL_MANA: f32 = 100.0;

/// One world in which the spell is cast.
struct Situation {
    name: &'static str,
    /// As [`scenario`] reads it. `{mana}` is what players have.
    text: &'static str,
    /// Whether its casters can pay for no more than the cast itself.
    is_poor: bool,
}

/// Two seconds of each: a projectile has come down by then, and a cast that goes on does what it does again and again. Alone it gets fifteen, for what some do at their end.
const SITUATIONS: [Situation; 7] = [
    Situation { name: "alone", is_poor: false, text: "cast as kim at 0 1.9 0 aim 0 0 -1\nsettle 900 ticks" },
    Situation {
        name: "crowd",
        is_poor: false,
        text: "npc a at 0 1.9 -3\nnpc b at 1.5 1.9 -3.5 health 5\nnpc c at -1.5 1.9 -4\nnpc d at 3 1.9 -6\nnpc e at -3 1.9 -6\nnpc f at 0 1.9 4\n\
               player ann at 2 1.9 1 health 40\nplayer bob at -2 1.9 1\nprop crate at 1 2 -2\n\
               cast as kim at 0 1.9 0 aim 0 0 -1 target a\nsettle 120 ticks",
    },
    Situation {
        name: "wall",
        is_poor: false,
        text: "prop one at -1 2 -2\nprop two at 0 2 -2\nprop three at 1 2 -2\nprop four at -0.5 3.2 -2\nprop five at 0.5 3.2 -2\n\
               cast as kim at 0 1.9 0 aim 0 0 -1\nsettle 120 ticks",
    },
    Situation { name: "straight up", is_poor: false, text: "npc a at 0 1.9 -3\ncast as kim at 0 1.9 0 aim 0 1 0\nsettle 60 ticks" },
    Situation {
        name: "straight down",
        is_poor: false,
        text: "world seed 2\nnpc a at 1 1.9 1\ncast as kim at 0 1.9 0 aim 0 -1 0\nsettle 60 ticks",
    },
    Situation { name: "low mana", is_poor: true, text: "npc a at 0 1.9 -3\ncast as kim at 0 1.9 0 aim 0 0 -1 target a\nsettle 120 ticks" },
    Situation {
        name: "second caster",
        is_poor: false,
        text: "world seed 3\nplayer ann at 0 1.9 -6 health 60\ncast as kim at 0 1.9 0 aim 0 0 -1 target ann\ncast as ann aim 0 0 1 target kim\nrun 20 ticks\nreload\nsettle 100 ticks",
    },
];

/// What the smoke run says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// In figures.
    pub measured: Measured,
    /// Errors, for which the candidate is refused, and warnings.
    pub findings: Vec<Diagnostic>,
    /// Some cast was stopped.
    pub is_stopped: bool,
}

/// Reads an artifact from standard input, casts it, writes the answer to standard output.
pub fn serve() -> io::Result<()> {
    let (mut key, mut artifact) = ([0; KEY_CHARS], Vec::new());
    let mut input = io::stdin().lock();
    input.read_exact(&mut key)?;
    input.take(ARTIFACT_BYTES_MAX as u64).read_to_end(&mut artifact)?;
    let key = PublicKey::from_hex(&String::from_utf8_lossy(&key)).map_err(io::Error::other)?;
    let runtime = Runtime::new(SMOKE_CASTS_MAX).map_err(io::Error::other)?;
    keep_time(&runtime);
    let loaded =
        Loader::new(runtime, key).admitting_wasi(true).load("candidate", "rev_000000_00000000", &artifact).map_err(io::Error::other)?;
    // One thread: the sandbox has one CPU's time to give, and a cast or two need no more.
    let answer = game::threads(1)?.install(|| run(&loaded));
    io::stdout().write_all(&serde_json::to_vec(&answer)?)
}

/// A call that its fuel does not end is ended by time, as on a server.
fn keep_time(runtime: &Runtime) {
    let tick = runtime.epoch_ticker();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(EPOCH_TICK_MS));
            tick();
        }
    });
}

/// Casts it in every situation.
pub fn run(candidate: &LoadedRevision) -> Answer {
    let mut answer = Answer { measured: Measured::default(), findings: Vec::new(), is_stopped: false };
    let mut needed = Capabilities::default();
    for situation in &SITUATIONS {
        let candidate = candidate.counted_anew();
        let report = play(situation, &candidate);
        answer.add(situation, &candidate, &report);
        needed = Capabilities::from_bits(needed.bits() | candidate.usage().needed().bits());
    }
    answer.judge(candidate, needed);
    answer
}

fn play(situation: &Situation, candidate: &LoadedRevision) -> Report {
    let cast_mana = candidate.spec.cast_mana;
    // A whole number whatever the envelope costs: what is beyond is cut off.
    let mana = if situation.is_poor { cast_mana.ceil() + 1.0 } else { (cast_mana * 2.0).ceil().max(USUAL_MANA) } as u32;
    let text = format!("world small\nworld mana {mana}\n{}", situation.text);
    scenario::run(&scenario::parse(&text).expect("a test reads all situations"), candidate)
}

impl Answer {
    fn add(&mut self, situation: &Situation, candidate: &LoadedRevision, report: &Report) {
        let usage = candidate.usage();
        let measured = &mut self.measured;
        measured.casts += report.casts;
        measured.calls += usage.calls() as u32;
        measured.fuel += usage.fuel();
        measured.call_fuel_max = measured.call_fuel_max.max(usage.call_fuel_max());
        if report.casts > 0 {
            let upkeep = usage.mana() / report.casts as f32;
            let seconds = (report.digests.len() as f32 / TICK_HZ as f32).max(1.0);
            measured.upkeep_mana_per_s = measured.upkeep_mana_per_s.max(rounded(upkeep / seconds));
            let all = rounded(candidate.spec.cast_mana + upkeep);
            if all > measured.cast_mana_max {
                (measured.cast_mana_max, measured.worst_situation) = (all, situation.name.to_owned());
            }
        }
        // A cast that time has ended says that this machine is busy. One that was refused before it ran says what casters see.
        let faults = report.faults.iter().filter(|fault| !fault.hook.is_empty() && fault.limit != "time");
        for fault in faults {
            self.is_stopped = true;
            self.find(fault_finding(situation, fault));
        }
        for failure in report.failures().filter(|_| report.faults.is_empty()) {
            let message = format!("a cast does not go on from what it saved as it would have without ({}, {failure})", situation.name);
            self.find(warning(
                "save",
                &message,
                Some("what a spell remembers must be in its state, and `restore` must take what `save` gave"),
            ));
        }
        let denied = report.logs.iter().filter(|line| line.text.ends_with("the envelope does not declare its capability"));
        for line in denied {
            let words = line.text.split_once(": ").map_or(line.text.as_str(), |(_, words)| words);
            self.find(at(placeless("capability", words, Some("add it to the envelope, by `.can(Can::...)`")), &line.text));
        }
    }

    fn judge(&mut self, candidate: &LoadedRevision, needed: Capabilities) {
        let declared = candidate.envelope().capabilities;
        let of_use = |name: &&str| *name != "read_world";
        self.measured.used = needed.names().filter(of_use).map(str::to_owned).collect();
        self.measured.unused = declared.without(needed).names().filter(of_use).map(str::to_owned).collect();
        // Whether an edit crosses chunks depends on where it is made: a spell may well live with the refusal.
        for name in needed.without(declared).names().filter(|name| *name != "cross_chunk") {
            let help = format!("add it to the envelope: `.can(Can::{})`", name.to_uppercase());
            let place = self.findings.iter().find(|found| found.code == "capability" && found.line > 0).cloned();
            let found =
                placeless("capability", &format!("calls for the capability {name}, which the envelope does not declare"), Some(&help));
            let placed = place.map_or(found.clone(), |at| Diagnostic { message: found.message, help: found.help, ..at });
            self.findings.insert(0, placed);
        }
        // What was stopped has not shown all that it does.
        let unused = if self.is_stopped { Vec::new() } else { self.measured.unused.clone() };
        for name in unused {
            let message = format!("declares the capability {name}, which no cast needed in the small worlds of this build");
            self.find(warning("unused_capability", &message, Some("what is declared is what casters pay for, and what worlds may refuse")));
        }
        if candidate.spec.cast_mana > USUAL_MANA {
            let message =
                format!("a cast costs {:.1} mana, and players of most worlds have at most {USUAL_MANA}", candidate.spec.cast_mana);
            self.find(warning("mana", &message, Some("declare a smaller envelope: docs/spells.md has what each part of it costs")));
        }
        self.findings.sort_by_key(|found| found.severity == Severity::Warning);
        self.findings.truncate(DIAGNOSTICS_MAX);
    }

    /// Once for each code and place: the first situation says enough.
    fn find(&mut self, found: Diagnostic) {
        let place = |found: &Diagnostic| (found.code.clone(), found.line, found.column);
        let is_known = self.findings.iter().any(|known| {
            place(known) == place(&found) && (found.line > 0 || found.severity == Severity::Error || known.message == found.message)
        });
        if !is_known {
            self.findings.push(found);
        }
    }
}

fn rounded(mana: f32) -> f32 {
    (mana * 1000.0).round() / 1000.0
}

fn fault_finding(situation: &Situation, fault: &Fault) -> Diagnostic {
    let message = format!("{} was stopped in the situation `{}`: {}", fault.hook, situation.name, fault.message);
    at(placeless(fault.limit, &message, Some("docs/spells.md says what each limit is and what to do about it")), &fault.message)
}

fn warning(code: &str, message: &str, help: Option<&str>) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..placeless(code, message, help) }
}

/// The finding at the place that these words name as `src/lib.rs:12:9`, if they name one.
fn at(found: Diagnostic, words: &str) -> Diagnostic {
    let place = words.split_whitespace().find_map(|word| {
        let mut parts = word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).split(':');
        let (file, line, column) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (file.starts_with("src/") && file.ends_with(".rs")).then(|| (file.to_owned(), line, column))
    });
    match place {
        Some((file, line, column)) => Diagnostic { file, line, column, end_line: line, end_column: column + 1, ..found },
        None => found,
    }
}

/// The answer again. It comes from a process that ran what an author wrote: nothing in it is believed but that it parses.
pub fn decode(bytes: &[u8]) -> io::Result<Answer> {
    if bytes.len() > SMOKE_OUTPUT_BYTES_MAX {
        return Err(io::Error::other("the smoke run's answer is too long"));
    }
    let mut answer: Answer = serde_json::from_slice(bytes)?;
    answer.findings.truncate(DIAGNOSTICS_MAX);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_situation_reads() {
        for situation in &SITUATIONS {
            scenario::parse(&format!("world small\nworld mana 100\n{}", situation.text)).expect(situation.name);
        }
    }

    #[test]
    fn a_place_is_found_among_words() {
        let found = |words: &str| at(placeless("x", "y", None), words);
        let place = |words: &str| (found(words).file, found(words).line, found(words).column);
        assert_eq!(place("panicked at src/lib.rs:12:9: index out of bounds"), ("src/lib.rs".into(), 12, 9));
        assert_eq!(place("unreachable; its last error was \"panicked at src/flame.rs:1:2: no\""), ("src/flame.rs".into(), 1, 2));
        assert_eq!(place("panicked at /sdk/src/world.rs:12:9"), (String::new(), 0, 0));
        assert_eq!(place("at 12:30:11"), (String::new(), 0, 0));
    }
}
