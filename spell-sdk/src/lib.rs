//! What a spell author writes against: one macro, and one trait in either of two forms.
//!
//! A spell is a struct that is declared with [`spell!`] and implements [`Spell`], a hook for each occasion, or [`Straight`], one `run` that awaits. Each cast gets an instance of its own; the struct's fields are the cast's
//! state, and they are saved and restored by name. A complete spell, with a test that runs it in a [fake world](testing):
//!
//! ```
//! use spell_sdk::prelude::*;
//!
//! spell! {
//!     envelope: Envelope::timed(2.0).radius_m(10.0).ticks(10.0).can(Can::MOVE_ENTITIES | Can::HEAL),
//!     /// Lifts what is near, and heals its caster a little for each thing that it lifts.
//!     pub struct Updraft { lifted: u32 = 0 }
//! }
//!
//! impl Spell for Updraft {
//!     fn on_cast(&mut self, world: &mut World, cast: &Cast) -> Result<(), Refusal> {
//!         world.cue("updraft", cast.origin, 1.0)
//!     }
//!
//!     fn on_tick(&mut self, world: &mut World, dt: f32) -> Result<(), Refusal> {
//!         for e in world.near(5.0)? {
//!             e.push(Vec3::UP * 1500.0 * dt);
//!             self.lifted += 1;
//!         }
//!         world.heal(world.cast().caster, 1.0)
//!     }
//! }
//!
//! // In a spell's crate this is a `#[test]`.
//! use spell_sdk::testing::FakeWorld;
//! let mut world = FakeWorld::new();
//! let caster = world.add_player(Vec3::ZERO);
//! let rock = world.add_prop(Vec3::new(3.0, 0.0, 0.0));
//! let mut cast = world.cast::<Updraft>(caster);
//! cast.run(60);
//! assert_eq!(cast.spell().lifted, 10);
//! assert!(world.entity(rock).unwrap().velocity.y > 10.0);
//! ```
//!
//! The file that declares the spell is all of it: compiled for `wasm32-unknown-unknown` as a `cdylib` it exports the hooks of the WIT package `ugc:spell`,
//! and its envelope lies in a custom section. Natively the same file is a plain library, whose calls go to the fake world.
//!
//! What a spell must not rely on: a clock, ambient randomness (use [`World::rng`]), or anything that outlives its cast.

// The macro's expansion names this crate by `$crate`; its own tests and docs go by the name that authors use.
extern crate self as spell_sdk;

#[cfg(target_arch = "wasm32")]
mod allocator;
mod backend;
mod body;
mod cast;
mod declare;
mod entity;
mod envelope;
mod event;
mod instance;
pub mod limits;
mod log;
mod near;
mod npc;
mod projectile;
mod refusal;
mod rng;
mod run;
pub mod saved;
mod shape;
mod spell;
mod straight;
mod terrain;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod timer;
mod vec3;
mod wait;
mod world;

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unused_qualifications, unsafe_op_in_unsafe_fn, reason = "generated")]
#[doc(hidden)]
#[rustfmt::skip]
pub mod bindings;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod export;

pub use body::{Body, Debris, Field, Form, Joint, JointKind};
pub use cast::{CancelReason, Cast};
pub use entity::{Entity, EntityId, EntityKind, Kinds};
pub use envelope::{Can, Duration, Envelope, Frequency, Reversibility, School, Scope};
pub use event::{Drawer, Event, Hit, Message, Recipient};
pub use log::Level;
pub use near::{Near, Nearby, NearbyIter};
pub use npc::{Npc, Order, Status, Temper};
pub use projectile::{Homing, Projectile};
pub use refusal::{Limit, Refusal};
pub use rng::Rng;
pub use saved::Saved;
pub use shape::{RayHit, Shape};
pub use spell::{Spell, State};
pub use straight::Straight;
pub use terrain::{Area, Block, Change, Voxel, material};
pub use timer::{Ticks, after};
pub use vec3::Vec3;
pub use wait::{After, Every, Raced, end_of, event_where, every, forever, hit_of, next_event, next_tick, race, within};
pub use world::World;

/// Everything that a spell usually names: `use spell_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Area, Block, Body, Can, CancelReason, Cast, Change, Debris, Drawer, Entity, EntityId, EntityKind, Envelope, Event, Field, Form,
        Hit, Homing, Joint, JointKind, Kinds, Level, Limit, Message, Near, Nearby, Npc, Order, Projectile, Raced, RayHit, Recipient,
        Refusal, Reversibility, Rng, Saved, School, Scope, Shape, Spell, Status, Straight, Temper, Ticks, Vec3, Voxel, World, after,
        end_of, event_where, every, forever, hit_of, material, next_event, next_tick, race, within,
    };
    pub use crate::{debug, error, info, spell, warn};
}
