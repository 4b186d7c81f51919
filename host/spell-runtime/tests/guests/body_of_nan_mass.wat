;; => runs; on-cast: SetTimer { token: 3, ticks: 1 }
;; Refused as finite (3).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $spawn_body (i32.const 1) (f32.const 0.5) (f32.const 0) (f32.const 0) (f32.const nan) (f32.const 0) (f32.const 3) (f32.const -3) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
