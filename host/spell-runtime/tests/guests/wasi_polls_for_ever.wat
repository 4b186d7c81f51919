;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed
;; Polls what is ready, for ever: fuel ends that.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-instant" (func $subscribe (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (i32.store (i32.const 16) (call $subscribe (i64.const 0)))
    (loop $again
        (call $poll (i32.const 16) (i32.const 1) (i32.const 64))
        (br $again)))
