//! A mistake in the source: the author reads what and where, and nothing changes live.

use crate::{FIREBALL, TIMEOUT, cast_until_granted, make_live, somebody};
use anyhow::{Context, Result, ensure};

#[test]
fn a_type_error_names_its_place_and_changes_nothing() -> Result<()> {
    let (_server, http, player, mut game) = somebody()?;
    let revision = make_live(&http, &player, &mut game, "spark", FIREBALL)?;

    let broken = format!("{FIREBALL}\npub fn broken(world: &World) {{\n    let ready: bool = 1;\n    world.finsh();\n}}\n");
    let job = http.wait_for_job(&player, &http.build(&player, "spark", &broken)?, TIMEOUT, |_| ())?;
    ensure!(job["status"] == "failed" && job["result_revision_id"].is_null(), "{job}");
    ensure!(job["error_message"].as_str().is_some_and(|message| !message.is_empty()), "{job}");

    let diagnostics = job["diagnostics"].as_array().context("no diagnostics")?;
    let line = broken.lines().position(|line| line.contains("bool = 1")).context("the line")? + 1;
    let mismatch = diagnostics.iter().find(|found| found["code"] == "E0308").with_context(|| format!("no E0308: {job}"))?;
    ensure!(mismatch["file"] == "src/lib.rs" && mismatch["line"] == line && mismatch["column"] == 23, "{mismatch}");
    ensure!(
        mismatch["severity"] == "error" && mismatch["message"].as_str().is_some_and(|text| text.contains("mismatched types")),
        "{mismatch}"
    );
    let typo = diagnostics.iter().find(|found| found["code"] == "E0599").with_context(|| format!("no E0599: {job}"))?;
    ensure!(typo["line"] == line + 1 && typo["help"].as_str().is_some_and(|help| help.contains("finish")), "{typo}");

    let refused = http.publish(&player, "spark", "rev_000002_00000000", "stable");
    ensure!(refused.is_err(), "a revision that was never built was published");
    let cast = cast_until_granted(&mut game, "spark")?;
    ensure!(cast["revision_id"] == *revision, "another revision runs: {cast}");
    Ok(())
}
