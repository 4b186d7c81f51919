//! => failed unsafe_code
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" { pub safe fn fd_write(a: i32, b: i32, c: i32, d: i32) -> i32; }
#[unsafe(no_mangle)]
pub extern "C" fn run() -> i32 { fd_write(0, 0, 0, 0) }
