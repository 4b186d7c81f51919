;; => runs
;; Waits for somebody to type: the input has ended (1 in the answer, and 1 for `closed`).
(import "wasi:cli/stdin@0.2.0" "get-stdin" (func $get_stdin (result i32)))
(import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $read (call $get_stdin) (i64.const 18446744073709551615) (i32.const 64))
    (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then (unreachable)))
    (if (i32.ne (i32.load8_u (i32.const 68)) (i32.const 1)) (then (unreachable))))
