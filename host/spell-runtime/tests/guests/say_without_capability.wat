;; => runs; on-cast: SetTimer { token: 0, ticks: 1 }
;; Says something, undeclared: refused as capability (0).
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $say (i32.const 16) (i32.const 4) (i32.const 1) (i32.const 64))
    (call $report (i32.const 64)))
