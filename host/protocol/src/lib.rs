//! Everything that crosses a process boundary: messages, their codecs, and their limits.
//!
//! This crate knows neither the simulation nor WebAssembly. Whatever is decoded here is in range; the rest of the project never checks again.

pub mod client;
pub mod ids;
pub mod job;
pub mod limits;
pub mod link;
pub mod manifest;
pub mod package;
pub mod server;
pub mod ticket;
pub mod usage;
pub mod v1;
pub mod v2;
pub mod worker;

pub use client::ClientMessage;
pub use ids::{Channel, IdError, RevisionId, Sha256Hex, SpellId};
pub use manifest::{InFlightPolicy, Manifest};
pub use server::ServerMessage;

/// x, y, z.
pub type Vec3 = [f32; 3];
