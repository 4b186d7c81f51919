;; => fault unreachable (0 allowed, 0 asked): on-cast: panicked or reached unreachable code
;; Aborts.
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (unreachable))
