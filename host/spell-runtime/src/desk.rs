//! Where a cast's requests arrive: each is checked against the spell's own limits, then buffered. What a store carries.

use crate::abi::canonical::Guest;
use crate::envelope::{Capabilities, Capability, Envelope, Scope};
use crate::limits::*;
use crate::prices::{self, Price};
use crate::types::*;
use crate::wasi::{Random, Wasi};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeSet;
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
    Voxels,
}

pub(crate) type Checked<T = ()> = Result<T, Refused>;

/// One cast's desk. Its buffers live as long as the cast, so that a call allocates nothing but its intents.
pub(crate) struct Desk {
    envelope: Envelope,
    /// The spell's name, by which it keeps values.
    spell: Arc<str>,
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
    /// Mana of the caster.
    mana: Option<f32>,
    /// Distinct targets of that tick, sorted.
    touched: Vec<EntityId>,
    /// Those before the running push, kept for its room: pushes are the hottest of all calls.
    touched_before: Vec<EntityId>,
    players_touched: u32,
    /// Chunks that edits of that tick work in.
    chunks: BTreeSet<Voxel>,
    /// Voxels in the areas of all edits of the cast.
    voxels: u64,
    timers_in_call: u32,
    messages_in_call: u32,
    said_in_call: u32,
    stores_in_call: u32,
    logged_in_call: usize,
    /// The last call of the interface that the running hook has made.
    last_call: Option<&'static str>,
    /// The capabilities that the running hook's calls need, declared or not.
    needed: Cell<Capabilities>,
    /// Linear memory that the instance holds, bytes.
    memory_bytes: usize,
    memory_refused: Option<usize>,
    table_refused: Option<usize>,
    pub wasi: Wasi,
    /// The instance, where it is driven below the component layer; none while it may not call us.
    pub guest: Option<Guest>,
}

/// What the server keeps of a cast beside the guest's own state.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct KeptDesk {
    caster: EntityId,
    caster_position: Option<Vec3>,
    spawned: Vec<EntityId>,
    voxels: u64,
    random: Random,
}

impl Desk {
    /// What outlives the instance. All else is of one call or one tick.
    pub fn keep(&self) -> KeptDesk {
        KeptDesk {
            caster: self.caster,
            caster_position: self.caster_position,
            spawned: self.spawned.clone(),
            voxels: self.voxels,
            random: self.wasi.random(),
        }
    }

    /// A desk that goes on with what was kept. Ids that are not ascending are none that a desk gave away: they are refused.
    pub fn resume(&mut self, kept: KeptDesk) -> bool {
        let sound = kept.spawned.is_sorted_by(|one, next| one < next)
            && kept.caster_position.is_none_or(|position| position.iter().all(|axis| axis.is_finite()));
        (self.caster, self.caster_position, self.spawned, self.voxels) = (kept.caster, kept.caster_position, kept.spawned, kept.voxels);
        self.wasi.resume(kept.random);
        sound
    }

    pub fn new(envelope: Envelope, spell: Arc<str>) -> Self {
        Self {
            envelope,
            spell,
            view: None,
            caster: 0,
            caster_position: None,
            intents: Vec::new(),
            finished: false,
            spawned: Vec::new(),
            next_id: 0,
            spawned_in_call: 0,
            tick: 0,
            mana: None,
            touched: Vec::new(),
            touched_before: Vec::new(),
            players_touched: 0,
            chunks: BTreeSet::new(),
            voxels: 0,
            timers_in_call: 0,
            messages_in_call: 0,
            said_in_call: 0,
            stores_in_call: 0,
            logged_in_call: 0,
            last_call: None,
            needed: Cell::default(),
            memory_bytes: 0,
            memory_refused: None,
            table_refused: None,
            wasi: Wasi::new(),
            guest: None,
        }
    }

    /// Opens the desk for one call of a hook. `origin` is where the caster was at the cast, known for the first call alone.
    pub fn open(&mut self, tick: u64, view: Arc<dyn View>, caster: Caster, origin: Option<Vec3>, first_id: EntityId) {
        let Caster { id: caster, mana } = caster;
        self.mana = mana;
        if self.tick != tick {
            self.tick = tick;
            self.touched.clear();
            self.players_touched = 0;
            self.chunks.clear();
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
        (self.timers_in_call, self.messages_in_call, self.said_in_call, self.stores_in_call) = (0, 0, 0, 0);
        self.logged_in_call = 0;
        std::mem::take(&mut self.intents)
    }

    /// A call of the interface begins.
    pub fn begins(&mut self, call: &'static str) {
        self.last_call = Some(call);
    }

    /// The last that has begun since this was last asked.
    pub fn take_last_call(&mut self) -> Option<&'static str> {
        self.last_call.take()
    }

    /// The capabilities that calls have needed since this was last asked, declared or not.
    pub fn take_needed(&mut self) -> Capabilities {
        self.needed.take()
    }

    /// Whether the spell asked to end.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Linear memory that the instance holds, bytes; it never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
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

    pub fn tick(&self) -> u64 {
        self.tick
    }

    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        self.view.as_ref()?.entity(id)
    }

    /// Entities beyond the envelope's radius are left out of the answer: no intent could reach them.
    pub fn find(&self, shape: Shape, kinds: Kinds, count: u32) -> Checked<Vec<(EntityId, Vec3)>> {
        self.need(&prices::FIND)?;
        let view = self.view()?;
        let shape = self.check_shape(shape)?;
        in_range(count as f32, 1.0, FIND_COUNT_MAX as f32)?;
        let mut found = view.find(shape, kinds, count as usize, self.caster);
        found.retain(|(_, position)| self.within_reach(*position).is_ok());
        found.truncate(count as usize);
        Ok(found)
    }

    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32) -> Checked<Option<RayHit>> {
        self.need(&prices::RAYCAST)?;
        let view = self.view()?;
        self.within_reach(start)?;
        let direction = unit(direction)?;
        self.check_length(length)?;
        Ok(view.raycast(start, direction, length, self.caster))
    }

    pub fn line_of_sight(&self, start: Vec3, end: Vec3) -> Checked<bool> {
        self.need(&prices::LINE_OF_SIGHT)?;
        let view = self.view()?;
        self.within_reach(start)?;
        self.within_reach(end)?;
        Ok(view.line_of_sight(start, end))
    }

    pub fn material(&self, at: Vec3) -> Checked<u8> {
        self.need(&prices::MATERIAL)?;
        let view = self.view()?;
        self.within_reach(at)?;
        // Within reach of a caster whose place fits into the world, a coordinate fits into an integer.
        Ok(view.material(at.map(|axis| axis.floor() as i32)))
    }

    /// How many voxels a block has, if they may be read.
    pub fn check_materials(&self, low: Voxel, high: Voxel) -> Checked<u64> {
        self.need(&prices::MATERIALS)?;
        self.view()?;
        let count = block_voxels(low, high)?;
        refuse_unless(count <= READ_VOXELS_MAX, Limit::Voxels, READ_VOXELS_MAX as f64, count as f64)?;
        self.block_within_reach(low, high)?;
        Ok(count)
    }

    /// Call `check_materials` first.
    pub fn materials(&self, low: Voxel, high: Voxel) -> Checked<Vec<u8>> {
        let view = self.view()?;
        let rows = (low[2]..=high[2]).flat_map(|z| (low[1]..=high[1]).map(move |y| (y, z)));
        Ok(rows.flat_map(|(y, z)| (low[0]..=high[0]).map(move |x| [x, y, z])).map(|voxel| view.material(voxel)).collect())
    }

    pub fn mana(&self) -> Option<f32> {
        self.mana
    }

    /// Call `check_key` first.
    pub fn load(&self, drawer: Drawer, key: &str) -> Checked<Option<Arc<[u8]>>> {
        self.need(&prices::LOAD)?;
        Ok(self.view()?.stored(&self.spell, self.caster, drawer, key))
    }

    pub fn damage(&mut self, target: EntityId, amount: f32) -> Checked {
        self.change_health(&prices::DAMAGE, target, amount)?;
        self.intents.push(Intent::Damage { target, amount });
        Ok(())
    }

    pub fn heal(&mut self, target: EntityId, amount: f32) -> Checked {
        self.change_health(&prices::HEAL, target, amount)?;
        self.intents.push(Intent::Heal { target, amount });
        Ok(())
    }

    /// Whether a push of so many targets with so many numbers may be looked at; before any of them is.
    pub fn check_push(&self, targets: usize, numbers: usize) -> Checked {
        self.need(&prices::PUSH)?;
        refuse_unless(numbers == targets.saturating_mul(3), Limit::Length, targets as f64 * 3.0, numbers as f64)?;
        self.need_room(targets)
    }

    /// All are accepted or none. Call `check_push` first.
    pub fn push(&mut self, pushes: impl Iterator<Item = (EntityId, Vec3)> + Clone) -> Checked {
        self.touched_before.clone_from(&self.touched);
        let players = self.players_touched;
        let result = pushes.clone().try_for_each(|(target, impulse)| {
            short_enough(impulse, IMPULSE_MAX)?;
            self.touch(target)
        });
        match result {
            Ok(()) => self.intents.extend(pushes.map(|(target, impulse)| Intent::Push { target, impulse })),
            Err(_) => {
                std::mem::swap(&mut self.touched, &mut self.touched_before);
                self.players_touched = players;
            }
        }
        result
    }

    pub fn teleport(&mut self, target: EntityId, to: Vec3) -> Checked {
        self.need(&prices::TELEPORT)?;
        self.need_room(1)?;
        self.within_reach(to)?;
        self.need_character(target)?;
        self.touch(target)?;
        self.intents.push(Intent::Teleport { target, to });
        Ok(())
    }

    pub fn afflict(&mut self, target: EntityId, status: Status, seconds: f32) -> Checked {
        self.need(&prices::AFFLICT)?;
        self.need_room(1)?;
        match status {
            Status::Slow(factor) => in_range(factor, 0.0, 1.0)?,
            Status::Root => {}
            Status::Shield(amount) => in_range(amount, f32::MIN_POSITIVE, STATUS_HEALTH_MAX)?,
            Status::Burn(per_second) => {
                self.need_also(Capability::Damage)?;
                in_range(per_second, f32::MIN_POSITIVE, STATUS_HEALTH_MAX)?;
            }
        }
        in_range(seconds, f32::MIN_POSITIVE, STATUS_SECONDS_MAX)?;
        self.need_character(target)?;
        self.touch(target)?;
        self.intents.push(Intent::Afflict { target, status, seconds });
        Ok(())
    }

    pub fn launch(&mut self, projectile: Projectile, flight: Flight) -> Checked<EntityId> {
        self.need(&prices::LAUNCH)?;
        self.need_room(1)?;
        self.within_reach(projectile.start)?;
        short_enough(projectile.velocity, PROJECTILE_SPEED_MAX)?;
        in_range(projectile.radius, PROJECTILE_RADIUS_M.0, PROJECTILE_RADIUS_M.1)?;
        in_range(projectile.gravity, 0.0, PROJECTILE_GRAVITY_MAX)?;
        in_range(projectile.seconds, f32::MIN_POSITIVE, PROJECTILE_SECONDS_MAX)?;
        in_range(projectile.damage, 0.0, HEALTH_CHANGE_MAX)?;
        if projectile.damage > 0.0 {
            self.need_also(Capability::Damage)?;
        }
        in_range(flight.restitution, 0.0, 1.0)?;
        in_range(f32::from(flight.bounces), 0.0, f32::from(PROJECTILE_BOUNCES_MAX))?;
        in_range(f32::from(flight.pierces), 0.0, f32::from(PROJECTILE_PIERCES_MAX))?;
        if let Some(Homing { turn, half_angle }) = flight.homing {
            in_range(turn, 0.0, HOMING_TURN_MAX)?;
            in_range(half_angle, 0.0, std::f32::consts::PI)?;
        }
        let id = self.take_ids(1)?;
        self.intents.push(Intent::Launch { id, projectile, flight });
        Ok(id)
    }

    pub fn spawn_body(&mut self, body: Body) -> Checked<EntityId> {
        self.need(&prices::SPAWN_BODY)?;
        self.need_room(1)?;
        self.within_reach(body.position)?;
        short_enough(body.velocity, BODY_SPEED_MAX)?;
        in_range(body.mass, BODY_MASS_KG.0, BODY_MASS_KG.1)?;
        match body.form {
            Form::Cuboid(half) => {
                half.into_iter().try_for_each(|axis| in_range(axis, BODY_REACH_M.0, BODY_REACH_M.1))?;
                short_enough(half, BODY_REACH_M.1)?;
            }
            Form::Ball(radius) => in_range(radius, BODY_REACH_M.0, BODY_REACH_M.1)?,
        }
        let id = self.take_ids(1)?;
        self.intents.push(Intent::Spawn { id, body });
        Ok(id)
    }

    pub fn scatter(&mut self, debris: Debris) -> Checked {
        self.need(&prices::SCATTER)?;
        self.need_room(1)?;
        self.within_reach(debris.at)?;
        in_range(f32::from(debris.count), 1.0, SPAWNS_PER_CALL_MAX as f32)?;
        in_range(debris.speed, 0.0, DEBRIS_SPEED_MAX)?;
        in_range(debris.seconds, f32::MIN_POSITIVE, DEBRIS_SECONDS_MAX)?;
        let id = self.take_ids(u64::from(debris.count))?;
        self.intents.push(Intent::Scatter { id, debris });
        Ok(())
    }

    pub fn join(&mut self, mut joint: Joint) -> Checked<EntityId> {
        self.need(&prices::JOIN)?;
        self.need_room(1)?;
        self.within_reach(joint.at)?;
        in_range(joint.break_force, 0.0, BREAK_FORCE_MAX)?;
        match &mut joint.kind {
            JointKind::Fixed | JointKind::Ball => {}
            JointKind::Hinge(axis) => *axis = unit(*axis)?,
            JointKind::Rope(length) => in_range(*length, ROPE_LENGTH_M.0, ROPE_LENGTH_M.1)?,
        }
        self.touch(joint.one)?;
        if joint.other != 0 {
            self.touch(joint.other)?;
        }
        let id = self.take_ids(1)?;
        self.intents.push(Intent::Join { id, joint });
        Ok(id)
    }

    pub fn set_field(&mut self, field: Field) -> Checked<EntityId> {
        self.need(&prices::SET_FIELD)?;
        self.need_room(1)?;
        in_range(field.radius, f32::MIN_POSITIVE, FIELD_RADIUS_MAX_M)?;
        self.ball_within_reach(field.center, field.radius)?;
        in_range(field.acceleration, -FIELD_ACCELERATION_MAX, FIELD_ACCELERATION_MAX)?;
        in_range(field.falloff, 0.0, 1.0)?;
        in_range(field.seconds, f32::MIN_POSITIVE, FIELD_SECONDS_MAX)?;
        let id = self.take_ids(1)?;
        self.intents.push(Intent::Field { id, field });
        Ok(id)
    }

    pub fn summon(&mut self, mut npc: Npc) -> Checked<EntityId> {
        self.need(&prices::SUMMON)?;
        self.need_room(1)?;
        self.within_reach(npc.position)?;
        npc.aim = unit(npc.aim)?;
        let id = self.take_ids(1)?;
        self.intents.push(Intent::Summon { id, npc });
        Ok(id)
    }

    pub fn command(&mut self, npc: EntityId, order: Order) -> Checked {
        self.need(&prices::COMMAND)?;
        self.need_room(1)?;
        match order {
            Order::Follow | Order::Stay => {}
            Order::Go(to) => self.within_reach(to)?,
            Order::Attack(target) => self.need_character(target)?,
        }
        // Wherever it is: a servant that has strayed can be called back.
        let known = self.entity(npc).is_some_and(|entity| entity.kind == EntityKind::Npc) || self.has_spawned(npc);
        refuse_unless(known, Limit::Target, 0.0, npc as f64)?;
        self.intents.push(Intent::Command { npc, order });
        Ok(())
    }

    /// How many voxels an edit looks at, if it may; before it is paid for.
    pub fn check_terraform(&self, area: Area, change: Change) -> Checked<u64> {
        self.need(&prices::TERRAFORM)?;
        self.need_room(1)?;
        let materials = match change {
            Change::Fill(material) | Change::Paint(material) => [material, 0],
            Change::Dig => [0, 0],
            Change::Replace { old, new } => [old, new],
        };
        materials.into_iter().try_for_each(|material| in_range(f32::from(material), 0.0, f32::from(MATERIAL_MAX)))?;
        let (low, high) = self.bounds(area)?;
        let looked_at = block_voxels(low, high)?;
        refuse_unless(looked_at <= EDIT_VOXELS_MAX, Limit::Voxels, EDIT_VOXELS_MAX as f64, looked_at as f64)?;
        Ok(looked_at)
    }

    /// Call `check_terraform` first.
    pub fn terraform(&mut self, area: Area, change: Change) -> Checked {
        let (low, high) = self.bounds(area)?;
        let Scope { max_voxels, max_chunks, .. } = self.envelope.scope;
        let in_edit = voxels_in(area, low, high);
        let voxels = self.voxels + in_edit;
        refuse_unless(voxels <= u64::from(max_voxels), Limit::Voxels, f64::from(max_voxels), voxels as f64)?;
        let [x, y, z] = [0, 1, 2].map(|axis| low[axis].div_euclid(CHUNK_EDGE)..=high[axis].div_euclid(CHUNK_EDGE));
        let touched = x.flat_map(|x| {
            y.clone().flat_map({
                let z = z.clone();
                move |y| z.clone().map(move |z| [x, y, z])
            })
        });
        let more: BTreeSet<Voxel> = touched.filter(|chunk| !self.chunks.contains(chunk)).collect();
        let chunks = self.chunks.len() + more.len();
        refuse_unless(chunks <= usize::from(max_chunks), Limit::Voxels, f64::from(max_chunks), chunks as f64)?;
        if chunks > 1 {
            self.need_also(Capability::CrossChunk)?;
        }
        self.chunks.extend(more);
        self.voxels = voxels;
        self.intents.push(Intent::Terraform { area, change, voxels: in_edit });
        Ok(())
    }

    pub fn despawn(&mut self, id: EntityId) -> Checked {
        self.need_room(1)?;
        refuse_unless(self.has_spawned(id), Limit::Target, 0.0, id as f64)?;
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

    /// Whether a message of so many bytes may be looked at.
    pub fn check_send(&self, bytes: usize) -> Checked {
        self.need(&prices::SEND)?;
        no_more(bytes, MESSAGE_BYTES_MAX, Limit::Length)
    }

    /// Call `check_send` first.
    pub fn send(&mut self, to: Recipient, data: Arc<[u8]>) -> Checked {
        self.need_room(1)?;
        match &to {
            Recipient::Maker(id) => refuse_unless(self.entity(*id).is_some() || self.has_spawned(*id), Limit::Target, 0.0, *id as f64)?,
            Recipient::Mine(spell) => check_length(spell.len(), SPELL_NAME_BYTES_MAX)?,
        }
        self.messages_in_call = one_more(self.messages_in_call, MESSAGES_PER_CALL_MAX)?;
        self.intents.push(Intent::Send { to, data });
        Ok(())
    }

    /// The text's length was checked.
    pub fn say(&mut self, text: &str, aloud: bool) -> Checked {
        self.need(&prices::SAY)?;
        self.need_room(1)?;
        self.said_in_call = one_more(self.said_in_call, SAID_PER_CALL_MAX)?;
        self.intents.push(Intent::Say { text: printable(text), aloud });
        Ok(())
    }

    /// Whether a value of so many bytes may be looked at.
    pub fn check_store(&self, bytes: usize) -> Checked {
        self.need(&prices::STORE)?;
        no_more(bytes, STORED_VALUE_BYTES_MAX, Limit::Length)
    }

    /// Call `check_store` first; the key's length was checked.
    pub fn store(&mut self, drawer: Drawer, key: String, value: Option<Arc<[u8]>>) -> Checked {
        self.need_room(1)?;
        self.stores_in_call = one_more(self.stores_in_call, STORES_PER_CALL_MAX)?;
        self.intents.push(Intent::Store { drawer, key, value });
        Ok(())
    }

    pub fn dispel(&mut self, target: EntityId) -> Checked {
        self.need(&prices::DISPEL)?;
        self.need_room(1)?;
        self.touch(target)?;
        self.intents.push(Intent::Dispel { target });
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

    fn change_health(&mut self, call: &Price, target: EntityId, amount: f32) -> Checked {
        self.need(call)?;
        self.need_room(1)?;
        in_range(amount, f32::MIN_POSITIVE, HEALTH_CHANGE_MAX)?;
        // What has no health cannot win or lose any.
        let health_max = self.entity(target).map_or(0.0, |entity| entity.health_max);
        refuse_unless(health_max > 0.0, Limit::Target, 0.0, target as f64)?;
        self.touch(target)
    }

    /// The capability of a call.
    fn need(&self, call: &Price) -> Checked {
        call.needs.map_or(Ok(()), |capability| self.need_also(capability))
    }

    /// One more than its call's.
    fn need_also(&self, capability: Capability) -> Checked {
        self.needed.set(self.needed.get().with(capability));
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

    /// A player or NPC; of what this cast has just made nobody can tell yet.
    fn need_character(&self, target: EntityId) -> Checked {
        let is_character = match self.entity(target) {
            Some(entity) => matches!(entity.kind, EntityKind::Player | EntityKind::Npc),
            None => self.has_spawned(target),
        };
        refuse_unless(is_character, Limit::Target, 0.0, target as f64)
    }

    fn has_spawned(&self, id: EntityId) -> bool {
        self.spawned.binary_search(&id).is_ok()
    }

    /// The target must live, be in reach, and not be one too many. What this cast has just made is not in the view yet, and was in reach when it was made.
    fn touch(&mut self, target: EntityId) -> Checked {
        let entity = self.entity(target);
        match &entity {
            Some(entity) => self.within_reach(entity.position)?,
            None => refuse_unless(self.has_spawned(target), Limit::Target, 0.0, target as f64)?,
        }
        let Err(place) = self.touched.binary_search(&target) else { return Ok(()) };
        let scope = self.envelope.scope;
        let asked = self.touched.len() + 1;
        refuse_unless(asked as u64 <= u64::from(scope.max_entities), Limit::Entities, f64::from(scope.max_entities), asked as f64)?;
        if entity.is_some_and(|entity| entity.kind == EntityKind::Player) && target != self.caster {
            let asked = self.players_touched + 1;
            refuse_unless(asked <= u32::from(scope.max_players), Limit::Entities, f64::from(scope.max_players), f64::from(asked))?;
            self.players_touched = asked;
        }
        self.touched.insert(place, target);
        Ok(())
    }

    /// The first of so many ids.
    fn take_ids(&mut self, count: u64) -> Checked<EntityId> {
        let in_call = self.spawned_in_call + count;
        refuse_unless(in_call <= SPAWNS_PER_CALL_MAX, Limit::Entities, SPAWNS_PER_CALL_MAX as f64, in_call as f64)?;
        let in_cast = self.spawned.len() as u64 + count;
        let allowed = self.envelope.scope.max_entities.min(SPAWNS_PER_CAST_MAX);
        refuse_unless(in_cast <= u64::from(allowed), Limit::Entities, f64::from(allowed), in_cast as f64)?;
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(count);
        self.spawned_in_call = in_call;
        self.spawned.extend(id..self.next_id);
        Ok(id)
    }

    fn within_reach(&self, position: Vec3) -> Checked {
        let position = finite_vector(position)?;
        let caster = self.caster_position.ok_or(Refused { limit: Limit::Target, allowed: 0.0, asked: self.caster as f64 })?;
        let way = [position[0] - caster[0], position[1] - caster[1], position[2] - caster[2]];
        no_longer_than(way, self.envelope.scope.radius_m, Limit::Radius)
    }

    /// All of it.
    fn ball_within_reach(&self, center: Vec3, radius: f32) -> Checked {
        self.within_reach(center)?;
        let caster = self.caster_position.unwrap_or(center);
        let farthest = length([0, 1, 2].map(|axis| center[axis] - caster[axis])) + f64::from(radius);
        let allowed = f64::from(self.envelope.scope.radius_m);
        refuse_unless(farthest <= allowed, Limit::Radius, allowed, farthest)
    }

    /// All of it: the corner that is farthest from the caster.
    fn block_within_reach(&self, low: Voxel, high: Voxel) -> Checked {
        let caster = self.caster_position.unwrap_or_default();
        let farthest = [0, 1, 2].map(|axis| {
            let (low, high) = (low[axis] as f32, high[axis] as f32 + 1.0);
            if (low - caster[axis]).abs() > (high - caster[axis]).abs() { low } else { high }
        });
        self.within_reach(farthest)
    }

    /// The first and last voxel that an edit looks at, if all of it is in reach.
    fn bounds(&self, area: Area) -> Checked<(Voxel, Voxel)> {
        match area {
            Area::Ball { center, radius } => {
                in_range(radius, EDIT_RADIUS_M.0, EDIT_RADIUS_M.1)?;
                self.ball_within_reach(center, radius)?;
                let at = |offset: f32| center.map(|axis| (axis + offset).floor() as i32);
                Ok((at(-radius), at(radius)))
            }
            Area::Block { low, high } => {
                self.block_within_reach(low, high)?;
                Ok((low, high))
            }
        }
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
            Shape::Cuboid { center, half } => {
                self.within_reach(center)?;
                half.into_iter().try_for_each(|axis| self.check_length(axis))?;
                Ok(shape)
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
        if allowed {
            self.memory_bytes = desired;
        } else {
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

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Caster {
    pub id: EntityId,
    /// `None` for one who pays nothing.
    pub mana: Option<f32>,
}

/// A text that has to say something has its length checked before it is read.
pub(crate) fn check_length(bytes: usize, most: usize) -> Checked {
    refuse_unless((1..=most).contains(&bytes), Limit::Length, most as f64, bytes as f64)
}

fn no_more(asked: usize, allowed: usize, limit: Limit) -> Checked {
    refuse_unless(asked <= allowed, limit, allowed as f64, asked as f64)
}

fn one_more(so_far: u32, allowed: u32) -> Checked<u32> {
    refuse_unless(so_far < allowed, Limit::Intents, f64::from(allowed), f64::from(so_far + 1)).map(|()| so_far + 1)
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

/// Voxels from one corner to the other; a block that is turned inside out has none.
fn block_voxels(low: Voxel, high: Voxel) -> Checked<u64> {
    let edges = [0, 1, 2].map(|axis| (i64::from(high[axis]) - i64::from(low[axis]) + 1).max(0) as u64);
    let count = edges.into_iter().fold(1_u64, u64::saturating_mul);
    refuse_unless(count > 0, Limit::Voxels, 1.0, 0.0)?;
    Ok(count)
}

/// Voxels that an edit may change: those of a ball whose middles are in it, as the world counts them, and all of a block.
fn voxels_in(area: Area, low: Voxel, high: Voxel) -> u64 {
    let Area::Ball { center, radius } = area else { return block_voxels(low, high).unwrap_or(0) };
    let off = |axis: usize, voxel: i32| {
        let off = voxel as f32 + 0.5 - center[axis];
        off * off
    };
    let row = |x: i32, y: i32| (low[2]..=high[2]).filter(|z| off(0, x) + off(1, y) + off(2, *z) <= radius * radius).count() as u64;
    (low[0]..=high[0]).flat_map(|x| (low[1]..=high[1]).map(move |y| (x, y))).map(|(x, y)| row(x, y)).sum()
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
        fn line_of_sight(&self, _start: Vec3, _end: Vec3) -> bool {
            true
        }
        fn material(&self, _voxel: Voxel) -> u8 {
            1
        }
        fn stored(&self, _spell: &str, _caster: EntityId, _drawer: Drawer, _key: &str) -> Option<Arc<[u8]>> {
            None
        }
    }

    #[test]
    fn all_calls_of_a_tick_share_what_the_envelope_allows() {
        let mut envelope = Envelope { capabilities: Capabilities::of(&[Capability::Heal]), ..Envelope::default() };
        (envelope.scope.max_entities, envelope.scope.max_players) = (3, 2);
        let mut desk = Desk::new(envelope, "heal".into());
        let mut healed = |tick, targets: &[EntityId]| {
            desk.open(tick, Arc::new(Crowd), Caster { id: 1, mana: None }, None, 0);
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
        let mut desk = Desk::new(envelope, "launch".into());
        let projectile = Projectile { start: [0.0; 3], velocity: [0.0; 3], radius: 0.1, gravity: 0.0, seconds: 1.0, damage: 0.0 };
        let mut launched = 0;
        for tick in 1..=1_000 {
            desk.open(tick, Arc::new(Crowd), Caster { id: 1, mana: None }, None, tick * SPAWNS_PER_CALL_MAX);
            launched += (0..SPAWNS_PER_CALL_MAX).filter(|_| desk.launch(projectile, Flight::default()).is_ok()).count();
            desk.close();
        }
        assert_eq!(launched, SPAWNS_PER_CAST_MAX as usize);
    }
}
