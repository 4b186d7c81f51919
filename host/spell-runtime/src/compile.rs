//! From a core module to native code. Only for processes that may compile, and those tick no world.

use crate::desk::Desk;
use crate::inspect::{Finding, inspect_core_imports};
use crate::{engine, instance};
use wasmtime::component::{Component, Linker};

/// Native code, and for which engine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Goes into the artifact; hosts compare it with their own.
    pub engine_id: String,
    /// What hosts deserialize.
    pub code: Vec<u8>,
}

/// A spell that cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The core module is not one of our SDK's, or imports what is not ours.
    #[error("module is refused: {}", .0.first().map_or("", |finding| finding.message.as_str()))]
    Module(Vec<Finding>),
    /// The encoder refused it: no interface in it, or one that does not fit.
    #[error("module cannot become a component: {0}")]
    Componentize(String),
    /// The compiler refused it.
    #[error("component cannot be compiled: {0}")]
    Compile(String),
    /// An import or export has another type than the interface says.
    #[error("component does not fit the interface: {0}")]
    Interface(String),
}

/// Wraps a core module that carries its interface (as wit-bindgen writes it) into a component. The same module always gives the same bytes.
pub fn componentize(core: &[u8]) -> Result<Vec<u8>, CompileError> {
    inspect_core_imports(core).map_err(CompileError::Module)?;
    let refused = |error| CompileError::Componentize(format!("{error:#}"));
    let mut encoder = wit_component::ComponentEncoder::default().validate(false).module(core).map_err(refused)?;
    encoder.encode().map_err(refused)
}

/// Compiles an inspected component and makes sure that it would link.
pub fn compile(component: &[u8]) -> Result<Compiled, CompileError> {
    let refused = |error: wasmtime::Error| CompileError::Compile(format!("{error:#}"));
    let engine = engine::for_compiling().map_err(refused)?;
    let code = engine.precompile_component(component).map_err(refused)?;
    // SAFETY: wasmtime has just made these bytes, in this process.
    let loaded = unsafe { Component::deserialize(&engine, &code) }.map_err(refused)?;
    let mut linker: Linker<Desk> = Linker::new(&engine);
    instance::add_to_linker(&mut linker).map_err(refused)?;
    instance::link(&linker, &loaded).map_err(|error| CompileError::Interface(format!("{error:#}")))?;
    Ok(Compiled { engine_id: engine::computed_id(&engine), code })
}
