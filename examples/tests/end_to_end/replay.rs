//! A spell faults on a server; its author runs the minute before it again, with the shipped tool.

use crate::{FIREBALL, TIMEOUT, cast_until_granted, make_live, somebody};
use anyhow::{Context, Result, ensure};
use examples::game::{SPELL_CAST_REJECTED, is};
use examples::server;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const ENDLESS: &str = include_str!("hostile/loop_in_on_tick.rs");

#[test]
fn what_led_to_a_fault_is_the_same_when_its_author_runs_it_again() -> Result<()> {
    let (server, http, kim, mut game) = somebody()?;
    let world = http.get("/worlds", None)?.ok_json()?["worlds"][0]["world_id"].as_str().context("no world")?.to_owned();
    make_live(&http, &kim, &mut game, "kims_fireball", FIREBALL)?;
    cast_until_granted(&mut game, "kims_fireball")?;
    let revision = make_live(&http, &kim, &mut game, "endless", ENDLESS)?;
    let bookmark = server.line_count();
    cast_until_granted(&mut game, "endless")?;
    game.wait_for("the end of the cast", TIMEOUT, |_, message| {
        is(message, SPELL_CAST_REJECTED).filter(|end| end["spell_id"] == "endless")
    })?;
    server.wait_for_line(bookmark, &["spell replay", ".recording"], TIMEOUT)?;

    let folder = server.data.join(format!("worlds/{world}.recordings"));
    let kept: Vec<PathBuf> = fs::read_dir(&folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let [file] = &kept[..] else { anyhow::bail!("one recording should be kept, these are: {kept:?}") };
    for threads in ["1", "2"] {
        let replay = Command::new(server::shipped("spell")?).arg("replay").arg(file).args(["--threads", threads]).output()?;
        let told = String::from_utf8_lossy(&replay.stdout);
        ensure!(replay.status.success(), "{told}{}", String::from_utf8_lossy(&replay.stderr));
        ensure!(told.contains("the same after every tick"), "{told}");
        ensure!(told.contains(&format!("endless: {revision} broke fuel in on-tick")), "{told}");
    }

    let damaged = folder.join("damaged");
    let mut bytes = fs::read(file)?;
    bytes.truncate(bytes.len() / 2);
    fs::write(&damaged, bytes)?;
    let refused = Command::new(server::shipped("spell")?).arg("replay").arg(&damaged).output()?;
    ensure!(!refused.status.success());
    ensure!(String::from_utf8_lossy(&refused.stderr).contains("the recording is damaged"), "{refused:?}");
    Ok(())
}
