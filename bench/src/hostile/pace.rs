//! What a unit of fuel takes in each kind: fuel bounds a tick only as well as it tells time.

use crate::clock;
use crate::prefetched::{CALL_FUEL, CASTER, view};
use crate::report::{Row, Samples};
use anyhow::Result;
use spell_runtime::{Call, CancelReason, Cast, Event, Hook, Runtime, Spell};

/// What spends less in all of its calls says nothing: making the instance and entering it take longer.
const FUEL_MIN: u64 = 200_000;
/// Each kind is tried so often; the median counts.
const TRIES: usize = 5;

/// Of the processor's time, so that whoever else uses the machine does not count; with prefetched neighbours, so that the world's own queries are left out.
pub fn measure(kinds: &[(String, Spell)]) -> Result<Row> {
    let mut paces: Vec<(f64, &str)> = kinds.iter().filter_map(|(name, spell)| Some((pace(spell)?, name.as_str()))).collect();
    paces.sort_by(|one, other| other.0.total_cmp(&one.0));
    println!("\nnanoseconds of a unit of fuel, slowest kinds first:");
    paces.iter().take(12).for_each(|(ns, name)| println!("  {name:<28} {ns:.2}"));
    let figures = Samples::new(paces.iter().map(|(ns, _)| *ns).collect());
    let how = format!("CPU time of a unit of fuel, of the {} kinds that spend much; the slowest is {}", paces.len(), paces[0].1);
    Ok(Row { value: paces[0].0, ..figures.row("hostile64.ns_per_fuel_max", "ns", "", how) })
}

/// Every kind, loaded.
pub fn load(runtime: &Runtime, kinds: &[(String, Vec<u8>)]) -> Result<Vec<(String, Spell)>> {
    let key = crate::artifact::public_key();
    kinds.iter().map(|(name, artifact)| Ok((name.clone(), runtime.load("bench", artifact, &key)?))).collect()
}

fn pace(spell: &Spell) -> Option<f64> {
    let tries: Option<Vec<f64>> = (0..TRIES).map(|_| once(spell)).collect();
    Some(Samples::new(tries?).median())
}

/// All of its hooks, up to the first fault.
fn once(spell: &Spell) -> Option<f64> {
    let view = view();
    let start = clock::now();
    let mut fuel = 0;
    match spell.instantiate(CALL_FUEL) {
        Err(fault) if fault.limit == "fuel" => fuel += CALL_FUEL,
        Err(_) => {}
        Ok(mut instance) => {
            for hook in hooks() {
                let view = view.clone();
                let outcome = instance.call(Call { hook, tick: 1, view, caster: CASTER, mana: None, first_id: 1_000, fuel: CALL_FUEL });
                fuel += outcome.fuel;
                if outcome.fault.is_some() {
                    break;
                }
            }
        }
    }
    let ns = (clock::now() - start).as_secs_f64() * 1e9;
    (fuel >= FUEL_MIN).then(|| ns / fuel as f64)
}

fn hooks() -> [Hook; 4] {
    let cast = Cast {
        tick: 1,
        caster: CASTER,
        target: 100,
        origin: [3.5, 2.6, -7.25],
        aim: [0.0, 0.0, -1.0],
        target_position: [0.0; 3],
        seed: 7,
        params: "{}".into(),
    };
    [Hook::Cast(cast), Hook::Tick(1.0 / 60.0), Hook::Event(Event::Timer(1)), Hook::Cancel(CancelReason::Duration)]
}
