//! Whether every cast ran one revision from its start to its end, or was moved to another by the book: what clients were told, tick by tick, against what the
//! server's log says of switches and moves.

use super::kinds::Kind;
use super::line::Told;
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_CAST_EVENT, SPELL_TEXT};
use std::collections::BTreeMap;

/// What the game server logs; the bench has it log moved casts as well.
const SWITCHED: &str = "revision active";
const MOVED: &str = "cast goes on with another revision";
const NOT_MOVED: &str = "cast stays with its revision";
const LINES_LOST: &str = "log lines were dropped";
/// Ticks within which every cast of a spell that migrates has followed its spell: a hundred fit into a few.
const FOLLOWS_WITHIN_TICKS: u64 = 60;

/// What it comes to.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Casts that began.
    pub casts: usize,
    /// Messages of casts, each of which named its revision.
    pub messages: usize,
    /// Times that a cast was moved to another revision.
    pub moves: usize,
    /// Switches of a spell's active revision.
    pub switches: usize,
    /// Times that a cast was to be moved and stayed.
    pub not_moved: usize,
    /// What must not be.
    pub broken: Vec<String>,
}

/// Something that happened in a tick, in the order in which a tick does such things.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Event<'a> {
    Active { spell: &'a str, revision: &'a str },
    Began { spell: &'a str, caster: u64, revision: &'a str },
    Moved { spell: &'a str, caster: u64, from: &'a str, to: &'a str },
    Showed { spell: &'a str, caster: u64, revision: &'a str, count: Option<u64> },
}

/// A cast as far as it has come.
struct Live<'a> {
    revision: &'a str,
    /// The revision that it ran before, and the tick in which it was moved.
    before: Option<(&'a str, u64)>,
    count: u64,
}

/// Judges them: all messages about casts, each caster's in the order in which they came, and the log.
pub fn judge<'a>(told: impl Iterator<Item = &'a Told>, log: &'a str, kinds: &[Kind]) -> Result<Verdict> {
    ensure!(!log.contains(LINES_LOST), "the server's log has lost lines: nothing can be judged");
    let mut verdict = Verdict { not_moved: log.lines().filter(|line| line.contains(NOT_MOVED)).count(), ..Verdict::default() };
    let seen = told.map(of_message);
    let logged = log.lines().filter_map(of_line).collect::<Result<Vec<_>>>()?;
    let mut events = seen.collect::<Result<Vec<_>>>()?.into_iter().chain(logged).collect::<Vec<_>>();
    events.sort();
    let (mut active, mut live) = (BTreeMap::new(), BTreeMap::new());
    for (tick, event) in &events {
        if let Err(error) = verdict.take(*tick, event, &mut active, &mut live, kinds) {
            verdict.broken.push(format!("tick {tick}: {error}"));
        }
    }
    Ok(verdict)
}

impl Verdict {
    fn take<'a>(
        &mut self,
        tick: u64,
        event: &Event<'a>,
        active: &mut BTreeMap<&'a str, Active<'a>>,
        live: &mut BTreeMap<(&'a str, u64), Live<'a>>,
        kinds: &[Kind],
    ) -> Result<()> {
        let migrates = |spell: &str| kinds.iter().any(|kind| kind.name == spell && kind.migrates);
        match *event {
            Event::Active { spell, revision } => {
                self.switches += 1;
                let before = active.get(spell).map(|active| active.revision);
                active.insert(spell, Active { revision, since: tick, before });
            }
            Event::Began { spell, caster, revision } => {
                self.casts += 1;
                live.insert((spell, caster), Live { revision, before: None, count: 0 });
                let now = active.get(spell).with_context(|| format!("{spell} is cast and was never active"))?;
                // It may have begun before the switch of the same tick.
                let is_active = now.revision == revision || (now.since == tick && now.before == Some(revision));
                ensure!(is_active, "{spell} {revision} is cast, and {} is active since tick {}", now.revision, now.since);
            }
            Event::Moved { spell, caster, from, to } => {
                self.moves += 1;
                ensure!(migrates(spell), "{spell} was moved, and does not migrate");
                let cast = live.get_mut(&(spell, caster)).with_context(|| format!("a cast of {spell} was moved that never began"))?;
                ensure!(cast.revision == from, "{spell} was moved from {from}, and ran {}", cast.revision);
                (cast.revision, cast.before) = (to, Some((from, tick)));
            }
            Event::Showed { spell, caster, revision, count } => {
                self.messages += 1;
                let cast = live.get_mut(&(spell, caster)).with_context(|| format!("a cast of {spell} shows itself that never began"))?;
                let runs = cast.revision == revision || cast.before == Some((revision, tick));
                ensure!(runs, "a cast of {spell} shows itself as {revision}, and runs {}", cast.revision);
                if let Some(count) = count {
                    ensure!(count > cast.count, "a cast of {spell} counts {count} after {}", cast.count);
                    cast.count = count;
                }
                let now = active.get(spell).context("active")?;
                let has_followed = !migrates(spell) || now.revision == revision || tick <= now.since + FOLLOWS_WITHIN_TICKS;
                ensure!(has_followed, "a cast of {spell} runs {revision}, and {} is active since tick {}", now.revision, now.since);
            }
        }
        Ok(())
    }
}

/// What a spell runs.
struct Active<'a> {
    revision: &'a str,
    since: u64,
    before: Option<&'a str>,
}

fn of_message(told: &Told) -> Result<(u64, Event<'_>)> {
    let (spell, caster) = (told.spell_id.as_str(), told.caster_entity_id);
    let revision = told.revision_id.as_deref().context("a message of a cast without its revision")?;
    let event = match told.kind {
        SPELL_CAST_EVENT => Event::Began { spell, caster, revision },
        SPELL_TEXT => Event::Showed { spell, caster, revision, count: told.text.parse().ok() },
        _ => Event::Showed { spell, caster, revision, count: None },
    };
    Ok((told.server_tick, event))
}

/// A line of the log, if it tells of a switch or a move.
fn of_line(line: &str) -> Option<Result<(u64, Event<'_>)>> {
    let (is_switch, is_move) = (line.contains(SWITCHED), line.contains(MOVED));
    (is_switch || is_move).then(|| {
        let field = |name: &str| {
            let value = line.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value.with_context(|| format!("no {name} in {line:?}"))
        };
        let spell = field("spell")?;
        let event = match is_switch {
            true => Event::Active { spell, revision: field("revision")? },
            false => Event::Moved { spell, caster: field("caster")?.parse()?, from: field("from")?, to: field("to")? },
        };
        Ok((field("tick")?.parse()?, event))
    })
}

#[cfg(test)]
mod tests {
    use super::super::kinds::KINDS;
    use super::*;

    fn told(kind: u64, tick: u64, spell: &str, revision: u32, text: &str) -> Told {
        let (spell_id, revision_id, text) = (spell.to_owned(), Some(format!("r{revision}")), text.to_owned());
        Told { kind, server_tick: tick, spell_id, revision_id, caster_entity_id: 9, text, ..Told::default() }
    }

    fn broken(told: &[Told], log: &str) -> Vec<String> {
        judge(told.iter(), log, &KINDS).unwrap().broken
    }

    const LOG: &str = "INFO revision active spell=beacon revision=r1 tick=1\nINFO revision active spell=beacon revision=r2 tick=5";
    const MOVE: &str = "\nDEBUG cast goes on with another revision cast=3 spell=beacon from=r1 to=r2 caster=9 tick=5";

    #[test]
    fn a_cast_that_is_moved_by_the_book_is_as_it_should_be() {
        let told = [
            told(SPELL_CAST_EVENT, 2, "beacon", 1, ""),
            told(SPELL_TEXT, 4, "beacon", 1, "1"),
            told(SPELL_TEXT, 6, "beacon", 2, "2"),
            told(SPELL_TEXT, 90, "beacon", 2, "3"),
        ];
        assert_eq!(broken(&told, &(LOG.to_owned() + MOVE)), [""; 0]);
        assert_eq!(broken(&told, LOG).len(), 2, "nobody has moved it");
    }

    #[test]
    fn what_mixes_revisions_is_found() {
        let began = || told(SPELL_CAST_EVENT, 2, "beacon", 1, "");
        let log = LOG.to_owned() + MOVE;
        assert_eq!(broken(&[began(), told(SPELL_TEXT, 6, "beacon", 1, "1")], &log).len(), 1, "it was moved");
        assert_eq!(
            broken(&[began(), told(SPELL_TEXT, 6, "beacon", 2, "3"), told(SPELL_TEXT, 7, "beacon", 2, "3")], &log).len(),
            1,
            "it began anew"
        );
        assert_eq!(broken(&[began(), told(SPELL_TEXT, 90, "beacon", 1, "1")], LOG).len(), 1, "it did not follow");
        assert_eq!(broken(&[told(SPELL_CAST_EVENT, 9, "beacon", 1, "")], LOG).len(), 1, "it is active no more");
        assert_eq!(broken(&[told(SPELL_CAST_EVENT, 5, "beacon", 1, "")], LOG).len(), 0, "it came before the switch of its tick");
    }
}
