;; => fault host (0 allowed, 0 asked): on-cast: the call broke the rules of the boundary: unexpected discriminant: 77
;; A status that there is none of: the call ends.
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $afflict (i64.const 2) (i32.const 77) (f32.const 0) (f32.const 1) (i32.const 64))
    (call $report (i32.const 64)))
