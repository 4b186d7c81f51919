;; => runs; on-cast: SetTimer { token: 4, ticks: 1 }, SetTimer { token: 4, ticks: 1 }
;; A timer of no ticks, and one of 36,001: both refused as magnitude (4).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $set_timer (i32.const 1) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64))
    (call $set_timer (i32.const 1) (i32.const 36001) (i32.const 64))
    (call $report (i32.const 64)))
