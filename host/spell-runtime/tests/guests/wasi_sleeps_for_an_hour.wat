;; => fault wait (0 allowed, 3600 asked): on-cast: waited for 3600 s inside a call; a spell waits by a timer
;; Sleeps as a standard library does: subscribes to an hour from now, and blocks.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $block (call $subscribe (i64.const 3600000000000))))
