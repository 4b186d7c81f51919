//! One folder for each released version of the interface: it converts between the guest's types and ours, and forwards.

pub(crate) mod canonical;
pub(crate) mod since_v0_1_0;
