//! What a call answers that ran into a limit.

use std::fmt;
use std::panic::Location;

/// A call that was refused: nothing of it happens. A hook that returns it has it logged for the author, and the cast goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refusal {
    /// The call, by its name in the WIT.
    pub call: &'static str,
    /// The limit that it ran into.
    pub limit: Limit,
    /// What would have been allowed.
    pub allowed: f64,
    /// What was asked for.
    pub asked: f64,
    /// Where the call stands in the spell's source. Gathered [pushes](crate::World::push) are refused together, at the place of the last.
    pub at: Option<&'static Location<'static>>,
}

/// The limit that a refused call ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The envelope does not declare the capability.
    Capability,
    /// Further from the caster than the envelope's radius.
    Radius,
    /// More entities touched or spawned than the envelope or the world allows.
    Entities,
    /// A number was not finite.
    Finite,
    /// A number was outside its documented range.
    Magnitude,
    /// No such entity, or not one that this call can act on.
    Target,
    /// More intents in one call of a hook than may be buffered.
    Intents,
    /// A list or string was longer than allowed, or two lists did not match.
    Length,
    /// More voxels, or voxels in more chunks, than the envelope or one call allows.
    Voxels,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, allowed, asked) = (self.call, Short(self.allowed), Short(self.asked));
        if let Some(place) = self.at {
            write!(f, "{}: ", Place(place))?;
        }
        match self.limit {
            Limit::Capability => write!(f, "{call} was refused: the envelope does not declare its capability"),
            Limit::Radius => write!(f, "{call} was refused: it reaches {asked} m from the caster, and the envelope allows {allowed}"),
            Limit::Entities => write!(f, "{call} was refused: it makes {asked} entities touched or spawned, and {allowed} are allowed"),
            Limit::Finite => write!(f, "{call} was refused: a number is not finite"),
            Limit::Magnitude => write!(f, "{call} was refused: {asked} is out of range, and {allowed} is the bound"),
            Limit::Target => write!(f, "{call} was refused: there is no such entity, or not one that it can act on"),
            Limit::Intents => write!(f, "{call} was refused: it makes {asked} intents in one call of a hook, and {allowed} are allowed"),
            Limit::Length => write!(f, "{call} was refused: a length of {asked}, and {allowed} is allowed"),
            Limit::Voxels => write!(f, "{call} was refused: {asked} voxels or chunks, and {allowed} are allowed"),
        }
    }
}

impl std::error::Error for Refusal {}

/// A place in a spell's source, as `file:line:column`.
pub struct Place<'a>(pub &'a Location<'a>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0.file(), self.0.line(), self.0.column())
    }
}

/// A number with at most three decimals. The standard library's float formatting alone would add 12 kB to every spell.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_finite() {
            return f.write_str("a number that is not finite");
        }
        // Saturates: what does not fit in 64 bits is far beyond every limit.
        let thousandths = (self.0.abs() * 1000.0 + 0.5) as u64;
        let (whole, mut decimals) = (thousandths / 1000, thousandths % 1000);
        if self.0 < 0.0 && thousandths > 0 {
            f.write_str("-")?;
        }
        write!(f, "{whole}")?;
        if decimals == 0 {
            return Ok(());
        }
        let mut width = 3;
        while decimals % 10 == 0 {
            decimals /= 10;
            width -= 1;
        }
        write!(f, ".{decimals:0width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_was_asked_and_what_is_allowed() {
        let refusal = Refusal { call: "find", limit: Limit::Radius, allowed: 12.0, asked: 40.25, at: None };
        assert_eq!(refusal.to_string(), "find was refused: it reaches 40.25 m from the caster, and the envelope allows 12");
        let place = Location::caller();
        let refusal = Refusal { at: Some(place), ..refusal };
        assert!(refusal.to_string().starts_with(&format!("{}:{}:{}: find was refused", file!(), place.line(), place.column())));
    }

    #[test]
    fn numbers_are_short() {
        let texts: Vec<String> = [0.0, -0.5, 1000.0, 1.0 / 3.0, -0.0001, 2.07, f64::NAN].map(|n| Short(n).to_string()).into();
        assert_eq!(texts, ["0", "-0.5", "1000", "0.333", "0", "2.07", "a number that is not finite"]);
    }
}
