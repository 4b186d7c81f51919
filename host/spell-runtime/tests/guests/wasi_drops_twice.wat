;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: unknown handle index 1
;; Drops a stream twice.
(import "wasi:cli/stdout@0.2.0" "get-stdout" (func $get_stdout (result i32)))
(import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (local $stream i32)
    (local.set $stream (call $get_stdout))
    (call $drop (local.get $stream))
    (call $drop (local.get $stream)))
