;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: invalid utf-8 sequence of 1 bytes from index 0; its last call was log
;; Hands over a string that is none.
(data (i32.const 16) "\ff\fe")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $log (i32.const 1) (i32.const 16) (i32.const 2)))
