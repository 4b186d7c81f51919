//! The real game loop behind the real socket, spoken to by raw WebSocket clients; only the control plane is a fake.

mod client;
mod control_plane;
mod disk;
mod faults;
mod handshake;
mod messages;
mod process;
mod running;
mod saving;
mod sessions;
mod spell;
mod terrain;
