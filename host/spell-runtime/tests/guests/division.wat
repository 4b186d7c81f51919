;; => fault division (0 allowed, 0 asked): on-cast: did arithmetic that has no result: wasm trap: integer divide by zero
;; Divides by zero.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (drop (i32.div_s (i32.const 1) (i32.const 0))))
