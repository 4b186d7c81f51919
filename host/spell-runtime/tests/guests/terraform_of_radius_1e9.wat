;; => runs; on-cast: SetTimer { token: 4, ticks: 1 }
;; A ball as large as a country: refused by its magnitude (4).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $terraform (i32.const 0) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const 0)) (i32.reinterpret_f32 (f32.const 1e9)) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
