;; => runs; on-cast: SetTimer { token: 1, ticks: 1 }
;; A ball whose middle is in reach and whose rim is not: refused by the radius (1).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $terraform (i32.const 0) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const -58)) (i32.reinterpret_f32 (f32.const 8)) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
