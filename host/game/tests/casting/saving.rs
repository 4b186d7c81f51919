//! A game goes on from its save as the one that was saved, live casts included.

use crate::guest::{BOLT, BREAKS, COUNTER, Guest, REFUSES, SPIN, free_game, load};
use game::{Game, Runtime};
use sim::inbound::{CastRequest, Input};
use sim::{EntityId, Inbound, Outbound, Stored, Thoroughness, Vec3};

const REVISION: &str = "rev_000003_00000000";
const PLAYERS: u64 = 8;

/// A game with these spells and eight players, who cast them by turns.
struct Place {
    game: Game,
    players: Vec<EntityId>,
    spells: Vec<&'static str>,
}

impl Place {
    fn new(runtime: &Runtime, spells: &[(&'static str, Guest)]) -> Self {
        let mut game = free_game(7);
        let mut inbound: Vec<Inbound> = spells.iter().map(|(spell, guest)| game.activate(load(runtime, spell, REVISION, *guest))).collect();
        inbound.extend((0..PLAYERS).map(|token| Inbound::Join {
            token,
            account: format!("client_{token}"),
            username: format!("player {token}"),
        }));
        let joined = game.step(&inbound, &mut |_| ());
        let players =
            joined.iter().filter_map(|event| if let Outbound::Joined { player, .. } = event { Some(*player) } else { None }).collect();
        Self { game, players, spells: spells.iter().map(|(spell, _)| *spell).collect() }
    }

    fn moves(&self) -> Vec<Inbound> {
        let tick = self.game.world().tick();
        self.players.iter().flat_map(|player| self.moves_of(*player, tick + 7 * player.0)).collect()
    }

    fn moves_of(&self, player: EntityId, turn: u64) -> Vec<Inbound> {
        let aim = Vec3::new((turn % 5) as f32 - 2.0, (turn % 3) as f32 * 0.1, -1.0);
        let movement = Vec3::new(0.0, 0.0, (turn % 3) as f32 - 1.0);
        let (fire, jump, seen_tick) = (turn.is_multiple_of(4), turn.is_multiple_of(9), self.game.world().tick().saturating_sub(turn % 40));
        let input = Input { sequence: turn as u32, movement, aim, sprint: false, fire, jump, seen_tick };
        let cast = turn.is_multiple_of(11).then(|| {
            Inbound::Cast(CastRequest {
                caster: player,
                // The first player keeps to one spell: nobody puts its casts off by dearer ones.
                spell: self.spells[if player == self.players[0] { 1 } else { (turn / 11) as usize } % self.spells.len()].into(),
                revision: String::new(),
                target_position: Vec3::ZERO,
                target: EntityId::NONE,
                params: "{}".into(),
            })
        });
        std::iter::once(Inbound::Input { player, input }).chain(cast).collect()
    }

    fn run(&mut self, ticks: u64) {
        for _ in 0..ticks {
            let inbound = self.moves();
            self.game.step(&inbound, &mut |_| ());
        }
    }

    fn checkpoint(&mut self, thoroughness: Thoroughness, before: Option<Stored>) -> (Vec<Outbound>, Stored) {
        let told = self.game.step(&[Inbound::Checkpoint(thoroughness)], &mut |_| ());
        (told, self.game.take_checkpoint().expect("one was asked for").over(before))
    }
}

fn lines(told: &[Outbound]) -> Vec<&str> {
    told.iter().filter_map(|event| if let Outbound::Log { text, .. } = event { Some(text.as_str()) } else { None }).collect()
}

#[test]
fn a_loaded_game_goes_on_as_the_saved_one() {
    let runtime = Runtime::new(256).expect("a small runtime");
    let mut place = Place::new(&runtime, &[("bolt", BOLT), ("counter", COUNTER), ("spin", SPIN)]);
    let (mut before, mut counted) = (None, Vec::new());
    for round in 0..3 {
        place.run(90);
        let (_, stored) = place.checkpoint(Thoroughness::Whole, before.take());
        before = Some(stored.clone());
        let (mut loaded, dropped) = Game::load(stored, place.game.loaded().cloned()).expect("a world of ours");
        assert_eq!(dropped, []);
        assert_eq!(loaded.world().digest(), place.game.world().digest());
        assert!(loaded.casts_live() >= 20, "{} casts were saved", loaded.casts_live());
        for tick in 0..60 {
            let inbound = place.moves();
            let (of_saved, of_loaded) = (place.game.step(&inbound, &mut |_| ()), loaded.step(&inbound, &mut |_| ()));
            assert_eq!(place.game.world().digest(), loaded.world().digest(), "tick {tick} after save {round}");
            assert_eq!(of_saved, of_loaded, "tick {tick} after save {round}");
            counted.extend(lines(&of_loaded).into_iter().map(str::to_owned));
        }
        assert!(place.game.world().active_revisions().eq(loaded.world().active_revisions()));
    }
    assert!(counted.iter().any(|count| count.as_str() > "60"), "what was counted before the save is not counted again: {counted:?}");
}

#[test]
fn a_cast_that_does_not_take_its_save_back_goes_on_and_ends_at_a_load() {
    let runtime = Runtime::new(64).expect("a small runtime");
    let mut place = Place::new(&runtime, &[("refuses", REFUSES)]);
    place.run(30);
    let casts = place.game.casts_live();
    assert!(casts > 0);
    let (told, stored) = place.checkpoint(Thoroughness::Whole, None);
    assert!(!told.iter().any(|event| matches!(event, Outbound::CastFaulted { .. } | Outbound::CastEnded { .. })), "{told:?}");
    assert_eq!(place.game.casts_live(), casts);
    assert_eq!(lines(&place.game.step(&[], &mut |_| ())).len(), casts, "each still ticks");
    let (loaded, dropped) = Game::load(stored, place.game.loaded().cloned()).expect("a world of ours");
    assert_eq!((dropped.len(), loaded.casts_live(), loaded.world().live_casts()), (casts, 0, 0));
}

/// A refusal is charged what it took: casts that cannot be saved leave a checkpoint in passing fuel for those that can.
#[test]
fn casts_that_refuse_their_save_crowd_nobody_out() {
    let runtime = Runtime::new(64).expect("a small runtime");
    let mut place = Place::new(&runtime, &[("refuses", REFUSES), ("counter", COUNTER)]);
    place.run(60);
    let (_, stored) = place.checkpoint(Thoroughness::InPassing, None);
    let (loaded, dropped) = Game::load(stored, place.game.loaded().cloned()).expect("a world of ours");
    assert!(dropped.len() > 4 && dropped.iter().all(|cast| cast.spell == "refuses"), "{dropped:?}");
    assert!(loaded.casts_live() > 4);
    assert_eq!(loaded.casts_live() + dropped.len(), place.game.casts_live());
}

#[test]
fn a_cast_that_breaks_while_it_is_saved_ends_alone() {
    let runtime = Runtime::new(64).expect("a small runtime");
    let mut place = Place::new(&runtime, &[("breaks", BREAKS), ("counter", COUNTER)]);
    place.run(30);
    let (told, stored) = place.checkpoint(Thoroughness::Whole, None);
    let faults: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            Outbound::CastFaulted { spell, fault, .. } => Some((spell.as_str(), fault.hook, fault.limit)),
            _ => None,
        })
        .collect();
    assert!(!faults.is_empty() && faults.iter().all(|fault| *fault == ("breaks", "save", "unreachable")), "{faults:?}");
    let (loaded, dropped) = Game::load(stored, place.game.loaded().cloned()).expect("a world of ours");
    assert_eq!((dropped.len(), loaded.casts_live()), (0, place.game.casts_live()));
    assert!(loaded.casts_live() > 0);
}

/// In passing, a checkpoint takes as many casts as fit into its fuel, those of casters who owe least; the others run on, and end at a load.
#[test]
fn a_checkpoint_in_passing_is_bounded_by_fuel() {
    let runtime = Runtime::new(512).expect("a runtime");
    let mut place = Place::new(&runtime, &[("one", COUNTER), ("two", COUNTER), ("three", COUNTER), ("four", SPIN)]);
    for _ in 0..16 {
        for spell in ["one", "two", "three", "four"] {
            let casts = place.players.iter().map(|player| {
                Inbound::Cast(CastRequest {
                    caster: *player,
                    spell: spell.into(),
                    revision: String::new(),
                    target_position: Vec3::ZERO,
                    target: EntityId::NONE,
                    params: "{}".into(),
                })
            });
            let casts: Vec<Inbound> = casts.collect();
            place.game.step(&casts, &mut |_| ());
        }
        place.run(10);
    }
    let (_, stored) = place.checkpoint(Thoroughness::InPassing, None);
    let casts = place.game.casts_live();
    let per_cast = game::limits::INSTANCE_COST_FUEL as usize;
    let (loaded, dropped) = Game::load(stored, place.game.loaded().cloned()).expect("a world of ours");
    assert_eq!(loaded.casts_live() + dropped.len(), casts);
    assert!(loaded.casts_live() <= sim::limits::CHECKPOINT_FUEL as usize / per_cast + 1);
    assert!(loaded.casts_live() > 0);
}

#[test]
fn a_revision_that_is_missing_at_a_load_ends_its_casts_and_can_come_back() {
    let runtime = Runtime::new(64).expect("a small runtime");
    let mut place = Place::new(&runtime, &[("bolt", SPIN), ("counter", COUNTER)]);
    place.run(30);
    let (_, stored) = place.checkpoint(Thoroughness::Whole, None);
    let counter = place.game.loaded().filter(|loaded| loaded.spell == "counter").cloned();
    let (mut loaded, dropped) = Game::load(stored, counter).expect("a world of ours");
    assert!(!dropped.is_empty() && dropped.iter().all(|cast| cast.spell == "bolt"), "{dropped:?}");
    assert_eq!(loaded.world().active_revisions().map(|(spell, _)| spell).collect::<Vec<_>>(), ["counter"]);
    let activate = loaded.activate(load(&runtime, "bolt", REVISION, BOLT));
    loaded.step(&[activate], &mut |_| ());
    assert_eq!(loaded.world().active_revisions().count(), 2);
}
