//! A new revision for a share of the casts first: hosts count, and this judges: hold, promote, or roll back, without anybody having to look.

use crate::{
    App,
    body::Body,
    clock,
    error::Error,
    ids::ClientId,
    limits::{BAKE_SECONDS_MAX, CLEANUP_INTERVAL, MIN_CASTS_MAX, ROLLOUT_JUDGE_INTERVAL},
    operator::Admin,
    problem::Problem,
    publish::{channel_named, revision_named},
    session::Player,
    spell::{known, own},
    store::{Database, Ending, RolledBack, Rollout},
};
use axum::{
    Json,
    extract::{Path, State},
};
use protocol::{Channel, SpellId, link::Tally};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};

/// When a rollout is good or bad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Of the casts, or of who draws: above 0 and at most 100.
    #[schema(exclusive_minimum = 0, maximum = 100)]
    pub percent: f64,
    /// Who draws: `cast`, `player`, or `world`.
    pub by: By,
    /// Casts of the revision before its upkeep is judged, and before it can be promoted: at least 1.
    #[schema(minimum = 1, maximum = 1000000)]
    pub min_casts: u32,
    /// Casts that may be stopped, 0 to 1. Beyond it the revision is rolled back, as soon as `min_casts` good ones could not make up for it.
    #[schema(minimum = 0, maximum = 1)]
    pub max_fault_rate: f64,
    /// Mana that a cast takes beside its first cost, compared to the active revision's; null where that does not matter.
    #[schema(exclusive_minimum = 0)]
    pub max_upkeep_ratio: Option<f64>,
    /// Seconds before it can be promoted: at least 1.
    #[schema(minimum = 1, maximum = 2592000)]
    pub bake_seconds: u32,
}

/// Who draws whether the revision on trial is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Each cast.
    Cast,
    /// Each player, once.
    Player,
    /// Each world, once, for all of its casts.
    World,
}

impl Default for Terms {
    fn default() -> Self {
        Self { percent: 10.0, by: By::Cast, min_casts: 50, max_fault_rate: 0.05, max_upkeep_ratio: Some(3.0), bake_seconds: 300 }
    }
}

/// What worlds have counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Worlds that have.
    pub worlds: u32,
    /// Of the revision on trial.
    pub trial: Tally,
    /// Of the active one meanwhile, on the same worlds.
    pub active: Tally,
}

/// What follows of the evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It goes on.
    Hold,
    /// It is as good as it has to be.
    Promote(String),
    /// It is not.
    RollBack(String),
}

impl Terms {
    /// Whether they make sense.
    pub fn check(&self) -> Result<(), Problem> {
        let bad = |detail: &str| Err(Problem::unprocessable("bad_rollout", detail));
        match self {
            Self { percent, .. } if !(*percent > 0.0 && *percent <= 100.0) => bad("percent is above 0 and at most 100"),
            Self { min_casts, .. } if !(1..=MIN_CASTS_MAX).contains(min_casts) => bad(&format!("min_casts is 1 to {MIN_CASTS_MAX}")),
            Self { max_fault_rate, .. } if !(0.0..=1.0).contains(max_fault_rate) => bad("max_fault_rate is 0 to 1"),
            Self { max_upkeep_ratio: Some(ratio), .. } if !(*ratio > 0.0 && ratio.is_finite()) => bad("max_upkeep_ratio is above 0"),
            Self { bake_seconds, .. } if !(1..=BAKE_SECONDS_MAX).contains(bake_seconds) => {
                bad(&format!("bake_seconds is 1 to {BAKE_SECONDS_MAX}"))
            }
            _ => Ok(()),
        }
    }

    /// Hundredths of a percent: at least one.
    pub fn share(&self) -> u16 {
        ((self.percent * 100.0).round() as u16).clamp(1, 10_000)
    }

    /// What the evidence says so many seconds after the beginning.
    pub fn judge(&self, evidence: &Evidence, seconds: f64) -> Verdict {
        let Evidence { trial, active, .. } = evidence;
        let casts_min = u64::from(self.min_casts);
        // Every cast up to the least number that counts might still go well.
        let rate = trial.faults as f64 / trial.casts.max(casts_min) as f64;
        if rate > self.max_fault_rate {
            return Verdict::RollBack(format!(
                "{} of {} casts were stopped; {} is the limit",
                trial.faults, trial.casts, self.max_fault_rate
            ));
        }
        if trial.casts < casts_min {
            return Verdict::Hold;
        }
        if let Some(ratio_max) = self.max_upkeep_ratio
            && active.casts > 0
            && active.mana > 0.0
        {
            let ratio = (trial.mana / trial.casts as f64) / (active.mana / active.casts as f64);
            if ratio > ratio_max {
                return Verdict::RollBack(format!(
                    "a cast takes {ratio:.1} times the mana of the active revision's; {ratio_max} is the limit"
                ));
            }
        }
        if seconds < f64::from(self.bake_seconds) {
            return Verdict::Hold;
        }
        Verdict::Promote(format!("{} of {} casts were stopped in {seconds:.0} s", trial.faults, trial.casts))
    }
}

/// Judges all rollouts that run. Blocks.
pub fn judge_all(app: &App) -> Result<(), Error> {
    let now_ms = clock::now_ms();
    app.store.with(|db| {
        for (rollout, evidence) in db.running_rollouts()? {
            let seconds = (now_ms - rollout.started_at_ms) as f64 / 1e3;
            let (ending, reason) = match rollout.terms.judge(&evidence, seconds) {
                Verdict::Hold => continue,
                Verdict::Promote(reason) => (Ending::Promoted, reason),
                Verdict::RollBack(reason) => (Ending::RolledBack, reason),
            };
            if let Some(number) = db.end_rollout(&rollout, ending, "server", &reason, now_ms)? {
                app.tell(number);
                tracing::info!(spell = %rollout.spell_id, revision = %rollout.revision_id, ending = ending.as_str(), reason, "rollout ended");
            }
        }
        Ok(())
    })
}

/// Judges now and then, for time passes without a word of any world; and now and then forgets what is over.
pub async fn keep_judging(app: Arc<App>) {
    let mut cleaned = Instant::now();
    loop {
        tokio::time::sleep(ROLLOUT_JUDGE_INTERVAL).await;
        if cleaned.elapsed() > CLEANUP_INTERVAL {
            cleaned = Instant::now();
            if let Err(error) = app.store.ask(|db| db.clean_up(clock::now_ms())).await {
                tracing::error!(%error, "what is over was not forgotten");
            }
        }
        let judged = app.clone();
        match tokio::task::spawn_blocking(move || judge_all(&judged)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "rollouts could not be judged"),
            Err(_) => tracing::error!("judging rollouts failed"),
        }
    }
}

/// `POST /api/spells/<id>/rollback`.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RollbackRequest {
    /// `stable` when left out.
    #[schema(pattern = "^(stable|beta)$")]
    channel: Option<String>,
    /// What the channel is to point at; when left out, the newest good one that it pointed at and that is older than what it points at now. A rollout that runs
    /// is ended instead.
    revision_id: Option<String>,
}

/// Points a channel back at an earlier revision, or ends the rollout that runs there, whose number is told; worlds follow in their next tick.
#[utoipa::path(
    post,
    path = "/api/spells/{spell}/rollback",
    params(("spell" = String, Path, description = "A spell id")),
    request_body = RollbackRequest,
    responses((status = 200, description = "What the channel points at now", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn rollback(
    State(app): State<Arc<App>>,
    player: Player,
    Path(spell): Path<String>,
    Body(request): Body<RollbackRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    let channel = channel_named(request.channel.as_deref().unwrap_or("stable"))?;
    own(&app, &spell_id, &player.client_id).await?;
    point_back(&app, spell_id, channel, request.revision_id, Some(player.client_id)).await
}

/// Points anybody's spell back, by the operator.
#[utoipa::path(
    post,
    path = "/admin/spells/{spell}/rollback",
    params(("spell" = String, Path, description = "A spell id")),
    request_body = RollbackRequest,
    responses((status = 200, description = "What the channel points at now", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("admin" = []))
)]
pub async fn rollback_as_operator(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(spell): Path<String>,
    Body(request): Body<RollbackRequest>,
) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    let channel = channel_named(request.channel.as_deref().unwrap_or("stable"))?;
    point_back(&app, spell_id, channel, request.revision_id, None).await
}

/// Without a player, it is the operator who says so.
async fn point_back(
    app: &Arc<App>,
    spell_id: SpellId,
    channel: Channel,
    to: Option<String>,
    by: Option<ClientId>,
) -> Result<Json<Value>, Problem> {
    let to = to.as_deref().map(revision_named).transpose()?;
    let (spell, news) = (spell_id.clone(), app.clone());
    let roll_back = move |db: &mut Database| {
        let now_ms = clock::now_ms();
        let back = db.roll_back(&spell, channel, to.as_ref(), by.as_ref(), now_ms)?;
        if by.is_none() {
            db.note_operator("rollback", &json!({ "spell_id": spell, "channel": channel, "revision_id": back.active }), now_ms)?;
        }
        news.tell(back.number);
        Ok(back)
    };
    let RolledBack { active, ended_rollout, .. } = app.store.ask(roll_back).await?;
    tracing::info!(spell = %spell_id, revision = ?active, %channel, ended_rollout, "rolled back");
    Ok(Json(json!({ "spell_id": spell_id, "channel": channel, "revision_id": active, "ended_rollout": ended_rollout })))
}

/// A spell's rollouts, newest first, with what they were judged by.
#[utoipa::path(
    get,
    path = "/api/spells/{spell}/rollouts",
    params(("spell" = String, Path, description = "A spell id")),
    responses((status = 200, description = "Its rollouts, newest first", body = serde_json::Value), (status = "4XX", description = "Refused, and why", body = crate::problem::ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub async fn list(State(app): State<Arc<App>>, player: Player, Path(spell): Path<String>) -> Result<Json<Value>, Problem> {
    let spell_id = known(spell)?;
    own(&app, &spell_id, &player.client_id).await?;
    let spell = spell_id.clone();
    let rollouts = app.store.ask(move |db| db.rollouts(&spell)).await?;
    let shown: Vec<_> = rollouts.into_iter().map(shown).collect();
    Ok(Json(json!({ "spell_id": spell_id, "rollouts": shown })))
}

fn shown(rollout: Rollout) -> Value {
    json!({
        "rollout": rollout.rollout,
        "channel": rollout.channel,
        "revision_id": rollout.revision_id,
        "state": rollout.state,
        "terms": rollout.terms,
        "started_at": clock::iso8601(rollout.started_at_ms),
        "ended_at": rollout.ended_at_ms.map(clock::iso8601),
        "evidence": rollout.evidence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(trial: (u64, u64, f64), active: (u64, u64, f64), seconds: f64) -> String {
        let tally = |(casts, faults, mana)| Tally { casts, faults, mana };
        let evidence = Evidence { worlds: 1, trial: tally(trial), active: tally(active) };
        match Terms::default().judge(&evidence, seconds) {
            Verdict::Hold => "hold".into(),
            Verdict::Promote(reason) => format!("promote: {reason}"),
            Verdict::RollBack(reason) => format!("roll back: {reason}"),
        }
    }

    #[test]
    fn a_rollout_is_judged_by_faults_upkeep_and_time() {
        let active = (500, 0, 500.0);
        assert_eq!(judged((0, 0, 0.0), active, 1e6), "hold");
        assert_eq!(judged((10, 2, 10.0), active, 1.0), "hold", "48 good ones would make up for it");
        assert_eq!(judged((3, 3, 3.0), active, 1.0), "roll back: 3 of 3 casts were stopped; 0.05 is the limit");
        assert_eq!(judged((100, 5, 100.0), active, 1.0), "hold");
        assert_eq!(judged((100, 6, 100.0), active, 1.0), "roll back: 6 of 100 casts were stopped; 0.05 is the limit");
        assert_eq!(judged((49, 0, 1e6), active, 1.0), "hold", "too few to judge by their upkeep");
        assert_eq!(
            judged((50, 0, 200.0), active, 1.0),
            "roll back: a cast takes 4.0 times the mana of the active revision's; 3 is the limit"
        );
        assert_eq!(judged((50, 0, 1e6), (0, 0, 0.0), 1.0), "hold", "there is nothing to compare it with");
        assert_eq!(judged((50, 2, 50.0), active, 299.0), "hold");
        assert_eq!(judged((50, 2, 50.0), active, 300.0), "promote: 2 of 50 casts were stopped in 300 s");
    }
}
