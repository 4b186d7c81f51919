//! A build job as its author sees it.

use crate::{RevisionId, SpellId};
use serde::{Deserialize, Serialize};

/// A job's state. The two last are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In the queue.
    Pending,
    /// A worker has it.
    Running,
    /// `result_revision_id` names what came of it.
    Completed,
    /// `error_message` and `diagnostics` say why.
    Failed,
}

/// The steps of a build, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Waits for a worker.
    Queued,
    /// Files are laid out, spell.toml is read.
    Prepare,
    /// A generator writes source for a prompt.
    Generate,
    /// rustc.
    Compile,
    /// wit-component.
    Componentize,
    /// World, imports, sizes, envelope.
    Inspect,
    /// Native code, by Cranelift.
    Precompile,
    /// Casts it in small worlds.
    Smoke,
    /// Signed; blobs, manifest and revision are written.
    Store,
    /// Over.
    Done,
}

impl Stage {
    /// How much of a build is behind us when this stage begins, in percent.
    pub fn progress_pct(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Prepare => 1,
            Self::Generate => 2,
            Self::Compile => 5,
            Self::Componentize => 60,
            Self::Inspect => 65,
            Self::Precompile => 70,
            Self::Smoke => 80,
            Self::Store => 95,
            Self::Done => 100,
        }
    }
}

/// `GET /api/jobs/<id>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// `job_` + 12 hex digits.
    pub job_id: String,
    /// The spell that is built.
    pub spell_id: SpellId,
    /// Pending, running, completed or failed.
    pub status: Status,
    /// The step that is running or was the last.
    pub stage: Stage,
    /// 0 to 100.
    pub progress_pct: u8,
    /// Why it failed, in one line.
    pub error_message: Option<String>,
    /// What it made.
    pub result_revision_id: Option<RevisionId>,
    /// The compiler's, inspection's and the smoke run's findings, warnings included.
    pub diagnostics: Vec<Diagnostic>,
    /// Milliseconds of each stage, of a build that was completed; empty where the same had been built before.
    #[serde(default)]
    pub stage_ms: Vec<(Stage, f64)>,
    /// ISO 8601, UTC.
    pub created_at: String,
    /// ISO 8601, UTC.
    pub updated_at: String,
}

/// One finding, for an editor to underline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// `src/lib.rs` or another file of the package; empty when the finding is not about a place in the source.
    pub file: String,
    /// From 1; 0 without a place.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column after the end.
    pub end_column: u32,
    /// rustc's code (`E0308`), or our own (`import`, `size`, `capability`...); may be empty.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do, when something is known.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Fails the build.
    Error,
    /// Does not.
    Warning,
}
