;; => fault wait (0 allowed, 2 asked): on-cast: waited for 2 s inside a call; a spell waits by a timer
;; Polls for the earlier of two moments, both to come, with the newest version of the interface.
(import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-instant" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.6" "poll" (func $poll (param i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (i32.store (i32.const 16) (call $subscribe (i64.const 18446744073709551615)))
    (i32.store (i32.const 20) (call $subscribe (i64.const 2016666666)))
    (call $poll (i32.const 16) (i32.const 2) (i32.const 64)))
