//! How a spell's state becomes bytes and comes back, also in another revision.

use crate::{Cast, EntityId, Vec3};
use std::cell::{Cell, RefCell};
use std::fmt;

/// A value that can be a field of a spell's state.
pub trait Saved: Sized {
    /// Tells types apart, so that a field that changed its type is noticed instead of misread.
    const TAG: u32;
    /// Appends its bytes.
    fn save(&self, out: &mut Vec<u8>);
    /// Takes its bytes from the front; none when they do not make a value.
    fn restore(from: &mut &[u8]) -> Option<Self>;
}

/// Why a state could not be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreError {
    /// The bytes end early or do not follow the layout.
    Malformed,
    /// The bytes are of a layout that this SDK does not know.
    Layout(u8),
    /// This field was saved as another type.
    Field(&'static str),
    /// A straight-line spell waits in code, and its author has not said that it can begin anew.
    Straight,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the saved state is malformed"),
            Self::Layout(layout) => write!(f, "the saved state has layout {layout}, and this spell's SDK reads layout {LAYOUT}"),
            Self::Field(name) => write!(f, "the saved field `{name}` is of another type now"),
            Self::Straight => f.write_str("the cast waits in straight-line code, and its spell does not say RESUMES"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// The first byte of every saved state.
pub(crate) const LAYOUT: u8 = 1;

/// Fields of a state on their way out, each by its name.
#[derive(Debug, Default)]
pub struct Fields {
    bytes: Vec<u8>,
}

impl Fields {
    /// Goes on after `bytes`.
    pub(crate) const fn after(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends one field.
    pub fn put<T: Saved>(&mut self, name: &str, value: &T) {
        put_bytes(&mut self.bytes, name.as_bytes());
        T::TAG.save(&mut self.bytes);
        // The length comes first, so that a revision without this field can skip it; it is known last.
        let at = self.bytes.len();
        0u32.save(&mut self.bytes);
        value.save(&mut self.bytes);
        let length = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }
}

/// One saved field on its way back.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    name: &'a [u8],
    tag: u32,
    bytes: &'a [u8],
}

impl<'a> Field<'a> {
    /// Takes the next field from the front.
    pub(crate) fn take(from: &mut &'a [u8]) -> Option<Self> {
        Some(Self { name: take_bytes(from)?, tag: u32::restore(from)?, bytes: take_bytes(from)? })
    }

    /// Whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    /// Writes it into `place`, which is the field `name`.
    ///
    /// # Errors
    /// [`RestoreError::Field`] when it was saved as another type.
    pub fn read<T: Saved>(mut self, name: &'static str, place: &mut T) -> Result<(), RestoreError> {
        let value = if self.tag == T::TAG { T::restore(&mut self.bytes) } else { None };
        *place = value.filter(|_| self.bytes.is_empty()).ok_or(RestoreError::Field(name))?;
        Ok(())
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    (bytes.len() as u32).save(out);
    append(out, bytes);
}

/// One call instead of an inlined growth check for every number: saving is rare, and every spell carries its code.
#[inline(never)]
fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::restore(from)?;
    from.split_off(..length as usize)
}

/// Joins the tags of a type's parts; order matters.
const fn join(a: u32, b: u32) -> u32 {
    (a.rotate_left(5) ^ b).wrapping_mul(0x9e37_79b9)
}

macro_rules! numbers {
    ($($number:ty = $tag:literal),*) => {$(
        impl Saved for $number {
            const TAG: u32 = $tag;
            fn save(&self, out: &mut Vec<u8>) {
                append(out, &self.to_le_bytes());
            }
            fn restore(from: &mut &[u8]) -> Option<Self> {
                from.split_off(..size_of::<Self>()).and_then(|bytes| bytes.try_into().ok()).map(Self::from_le_bytes)
            }
        }
    )*};
}
numbers!(u8 = 1, u16 = 2, u32 = 3, u64 = 4, i8 = 5, i16 = 6, i32 = 7, i64 = 8, f32 = 9, f64 = 10, u128 = 11, i128 = 12);

impl Saved for usize {
    const TAG: u32 = 13;
    fn save(&self, out: &mut Vec<u8>) {
        (*self as u64).save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        u64::restore(from)?.try_into().ok()
    }
}

impl Saved for bool {
    const TAG: u32 = 14;
    fn save(&self, out: &mut Vec<u8>) {
        u8::from(*self).save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        match u8::restore(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Saved for String {
    const TAG: u32 = 15;
    fn save(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        std::str::from_utf8(take_bytes(from)?).ok().map(str::to_owned)
    }
}

impl Saved for Vec3 {
    const TAG: u32 = 16;
    fn save(&self, out: &mut Vec<u8>) {
        self.x.save(out);
        self.y.save(out);
        self.z.save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        Some(Self { x: f32::restore(from)?, y: f32::restore(from)?, z: f32::restore(from)? })
    }
}

impl Saved for EntityId {
    const TAG: u32 = 17;
    fn save(&self, out: &mut Vec<u8>) {
        self.0.save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        u64::restore(from).map(Self)
    }
}

impl<T: Saved> Saved for Vec<T> {
    const TAG: u32 = join(18, T::TAG);
    fn save(&self, out: &mut Vec<u8>) {
        (self.len() as u32).save(out);
        self.iter().for_each(|item| item.save(out));
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        let count = u32::restore(from)?;
        (0..count).map(|_| T::restore(from)).collect()
    }
}

impl<T: Saved> Saved for Option<T> {
    const TAG: u32 = join(19, T::TAG);
    fn save(&self, out: &mut Vec<u8>) {
        self.is_some().save(out);
        self.iter().for_each(|item| item.save(out));
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        if bool::restore(from)? { T::restore(from).map(Some) } else { Some(None) }
    }
}

impl<T: Saved, const N: usize> Saved for [T; N] {
    const TAG: u32 = join(join(20, N as u32), T::TAG);
    fn save(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.save(out));
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        let items: Option<Vec<T>> = (0..N).map(|_| T::restore(from)).collect();
        items?.try_into().ok()
    }
}

/// As the value in it, so that a field may become one.
impl<T: Saved + Copy> Saved for Cell<T> {
    const TAG: u32 = T::TAG;
    fn save(&self, out: &mut Vec<u8>) {
        self.get().save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        T::restore(from).map(Self::new)
    }
}

/// As the value in it. One that is borrowed mutably over an `.await` cannot be saved: that panics, and ends the cast.
impl<T: Saved> Saved for RefCell<T> {
    const TAG: u32 = T::TAG;
    fn save(&self, out: &mut Vec<u8>) {
        self.borrow().save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        T::restore(from).map(Self::new)
    }
}

macro_rules! tuples {
    ($(($($part:ident)+) = $tag:literal),*) => {$(
        impl<$($part: Saved),+> Saved for ($($part,)+) {
            const TAG: u32 = { let tag = $tag; $(let tag = join(tag, $part::TAG);)+ tag };
            #[allow(non_snake_case, reason = "each part is named like its type")]
            fn save(&self, out: &mut Vec<u8>) {
                let ($($part,)+) = self;
                $($part.save(out);)+
            }
            fn restore(from: &mut &[u8]) -> Option<Self> {
                Some(($($part::restore(from)?,)+))
            }
        }
    )*};
}
tuples!((A) = 21, (A B) = 22, (A B C) = 23, (A B C D) = 24);

impl Saved for Cast {
    const TAG: u32 = 25;
    fn save(&self, out: &mut Vec<u8>) {
        self.tick.save(out);
        self.caster.save(out);
        self.target.save(out);
        self.origin.save(out);
        self.aim.save(out);
        self.target_position.save(out);
        self.seed.save(out);
        self.params.save(out);
    }
    fn restore(from: &mut &[u8]) -> Option<Self> {
        Some(Self {
            tick: Saved::restore(from)?,
            caster: Saved::restore(from)?,
            target: Saved::restore(from)?,
            origin: Saved::restore(from)?,
            aim: Saved::restore(from)?,
            target_position: Saved::restore(from)?,
            seed: Saved::restore(from)?,
            params: Saved::restore(from)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Saved + PartialEq + fmt::Debug>(value: T) {
        let mut bytes = Vec::new();
        value.save(&mut bytes);
        for cut in 0..bytes.len() {
            assert_eq!(T::restore(&mut &bytes[..cut]), None, "cut at {cut}");
        }
        let mut rest = &bytes[..];
        assert_eq!(T::restore(&mut rest), Some(value));
        assert!(rest.is_empty());
    }

    #[test]
    fn values_come_back_whole_or_not_at_all() {
        check((1u8, -2i64, 1.5f32, true));
        check(String::from("größer"));
        check(vec![Some(Vec3::new(1.0, 2.0, 3.0)), None]);
        check([EntityId(7), EntityId::NONE]);
        check((usize::MAX, (u128::MAX, 3.5f64)));
        check((Cell::new(3u8), RefCell::new(vec![1.5f32])));
        check(Cast { params: "{}".into(), tick: 9, ..Cast::default() });
    }

    #[test]
    fn a_claimed_length_allocates_nothing() {
        let mut huge = Vec::new();
        u32::MAX.save(&mut huge);
        assert_eq!(Vec::<u64>::restore(&mut &huge[..]), None);
        assert_eq!(String::restore(&mut &huge[..]), None);
    }

    #[test]
    fn types_have_different_tags() {
        let tags = [
            u32::TAG,
            f32::TAG,
            Vec::<u32>::TAG,
            Vec::<f32>::TAG,
            Option::<u32>::TAG,
            <[u32; 2]>::TAG,
            <[u32; 3]>::TAG,
            <(u32, f32)>::TAG,
            <(f32, u32)>::TAG,
            Vec::<Option<u32>>::TAG,
            Option::<Vec<u32>>::TAG,
        ];
        for (i, tag) in tags.iter().enumerate() {
            assert!(!tags[..i].contains(tag), "{i}");
        }
    }
}
