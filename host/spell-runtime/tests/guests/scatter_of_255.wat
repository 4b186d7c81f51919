;; => runs; on-cast: SetTimer { token: 4, ticks: 1 }
;; Refused by its magnitude (4).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $scatter (f32.const 0) (f32.const 1.9) (f32.const -3) (i32.const 255) (f32.const 5) (f32.const 1) (i32.const 64))
    (call $report (i32.const 64)))
