//! What is always true of a world between two ticks; a violation is a bug of ours, found near its cause.

use crate::limits::{
    CHUNKS_MAX, ENTITIES_MAX, EVENTS_PER_CAST_MAX, FALL_LIMIT_M, LIVE_CASTS_MAX, LIVE_CASTS_PER_CASTER_MAX, PATH_NODES_PER_SEARCH,
    PLAYERS_MAX, PROJECTILE_BOUNCES_MAX, PROJECTILE_PIERCES_MAX, SPAWNED_PER_CASTER_MAX, SUSPICION_MAX, TIMERS_PER_CAST_MAX,
};
use crate::{EntityId, EntityKind, World};

impl World {
    /// Checks the world against itself. Runs after every tick of a debug build.
    ///
    /// # Panics
    /// When something does not fit together; the message names it.
    pub fn check_invariants(&self) {
        self.check_terrain();
        self.check_kinds();
        self.check_entities();
        self.check_life();
        self.check_bodies();
        self.check_casts();
    }

    /// Every chunk in which something is has a collider, and no other.
    fn check_terrain(&self) {
        assert!(self.scene.terrain().len() <= CHUNKS_MAX, "not too many chunks");
        let solid = self.scene.terrain().chunks().filter(|(_, chunk)| !chunk.is_air()).map(|(id, _)| id);
        assert!(solid.eq(self.physics.chunks()), "the colliders are those of the chunks");
    }

    /// Every entity of the scene is in its kind's own map, and nothing else is.
    fn check_kinds(&self) {
        let of_kind = |kind| self.scene.entities().filter(move |entity| entity.kind == kind).map(|entity| entity.id);
        assert!(of_kind(EntityKind::Player).eq(self.players.keys().copied()), "the scene's players are the world's");
        assert!(of_kind(EntityKind::Npc).eq(self.npcs.keys().copied()), "the scene's npcs are the world's");
        assert!(of_kind(EntityKind::Projectile).eq(self.projectiles.keys().copied()), "the scene's projectiles are the world's");
        assert!(of_kind(EntityKind::Prop).eq(self.props.iter().copied()), "the scene's props are the world's");
        assert!(self.scene.len() <= ENTITIES_MAX && self.players.len() <= PLAYERS_MAX, "the world is not overfull");
    }

    fn check_entities(&self) {
        for entity in self.scene.entities() {
            assert!(entity.id.0 > 0 && entity.id.0 < self.next_id, "{:?} was given out", entity.id);
            let finite =
                entity.position.is_finite() && entity.velocity.is_finite() && entity.rotation.is_finite() && entity.aim.is_finite();
            assert!(finite, "{entity:?} is finite");
            assert!((0.0..=entity.health_max).contains(&entity.health), "{entity:?} has a health in range");
            assert!(!entity.kind.is_character() || entity.is_alive(), "{entity:?} is alive");
            assert!(entity.position.y >= FALL_LIMIT_M, "{entity:?} is in the world");
        }
        let mut entries: Vec<_> = self.scene.grid().entries().map(|entry| (entry.id, entry.kind, entry.position)).collect();
        entries.sort_by_key(|(id, ..)| *id);
        let entities = self.scene.entities().map(|entity| (entity.id, entity.kind, entity.position));
        assert!(entities.eq(entries), "the grid agrees with the scene");
    }

    /// What players and NPCs alone can have is theirs, and what NPCs remember is bounded.
    fn check_life(&self) {
        let lives = |id: &EntityId| self.scene.entity(*id).is_some_and(|entity| entity.kind.is_character());
        assert!(self.teams.keys().all(lives) && self.statuses.keys().all(lives), "only players and npcs have teams and statuses");
        for (id, npc) in &self.npcs {
            let sane = npc.notices.values().all(|notice| notice.suspicion > 0.0 && notice.suspicion <= SUSPICION_MAX);
            assert!(sane && npc.notices.len() <= ENTITIES_MAX, "{id:?} notices within reason");
            assert!(npc.route.steps.len() <= PATH_NODES_PER_SEARCH, "{id:?} has a way of bounded length");
        }
        for (id, projectile) in &self.projectiles {
            let bounded = projectile.bounces <= PROJECTILE_BOUNCES_MAX && projectile.pierced.len() <= usize::from(PROJECTILE_PIERCES_MAX);
            assert!(bounded, "{id:?} bounces and pierces within limits");
        }
    }

    fn check_bodies(&self) {
        let solid = self.scene.entities().filter(|entity| entity.kind != EntityKind::Projectile).map(|entity| entity.id);
        assert!(solid.eq(self.physics.states().map(|(id, _)| id)), "every player, npc and prop has a body");
    }

    fn check_casts(&self) {
        assert!(self.casts.len() <= LIVE_CASTS_MAX, "not too many casts");
        for (id, cast) in self.casts.live() {
            let untouched = cast.events.is_empty() && cast.timers.is_empty() && cast.spawned.is_empty();
            assert!(cast.running || untouched, "{id:?} has run before it got or spawned anything");
            assert!(cast.timers.len() <= TIMERS_PER_CAST_MAX && cast.events.len() <= EVENTS_PER_CAST_MAX, "{id:?} has bounded queues");
            let caster = cast.request.caster;
            assert!(self.casts.of_caster(caster) <= LIVE_CASTS_PER_CASTER_MAX, "{caster:?} has not too many casts");
            assert!(self.casts.spawned_by(caster) <= SPAWNED_PER_CASTER_MAX, "{caster:?} has not too many things");
            let mine = |projectile| self.projectiles.get(projectile).is_some_and(|projectile| projectile.cast == Some(id));
            assert!(cast.spawned.iter().all(mine), "what {id:?} spawned is there and its own");
        }
        for (id, projectile) in &self.projectiles {
            let known = |cast| self.casts.get(cast).is_some_and(|cast| cast.spawned.contains(id));
            assert!(projectile.cast.is_none_or(known), "{id:?} belongs to a live cast");
        }
    }
}
