//! The fixture as a world: it answers from what is prefetched, so that the spatial query is not measured.

use crate::twins::{Fixture, Impulse};
use spell_runtime::{
    Call, Cast, Drawer, Entity, EntityId, EntityKind, Hook, Instance, Intent, Kinds, RayHit, Shape, Spell, Vec3, View, Voxel,
};
use std::sync::Arc;

/// Fuel of each call: the game's.
pub const CALL_FUEL: u64 = game::limits::SPELL_CALL_FUEL_MAX;
/// The fixture's caster.
pub const CASTER: EntityId = 1;

/// What every call sees.
pub fn view() -> Arc<dyn View> {
    Arc::new(Prefetched(Fixture::new()))
}

/// A cast of the spell that is past its `on-cast`.
pub fn cast(spell: &Spell, view: &Arc<dyn View>) -> Instance {
    let mut instance = spell.instantiate(CALL_FUEL).expect("init of a spell of ours");
    let caster = view.entity(CASTER).expect("the fixture's caster");
    let what = Cast {
        tick: 1,
        caster: CASTER,
        target: 0,
        origin: caster.position,
        aim: [0.0, 0.0, -1.0],
        target_position: caster.position,
        seed: 7,
        params: "{}".into(),
    };
    call(&mut instance, view, Hook::Cast(what));
    instance
}

/// One call that must not fault, and its intents.
pub fn call(instance: &mut Instance, view: &Arc<dyn View>, hook: Hook) -> Vec<Intent> {
    let outcome = instance.call(Call { hook, tick: 1, view: view.clone(), caster: CASTER, mana: None, first_id: 1_000, fuel: CALL_FUEL });
    assert_eq!(outcome.fault, None, "a spell that faults cannot be measured");
    outcome.intents
}

/// What one tick of it pushes.
pub fn pushes(instance: &mut Instance, view: &Arc<dyn View>) -> Vec<Impulse> {
    let pushes = call(instance, view, Hook::Tick(1.0 / 60.0)).into_iter().filter_map(|intent| match intent {
        Intent::Push { target, impulse } => Some((target, impulse)),
        _ => None,
    });
    pushes.collect()
}

struct Prefetched(Fixture);

impl View for Prefetched {
    fn entity(&self, id: EntityId) -> Option<Entity> {
        let position = if id == CASTER { self.0.caster } else { self.0.near.iter().find(|near| near.0 == id)?.1 };
        Some(Entity { id, kind: EntityKind::Player, position, velocity: [0.0; 3], aim: [0.0, 0.0, -1.0], health: 100.0, health_max: 100.0 })
    }
    fn find(&self, _shape: Shape, _kinds: Kinds, count: usize, _except: EntityId) -> Vec<(EntityId, Vec3)> {
        self.0.near.iter().take(count).copied().collect()
    }
    fn raycast(&self, _start: Vec3, _direction: Vec3, _length: f32, _except: EntityId) -> Option<RayHit> {
        None
    }
    fn line_of_sight(&self, _start: Vec3, _end: Vec3) -> bool {
        true
    }
    fn material(&self, _voxel: Voxel) -> u8 {
        0
    }
    fn stored(&self, _spell: &str, _caster: EntityId, _drawer: Drawer, _key: &str) -> Option<Arc<[u8]>> {
        None
    }
}
