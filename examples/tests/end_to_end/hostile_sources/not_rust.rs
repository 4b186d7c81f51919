//! => failed
PK@repeat(1000, "\u{1}")
