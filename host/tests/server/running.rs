//! The line to the control plane: what it brings, and what happens without it.

use crate::control_plane::{World, publish};
use crate::spell;
use host::limits::SPELLS_MAX;
use host::subprotocol::Subprotocol;
use protocol::Sha256Hex;
use protocol::link::Report;
use rstest::rstest;

const REVISION: &str = "rev_000001_0a1b2c3d";

/// A change to a revision that cannot be loaded.
fn bad_change(world: &mut World, spell: &str, sequence: u64) {
    let artifact = world.control_plane.offer(b"not signed by anyone");
    publish(&mut world.stream, spell, REVISION, artifact, sequence);
}

#[rstest]
fn an_artifact_that_nobody_signed_is_refused_and_reported(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    bad_change(&mut world, "fireball", 1);
    let report = world.control_plane.report(|report| matches!(report, Report::Refused { .. }));
    let Report::Refused { spell_id, message, .. } = report else { unreachable!("it was asked for") };
    assert_eq!((spell_id.as_str(), message.as_str()), ("fireball", "not a spell artifact"));
    let (mut client, _) = world.join("kim");
    client.cast("fireball");
    assert_eq!(client.wait_for(121, |_| true)["limit"], "unknown_spell");
}

#[rstest]
fn a_world_follows_so_many_spells_and_no_more(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let mut world = World::speaking(speech);
    let refusal_of = |world: &mut World, number: usize| {
        let spell = format!("spell_{number}");
        bad_change(world, &spell, number as u64);
        let of_spell = |report: &Report| matches!(report, Report::Refused { spell_id, .. } if spell_id.as_str() == spell);
        let Report::Refused { message, .. } = world.control_plane.report(of_spell) else { unreachable!("it was asked for") };
        message
    };
    // One by one: a queue of so many reports would be cut.
    for number in 0..SPELLS_MAX {
        assert_eq!(refusal_of(&mut world, number), "not a spell artifact");
    }
    assert_eq!(refusal_of(&mut world, SPELLS_MAX), "this world follows 1024 spells already, and that is its limit");
    assert_eq!(refusal_of(&mut world, 7), "not a spell artifact", "a new revision of one that it follows");
}

fn players(clients: &[&str]) -> Report {
    Report::Players { clients: clients.iter().map(|client| (*client).to_owned()).collect() }
}

#[rstest]
fn players_are_counted_for_the_control_plane(#[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol) {
    let world = World::speaking(speech);
    let (client, _) = world.join("kim");
    world.control_plane.report(|report| *report == players(&["client_kim"]));
    drop(client);
    world.control_plane.report(|report| *report == players(&[]));
}

#[rstest]
fn the_game_goes_on_without_the_control_plane_and_the_line_comes_back(
    #[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol,
) {
    let mut world = World::speaking(speech);
    let (mut client, _) = world.join("kim");
    bad_change(&mut world, "fireball", 41);
    world.control_plane.report(|report| matches!(report, Report::Refused { .. }));
    world.stream.shutdown(std::net::Shutdown::Both).expect("it is open");
    let (request, mut stream) = world.control_plane.stream();
    assert!(request.contains(&format!("?after=41&engine={} ", game::ENGINE_ID)), "{request}");
    client.wait_for(101, |_| true);
    // Nonsense ends the connection, not the server.
    std::io::Write::write_all(&mut stream, &[0xff; 64]).expect("the server reads");
    let (_, stream) = world.control_plane.stream();
    world.stream = stream;
    bad_change(&mut world, "frostbolt", 42);
    world.control_plane.report(|report| matches!(report, Report::Refused { .. }));
    client.wait_for(101, |_| true);
}

#[rstest]
fn an_artifact_that_cannot_be_fetched_is_asked_for_again_with_the_next_connection(
    #[values(Subprotocol::Json, Subprotocol::Binary)] speech: Subprotocol,
) {
    let mut world = World::speaking(speech);
    let missing = Sha256Hex::of(b"not there yet");
    publish(&mut world.stream, "fireball", REVISION, missing.clone(), 5);
    // What was not made ready has not happened.
    let (request, stream) = world.control_plane.stream();
    assert!(request.contains("?after=0&"), "{request}");
    world.stream = stream;
    assert_eq!(world.control_plane.offer(b"not there yet"), missing);
    publish(&mut world.stream, "fireball", REVISION, missing, 5);
    let report = world.control_plane.report(|report| matches!(report, Report::Refused { .. }));
    assert!(matches!(report, Report::Refused { message, .. } if message == "not a spell artifact"));
}

#[test]
fn what_casts_came_to_is_told_once_with_who_began_them() {
    let mut world = World::start();
    let (broken, calm) = (world.control_plane.offer(&spell::broken()), world.control_plane.offer(&spell::calm()));
    publish(&mut world.stream, "spark", REVISION, broken, 1);
    publish(&mut world.stream, "calm", REVISION, calm, 2);
    let (mut client, _) = world.join("kim");
    // In whatever order, while it joins and after.
    let mut active = std::collections::BTreeSet::new();
    while active.len() < 2 {
        active.insert(client.wait_for(122, |_| true)["spell_id"].to_string());
    }
    client.cast("spark");
    client.wait_for(121, |stopped| stopped["spell_id"] == "spark");
    client.cast("calm");
    let mut of_spark = Vec::new();
    // The calm one lives for a minute: it is told as live, and has ended in no report.
    world.control_plane.report(|report| {
        let Report::Usage(usage) = report else { return false };
        let (spark, calm): (Vec<_>, Vec<_>) = usage.counted.iter().cloned().partition(|counted| counted.spell_id.as_str() == "spark");
        of_spark.extend(spark);
        assert!(calm.iter().all(|counted| counted.casts == 0), "{calm:?}");
        let live: Vec<_> = usage.live.iter().map(|live| (live.spell_id.as_str(), live.casts)).collect();
        of_spark.len() == 1 && live == [("calm", 1)]
    });
    let [spark] = of_spark.as_slice() else { panic!("it is told once: {of_spark:?}") };
    assert_eq!((spark.casts, spark.faults, spark.players.iter().map(String::as_str).collect::<Vec<_>>()), (1, 1, vec!["client_kim"]));
    assert!(spark.fuel.percentile(50) >= Some(game::limits::INSTANCE_COST_FUEL), "{spark:?}");
}
