;; => runs; on-cast: SetTimer { token: 5, ticks: 1 }
;; Nobody of this id lives (5).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $afflict (i64.const 99) (i32.const 1) (f32.const 0) (f32.const 1) (i32.const 64))
    (call $report (i32.const 64)))
