//! Where the calls to the world go: to the host by wasm imports, or, natively, to a fake world for tests.

#[cfg(not(target_arch = "wasm32"))]
mod fake;
#[cfg(target_arch = "wasm32")]
mod host;

#[cfg(not(target_arch = "wasm32"))]
pub use fake::{Backend, FakeCall, FakeState, fresh, voxels};
#[cfg(target_arch = "wasm32")]
pub use host::{Backend, log};
