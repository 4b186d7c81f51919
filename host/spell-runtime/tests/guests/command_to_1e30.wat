;; => runs; on-cast: SetTimer { token: 1, ticks: 1 }
;; Sent out of the world: refused by the radius (1).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $command (i64.const 2) (i32.const 2) (i64.extend_i32_u (i32.reinterpret_f32 (f32.const 1e30))) (f32.const 0) (f32.const 0) (i32.const 64))
    (call $report (i32.const 64)))
