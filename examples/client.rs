//! A small blocking client of both halves of the server: [`Http`] for the control plane, [`Game`] for a world, [`Server`] for one of your own, [`Line`] for bad ways to it.
//!
//! It waits for events with deadlines and never guesses how long something takes. The story it is made for is `first_cast.rs`.

#[path = "client/game.rs"]
pub mod game;
#[path = "client/http.rs"]
pub mod http;
#[path = "client/line.rs"]
pub mod line;
#[path = "client/server.rs"]
pub mod server;

pub use game::{Entity, Game};
pub use http::{Http, Join, Player, Reply};
pub use line::Line;
pub use server::Server;
