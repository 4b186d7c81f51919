//! Who looks at a crowd: groups and views as the game server keeps them, without sockets.

use crate::tick::crowd::Crowd;
use host::groups::Groups;
use host::limits::SNAPSHOT_INTERVAL_TICKS;
use host::subprotocol::Subprotocol;
use host::view::View;
use sim::scene::Scene;
use sim::{EntityId, Outbound};
use tungstenite::Message;

/// Ticks until a client has acknowledged a snapshot: a line of 100 ms.
pub const ACKNOWLEDGED_TICKS: u64 = 2 * SNAPSHOT_INTERVAL_TICKS;

/// Clients of a world's players.
pub struct Onlookers {
    pub groups: Groups,
    views: Vec<(EntityId, View)>,
}

impl Onlookers {
    /// So many, the players' in turn.
    pub fn new(crowd: &Crowd, count: usize) -> Self {
        let players = crowd.players.iter().cycle().take(count);
        let views = players.map(|player| (*player, View::new(Subprotocol::Binary))).collect();
        Self { groups: Groups::of(crowd.game.world().scene()), views }
    }

    /// Plays the ticks to the next snapshot.
    pub fn play(&mut self, crowd: &mut Crowd) {
        for _ in 0..SNAPSHOT_INTERVAL_TICKS {
            let inbound = crowd.inputs();
            for event in crowd.game.step(&inbound, &mut |_| ()) {
                match event {
                    Outbound::Spawned { id, kind, owner, position, .. } => _ = self.groups.insert(id, kind, owner, position),
                    Outbound::Despawned { id, .. } => _ = self.groups.remove(id),
                    _ => {}
                }
            }
        }
    }

    /// Takes down how everything stands.
    pub fn advance(&mut self, tick: u64, scene: &Scene) {
        let (_, ended) = self.groups.advance(tick, scene);
        for (_, view) in &mut self.views {
            ended.iter().for_each(|group| view.forget(*group));
        }
    }

    /// Takes in that the snapshot of this tick has come to everybody.
    pub fn acknowledge(&mut self, tick: u64) {
        self.views.iter_mut().for_each(|(_, view)| view.acknowledge(tick));
    }

    /// Everybody looks around.
    pub fn look(&mut self, tick: u64, scene: &Scene) {
        for (player, view) in &mut self.views {
            if let Some(me) = scene.entity(*player) {
                view.look(me, tick, &self.groups);
            }
        }
    }

    /// Everybody's snapshot.
    pub fn snapshots(&mut self, tick: u64, scene: &Scene, mut sink: impl FnMut(Message)) {
        for (player, view) in &mut self.views {
            if let Some(me) = scene.entity(*player) {
                sink(view.snapshot(me, tick, &mut self.groups, scene));
            }
        }
    }
}
