//! Worlds with real spells in them, compiled here from a few lines of WebAssembly text.

mod fuel;
mod game;
mod guest;
mod recording;
mod repeat;
mod saving;
mod scenario;
mod switching;
mod wasi;
