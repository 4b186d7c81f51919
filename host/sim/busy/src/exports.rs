//! What a script can call when this is WebAssembly.

use crate::Busy;
use std::cell::RefCell;

thread_local! {
    static BUSY: RefCell<Option<Busy>> = const { RefCell::new(None) };
    static PARTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes the world anew.
// SAFETY (of this name and those below): nothing else here is called so; the module is linked with nothing that could be.
#[unsafe(no_mangle)]
pub extern "C" fn begin() {
    // A panic is a bare trap to the script: its message would be lost.
    std::panic::set_hook(Box::new(|panic| PANIC.set(panic.to_string())));
    BUSY.set(Some(Busy::new()));
}

/// One tick. Answers where the parts of its digest lie until the next one, as 64 bits each.
#[unsafe(no_mangle)]
pub extern "C" fn tick() -> *const u64 {
    let parts = BUSY.with_borrow_mut(|busy| busy.as_mut().expect("the world has begun").tick());
    PARTS.set(parts.into_iter().map(|(_, part)| part).collect());
    PARTS.with_borrow(|parts| parts.as_ptr())
}

/// How many parts there are.
#[unsafe(no_mangle)]
pub extern "C" fn parts() -> usize {
    PARTS.with_borrow(|parts| parts.len())
}

/// Where the message of the last panic lies.
#[unsafe(no_mangle)]
pub extern "C" fn panic_message() -> *const u8 {
    PANIC.with_borrow(|message| message.as_ptr())
}

/// How long it is.
#[unsafe(no_mangle)]
pub extern "C" fn panic_bytes() -> usize {
    PANIC.with_borrow(|message| message.len())
}
