//! The game server: a shell of sockets, clock and control-plane link around the game.
//!
//! One thread owns the world and waits for nothing but its own clock ([`game_loop`]); tokio owns the sockets ([`socket`]); the control plane's
//! line has threads of its own ([`link`]). They meet in bounded queues ([`inbox`], [`outgoing`]).

pub mod artifacts;
pub mod chunks;
pub mod circuits;
pub mod connections;
pub mod convert;
pub mod crowd;
pub mod game_loop;
pub mod groups;
pub mod inbox;
pub mod inputs;
pub mod journal;
pub mod limits;
pub mod lineups;
pub mod link;
pub mod log;
pub mod metrics;
pub mod origins;
pub mod outgoing;
pub mod pace;
pub mod recordings;
pub mod resume;
pub mod saver;
pub mod server;
pub mod socket;
pub mod status;
mod stream;
pub mod subprotocol;
pub mod ticket;
pub mod upgrade;
pub mod usage;
pub mod view;
