;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: list pointer/length out of bounds of memory
;; Writes what lies behind the end of its memory.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $write (call $get_stdout) (i32.const 65530) (i32.const 100) (i32.const 64)))
