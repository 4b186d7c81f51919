//! One cast's spell and world: runs its hooks, saves and restores it.

use crate::backend::Backend;
use crate::saved::{Field, Fields, LAYOUT, RestoreError, Saved};
use crate::{CancelReason, Cast, Event, Rng, Spell, World};

/// A spell with the world that it meets.
#[derive(Debug)]
pub struct Instance<S> {
    pub(crate) spell: S,
    world: World,
}

impl<S: Spell> Instance<S> {
    /// A spell that has not been cast yet.
    pub(crate) fn new(backend: Backend) -> Self {
        Self { spell: S::default(), world: World::new(backend) }
    }

    pub(crate) fn cast(&mut self, cast: Cast) {
        Kept { cast: cast.clone(), rng: Rng::new(cast.seed).state(), seconds: 0.0 }.put(&mut self.world);
        let answer = self.spell.on_cast(&mut self.world, &cast);
        self.world.end_hook(answer);
    }

    pub(crate) fn tick(&mut self, dt: f32) {
        self.world.seconds += dt;
        let answer = self.spell.on_tick(&mut self.world, dt);
        self.world.end_hook(answer);
    }

    pub(crate) fn event(&mut self, event: Event) {
        let answer = self.spell.on_event(&mut self.world, event);
        self.world.end_hook(answer);
    }

    pub(crate) fn cancel(&mut self, reason: CancelReason) {
        let answer = self.spell.on_cancel(&mut self.world, reason);
        self.world.end_hook(answer);
    }

    /// Layout, length, what the SDK keeps for every spell, then every field of the state by its name.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut fields = Fields::after(save_world(&self.world));
        self.spell.save_fields(&mut fields);
        seal(fields.into_bytes())
    }

    /// Fields that the spell does not know are skipped, and fields that are missing keep their defaults. After an error nothing has changed.
    pub(crate) fn restore(&mut self, mut bytes: &[u8]) -> Result<(), RestoreError> {
        let kept = Kept::take(&mut bytes)?;
        let mut spell = S::default();
        while !bytes.is_empty() {
            spell.restore_field(Field::take(&mut bytes).ok_or(RestoreError::Malformed)?)?;
        }
        self.spell = spell;
        kept.put(&mut self.world);
        Ok(())
    }
}

/// What is saved beside the author's state. Apart from the instance, because what is generic is compiled into every spell anew.
struct Kept {
    cast: Cast,
    rng: u64,
    seconds: f32,
}

fn save_world(world: &World) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    // Its place; `seal` writes the length when it is known.
    0u32.save(&mut bytes);
    world.cast.save(&mut bytes);
    world.rng.state().save(&mut bytes);
    world.seconds.save(&mut bytes);
    bytes
}

/// Writes after the layout how many bytes follow: a state that was cut between two fields would else read as one with fewer fields.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = (bytes.len() - 5) as u32;
    bytes[1..5].copy_from_slice(&length.to_le_bytes());
    bytes
}

impl Kept {
    fn take(from: &mut &[u8]) -> Result<Self, RestoreError> {
        match u8::restore(from) {
            Some(LAYOUT) => Self::take_parts(from).ok_or(RestoreError::Malformed),
            Some(layout) => Err(RestoreError::Layout(layout)),
            None => Err(RestoreError::Malformed),
        }
    }

    fn take_parts(from: &mut &[u8]) -> Option<Self> {
        let length = u32::restore(from)?;
        if length as usize != from.len() {
            return None;
        }
        Some(Self { cast: Saved::restore(from)?, rng: Saved::restore(from)?, seconds: Saved::restore(from)? })
    }

    fn put(self, world: &mut World) {
        world.cast = self.cast;
        world.rng = Rng::from_state(self.rng);
        world.seconds = self.seconds;
    }
}
