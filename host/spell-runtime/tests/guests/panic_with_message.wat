;; => on-cast: Log { level: "error", text: "panicked at src/lib.rs:12:5: index out of bounds" }; fault unreachable (0 allowed, 0 asked): on-cast: panicked or reached unreachable code; the spell said: panicked at src/lib.rs:12:5: index out of bounds
;; Logs an error, as a panic hook does, then aborts: the fault quotes it.
(data (i32.const 16) "panicked at src/lib.rs:12:5:\nindex out of bounds")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $log (i32.const 3) (i32.const 16) (i32.const 48))
    (unreachable))
