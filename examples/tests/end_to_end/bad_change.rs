//! A bad change undoes itself: its casts fault, and the revision before it is active again.

use crate::{ADMIN, FIREBALL, TIMEOUT, cast_until_granted, make_live, somebody};
use anyhow::{Context, Result, ensure};
use examples::Game;
use examples::game::{ENTITY_SPAWN, SPELL_ACTIVE_UPDATE, SPELL_CAST_REJECTED, is};

/// As in the game server's limits: casts of a revision before it is judged.
const CASTS: usize = 8;

#[test]
fn a_revision_that_keeps_faulting_is_replaced_by_the_one_before() -> Result<()> {
    let (server, http, kim, mut game) = somebody()?;
    let good = make_live(&http, &kim, &mut game, "kims_fireball", FIREBALL)?;
    let broken = FIREBALL.replace("fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {", "fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {\n        assert!(cast.target_position.z != -10.0, \"a bad change\");");
    ensure!(broken != FIREBALL);
    let bad = make_live(&http, &kim, &mut game, "kims_fireball", &broken)?;
    let bookmark = server.line_count();
    for _ in 0..CASTS {
        cast_until_granted(&mut game, "kims_fireball")?;
        game.wait_for("the fault", TIMEOUT, |_, message| {
            is(message, SPELL_CAST_REJECTED).filter(|end| end["revision_id"] == *bad && end["limit"] == "unreachable")
        })?;
    }
    game.wait_for("the good revision", TIMEOUT, |_, message| {
        is(message, SPELL_ACTIVE_UPDATE).filter(|update| update["spell_id"] == "kims_fireball" && update["revision_id"] == *good)
    })?;
    server.wait_for_line(bookmark, &["quarantined on this world", &bad, &format!("{good} is active again")], TIMEOUT)?;
    cast_until_granted(&mut game, "kims_fireball")?;
    game.wait_for("a projectile of the good one", TIMEOUT, |_, message| {
        is(message, ENTITY_SPAWN).filter(|spawn| spawn["entity_type"] == 3)
    })?;

    // Publishing the same again does not help, nor does a restart of the game server.
    http.publish(&kim, "kims_fireball", &good, "stable")?;
    http.publish(&kim, "kims_fireball", &bad, "stable")?;
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("a world")?.to_owned();
    http.request("DELETE", &format!("/admin/servers/{world}"), Some(ADMIN), "", Vec::new())?.ok_json()?;
    let mut game = Game::join(&http.join(&kim, Some(&world))?)?;
    let cast = cast_until_granted(&mut game, "kims_fireball")?;
    ensure!(cast["revision_id"] == *good, "{cast}");
    // The world's owner may give it another chance.
    let path = format!("/world/{world}/quarantine/kims_fireball/{bad}");
    http.request("DELETE", &path, Some(&kim.session_token), "", Vec::new())?.ok_json()?;
    game.wait_for("the bad revision", TIMEOUT, |_, message| {
        is(message, SPELL_ACTIVE_UPDATE).filter(|update| update["spell_id"] == "kims_fireball" && update["revision_id"] == *bad)
    })?;
    Ok(())
}
