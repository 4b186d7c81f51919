//! The control plane as clients meet it: the real router and stores behind a real socket; only the processes that it starts are stand-ins.

mod auth;
mod authorization;
mod guide;
mod harness;
mod hostile;
mod imports;
mod jobs;
mod link;
mod live;
mod manners;
mod operators;
mod ownership;
mod packages;
mod problems;
mod process;
mod prompts;
mod spells;
mod usage;
mod worlds;
