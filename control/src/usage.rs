//! Who runs a spell, and what its casts come to: sums from the database, and what worlds do with it now.

use crate::{
    App,
    error::Error,
    fleet::Fleet,
    ids::{ClientId, WorldId},
    limits::{USAGE_RECENT, USAGE_RECENT_PLAYERS_MAX, USAGE_RECENT_REVISIONS_MAX},
    policy::Visibility,
    problem::Problem,
    session::Viewer,
    spell::{find, known, may_see_drafts},
    store::{Database, Used, World},
};
use axum::{
    Json,
    extract::{Path, State},
};
use protocol::{RevisionId, SpellId, link::Usage};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What worlds whose servers run did of late.
#[derive(Debug, Default)]
pub struct Recent(Mutex<BTreeMap<WorldId, OfWorld>>);

/// By spell and revision.
type OfWorld = BTreeMap<(SpellId, RevisionId), Doings>;

#[derive(Debug)]
struct Doings {
    live_casts: u32,
    /// When a cast of it was live, began or ended.
    seen: Instant,
    /// Who has begun casts of it, and when last.
    players: BTreeMap<ClientId, Instant>,
}

/// One world's part in a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    world_id: WorldId,
    live_casts: u32,
    players: BTreeSet<ClientId>,
}

impl Recent {
    /// Takes in a world's report; which casts are live, the newest one says alone.
    pub fn note(&self, fleet: &Fleet, world: &WorldId, usage: &Usage) {
        let (mut worlds, now) = (self.worlds(), Instant::now());
        worlds.retain(|known, _| known == world || fleet.is_running(known));
        let of_world = worlds.entry(world.clone()).or_default();
        of_world.values_mut().for_each(|doings| doings.live_casts = 0);
        for live in &usage.live {
            if let Some(doings) = doings(of_world, &live.spell_id, &live.revision_id, now) {
                doings.live_casts = live.casts;
            }
        }
        let mut room = USAGE_RECENT_PLAYERS_MAX.saturating_sub(of_world.values().map(|doings| doings.players.len()).sum());
        for counted in &usage.counted {
            let Some(doings) = doings(of_world, &counted.spell_id, &counted.revision_id, now) else { continue };
            for player in counted.players.iter().filter_map(|player| player.parse::<ClientId>().ok()) {
                if room > 0 || doings.players.contains_key(&player) {
                    room -= usize::from(doings.players.insert(player, now).is_none());
                }
            }
        }
        of_world.retain(|_, doings| {
            doings.players.retain(|_, since| since.elapsed() < USAGE_RECENT);
            doings.seen.elapsed() < USAGE_RECENT
        });
    }

    /// The running worlds' parts in a spell's revisions.
    fn of(&self, fleet: &Fleet, spell: &SpellId) -> BTreeMap<RevisionId, Vec<Part>> {
        let mut parts = BTreeMap::<_, Vec<Part>>::new();
        for (world_id, of_world) in self.worlds().iter().filter(|(world, _)| fleet.is_running(world)) {
            for ((_, revision), doings) in of_world.iter().filter(|((of, _), doings)| of == spell && doings.seen.elapsed() < USAGE_RECENT) {
                let recent = doings.players.iter().filter(|(_, since)| since.elapsed() < USAGE_RECENT);
                let players = recent.map(|(player, _)| player.clone()).collect();
                parts.entry(revision.clone()).or_default().push(Part {
                    world_id: world_id.clone(),
                    live_casts: doings.live_casts,
                    players,
                });
            }
        }
        parts
    }

    fn worlds(&self) -> MutexGuard<'_, BTreeMap<WorldId, OfWorld>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing where as many are remembered already as may be.
fn doings<'a>(of_world: &'a mut OfWorld, spell: &SpellId, revision: &RevisionId, now: Instant) -> Option<&'a mut Doings> {
    let key = (spell.clone(), revision.clone());
    if of_world.len() >= USAGE_RECENT_REVISIONS_MAX && !of_world.contains_key(&key) {
        return None;
    }
    let doings = of_world.entry(key).or_insert_with(|| Doings { live_casts: 0, seen: now, players: BTreeMap::new() });
    doings.seen = now;
    Some(doings)
}

/// What a spell's casts came to, revision by revision, and which worlds run them. Of a draft, those hear who may change the spell; of a world that is not
/// public, its owner.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/usage",
    params(("spell" = String, Path, description = "A spell id")),
    responses((status = 200, description = "By revision, newest first: casts that have ended, stopped ones, fuel of a cast, and who runs it", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security((), ("session" = []))
)]
pub async fn usage(State(app): State<Arc<App>>, viewer: Viewer, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    find(&app, &spell_id).await?;
    let published_only = !may_see_drafts(&app, &viewer, &spell_id).await?;
    let mut parts = app.recent.of(&app.fleet, &spell_id);
    let (spell, ids): (_, BTreeSet<WorldId>) = (spell_id.clone(), parts.values().flatten().map(|part| part.world_id.clone()).collect());
    let ask = move |db: &mut Database| {
        let worlds = ids.iter().map(|id| db.world(id)).collect::<Result<Vec<_>, Error>>()?;
        Ok((db.usage(&spell, published_only)?, worlds))
    };
    let (used, worlds) = app.store.ask(ask).await?;
    let is_shown = |world: &World| world.policy.visibility == Visibility::Public || viewer.is(&world.created_by);
    let shown: BTreeMap<WorldId, String> =
        worlds.into_iter().flatten().filter(is_shown).map(|world| (world.world_id, world.name)).collect();
    let revisions: Vec<Value> =
        used.into_iter().map(|used| in_json(&used, parts.remove(&used.revision_id).unwrap_or_default(), &shown)).collect();
    Ok(Json(json!({ "spell_id": spell_id, "recent_seconds": USAGE_RECENT.as_secs(), "revisions": revisions })))
}

fn in_json(used: &Used, parts: Vec<Part>, shown: &BTreeMap<WorldId, String>) -> Value {
    let live_casts: u32 = parts.iter().fold(0, |sum, part| sum.saturating_add(part.live_casts));
    let players: BTreeSet<&ClientId> = parts.iter().flat_map(|part| &part.players).collect();
    let mut named: Vec<(&Part, &String)> = parts.iter().filter_map(|part| Some((part, shown.get(&part.world_id)?))).collect();
    named.sort_by_key(|(part, name)| (std::cmp::Reverse(part.live_casts), *name));
    let worlds: Vec<Value> =
        named.iter().map(|(part, name)| json!({ "world_id": part.world_id, "name": name, "live_casts": part.live_casts })).collect();
    json!({
        "revision_id": used.revision_id,
        "casts": used.casts,
        "faults": used.faults,
        "fuel_p50": used.fuel.percentile(50),
        "fuel_p99": used.fuel.percentile(99),
        "live_casts": live_casts,
        "players": players.len(),
        "other_worlds": parts.len() - worlds.len(),
        "worlds": worlds,
    })
}
