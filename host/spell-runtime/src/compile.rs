//! From a core module to native code. Only for processes that may compile, and those tick no world.

use crate::abi::since_v0_1_0::{Code, DIRECT_EXPORTS};
use crate::inspect::{Finding, inspect_core_imports};
use crate::types::Boundary;
use crate::{engine, instance};
use wasmparser::{ExternalKind, Parser, Payload};

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

/// For which boundary a component that [`componentize`] has made is compiled: the direct one, unless its core module does what our glue does not serve, which are
/// a start function and exported functions beside the hooks.
pub fn boundary_of(component: &[u8]) -> Boundary {
    let served = core_module(component).is_ok_and(|core| Parser::new(0).parse_all(core).all(|payload| payload.is_ok_and(is_served)));
    if served { Boundary::Direct } else { Boundary::Component }
}

/// wit-bindgen's own name for the allocator that it exports as `cabi_realloc`; wit-component reads no meaning in it.
const BINDGEN_REALLOC: &str = "cabi_realloc_wit_bindgen_";

fn is_served(payload: Payload<'_>) -> bool {
    match payload {
        Payload::StartSection { .. } => false,
        Payload::ExportSection(section) => section.into_iter().all(|export| {
            let known = |name: &str| DIRECT_EXPORTS.contains(&name) || name.starts_with(BINDGEN_REALLOC);
            export.is_ok_and(|export| export.kind != ExternalKind::Func || known(export.name))
        }),
        _ => true,
    }
}

/// Compiles an inspected component and makes sure that it would link.
///
/// [`Boundary::Direct`] is for what [`boundary_of`] says is served; whether [`componentize`] made the component is the caller's to know, for one that was wrapped in
/// another way may mean another thing than its core module alone.
pub fn compile(component: &[u8], boundary: Boundary) -> Result<Compiled, CompileError> {
    let refused = |error: wasmtime::Error| CompileError::Compile(format!("{error:#}"));
    let engine = engine::for_compiling().map_err(refused)?;
    let code = match boundary {
        Boundary::Component => engine.precompile_component(component),
        Boundary::Direct if boundary_of(component) == boundary => engine.precompile_module(core_module(component)?),
        Boundary::Direct => return Err(CompileError::Interface("its core module does what only the component layer serves".into())),
    };
    let code = code.map_err(refused)?;
    // SAFETY: wasmtime has just made these bytes, in this process.
    let loaded = unsafe { Code::deserialize(&engine, &code) }.map_err(refused)?;
    let linkers = instance::linkers(&engine).map_err(refused)?;
    linkers.link(&loaded).map_err(|error| CompileError::Interface(format!("{error:#}")))?;
    Ok(Compiled { engine_id: engine::computed_id(&engine), code })
}

/// The first module in it: [`componentize`] puts the spell's own there, and its trampolines behind.
fn core_module(component: &[u8]) -> Result<&[u8], CompileError> {
    let refused = |error: &dyn std::fmt::Display| CompileError::Compile(format!("no core module: {error}"));
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::ModuleSection { unchecked_range, .. } = payload.map_err(|error| refused(&error))? {
            return component.get(unchecked_range).ok_or_else(|| refused(&"it is cut off"));
        }
    }
    Err(refused(&"there is none"))
}
