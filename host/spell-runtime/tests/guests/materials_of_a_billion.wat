;; => runs; on-cast: SetTimer { token: 8, ticks: 1 }
;; Reads more than it may (8).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $materials (i32.const -20) (i32.const -20) (i32.const -20) (i32.const 19) (i32.const 19) (i32.const 19) (i32.const 64))
    (call $report (i32.const 64)))
