//! A scenario's text, or the first line that is none.

use super::{Action, Comparison, Expectation, Relation, Scenario, Step, Thing, ThingKind};
use crate::limits::{SCENARIO_BYTES_MAX, SCENARIO_ENTITIES_MAX, SCENARIO_TICKS_MAX};
use sim::{EntityKind, Vec3};

/// The first line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Reads a scenario.
pub fn parse(text: &str) -> Result<Scenario, ParseError> {
    if text.len() > SCENARIO_BYTES_MAX {
        return Err(ParseError { line: 1, message: format!("a scenario has at most {SCENARIO_BYTES_MAX} bytes, this one {}", text.len()) });
    }
    let mut scenario = Scenario { seed: 1, small: false, mana: None, things: Vec::new(), steps: Vec::new() };
    let mut ticks = 0;
    for (index, full) in text.lines().enumerate() {
        let line = index + 1;
        let text = full.split('#').next().unwrap_or_default().trim();
        let refused = |message| ParseError { line, message };
        if let Some(action) = parse_line(text, &mut scenario).map_err(refused)? {
            if let Action::Run { ticks: more } | Action::Settle { ticks: more } = action {
                ticks = more.saturating_add(ticks);
            }
            scenario.steps.push(Step { line, text: text.to_owned(), action });
        }
        if ticks > SCENARIO_TICKS_MAX {
            return Err(refused(format!("a scenario runs at most {SCENARIO_TICKS_MAX} ticks")));
        }
        if scenario.things.len() > SCENARIO_ENTITIES_MAX {
            return Err(refused(format!("a scenario sets up at most {SCENARIO_ENTITIES_MAX} things")));
        }
    }
    names_are_known(&scenario)?;
    Ok(scenario)
}

type Refused = String;

fn parse_line(text: &str, scenario: &mut Scenario) -> Result<Option<Action>, Refused> {
    let mut words = Words(text.split_whitespace());
    let action = match words.next() {
        None => None,
        Some("world") => {
            match words.next() {
                Some("seed") => scenario.seed = words.parsed("a seed, a whole number from 0 up")?,
                Some("mana") => scenario.mana = Some(words.parsed("an amount of mana, a whole number from 0 up")?),
                Some("small") => scenario.small = true,
                _ => return Err("after world comes seed, mana or small".to_owned()),
            }
            None
        }
        Some("npc") => add_thing(&mut words, ThingKind::Npc, scenario)?,
        Some("prop") => add_thing(&mut words, ThingKind::Prop, scenario)?,
        Some("player") => add_thing(&mut words, ThingKind::Player, scenario)?,
        Some("cast") => Some(cast(&mut words, scenario)?),
        Some("run") => {
            let ticks = words.parsed("a number of ticks")?;
            words.keyword("ticks")?;
            Some(Action::Run { ticks })
        }
        Some("settle") => {
            let ticks = words.parsed("a number of ticks")?;
            words.keyword("ticks")?;
            Some(Action::Settle { ticks })
        }
        Some("reload") => Some(Action::Reload),
        Some("expect") => Some(Action::Expect(expectation(&mut words)?)),
        Some(other) => {
            return Err(format!(
                "{other:?} begins no step; steps begin with world, npc, prop, player, cast, run, settle, reload or expect"
            ));
        }
    };
    match words.next() {
        None => Ok(action),
        Some(word) => Err(format!("{word:?} is one word too many")),
    }
}

fn add_thing(words: &mut Words, kind: ThingKind, scenario: &mut Scenario) -> Result<Option<Action>, Refused> {
    let name = words.name()?;
    words.keyword("at")?;
    let at = words.vector("position")?;
    let health = match words.next() {
        None => None,
        Some("health") if kind != ThingKind::Prop => match words.number("a number of health")? {
            health if health > 0.0 => Some(health),
            health => return Err(format!("a health of {health} is dead; it must be above 0")),
        },
        Some(word) => return Err(format!("after the position comes health (of a player or npc) or nothing, not {word:?}")),
    };
    set_up(scenario, Thing { name, kind, at, health })?;
    Ok(None)
}

fn set_up(scenario: &mut Scenario, thing: Thing) -> Result<(), Refused> {
    if scenario.things.iter().any(|other| other.name == thing.name) {
        return Err(format!("there is a {} already", thing.name));
    }
    scenario.things.push(thing);
    Ok(())
}

fn cast(words: &mut Words, scenario: &mut Scenario) -> Result<Action, Refused> {
    words.keyword("as")?;
    let caster = words.name()?;
    let known = scenario.things.iter().any(|thing| thing.name == caster);
    match words.next() {
        Some("at") if known => return Err(format!("{caster} is in the world already, so leave out its place: cast as {caster} aim ...")),
        Some("at") => {
            let at = words.vector("position")?;
            set_up(scenario, Thing { name: caster.clone(), kind: ThingKind::Player, at, health: None })?;
            words.keyword("aim")?;
        }
        Some("aim") if known => {}
        Some("aim") => return Err(format!("{caster} is not in the world yet, so say where: cast as {caster} at 0 1.9 0 aim ...")),
        _ => return Err("after the caster's name comes at or aim".to_owned()),
    }
    let aim = words.vector("aim")?.try_normalize().ok_or("an aim of length 0 points nowhere")?;
    let target = match words.next() {
        None => None,
        Some("target") => Some(words.name()?),
        Some(word) => return Err(format!("after the aim comes target or nothing, not {word:?}")),
    };
    Ok(Action::Cast { caster, aim, target })
}

fn expectation(words: &mut Words) -> Result<Expectation, Refused> {
    let subject = words.next().ok_or("after expect comes a name, casts live, no faults or fault")?;
    match subject {
        "no" => {
            words.keyword("faults")?;
            Ok(Expectation::NoFaults)
        }
        "fault" => Ok(Expectation::Fault(words.name()?)),
        "material" => {
            words.keyword("at")?;
            Ok(Expectation::Material { at: words.vector("position")?, must_be: words.comparison()? })
        }
        "npcs" => Ok(Expectation::Count { kind: EntityKind::Npc, must_be: words.comparison()? }),
        "props" => Ok(Expectation::Count { kind: EntityKind::Prop, must_be: words.comparison()? }),
        "projectiles" => Ok(Expectation::Count { kind: EntityKind::Projectile, must_be: words.comparison()? }),
        "casts" => {
            words.keyword("live")?;
            Ok(Expectation::CastsLive(words.comparison()?))
        }
        name => match words.next() {
            Some("mana") => Ok(Expectation::Mana { name: name.to_owned(), must_be: words.comparison()? }),
            Some("health") => Ok(Expectation::Health { name: name.to_owned(), must_be: words.comparison()? }),
            Some("moved") => Ok(Expectation::Moved { name: name.to_owned(), must_be: words.comparison()? }),
            _ => Err(format!("after {name} comes health, mana or moved")),
        },
    }
}

/// Each name that a step uses must be set up, for a misspelt one would otherwise look like a dead target.
fn names_are_known(scenario: &Scenario) -> Result<(), ParseError> {
    for step in &scenario.steps {
        let used = match &step.action {
            Action::Cast { target: Some(name), .. } => name,
            Action::Expect(Expectation::Health { name, .. } | Expectation::Mana { name, .. } | Expectation::Moved { name, .. }) => name,
            _ => continue,
        };
        if !scenario.things.iter().any(|thing| thing.name == *used) {
            return Err(ParseError { line: step.line, message: format!("nothing here is called {used}") });
        }
    }
    Ok(())
}

struct Words<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn keyword(&mut self, word: &str) -> Result<(), Refused> {
        match self.next() {
            Some(found) if found == word => Ok(()),
            Some(found) => Err(format!("here should be {word}, not {found:?}")),
            None => Err(format!("here the line ends where {word} should be")),
        }
    }

    fn name(&mut self) -> Result<String, Refused> {
        Ok(self.next().ok_or("here the line ends where a name should be")?.to_owned())
    }

    fn parsed<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, Refused> {
        let word = self.next().ok_or_else(|| format!("here the line ends where {what} should be"))?;
        word.parse().map_err(|_| format!("{word:?} is not {what}"))
    }

    fn number(&mut self, what: &str) -> Result<f32, Refused> {
        let number: f32 = self.parsed(what)?;
        if number.is_finite() && number.abs() <= 1.0e6 { Ok(number) } else { Err(format!("{number} is out of range for {what}")) }
    }

    fn vector(&mut self, what: &str) -> Result<Vec3, Refused> {
        let what = format!("a number of the {what}, which has three");
        Ok(Vec3::new(self.number(&what)?, self.number(&what)?, self.number(&what)?))
    }

    fn comparison(&mut self) -> Result<Comparison, Refused> {
        let what = "a number, <= and a number, or >= and a number";
        let word = self.next().ok_or_else(|| format!("here the line ends where {what} should be"))?;
        let (relation, number) = match word {
            "<=" => (Relation::AtMost, None),
            ">=" => (Relation::AtLeast, None),
            number => (Relation::Equal, Some(number)),
        };
        let value: f64 = match number {
            None => self.parsed("a number")?,
            Some(number) => number.parse().map_err(|_| format!("{number:?} is not {what}"))?,
        };
        if value.is_finite() { Ok(Comparison { relation, value }) } else { Err(format!("{value} is not a finite number")) }
    }
}
