//! Loads and runs spells. The only crate that names wasmtime.
//!
//! An artifact that our builder signed becomes a [`Spell`]; each cast gets an [`Instance`] of it, whose hooks are called against a frozen [`View`] of the world
//! and answer with [`Intent`]s. A spell that breaks a limit ends in a [`Fault`]: a value, never a panic, and its neighbours do not notice.

mod abi;
pub mod artifact;
#[cfg(feature = "compiler")]
pub mod compile;
mod desk;
mod engine;
pub mod envelope;
mod fault;
pub mod inspect;
pub mod instance;
pub mod limits;
pub mod mana;
mod operators;
pub mod prices;
pub mod types;
mod wasi;

pub use engine::ENGINE_ID;
pub use envelope::Envelope;
pub use instance::{Call, Hook, Instance, LoadError, Outcome, Runtime, RuntimeError, Spell, Suspended};
pub use types::*;
