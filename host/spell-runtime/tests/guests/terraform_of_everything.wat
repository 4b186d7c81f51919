;; => runs; on-cast: SetTimer { token: 1, ticks: 1 }
;; A block from i32::MIN to i32::MAX: refused by the radius (1).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $terraform (i32.const 1) (i32.const 0x80000000) (i32.const 0x80000000) (i32.const 0x80000000) (i32.const 0x7fffffff) (i32.const 0x7fffffff) (i32.const 0x7fffffff) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
