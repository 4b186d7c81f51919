//! Looks into a component before anything runs: the same checks when it is built and when it is loaded.

use crate::envelope::{Envelope, SECTION};
use crate::limits::*;
use crate::wasi;
use wasmparser::{ComponentExternName, Encoding, FunctionBody, MemoryType, Parser, Payload, TableType, Validator, WasmFeatures};

/// The package that spells are written against.
pub const PACKAGE: &str = "ugc:spell@0.1.0";
/// All that a spell may import, beside WASI where a world admits it.
pub const IMPORTS: [&str; 3] = ["ugc:spell/types@0.1.0", "ugc:spell/reads@0.1.0", "ugc:spell/intents@0.1.0"];
/// All that it exports.
pub const EXPORT: &str = "ugc:spell/hooks@0.1.0";

/// What inspection read from a component that passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// What the spell declares that it may do.
    pub envelope: Envelope,
    /// It imports WASI in its locked form, as components of other toolchains do. Not every world admits that.
    pub needs_wasi: bool,
}

/// One reason to refuse a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `core_module`, `invalid`, `import`, `export`, `size`, `memory`, `table`, `feature`, `nesting`, `envelope`.
    pub code: &'static str,
    /// What is wrong, with figures.
    pub message: String,
    /// What to do, where something is known.
    pub help: Option<&'static str>,
}

/// Checks a component. An error has at least one finding and at most `FINDINGS_MAX`.
pub fn inspect(component: &[u8]) -> Result<Inspected, Vec<Finding>> {
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(vec![finding("size", format!("component has {} bytes, over the limit of {COMPONENT_BYTES_MAX}", component.len()))]);
    }
    let mut survey = Survey::default();
    if let Err(error) = survey.walk(component) {
        survey.report("invalid", format!("not a WebAssembly component: {error}"));
    }
    survey.close();
    if survey.findings.is_empty()
        && let Err(error) = Validator::new_with_features(features()).validate_all(component)
    {
        survey.report("invalid", format!("component is not valid: {error}"));
    }
    // Said last: a component that is refused for what it is needs no word about what it lacks.
    if survey.findings.is_empty() && !survey.hooks {
        survey.findings.push(Finding {
            code: "export",
            message: format!("does not export {EXPORT}"),
            help: Some("declare the spell with spell_sdk's macro `spell!`"),
        });
    }
    if survey.findings.is_empty() {
        Ok(Inspected { envelope: survey.envelope.unwrap_or_default(), needs_wasi: survey.needs_wasi })
    } else {
        Err(survey.findings)
    }
}

/// Checks a core module's imports before it becomes a component, so that the author reads a name instead of an encoder's error.
pub fn inspect_core_imports(core: &[u8]) -> Result<(), Vec<Finding>> {
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(core) {
        match payload {
            Ok(Payload::ImportSection(section)) => {
                for import in section.into_imports() {
                    match import {
                        Ok(import) if !IMPORTS.contains(&import.module) => {
                            survey.report_import(&format!("{}.{}", excerpt(import.module), excerpt(import.name)));
                        }
                        Ok(_) => {}
                        Err(error) => survey.report("invalid", format!("not a WebAssembly module: {error}")),
                    }
                }
            }
            Ok(_) => {}
            Err(error) => {
                survey.report("invalid", format!("not a WebAssembly module: {error}"));
                break;
            }
        }
    }
    if survey.findings.is_empty() { Ok(()) } else { Err(survey.findings) }
}

/// What a spell's code may use: the engine's knobs once more, for a validator that needs no engine.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::COMPONENT_MODEL
}

fn finding(code: &'static str, message: String) -> Finding {
    Finding { code, message, help: None }
}

/// Names come from the guest: keep them short and printable.
fn excerpt(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_default).collect()
}

/// What has been seen on one walk through the component.
#[derive(Default)]
struct Survey {
    findings: Vec<Finding>,
    /// The encodings that enclose the current position, outermost first.
    enclosing: Vec<Encoding>,
    core_module: bool,
    nested_components: u32,
    core_modules: u32,
    functions: u32,
    types: u32,
    memories: u32,
    tables: u32,
    names: u32,
    core_imports: u32,
    core_exports: u32,
    globals: u32,
    segments: u32,
    elements: u32,
    instances: u32,
    custom_bytes: usize,
    hooks: bool,
    needs_wasi: bool,
    envelope: Option<Envelope>,
}

impl Survey {
    fn walk(&mut self, component: &[u8]) -> wasmparser::Result<()> {
        for payload in Parser::new(0).parse_all(component) {
            self.see(payload?)?;
            // A core module in a component's place says all there is to say, and a full list needs no more.
            if self.core_module || self.findings.len() >= FINDINGS_MAX {
                break;
            }
        }
        Ok(())
    }

    fn see(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::Version { encoding, .. } => self.enter(encoding),
            Payload::End(_) => drop(self.enclosing.pop()),
            Payload::TypeSection(section) => self.types = self.types.saturating_add(section.count()),
            Payload::FunctionSection(section) => self.functions = self.functions.saturating_add(section.count()),
            Payload::CodeSectionEntry(body) => self.see_body(&body)?,
            Payload::ImportSection(section) => self.core_imports = self.core_imports.saturating_add(section.count()),
            Payload::ExportSection(section) => self.core_exports = self.core_exports.saturating_add(section.count()),
            Payload::GlobalSection(section) => self.globals = self.globals.saturating_add(section.count()),
            Payload::DataSection(section) => self.segments = self.segments.saturating_add(section.count()),
            Payload::ElementSection(section) => self.elements = self.elements.saturating_add(section.count()),
            Payload::InstanceSection(section) => self.instances = self.instances.saturating_add(section.count()),
            Payload::ComponentInstanceSection(section) => self.instances = self.instances.saturating_add(section.count()),
            Payload::MemorySection(section) => {
                for memory in section {
                    self.see_memory(&memory?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.see_table(&table?.ty);
                }
            }
            Payload::TagSection(_) => self.report("feature", "uses exceptions, which are not offered".into()),
            Payload::ComponentImportSection(section) => {
                self.names = self.names.saturating_add(section.count());
                for import in section {
                    self.see_import(import?.name);
                }
            }
            Payload::ComponentExportSection(section) => {
                self.names = self.names.saturating_add(section.count());
                for export in section {
                    self.see_export(export?.name);
                }
            }
            Payload::ComponentStartSection { .. } => self.report("feature", "has a component start function, which is not offered".into()),
            Payload::CustomSection(section) => self.see_custom(section.name(), section.data()),
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, encoding: Encoding) {
        match (self.enclosing.len(), encoding) {
            (0, Encoding::Module) => self.core_module = true,
            (0, Encoding::Component) => {}
            (1, Encoding::Module) => self.core_modules += 1,
            (1, Encoding::Component) => self.nested_components += 1,
            _ => self.report("nesting", "nests a module or component within a nested component".into()),
        }
        self.enclosing.push(encoding);
    }

    fn at_top(&self) -> bool {
        self.enclosing.len() == 1
    }

    /// What makes a function dear to compile.
    fn see_body(&mut self, body: &FunctionBody<'_>) -> wasmparser::Result<()> {
        let bytes = body.range().len();
        if bytes > FUNCTION_BYTES_MAX {
            self.push(Finding {
                code: "size",
                message: format!("has a function of {bytes} bytes, over the limit of {FUNCTION_BYTES_MAX}"),
                help: Some("make large functions smaller: split them, and unroll fewer loops"),
            });
        }
        let mut locals = 0_u32;
        for local in body.get_locals_reader()? {
            locals = locals.saturating_add(local?.0);
        }
        if locals > LOCALS_MAX {
            self.report("size", format!("has a function of {locals} locals, over the limit of {LOCALS_MAX}"));
        }
        Ok(())
    }

    fn see_memory(&mut self, memory: &MemoryType) {
        self.memories = self.memories.saturating_add(1);
        if memory.memory64 {
            self.report("feature", "uses 64-bit memory, which is not offered".into());
        }
        if memory.shared {
            self.report("feature", "uses threads (a shared memory), which are not offered".into());
        }
        let bytes = u128::from(memory.initial) * PAGE_BYTES as u128;
        if bytes > MEMORY_BYTES_MAX as u128 {
            self.push(Finding {
                code: "memory",
                message: format!("memory starts with {bytes} bytes, over the limit of {MEMORY_BYTES_MAX}"),
                help: Some("make large statics smaller, and link with -zstack-size=65536"),
            });
        }
    }

    fn see_table(&mut self, table: &TableType) {
        self.tables = self.tables.saturating_add(1);
        if table.initial > TABLE_ELEMENTS_MAX as u64 {
            self.report("table", format!("table starts with {} elements, over the limit of {TABLE_ELEMENTS_MAX}", table.initial));
        }
    }

    fn see_import(&mut self, name: ComponentExternName<'_>) {
        if !self.at_top() || IMPORTS.contains(&name.name) {
            return;
        }
        if wasi::admits(name.name) {
            self.needs_wasi = true;
        } else {
            self.report_import(&excerpt(name.name));
        }
    }

    fn see_export(&mut self, name: ComponentExternName<'_>) {
        if !self.at_top() {
            return;
        }
        if name.name == EXPORT {
            self.hooks = true;
        } else {
            self.report("export", format!("exports {}: a spell exports {EXPORT} alone", excerpt(name.name)));
        }
    }

    fn see_custom(&mut self, name: &str, data: &[u8]) {
        self.custom_bytes = self.custom_bytes.saturating_add(name.len() + data.len());
        if name != SECTION || self.enclosing.last() != Some(&Encoding::Module) {
            return;
        }
        if self.envelope.is_some() {
            return self.report("envelope", format!("has more than one section {SECTION}"));
        }
        match Envelope::decode(data) {
            Ok(envelope) => self.envelope = Some(envelope),
            Err(error) => self.report("envelope", error.to_string()),
        }
    }

    /// What can be said only after the whole walk.
    fn close(&mut self) {
        if self.core_module {
            return self.findings.push(Finding {
                code: "core_module",
                message: "this is a core module, not a component".into(),
                help: Some("wrap it with wit-component; the builder does so by itself"),
            });
        }
        let counts = [
            ("size", "functions", self.functions, FUNCTIONS_MAX),
            ("size", "core types", self.types, TYPES_MAX),
            ("size", "imports and exports", self.names, COMPONENT_NAMES_MAX),
            ("size", "imports of core modules", self.core_imports, CORE_NAMES_MAX),
            ("size", "exports of core modules", self.core_exports, CORE_NAMES_MAX),
            ("size", "globals", self.globals, SEGMENTS_MAX),
            ("size", "data segments", self.segments, SEGMENTS_MAX),
            ("size", "element segments", self.elements, SEGMENTS_MAX),
            ("nesting", "instances", self.instances, INSTANCES_MAX),
            ("nesting", "core modules", self.core_modules, CORE_INSTANCES_MAX),
            ("nesting", "nested components", self.nested_components, NESTED_COMPONENTS_MAX),
            ("memory", "memories", self.memories, MEMORIES_MAX),
            ("table", "tables", self.tables, TABLES_MAX),
        ];
        for (code, what, count, limit) in counts {
            if count > limit {
                self.report(code, format!("has {count} {what}, over the limit of {limit}"));
            }
        }
        if self.custom_bytes > CUSTOM_BYTES_MAX {
            self.report("size", format!("has {} bytes of custom sections, over the limit of {CUSTOM_BYTES_MAX}", self.custom_bytes));
        }
    }

    fn report_import(&mut self, name: &str) {
        self.push(Finding {
            code: "import",
            message: format!("imports {name}: not part of {PACKAGE}"),
            help: Some("a spell reaches the world through spell_sdk alone: no files, sockets, clocks or foreign functions"),
        });
    }

    fn report(&mut self, code: &'static str, message: String) {
        self.push(finding(code, message));
    }

    fn push(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}
