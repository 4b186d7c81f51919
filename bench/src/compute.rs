//! A spell that computes: 100,000 steps of a linear congruential generator and a sieve of 20,000, against Luau's native code, native Rust, and bare wasmtime.

use crate::artifact;
use crate::bare::{Bare, BareCast, Knobs};
use crate::prefetched::{call, cast, view};
use crate::report::{Effort, Report, Row, Samples, interleave};
use crate::spell::lua;
use anyhow::{Context, Result, ensure};
use mlua::chunk::Compiler;
use mlua::{Function, Lua, Table};
use spell_runtime::{Event, Hook, Instance, Intent, Runtime, View};
use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const GUEST: &str = include_str!("compute/guest.rs");
/// Calls that the generator's steps are split into, for every contender: one call's fuel is not enough for all.
const CALLS: u32 = 5;
const STEPS_PER_CALL: u32 = 20_000;
const LIMIT: u32 = 20_000;
/// Primes up to `LIMIT`.
const PRIMES: u32 = 2_262;
/// What the guest does on which timer.
const GENERATE: u32 = 1;
const SIEVE: u32 = 2;
const TELL: u32 = 3;

/// As fast as Luau does it: a buffer for the sieve, local functions.
const LUAU: &str = "--!optimize 2
local floor, readu8, writeu8 = math.floor, buffer.readu8, buffer.writeu8
local function steps(number: number, count: number): number
    for _ = 1, count do
        local product = number * 16807
        number = product - floor(product / 2147483647) * 2147483647
    end
    return number
end
local function sieve(limit: number): number
    local composite = buffer.create(limit + 1)
    local primes = 0
    for number = 2, limit do
        if readu8(composite, number) == 0 then
            primes += 1
            for multiple = number * number, limit, number do
                writeu8(composite, multiple, 1)
            end
        end
    end
    return primes
end
return { steps = steps, sieve = sieve }";

/// As one would write it: the modulo operator, a table.
const LUAU_IDIOMATIC: &str = "--!optimize 2
local function steps(number, count)
    for _ = 1, count do
        number = (number * 16807) % 2147483647
    end
    return number
end
local function sieve(limit)
    local composite = table.create(limit, false)
    local primes = 0
    for number = 2, limit do
        if not composite[number] then
            primes += 1
            for multiple = number * number, limit, number do
                composite[multiple] = true
            end
        end
    end
    return primes
end
return { steps = steps, sieve = sieve }";

/// In the order of the rows.
const NAMES: [&str; 8] =
    ["ours", "bare wasmtime", "native", "luau, buffer", "luau, idiomatic", "bare and fuel", "bare and epochs", "bare, this CPU"];

/// Who computes.
trait Contender {
    /// `STEPS_PER_CALL` steps from where the last call has come to.
    fn generate(&mut self);
    /// All of it.
    fn sieve(&mut self);
    /// The generator's number, and the primes that were found.
    fn results(&mut self) -> Result<(f64, u32)>;
}

/// A contender's name, and one of its two parts, timed.
type Turn<'a> = (&'a str, Box<dyn FnMut() -> f64 + 'a>);

/// Measures, prints and records.
pub fn run(effort: Effort) -> Result<()> {
    let rounds = effort.pick(21, 3);
    let mut report = Report::begin("compute", effort);
    let artifact = artifact::build(GUEST)?;
    let runtime = Runtime::new(4)?;
    let spell = runtime.load("bench", &artifact, &artifact::public_key())?;
    let bare = |knobs| Bare::with(artifact::component(&artifact)?, 4, knobs);
    let none = Knobs::default();
    let (fuel, epochs, host) = (Knobs { fuel: true, ..none }, Knobs { epochs: true, ..none }, Knobs { host_features: true, ..none });
    let view = view();
    let mut contenders: [(&str, Box<dyn Contender>); NAMES.len()] = [
        (NAMES[0], Box::new(Ours { instance: cast(&spell, &view), view: view.clone() })),
        (NAMES[1], Box::new(bare(none)?.cast())),
        (NAMES[2], Box::new(Native { number: 1.0, primes: 0 })),
        (NAMES[3], Box::new(Luau::new(LUAU).map_err(lua)?)),
        (NAMES[4], Box::new(Luau::new(LUAU_IDIOMATIC).map_err(lua)?)),
        (NAMES[5], Box::new(bare(fuel)?.cast())),
        (NAMES[6], Box::new(bare(epochs)?.cast())),
        (NAMES[7], Box::new(bare(host)?.cast())),
    ];
    let mut expected = None;
    for (name, contender) in &mut contenders {
        (0..CALLS).for_each(|_| contender.generate());
        contender.sieve();
        let results = contender.results()?;
        let expected = *expected.get_or_insert(results);
        ensure!(results == expected && results.1 == PRIMES, "{name} has {results:?}, ours {expected:?}, and there are {PRIMES} primes");
    }
    let contenders = contenders.map(|(name, contender)| (name, RefCell::new(contender)));
    let mut timed: Vec<Turn<'_>> = Vec::new();
    for (name, contender) in &contenders {
        timed.push((name, Box::new(|| us(|| (0..CALLS).for_each(|_| contender.borrow_mut().generate())))));
        timed.push((name, Box::new(|| us(|| contender.borrow_mut().sieve()))));
    }
    let mut turns: Vec<(&str, &mut dyn FnMut() -> f64)> = timed.iter_mut().map(|(name, work)| (*name, work.as_mut() as _)).collect();
    let samples = interleave(rounds, &mut turns);
    let how = format!(
        "{} steps of a linear congruential generator in f64 (exact, with floor; in {CALLS} calls, for one has fuel for a fifth) and a sieve of {LIMIT} (one call, stores); median of {rounds} interleaved rounds; all results equal",
        CALLS * STEPS_PER_CALL
    );
    report.extend(rows(&samples, &how));
    report.finish()?;
    let bars: Vec<(String, &Samples)> = ["steps", "sieve"]
        .iter()
        .enumerate()
        .flat_map(|(part, what)| NAMES.iter().take(5).enumerate().map(move |(index, name)| (part, what, index, name)))
        .map(|(part, what, index, name)| (format!("{what}: {name}"), &samples[2 * index + part]))
        .collect();
    let bars: Vec<(&str, &Samples)> = bars.iter().map(|(name, samples)| (name.as_str(), *samples)).collect();
    report.bars("compute", "A spell that computes", "us", &bars)
}

/// Samples are in pairs, generator and sieve, in the order of the contenders.
fn rows(samples: &[Samples], how: &str) -> Vec<Row> {
    let whole = |contender: usize| Samples::new(vec![samples[2 * contender].median() + samples[2 * contender + 1].median()]);
    let against = |one: usize, other: usize, name: &str, what: &str, aim: &'static str| {
        let key = |part: &str| -> &'static str { format!("compute.{part}{what}").leak() };
        [
            whole(one).against(&whole(other), name, key(""), "us", aim, how),
            samples[2 * one].against(&samples[2 * other], name, key("generator."), "us", "", how),
            samples[2 * one + 1].against(&samples[2 * other + 1], name, key("sieve."), "us", "", how),
        ]
    };
    let bare = "bare wasmtime: no fuel, no epochs";
    [
        against(0, 3, "Luau's native code, buffer", "vs_luau", "0.2x"),
        against(0, 4, "Luau's native code, table and modulo", "vs_luau_idiomatic", ""),
        against(0, 2, "native Rust", "vs_native", ""),
        against(0, 1, bare, "vs_bare", ""),
        against(5, 1, bare, "fuel_alone.vs_bare", ""),
        against(6, 1, bare, "epochs_alone.vs_bare", ""),
        against(7, 1, bare, "this_cpu_alone.vs_bare", ""),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn us(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e6
}

/// A spell, with every limit on.
struct Ours {
    instance: Instance,
    view: Arc<dyn View>,
}

impl Contender for Ours {
    fn generate(&mut self) {
        call(&mut self.instance, &self.view, Hook::Event(Event::Timer(GENERATE)));
    }
    fn sieve(&mut self) {
        call(&mut self.instance, &self.view, Hook::Event(Event::Timer(SIEVE)));
    }
    fn results(&mut self) -> Result<(f64, u32)> {
        let told = call(&mut self.instance, &self.view, Hook::Event(Event::Timer(TELL)));
        let line = told.into_iter().find_map(|intent| if let Intent::Log { text, .. } = intent { Some(text) } else { None });
        numbers(&line.context("the spell told nothing")?)
    }
}

impl Contender for BareCast {
    fn generate(&mut self) {
        self.timer(GENERATE);
    }
    fn sieve(&mut self) {
        self.timer(SIEVE);
    }
    fn results(&mut self) -> Result<(f64, u32)> {
        self.timer(TELL);
        numbers(self.world().lines.last().context("the spell told nothing")?)
    }
}

fn numbers(line: &str) -> Result<(f64, u32)> {
    let (number, primes) = line.split_once(' ').context("two numbers")?;
    Ok((number.parse()?, primes.parse()?))
}

/// The guest's source, natively.
struct Native {
    number: f64,
    primes: u32,
}

impl Contender for Native {
    fn generate(&mut self) {
        let mut number = black_box(self.number);
        for _ in 0..STEPS_PER_CALL {
            let product = number * 16_807.0;
            number = product - (product / 2_147_483_647.0).floor() * 2_147_483_647.0;
        }
        self.number = black_box(number);
    }
    fn sieve(&mut self) {
        let limit = black_box(LIMIT as usize);
        let mut composite = vec![0_u8; limit + 1];
        let mut primes = 0;
        for number in 2..=limit {
            if composite[number] == 0 {
                primes += 1;
                let mut multiple = number * number;
                while multiple <= limit {
                    composite[multiple] = 1;
                    multiple += number;
                }
            }
        }
        self.primes = black_box(primes);
    }
    fn results(&mut self) -> Result<(f64, u32)> {
        Ok((self.number, self.primes))
    }
}

/// Sandboxed, with native code generation, as the reference spell's twins.
struct Luau {
    steps: Function,
    sieve: Function,
    number: f64,
    primes: u32,
    _lua: Lua,
}

impl Luau {
    fn new(source: &str) -> mlua::Result<Self> {
        let lua = Lua::new();
        lua.enable_jit(true);
        lua.sandbox(true)?;
        lua.set_compiler(Compiler::new().set_optimization_level(2).set_type_info_level(1));
        let functions: Table = lua.load(source).eval()?;
        Ok(Self { steps: functions.get("steps")?, sieve: functions.get("sieve")?, number: 1.0, primes: 0, _lua: lua })
    }
}

impl Contender for Luau {
    fn generate(&mut self) {
        self.number = self.steps.call((self.number, STEPS_PER_CALL)).expect("ran before");
    }
    fn sieve(&mut self) {
        self.primes = self.sieve.call(LIMIT).expect("ran before");
    }
    fn results(&mut self) -> Result<(f64, u32)> {
        Ok((self.number, self.primes))
    }
}
