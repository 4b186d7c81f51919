//! What host work costs, in fuel: version 0.1.0 of the interface keeps these prices for ever.
//!
//! One fuel is about one wasm instruction, some tenths of a nanosecond to a nanosecond. wasmtime does not meter what the host does,
//! so each import charges here before it works. Reads cost by what they return, intents by what they change.

/// Crossing the boundary at all.
pub const CALL: u64 = 100;
/// One entity by id: a lookup and a record of 13 numbers.
pub const GET_ENTITY: u64 = 200;
/// A query: a broad phase and a sort.
pub const FIND: u64 = 1_000;
/// Each entity that a query answers with.
pub const FIND_EACH: u64 = 50;
/// A ray through bodies and terrain.
pub const RAYCAST: u64 = 1_000;
/// Each metre of it: it walks voxels.
pub const RAYCAST_METRE: u64 = 20;
/// Each voxel that is read.
pub const READ_VOXEL: u64 = 10;
/// A single intent: its checks look the target up.
pub const INTENT: u64 = 200;
/// Each target of a bulk intent.
pub const INTENT_EACH: u64 = 100;
/// A spawned thing: a body, its sweeps, and its share of every snapshot.
pub const SPAWN: u64 = 2_000;
/// An NPC: it looks around, walks and searches its way for as long as it lives.
pub const SUMMON: u64 = 20_000;
/// A joint or a force field: the solver's or the grid's work in every tick of its life.
pub const HOLD: u64 = 5_000;
/// An edit of the terrain: a chunk is unpacked, packed, hashed and sent, and its collider changed.
pub const EDIT: u64 = 30_000;
/// Each voxel that an edit looks at.
pub const EDIT_VOXEL: u64 = 50;
/// A cue goes to every client nearby.
pub const CUE: u64 = 500;
/// Each byte of text that is kept.
pub const TEXT_BYTE: u64 = 2;
/// Each byte of text that is only checked to be UTF-8.
pub const TEXT_CHECKED_BYTE: u64 = 1;
