;; => runs; on-cast: SetTimer { token: 1, ticks: 3 }
;; Reads a value that is kept, 3 bytes, and sets a timer of so many ticks.
;; envelope: all
(memory (export "memory") 1)
(data (i32.const 16) "kept")
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $load (i32.const 1) (i32.const 16) (i32.const 4) (i32.const 64))
    (call $set_timer (i32.load8_u (i32.const 72)) (i32.load (i32.const 80)) (i32.const 96)))
