;; => runs; on-cast: SetTimer { token: 6, ticks: 1 }
;; Pushes 1,000 targets at once: refused as intents (6).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $push (i32.const 16) (i32.const 1000) (i32.const 16) (i32.const 3000) (i32.const 40960))
    (call $report (i32.const 40960)))
