;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: unknown handle index 7
;; Blocks on a handle that it was never given.
(import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $block (i32.const 7)))
