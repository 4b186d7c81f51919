//! A revision made ready: verified and loaded off the tick, so that switching to it is one assignment.

use crate::limits::{SPELL_INIT_FUEL_MAX, SPELL_SAVE_FUEL_MAX};
use crate::usage::Usage;
use sim::inbound::{School, Schools, SpellSpec};
use sim::limits::TICK_HZ;
use sim::lineup::InFlight;
use spell_runtime::artifact::{self, PublicKey};
use spell_runtime::{Envelope, Fault, Instance, LoadError, Runtime, Spell, Suspended, envelope, mana};
use std::fmt;
use std::sync::Arc;

/// Verifies and loads artifacts; works on any thread while the game ticks on its own.
#[derive(Clone)]
pub struct Loader {
    runtime: Runtime,
    /// At least one.
    keys: Vec<PublicKey>,
    admits_wasi: bool,
}

impl Loader {
    /// A loader for artifacts that were signed with this key.
    pub fn new(runtime: Runtime, key: PublicKey) -> Self {
        Self::trusting(runtime, vec![key])
    }

    /// A loader for artifacts that were signed with one of these keys, as they are while keys rotate.
    pub fn trusting(runtime: Runtime, keys: Vec<PublicKey>) -> Self {
        assert!(!keys.is_empty(), "a loader that trusts nobody loads nothing");
        Self { runtime, keys, admits_wasi: false }
    }

    /// Whether it takes components that import WASI, which those of other toolchains do. By itself it takes none.
    pub fn admitting_wasi(self, admits_wasi: bool) -> Self {
        Self { admits_wasi, ..self }
    }

    /// The revision, ready to run; or why it must not: a wrong signature, another engine, damaged bytes, a forbidden import, WASI where it
    /// is not admitted.
    pub fn load(&self, spell: &str, revision: &str, artifact: &[u8]) -> Result<LoadedRevision, LoadError> {
        // Where none fits, the first one's answer says why.
        let key = self.keys.iter().find(|key| artifact::verify(artifact, key).is_ok()).unwrap_or(&self.keys[0]);
        let code = self.runtime.load(spell, artifact, key)?;
        if code.needs_wasi() && !self.admits_wasi {
            return Err(LoadError::Wasi);
        }
        let component = artifact::verify(artifact, key)?.component.into();
        let spec = spec(code.envelope());
        Ok(LoadedRevision { spell: spell.to_owned(), revision: revision.to_owned(), spec, component, code, usage: Arc::default() })
    }
}

/// A revision that can be activated. Cheap to clone.
#[derive(Clone)]
pub struct LoadedRevision {
    /// The spell's id.
    pub spell: String,
    /// The revision's id.
    pub revision: String,
    /// What the simulation must know of its envelope.
    pub spec: SpellSpec,
    /// What it was compiled from.
    pub(crate) component: Arc<[u8]>,
    pub(crate) code: Spell,
    /// What its calls came to, in all games that have it.
    pub(crate) usage: Arc<Usage>,
}

impl LoadedRevision {
    /// What the spell declared.
    pub fn envelope(&self) -> &Envelope {
        self.code.envelope()
    }

    /// What its calls came to so far, in all games that have it or a clone of it.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// The same revision with a count of its own.
    pub fn counted_anew(&self) -> Self {
        Self { usage: Arc::default(), ..self.clone() }
    }
}

impl LoadedRevision {
    /// An instance that goes on where one of the revision `from`, of the same spell, was suspended, and the fuel that this took, whether it does or not.
    pub(crate) fn resume(&self, from: &str, suspended: Suspended) -> Result<(Instance, u64), (Fault, u64)> {
        self.code.resume(SPELL_INIT_FUEL_MAX, SPELL_SAVE_FUEL_MAX, number(from), suspended)
    }

    /// With what its manifest says of casts that run when it takes over.
    pub fn with_in_flight(self, in_flight: InFlight) -> Self {
        Self { spec: SpellSpec { in_flight, ..self.spec }, ..self }
    }
}

/// The number in `rev_000001_0a1b2c3d`, which a spell is told when it restores; 0 where there is none.
fn number(revision: &str) -> u32 {
    revision.split('_').nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}

impl fmt::Debug for LoadedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedRevision").field("spell", &self.spell).field("revision", &self.revision).field("spec", &self.spec).finish()
    }
}

fn spec(envelope: &Envelope) -> SpellSpec {
    SpellSpec {
        duration_ticks: duration_ticks(&envelope.duration),
        tick_interval: interval(&envelope.frequency, envelope::FrequencyMode::Tick),
        event_interval: interval(&envelope.frequency, envelope::FrequencyMode::Event),
        persistent: envelope.duration.mode == envelope::DurationMode::Persistent,
        cast_mana: mana::cost(envelope).cast_mana,
        school: school(envelope.school),
        counters: Schools(envelope.counters.0),
        // The envelope does not say: the manifest does.
        in_flight: InFlight::Finish,
    }
}

fn school(school: envelope::School) -> School {
    match school {
        envelope::School::None => School::None,
        envelope::School::Force => School::Force,
        envelope::School::Fire => School::Fire,
        envelope::School::Frost => School::Frost,
        envelope::School::Earth => School::Earth,
        envelope::School::Life => School::Life,
        envelope::School::Mind => School::Mind,
        envelope::School::Space => School::Space,
    }
}

fn duration_ticks(duration: &envelope::Duration) -> u32 {
    let seconds = match duration.mode {
        envelope::DurationMode::Instant => return 0,
        envelope::DurationMode::Timed => duration.seconds,
        envelope::DurationMode::Persistent => duration.max_seconds,
    };
    // 0 would mean instant.
    ((seconds * TICK_HZ as f32).round() as u32).max(1)
}

/// Rounded up, so that `max_hz` is never exceeded.
fn interval(frequency: &envelope::Frequency, mode: envelope::FrequencyMode) -> u32 {
    match frequency.mode {
        declared if declared == mode && frequency.max_hz > 0.0 => ((TICK_HZ as f32 / frequency.max_hz).ceil() as u32).max(1),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope::{Duration, DurationMode, Frequency, FrequencyMode};

    #[test]
    fn durations_become_ticks() {
        let ticks = |mode, seconds, max_seconds| duration_ticks(&Duration { mode, seconds, max_seconds });
        assert_eq!(ticks(DurationMode::Instant, 0.0, 0.0), 0);
        assert_eq!(ticks(DurationMode::Timed, 0.1, 5.0), 6);
        assert_eq!(ticks(DurationMode::Timed, 0.0, 5.0), 1);
        assert_eq!(ticks(DurationMode::Timed, 600.0, 600.0), 36_000);
        assert_eq!(ticks(DurationMode::Persistent, 1.0, 60.0), 3_600);
    }

    #[test]
    fn frequencies_become_intervals_that_never_exceed_them() {
        let of = |of, mode, max_hz| interval(&Frequency { mode, max_hz }, of);
        let interval = |mode, max_hz| of(FrequencyMode::Tick, mode, max_hz);
        assert_eq!(of(FrequencyMode::Event, FrequencyMode::Event, 20.0), 3);
        assert_eq!(of(FrequencyMode::Event, FrequencyMode::Tick, 20.0), 0);
        assert_eq!(interval(FrequencyMode::OneShot, 0.0), 0);
        assert_eq!(interval(FrequencyMode::Event, 30.0), 0);
        assert_eq!(interval(FrequencyMode::Tick, 0.0), 0);
        assert_eq!(interval(FrequencyMode::Tick, 60.0), 1);
        assert_eq!(interval(FrequencyMode::Tick, 7.0), 9);
        assert_eq!(interval(FrequencyMode::Tick, 5.0), 12);
        assert_eq!(interval(FrequencyMode::Tick, 1e-9), u32::MAX);
    }
}
