//! The thinking half of the browser client. It decodes what a game server says, keeps chunks, entities and the player's own movement, and makes meshes;
//! what is left to TypeScript is the socket, the keyboard and the picture.
//!
//! Browsers load it as WebAssembly and call `exports.rs`. It reads no clock: whoever calls says what time it is.

mod clock;
mod entities;
#[cfg(target_family = "wasm")]
mod exports;
mod game;
mod ground;
pub mod limits;
pub mod mesh;
mod prediction;
mod shots;

pub use game::{Game, Ray, Received, Stats};
pub use prediction::{Agreement, Corrections, Prediction, Surroundings};
