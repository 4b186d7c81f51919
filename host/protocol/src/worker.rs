//! The control plane and its compile worker: one order in, events out.
//!
//! `ugc-builder build` reads one [`Order`] as one line of JSON from standard input, and writes one [`Event`] a line, as JSON, to standard output.
//! The last event is `Finished` or `Failed`; without one, the worker was killed and the build has failed. Big outputs are files in `Order::scratch`. The worker stays until
//! its standard input ends, which is also how it learns that whoever asked is gone: then it empties `Order::scratch`, and ends with all that it has started.

use crate::job::{Diagnostic, Stage};
use crate::manifest::{Cost, InFlight, Measured, Metadata};
use crate::package::PackagePath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The author's work, the only input that is not ours.
    pub input: Input,
    /// A directory that the worker makes, for itself alone. It leaves `component.wasm` and `artifact.bin` there, and takes all of it away again when it ends.
    pub scratch: PathBuf,
    /// Where `cargo xtask dist` put the prebuilt SDK and `toolchain.json`.
    pub sdk: PathBuf,
    /// The Ed25519 seed (32 bytes, hex) that signs the artifact. It stays in the launcher; no child sees it.
    pub signing_seed: String,
    /// What becomes of the build where this machine lacks a layer of the sandbox.
    pub sandbox: Sandbox,
}

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Input {
    /// Text files of a package, `src/lib.rs` among them. At most `SOURCE_BYTES_MAX` in all.
    Source {
        /// By path.
        files: BTreeMap<PackagePath, String>,
    },
    /// A component: of another toolchain, or one that is built already and needs native code for this engine. It is inspected as any other.
    Component {
        /// Its bytes, in hex.
        hex: String,
        /// Text files that come with it; `spell.toml` is read.
        files: BTreeMap<PackagePath, String>,
        /// Whether this builder's componentize made it, so that it may be driven below the component layer.
        ours: bool,
        /// Whether an earlier build has cast it in small worlds: what is published stays, whatever they would say today.
        has_been_cast: bool,
    },
}

/// What becomes of a build where this machine lacks a layer of the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sandbox {
    /// It fails and says what is missing, and the command that mends it: for whoever builds what strangers wrote.
    #[default]
    Whole,
    /// It goes on with the layers that there are: for whoever builds their own source.
    AsThereIs,
}

/// What the worker tells while it works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// This stage begins.
    Stage {
        /// Which.
        stage: Stage,
    },
    /// The build is done; `component.wasm` and `artifact.bin` are in the scratch directory.
    Finished(Box<Finished>),
    /// The build failed through its source.
    Failed {
        /// In one line.
        message: String,
        /// Everything found.
        diagnostics: Vec<Diagnostic>,
    },
}

/// A build's yield beside the files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The declared effect envelope.
    pub envelope: serde_json::Value,
    /// What a cast of it costs.
    pub cost: Cost,
    /// What spell.toml says of it; nothing without one.
    pub metadata: Option<Metadata>,
    /// What becomes of casts in flight, by spell.toml.
    pub in_flight: InFlight,
    /// Whether it runs only in worlds that admit WASI.
    pub needs_wasi: bool,
    /// What its casts came to in small worlds; nothing where none was asked for.
    pub measured: Option<Measured>,
    /// `rustc -V`'s line; empty for a component that was handed in.
    pub toolchain: String,
    /// The SDK's package version; empty likewise.
    pub sdk_version: String,
    /// For which engine the native code is.
    pub engine_id: String,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Milliseconds of each stage, in order.
    pub stage_ms: Vec<(Stage, f64)>,
}

/// File name of the component in the scratch directory.
pub const COMPONENT_FILE: &str = "component.wasm";
/// File name of the signed artifact in the scratch directory.
pub const ARTIFACT_FILE: &str = "artifact.bin";
