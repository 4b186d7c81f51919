;; => runs; on-cast: SetTimer { token: 1, ticks: 1 }
;; Dispels what is 500 m away: refused as radius (1).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $dispel (i64.const 3) (i32.const 64))
    (call $report (i32.const 64)))
