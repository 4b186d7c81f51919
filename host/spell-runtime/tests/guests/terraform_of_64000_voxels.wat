;; => runs; on-cast: SetTimer { token: 8, ticks: 1 }
;; More than one edit may look at (8).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $terraform (i32.const 1) (i32.const -20) (i32.const -20) (i32.const -20) (i32.const 19) (i32.const 19) (i32.const 19) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
