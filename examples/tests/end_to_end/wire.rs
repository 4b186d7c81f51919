//! Messages that are wrong: each gets an ERROR and is dropped, and the connection stays.

use crate::{TIMEOUT, expect_error, somebody, tick_now};
use anyhow::{Result, ensure};
use examples::game::{HANDSHAKE_RESPONSE, SPELL_CAST_REJECTED, handshake, is};
use examples::{Game, Join};

/// None of these may reach the simulation. Fewer than 20: that many in a second end a connection.
const MALFORMED: &[&str] = &[
    "",
    "{",
    "[]",
    "{}",
    r#"{"type": "five"}"#,
    r#"{"type": 4711}"#,
    r#"{"type": 100, "success": true}"#,
    r#"{"type": 5, "client_time": 1} trailing"#,
    r#"{"type": 2, "client_tick": 1}"#,
    r#"{"type": 2, "client_tick": 1, "server_tick_ack": 0, "sequence_id": 1, "movement": [0, 1e999, 0], "aim_direction": [0, 0, -1], "sprint": false, "fire": false, "interact": false, "jump": false}"#,
    r#"{"type": 2, "client_tick": 1, "server_tick_ack": 0, "sequence_id": 1, "movement": [0, 0], "aim_direction": [0, 0, -1], "sprint": false, "fire": false, "interact": false, "jump": false}"#,
    r#"{"type": 7, "spell_id": "../x", "revision_id": "", "target_position": [0, 0, 0], "target_entity_id": 0, "extra_params": {}}"#,
    r#"{"type": 7, "spell_id": "spark", "revision_id": "", "target_position": [0, 1e30, 0], "target_entity_id": 0, "extra_params": {}}"#,
];

#[test]
fn malformed_messages_are_dropped_and_the_connection_stays() -> Result<()> {
    let (_server, _http, _player, mut game) = somebody()?;
    for (stamp, text) in MALFORMED.iter().enumerate() {
        expect_error(&mut game, text)?;
        tick_now(&mut game, stamp as u64)?;
    }
    Ok(())
}

#[test]
fn casts_of_what_there_is_not_are_rejected() -> Result<()> {
    let (_server, http, player, mut game) = somebody()?;
    crate::make_live(&http, &player, &mut game, "spark", crate::FIREBALL)?;
    for (spell, revision, limit) in [("no_such_spell", "", "unknown_spell"), ("spark", "rev_000077_0a1b2c3d", "unknown_revision")] {
        game.cast_revision(spell, revision, [0.0; 3], 0)?;
        let told = game.wait_for("the rejection", TIMEOUT, |_, message| is(message, SPELL_CAST_REJECTED))?;
        ensure!(told["limit"] == limit && told["spell_id"] == spell, "{told}");
    }
    Ok(())
}

#[test]
fn a_ticket_opens_one_world_once() -> Result<()> {
    let (_server, http, player, _game) = somebody()?;
    let used = http.join(&player, None)?;
    let _first = Game::join(&used)?;
    let other_world = Join { server_address: http.join(&player, None)?.server_address, ..http.join(&player, Some(&used.world_id))? };
    for (join, what) in
        [(&used, "used"), (&other_world, "another world's"), (&Join { ticket: "v4.public.nonsense".into(), ..used.clone() }, "forged")]
    {
        let mut game = Game::connect(&join.server_address)?;
        game.send(&handshake(&join.ticket, &join.client_id))?;
        let answer = game.wait_for("the handshake's answer", TIMEOUT, |_, message| is(message, HANDSHAKE_RESPONSE))?;
        ensure!(answer["success"] == false && answer["error"].is_string(), "a ticket that is {what} was admitted: {answer}");
    }
    Ok(())
}
