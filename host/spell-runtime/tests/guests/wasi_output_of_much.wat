;; => fault length (4096 allowed, 8192 asked): on-cast: asked for 8192 bytes of output in one call: 4096 are allowed
;; Writes 8,192 bytes at once, twice what `check-write` permits.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $write (call $get_stdout) (i32.const 1024) (i32.const 8192) (i32.const 64)))
