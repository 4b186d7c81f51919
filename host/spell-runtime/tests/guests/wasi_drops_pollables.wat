;; => runs
;; Makes a thousand pollables and drops each, which a careful guest may.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "[method]pollable.ready" (func $ready (param i32) (result i32)))
(import "wasi:io/poll@0.2.0" "[resource-drop]pollable" (func $drop (param i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (local $count i32) (local $pollable i32)
    (loop $again
        (local.set $pollable (call $subscribe (i64.const 1)))
        (if (call $ready (local.get $pollable)) (then (unreachable)))
        (call $drop (local.get $pollable))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $count) (i32.const 1000)))))
