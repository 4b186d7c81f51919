//! Why a call was stopped: wasmtime's error becomes a limit with a name, figures, and words for the author.

use crate::limits::*;
use crate::types::Fault;
use crate::wasi::Stop;
use wasmtime::{PoolConcurrencyLimitError, Trap};

/// What is known about the call beside wasmtime's error.
pub(crate) struct Circumstances {
    /// The hook, by its WIT name.
    pub hook: &'static str,
    /// Fuel that the call had.
    pub fuel: u64,
    /// Bytes of memory that were asked for and refused within the call.
    pub memory_refused: Option<usize>,
    /// Elements of a table that were asked for and refused within the call.
    pub table_refused: Option<usize>,
    /// The last call of the interface that it made.
    pub last_call: Option<&'static str>,
    /// The last line that the spell logged as an error within the call: a panic's message.
    pub last_error: Option<String>,
}

/// Names the limit.
pub(crate) fn explain(error: &wasmtime::Error, circumstances: Circumstances) -> Fault {
    let (limit, allowed, asked, what) = name(error, &circumstances);
    let Circumstances { hook, last_call, last_error, .. } = circumstances;
    let mut message = format!("{hook}: {what}");
    // A panic says more itself, and logs it by a call of its own.
    match (last_error, last_call) {
        (Some(line), _) => message += &format!("; the spell said: {line}"),
        (None, Some(call)) => message += &format!("; its last call was {call}"),
        (None, None) => {}
    }
    Fault { hook, limit, allowed, asked, message }
}

/// A fault that the host itself raises.
pub(crate) fn raised(hook: &'static str, limit: &'static str, allowed: f64, asked: f64, what: &str) -> Fault {
    Fault { hook, limit, allowed, asked, message: format!("{hook}: {what}") }
}

type Named = (&'static str, f64, f64, String);

fn name(error: &wasmtime::Error, circumstances: &Circumstances) -> Named {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return name_trap(*trap, circumstances);
    }
    if let Some(stop) = error.downcast_ref::<Stop>() {
        let (limit, allowed, asked) = stop.figures();
        return (limit, allowed, asked, stop.to_string());
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return ("instances", 0.0, 0.0, "the world has no room for another live cast".into());
    }
    // The canonical ABI was broken: too much data for one call, a string that is not UTF-8, a pointer into nowhere.
    let words: String = format!("{error:#}").chars().take(300).collect();
    ("host", 0.0, 0.0, format!("the call broke the rules of the boundary: {words}"))
}

fn name_trap(trap: Trap, circumstances: &Circumstances) -> Named {
    match trap {
        Trap::OutOfFuel => ("fuel", circumstances.fuel as f64, 0.0, format!("ran out of fuel: {} was allowed", circumstances.fuel)),
        Trap::Interrupt => {
            let allowed_ms = EPOCH_TICKS_MAX * EPOCH_TICK_MS;
            ("time", allowed_ms as f64, 0.0, format!("ran for longer than {allowed_ms} ms"))
        }
        Trap::StackOverflow => {
            ("stack", STACK_BYTES_MAX as f64, 0.0, format!("used more than {STACK_BYTES_MAX} bytes of stack: recursion without an end?"))
        }
        // An allocator that gets no memory aborts, and an abort is `unreachable`.
        Trap::UnreachableCodeReached if circumstances.memory_refused.is_some() => memory(circumstances.memory_refused.unwrap_or_default()),
        Trap::UnreachableCodeReached if circumstances.table_refused.is_some() => table(circumstances.table_refused.unwrap_or_default()),
        Trap::UnreachableCodeReached => ("unreachable", 0.0, 0.0, "panicked or reached unreachable code".into()),
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned | Trap::StringOutOfBounds | Trap::ListOutOfBounds => {
            ("out_of_bounds", 0.0, 0.0, "reached outside its memory".into())
        }
        Trap::IntegerDivisionByZero | Trap::IntegerOverflow | Trap::BadConversionToInteger => {
            ("division", 0.0, 0.0, format!("did arithmetic that has no result: {trap}"))
        }
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature | Trap::NullReference => {
            ("indirect_call", 0.0, 0.0, format!("called a function that is not there: {trap}"))
        }
        _ => ("host", 0.0, 0.0, format!("the call broke the rules of the boundary: {trap}")),
    }
}

fn memory(asked: usize) -> Named {
    ("memory", MEMORY_BYTES_MAX as f64, asked as f64, format!("asked for {asked} bytes of memory: {MEMORY_BYTES_MAX} are allowed"))
}

fn table(asked: usize) -> Named {
    ("table", TABLE_ELEMENTS_MAX as f64, asked as f64, format!("asked for a table of {asked} elements: {TABLE_ELEMENTS_MAX} are allowed"))
}
