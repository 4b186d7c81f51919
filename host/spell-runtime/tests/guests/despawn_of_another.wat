;; => runs; on-cast: SetTimer { token: 5, ticks: 1 }
;; Takes away what it did not spawn: refused as target (5).
;; envelope: all
(func (export "ugc:spell/hooks@0.1.0#on-cast") (param i64 i64 i64 f32 f32 f32 f32 f32 f32 f32 f32 f32 i64 i32 i32)
    (call $despawn (i64.const 2) (i32.const 64))
    (call $report (i32.const 64)))
