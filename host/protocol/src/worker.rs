//! The control plane and its compile worker: one order in, events out.
//!
//! `ugc-builder build` reads one [`Order`] as JSON from standard input until its end, and writes one [`Event`] a line, as JSON, to standard output.
//! The last event is `Finished` or `Failed`; without one, the worker was killed and the build has failed. Big outputs are files in `Order::scratch`.

use crate::job::{Diagnostic, Stage};
use crate::manifest::Cost;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The author's source, the only input that is not ours. At most `SOURCE_BYTES_MAX`.
    pub source: String,
    /// An empty directory that is the worker's alone; whoever made it removes it. The worker leaves `component.wasm` and `artifact.bin` there.
    pub scratch: PathBuf,
    /// Where `cargo xtask dist` put the prebuilt SDK and `toolchain.json`.
    pub sdk: PathBuf,
    /// The Ed25519 seed (32 bytes, hex) that signs the artifact. It stays in the launcher; no child sees it.
    pub signing_seed: String,
    /// What becomes of the build where this machine lacks a layer of the sandbox.
    pub sandbox: Sandbox,
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
    Finished(Finished),
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
    /// `rustc -V`'s line.
    pub toolchain: String,
    /// The SDK's package version.
    pub sdk_version: String,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Milliseconds of each stage, in order.
    pub stage_ms: Vec<(Stage, f64)>,
}

/// File name of the component in the scratch directory.
pub const COMPONENT_FILE: &str = "component.wasm";
/// File name of the signed artifact in the scratch directory.
pub const ARTIFACT_FILE: &str = "artifact.bin";
