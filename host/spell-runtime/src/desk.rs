//! Where a cast's requests arrive: each is checked against the spell's own limits, then buffered. What a store carries.

use crate::envelope::{Capability, Envelope};
use crate::limits::*;
use crate::types::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A request that is refused; the spell is told and goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Refused {
    pub limit: Limit,
    /// What would have been allowed.
    pub allowed: f64,
    /// What was asked.
    pub asked: f64,
}

/// The limit that a request ran into; in words in the WIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Capability,
    Radius,
    Entities,
    Finite,
    Magnitude,
    Target,
    Intents,
    Length,
}

pub(crate) type Checked<T = ()> = Result<T, Refused>;

/// One cast's desk. Its buffers live as long as the cast, so that a call allocates nothing but its intents.
pub(crate) struct Desk {
    envelope: Envelope,
    /// The frozen world, while a hook runs.
    view: Option<Arc<dyn View>>,
    caster: EntityId,
    /// Where the caster stands in the view, or stood last.
    caster_position: Option<Vec3>,
    intents: Vec<Intent>,
    finished: bool,
    /// Everything that this cast has spawned, ascending: ids are given away in that order.
    spawned: Vec<EntityId>,
    next_id: EntityId,
    spawned_in_call: u64,
    /// The tick of the last call.
    tick: u64,
    /// Distinct targets of that tick, sorted.
    touched: Vec<EntityId>,
    players_touched: u32,
    timers_in_call: u32,
    logged_in_call: usize,
    memory_refused: Option<usize>,
    table_refused: Option<usize>,
}

/// What the server keeps of a cast beside the guest's own state.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct KeptDesk {
    caster: EntityId,
    caster_position: Option<Vec3>,
    spawned: Vec<EntityId>,
}

impl Desk {
    /// What outlives the instance. All else is of one call or one tick.
    pub fn keep(&self) -> KeptDesk {
        KeptDesk { caster: self.caster, caster_position: self.caster_position, spawned: self.spawned.clone() }
    }

    /// A desk that goes on with what was kept. Ids that are not ascending are none that a desk gave away: they are refused.
    pub fn resume(&mut self, kept: KeptDesk) -> bool {
        let sound = kept.spawned.is_sorted_by(|one, next| one < next)
            && kept.caster_position.is_none_or(|position| position.iter().all(|axis| axis.is_finite()));
        (self.caster, self.caster_position, self.spawned) = (kept.caster, kept.caster_position, kept.spawned);
        sound
    }

    pub fn new(envelope: Envelope) -> Self {
        Self {
            envelope,
            view: None,
            caster: 0,
            caster_position: None,
            intents: Vec::new(),
            finished: false,
            spawned: Vec::new(),
            next_id: 0,
            spawned_in_call: 0,
            tick: 0,
            touched: Vec::new(),
            players_touched: 0,
            timers_in_call: 0,
            logged_in_call: 0,
            memory_refused: None,
            table_refused: None,
        }
    }

    /// Opens the desk for one call of a hook. `origin` is where the caster was at the cast, known for the first call alone.
    pub fn open(&mut self, tick: u64, view: Arc<dyn View>, caster: EntityId, origin: Option<Vec3>, first_id: EntityId) {
        if self.tick != tick {
            self.tick = tick;
            self.touched.clear();
            self.players_touched = 0;
        }
        self.caster_position = view.entity(caster).map(|entity| entity.position).or(self.caster_position).or(origin);
        self.caster = caster;
        self.view = Some(view);
        self.next_id = first_id;
    }

    /// Closes it and gives back the view. What the next call counts starts at zero.
    pub fn close(&mut self) -> Vec<Intent> {
        self.view = None;
        self.spawned_in_call = 0;
        self.timers_in_call = 0;
        self.logged_in_call = 0;
        std::mem::take(&mut self.intents)
    }

    /// Whether the spell asked to end.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Memory and table growth that was refused since the last question.
    pub fn take_refused_growth(&mut self) -> (Option<usize>, Option<usize>) {
        (self.memory_refused.take(), self.table_refused.take())
    }

    /// The last error that the spell has logged in this call.
    pub fn last_error(&self) -> Option<String> {
        self.intents.iter().rev().find_map(|intent| match intent {
            Intent::Log { level: "error", text } => Some(text.clone()),
            _ => None,
        })
    }

    // What follows is the interface, in the WIT's order.

    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        self.view.as_ref()?.entity(id)
    }

    /// Entities beyond the envelope's radius are left out of the answer: no intent could reach them.
    pub fn find(&self, shape: Shape, kinds: Kinds, count: u32) -> Checked<Vec<(EntityId, Vec3)>> {
        self.need(Capability::ReadWorld)?;
        let view = self.view()?;
        let shape = self.check_shape(shape)?;
        in_range(count as f32, 1.0, FIND_COUNT_MAX as f32)?;
        let mut found = view.find(shape, kinds, count as usize, self.caster);
        found.retain(|(_, position)| self.within_reach(*position).is_ok());
        found.truncate(count as usize);
        Ok(found)
    }

    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32) -> Checked<Option<RayHit>> {
        self.need(Capability::ReadWorld)?;
        let view = self.view()?;
        self.within_reach(start)?;
        let direction = unit(direction)?;
        self.check_length(length)?;
        Ok(view.raycast(start, direction, length, self.caster))
    }

    pub fn damage(&mut self, target: EntityId, amount: f32) -> Checked {
        self.change_health(Capability::Damage, target, amount)?;
        self.intents.push(Intent::Damage { target, amount });
        Ok(())
    }

    pub fn heal(&mut self, target: EntityId, amount: f32) -> Checked {
        self.change_health(Capability::Heal, target, amount)?;
        self.intents.push(Intent::Heal { target, amount });
        Ok(())
    }

    /// Whether a push of so many targets with so many numbers may be looked at; before any of them is.
    pub fn check_push(&self, targets: usize, numbers: usize) -> Checked {
        self.need(Capability::MoveEntities)?;
        refuse_unless(numbers == targets.saturating_mul(3), Limit::Length, targets as f64 * 3.0, numbers as f64)?;
        self.need_room(targets)
    }

    /// All are accepted or none. Call `check_push` first.
    pub fn push(&mut self, pushes: &[(EntityId, Vec3)]) -> Checked {
        let (touched, players) = (self.touched.clone(), self.players_touched);
        let result = pushes.iter().try_for_each(|(target, impulse)| {
            short_enough(*impulse, IMPULSE_MAX)?;
            self.touch(*target).map(drop)
        });
        match result {
            Ok(()) => self.intents.extend(pushes.iter().map(|&(target, impulse)| Intent::Push { target, impulse })),
            Err(_) => (self.touched, self.players_touched) = (touched, players),
        }
        result
    }

    pub fn launch(&mut self, projectile: Projectile) -> Checked<EntityId> {
        self.need(Capability::SpawnEntities)?;
        self.need_room(1)?;
        self.within_reach(projectile.start)?;
        short_enough(projectile.velocity, PROJECTILE_SPEED_MAX)?;
        in_range(projectile.radius, PROJECTILE_RADIUS_M.0, PROJECTILE_RADIUS_M.1)?;
        in_range(projectile.gravity, 0.0, PROJECTILE_GRAVITY_MAX)?;
        in_range(projectile.seconds, f32::MIN_POSITIVE, PROJECTILE_SECONDS_MAX)?;
        in_range(projectile.damage, 0.0, HEALTH_CHANGE_MAX)?;
        if projectile.damage > 0.0 {
            self.need(Capability::Damage)?;
        }
        let id = self.take_id()?;
        self.intents.push(Intent::Launch { id, projectile });
        Ok(id)
    }

    pub fn despawn(&mut self, id: EntityId) -> Checked {
        self.need_room(1)?;
        refuse_unless(self.spawned.binary_search(&id).is_ok(), Limit::Target, 0.0, id as f64)?;
        self.intents.push(Intent::Despawn { id });
        Ok(())
    }

    pub fn cue(&mut self, name: &str, at: Vec3, scale: f32) -> Checked {
        self.need_room(1)?;
        self.within_reach(at)?;
        in_range(scale, 0.0, CUE_SCALE_MAX)?;
        self.intents.push(Intent::Cue { name: printable(name), at, scale });
        Ok(())
    }

    pub fn set_timer(&mut self, token: u32, ticks: u32) -> Checked {
        self.need_room(1)?;
        in_range(ticks as f32, 1.0, TIMER_TICKS_MAX as f32)?;
        let asked = self.timers_in_call + 1;
        refuse_unless(asked <= TIMERS_PER_CALL_MAX, Limit::Intents, f64::from(TIMERS_PER_CALL_MAX), f64::from(asked))?;
        self.timers_in_call = asked;
        self.intents.push(Intent::SetTimer { token, ticks });
        Ok(())
    }

    /// Keeps the line, cut to its limit; a line too many is dropped, unless it is an error.
    pub fn log(&mut self, level: &'static str, text: &str) {
        let line = Intent::Log { level, text: printable(cut(text, LOG_LINE_BYTES_MAX)) };
        if self.logged_in_call < LOG_LINES_PER_CALL_MAX {
            self.logged_in_call += 1;
            self.intents.push(line);
        } else if level == "error"
            && let Some(last) = self.intents.iter_mut().rev().find(|intent| matches!(intent, Intent::Log { .. }))
        {
            *last = line;
        }
    }

    pub fn finish(&mut self) {
        self.finished = true;
    }

    fn change_health(&mut self, capability: Capability, target: EntityId, amount: f32) -> Checked {
        self.need(capability)?;
        self.need_room(1)?;
        in_range(amount, f32::MIN_POSITIVE, HEALTH_CHANGE_MAX)?;
        // What has no health cannot win or lose any.
        let health_max = self.entity(target).map_or(0.0, |entity| entity.health_max);
        refuse_unless(health_max > 0.0, Limit::Target, 0.0, target as f64)?;
        self.touch(target).map(drop)
    }

    fn need(&self, capability: Capability) -> Checked {
        refuse_unless(self.envelope.capabilities.has(capability), Limit::Capability, 0.0, 1.0)
    }

    /// Outside of a call (in `init`, `save`, `restore`) there is no world to see or to change.
    fn view(&self) -> Checked<&Arc<dyn View>> {
        self.view.as_ref().ok_or(Refused { limit: Limit::Intents, allowed: 0.0, asked: 1.0 })
    }

    fn need_room(&self, more: usize) -> Checked {
        self.view()?;
        let asked = self.intents.len() - self.logged_in_call + more;
        refuse_unless(asked <= INTENTS_PER_CALL_MAX, Limit::Intents, INTENTS_PER_CALL_MAX as f64, asked as f64)
    }

    /// The target, if it lives, is in reach, and is not one too many.
    fn touch(&mut self, target: EntityId) -> Checked<Entity> {
        let entity = self.entity(target).ok_or(Refused { limit: Limit::Target, allowed: 0.0, asked: target as f64 })?;
        self.within_reach(entity.position)?;
        let Err(place) = self.touched.binary_search(&target) else { return Ok(entity) };
        let scope = self.envelope.scope;
        let asked = self.touched.len() + 1;
        refuse_unless(asked as u64 <= u64::from(scope.max_entities), Limit::Entities, f64::from(scope.max_entities), asked as f64)?;
        if entity.kind == EntityKind::Player && target != self.caster {
            let asked = self.players_touched + 1;
            refuse_unless(asked <= u32::from(scope.max_players), Limit::Entities, f64::from(scope.max_players), f64::from(asked))?;
            self.players_touched = asked;
        }
        self.touched.insert(place, target);
        Ok(entity)
    }

    fn take_id(&mut self) -> Checked<EntityId> {
        let in_call = self.spawned_in_call + 1;
        refuse_unless(in_call <= SPAWNS_PER_CALL_MAX, Limit::Entities, SPAWNS_PER_CALL_MAX as f64, in_call as f64)?;
        let in_cast = self.spawned.len() as u64 + 1;
        let allowed = self.envelope.scope.max_entities.min(SPAWNS_PER_CAST_MAX);
        refuse_unless(in_cast <= u64::from(allowed), Limit::Entities, f64::from(allowed), in_cast as f64)?;
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        self.spawned_in_call = in_call;
        self.spawned.push(id);
        Ok(id)
    }

    fn within_reach(&self, position: Vec3) -> Checked {
        let position = finite_vector(position)?;
        let caster = self.caster_position.ok_or(Refused { limit: Limit::Target, allowed: 0.0, asked: self.caster as f64 })?;
        let way = [position[0] - caster[0], position[1] - caster[1], position[2] - caster[2]];
        no_longer_than(way, self.envelope.scope.radius_m, Limit::Radius)
    }

    /// Its middle must be in reach and its extent no larger than the envelope's radius.
    fn check_shape(&self, shape: Shape) -> Checked<Shape> {
        match shape {
            Shape::Sphere { center, radius } => {
                self.within_reach(center)?;
                self.check_length(radius)?;
                Ok(shape)
            }
            Shape::Cone { apex, direction, length, half_angle } => {
                self.within_reach(apex)?;
                self.check_length(length)?;
                in_range(half_angle, 0.0, std::f32::consts::PI)?;
                Ok(Shape::Cone { apex, direction: unit(direction)?, length, half_angle })
            }
        }
    }

    fn check_length(&self, length: f32) -> Checked {
        in_range(length, f32::MIN_POSITIVE, f32::MAX)?;
        let allowed = self.envelope.scope.radius_m;
        refuse_unless(length <= allowed, Limit::Radius, f64::from(allowed), f64::from(length))
    }
}

impl wasmtime::ResourceLimiter for Desk {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= MEMORY_BYTES_MAX;
        if !allowed {
            self.memory_refused = Some(desired);
        }
        Ok(allowed)
    }
    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= TABLE_ELEMENTS_MAX;
        if !allowed {
            self.table_refused = Some(desired);
        }
        Ok(allowed)
    }
    fn instances(&self) -> usize {
        CORE_INSTANCES_MAX as usize
    }
    fn tables(&self) -> usize {
        TABLES_MAX as usize
    }
    fn memories(&self) -> usize {
        MEMORIES_MAX as usize
    }
}

/// A cue's name has its length checked before it is read.
pub(crate) fn check_cue_name(bytes: usize) -> Checked {
    refuse_unless((1..=CUE_NAME_BYTES_MAX).contains(&bytes), Limit::Length, CUE_NAME_BYTES_MAX as f64, bytes as f64)
}

fn refuse_unless(allowed_at_all: bool, limit: Limit, allowed: f64, asked: f64) -> Checked {
    if allowed_at_all { Ok(()) } else { Err(Refused { limit, allowed, asked }) }
}

fn finite(number: f32) -> Checked<f32> {
    // The number that was asked for is none; 0 says so without handing it back.
    if number.is_finite() { Ok(number) } else { Err(Refused { limit: Limit::Finite, allowed: 0.0, asked: 0.0 }) }
}

fn finite_vector(vector: Vec3) -> Checked<Vec3> {
    vector.into_iter().try_for_each(|axis| finite(axis).map(drop)).map(|()| vector)
}

fn in_range(number: f32, least: f32, most: f32) -> Checked {
    let number = finite(number)?;
    refuse_unless(number >= least, Limit::Magnitude, f64::from(least), f64::from(number))?;
    refuse_unless(number <= most, Limit::Magnitude, f64::from(most), f64::from(number))
}

fn short_enough(vector: Vec3, most: f32) -> Checked {
    no_longer_than(finite_vector(vector)?, most, Limit::Magnitude)
}

/// Compares squares: the root is drawn only for those who are told it.
fn no_longer_than(vector: Vec3, most: f32, limit: Limit) -> Checked {
    let most = f64::from(most);
    if length_squared(vector) <= most * most { Ok(()) } else { Err(Refused { limit, allowed: most, asked: length(vector) }) }
}

fn length(vector: Vec3) -> f64 {
    length_squared(vector).sqrt()
}

/// In double precision: squares of finite floats stay finite.
fn length_squared(vector: Vec3) -> f64 {
    vector.into_iter().map(|axis| f64::from(axis) * f64::from(axis)).sum()
}

/// The same direction with length 1; a vector of no length has none.
fn unit(vector: Vec3) -> Checked<Vec3> {
    let length = length(finite_vector(vector)?);
    refuse_unless(length > 1e-6, Limit::Magnitude, 1.0, length)?;
    Ok(vector.map(|axis| (f64::from(axis) / length) as f32))
}

/// The longest beginning of at most so many bytes that ends between characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Without what moves a terminal's cursor, breaks a line, or turns the reading direction.
fn printable(text: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Capabilities;

    /// Everybody stands in the same place.
    struct Crowd;

    impl View for Crowd {
        fn entity(&self, id: EntityId) -> Option<Entity> {
            let (position, aim) = ([0.0; 3], [0.0, 0.0, -1.0]);
            Some(Entity { id, kind: EntityKind::Player, position, velocity: [0.0; 3], aim, health: 100.0, health_max: 100.0 })
        }
        fn find(&self, _shape: Shape, _kinds: Kinds, _count: usize, _except: EntityId) -> Vec<(EntityId, Vec3)> {
            Vec::new()
        }
        fn raycast(&self, _start: Vec3, _direction: Vec3, _length: f32, _except: EntityId) -> Option<RayHit> {
            None
        }
    }

    #[test]
    fn all_calls_of_a_tick_share_what_the_envelope_allows() {
        let mut envelope = Envelope { capabilities: Capabilities::of(&[Capability::Heal]), ..Envelope::default() };
        (envelope.scope.max_entities, envelope.scope.max_players) = (3, 2);
        let mut desk = Desk::new(envelope);
        let mut healed = |tick, targets: &[EntityId]| {
            desk.open(tick, Arc::new(Crowd), 1, None, 0);
            let healed: Vec<bool> = targets.iter().map(|target| desk.heal(*target, 1.0).is_ok()).collect();
            desk.close();
            healed
        };
        assert_eq!(healed(7, &[2, 3]), [true, true]);
        assert_eq!(healed(7, &[4, 2, 1]), [false, true, true], "a third player is one too many, the caster is none");
        assert_eq!(healed(8, &[4, 5, 6]), [true, true, false]);
    }

    #[test]
    fn a_cast_does_not_spawn_without_end() {
        let mut envelope = Envelope { capabilities: Capabilities::of(&[Capability::SpawnEntities]), ..Envelope::default() };
        envelope.scope.max_entities = u32::MAX;
        let mut desk = Desk::new(envelope);
        let projectile = Projectile { start: [0.0; 3], velocity: [0.0; 3], radius: 0.1, gravity: 0.0, seconds: 1.0, damage: 0.0 };
        let mut launched = 0;
        for tick in 1..=1_000 {
            desk.open(tick, Arc::new(Crowd), 1, None, tick * SPAWNS_PER_CALL_MAX);
            launched += (0..SPAWNS_PER_CALL_MAX).filter(|_| desk.launch(projectile).is_ok()).count();
            desk.close();
        }
        assert_eq!(launched, SPAWNS_PER_CAST_MAX as usize);
    }
}
