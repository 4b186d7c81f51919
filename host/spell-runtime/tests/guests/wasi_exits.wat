;; => fault exit (0 allowed, 1 asked): on-cast: left by wasi:cli/exit with 1; a spell ends its cast by `finish`
;; Leaves, as a program does that has failed.
(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $exit (i32.const 1)))
