;; => on-cast: 32 intents, Log { level: "info", text: "a" } first; fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed
;; Writes lines of one letter to the standard output, for ever: each line is charged as `log` is, and 32 are kept.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $write (param i32 i32 i32 i32)))
(data (i32.const 16) "a\n")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (local $stream i32)
    (local.set $stream (call $get_stdout))
    (loop $again
        (call $write (local.get $stream) (i32.const 16) (i32.const 2) (i32.const 64))
        (br $again)))
