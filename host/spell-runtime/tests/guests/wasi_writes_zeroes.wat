;; => fault length (4096 allowed, 1099511627776 asked): on-cast: asked for 1099511627776 bytes of output in one call: 4096 are allowed
;; Writes 2^40 zeroes.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.write-zeroes" (func $zeroes (param i32 i64 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $zeroes (call $get_stdout) (i64.const 1099511627776) (i32.const 64)))
