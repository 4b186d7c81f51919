//! The real game loop behind the real socket, spoken to by raw WebSocket clients; only the control plane is a fake.

mod client;
mod control_plane;
mod crowds;
mod disk;
mod faults;
mod foreign;
mod handshake;
mod hostile;
mod lines;
mod messages;
mod process;
mod raw;
mod rfc6455;
mod running;
mod saving;
mod sessions;
mod spell;
mod streaming;
mod terrain;
mod upgrades;
