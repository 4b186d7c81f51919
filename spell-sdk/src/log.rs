//! Lines for the author's log.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the hunt after a bug.
    Debug,
    /// Good to know.
    Info,
    /// Something did not go as meant.
    Warn,
    /// Something is broken.
    Error,
}

/// Writes a line of level debug: `debug!(world, "{count} near")`. Cut at 1,024 bytes.
#[macro_export]
macro_rules! debug {
    ($world:expr, $($text:tt)+) => { $world.log($crate::Level::Debug, ::core::format_args!($($text)+)) };
}

/// Writes a line of level info: `info!(world, "{count} near")`. Cut at 1,024 bytes.
#[macro_export]
macro_rules! info {
    ($world:expr, $($text:tt)+) => { $world.log($crate::Level::Info, ::core::format_args!($($text)+)) };
}

/// Writes a line of level warn: `warn!(world, "nobody near")`. Cut at 1,024 bytes.
#[macro_export]
macro_rules! warn {
    ($world:expr, $($text:tt)+) => { $world.log($crate::Level::Warn, ::core::format_args!($($text)+)) };
}

/// Writes a line of level error: `error!(world, "no target")`. Cut at 1,024 bytes.
#[macro_export]
macro_rules! error {
    ($world:expr, $($text:tt)+) => { $world.log($crate::Level::Error, ::core::format_args!($($text)+)) };
}
