//! What of the spells a world runs, and what it has put into quarantine.

use crate::{
    App,
    body::Body,
    clock,
    error::Error,
    ids::ClientId,
    limits::{POLICY_PINS_MAX, POLICY_SPELLS_MAX, WORLD_PLAYERS_MAX},
    operator::Admin,
    problem::Problem,
    store::{Database, Quarantine, SpellRow},
    world_file::{WorldOwner, find},
};
use axum::{
    Json,
    extract::{Path, State},
};
use protocol::{Channel, RevisionId, SpellId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A world's word on spells. What it does not say is as for a new world.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// `beta` to run what is published there, where there is something; else `stable`, or `beta` of a spell that has no stable revision.
    #[schema(value_type = Option<String>, pattern = "^(stable|beta)$")]
    pub channel: Option<Channel>,
    /// By spell: the one revision that the world runs of it.
    #[schema(value_type = BTreeMap<String, String>)]
    pub pins: BTreeMap<SpellId, RevisionId>,
    /// The only spells that it runs; all where this is null.
    #[schema(value_type = Option<Vec<String>>)]
    pub allow: Option<BTreeSet<SpellId>>,
    /// Spells that it does not run.
    #[schema(value_type = Vec<String>)]
    pub deny: BTreeSet<SpellId>,
    /// Whose spells it runs: those of players of this tier and above, and its owner's. An operator says who is of which.
    pub trust: Trust,
    /// Whether players who are on no team, and players and NPCs of one team, can hurt each other; where this is null the world stays as it was made.
    pub friendly_fire: Option<bool>,
    /// Who finds it and may come in.
    pub visibility: Visibility,
    /// Who may come into a private world, beside its owner.
    #[schema(value_type = Vec<String>)]
    pub members: BTreeSet<ClientId>,
    /// Players at once: 1 to 256, which is what it is when left out.
    #[schema(minimum = 1, maximum = 256)]
    pub capacity: Option<u16>,
    /// Whether it runs components that import WASI. Its server learns of a change when it is started the next time.
    pub wasi: bool,
}

/// Who finds a world and may come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// It is listed, and open to everybody.
    #[default]
    Public,
    /// It is not listed, and open to whoever knows its id.
    Unlisted,
    /// It is open to its owner and its members.
    Private,
}

/// How far an operator trusts a player as an author of spells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// As everybody to begin with.
    #[default]
    New = 0,
    /// Somebody known.
    Known = 1,
    /// Somebody to rely on.
    Trusted = 2,
}

impl Policy {
    /// Whether this player may come in.
    pub fn takes(&self, player: &ClientId, owner: &ClientId) -> bool {
        self.visibility != Visibility::Private || player == owner || self.members.contains(player)
    }

    /// Players at once.
    pub fn capacity(&self) -> usize {
        self.capacity.unwrap_or(WORLD_PLAYERS_MAX).into()
    }

    /// Whether this spell is run at all, as far as its name goes.
    pub fn admits(&self, spell: &SpellId) -> bool {
        !self.deny.contains(spell) && self.allow.as_ref().is_none_or(|allow| allow.contains(spell))
    }

    /// The channel that is followed for this spell.
    pub fn channel_of(&self, spell: &SpellRow) -> Channel {
        match self.channel {
            Some(Channel::Beta) if spell.beta.is_some() => Channel::Beta,
            _ if spell.stable.is_some() => Channel::Stable,
            _ => Channel::Beta,
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let bad = |detail: String| Err(Problem::unprocessable("bad_policy", detail));
        if self.channel == Some(Channel::Draft) {
            return bad("a world follows stable or beta: drafts are their authors' alone".into());
        }
        if self.capacity.is_some_and(|capacity| !(1..=WORLD_PLAYERS_MAX).contains(&capacity)) {
            return bad(format!("a world takes 1 to {WORLD_PLAYERS_MAX} players"));
        }
        if self.members.len() > POLICY_SPELLS_MAX {
            return bad(format!("at most {POLICY_SPELLS_MAX} players can be members"));
        }
        if self.pins.len() > POLICY_PINS_MAX {
            return bad(format!("at most {POLICY_PINS_MAX} spells can be pinned"));
        }
        if self.deny.len().max(self.allow.as_ref().map_or(0, BTreeSet::len)) > POLICY_SPELLS_MAX {
            return bad(format!("at most {POLICY_SPELLS_MAX} spells can be allowed or denied by name"));
        }
        Ok(())
    }
}

/// `GET /world/<id>/policy`.
#[utoipa::path(
    get,
    path = "/world/{world}/policy",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "What of the spells it runs", body = Policy), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn show(WorldOwner(world): WorldOwner) -> Json<Policy> {
    Json(world.policy)
}

/// Says what of the spells the world runs; a running world follows at once.
#[utoipa::path(
    put,
    path = "/world/{world}/policy",
    params(("world" = String, Path, description = "A world id")),
    request_body = Policy,
    responses((status = 200, description = "What of the spells it runs", body = Policy), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn set(State(app): State<Arc<App>>, WorldOwner(world): WorldOwner, Body(policy): Body<Policy>) -> Result<Json<Policy>, Problem> {
    policy.check()?;
    let (kept, news) = (policy.clone(), app.clone());
    let set = move |db: &mut Database| {
        for (spell, revision) in &kept.pins {
            db.revision(spell, revision)?
                .filter(|revision| revision.published)
                .ok_or_else(|| Error::unknown("revision", revision.as_str()))?;
        }
        let number = db.set_policy(&world.world_id, &kept)?;
        news.tell(number);
        Ok(())
    };
    app.store.ask(set).await?;
    Ok(Json(policy))
}

/// What the world has put into quarantine.
#[utoipa::path(
    get,
    path = "/world/{world}/quarantine",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Revisions that it does not run, and why", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn quarantines(State(app): State<Arc<App>>, WorldOwner(world): WorldOwner) -> Result<Json<Value>, Problem> {
    quarantines_of(&app, world.world_id).await
}

/// What any world has put into quarantine, for the operator.
#[utoipa::path(
    get,
    path = "/admin/worlds/{world}/quarantine",
    params(("world" = String, Path, description = "A world id")),
    responses((status = 200, description = "Revisions that it does not run, and why", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn quarantines_for_operator(State(app): State<Arc<App>>, _: Admin, Path(world): Path<String>) -> Result<Json<Value>, Problem> {
    quarantines_of(&app, find(&app, &world).await?.world_id).await
}

async fn quarantines_of(app: &Arc<App>, world_id: crate::ids::WorldId) -> Result<Json<Value>, Problem> {
    let id = world_id.clone();
    let quarantines = app.store.ask(move |db| db.quarantines(&id)).await?;
    let shown: Vec<_> = quarantines
        .into_iter()
        .map(|Quarantine { spell_id, revision_id, reason, since_ms }| {
            json!({ "spell_id": spell_id, "revision_id": revision_id, "reason": reason, "since": clock::iso8601(since_ms) })
        })
        .collect();
    Ok(Json(json!({ "world_id": world_id, "quarantined": shown })))
}

/// Lets the world run a revision again, by its owner.
#[utoipa::path(
    delete,
    path = "/world/{world}/quarantine/{spell}/{revision}",
    params(("world" = String, Path, description = "A world id"), ("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "Lifted", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn lift(
    State(app): State<Arc<App>>,
    WorldOwner(world): WorldOwner,
    Path((_world, spell, revision)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    lift_from(&app, world.world_id, &spell, &revision).await
}

/// Lets any world run a revision again, by the operator.
#[utoipa::path(
    delete,
    path = "/admin/worlds/{world}/quarantine/{spell}/{revision}",
    params(("world" = String, Path, description = "A world id"), ("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "Lifted", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn lift_as_operator(
    State(app): State<Arc<App>>,
    _: Admin,
    Path((world, spell, revision)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let world = find(&app, &world).await?;
    let lifted = lift_from(&app, world.world_id, &spell, &revision).await?;
    let detail = json!({ "world_id": lifted["world_id"], "spell_id": spell, "revision_id": revision });
    app.store.ask(move |db| db.note_operator("lift_quarantine", &detail, clock::now_ms())).await?;
    Ok(lifted)
}

/// Has any world not run a revision any more, by the operator.
#[utoipa::path(
    put,
    path = "/admin/worlds/{world}/quarantine/{spell}/{revision}",
    params(("world" = String, Path, description = "A world id"), ("spell" = String, Path, description = "A spell id"), ("revision" = String, Path, description = "A revision id")),
    responses((status = 200, description = "In quarantine", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn quarantine_as_operator(
    State(app): State<Arc<App>>,
    _: Admin,
    Path((world, spell, revision)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let world_id = find(&app, &world).await?.world_id;
    let (spell_id, revision_id) = named(&spell, &revision)?;
    let answer = json!({ "world_id": world_id, "spell_id": spell_id, "revision_id": revision_id, "status": "quarantined" });
    let news = app.clone();
    let add = move |db: &mut Database| {
        db.revision(&spell_id, &revision_id)?.ok_or_else(|| Error::unknown("revision", revision_id.as_str()))?;
        if let Some(number) =
            db.add_quarantine(&world_id, &spell_id, &revision_id, "put into quarantine by the operator", clock::now_ms())?
        {
            news.tell(number);
            let detail = json!({ "world_id": world_id, "spell_id": spell_id, "revision_id": revision_id });
            db.note_operator("quarantine", &detail, clock::now_ms())?;
        }
        Ok(())
    };
    app.store.ask(add).await?;
    Ok(Json(answer))
}

async fn lift_from(app: &Arc<App>, world_id: crate::ids::WorldId, spell: &str, revision: &str) -> Result<Json<Value>, Problem> {
    let (spell_id, revision_id) = named(spell, revision)?;
    let answer = json!({ "world_id": world_id, "spell_id": spell_id, "revision_id": revision_id, "status": "lifted" });
    let news = app.clone();
    let lift = move |db: &mut Database| {
        news.tell(db.lift_quarantine(&world_id, &spell_id, &revision_id)?);
        Ok(())
    };
    app.store.ask(lift).await?;
    Ok(Json(answer))
}

fn named(spell: &str, revision: &str) -> Result<(SpellId, RevisionId), Error> {
    let spell_id = SpellId::new(spell).map_err(|_| Error::unknown("spell", spell))?;
    Ok((spell_id, revision.parse().map_err(|_| Error::unknown("revision", revision))?))
}
