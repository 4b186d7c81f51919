;; => runs; on-cast: SetTimer { token: 4, ticks: 1 }
;; A slow of 10^9 seconds: refused by its magnitude (4).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $afflict (i64.const 2) (i32.const 0) (f32.const 0.5) (f32.const 1e9) (i32.const 64))
    (call $report (i32.const 64)))
