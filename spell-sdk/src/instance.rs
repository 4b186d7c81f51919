//! One cast's spell and world: runs its hooks, saves and restores it.

use crate::backend::Backend;
use crate::run::{Run, Start};
use crate::saved::{Field, Fields, LAYOUT, RestoreError, Saved};
use crate::{CancelReason, Cast, Event, Refusal, Rng, Spell, World};
use std::rc::Rc;

/// A spell with the world that it meets.
///
/// Both are shared with the run of a straight-line spell, for as long as it waits. Which form the spell has is a constant, so that none carries the code of the other.
#[derive(Debug)]
pub struct Instance<S> {
    pub(crate) spell: Rc<S>,
    world: Rc<World>,
    /// None in a spell of hooks.
    run: Option<Run>,
}

impl<S: Spell> Instance<S> {
    /// A spell that has not been cast yet.
    pub(crate) fn new(backend: Backend) -> Self {
        Self { spell: Rc::default(), world: Rc::new(World::new(backend)), run: S::START.map(|_| Run::default()) }
    }

    pub(crate) fn cast(&mut self, cast: Cast) {
        Kept { cast: cast.clone(), rng: Rng::new(cast.seed).state(), seconds: 0.0 }.put(alone(&mut self.world));
        match S::START {
            Some(start) => self.go_on(&start, |_, _| true),
            None => self.hook(|spell, world| spell.on_cast(world, &cast)),
        }
    }

    pub(crate) fn tick(&mut self, dt: f32) {
        self.world.seconds.set(self.world.seconds.get() + dt);
        match S::START {
            Some(start) => self.go_on(&start, |run, world| run.tick(world, dt)),
            None => self.hook(|spell, world| spell.on_tick(world, dt)),
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        match S::START {
            Some(start) => self.go_on(&start, |run, _| run.event(event)),
            None => self.hook(|spell, world| spell.on_event(world, event)),
        }
    }

    pub(crate) fn cancel(&mut self, reason: CancelReason) {
        if S::START.is_some() {
            self.run.iter_mut().for_each(Run::stop);
        }
        self.hook(|spell, world| spell.on_cancel(world, reason));
    }

    /// Layout, length, what the SDK keeps for every spell, then every field of the state by its name.
    pub(crate) fn save(&self) -> Vec<u8> {
        let mut fields = Fields::after(save_world(&self.world));
        if let (Some(start), Some(run)) = (S::START, &self.run) {
            if start.resumes { run.save(&mut fields) } else { run.save_end(&mut fields) }
        }
        self.spell.save_fields(&mut fields);
        seal(fields.into_bytes())
    }

    /// Fields that the spell does not know are skipped, and fields that are missing keep their defaults. After an error nothing has changed.
    pub(crate) fn restore(&mut self, mut bytes: &[u8]) -> Result<(), RestoreError> {
        let kept = Kept::take(&mut bytes)?;
        let (mut spell, mut run) = (S::default(), None);
        while !bytes.is_empty() {
            let field = Field::take(&mut bytes).ok_or(RestoreError::Malformed)?;
            if S::START.is_some() && Run::is(&field) { run = Some(field) } else { spell.restore_field(field)? }
        }
        if let Some(start) = S::START {
            self.run = Some(if start.resumes { Run::restore(run)? } else { Run::restore_end(run)? });
        }
        self.spell = Rc::new(spell);
        kept.put(alone(&mut self.world));
        Ok(())
    }

    fn hook(&mut self, hook: impl FnOnce(&mut S, &mut World) -> Result<(), Refusal>) {
        let answer = hook(alone(&mut self.spell), alone(&mut self.world));
        self.world.end_hook(answer);
    }

    /// Goes on with the run, if it is told to.
    fn go_on(&mut self, start: &Start<S>, told: impl FnOnce(&mut Run, &World) -> bool) {
        let (spell, world) = (&self.spell, &self.world);
        let Some(run) = &mut self.run else { return };
        if told(run, world) {
            run.go_on(world, &S::ENVELOPE, || (start.run)(Rc::clone(spell), Rc::clone(world)));
        }
    }
}

/// What is shared with nobody: there is no run, or it has just been dropped.
fn alone<T>(shared: &mut Rc<T>) -> &mut T {
    Rc::get_mut(shared).expect("only a run shares the spell and its world")
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
    world.seconds.get().save(&mut bytes);
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
        world.seconds.set(self.seconds);
    }
}
