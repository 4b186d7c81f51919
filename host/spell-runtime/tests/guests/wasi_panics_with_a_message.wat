;; => on-cast: Log { level: "error", text: "thread '<unnamed>' panicked at src/lib.rs:12:5:" }, Log { level: "error", text: "no target" }; fault unreachable (0 allowed, 0 asked): on-cast: panicked or reached unreachable code; the spell said: thread '<unnamed>' panicked at src/lib.rs:12:5: no target
;; Writes what a standard library writes when it panics, then aborts: the fault quotes it.
(import "wasi:cli/stderr@0.2.0" "get-stderr" (func $get_stderr (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
(data (i32.const 1024) "\nthread '<unnamed>' panicked at src/lib.rs:12:5:\nno target\n")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $write (call $get_stderr) (i32.const 1024) (i32.const 59) (i32.const 64))
    (unreachable))
