;; => fault wait (0 allowed, 0 asked): on-cast: polled an empty list, which waits for ever; a spell waits by a timer
;; Polls nothing at all.
(import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $poll (i32.const 16) (i32.const 0) (i32.const 64)))
