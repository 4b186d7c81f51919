//! A spell's lineup changes between two ticks, and so may the revision of casts that run.

use super::{Casts, KnownRevision, end};
use crate::inbound::Switch;
use crate::limits::{MIGRATION_FUEL, MIGRATIONS_PER_TICK_MAX, TRIAL_SHARE_WHOLE};
use crate::lineup::{InFlight, ShareBy};
use crate::outbound::CastEnd;
use crate::rng::Stream;
use crate::spells::{CancelReason, Migrated, Migration};
use crate::{CastId, EntityId, Outbound, Spells, World};
use xxhash_rust::xxh3::xxh3_64;

/// From now on, casts of this spell run what the lineup says; what becomes of those that run, the revisions say.
pub(crate) fn switch(world: &mut World, switch: &Switch) {
    let Switch { spell, lineup, specs, barred } = switch;
    let known = world.casts.spells.entry(spell.clone()).or_default();
    for (revision, spec) in specs {
        known.revisions.entry(revision.clone()).or_insert(KnownRevision { spec: *spec, live: 0 }).spec = *spec;
    }
    let mut before = std::mem::replace(&mut known.lineup, lineup.clone());
    let revisions = &known.revisions;
    known.lineup.keep(|revision| revisions.contains_key(revision));
    let stopped: Vec<CastId> = world
        .casts
        .live()
        .filter(|(_, cast)| cast.request.spell == *spell && barred.contains(&cast.request.revision))
        .map(|(id, _)| id)
        .collect();
    for id in stopped {
        end(world, id, CastEnd::Revision);
    }
    let decisions: Vec<(CastId, Decision)> = world
        .casts
        .live()
        .filter(|(_, cast)| cast.request.spell == *spell)
        .map(|(id, cast)| (id, world.casts.decide(spell, &cast.request.revision, account(world, cast.request.caster))))
        .collect();
    for (id, decision) in decisions {
        world.casts.migrating.remove(&id);
        match decision {
            Decision::Stays => {}
            Decision::Ends => world.casts.cancel(id, CancelReason::Revision),
            Decision::Moves(_) if world.casts.is_cancelled(id) => {}
            Decision::Moves(to) => _ = world.casts.migrating.insert(id, to),
        }
    }
    let now = world.casts.spells.get(spell).map(|known| known.lineup.clone()).unwrap_or_default();
    world.casts.forget_unused(spell);
    match (before.active.take(), now.active) {
        (before, Some(revision)) if before.as_ref() != Some(&revision) => {
            world.emit(Outbound::Activated { spell: spell.clone(), revision })
        }
        (Some(_), None) => world.emit(Outbound::Deactivated { spell: spell.clone() }),
        (_, Some(_)) | (None, None) => {}
    }
    let authors: Vec<(EntityId, String)> = world.players.iter().map(|(id, player)| (*id, player.account.clone())).collect();
    for (player, account) in authors {
        let (old, new) = (before.drafts.get(&account), now.drafts.get(&account));
        if old != new {
            world.emit(Outbound::DraftChanged { spell: spell.clone(), revision: new.cloned(), player });
        }
    }
}

/// The tick's stage: casts that are to go on with another revision do so, as many as fit.
pub(crate) fn migrate(world: &mut World, spells: &mut impl Spells) {
    if world.casts.migrating.is_empty() {
        return;
    }
    let casts = &world.casts;
    let to_move = |(id, to): (&CastId, &String)| {
        // One that has its last call before it keeps the revision that knows what to do.
        let request = &casts.live.get(id).filter(|cast| cast.cancelled.is_none())?.request;
        Some(Migration { cast: *id, spell: request.spell.clone(), from: request.revision.clone(), to: to.clone() })
    };
    let migrations: Vec<Migration> = casts.migrating.iter().filter_map(to_move).take(MIGRATIONS_PER_TICK_MAX).collect();
    let answers = spells.migrate(&migrations, MIGRATION_FUEL);
    assert_eq!(migrations.len(), answers.len(), "every migration is answered once");
    for (Migration { cast, spell, from, to }, (came, fuel)) in migrations.into_iter().zip(answers) {
        world.casts.charge(cast, fuel);
        if came == Migrated::Waits {
            continue;
        }
        world.casts.migrating.remove(&cast);
        let Some(caster) = world.casts.get(cast).map(|cast| cast.request.caster) else { continue };
        match came {
            Migrated::Moved => {
                world.casts.repin(cast, &to);
                world.emit(Outbound::Migrated { cast, spell, from, to, caster });
            }
            Migrated::Stays(fault) => world.emit(Outbound::MigrationFailed { cast, spell, from, to, caster, fault }),
            Migrated::Fault(fault) => super::faulted(world, cast, fault),
            Migrated::Waits => {}
        }
    }
}

/// The revision of a new cast, if its caster can cast the spell at all: what it asks for, or what falls to it.
pub(super) fn revision_of(world: &World, spell: &str, asked: &str, caster: EntityId) -> Option<String> {
    let (casts, account) = (&world.casts, account(world, caster));
    let lineup = &casts.spells.get(spell)?.lineup;
    if !asked.is_empty() {
        return lineup.admits(account, asked).then(|| asked.to_owned());
    }
    let on_trial = lineup.trial.as_ref().filter(|trial| {
        let who = match trial.by {
            ShareBy::Cast => casts.count + 1,
            ShareBy::Player if account.is_empty() => caster.0,
            ShareBy::Player => xxh3_64(account.as_bytes()),
        };
        let draw = Stream::named(&[world.settings.seed, xxh3_64(spell.as_bytes()), xxh3_64(trial.revision.as_bytes()), who]).draw();
        draw % u64::from(TRIAL_SHARE_WHOLE) < u64::from(trial.share)
    });
    match (lineup.draft(account), on_trial, &lineup.active) {
        (Some(draft), _, _) => Some(draft.to_owned()),
        (None, Some(trial), _) => Some(trial.revision.clone()),
        (None, None, active) => active.clone(),
    }
}

/// Empty for one who has none.
fn account(world: &World, caster: EntityId) -> &str {
    world.players.get(&caster).map_or("", |player| player.account.as_str())
}

/// What becomes of a cast.
enum Decision {
    Stays,
    Ends,
    Moves(String),
}

impl Casts {
    fn decide(&self, spell: &str, revision: &str, account: &str) -> Decision {
        let Some(known) = self.spells.get(spell).filter(|known| !known.lineup.admits(account, revision)) else { return Decision::Stays };
        let next = known.lineup.of_player(account);
        let newer = next.map_or(revision, |next| next.max(revision));
        let word = known.revisions.get(newer).map_or(InFlight::Finish, |newer| newer.spec.in_flight);
        match (word, next) {
            (InFlight::Cancel, _) => Decision::Ends,
            (InFlight::Migrate, Some(next)) => Decision::Moves(next.to_owned()),
            (InFlight::Finish, _) | (InFlight::Migrate, None) => Decision::Stays,
        }
    }

    /// The cast runs another revision from now on.
    fn repin(&mut self, id: CastId, to: &str) {
        let Some(cast) = self.live.get_mut(&id) else { return };
        let Some(known) = self.spells.get_mut(&cast.request.spell) else { return };
        let from = std::mem::replace(&mut cast.request.revision, to.to_owned());
        if let Some(revision) = known.revisions.get_mut(&from) {
            revision.live -= 1;
        }
        if let Some(revision) = known.revisions.get_mut(to) {
            revision.live += 1;
            cast.spec = revision.spec;
        }
        let spell = cast.request.spell.clone();
        self.forget_unused(&spell);
    }
}
