//! A world taken up again from its file, or a new one.

use crate::limits::AWAITED_TICKS;
use game::{Game, LoadedRevision, Loader};
use sim::{EntityId, Settings, World};
use std::collections::BTreeMap;
use store::{Artifact, Contents};

/// The game to run, and the players in it who are waited for, until which tick each.
pub fn game(
    contents: Option<Contents>,
    settings: Settings,
    loader: &Loader,
    now_ms: i64,
) -> Result<(Game, BTreeMap<EntityId, u64>), sim::saved::LoadError> {
    let Some(Contents { stored, saved_at_ms, artifacts, .. }) = contents else {
        return Ok((Game::with_world(World::with(settings)), BTreeMap::new()));
    };
    let revisions = artifacts.iter().filter_map(|artifact| load(loader, artifact));
    let (game, dropped) = Game::load(stored, revisions.collect::<Vec<_>>())?;
    for cast in &dropped {
        tracing::warn!(cast = cast.cast.0, spell = %cast.spell, revision = %cast.revision, caster = cast.caster.0, "a cast could not go on after the load");
    }
    let tick = game.world().tick();
    tracing::info!(tick, entities = game.world().scene().len(), casts = game.casts_live(), "the world goes on from its file");
    // Who was here when the world stopped has as long to come back as one whose line broke; after a longer pause nobody is waited for.
    let away_ms = u64::try_from(now_ms.saturating_sub(saved_at_ms)).unwrap_or(0);
    let away_ticks = away_ms * u64::from(sim::limits::TICK_HZ) / 1_000;
    let until = tick + AWAITED_TICKS.saturating_sub(away_ticks);
    let awaited = game.world().players().map(|player| (player, until)).collect();
    Ok((game, awaited))
}

/// A revision of the file's. One that does not load (its engine is an older one's, say) comes anew from the control plane; its casts end.
fn load(loader: &Loader, artifact: &Artifact) -> Option<LoadedRevision> {
    let Artifact { spell, revision, bytes } = artifact;
    let loaded = loader.load(spell, revision, bytes);
    loaded.inspect_err(|error| tracing::warn!(%spell, %revision, "a revision of the world's file is not taken: {error}")).ok()
}
