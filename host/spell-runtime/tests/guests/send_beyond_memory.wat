;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: list pointer/length out of bounds of memory
;; A message that is not in memory: the call ends.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $send (i32.const 0) (i64.const 4) (i32.const 0) (i32.const 65530) (i32.const 4294967295) (i32.const 64))
    (call $report (i32.const 64)))
