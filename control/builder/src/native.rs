//! The second stage, in a process of its own: a core module in, a component and its native code out. It sees those bytes and nothing else.
//!
//! The answer on standard output: one tag byte for each part, a u32 length (little-endian), the part. It is ours to define: both ends are this executable.

use crate::limits::{CORE_BYTES_MAX, NATIVE_OUTPUT_BYTES_MAX};
use protocol::job::Stage;
use serde::{Deserialize, Serialize};
pub use spell_runtime::Boundary;
use spell_runtime::compile::{self, CompileError, Compiled};
use spell_runtime::inspect;
use std::io::{self, Read, Write};

/// What the stage made of a core module.
#[derive(Debug, Clone, PartialEq)]
pub struct Native {
    /// The component.
    pub component: Vec<u8>,
    /// Its native code.
    pub code: Vec<u8>,
    /// The rest.
    pub notes: Notes,
}

/// What the stage says beside bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// For which engine the code is.
    pub engine_id: String,
    /// Milliseconds of each step.
    pub stage_ms: Vec<(Stage, f64)>,
}

/// Why there is no native code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The step that refused.
    pub stage: Stage,
    /// All that is wrong.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong: `code`, `message`, `help`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `import`, `size`, `envelope`...
    pub code: String,
    /// In words, with figures.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Threads that compile functions.
const THREADS_MAX: usize = 4;

/// What the stage is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A core module that rustc made.
    Core,
    /// A component that this stage made of one earlier.
    Ours,
    /// A component of another toolchain.
    Foreign,
}

impl Given {
    const NAMES: [(Self, &str); 3] = [(Self::Core, "core"), (Self::Ours, "ours"), (Self::Foreign, "foreign")];

    /// The word for it on a command line.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find_map(|(given, name)| (given == self).then_some(name)).unwrap_or_default()
    }
    /// What the word means.
    pub fn of(word: &str) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|(given, name)| (name == word).then_some(given))
    }
}

/// Reads a module or component from standard input, writes the answer to standard output.
pub fn serve(given: Given) -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().take(CORE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    // More threads than this would take all the address space that there is for stacks.
    let answer = game::threads(THREADS_MAX.min(std::thread::available_parallelism()?.get()))?.install(|| make(bytes, given));
    io::stdout().write_all(&encode(&answer)?)
}

/// The stage itself: componentize, inspect, precompile.
pub fn make(bytes: Vec<u8>, given: Given) -> Result<Native, Refused> {
    let mut stage_ms = Vec::new();
    if bytes.len() > CORE_BYTES_MAX {
        let message = format!("module has more than {CORE_BYTES_MAX} bytes");
        return Err(Refused { stage: Stage::Componentize, findings: vec![Finding { code: "size".into(), message, help: None }] });
    }
    let component = match given {
        Given::Core => timed(&mut stage_ms, Stage::Componentize, || compile::componentize(&bytes))
            .map_err(|error| refused(Stage::Componentize, error))?,
        Given::Ours | Given::Foreign => bytes,
    };
    // The compiler sees nothing that inspection has not passed. The launcher inspects again, for it believes nothing that comes from here.
    timed(&mut stage_ms, Stage::Inspect, || inspect::inspect(&component))
        .map_err(|found| refused(Stage::Inspect, CompileError::Module(found)))?;
    let boundary = if given == Given::Foreign { Boundary::Component } else { compile::boundary_of(&component) };
    let Compiled { engine_id, code } = timed(&mut stage_ms, Stage::Precompile, || compile::compile(&component, boundary))
        .map_err(|error| refused(Stage::Precompile, error))?;
    Ok(Native { component, code, notes: Notes { engine_id, stage_ms } })
}

/// The artifact of a component that was built elsewhere: inspected, compiled and signed in this very process, so only for whoever runs it for themselves.
pub fn artifact(component: &[u8], boundary: Boundary, signing_seed: &[u8; 32]) -> Result<Vec<u8>, Refused> {
    inspect::inspect(component).map_err(|found| refused(Stage::Inspect, CompileError::Module(found)))?;
    let Compiled { engine_id, code } = compile::compile(component, boundary).map_err(|error| refused(Stage::Precompile, error))?;
    Ok(spell_runtime::artifact::sign(component, &engine_id, &code, signing_seed))
}

/// For which engine native code is made here.
pub fn engine_id() -> &'static str {
    spell_runtime::ENGINE_ID
}

/// Whether a component runs only where a world admits WASI. One that inspection refuses runs nowhere.
pub fn needs_wasi(component: &[u8]) -> bool {
    inspect::inspect(component).is_ok_and(|inspected| inspected.needs_wasi)
}

fn timed<T>(stage_ms: &mut Vec<(Stage, f64)>, stage: Stage, work: impl FnOnce() -> T) -> T {
    let start = std::time::Instant::now();
    let value = work();
    stage_ms.push((stage, start.elapsed().as_secs_f64() * 1e3));
    value
}

fn refused(stage: Stage, error: CompileError) -> Refused {
    let findings = match error {
        CompileError::Module(found) => found.iter().map(finding).collect(),
        error => vec![Finding { code: "component".into(), message: error.to_string(), help: None }],
    };
    Refused { stage, findings }
}

fn finding(found: &inspect::Finding) -> Finding {
    Finding { code: found.code.to_owned(), message: found.message.clone(), help: found.help.map(str::to_owned) }
}

const MADE: u8 = 1;
const REFUSED: u8 = 2;

/// One answer as bytes.
fn encode(answer: &Result<Native, Refused>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match answer {
        Ok(native) => {
            let notes = serde_json::to_vec(&native.notes)?;
            for part in [&notes, &native.component, &native.code] {
                put(&mut bytes, MADE, part)?;
            }
        }
        Err(refused) => put(&mut bytes, REFUSED, &serde_json::to_vec(refused)?)?,
    }
    Ok(bytes)
}

/// The answer again. The stage may be broken by what it compiled: nothing in its bytes is believed but their lengths.
pub fn decode(mut bytes: &[u8]) -> io::Result<Result<Native, Refused>> {
    let broken = || io::Error::other("the compile stage's answer does not decode");
    if bytes.len() > NATIVE_OUTPUT_BYTES_MAX {
        return Err(broken());
    }
    let (tag, first) = take(&mut bytes).ok_or_else(broken)?;
    let answer = match tag {
        MADE => {
            let (_, component) = take(&mut bytes).ok_or_else(broken)?;
            let (_, code) = take(&mut bytes).ok_or_else(broken)?;
            Ok(Native { component: component.to_vec(), code: code.to_vec(), notes: serde_json::from_slice(first)? })
        }
        REFUSED => Err(serde_json::from_slice(first)?),
        _ => return Err(broken()),
    };
    if bytes.is_empty() { Ok(answer) } else { Err(broken()) }
}

fn put(bytes: &mut Vec<u8>, tag: u8, part: &[u8]) -> io::Result<()> {
    let length = u32::try_from(part.len()).map_err(|_| io::Error::other("a part is over 4 GiB"))?;
    bytes.push(tag);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(part);
    Ok(())
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (head, rest) = bytes.split_at_checked(5)?;
    let length = u32::from_le_bytes(head[1..].try_into().ok()?) as usize;
    let (part, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some((head[0], part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_their_encoding_and_cut_ones_do_not() {
        let notes = Notes { engine_id: "e".into(), stage_ms: vec![(Stage::Inspect, 0.5)] };
        let made = Ok(Native { component: vec![1; 300], code: vec![2; 70_000], notes });
        let bytes = encode(&made).expect("encodes");
        assert_eq!(decode(&bytes).expect("decodes"), made);
        for length in (0..bytes.len()).step_by(997) {
            assert!(decode(&bytes[..length]).is_err());
        }
        let none = make(b"\0asm\x01\0\0\0".to_vec(), Given::Core);
        assert_eq!(decode(&encode(&none).expect("encodes")).expect("decodes"), none);
        assert_eq!(none.expect_err("an empty module is no spell").stage, Stage::Inspect);
    }
}
