;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: unknown handle index 3
;; Opens a file in a folder that it was never given.
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.open-at" (func $open (param i32 i32 i32 i32)))
(data (i32.const 16) "/etc/passwd")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $open (i32.const 3) (i32.const 16) (i32.const 11) (i32.const 64)))
