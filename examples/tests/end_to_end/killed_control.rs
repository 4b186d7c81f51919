//! kill -9 of the control plane in the middle of builds, publications and saves, again and again: what it has acknowledged is there, and each world has one server.

use crate::{ADMIN, FIREBALL, TIMEOUT};
use anyhow::{Context, Result, ensure};
use examples::{Game, Http, Player, Server};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Rounds; `RUN_SLOW_TESTS` makes it a thousand.
const ROUNDS: u32 = 100;

/// What was acknowledged last, and what was asked for behind it: one of the two is the truth after a kill.
#[derive(Debug, Default, Clone, PartialEq)]
struct Word {
    acknowledged: Value,
    asked: Value,
}

/// What players were told.
#[derive(Debug, Default)]
struct Told {
    stable: Word,
    policy: Word,
    jobs: Vec<String>,
}

#[test]
fn what_was_acknowledged_survives_every_kill_and_no_world_has_two_servers() -> Result<()> {
    let rounds = if std::env::var_os("RUN_SLOW_TESTS").is_some() { 1_000 } else { ROUNDS };
    let mut server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let http = server.http();
    let kim = http.login(Some("kim"))?;
    let revisions = [
        http.build_revision(&kim, "spark", FIREBALL, TIMEOUT)?,
        http.build_revision(&kim, "spark", &format!("{FIREBALL}\n// another\n"), TIMEOUT)?,
    ];
    http.publish(&kim, "spark", &revisions[0], "stable")?;
    let join = http.join(&kim, None)?;
    let mut game = Game::join(&join)?;
    let world = join.world_id;
    let first = server.game_servers();
    ensure!(first.len() == 1, "{first:?}");
    let told = Mutex::new(Told { stable: Word { acknowledged: json!(revisions[0]), asked: json!(revisions[0]) }, ..Told::default() });
    for round in 0..rounds {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| -> Result<()> {
            let workers: Vec<_> = [publish, set_policy, build]
                .into_iter()
                .map(|work| {
                    let (http, kim, told, over, revisions, world) = (&http, &kim, &told, &over, &revisions, &world);
                    scope.spawn(move || {
                        for turn in 0.. {
                            // An error is the kill; whatever was asked for may have been done or not.
                            if over.load(Ordering::Relaxed) || work(http, kim, told, (revisions, world), round * 1_000 + turn).is_err() {
                                return;
                            }
                        }
                    })
                })
                .collect();
            // At another moment of what goes on in each round.
            std::thread::sleep(Duration::from_millis(u64::from(20 + round * 37 % 160)));
            server.kill()?;
            over.store(true, Ordering::Relaxed);
            workers.into_iter().for_each(|worker| drop(worker.join()));
            server.start_again()
        })?;
        let told = &mut *told.lock().unwrap_or_else(|told| told.into_inner());
        let spell = http.get("/api/spells", Some(&kim.session_token))?.ok_json()?["spells"][0]["active_stable_rev"].clone();
        settle(&mut told.stable, &spell).with_context(|| format!("stable in round {round}"))?;
        let policy = http.get(&format!("/world/{world}/policy"), Some(&kim.session_token))?.ok_json()?["capacity"].clone();
        settle(&mut told.policy, &policy).with_context(|| format!("the policy in round {round}"))?;
        for job in told.jobs.drain(..) {
            let job = http.job(&kim, &job).with_context(|| format!("a job in round {round}"))?;
            ensure!(matches!(job["status"].as_str(), Some("completed" | "failed")), "no job is left running: {job}");
        }
        ensure!(server.game_servers() == first, "one world, one server, the same all the time: {:?}", server.game_servers());
    }
    // Whoever plays has not noticed.
    game.wait_for("the world to go on", TIMEOUT, |_, message| examples::game::is(message, examples::game::STATE_SNAPSHOT))?;
    Ok(())
}

/// What is, is what was acknowledged or what was asked for behind it; it is the starting point of the next round.
fn settle(word: &mut Word, is: &Value) -> Result<()> {
    ensure!(*is == word.acknowledged || *is == word.asked, "{is} is neither of {word:?}");
    *word = Word { acknowledged: is.clone(), asked: is.clone() };
    Ok(())
}

type Place<'a> = (&'a [String; 2], &'a String);

fn publish(http: &Http, kim: &Player, told: &Mutex<Told>, (revisions, _): Place<'_>, turn: u32) -> Result<()> {
    let revision = &revisions[(turn % 2) as usize];
    asked(told, |told| told.stable.asked = json!(revision));
    http.publish(kim, "spark", revision, "stable")?;
    asked(told, |told| told.stable.acknowledged = json!(revision));
    Ok(())
}

fn set_policy(http: &Http, kim: &Player, told: &Mutex<Told>, (_, world): Place<'_>, turn: u32) -> Result<()> {
    let capacity = json!(1 + turn % 200);
    asked(told, |told| told.policy.asked = capacity.clone());
    let body = json!({ "capacity": capacity }).to_string().into_bytes();
    http.request("PUT", &format!("/world/{world}/policy"), Some(&kim.session_token), "application/json", body)?.ok_json()?;
    asked(told, |told| told.policy.acknowledged = capacity);
    Ok(())
}

fn build(http: &Http, kim: &Player, told: &Mutex<Told>, _: Place<'_>, turn: u32) -> Result<()> {
    let job = http.build(kim, "spark", &format!("{FIREBALL}\n// {turn}\n"))?;
    asked(told, |told| told.jobs.push(job.clone()));
    http.wait_for_job(kim, &job, TIMEOUT, |_| ())?;
    Ok(())
}

fn asked(told: &Mutex<Told>, note: impl FnOnce(&mut Told)) {
    note(&mut told.lock().unwrap_or_else(|told| told.into_inner()));
}
