//! The world as a hook meets it: what it can see, and what it can ask for.

use crate::backend::Backend;
use crate::limits::FIND_MAX;
use crate::near::Nearby;
use crate::{
    Area, Block, Body, Cast, Change, Debris, Drawer, Entity, EntityId, Field, Joint, Kinds, Level, Npc, Order, Projectile, RayHit,
    Recipient, Refusal, Rng, Shape, Status, Ticks, Vec3,
};
use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::panic::Location;

/// The world during one call of a hook.
///
/// What it shows is the world as it stood when the tick began, the same for every spell. What is asked of it is checked at once, against the spell's
/// envelope and the interface's ranges, and happens after all spells have run; a [`Refusal`] says which limit was met. y is up; metres and seconds.
#[derive(Debug)]
pub struct World {
    backend: Backend,
    pub(crate) cast: Cast,
    pub(crate) rng: Rng,
    pub(crate) seconds: Cell<f32>,
    pushes: RefCell<Pushes>,
    line: RefCell<String>,
}

/// Pushes that have not crossed the boundary yet: one call for many costs a fraction of many calls.
#[derive(Debug, Default)]
struct Pushes {
    targets: Vec<u64>,
    impulses: Vec<f32>,
    /// Where the last of them was asked for.
    at: Option<&'static Location<'static>>,
}

/// What there is to see.
impl World {
    /// Why and how this spell was cast.
    pub const fn cast(&self) -> &Cast {
        &self.cast
    }

    /// Seconds since the cast, as its ticks have counted them: it stands still for a spell whose envelope declares no [`ticks`](crate::Envelope::ticks).
    pub fn now(&self) -> f32 {
        self.seconds.get()
    }

    /// This cast's random numbers; the same in a replay.
    pub const fn rng(&self) -> &Rng {
        &self.rng
    }

    /// The entity. None when there is no such (any more).
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        if id.is_none() { None } else { self.backend.entity(id) }
    }

    /// Who cast this spell. None when they are gone.
    pub fn caster(&self) -> Option<Entity> {
        self.entity(self.cast.caster)
    }

    /// All bodies (players, NPCs, props) within so many metres of the caster, at most 256. Empty when the caster is gone.
    ///
    /// # Errors
    /// Beyond the envelope's radius, or not a finite number above 0.
    #[track_caller]
    pub fn near(&self, radius: f32) -> Result<Nearby<'_>, Refusal> {
        match self.caster() {
            Some(caster) => self.find(Shape::sphere(caster.position, radius), Kinds::BODIES, FIND_MAX),
            None => Ok(Nearby::new(self, Vec::new(), Vec::new())),
        }
    }

    /// At most `count` (1 to 256) entities of these kinds in the shape, the caster left out.
    ///
    /// # Errors
    /// Beyond the envelope's radius, or a number that is not finite or out of its range.
    #[track_caller]
    pub fn find(&self, within: Shape, kinds: Kinds, count: u32) -> Result<Nearby<'_>, Refusal> {
        let (ids, positions) = self.backend.find(within, kinds, count).map_err(placed(Location::caller()))?;
        Ok(Nearby::new(self, ids, positions))
    }

    /// The first thing (terrain or body, the caster left out) within `length` metres along `direction`.
    ///
    /// # Errors
    /// Beyond the envelope's radius, a direction without length, or a number that is not finite.
    #[track_caller]
    pub fn raycast(&self, start: Vec3, direction: Vec3, length: f32) -> Result<Option<RayHit>, Refusal> {
        self.backend.raycast(start, direction, length).map_err(placed(Location::caller()))
    }

    /// The running tick; 60 a second.
    pub fn tick(&self) -> u64 {
        self.backend.tick()
    }

    /// Whether nothing of the terrain is between two points.
    ///
    /// # Errors
    /// When one of them is beyond the envelope's radius or not finite.
    #[track_caller]
    pub fn line_of_sight(&self, start: Vec3, end: Vec3) -> Result<bool, Refusal> {
        self.backend.line_of_sight(start, end).map_err(placed(Location::caller()))
    }

    /// The [material](crate::material) of the voxel that a point is in; air where there is none.
    ///
    /// # Errors
    /// Beyond the envelope's radius, or not finite.
    #[track_caller]
    pub fn material(&self, at: Vec3) -> Result<u8, Refusal> {
        self.backend.material(at).map_err(placed(Location::caller()))
    }

    /// The materials of at most 4,096 voxels, x first, then y, then z.
    ///
    /// # Errors
    /// With more voxels, or with a corner beyond the envelope's radius.
    #[track_caller]
    pub fn materials(&self, within: Block) -> Result<Vec<u8>, Refusal> {
        self.backend.materials(within).map_err(placed(Location::caller()))
    }

    /// Mana that the caster has; below 0 it is owed. None for one who pays nothing.
    pub fn mana(&self) -> Option<f32> {
        self.backend.mana()
    }

    /// A value that this spell keeps in the world, as it was when the tick began. Key: 1 to 64 bytes. Needs [`Can::STORAGE`](crate::Can::STORAGE).
    ///
    /// # Errors
    /// Without the capability, or with a key out of its range.
    #[track_caller]
    pub fn load(&self, whose: Drawer, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        self.backend.load(whose, key).map_err(placed(Location::caller()))
    }

    /// Fuel that is left to this call of the hook; when it is used up, the cast ends.
    pub fn fuel_left(&self) -> u64 {
        self.backend.fuel_left()
    }
}

/// What can be asked for.
impl World {
    /// Takes health: above 0, at most 1,000. Needs [`Can::DAMAGE`](crate::Can::DAMAGE).
    ///
    /// # Errors
    /// Without the capability, out of range or reach, or without such a target.
    #[track_caller]
    pub fn damage(&self, target: EntityId, amount: f32) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.damage(target, amount).map_err(placed(Location::caller()))
    }

    /// Gives health, up to the target's maximum: above 0, at most 1,000. Needs [`Can::HEAL`](crate::Can::HEAL).
    ///
    /// # Errors
    /// Without the capability, out of range or reach, or without such a target.
    #[track_caller]
    pub fn heal(&self, target: EntityId, amount: f32) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.heal(target, amount).map_err(placed(Location::caller()))
    }

    /// Pushes a body by an impulse: newton seconds, at most 10,000 long. Needs [`Can::MOVE_ENTITIES`](crate::Can::MOVE_ENTITIES).
    ///
    /// Pushes gather and are asked for together: before the next other request, at the end of the hook, or by [`World::flush`]. All of them are
    /// accepted or none; a refusal is logged, or is `flush`'s answer.
    #[track_caller]
    pub fn push(&self, target: EntityId, impulse: Vec3) {
        let mut pushes = self.pushes.borrow_mut();
        pushes.at = Some(Location::caller());
        pushes.targets.push(target.0);
        pushes.impulses.extend_from_slice(&[impulse.x, impulse.y, impulse.z]);
    }

    /// Asks for the gathered pushes now.
    ///
    /// # Errors
    /// Without the capability, an impulse out of range, or a target out of reach or gone; then none of them happens.
    pub fn flush(&self) -> Result<(), Refusal> {
        let mut pushes = self.pushes.borrow_mut();
        if pushes.targets.is_empty() {
            return Ok(());
        }
        let answer = self.backend.push(&pushes.targets, &pushes.impulses).map_err(|refusal| Refusal { at: pushes.at, ..refusal });
        // Cleared, not dropped: a spell that pushes in every tick allocates once.
        pushes.targets.clear();
        pushes.impulses.clear();
        answer
    }

    /// Puts a player or NPC somewhere else; where something is in its way there, the cast is told that it was dropped. Needs
    /// [`Can::MOVE_ENTITIES`](crate::Can::MOVE_ENTITIES).
    ///
    /// # Errors
    /// Without the capability, out of reach, or without such a target.
    #[track_caller]
    pub fn teleport(&self, target: EntityId, to: Vec3) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.teleport(target, to).map_err(placed(Location::caller()))
    }

    /// Gives a player or NPC a status for some seconds: above 0, at most 30. Needs [`Can::MODIFY_STATS`](crate::Can::MODIFY_STATS).
    ///
    /// # Errors
    /// Without the capability, out of range or reach, or without such a target.
    #[track_caller]
    pub fn afflict(&self, target: EntityId, what: Status, seconds: f32) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.afflict(target, what, seconds).map_err(placed(Location::caller()))
    }

    /// Makes a rigid body and answers with its id. Needs [`Can::SPAWN_ENTITIES`](crate::Can::SPAWN_ENTITIES).
    ///
    /// # Errors
    /// Without the capability, or with a number out of its range.
    #[track_caller]
    pub fn spawn(&self, what: Body) -> Result<EntityId, Refusal> {
        self.send_pushes();
        self.backend.spawn(what).map_err(placed(Location::caller()))
    }

    /// Scatters debris; each piece counts as an entity that is spawned. Needs [`Can::SPAWN_ENTITIES`](crate::Can::SPAWN_ENTITIES).
    ///
    /// # Errors
    /// Without the capability, or with a number out of its range.
    #[track_caller]
    pub fn scatter(&self, what: Debris) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.scatter(what).map_err(placed(Location::caller()))
    }

    /// Joins two bodies, or one to the world, and answers with the joint's id. Needs [`Can::SPAWN_ENTITIES`](crate::Can::SPAWN_ENTITIES).
    ///
    /// # Errors
    /// Without the capability, with a number out of its range, or without such bodies.
    #[track_caller]
    pub fn join(&self, what: Joint) -> Result<EntityId, Refusal> {
        self.send_pushes();
        self.backend.join(what).map_err(placed(Location::caller()))
    }

    /// Sets up a force field and answers with its id. Needs [`Can::MOVE_ENTITIES`](crate::Can::MOVE_ENTITIES).
    ///
    /// # Errors
    /// Without the capability, or with a number out of its range.
    #[track_caller]
    pub fn set_field(&self, what: Field) -> Result<EntityId, Refusal> {
        self.send_pushes();
        self.backend.set_field(what).map_err(placed(Location::caller()))
    }

    /// Calls an NPC and answers with its id. Needs [`Can::SUMMON_NPC`](crate::Can::SUMMON_NPC).
    ///
    /// # Errors
    /// Without the capability, or out of reach.
    #[track_caller]
    pub fn summon(&self, what: Npc) -> Result<EntityId, Refusal> {
        self.send_pushes();
        self.backend.summon(what).map_err(placed(Location::caller()))
    }

    /// Tells an NPC that a spell of this caster has summoned what to do. Needs [`Can::SUMMON_NPC`](crate::Can::SUMMON_NPC).
    ///
    /// # Errors
    /// Without the capability, or without such an NPC or target.
    #[track_caller]
    pub fn command(&self, npc: EntityId, order: Order) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.command(npc, order).map_err(placed(Location::caller()))
    }

    /// Changes voxels. Needs [`Can::MODIFY_TERRAIN`](crate::Can::MODIFY_TERRAIN), and an envelope with enough
    /// [voxels](crate::Envelope::max_voxels). An edit that the world refuses is told by [`Event::Dropped`](crate::Event::Dropped).
    ///
    /// # Errors
    /// Without the capability, out of reach, or with more voxels or chunks than the envelope allows.
    #[track_caller]
    pub fn terraform(&self, within: Area, what: Change) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.terraform(within, what).map_err(placed(Location::caller()))
    }

    /// Launches a projectile and answers with its id; `on_event` hears of its end. Needs [`Can::SPAWN_ENTITIES`](crate::Can::SPAWN_ENTITIES).
    ///
    /// # Errors
    /// Without the capability, or with a number out of its range.
    #[track_caller]
    pub fn launch(&self, what: Projectile) -> Result<EntityId, Refusal> {
        self.send_pushes();
        self.backend.launch(what).map_err(placed(Location::caller()))
    }

    /// Takes away something that this cast made: an entity, a joint or a field.
    ///
    /// # Errors
    /// When this cast has no such thing.
    #[track_caller]
    pub fn despawn(&self, id: EntityId) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.despawn(id).map_err(placed(Location::caller()))
    }

    /// Shows and sounds something at a point, for clients nearby; it changes nothing. Name: 1 to 64 bytes. Scale: 0 to 100.
    ///
    /// # Errors
    /// With a name or number out of its range.
    #[track_caller]
    pub fn cue(&self, name: &str, at: Vec3, scale: f32) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.cue(name, at, scale).map_err(placed(Location::caller()))
    }

    /// Has `on_event` called with [`Event::Timer`](crate::Event::Timer) and this token after so long: 1 to 36,000 ticks (10 minutes). At most 16 wait at once.
    ///
    /// # Errors
    /// Out of these ranges.
    #[track_caller]
    pub fn set_timer(&self, token: u32, wait: Ticks) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.set_timer(token, wait.0).map_err(placed(Location::caller()))
    }

    /// Tells other casts something (at most 256 bytes) in the next tick, by [`Event::Message`](crate::Event::Message); those that have just begun do not hear
    /// it. At most 8 a call. Needs [`Can::NETWORK_EMIT`](crate::Can::NETWORK_EMIT).
    ///
    /// # Errors
    /// Without the capability, with more bytes or messages, or without such a thing.
    #[track_caller]
    pub fn send(&self, to: Recipient<'_>, data: &[u8]) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.send(to, data).map_err(placed(Location::caller()))
    }

    /// A text (1 to 256 bytes) for the people near the caster, or for the caster alone. At most 2 a call. Needs [`Can::NETWORK_EMIT`](crate::Can::NETWORK_EMIT).
    ///
    /// # Errors
    /// Without the capability, or with a text out of its range.
    #[track_caller]
    pub fn say(&self, text: &str, aloud: bool) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.say(text, aloud).map_err(placed(Location::caller()))
    }

    /// Keeps a value of at most 1,024 bytes in the world under a key of 1 to 64, beyond this cast; `None` forgets it. It can be loaded from the next tick on.
    /// A spell keeps at most 64 keys for everybody and 64 for each caster, 256 KiB in all; beyond that the log says so. At most 4 a call. Needs
    /// [`Can::STORAGE`](crate::Can::STORAGE).
    ///
    /// # Errors
    /// Without the capability, or with a key or value out of its range.
    #[track_caller]
    pub fn store(&self, whose: Drawer, key: &str, value: Option<&[u8]>) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.store(whose, key, value).map_err(placed(Location::caller()))
    }

    /// Ends casts of the schools that the envelope [counters](crate::Envelope::counters): the one that made the target, or those of the player or NPC, whom it
    /// frees of its statuses too. Dropped where there is nothing to dispel. Needs [`Can::MODIFY_STATS`](crate::Can::MODIFY_STATS).
    ///
    /// # Errors
    /// Without the capability, out of reach, or without such a target.
    #[track_caller]
    pub fn dispel(&self, target: EntityId) -> Result<(), Refusal> {
        self.send_pushes();
        self.backend.dispel(target).map_err(placed(Location::caller()))
    }

    /// Writes a line into the author's log, cut at 1,024 bytes. The macros [`info!`](crate::info!) and its like are shorter.
    pub fn log(&self, level: Level, text: fmt::Arguments<'_>) {
        if let Some(text) = text.as_str() {
            return self.backend.log(level, text);
        }
        let mut line = self.line.borrow_mut();
        line.clear();
        // Writing to a string fails only when a value's own `Display` does; what it wrote until then is still worth a line.
        let _ = line.write_fmt(text);
        self.backend.log(level, &line);
    }

    /// Ends this cast after the running hook has returned.
    pub fn finish(&self) {
        self.send_pushes();
        self.backend.finish();
    }

    /// Keeps pushes in their place among the requests. The request that follows is not to blame, so a refusal goes to the log.
    fn send_pushes(&self) {
        if let Err(refusal) = self.flush() {
            self.warn(refusal);
        }
    }
}

impl World {
    pub(crate) fn new(backend: Backend) -> Self {
        Self {
            backend,
            cast: Cast::default(),
            rng: Rng::default(),
            seconds: Cell::default(),
            pushes: RefCell::default(),
            line: RefCell::default(),
        }
    }

    /// Ends a hook: what is still gathered is asked for, and a refusal is put in words for the author.
    pub(crate) fn end_hook(&self, answer: Result<(), Refusal>) {
        self.send_pushes();
        if let Err(refusal) = answer {
            self.warn(refusal);
        }
    }

    fn warn(&self, refusal: Refusal) {
        self.log(Level::Warn, format_args!("{refusal}"));
    }
}

/// Says where in the author's source a refused call stands.
fn placed(place: &'static Location<'static>) -> impl FnOnce(Refusal) -> Refusal {
    move |refusal| Refusal { at: Some(place), ..refusal }
}
