//! At each step of a rollout the control plane is killed, or a game server is, or the line between the two is cut: it goes on, and ends in the right revision.

use crate::{ADMIN, TIMEOUT, cast_until_granted, join_again, own_answer, signal};
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_CAST_REJECTED, is};
use examples::{Game, Http, Player, Server};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Faults where it is aimed at x = 13.
const SPARK: &str = r#"
use spell_sdk::prelude::*;

spell! {
    envelope: Envelope::instant(),

    /// Over as soon as it is cast.
    pub struct Spark {}
}

impl Spell for Spark {
    fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
        assert!(cast.target_position.x != 13.0 || REVISION == 1, "a bad change");
        world.cue("spark", cast.origin, 1.0)
    }
}
"#;
const SPELL: &str = "spark";
/// Casts of the new revision before it can be promoted.
const CASTS_MIN: u64 = 6;
/// A game server takes a line for dead after 5 s without a sign of life; it is cut for longer.
const CUT: Duration = Duration::from_millis(5_600);
/// A cast's own fault comes within a tick of it.
const FAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// What happens to it.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    ControlPlaneKilled,
    GameServerKilled,
    LineCut,
}

/// A rollout under way: one player in each of two worlds.
struct Walk {
    server: Server,
    http: Http,
    players: [(Player, String, Game); 2],
    old: String,
    new: String,
    mishap: Mishap,
}

#[test]
fn whatever_breaks_at_whichever_step_a_rollout_ends_in_the_right_revision() -> Result<()> {
    let walks = [Mishap::ControlPlaneKilled, Mishap::GameServerKilled, Mishap::LineCut].map(|mishap| [(mishap, true), (mishap, false)]);
    std::thread::scope(|scope| {
        let started = walks.as_flattened().iter().map(|(mishap, is_good)| {
            scope.spawn(move || {
                Walk::begin(*mishap)?.go(*is_good).with_context(|| format!("{mishap:?}, and the revision is good: {is_good}"))
            })
        });
        // All are started before the first is waited for.
        let started: Vec<_> = started.collect();
        started.into_iter().try_for_each(|walk| walk.join().map_err(|_| anyhow::anyhow!("a walk panicked"))?)
    })
}

impl Walk {
    fn begin(mishap: Mishap) -> Result<Self> {
        let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
        let http = server.http();
        let author = http.login(None)?;
        let build = |number: &str| http.build_revision(&author, SPELL, &SPARK.replace("REVISION", number), TIMEOUT);
        let (old, new) = (build("1")?, build("2")?);
        http.publish(&author, SPELL, &old, "stable")?;
        let player = |player: Player| -> Result<_> {
            let join = http.join(&player, None)?;
            Ok((player, join.world_id.clone(), Game::join(&join)?))
        };
        let players = [player(author)?, player(http.login(None)?)?];
        Ok(Self { server, http, players, old, new, mishap })
    }

    fn go(&mut self, is_good: bool) -> Result<()> {
        let bake_seconds = if is_good { 4 } else { 3_600 };
        let terms = json!({ "percent": 50, "min_casts": CASTS_MIN, "max_fault_rate": 0.2, "bake_seconds": bake_seconds });
        let publish = json!({ "revision_id": self.new, "channel": "stable", "rollout": terms });
        self.http.post(&format!("/api/spells/{SPELL}/publish"), Some(&self.author().session_token), &publish)?.ok_json()?;
        self.mishap()?;
        ensure!(self.rollout()?["state"] == "running", "{}", self.rollout()?);
        self.cast_until("half of the evidence", [9.0, 1.0, 0.0], |rollout| casts(rollout) >= CASTS_MIN / 2)?;
        self.mishap()?;
        ensure!(casts(&self.rollout()?) >= CASTS_MIN / 2, "evidence is lost: {}", self.rollout()?);
        self.cast_until("all of the evidence", [9.0, 1.0, 0.0], |rollout| casts(rollout) >= CASTS_MIN)?;
        self.mishap()?;
        let aim = if is_good { 9.0 } else { 13.0 };
        self.cast_until("the end", [aim, 1.0, 0.0], |rollout| rollout["state"] != "running")?;
        // What was decided may not have reached the worlds yet.
        self.mishap()?;
        let (state, right) = if is_good { ("promoted", self.new.clone()) } else { ("rolled_back", self.old.clone()) };
        ensure!(self.rollout()?["state"] == state, "{}", self.rollout()?);
        let spell = self.http.get("/api/spells", Some(&self.author().session_token))?.ok_json()?["spells"][0].clone();
        ensure!(spell["active_stable_rev"] == right, "{spell}");
        self.every_world_runs(&right)
    }

    fn author(&self) -> &Player {
        &self.players[0].0
    }

    fn rollout(&self) -> Result<Value> {
        let path = format!("/api/spells/{SPELL}/rollouts");
        Ok(self.http.get(&path, Some(&self.author().session_token))?.ok_json()?["rollouts"][0].clone())
    }

    fn mishap(&mut self) -> Result<()> {
        match self.mishap {
            Mishap::ControlPlaneKilled => {
                self.server.kill()?;
                self.cast_in_both([9.0, 1.0, 0.0])?;
                self.server.start_again()
            }
            Mishap::GameServerKilled => {
                let killed = self.server.game_servers();
                ensure!(killed.len() == 2, "{killed:?}");
                killed.into_iter().try_for_each(|server| signal(server, Signal::KILL))?;
                self.join_again()
            }
            Mishap::LineCut => {
                let control = i32::try_from(self.server.pid())?;
                signal(control, Signal::STOP)?;
                // Whoever plays goes on.
                let until = Instant::now() + CUT;
                let played = self.cast_in_both([9.0, 1.0, 0.0]);
                sleep(until.saturating_duration_since(Instant::now()));
                signal(control, Signal::CONT)?;
                played
            }
        }
    }

    /// The players of servers that are gone come back to the same worlds.
    fn join_again(&mut self) -> Result<()> {
        for (player, world, game) in &mut self.players {
            *game = join_again(&self.http, player, world)?;
        }
        Ok(())
    }

    fn cast_in_both(&mut self, target: [f64; 3]) -> Result<()> {
        for (_, _, game) in &mut self.players {
            cast(game, target, &self.new)?;
        }
        Ok(())
    }

    fn cast_until(&mut self, what: &str, target: [f64; 3], is_there: impl Fn(&Value) -> bool) -> Result<()> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let rollout = self.rollout()?;
            if is_there(&rollout) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{what} does not come: {rollout}");
            self.cast_in_both(target)?;
        }
    }

    /// Within a moment new casts run it, and from then on no other.
    fn every_world_runs(&mut self, right: &str) -> Result<()> {
        for (_, world, game) in &mut self.players {
            let deadline = Instant::now() + TIMEOUT;
            let mut in_a_row = 0;
            while in_a_row < 4 {
                let is_right = cast_until_granted(game, SPELL)?["revision_id"] == *right;
                in_a_row = if is_right { in_a_row + 1 } else { 0 };
                ensure!(Instant::now() < deadline, "{world} does not run {right}");
            }
        }
        Ok(())
    }
}

/// Casts, and waits for the fault where there is to be one.
fn cast(game: &mut Game, target: [f64; 3], faulty: &str) -> Result<()> {
    let granted = loop {
        game.cast(SPELL, target, 0)?;
        let answer = game.wait_for("an answer to our cast", TIMEOUT, |game, message| own_answer(game, message, SPELL))?;
        if answer["type"] != SPELL_CAST_REJECTED {
            break answer;
        }
        ensure!(answer["limit"] == "cooldown" || answer["limit"] == "mana", "{answer}");
    };
    if target[0] == 13.0 && granted["revision_id"] == *faulty {
        game.wait_for("its fault", FAULT_TIMEOUT, |_, message| {
            is(message, SPELL_CAST_REJECTED).filter(|end| end["limit"] == "unreachable")
        })?;
    }
    Ok(())
}

fn casts(rollout: &Value) -> u64 {
    rollout["evidence"]["trial"]["casts"].as_u64().unwrap_or_default()
}
