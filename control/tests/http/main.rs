//! The control plane as clients meet it: the real router and stores behind a real socket; only the processes that it starts are stand-ins.

mod auth;
mod harness;
mod link;
mod problems;
mod process;
mod spells;
mod worlds;
