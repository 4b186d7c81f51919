//! What is always true of a world between two ticks. Of one that runs, a violation is a bug of ours, found near its cause; one that is loaded may be anybody's.

use crate::body::Form;
use crate::history::Frame;
use crate::limits::{
    BODY_REACH_M, CHUNKS_MAX, DEBRIS_MAX, DEBRIS_PER_CASTER_MAX, ENTITIES_MAX, EVENTS_PER_CAST_MAX, FALL_LIMIT_M, FIELDS_MAX,
    FIELDS_PER_CASTER_MAX, JOINTS_MAX, JOINTS_PER_CASTER_MAX, LAG_TICKS_MAX, LIVE_CASTS_MAX, LIVE_CASTS_PER_CASTER_MAX,
    PATH_NODES_PER_SEARCH, PLAYERS_MAX, PROJECTILE_BOUNCES_MAX, PROJECTILE_PIERCES_MAX, SPAWNED_PER_CASTER_MAX, SUMMONED_PER_CASTER_MAX,
    SUSPICION_MAX, TIMERS_PER_CAST_MAX,
};
use crate::{EntityId, EntityKind, World, debris};

/// Leaves the function with the message when the condition does not hold.
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        // Not negated: a number that is none compares as false.
        if $holds {
        } else {
            return Err(format!($($message)+));
        }
    };
}

impl World {
    /// Checks the world against itself. Runs after every tick of a debug build.
    ///
    /// # Panics
    /// When something does not fit together; the message names it.
    pub fn check_invariants(&self) {
        if let Err(broken) = self.fits_together() {
            panic!("not true of this world: {broken}");
        }
    }

    /// The first thing that should be true and is not.
    pub(crate) fn fits_together(&self) -> Result<(), String> {
        self.check_terrain()?;
        self.check_kinds()?;
        self.check_entities()?;
        self.check_life()?;
        self.check_history()?;
        self.check_bodies()?;
        self.check_joints_and_fields()?;
        self.check_casts()
    }

    /// Every chunk in which something is has a collider, and no other.
    fn check_terrain(&self) -> Result<(), String> {
        ensure!(self.scene.terrain().len() <= CHUNKS_MAX, "not too many chunks");
        let solid = self.scene.terrain().chunks().filter(|(_, chunk)| !chunk.is_air()).map(|(id, _)| id);
        ensure!(solid.eq(self.physics.chunks()), "the colliders are those of the chunks");
        Ok(())
    }

    /// Every entity of the scene is in its kind's own map, and nothing else is.
    fn check_kinds(&self) -> Result<(), String> {
        let of_kind = |kind| self.scene.entities().filter(move |entity| entity.kind == kind).map(|entity| entity.id);
        ensure!(of_kind(EntityKind::Player).eq(self.players.keys().copied()), "the scene's players are the world's");
        ensure!(of_kind(EntityKind::Npc).eq(self.npcs.keys().copied()), "the scene's npcs are the world's");
        ensure!(of_kind(EntityKind::Projectile).eq(self.projectiles.keys().copied()), "the scene's projectiles are the world's");
        ensure!(of_kind(EntityKind::Prop).eq(self.props.keys().copied()), "the scene's props are the world's");
        ensure!(self.scene.len() <= ENTITIES_MAX && self.players.len() <= PLAYERS_MAX, "the world is not overfull");
        Ok(())
    }

    fn check_entities(&self) -> Result<(), String> {
        for entity in self.scene.entities() {
            ensure!(entity.id.0 > 0 && entity.id.0 < self.next_id, "{:?} was given out", entity.id);
            let finite =
                entity.position.is_finite() && entity.velocity.is_finite() && entity.rotation.is_finite() && entity.aim.is_finite();
            ensure!(finite, "{entity:?} is finite");
            ensure!((0.0..=entity.health_max).contains(&entity.health), "{entity:?} has a health in range");
            ensure!(!entity.kind.is_character() || entity.is_alive(), "{entity:?} is alive");
            ensure!(entity.position.y >= FALL_LIMIT_M, "{entity:?} is in the world");
        }
        let mut entries: Vec<_> = self.scene.grid().entries().map(|entry| (entry.id, entry.kind, entry.position)).collect();
        entries.sort_by_key(|(id, ..)| *id);
        let entities = self.scene.entities().map(|entity| (entity.id, entity.kind, entity.position));
        ensure!(entities.eq(entries), "the grid agrees with the scene");
        Ok(())
    }

    /// What players and NPCs alone can have is theirs, and what NPCs remember is bounded.
    fn check_life(&self) -> Result<(), String> {
        let lives = |id: &EntityId| self.scene.entity(*id).is_some_and(|entity| entity.kind.is_character());
        ensure!(self.teams.keys().all(lives) && self.statuses.keys().all(lives), "only players and npcs have teams and statuses");
        for (id, npc) in &self.npcs {
            let sane = npc.notices.values().all(|notice| notice.suspicion > 0.0 && notice.suspicion <= SUSPICION_MAX);
            ensure!(sane && npc.notices.len() <= ENTITIES_MAX, "{id:?} notices within reason");
            ensure!(npc.route.steps.len() <= PATH_NODES_PER_SEARCH, "{id:?} has a way of bounded length");
        }
        for (id, projectile) in &self.projectiles {
            let bounded = projectile.bounces <= PROJECTILE_BOUNCES_MAX && projectile.pierced.len() <= usize::from(PROJECTILE_PIERCES_MAX);
            ensure!(bounded, "{id:?} bounces and pierces within limits");
        }
        Ok(())
    }

    /// Frames are of players and NPCs that were given out, and the newest shows all who are there; projectiles go back no further than it is remembered.
    fn check_history(&self) -> Result<(), String> {
        ensure!(self.history.len() <= LAG_TICKS_MAX, "not too much is remembered");
        let character = |id| self.scene.entity(id).is_none_or(|entity| entity.kind.is_character());
        for id in self.history.frames().flat_map(Frame::ids) {
            ensure!(id.0 < self.next_id && character(id), "{id:?} is remembered as a player or npc");
        }
        if let Some(newest) = self.history.frames().next_back() {
            let shown = self.scene.grid().characters().all(|entry| newest.has(entry.id, entry.position));
            ensure!(shown, "everybody is remembered where they are");
        }
        for (id, projectile) in &self.projectiles {
            ensure!(projectile.lag_ticks <= self.history.len(), "{id:?} meets others where it is remembered that they were");
        }
        Ok(())
    }

    fn check_bodies(&self) -> Result<(), String> {
        let solid = self.scene.entities().filter(|entity| entity.kind != EntityKind::Projectile).map(|entity| entity.id);
        ensure!(solid.eq(self.physics.states().map(|(id, _)| id)), "every player, npc and prop has a body");
        for entity in self.scene.entities() {
            let form = match self.props.get(&entity.id) {
                Some(prop) if prop.is_debris() => Form::Point,
                Some(prop) => prop.form,
                None if entity.kind.is_character() => Form::Capsule,
                None => Form::Point,
            };
            ensure!(entity.form == form && form.reach() <= BODY_REACH_M, "{entity:?} has its own form");
        }
        for (id, prop) in self.props.iter().filter(|(_, prop)| prop.is_debris()) {
            let (all, own) = debris::count(self, self.scene.entity(*id).map_or(EntityId::NONE, |entity| entity.owner));
            ensure!(all <= DEBRIS_MAX && own <= DEBRIS_PER_CASTER_MAX && prop.cast.is_none(), "there is not too much debris");
        }
        Ok(())
    }

    /// Joints are those of the physics, between bodies that are there; neither they nor fields are too many.
    fn check_joints_and_fields(&self) -> Result<(), String> {
        ensure!(self.physics.joints().eq(self.joints.keys().copied()), "the physics has the world's joints");
        let there = |body| body == EntityId::NONE || self.props.contains_key(&body);
        ensure!(self.joints.values().all(|joint| there(joint.one.body) && there(joint.other.body)), "joints join what is there");
        ensure!(self.joints.len() <= JOINTS_MAX && self.fields.len() <= FIELDS_MAX, "not too many joints and fields");
        for (id, _) in self.casts.live() {
            let mine = |caster: EntityId| self.casts.get(id).is_some_and(|cast| cast.request.caster == caster);
            let joints = self.joints.values().filter(|joint| mine(joint.caster)).count();
            let fields = self.fields.values().filter(|field| mine(field.caster)).count();
            let summoned = self.npcs.values().filter_map(|npc| npc.summoned).filter(|summoned| mine(summoned.summoner)).count();
            let few = joints <= JOINTS_PER_CASTER_MAX && fields <= FIELDS_PER_CASTER_MAX && summoned <= SUMMONED_PER_CASTER_MAX;
            ensure!(few, "the caster of {id:?} has not too many joints, fields and npcs");
        }
        Ok(())
    }

    fn check_casts(&self) -> Result<(), String> {
        ensure!(self.casts.len() <= LIVE_CASTS_MAX, "not too many casts");
        for (id, cast) in self.casts.live() {
            let untouched = cast.events.is_empty() && cast.timers.is_empty() && cast.spawned.is_empty();
            ensure!(cast.running || untouched, "{id:?} has run before it got or spawned anything");
            ensure!(cast.timers.len() <= TIMERS_PER_CAST_MAX && cast.events.len() <= EVENTS_PER_CAST_MAX, "{id:?} has bounded queues");
            let caster = cast.request.caster;
            ensure!(self.casts.of_caster(caster) <= LIVE_CASTS_PER_CASTER_MAX, "{caster:?} has not too many casts");
            ensure!(self.casts.spawned_by(caster) <= SPAWNED_PER_CASTER_MAX, "{caster:?} has not too many things");
            ensure!(cast.spawned.iter().all(|made| self.maker(*made) == Some(id)), "what {id:?} spawned is there and its own");
        }
        let made = self.scene.entities().map(|entity| entity.id).chain(self.joints.keys().copied()).chain(self.fields.keys().copied());
        for id in made {
            let known = |cast| self.casts.get(cast).is_some_and(|cast| cast.spawned.contains(&id));
            ensure!(self.maker(id).is_none_or(known), "{id:?} belongs to a live cast");
        }
        Ok(())
    }
}
