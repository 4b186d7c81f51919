//! Recordings: what happened in a world, to be run again bit for bit, on any machine of the same kind.
//!
//! A recording begins with a checkpoint that the live world went through itself and holds every [`Inbound`] since, the revisions that ran, the calls that were
//! ended by time, and a digest of each part of the state after every tick. [`replay`] runs it and names the first tick and part that come out otherwise.

use crate::limits::{RECORDED_BYTES_MAX, RECORDED_TICKS, RECORDED_TICKS_MAX, RECORDING_BYTES_MAX, SEGMENT_TICKS};
use crate::{Game, LoadedRevision};
use serde::{Deserialize, Serialize};
use sim::inbound::Switch;
use sim::saved::{LoadError, Saved, Stored};
use sim::undo::Entry;
use sim::voxel::{Chunk, ChunkId};
use sim::{CastId, Digest, Inbound, Outbound, World};
use spell_runtime::Boundary;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

/// First bytes of a recording's file; the number is the layout's.
const MAGIC: &[u8] = b"ugc-recording 5\n";
const ZSTD_LEVEL: i32 = 3;

/// A call that was ended by time, which no replay would do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Late {
    /// The instance that a call of this `first_id` was to be made on never came to be.
    Init(u64),
    /// The call of this `first_id`.
    Call(u64),
    /// The save of a cast at a checkpoint.
    Save(CastId),
    /// The restore of a cast at a checkpoint.
    Restore(CastId),
    /// The save of a cast that was to go on with another revision.
    MigrationSave(CastId),
    /// Its restore by the other revision.
    MigrationRestore(CastId),
}

/// One tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Frame {
    inbound: Vec<Inbound>,
    late: Vec<Late>,
    /// After the tick.
    digest: Digest,
}

/// Keeps the last ticks of a world.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// At least so many, once they have passed.
    ticks: usize,
    /// At most so many, and so many bytes of them; beyond either it lets go of all.
    ticks_max: usize,
    bytes_max: usize,
    /// Oldest first; the last is still growing.
    segments: VecDeque<Segment>,
}

#[derive(Debug, Clone)]
struct Segment {
    start: Stored,
    start_digest: Digest,
    /// Components alone: the code of a revision that nobody casts any more can go.
    revisions: BTreeMap<(String, String), Recorded>,
    /// As postcard: an input of a player is 30 bytes so, and 150 as it is.
    frames: Vec<Arc<[u8]>>,
    /// Of the frames, and of the components that no earlier segment holds.
    bytes: usize,
}

/// What happened in a world from some tick on. Cheap to clone and to send: writing it is for another thread than the one that ticks.
#[derive(Clone)]
pub struct Recording {
    start: Stored,
    start_digest: Digest,
    machine: String,
    revisions: Vec<Recorded>,
    frames: Vec<Arc<[u8]>>,
}

/// A revision of a recording: its component, from which whoever replays compiles it anew. Native code of strangers is run by nobody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The spell's id.
    pub spell: String,
    /// The revision's id.
    pub revision: String,
    /// As it was built.
    pub component: Arc<[u8]>,
    /// How its calls crossed: the fuel that they take depends on it.
    pub boundary: Boundary,
}

/// What a file holds behind its magic, packed.
#[derive(Serialize, Deserialize)]
struct File {
    machine: String,
    saved: Saved,
    chunks: Vec<(ChunkId, Vec<u8>)>,
    journal: BTreeMap<u64, Arc<Entry>>,
    start_digest: Digest,
    revisions: Vec<Recorded>,
    frames: Vec<Arc<[u8]>>,
}

/// Why a recording cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It is none, or was written by another version.
    #[error("this is no recording of this version: its first line is not {:?}", str::from_utf8(MAGIC).unwrap_or_default().trim_end())]
    Magic,
    /// It is larger than any that is written.
    #[error("a recording has at most {RECORDING_BYTES_MAX} bytes unpacked")]
    Size,
    /// It was cut or changed.
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    /// Its first state is none of a world.
    #[error(transparent)]
    State(#[from] LoadError),
    /// A revision that it needs is not there.
    #[error("{0} {1} is not in the recording")]
    Revision(String, String),
    /// A cast could not go on from its saved state.
    #[error("{0} casts do not go on from what was saved of them")]
    Casts(usize),
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Ticks that were run.
    pub ticks: u64,
    /// The first that came out otherwise; nothing behind it was run.
    pub difference: Option<Difference>,
}

/// Where a replay went another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The world's tick.
    pub tick: u64,
    /// The first part of the state that is not the same.
    pub part: &'static str,
}

impl Recorder {
    /// Keeps at least so many ticks; the limits of a minute's recorder grow with them.
    pub(crate) fn new(ticks: usize) -> Self {
        let minutes = ticks.div_ceil(RECORDED_TICKS).max(1);
        Self { ticks, ticks_max: minutes * RECORDED_TICKS_MAX, bytes_max: minutes * RECORDED_BYTES_MAX, segments: VecDeque::new() }
    }

    /// Notes a tick that was run.
    pub(crate) fn note<'a>(
        &mut self,
        inbound: &[Inbound],
        late: Vec<Late>,
        world: &World,
        loaded: impl Iterator<Item = &'a LoadedRevision>,
    ) {
        if let Some(segment) = self.segments.back_mut() {
            let frame = Frame { inbound: inbound.to_vec(), late, digest: world.digest() };
            let bytes = postcard::to_stdvec(&frame).expect("numbers and texts are nothing that postcard refuses");
            segment.bytes += bytes.len();
            segment.frames.push(bytes.into());
            if inbound.iter().any(|one| matches!(one, Inbound::Switch(_))) {
                self.know(loaded);
                return self.forget();
            }
        }
        let due = self.segments.back().is_none_or(|segment| segment.frames.len() >= SEGMENT_TICKS);
        // A checkpoint that could not save every cast is no place to begin at.
        if due && let Some(stored) = world.stored() {
            let (start_digest, revisions) = (world.digest(), BTreeMap::new());
            self.segments.push_back(Segment { start: stored, start_digest, revisions, frames: Vec::new(), bytes: 0 });
            self.know(loaded);
        }
        self.forget();
    }

    /// Keeps the components of what the newest segment runs. One that comes back, by a rollback say, was loaded anew, from bytes of its own: a minute of going to
    /// and fro must not hold as many copies.
    fn know<'a>(&mut self, loaded: impl Iterator<Item = &'a LoadedRevision>) {
        let Some(mut newest) = self.segments.pop_back() else { return };
        for LoadedRevision { spell, revision, component, code, .. } in loaded {
            newest.revisions.entry((spell.clone(), revision.clone())).or_insert_with_key(|key| {
                let held = self.segments.iter().find_map(|segment| segment.revisions.get(key)).cloned();
                held.unwrap_or_else(|| {
                    newest.bytes += component.len();
                    let (spell, revision, component) = (spell.clone(), revision.clone(), component.clone());
                    Recorded { spell, revision, component, boundary: code.boundary() }
                })
            });
        }
        self.segments.push_back(newest);
    }

    /// Lets go of what is older than needed, and of all when nothing of it can be let go of alone.
    fn forget(&mut self) {
        let ticks = |segments: &VecDeque<Segment>| segments.iter().map(|segment| segment.frames.len()).sum::<usize>();
        while self.segments.len() > 1
            && (ticks(&self.segments) - self.segments[0].frames.len() >= self.ticks || self.bytes() > self.bytes_max)
        {
            let gone = self.segments.pop_front();
            for (key, recorded) in gone.iter().flat_map(|gone| &gone.revisions) {
                if let Some(heir) = self.segments.iter_mut().find(|segment| segment.revisions.contains_key(key)) {
                    heir.bytes += recorded.component.len();
                }
            }
        }
        if ticks(&self.segments) > self.ticks_max || self.bytes() > self.bytes_max {
            self.segments.clear();
        }
    }

    /// What inbound and components take.
    pub(crate) fn bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// What is kept; none before the first checkpoint.
    pub(crate) fn recording(&self) -> Option<Recording> {
        let first = self.segments.front()?;
        let revisions: BTreeMap<_, _> = self.segments.iter().flat_map(|segment| &segment.revisions).collect();
        Some(Recording {
            start: first.start.clone(),
            start_digest: first.start_digest,
            machine: machine(),
            revisions: revisions.into_values().cloned().collect(),
            frames: self.segments.iter().flat_map(|segment| &segment.frames).cloned().collect(),
        })
    }
}

impl Recording {
    /// The tick that it begins with.
    pub fn first_tick(&self) -> u64 {
        self.start.saved.tick()
    }

    /// How many ticks it holds.
    pub fn ticks(&self) -> usize {
        self.frames.len()
    }

    /// The kind of machine that it was made on: bits of not-a-number inside a spell may differ between kinds.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// The revisions that ran.
    pub fn revisions(&self) -> &[Recorded] {
        &self.revisions
    }

    /// As a file's bytes. Takes a fraction of a second for a large world: not for the thread that ticks.
    ///
    /// # Errors
    /// When it is larger than one that can be read again.
    pub fn encode(&self) -> Result<Vec<u8>, RecordingError> {
        let Self { start, start_digest, machine, revisions, frames } = self;
        let file = File {
            machine: machine.clone(),
            saved: start.saved.clone(),
            chunks: start.chunks.iter().map(|(id, chunk)| (*id, chunk.encode())).collect(),
            journal: start.journal.clone(),
            start_digest: *start_digest,
            revisions: revisions.clone(),
            frames: frames.clone(),
        };
        let bytes = postcard::to_stdvec(&file).map_err(|error| RecordingError::Damaged(error.to_string()))?;
        if bytes.len() > RECORDING_BYTES_MAX {
            return Err(RecordingError::Size);
        }
        let failed = |error: std::io::Error| RecordingError::Damaged(error.to_string());
        let mut packer = zstd::Encoder::new(MAGIC.to_vec(), ZSTD_LEVEL).map_err(failed)?;
        packer.include_checksum(true).map_err(failed)?;
        packer.write_all(&bytes).map_err(failed)?;
        packer.finish().map_err(failed)
    }

    /// From a file's bytes, whoever wrote them.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordingError> {
        let damaged = |error: &dyn fmt::Display| RecordingError::Damaged(error.to_string());
        let packed = bytes.strip_prefix(MAGIC).ok_or(RecordingError::Magic)?;
        let mut unpacked = Vec::new();
        let reader = zstd::Decoder::new(packed).map_err(|error| damaged(&error))?;
        reader.take(RECORDING_BYTES_MAX as u64 + 1).read_to_end(&mut unpacked).map_err(|error| damaged(&error))?;
        if unpacked.len() > RECORDING_BYTES_MAX {
            return Err(RecordingError::Size);
        }
        let File { machine, saved, chunks, journal, start_digest, revisions, frames } =
            postcard::from_bytes(&unpacked).map_err(|error| damaged(&error))?;
        let chunk = |(id, bytes): (ChunkId, Vec<u8>)| Chunk::decode(&bytes).map(|chunk| (id, Arc::new(chunk)));
        let chunks = chunks.into_iter().map(chunk).collect::<Result<_, _>>().map_err(|error| damaged(&error))?;
        Ok(Self { start: Stored { saved, chunks, journal }, start_digest, machine, revisions, frames })
    }
}

/// Runs it, with the revisions that were compiled from it, and tells what the world told.
///
/// # Errors
/// When it cannot begin, or a tick of it cannot be read. That it comes out otherwise is no error but the answer.
pub fn replay(
    recording: &Recording,
    revisions: &[LoadedRevision],
    told: &mut impl FnMut(u64, &Outbound),
) -> Result<Replayed, RecordingError> {
    let known: BTreeMap<(&str, &str), &LoadedRevision> =
        revisions.iter().map(|loaded| ((loaded.spell.as_str(), loaded.revision.as_str()), loaded)).collect();
    let find = |spell: &str, revision: &str| {
        known.get(&(spell, revision)).copied().ok_or_else(|| RecordingError::Revision(spell.into(), revision.into()))
    };
    let needed =
        recording.start.saved.revisions().map(|(spell, revision)| find(spell, revision).cloned()).collect::<Result<Vec<_>, _>>()?;
    let (mut game, dropped) = Game::load(recording.start.clone(), needed)?;
    if !dropped.is_empty() {
        return Err(RecordingError::Casts(dropped.len()));
    }
    let mut ticks = 0;
    if let Some(part) = differing(&recording.start_digest, &game.world().digest()) {
        return Ok(Replayed { ticks, difference: Some(Difference { tick: game.world().tick(), part }) });
    }
    for frame in &recording.frames {
        let Frame { inbound, late, digest } = postcard::from_bytes(frame).map_err(|error| RecordingError::Damaged(error.to_string()))?;
        for one in &inbound {
            if let Inbound::Switch(Switch { spell, specs, .. }) = one {
                specs.keys().try_for_each(|revision| find(spell, revision).map(|loaded| game.admit(loaded.clone())))?;
            }
        }
        let tick = game.world().tick();
        game.be_late(late);
        game.step(&inbound, &mut |_| ()).iter().for_each(|event| told(tick, event));
        game.take_checkpoint();
        ticks += 1;
        if let Some(part) = differing(&digest, &game.world().digest()) {
            return Ok(Replayed { ticks, difference: Some(Difference { tick, part }) });
        }
    }
    Ok(Replayed { ticks, difference: None })
}

/// What an event says of a spell, for its author: the spell, and a line.
pub fn in_words(event: &Outbound) -> Option<(&str, String)> {
    match event {
        Outbound::Log { spell, level, text, .. } => Some((spell, format!("{level}: {text}"))),
        Outbound::CastFaulted { spell, revision, fault, .. } => {
            Some((spell, format!("{revision} broke {} in {}: {}", fault.limit, fault.hook, fault.message)))
        }
        Outbound::MigrationFailed { spell, from, to, fault, .. } => Some((
            spell,
            format!("a cast of {from} could not go on with {to}: it broke {} in {}: {}", fault.limit, fault.hook, fault.message),
        )),
        _ => None,
    }
}

fn differing(one: &Digest, other: &Digest) -> Option<&'static str> {
    let parts = one.parts().into_iter().zip(other.parts());
    parts.filter(|(one, other)| one != other).map(|((name, _), _)| name).next()
}

fn machine() -> String {
    format!("{} {}", std::env::consts::ARCH, spell_runtime::ENGINE_ID)
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("first_tick", &self.first_tick()).field("ticks", &self.ticks()).finish_non_exhaustive()
    }
}
