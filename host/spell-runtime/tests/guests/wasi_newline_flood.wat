;; => fault fuel (1000000 allowed, 0 asked): on-cast: ran out of fuel: 1000000 was allowed
;; Ends 4,096 empty lines in each call: none is kept, and each is charged.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (local $stream i32)
    (local.set $stream (call $get_stdout))
    (memory.fill (i32.const 8192) (i32.const 10) (i32.const 4096))
    (loop $again
        (call $write (local.get $stream) (i32.const 8192) (i32.const 4096) (i32.const 64))
        (br $again)))
