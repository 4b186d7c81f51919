//! The reference spell (`spells/repel`) three more times: in native Rust and, twice, in Luau. Same algorithm, same numbers, f32 wherever the language has it.

use mlua::chunk::Compiler;
use mlua::{Buffer, Function, Lua, Result, Table, Vector};
use std::cell::RefCell;
use std::rc::Rc;

/// What the host has prefetched for every contender: the caster and the 8 nearest entities.
pub struct Fixture {
    /// Where the caster stands.
    pub caster: [f32; 3],
    /// Nearest first.
    pub near: Vec<(u64, [f32; 3])>,
}

impl Fixture {
    /// Eight entities on a spiral around a caster that stands off the origin.
    pub fn new() -> Self {
        let caster = [3.5, 1.9, -7.25];
        let near = (0u8..8).map(|index| {
            let distance = 1.0 + f32::from(index) * 1.25;
            let turn =
                [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.8, 0.6], [-1.0, 0.0], [-0.6, -0.8], [0.0, -1.0], [0.8, -0.6]][usize::from(index)];
            (100 + u64::from(index), [caster[0] + turn[0] * distance, caster[1], caster[2] + turn[1] * distance])
        });
        let near = near.collect();
        Self { caster, near }
    }
}

/// An impulse that reached the host.
pub type Impulse = (u64, [f32; 3]);

const RADIUS_M: f32 = 12.0;
const STRENGTH: f32 = 40.0;

/// What a server that trusts its scripts would offer them.
pub trait Host {
    /// Where the caster stands.
    fn caster(&self) -> [f32; 3];
    /// The 8 nearest, into a buffer that is reused.
    fn near(&self, into: &mut Vec<(u64, [f32; 3])>);
    /// Takes an impulse.
    fn push(&mut self, id: u64, impulse: [f32; 3]);
}

/// What a native plug-in would be.
pub trait Native {
    /// One tick.
    fn tick(&mut self, host: &mut dyn Host);
}

/// The reference spell in native Rust.
#[derive(Default)]
pub struct NativeRepel {
    near: Vec<(u64, [f32; 3])>,
}

impl Native for NativeRepel {
    fn tick(&mut self, host: &mut dyn Host) {
        let caster = host.caster();
        self.near.clear();
        host.near(&mut self.near);
        for (id, position) in &self.near {
            let away = [position[0] - caster[0], position[1] - caster[1], position[2] - caster[2]];
            let distance = (away[0] * away[0] + away[1] * away[1] + away[2] * away[2]).sqrt();
            if distance > 0.0 {
                let falloff = 1.0 - distance / RADIUS_M;
                let scale = STRENGTH * falloff * falloff / distance;
                host.push(*id, [away[0] * scale, away[1] * scale, away[2] * scale]);
            }
        }
    }
}

/// The native contender's host: it answers from the fixture and stores what is pushed.
pub struct NativeHost {
    fixture: Fixture,
    /// What the last tick pushed.
    pub impulses: Vec<Impulse>,
}

impl NativeHost {
    /// Over this fixture.
    pub fn new(fixture: Fixture) -> Self {
        Self { fixture, impulses: Vec::new() }
    }
}

impl Host for NativeHost {
    fn caster(&self) -> [f32; 3] {
        self.fixture.caster
    }
    fn near(&self, into: &mut Vec<(u64, [f32; 3])>) {
        into.extend_from_slice(&self.fixture.near);
    }
    fn push(&mut self, id: u64, impulse: [f32; 3]) {
        self.impulses.push((id, impulse));
    }
}

/// As one would write it: tables, vectors, a host function for each push.
const IDIOMATIC: &str = "--!optimize 2
local RADIUS, STRENGTH = 12, 40
function tick(world)
    local caster = world.caster()
    for _, entity in world.near() do
        local away = entity.position - caster
        local distance = vector.magnitude(away)
        if distance > 0 then
            local falloff = 1 - distance / RADIUS
            world.push(entity.id, away * (STRENGTH * falloff * falloff / distance))
        end
    end
end
return tick";

/// As nobody would write it by hand: numbers at offsets of a buffer that the host fills, and another that it reads.
/// Into: caster (3 f32), count (u32), then for each entity id (f64) and position (3 f32). Out: for each entity id (f64) and impulse (3 f32).
const BUFFER: &str = "--!optimize 2
local RADIUS, STRENGTH = 12, 40
local readf32, readf64, readu32 = buffer.readf32, buffer.readf64, buffer.readu32
local writef32, writef64 = buffer.writef32, buffer.writef64
function tick(input: buffer, output: buffer)
    local cx, cy, cz = readf32(input, 0), readf32(input, 4), readf32(input, 8)
    for index = 0, readu32(input, 12) - 1 do
        local at = 16 + index * 20
        local x, y, z = readf32(input, at + 8) - cx, readf32(input, at + 12) - cy, readf32(input, at + 16) - cz
        local distance = math.sqrt(x * x + y * y + z * z)
        local scale = 0
        if distance > 0 then
            local falloff = 1 - distance / RADIUS
            scale = STRENGTH * falloff * falloff / distance
        end
        local to = index * 20
        writef64(output, to, readf64(input, at))
        writef32(output, to + 8, x * scale)
        writef32(output, to + 12, y * scale)
        writef32(output, to + 16, z * scale)
    end
end
return tick";

/// Sandboxed, with native code generation: the configuration that favours it most (unsandboxed, its buffer form is 20 times slower).
fn luau(source: &str) -> Result<(Lua, Function)> {
    let lua = Lua::new();
    lua.enable_jit(true);
    lua.sandbox(true)?;
    lua.set_compiler(Compiler::new().set_optimization_level(2).set_type_info_level(1));
    let tick = lua.load(source).eval()?;
    Ok((lua, tick))
}

/// The reference spell in Luau with tables and vectors.
pub struct LuauIdiomatic {
    tick: Function,
    world: Table,
    impulses: Rc<RefCell<Vec<Impulse>>>,
    _lua: Lua,
}

impl LuauIdiomatic {
    /// Compiled and warm.
    pub fn new(fixture: Rc<Fixture>) -> Result<Self> {
        let (lua, tick) = luau(IDIOMATIC)?;
        let impulses = Rc::new(RefCell::new(Vec::new()));
        let world = lua.create_table()?;
        let seen = fixture.clone();
        world.set("caster", lua.create_function(move |_, ()| Ok(Vector::new(seen.caster[0], seen.caster[1], seen.caster[2])))?)?;
        let near = move |lua: &Lua, ()| {
            let list = lua.create_table_with_capacity(fixture.near.len(), 0)?;
            for (id, position) in &fixture.near {
                let entity = lua.create_table_with_capacity(0, 2)?;
                entity.raw_set("id", *id as f64)?;
                entity.raw_set("position", Vector::new(position[0], position[1], position[2]))?;
                list.raw_push(entity)?;
            }
            Ok(list)
        };
        world.set("near", lua.create_function(near)?)?;
        let pushed = impulses.clone();
        let push = move |_: &Lua, (id, impulse): (f64, Vector)| {
            pushed.borrow_mut().push((id as u64, [impulse.x(), impulse.y(), impulse.z()]));
            Ok(())
        };
        world.set("push", lua.create_function(push)?)?;
        Ok(Self { tick, world, impulses, _lua: lua })
    }

    /// One tick; the impulses of the tick before are forgotten.
    pub fn tick(&mut self) -> Result<()> {
        self.impulses.borrow_mut().clear();
        self.tick.call(&self.world)
    }

    /// What the last tick pushed.
    pub fn impulses(&self) -> Vec<Impulse> {
        self.impulses.borrow().clone()
    }
}

/// The reference spell in Luau over buffers.
pub struct LuauBuffer {
    tick: Function,
    input: Buffer,
    output: Buffer,
    fixture: Rc<Fixture>,
    impulses: Vec<Impulse>,
    _lua: Lua,
}

const BUFFER_ENTITY_BYTES: usize = 20;

impl LuauBuffer {
    /// Compiled and warm.
    pub fn new(fixture: Rc<Fixture>) -> Result<Self> {
        let (lua, tick) = luau(BUFFER)?;
        let input = lua.create_buffer_with_capacity(16 + 8 * BUFFER_ENTITY_BYTES)?;
        let output = lua.create_buffer_with_capacity(8 * BUFFER_ENTITY_BYTES)?;
        Ok(Self { tick, input, output, fixture, impulses: Vec::new(), _lua: lua })
    }

    /// One tick: the buffer is filled, run over, and read.
    pub fn tick(&mut self) -> Result<()> {
        let mut bytes = [0; 16 + 8 * BUFFER_ENTITY_BYTES];
        for (slot, number) in bytes.chunks_exact_mut(4).zip(self.fixture.caster) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        bytes[12..16].copy_from_slice(&(self.fixture.near.len() as u32).to_le_bytes());
        for (slot, (id, position)) in bytes[16..].chunks_exact_mut(BUFFER_ENTITY_BYTES).zip(&self.fixture.near) {
            slot[..8].copy_from_slice(&(*id as f64).to_le_bytes());
            for (axis, number) in slot[8..].chunks_exact_mut(4).zip(position) {
                axis.copy_from_slice(&number.to_le_bytes());
            }
        }
        self.input.write_bytes(0, &bytes);
        let () = self.tick.call((&self.input, &self.output))?;
        let output: [u8; 8 * BUFFER_ENTITY_BYTES] = self.output.read_bytes(0);
        self.impulses.clear();
        self.impulses.extend(output.chunks_exact(BUFFER_ENTITY_BYTES).map(|entity| {
            let axis = |at: usize| f32::from_le_bytes(entity[at..at + 4].try_into().expect("four bytes"));
            (f64::from_le_bytes(entity[..8].try_into().expect("eight bytes")) as u64, [axis(8), axis(12), axis(16)])
        }));
        Ok(())
    }

    /// What the last tick pushed.
    pub fn impulses(&self) -> &[Impulse] {
        &self.impulses
    }
}
