;; => fault length (256 allowed, 1000 asked): on-cast: polled 1000 pollables in one call: 256 are allowed
;; Polls the same pollable a thousand times in one list.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-instant" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (local $at i32) (local $pollable i32)
    (local.set $pollable (call $subscribe (i64.const 0)))
    (loop $again
        (i32.store (i32.add (i32.const 1024) (local.get $at)) (local.get $pollable))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $again (i32.lt_u (local.get $at) (i32.const 4000))))
    (call $poll (i32.const 1024) (i32.const 1000) (i32.const 64)))
