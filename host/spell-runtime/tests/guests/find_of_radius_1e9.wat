;; => runs; on-cast: SetTimer { token: 1, ticks: 1 }
;; Asks for all within 1e9 m: refused as radius (1).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $find (i32.const 0) (f32.const 0) (f32.const 1.9) (f32.const 0) (f32.const 1e9) (f32.const 0) (f32.const 0) (f32.const 0) (f32.const 0) (i32.const 15) (i32.const 16) (i32.const 64))
    (call $report (i32.const 64)))
