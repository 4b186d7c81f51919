//! Worlds outlive their servers, and go in and out over HTTP.

use crate::{ADMIN, FIREBALL, TIMEOUT, cast_until_granted, make_live};
use anyhow::{Context, Result, ensure};
use examples::game::is;
use examples::{Game, Http, Player, Server};
use serde_json::{Value, json};
use std::fs;

const MEND: &str = include_str!("../../../spells/mend/src/lib.rs");
const TERRAFORM_APPLIED: u64 = 106;
const CHUNK_DATA: u64 = 107;
const EXPORT_TYPE: &str = "application/vnd.ugc-world";

/// Stops a world's server, as an operator would; the next join starts a new one.
fn stop(http: &Http, world: &str) -> Result<()> {
    http.request("DELETE", &format!("/admin/servers/{world}"), Some(ADMIN), "", Vec::new())?.ok_json().map(drop)
}

pub fn dig(game: &mut Game, center: [f64; 3], sequence: u64) -> Result<Value> {
    game.send(&json!({ "type": 3, "op_type": 2, "center": center, "radius": 1.0, "material_id": 0, "client_sequence_id": sequence }))?;
    game.wait_for("the hole", TIMEOUT, |_, message| {
        is(message, TERRAFORM_APPLIED).filter(|applied| applied["client_sequence_id"] == sequence)
    })
}

pub fn chunk_version(game: &mut Game, chunk: [i32; 3]) -> Result<u64> {
    game.send(&json!({ "type": 4, "chunk_id": chunk, "last_known_version": 0 }))?;
    let data = game.wait_for("the chunk", TIMEOUT, |_, message| is(message, CHUNK_DATA).filter(|data| data["chunk_id"] == json!(chunk)))?;
    data["version"].as_u64().with_context(|| format!("{data}"))
}

fn status(http: &Http, method: &str, path: &str, player: &Player, content_type: &str, body: Vec<u8>) -> Result<(u16, Value)> {
    let reply = http.request(method, path, Some(&player.session_token), content_type, body)?;
    Ok((reply.status, reply.json()?))
}

#[test]
fn a_world_its_players_and_its_casts_go_on_after_a_restart() -> Result<()> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let http = server.http();
    let kim = http.login(Some("kim"))?;
    let join = http.join(&kim, None)?;
    let mut game = Game::join(&join)?;
    make_live(&http, &kim, &mut game, "fireball", FIREBALL)?;
    make_live(&http, &kim, &mut game, "mend", MEND)?;
    let dummy =
        game.wait_for("the dummy", TIMEOUT, |game, _| game.find(2, "dummy").filter(|_| game.me().is_some_and(|me| me.position[1] < 3.0)))?;
    dig(&mut game, [8.0, 1.0, 0.0], 7)?;
    // Wounded, then healed little by little for five seconds: the server goes down meanwhile.
    let target = game.entities[&dummy].position;
    game.look_at(target)?;
    for _ in 0..3 {
        cast_until_granted(&mut game, "fireball")?;
    }
    game.wait_for("three hits", TIMEOUT, |game, _| (game.health(dummy) <= 25.0).then_some(()))?;
    game.cast("mend", target, dummy)?;
    let hurt = game.wait_for("the healing to begin", TIMEOUT, |game, _| (game.health(dummy) > 25.0).then(|| game.health(dummy)))?;
    let (entity, place) = (game.entity_id, game.me().context("our entity")?.position);
    stop(&http, &join.world_id)?;

    let mut game = Game::join(&http.join(&kim, Some(&join.world_id))?)?;
    ensure!(game.entity_id == entity, "who comes back soon has the same entity: {} was {entity}", game.entity_id);
    game.wait_for("the first snapshot", TIMEOUT, |game, _| game.me().filter(|me| me.health > 0.0).map(drop))?;
    ensure!(game.me().is_some_and(|me| (me.position[1] - place[1]).abs() < 0.5), "{:?} was at {place:?}", game.me());
    game.wait_for("the healing to go on", TIMEOUT, |game, _| (game.health(dummy) >= hurt + 20.0).then_some(()))?;
    ensure!(chunk_version(&mut game, [0, 0, 0])? == 2, "the hole is there");
    Ok(())
}

#[test]
fn a_world_is_shown_exported_imported_and_deleted_by_its_owner() -> Result<()> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let http = server.http();
    let (kim, mallory) = (http.login(Some("kim"))?, http.login(Some("mallory"))?);
    let join = http.join(&kim, None)?;
    let path = format!("/world/{}", join.world_id);
    let mut game = Game::join(&join)?;
    dig(&mut game, [8.0, 1.0, 0.0], 1)?;

    // While it runs, and by nobody else.
    for (who, expected) in [(None, 401), (Some("x"), 401), (Some(mallory.session_token.as_str()), 403)] {
        for (method, path) in [("GET", path.clone()), ("POST", path.clone()), ("DELETE", path.clone()), ("GET", format!("{path}/export"))] {
            ensure!(http.request(method, &path, who, "application/json", b"{}".to_vec())?.status == expected, "{method} {path} by {who:?}");
        }
    }
    let shown = http.get(&format!("{path}?encoding=zstd"), Some(&kim.session_token))?.ok_json()?;
    ensure!(shown["chunks"].as_array().map(Vec::len) == Some(25), "{} chunks", shown["chunks"]);
    let middle = shown["chunks"].as_array().into_iter().flatten().find(|chunk| chunk["chunk_id"] == json!([0, 0, 0]));
    ensure!(middle.is_some_and(|chunk| chunk["version"] == 2 && chunk["encoding"] == "zstd"), "{middle:?}");
    ensure!(shown["entities"].as_array().is_some_and(|all| all.iter().any(|entity| entity["name"] == "dummy")), "{}", shown["entities"]);
    let export = http.get(&format!("{path}/export"), Some(&kim.session_token))?;
    ensure!((export.status, export.content_type.as_str()) == (200, EXPORT_TYPE), "{} {}", export.status, export.content_type);

    // Into another world: not while somebody is in it, then as JSON, then as the export.
    let other = http.join(&kim, None)?;
    let other_path = format!("/world/{}", other.world_id);
    let game_there = Game::join(&other)?;
    let refused = status(&http, "POST", &other_path, &kim, EXPORT_TYPE, export.body.clone())?;
    ensure!((refused.0, &refused.1["code"]) == (409, &json!("world_in_use")), "{refused:?}");
    drop(game_there);
    stop(&http, &other.world_id)?;
    for (content_type, body) in [("application/json", serde_json::to_vec(&shown)?), (EXPORT_TYPE, export.body.clone())] {
        let (code, answer) = status(&http, "POST", &other_path, &kim, content_type, body)?;
        ensure!((code, &answer["status"]) == (200, &json!("saved")), "{content_type}: {code} {answer}");
        let mut game = Game::join(&http.join(&kim, Some(&other.world_id))?)?;
        ensure!(chunk_version(&mut game, [0, 0, 0])? == 2, "the hole came along as {content_type}");
        drop(game);
        stop(&http, &other.world_id)?;
    }

    // What is no world is refused, and the world stays as it was.
    let mut cut = export.body;
    cut.truncate(cut.len() / 2);
    let bad: [(&str, Vec<u8>, u16, &str); 5] = [
        (EXPORT_TYPE, cut, 422, "bad_export"),
        (EXPORT_TYPE, b"nonsense".to_vec(), 422, "bad_export"),
        ("application/json", br#"{"chunks":[{"chunk_id":[0,0,0],"data":"!"}]}"#.to_vec(), 422, "bad_world"),
        ("application/json", br#"{"chunks":7}"#.to_vec(), 422, "wrong_json"),
        ("application/json", b"{".to_vec(), 400, "malformed_json"),
    ];
    for (content_type, body, expected, problem) in bad {
        let (code, answer) = status(&http, "POST", &other_path, &kim, content_type, body)?;
        ensure!((code, answer["code"].as_str()) == (expected, Some(problem)), "{code} {answer}");
    }
    ensure!(http.get(&other_path, Some(&kim.session_token))?.ok_json()?["chunks"].as_array().map(Vec::len) == Some(25));

    drop(game);
    let (code, answer) = status(&http, "DELETE", &path, &kim, "", Vec::new())?;
    ensure!((code, &answer["status"]) == (200, &json!("deleted")), "{code} {answer}");
    ensure!(http.get(&path, Some(&kim.session_token))?.status == 404);
    let left: Vec<_> = fs::read_dir(server.data.join("worlds"))?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(left.iter().all(|name| !name.to_string_lossy().starts_with(&join.world_id)), "{left:?}");
    Ok(())
}

#[test]
fn hills_are_a_choice_and_an_operator_takes_back_what_a_player_did() -> Result<()> {
    let server = Server::start_with(&[("ADMIN_TOKEN", ADMIN)])?;
    let http = server.http();
    let kim = http.login(Some("kim"))?;
    let token = Some(kim.session_token.as_str());
    let bad = http.post("/worlds", token, &json!({ "generation": "cheese" }))?;
    ensure!((bad.status, &bad.json()?["code"]) == (422, &json!("bad_world")));
    let made = http.post("/worlds", token, &json!({ "name": "downs", "generation": "hills" }))?.ok_json()?;
    ensure!(made["world"]["generation"] == "hills", "{made}");
    let world = made["world"]["world_id"].as_str().context("an id")?;
    let mut game = Game::join(&http.join(&kim, Some(world))?)?;
    let applied = dig(&mut game, [8.0, 4.0, 0.0], 1)?;
    ensure!(applied["affected_chunks"][0]["new_version"] == 2, "{applied}");

    let path = format!("/admin/worlds/{world}/revert");
    let wish = json!({ "client_id": kim.client_id, "minutes": 5 });
    for (who, expected) in [(None, 401), (token, 403)] {
        ensure!(http.post(&path, who, &wish)?.status == expected);
    }
    for wrong in [json!({ "minutes": 5 }), json!({ "client_id": "x", "minutes": 0 }), json!({ "client_id": "x", "minutes": 1e9 })] {
        ensure!(http.post(&path, Some(ADMIN), &wrong)?.status == 422, "{wrong}");
    }
    // Over a restart: who did what is saved too.
    drop(game);
    stop(&http, world)?;
    ensure!(http.post(&path, Some(ADMIN), &wish)?.ok_json()?["status"] == "reverted");
    let mut game = Game::join(&http.join(&kim, Some(world))?)?;
    ensure!(chunk_version(&mut game, [0, 0, 0])? == 3, "dug, and filled again");
    Ok(())
}
