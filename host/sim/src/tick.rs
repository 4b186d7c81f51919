//! One tick: the list of its stages.

use crate::spells::{Call, Outcome};
use crate::{
    Inbound, Outbound, Spells, World, behaviour, cast, checkpoint, combat, edit, generate, history, intent, mana, physics, player,
    projectile, status, undo,
};
use std::sync::Arc;

/// One tick: what came in, then movement, spells, flight, physics and deaths, always in this order. Answers what happened, in its order.
/// `stages` hears of every stage as it begins.
///
/// # Panics
/// When `spells` breaks its contract: keeps the lease on the scene, or does not answer every call.
pub fn step(world: &mut World, inbound: &[Inbound], spells: &mut impl Spells, stages: &mut impl FnMut(Stage)) -> Vec<Outbound> {
    stages(Stage::Admit);
    admit(world, inbound);

    stages(Stage::Migrate);
    cast::migrate(world, spells);

    stages(Stage::Terrain);
    generate::advance(world);

    stages(Stage::Move);
    player::advance(world);

    stages(Stage::Due);
    let calls = cast::due(world);

    stages(Stage::Spells);
    let (calls, outcomes) = run(world, spells, calls);
    cast::called(world, &calls, &outcomes);

    stages(Stage::Intents);
    intent::apply(world, &calls, outcomes);

    stages(Stage::Npcs);
    behaviour::advance(world);

    stages(Stage::Projectiles);
    projectile::advance(world);

    stages(Stage::Physics);
    physics::advance(world);

    stages(Stage::Combat);
    status::settle(world);
    combat::settle(world);
    cast::settle(world);
    mana::settle(world);
    history::record(world);

    stages(Stage::Checkpoint);
    checkpoint::settle(world, spells);

    stages(Stage::Close);
    close(world, spells)
}

/// A stage of the tick, named when it begins, so that the shell can time it (the simulation reads no clock).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// What came in is sorted in, edits of the terrain included.
    Admit,
    /// Casts whose revision was replaced go on with the new one, where it says so.
    Migrate,
    /// Chunks that are missing around players are made.
    Terrain,
    /// Players and NPCs move, players shoot.
    Move,
    /// Which casts are due, in which order.
    Due,
    /// Spells run against the frozen scene.
    Spells,
    /// Their intents are admitted and applied, in cast order.
    Intents,
    /// NPCs look around and make up their minds.
    Npcs,
    /// Projectiles fly and hit.
    Projectiles,
    /// Rigid bodies move.
    Physics,
    /// Deaths, respawns, despawns, and casts that are done; then it is remembered where everybody stands.
    Combat,
    /// The state is taken, where that was asked for, and goes on as a loaded one would.
    Checkpoint,
    /// The tick is counted, checked and digested.
    Close,
}

impl Stage {
    /// All stages, in the order of the tick.
    pub const ALL: [Self; 13] = [
        Self::Admit,
        Self::Migrate,
        Self::Terrain,
        Self::Move,
        Self::Due,
        Self::Spells,
        Self::Intents,
        Self::Npcs,
        Self::Projectiles,
        Self::Physics,
        Self::Combat,
        Self::Checkpoint,
        Self::Close,
    ];

    /// The stage's name in metrics and benchmarks.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Migrate => "migrate",
            Self::Terrain => "terrain",
            Self::Move => "move",
            Self::Due => "due",
            Self::Spells => "spells",
            Self::Intents => "intents",
            Self::Npcs => "npcs",
            Self::Projectiles => "projectiles",
            Self::Physics => "physics",
            Self::Combat => "combat",
            Self::Checkpoint => "checkpoint",
            Self::Close => "close",
        }
    }
}

fn admit(world: &mut World, inbound: &[Inbound]) {
    for one in inbound {
        match one {
            Inbound::Join { token, account, username } => player::join(world, *token, account, username),
            Inbound::Leave { player } => player::leave(world, *player),
            Inbound::Input { player, input } => player::input(world, *player, *input),
            Inbound::Cast(request) => cast::admit(world, request),
            Inbound::Terraform { player, edit, client_sequence } => edit::terraform(world, *player, *edit, *client_sequence),
            Inbound::Revert { whose, since_tick } => undo::revert(world, whose, *since_tick),
            Inbound::Checkpoint(thoroughness) => world.checkpoint_due = world.checkpoint_due.max(Some(*thoroughness)),
            Inbound::Switch(switch) => cast::switch(world, switch),
            Inbound::FriendlyFire(on) => world.policy.friendly_fire = *on,
        }
    }
}

/// Leases the scene to the spells and takes it back. Answers the calls that were made; the others stay due.
fn run(world: &mut World, spells: &mut impl Spells, calls: Vec<Call>) -> (Vec<Call>, Vec<Outcome>) {
    let mut lease = Arc::new(std::mem::take(&mut world.scene));
    let answers = spells.run(Arc::clone(&lease), &calls);
    world.scene = std::mem::take(Arc::get_mut(&mut lease).expect("the spells gave their lease on the scene back"));
    assert_eq!(calls.len(), answers.len(), "every call of a spell is answered once");
    calls.into_iter().zip(answers).filter_map(|(call, answer)| Some((call, answer?))).unzip()
}

fn close(world: &mut World, spells: &mut impl Spells) -> Vec<Outbound> {
    for cast in world.casts.take_ended() {
        spells.end(cast);
    }
    world.tick += 1;
    #[cfg(debug_assertions)]
    world.check_invariants();
    world.refresh_digest();
    std::mem::take(&mut world.outbound)
}
